package billing_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/i18n"
)

// exported is an invoice of two types with texts that spreadsheets like to damage.
func exported(t *testing.T, d *db.DB) (*ledger, billing.Invoice) {
	l := newLedger(t, d, 937)
	l.charge(billing.NewCharge{OrderNumber: "HZ-2611-004812", At: shanghai(2026, 11, 1, 0, 0)})
	l.charge(billing.NewCharge{OrderNumber: "440305201603120017", At: shanghai(2026, 11, 2, 9, 30), City: "=HYPERLINK(\"http://x\")"})
	l.charge(billing.NewCharge{OrderNumber: "HZ-2611-004814", At: shanghai(2026, 11, 30, 23, 59), TypeID: 2, TypeName: "社会保障卡, \"新\""})
	inv, err := l.svc.Draft(context.Background(), l.sc, "2026-11", shanghai(2026, 12, 1, 0, 30))
	require.NoError(t, err)
	return l, inv
}

func TestCSVHasOneRowPerReceipt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, inv := exported(t, d)
		var out bytes.Buffer
		require.NoError(t, l.svc.ExportCSV(context.Background(), l.sc, inv.ID, &out))

		text, found := strings.CutPrefix(out.String(), "\uFEFF")
		require.True(t, found, "Excel needs the byte order mark to read UTF-8")
		assert.Equal(t, strings.Count(text, "\n"), strings.Count(text, "\r\n"))
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		require.NoError(t, err)
		assert.Equal(t, [][]string{
			{"账期", "订单号", "完成时间", "回执类型", "办证地区", "批次", "点数", "金额（元）"},
			{"2026-11", "HZ-2611-004812", "2026-11-01 00:00:00", "居住证", "广东省,深圳市", "三(2)班", "500", "4.69"},
			{"2026-11", "440305201603120017\t", "2026-11-02 09:30:00", "居住证", "'=HYPERLINK(\"http://x\")", "三(2)班", "500", "4.69"},
			{"2026-11", "HZ-2611-004814", "2026-11-30 23:59:00", "社会保障卡, \"新\"", "广东省,深圳市", "三(2)班", "500", "4.69"},
		}, rows)
	})
}

func TestXLSXAddsUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l, inv := exported(t, d)
		var out bytes.Buffer
		require.NoError(t, l.svc.ExportXLSX(context.Background(), l.sc, inv.ID, &out))
		book, err := excelize.OpenReader(&out)
		require.NoError(t, err)
		defer book.Close()
		assert.Equal(t, []string{"汇总", "明细"}, book.GetSheetList())

		rows, err := book.GetRows("明细")
		require.NoError(t, err)
		require.Len(t, rows, 5)
		assert.Equal(t, []string{"2026-11", "HZ-2611-004812", "2026-11-01 00:00:00", "居住证", "广东省,深圳市", "三(2)班", "500", "4.69"}, rows[1])
		assert.Equal(t, "440305201603120017", rows[2][1], "18 digits stay 18 digits")
		assert.Equal(t, `=HYPERLINK("http://x")`, rows[2][4])
		assert.Equal(t, []string{"合计", "3 个回执", "", "", "", "", "1,500", "14.07"}, rows[4])
		for cell, want := range map[string]excelize.CellType{"B3": excelize.CellTypeInlineString, "E3": excelize.CellTypeInlineString} {
			got, err := book.GetCellType("明细", cell)
			require.NoError(t, err)
			assert.Equal(t, want, got, cell)
		}
		formula, err := book.GetCellFormula("明细", "E3")
		require.NoError(t, err)
		assert.Empty(t, formula, "a text is never a formula")
		money, err := book.GetCellValue("明细", "H2", excelize.Options{RawCellValue: true})
		require.NoError(t, err)
		assert.Equal(t, "4.69", money)
		total, err := book.CalcCellValue("明细", "H5")
		require.NoError(t, err)
		assert.Equal(t, "14.07", total)
		panes, err := book.GetPanes("明细")
		require.NoError(t, err)
		assert.True(t, panes.Freeze)
		assert.Equal(t, 1, panes.YSplit)

		summary, err := book.GetRows("汇总")
		require.NoError(t, err)
		assert.Equal(t, "2026 年 11 月账单", summary[0][0])
		assert.Contains(t, summary[1][0], "晨光照相馆")
		assert.Equal(t, []string{"居住证", "2", "4.69", "9.38"}, summary[4])
		assert.Equal(t, []string{"社会保障卡, \"新\"", "1", "4.69", "4.69"}, summary[5])
		assert.Equal(t, []string{"合计", "3", "", "14.07"}, summary[6])
		assert.Equal(t, []string{"不含税金额", "", "", "13.27"}, summary[7])
		assert.Equal(t, []string{"税额 6%", "", "", "0.80"}, summary[8])
		assert.Equal(t, []string{"应收", "", "", "14.07"}, summary[9])
		assert.Contains(t, summary[11][0], "不是发票")
	})
}

func TestExportsSpeakTheReadersLanguage(t *testing.T) {
	t.Parallel()
	l, inv := exported(t, dbtest.SQLite(t))
	var out bytes.Buffer
	require.NoError(t, l.svc.ExportCSV(i18n.WithLang(context.Background(), i18n.EN), l.sc, inv.ID, &out))
	assert.Contains(t, out.String(), "Order,Completed,Receipt type,City,Batch,Points,Amount (¥)")
	assert.NotContains(t, out.String(), i18n.MissingMark)
}

func TestExportOfAnotherTenantsInvoiceIsNotFound(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	_, inv := exported(t, d)
	other := newLedger(t, d, 1000)
	var out bytes.Buffer
	assert.Equal(t, apperr.NotFound, apperr.KindOf(other.svc.ExportCSV(context.Background(), other.sc, inv.ID, &out)))
	assert.Equal(t, apperr.NotFound, apperr.KindOf(other.svc.ExportXLSX(context.Background(), other.sc, inv.ID, &out)))
	assert.Zero(t, out.Len())
}

func TestExportsReadPageByPage(t *testing.T) {
	t.Parallel()
	l := newLedger(t, dbtest.SQLite(t), 1000)
	const n = 2*1000 + 3
	l.chargeMany(n, 1, shanghai(2026, 11, 1, 9, 0), time.Minute)
	inv, err := l.svc.Draft(context.Background(), l.sc, "2026-11", shanghai(2026, 12, 1, 0, 30))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, l.svc.ExportCSV(context.Background(), l.sc, inv.ID, &out))
	rows, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, n+1)
	numbers := map[string]bool{}
	for _, r := range rows[1:] {
		numbers[r[1]] = true
	}
	assert.Len(t, numbers, n)
}

func TestExportNameIsAFileName(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	assert.Equal(t, "回执账单_2026-11_晨光照相馆.xlsx", billing.ExportName(ctx, "2026-11", "晨光照相馆", "xlsx"))
	assert.Equal(t, "回执账单_2026-11_a-b-c.csv", billing.ExportName(ctx, "2026-11", "a/b\\c", "csv"))
	assert.Equal(t, fmt.Sprintf("%s_2026-11_x.csv", i18n.T(i18n.WithLang(ctx, i18n.EN), "billing.export.name")),
		billing.ExportName(i18n.WithLang(ctx, i18n.EN), "2026-11", "x", "csv"))
}
