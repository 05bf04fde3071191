package server_test

import (
	"archive/zip"
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

func TestFinanceClosesAMonth(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := site.signUp("晨光照相馆")
	o := owner.order(owner.batch("三(2)班"), "欧阳翀", true)
	owner.charge(o, 3, october.Start().Add(9*24*time.Hour))
	finance := site.staff(tenants.StaffFinance)

	finance.bulk("/platform/finance/2026-10/run", url.Values{})
	list := finance.page(finance.get("/platform/invoices?month=2026-10"), http.StatusOK)
	invoice, found := list.Find("tbody a").Attr("href")
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
	ownList := owner.page(owner.get("/billing/invoices"), http.StatusOK)
	own, _ := ownList.Find("tbody a").Attr("href")
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

// bulk starts a run, works it, and returns its page.
func (p *person) bulk(path string, form url.Values) *goquery.Document {
	t := p.site.t
	t.Helper()
	res := p.post(path, form)
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	page := res.Header.Get("Location")
	id := page[strings.LastIndex(page, "/")+1:]
	require.NoError(t, p.site.Bulk.Work(context.Background(), id))
	return p.page(p.get(page), http.StatusOK)
}

func TestManyInvoicesAreWorkedOnAtOnce(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	for _, name := range []string{"晨光照相馆", "第二照相馆", "第三中学"} {
		owner := site.signUp(name)
		owner.charge(owner.order(owner.batch("三(2)班"), "欧阳翀", true), 2, october.Start().Add(9*24*time.Hour))
	}
	finance := site.staff(tenants.StaffFinance)
	overview := finance.page(finance.get("/platform/finance/2026-10"), http.StatusOK)
	assert.Contains(t, overview.Find(".stp").Text(), "缺 3 张")
	finance.bulk("/platform/finance/2026-10/run", url.Values{})

	list := finance.page(finance.get("/platform/invoices?month=2026-10"), http.StatusOK)
	var chosen []string
	list.Find(`tbody input[name="id"]`).Each(func(_ int, s *goquery.Selection) { chosen = append(chosen, s.AttrOr("value", "")) })
	require.Len(t, chosen, 3)
	run := finance.bulk("/platform/invoices/bulk", url.Values{"do": {"send"}, "id": chosen})
	assert.Contains(t, run.Find("[data-balance]").Text(), "共选 3 = 完成 0 + 未做 3")
	assert.Contains(t, run.Find("table").Text(), "账单定稿之后", "each with its reason")
	finance.bulk("/platform/invoices/bulk", url.Values{"do": {"review"}, "id": chosen[:2]})

	// Everything that the list shows: two were reviewed.
	require.Equal(t, http.StatusConflict, finance.post("/platform/invoices/bulk?month=2026-10", url.Values{"do": {"finalize"}, "all": {"2"}}).StatusCode, "the list has another length")
	run = finance.bulk("/platform/invoices/bulk?month=2026-10", url.Values{"do": {"finalize"}, "all": {"3"}})
	assert.Contains(t, run.Find("[data-balance]").Text(), "共选 2 = 完成 2 + 未做 0")
	assert.Zero(t, run.Find("[hx-trigger]").Length(), "a finished run does not ask again")

	file, header := download(t, finance.post("/platform/invoices/bulk", url.Values{"export": {"zip"}, "id": chosen}))
	assert.Equal(t, "application/zip", header.Get("Content-Type"))
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	assert.Len(t, z.File, 3*2+1)
	for _, bad := range []url.Values{{"do": {"void"}, "id": chosen}, {"do": {"review"}}, {"do": {"review"}, "id": {"x"}}, {"export": {"exe"}, "id": chosen}, {"do": {"draft"}, "id": chosen}} {
		assert.Equal(t, http.StatusUnprocessableEntity, finance.post("/platform/invoices/bulk", bad).StatusCode, "%v", bad)
	}

	// Sorted, searched, narrowed.
	for address, n := range map[string]int{"?q=第二": 1, "?state=finalized": 2, "?state=draft&by=total&order=up": 1, "?by=nonsense&state=nonsense&month=x": 3, "?from=9999-01-01": 0} {
		assert.Equal(t, n, finance.page(finance.get("/platform/invoices"+address), http.StatusOK).Find(`tbody input[name="id"]`).Length(), address)
	}
	ageing := finance.page(finance.get("/platform/ageing"), http.StatusOK)
	assert.Equal(t, 3, ageing.Find("tbody tr").Length(), "two tenants and the sum")
	text, _ := download(t, finance.get("/platform/ageing.csv"))
	assert.Contains(t, string(text), "合计,2,20.00")

	require.Equal(t, http.StatusSeeOther, finance.post("/platform/finance/2026-10/cost", url.Values{"cost": {"8.00"}}).StatusCode)
	require.Equal(t, http.StatusUnprocessableEntity, finance.post("/platform/finance/2026-10/cost", url.Values{"cost": {"viel"}}).StatusCode)
	overview = finance.page(finance.get("/platform/finance/2026-10"), http.StatusOK)
	assert.Contains(t, overview.Find("main").Text(), "毛利")
}

func TestABankTransferFindsItsInvoice(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := site.signUp("晨光照相馆")
	owner.charge(owner.order(owner.batch("三(2)班"), "欧阳翀", true), 3, october.Start().Add(9*24*time.Hour))
	finance := site.staff(tenants.StaffFinance)
	_, err := site.Billing.Draft(context.Background(), owner.scope, "2026-10", db.Now())
	require.NoError(t, err)
	inv, err := site.Billing.Finalize(context.Background(), owner.scope, "2026-10", "test", db.Now())
	require.NoError(t, err)

	pasted := url.Values{"text": {"2026-11-02\t晨光照相馆\t15.00\t2026110200001\t十月\n没有金额"}}
	page := finance.page(finance.post("/platform/remittances", pasted), http.StatusOK)
	assert.Contains(t, page.Find("main").Text(), "没有金额", "what was not understood is shown")
	form := url.Values{}
	page.Find("#remittance-1 form").Find("input").Each(func(_ int, s *goquery.Selection) {
		if _, checked := s.Attr("checked"); s.AttrOr("type", "") != "radio" || checked {
			form.Set(s.AttrOr("name", ""), s.AttrOr("value", ""))
		}
	})
	require.Equal(t, owner.scope.TenantID()+"/"+inv.ID, form.Get("invoice"), "amount and payer agree, so it is chosen")
	wrong := maps.Clone(form)
	wrong.Set("fen", "1501")
	assert.Contains(t, finance.page(finance.post("/platform/remittances/record", wrong), http.StatusUnprocessableEntity).Find(".field-error").Text(), "15.00")
	require.Equal(t, http.StatusSeeOther, finance.post("/platform/remittances/record", form).StatusCode)
	page = finance.page(finance.post("/platform/remittances", pasted), http.StatusOK)
	assert.Contains(t, page.Find("#remittance-1").Text(), "已经登记", "pasted twice, it is recorded once")
}

func TestAFenIsTracedToItsReceiptAndBack(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := site.signUp("晨光照相馆")
	o := owner.order(owner.batch("三(2)班"), "欧阳翀", true)
	owner.charge(o, 2, october.Start().Add(9*24*time.Hour))
	inv, err := site.Billing.Draft(context.Background(), owner.scope, "2026-10", db.Now())
	require.NoError(t, err)
	finance := site.staff(tenants.StaffFinance)

	month := owner.page(owner.get("/billing/2026-10"), http.StatusOK)
	trace, found := month.Find(`#ledger a[href^="/billing/charges/"]`).Attr("href")
	require.True(t, found)
	page := owner.page(owner.get(trace), http.StatusOK)
	assert.NotZero(t, page.Find(`a[href="/orders/`+o.ID+`"]`).Length(), "to the receipt")
	line, found := page.Find(`a[href^="/billing/invoices/` + inv.ID + `?line="]`).Attr("href")
	require.True(t, found, "and to the line")
	assert.NotZero(t, owner.page(owner.get(line), http.StatusOK).Find(`a[href="`+trace+`"]`).Length(), "and back")

	seen := finance.page(finance.get("/platform/tenants/"+owner.scope.TenantID()+strings.TrimPrefix(trace, "/billing")), http.StatusOK)
	assert.Contains(t, seen.Find("main").Text(), o.Number)
	assert.Zero(t, seen.Find(`a[href^="/orders/"]`).Length(), "finance staff see the number and not the person")
	usage := finance.page(finance.get("/platform/tenants/"+owner.scope.TenantID()+"/usage/2026-10"), http.StatusOK)
	assert.NotContains(t, usage.Find("main").Text(), "欧阳翀")
	assert.Zero(t, usage.Find(`form[action*="draft"]`).Length())
}
