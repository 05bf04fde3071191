package server_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"huizhi/internal/billing"
	"huizhi/internal/billing/exports"
	"huizhi/internal/billing/fapiao"
	"huizhi/internal/db"
	"huizhi/internal/exportjobs"
	"huizhi/internal/tenants"
)

// documents are ids of what a tenant's finance staff have made.
type documents struct{ export, preset, fapiao string }

// documents makes an export, a preset, and a fapiao for the month of an invoice,
// which becomes final.
func (p *person) documents(invoice string) documents {
	t, ctx, now := p.site.t, context.Background(), db.Now()
	t.Helper()
	_, err := p.site.Billing.Finalize(ctx, p.scope, october, p.userID, now)
	require.NoError(t, err)
	party := exports.Member(p.scope, p.userID)
	req := exports.Request{Grain: exports.Receipts, Format: billing.CSV, From: october, Until: october}
	e, err := p.site.Exports.Start(ctx, party, req, now)
	require.NoError(t, err)
	preset, err := p.site.Exports.SavePreset(ctx, party, "机密预设", req, now)
	require.NoError(t, err)
	require.NoError(t, p.site.Fapiao.SaveProfile(ctx, p.scope, fapiao.Profile{Kind: fapiao.Ordinary, Title: "机密抬头", TaxID: "91350100M000100Y43"}, p.userID, now))
	rest, err := p.site.Fapiao.Rest(ctx, p.scope, invoice)
	require.NoError(t, err)
	f, err := p.site.Fapiao.Request(ctx, p.scope, invoice, fapiao.NewRequest{Fen: 100, Kind: fapiao.Ordinary, Rest: rest}, p.userID, now)
	require.NoError(t, err)
	return documents{e.ID, preset.ID, f.ID}
}

// finalOctober is a tenant with three receipts on a final invoice.
func finalOctober(t *testing.T, site *testSite) *person {
	t.Helper()
	owner := site.signUp("晨光照相馆")
	o := owner.order(owner.batch("三(2)班"), "欧阳翀", true)
	owner.charge(o, 3, october.Start().Add(9*24*time.Hour))
	_, err := site.Billing.Draft(context.Background(), owner.scope, october, db.Now())
	require.NoError(t, err)
	_, err = site.Billing.Finalize(context.Background(), owner.scope, october, owner.userID, db.Now())
	require.NoError(t, err)
	return owner
}

func TestATenantExportsAMonthAndAYear(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	finance := finalOctober(t, site).member(tenants.RoleFinance)

	page := finance.page(finance.get("/billing/exports?grain=receipts&from=2026-01&until=2026-10"), http.StatusOK)
	assert.Contains(t, page.Find("#preview").Text(), "3 个回执")
	count := finance.page(finance.get("/billing/exports/preview?grain=receipts&format=csv&from=2026-01&until=2026-09", "HX-Request", "true"), http.StatusOK)
	assert.Contains(t, count.Find("#preview").Text(), "没有内容")
	assert.Zero(t, count.Find("main").Length())

	year := url.Values{"grain": {"receipts"}, "format": {"csv"}, "from": {"2026-01"}, "until": {"2026-10"}, "column": {"order", "amount"}}
	file, header := download(t, finance.post("/billing/exports", year))
	assert.Equal(t, "text/csv; charset=utf-8", header.Get("Content-Type"))
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\uFEFF")))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 4)
	assert.Equal(t, []string{"订单号", "金额（元）"}, rows[0], "the columns that were chosen")
	assert.NotContains(t, string(file), "欧阳翀")

	year.Set("format", "xlsx")
	year.Set("grain", "invoices")
	year.Del("column")
	file, _ = download(t, finance.post("/billing/exports", year))
	book, err := excelize.OpenReader(bytes.NewReader(file))
	require.NoError(t, err)
	defer book.Close()
	sheet, err := book.GetRows(book.GetSheetName(0))
	require.NoError(t, err)
	require.Len(t, sheet, 2)
	assert.Equal(t, []string{"晨光照相馆", "INV2026-000001", "2026-10", "已定稿"}, sheet[1][:4])

	statement := url.Values{"grain": {"statement"}, "format": {"pdf"}, "from": {"2026-10"}, "until": {"2026-11"}}
	file, header = download(t, finance.post("/billing/exports", statement))
	assert.Equal(t, "application/pdf", header.Get("Content-Type"))
	assert.True(t, bytes.HasPrefix(file, []byte("%PDF-")))

	empty := finance.page(finance.post("/billing/exports", url.Values{"grain": {"lines"}, "format": {"csv"}, "from": {"2026-01"}, "until": {"2026-02"}}), http.StatusUnprocessableEntity)
	assert.Contains(t, empty.Find(".field-error").Text(), "没有内容")
	backwards := finance.page(finance.post("/billing/exports", url.Values{"grain": {"lines"}, "format": {"csv"}, "from": {"2026-02"}, "until": {"2026-01"}}), http.StatusUnprocessableEntity)
	assert.Contains(t, backwards.Find(".field-error").Text(), "早于")
	assert.Equal(t, http.StatusNotFound, finance.get("/billing/exports?grain=vouchers").StatusCode, "vouchers are the platform's")
}

