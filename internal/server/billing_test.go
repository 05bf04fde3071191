package server_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/xuri/excelize/v2"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

// charge records n receipts of the order, completed at that time.
func (p *person) charge(o *orders.Order, n int, at time.Time) {
	p.site.t.Helper()
	err := p.site.DB.RunInTx(context.Background(), nil, func(ctx context.Context, tx bun.Tx) error {
		for range n {
			id := db.NewID()
			a := &orders.Attempt{TenantID: p.scope.TenantID(), ID: id, OrderID: o.ID, Ordinal: time.Now().UnixNano(), Status: "completed",
				Reference: id, PhotoToken: id, CallbackToken: id, TypeID: o.TypeID, CustomFields: map[string]string{}, CreatedAt: at, NotBefore: at}
			if _, err := tx.NewInsert().Model(a).Exec(ctx); err != nil {
				return err
			}
			_, err := billing.Record(ctx, tx, p.scope, billing.NewCharge{AttemptID: id, OrderID: o.ID, OrderNumber: o.Number, TypeID: o.TypeID,
				TypeName: o.TypeName, City: o.City, BatchID: o.BatchID, BatchName: "三(2)班", Points: 500, At: at})
			if err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(p.site.t, err)
}

// october is a month that is over.
var october = billing.Month("2026-10")

func TestAMonthOfReceiptsBecomesAnInvoiceThatIsExported(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := site.signUp("晨光照相馆")
	o := owner.order(owner.batch("三(2)班"), "欧阳翀", true)
	owner.charge(o, 3, october.Start().Add(9*24*time.Hour))
	finance := owner.member(tenants.RoleFinance)

	month := finance.page(finance.get("/billing/2026-10"), http.StatusOK)
	assert.Contains(t, month.Find("dl").First().Text(), "¥15.00")
	assert.Equal(t, 3, month.Find("#ledger tbody tr").Length())
	day, found := month.Find(".bar a").Attr("href")
	require.True(t, found, "the bar of the day leads to its charges")
	assert.Equal(t, 3, finance.page(finance.get(strings.Split(day, "#")[0]), http.StatusOK).Find("#ledger tbody tr").Length())

	res := finance.post("/billing/2026-10/draft", url.Values{})
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	invoice := res.Header.Get("Location")
	page := finance.page(finance.get(invoice), http.StatusOK)
	assert.Contains(t, page.Find("main").Text(), "不是发票")
	toggle, found := page.Find("#line-1 a").Attr("href")
	require.True(t, found)
	opened := finance.page(finance.get(toggle), http.StatusOK)
	assert.Equal(t, 4, opened.Find("#line-1 tr").Length(), "the line and its receipts, without a script")
	line := finance.page(finance.get(toggle, "HX-Request", "true", "HX-Target", "line-1"), http.StatusOK)
	assert.Zero(t, line.Find("main").Length(), "with a script, the line alone")

	again := finance.post("/billing/2026-10/draft", url.Values{})
	assert.Equal(t, invoice, again.Header.Get("Location"), "a month has one invoice")
	list := finance.page(finance.get("/billing/invoices"), http.StatusOK)
	assert.Equal(t, 1, list.Find(`a[href="`+invoice+`"]`).Length())

	text, header := download(t, finance.get(invoice+"/export.csv"))
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\uFEFF")))).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, 4)
	_, params, err := mime.ParseMediaType(header.Get("Content-Disposition"))
	require.NoError(t, err)
	assert.Equal(t, "回执账单_2026-10_晨光照相馆.csv", params["filename"])
	sheet, _ := download(t, finance.get(invoice+"/export.xlsx"))
	book, err := excelize.OpenReader(bytes.NewReader(sheet))
	require.NoError(t, err)
	defer book.Close()
	details, err := book.GetRows("明细")
	require.NoError(t, err)
	assert.Len(t, details, 5, "a head, three receipts and their sum")
}

func download(t *testing.T, res *http.Response) ([]byte, http.Header) {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, "%s", body)
	require.EqualValues(t, len(body), res.ContentLength, "a file that is cut off is noticed")
	return body, res.Header
}

func TestFinanceSeesNoPerson(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := site.signUp("晨光照相馆")
	o := owner.order(owner.batch("三(2)班"), "欧阳翀", true)
	owner.charge(o, 1, october.Start())
	finance := owner.member(tenants.RoleFinance)
	invoice := finance.post("/billing/2026-10/draft", url.Values{}).Header.Get("Location")
	for _, path := range []string{"/billing", "/billing/2026-10", invoice + "?line=1", invoice + "/export.csv"} {
		code, body := status(t, finance.get(path))
		require.Equal(t, http.StatusOK, code, path)
		assert.NotContains(t, body, "欧阳翀", path)
		assert.NotContains(t, body, "110101199001011237", path)
		assert.NotContains(t, body, "/orders/"+o.ID, "no way to a page that finance may not see: %s", path)
	}
	_, body := status(t, owner.get("/billing/2026-10"))
	assert.Contains(t, body, "/orders/"+o.ID, "who works on orders gets there")
}

func TestBillingPagesOfATenantWithoutReceipts(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := site.signUp("新开的照相馆")
	page := owner.page(owner.get("/billing"), http.StatusOK)
	assert.Contains(t, page.Find("main").Text(), "500 点，¥5.00", "an empty page says what a receipt costs")
	owner.page(owner.get("/billing/invoices"), http.StatusOK)
	owner.page(owner.get("/billing?day=2026-02-31&type=x&before=none"), http.StatusOK)
	for _, path := range []string{"/billing/2026-13", "/billing/x", "/billing/2999-01", "/billing/invoices/x"} {
		assert.Equal(t, http.StatusNotFound, owner.get(path).StatusCode, path)
	}
	assert.Equal(t, http.StatusUnprocessableEntity, owner.post("/billing/2026-10/draft", url.Values{}).StatusCode)
	english := owner.get("/billing", "Accept-Language", "en")
	assert.Contains(t, owner.page(english, http.StatusOK).Find("main").Text(), "No receipts in")
}
