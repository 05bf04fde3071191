package billing_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

// twoTenants have a final and a draft invoice of October.
func twoTenants(t *testing.T, d *db.DB) (*billing.Service, []billing.Document) {
	t.Helper()
	ctx := context.Background()
	a, _ := finalized(t, d, 3)
	b := newLedger(t, d, 900)
	b.charge(billing.NewCharge{OrderNumber: "=1+1", At: billing.Month("2026-10").Start()})
	_, err := b.svc.Draft(ctx, b.sc, "2026-10", shanghai(2026, 11, 1, 0, 1))
	require.NoError(t, err)
	docs, err := a.svc.Documents(ctx, "2026-10", everyTenant(t, a.svc))
	require.NoError(t, err)
	require.Len(t, docs, 2)
	return a.svc, docs
}

func export(t *testing.T, svc *billing.Service, docs []billing.Document, f billing.Format) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, svc.ExportDocuments(context.Background(), docs, f, &out))
	return out.Bytes()
}

func TestAMonthOfAllTenantsIsOneFile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		svc, docs := twoTenants(t, d)
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(export(t, svc, docs, billing.CSV), []byte("\uFEFF")))).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 5)
		assert.Equal(t, []string{"晨光照相馆", "INV2026-000001", "2026-10"}, rows[1][:3])
		assert.Equal(t, []string{"晨光照相馆", "草稿", "2026-10", "'=1+1"}, rows[4][:4], "a formula is disarmed")

		book, err := excelize.OpenReader(bytes.NewReader(export(t, svc, docs, billing.XLSX)))
		require.NoError(t, err)
		defer book.Close()
		summary, err := book.GetRows("汇总")
		require.NoError(t, err)
		require.Len(t, summary, 4)
		assert.Equal(t, []string{"晨光照相馆", "INV2026-000001", "2026-10", "已定稿", "3", "1,500", "14.15", "0.85", "15.00", "0.00", "15.00", "2026-12-01"}, summary[1])
		assert.Equal(t, "19.50", summary[3][8])
		total, err := book.CalcCellValue("汇总", "I4")
		require.NoError(t, err)
		assert.Equal(t, "19.50", total)
		details, err := book.GetRows("明细")
		require.NoError(t, err)
		assert.Len(t, details, 5)
	})
}

func TestTheInvoiceAsPDF(t *testing.T) {
	t.Parallel()
	svc, docs := twoTenants(t, dbtest.SQLite(t))
	file := export(t, svc, docs, billing.PDF)
	assert.Equal(t, file, export(t, svc, docs, billing.PDF), "the same invoice is the same file")
	assert.Less(t, len(file), 200_000, "only the characters that are used are embedded")
	assert.Equal(t, 2, bytes.Count(file, []byte("/Type /Page\n")), "a page for each invoice")
}

func TestAllOfAMonthAsZIP(t *testing.T) {
	t.Parallel()
	svc, docs := twoTenants(t, dbtest.SQLite(t))
	file := export(t, svc, docs, billing.ZIP)
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		r, err := f.Open()
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, r)
		require.NoError(t, err, f.Name)
	}
	assert.Equal(t, "001_回执账单_2026-10_晨光照相馆.pdf 001_回执账单_2026-10_晨光照相馆.xlsx 002_回执账单_2026-10_晨光照相馆.pdf 002_回执账单_2026-10_晨光照相馆.xlsx 2026-10.csv",
		strings.Join(names, " "))
}

func TestAMonthWithoutInvoicesIsNoFile(t *testing.T) {
	t.Parallel()
	l := newLedger(t, dbtest.SQLite(t), 1000)
	_, err := l.svc.Documents(context.Background(), "2026-10", everyTenant(t, l.svc))
	assert.Equal(t, apperr.NotFound, apperr.KindOf(err))
}