func TestALargeExportIsMadeInTheBackground(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	site := newTestSite(t)
	owner := finalOctober(t, site)
	e, err := site.Exports.Start(ctx, exports.Member(owner.scope, owner.userID), exports.Request{Grain: exports.Receipts, Format: billing.CSV, From: october, Until: october}, db.Now())
	require.NoError(t, err)
	waiting := owner.page(owner.get("/billing/exports"), http.StatusOK)
	assert.Equal(t, "every 1s", waiting.Find("#exports").AttrOr("hx-trigger", ""), "the list asks for itself while something is made")
	file := "/billing/exports/" + e.ID + "/file"
	assert.Equal(t, http.StatusNotFound, owner.get(file).StatusCode)

	require.NoError(t, site.ExportJobs.Make(ctx, e.Owner, e.ID, db.Now()))
	require.NoError(t, site.ExportJobs.Make(ctx, e.Owner, e.ID, db.Now()), "a job that runs again changes nothing")
	done := owner.page(owner.get("/billing/exports/list", "HX-Request", "true"), http.StatusOK)
	assert.Equal(t, file, done.Find("#exports a").AttrOr("href", ""))
	assert.Empty(t, done.Find("#exports").AttrOr("hx-trigger", ""), "and no longer")
	body, _ := download(t, owner.get(file))
	assert.Equal(t, 4, strings.Count(string(body), "\r\n"))

	require.NoError(t, site.ExportJobs.Expire(ctx, db.Now().Add(exportjobs.Keep+time.Minute)))
	assert.Equal(t, http.StatusNotFound, owner.get(file).StatusCode, "the file is gone")
	assert.Contains(t, owner.page(owner.get("/billing/exports"), http.StatusOK).Find("#exports").Text(), "已过期")
}

