package server_test

import (
	"archive/zip"
	"bytes"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/tenants"
)

func TestFinanceClosesAMonth(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := site.signUp("晨光照相馆")
	o := owner.order(owner.batch("三(2)班"), "欧阳翀", true)
	owner.charge(o, 3, october.Start().Add(9*24*time.Hour))
	finance := site.staff(tenants.StaffFinance)

	require.Equal(t, http.StatusSeeOther, finance.post("/platform/finance/2026-10/run", url.Values{}).StatusCode)
	month := finance.page(finance.get("/platform/finance/2026-10"), http.StatusOK)
	invoice, found := month.Find("tbody a").Attr("href")
	require.True(t, found)
	do := func(action string, form url.Values) *http.Response { return finance.post(invoice+"/"+action, form) }

	draft := finance.page(finance.get(invoice), http.StatusOK)
	updated, found := draft.Find(`input[name="updated"]`).Attr("value")
	require.True(t, found)
	require.Equal(t, http.StatusSeeOther, do("review", url.Values{"updated": {updated}}).StatusCode)
	require.Equal(t, http.StatusConflict, do("send", url.Values{}).StatusCode, "it is not final yet")
	for range 2 {
		require.Equal(t, http.StatusSeeOther, do("finalize", url.Values{}).StatusCode)
	}
	require.Equal(t, http.StatusSeeOther, do("send", url.Values{}).StatusCode)

	today := time.Now().UTC().Format(time.DateOnly)
	over := finance.page(do("payment", url.Values{"fen": {"15.01"}, "reference": {"A1"}, "day": {today}}), http.StatusUnprocessableEntity)
	assert.Contains(t, over.Find("#payment .field-error").Text(), "15.00", "a payment larger than the invoice")
	for _, bad := range []string{"", "-1", "1.234", "x", "1e3", "99999999999999999999"} {
		assert.Equal(t, http.StatusUnprocessableEntity, do("payment", url.Values{"fen": {bad}, "reference": {"A1"}, "day": {today}}).StatusCode, bad)
	}
	require.Equal(t, http.StatusSeeOther, do("payment", url.Values{"fen": {"¥5.5"}, "reference": {"A1"}, "day": {today}}).StatusCode)
	require.Equal(t, http.StatusUnprocessableEntity, do("credit", url.Values{"fen": {"9.51"}, "reason": {"重复"}, "before": {"0"}}).StatusCode)
	require.Equal(t, http.StatusSeeOther, do("credit", url.Values{"fen": {"9.50"}, "reason": {"重复"}, "before": {"0"}}).StatusCode)
	paid := finance.page(finance.get(invoice), http.StatusOK)
	assert.Zero(t, paid.Find("#payment").Length(), "nothing is open any more")
	assert.Contains(t, paid.Find("main").Text(), "CN2026-000001")

	file, _ := download(t, finance.get("/platform/finance/2026-10/export.zip"))
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	assert.Len(t, z.File, 3)
	_, body := status(t, finance.get(invoice+"?line=1"))
	assert.Contains(t, body, o.Number, "a line opens into its receipts")
	assert.NotContains(t, body, "欧阳翀", "and names no person")
	assert.NotContains(t, body, "/orders/"+o.ID)

	// The tenant sees the same, and can do none of it.
	list := owner.page(owner.get("/billing/invoices"), http.StatusOK)
	own, _ := list.Find("tbody a").Attr("href")
	page := owner.page(owner.get(own), http.StatusOK)
	assert.Contains(t, page.Find("main").Text(), "INV2026-000001")
	assert.Zero(t, page.Find("#actions").Length())
	pdf, header := download(t, owner.get(own+"/export.pdf"))
	assert.Equal(t, "application/pdf", header.Get("Content-Type"))
	assert.True(t, bytes.HasPrefix(pdf, []byte("%PDF-")))
}

func TestTheInvoiceOfAnotherTenantIsNotUnderThisOne(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	a, b := site.signUp("晨光照相馆"), site.signUp("第二照相馆")
	o := a.order(a.batch("三(2)班"), "欧阳翀", true)
	a.charge(o, 1, october.Start())
	location := a.post("/billing/2026-10/draft", url.Values{}).Header.Get("Location")
	id := location[len("/billing/invoices/"):]
	finance := site.staff(tenants.StaffFinance)
	assert.Equal(t, http.StatusOK, finance.get("/platform/tenants/"+a.scope.TenantID()+"/invoices/"+id).StatusCode)
	assert.Equal(t, http.StatusNotFound, finance.get("/platform/tenants/"+b.scope.TenantID()+"/invoices/"+id).StatusCode)
	assert.Equal(t, http.StatusNotFound, finance.post("/platform/tenants/"+b.scope.TenantID()+"/invoices/"+id+"/void", url.Values{}).StatusCode)
}