func TestPresetsFillTheForm(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := finalOctober(t, site)
	res := owner.post("/billing/exports/presets", url.Values{"grain": {"receipts"}, "format": {"xlsx"}, "from": {"2026-09"}, "until": {"2026-10"}, "column": {"order"}, "name": {"给会计"}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	page := owner.page(owner.get(res.Header.Get("Location")), http.StatusOK)
	assert.Equal(t, "2026-09", page.Find("#from").AttrOr("value", ""))
	assert.Equal(t, 1, page.Find(`input[name="column"][checked]`).Length())
	assert.Contains(t, page.Find("main").Text(), "给会计")
	colleague := owner.member(tenants.RoleFinance)
	assert.NotContains(t, colleague.page(colleague.get("/billing/exports"), http.StatusOK).Find("main").Text(), "给会计", "a preset is its owner's")
	remove, found := page.Find(`form[action$="/delete"]`).Attr("action")
	require.True(t, found)
	assert.Equal(t, http.StatusNotFound, colleague.post(remove, url.Values{}).StatusCode)
	require.Equal(t, http.StatusSeeOther, owner.post(remove, url.Values{}).StatusCode)
	nameless := owner.page(owner.post("/billing/exports/presets", url.Values{"grain": {"receipts"}, "format": {"xlsx"}, "from": {"2026-10"}, "until": {"2026-10"}}), http.StatusUnprocessableEntity)
	assert.NotZero(t, nameless.Find("#name-note.field-error").Length())
}

func TestStaffExportVouchersByALayoutTheyChange(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	finalOctober(t, site)
	finance := site.staff(tenants.StaffFinance)
	month := string(billing.MonthOf(db.Now())) // the invoice became final now

	page := finance.page(finance.get("/platform/vouchers?layout=kis&month="+month), http.StatusOK)
	assert.Equal(t, 3, page.Find("#voucher-preview tbody tr").Length())
	form := url.Values{}
	for _, field := range page.Find("#layout input").EachIter() {
		form.Set(field.AttrOr("name", ""), field.AttrOr("value", ""))
	}
	form.Set("columns", page.Find("textarea").Text())
	form.Set("code.revenue", "600101")
	preview := finance.page(finance.post("/platform/vouchers/kis/preview", form, "HX-Request", "true"), http.StatusOK)
	assert.Contains(t, preview.Find("#voucher-preview").Text(), "600101")
	require.Equal(t, http.StatusSeeOther, finance.post("/platform/vouchers/kis", form).StatusCode)
	file, _ := download(t, finance.post("/platform/exports", url.Values{"grain": {"vouchers"}, "layout": {"kis"}, "format": {"csv"}, "from": {month}, "until": {month}}))
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\uFEFF")))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 4)
	assert.Equal(t, []string{"日期", "凭证字", "凭证号"}, rows[0][:3])
	assert.Equal(t, "600101", rows[2][5], "a program reads the code as it is")

	form.Set("columns", "日期 = nothing")
	bad := finance.page(finance.post("/platform/vouchers/kis", form), http.StatusUnprocessableEntity)
	assert.Contains(t, bad.Find("#columns-note").Text(), "第 1 行")
	assert.Contains(t, bad.Find("textarea").Text(), "nothing", "what was typed is still there")
	require.Equal(t, http.StatusSeeOther, finance.post("/platform/vouchers/kis/reset", url.Values{}).StatusCode)
	assert.Equal(t, "6001", finance.page(finance.get("/platform/vouchers?layout=kis"), http.StatusOK).Find("#code-revenue").AttrOr("value", ""))
	one := finance.page(finance.post("/platform/exports", url.Values{"grain": {"statement"}, "format": {"pdf"}, "from": {month}, "until": {month}}), http.StatusUnprocessableEntity)
	assert.Contains(t, one.Find("#tenant-note").Text(), "请选择", "a statement is of one tenant")
}

// sendForm sends a form with a file.
func (p *person) sendForm(path string, fields map[string]string, content string) *http.Response {
	t := p.site.t
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range fields {
		require.NoError(t, w.WriteField(name, value))
	}
	if content != "" {
		part, err := w.CreateFormFile("file", "发票.pdf")
		require.NoError(t, err)
		_, err = io.WriteString(part, content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return p.do("POST", path, &body, "Content-Type", w.FormDataContentType())
}

func TestATenantAsksForAFapiaoAndStaffIssueIt(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := finalOctober(t, site)
	finance, today := site.staff(tenants.StaffFinance), billing.DayOf(db.Now())

	page := owner.page(owner.get("/billing/fapiao"), http.StatusOK)
	assert.Contains(t, page.Find("main").Text(), "账单不是发票")
	assert.Zero(t, page.Find(`form[action$="/fapiao"]`).Length(), "first the profile")
	wrong := owner.page(owner.post("/billing/fapiao/profile", url.Values{"kind": {"ordinary"}, "title": {"晨光公司"}, "tax_id": {"91350100M000100Y44"}}), http.StatusUnprocessableEntity)
	assert.Contains(t, wrong.Find("#tax_id-note").Text(), "校验位")
	require.Equal(t, http.StatusSeeOther, owner.post("/billing/fapiao/profile", url.Values{"kind": {"ordinary"}, "title": {"晨光公司"}, "tax_id": {"91350100M000100Y43"}}).StatusCode)

	page = owner.page(owner.get("/billing/fapiao"), http.StatusOK)
	ask, found := page.Find(`form[action$="/fapiao"]`).Attr("action")
	require.True(t, found)
	rest := page.Find(`input[name="rest"]`).AttrOr("value", "")
	over := owner.page(owner.post(ask, url.Values{"rest": {rest}, "fen": {"15.01"}, "kind": {"ordinary"}}), http.StatusUnprocessableEntity)
	assert.NotZero(t, over.Find(".field-error").Length())
	require.Equal(t, http.StatusSeeOther, owner.post(ask, url.Values{"rest": {rest}, "fen": {"15.00"}, "kind": {"special"}}).StatusCode)

	list := finance.page(finance.get("/platform/fapiao"), http.StatusOK)
	one, found := list.Find("tbody a").Attr("href")
	require.True(t, found)
	noFile := finance.page(finance.sendForm(one+"/issue", map[string]string{"number": "26442000000012345678", "day": today}, "hello"), http.StatusUnprocessableEntity)
	assert.Contains(t, noFile.Find("#issue-file-note").Text(), "PDF")
	require.Equal(t, http.StatusSeeOther, finance.sendForm(one+"/issue", map[string]string{"number": "26442000000012345678", "day": today}, "%PDF-1.7 x").StatusCode)
	assert.Equal(t, http.StatusConflict, finance.post(one+"/reject", url.Values{"reason": {"x"}}).StatusCode)

	page = owner.page(owner.get("/billing/fapiao"), http.StatusOK)
	assert.Contains(t, page.Find("main").Text(), "26442000000012345678")
	file, found := page.Find("a[download]").Attr("href")
	require.True(t, found)
	body, header := download(t, owner.get(file))
	assert.Equal(t, "%PDF-1.7 x", string(body))
	assert.Equal(t, "application/pdf", header.Get("Content-Type"))

	require.Equal(t, http.StatusSeeOther, finance.sendForm(one+"/reverse", map[string]string{"number": "26442000000099999999", "day": today, "reason": "抬头有误"}, "").StatusCode)
	page = owner.page(owner.get("/billing/fapiao"), http.StatusOK)
	assert.Contains(t, page.Find("main").Text(), "红字发票")
	assert.Contains(t, page.Find("main").Text(), "红冲 26442000000012345678")
	assert.NotZero(t, page.Find(`form[action$="/fapiao"]`).Length(), "its amount can be asked for again")
}
