package server_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

// reconciles asks for a run on the page and works it, as the server's loop does.
func (p *person) reconciles(path string) {
	t := p.site.t
	t.Helper()
	require.Equal(t, http.StatusSeeOther, p.post(path, url.Values{}).StatusCode)
	waiting := p.page(p.get(path+"?part=body"), http.StatusOK)
	every, _ := waiting.Find("#reconcile").Attr("hx-trigger")
	require.Equal(t, "every 2s", every, "the page follows the run")
	run, err := p.site.Reconcile.ActiveRun(context.Background())
	require.NoError(t, err)
	_, err = p.site.Reconcile.Await(context.Background(), run.ID)
	require.NoError(t, err)
}

func TestFinanceReconcilesAndClosesAMonth(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := site.signUp("晨光照相馆")
	b := owner.batch("三(2)班")
	o := owner.order(b, "欧阳翀", true)
	for _, charged := range []*orders.Order{o, owner.order(b, "上官婉", true)} { // the provider knows nothing of them
		owner.charge(charged, 1, october.Start().Add(9*24*time.Hour))
	}
	finance := site.staff(tenants.StaffFinance)
	const path, closing = "/platform/finance/2026-10/reconcile", "/platform/finance/2026-10/close"

	empty := finance.page(finance.get(path), http.StatusOK)
	assert.Zero(t, empty.Find("table").Length(), "nothing was compared yet")
	finance.reconciles(path)
	page := finance.page(finance.get(path), http.StatusOK)
	rows := page.Find(`tbody tr:contains("列表里没有")`)
	require.Equal(t, 2, rows.Length())
	assert.Contains(t, rows.Text(), o.Number)
	assert.NotContains(t, page.Text(), "欧阳翀", "no person is named")
	assert.Contains(t, page.Text(), "没有配置 Stripe 密钥", "what was left out is said")

	// The month has other reasons to stay open, too.
	list := finance.page(finance.get(closing), http.StatusOK)
	assert.NotZero(t, list.Find(`a[href="`+path+`?state=open"]`).Length())
	require.Equal(t, http.StatusUnprocessableEntity, finance.post(closing, url.Values{"reason": {" "}}).StatusCode)

	none := finance.page(finance.post(path+"/accept", url.Values{"reason": {"x"}}), http.StatusUnprocessableEntity)
	assert.NotZero(t, none.Find(".field-error").Length(), "nothing was chosen")
	id, _ := rows.First().Find("input").Attr("value")
	require.Equal(t, http.StatusUnprocessableEntity, finance.post(path+"/accept", url.Values{"id": {id}}).StatusCode, "a reason is needed")
	require.Equal(t, http.StatusSeeOther, finance.post(path+"/accept", url.Values{"id": {id}, "reason": {"供应商已书面确认"}}).StatusCode)
	accepted := finance.page(finance.get(path+"?state=accepted"), http.StatusOK)
	assert.Contains(t, accepted.Find("tbody tr").Text(), "顾远航 认可：供应商已书面确认")
	assert.NotZero(t, accepted.Find(`button[formaction="`+path+`/reopen"]`).Length())
	require.Equal(t, http.StatusUnprocessableEntity, finance.post(path+"/reopen", url.Values{"id": {id}, "state": {"accepted"}}).StatusCode, "a reason is needed")
	require.Equal(t, http.StatusSeeOther, finance.post(path+"/reopen", url.Values{"id": {id}, "reason": {"供应商否认"}}).StatusCode)
	taken := finance.page(finance.get(path+"?state=open"), http.StatusOK).Find("#d-" + id).Text()
	assert.Contains(t, taken, "认可：供应商已书面确认", "who accepted it stays to be read")
	assert.Contains(t, taken, "收回认可：供应商否认")
	require.Equal(t, http.StatusSeeOther, finance.post(path+"/accept", url.Values{"kind": {"not_found"}, "all": {"1"}, "reason": {"同上"}}).StatusCode)

	_, err := site.Billing.Draft(t.Context(), owner.scope, october, time.Now())
	require.NoError(t, err)
	_, err = site.Billing.Finalize(t.Context(), owner.scope, october, finance.userID, time.Now())
	require.NoError(t, err)
	finance.reconciles(path)
	require.NoError(t, site.Billing.SealDays(context.Background(), time.Now()))
	ready := finance.page(finance.get(closing), http.StatusOK)
	assert.Zero(t, ready.Find(`input[name="reason"]`).Length(), "%s", ready.Find("main").Text())
	require.Equal(t, http.StatusSeeOther, finance.post(closing, url.Values{}).StatusCode)
	require.Equal(t, http.StatusConflict, finance.post(closing, url.Values{}).StatusCode)
	closed := finance.page(finance.get(closing), http.StatusOK)
	assert.Contains(t, closed.Find("main").Text(), "由 顾远航 关账")

	present := string(billing.MonthOf(time.Now()))
	assert.Zero(t, finance.page(finance.get("/platform/finance/"+present+"/close"), http.StatusOK).Find("main form").Length(), "a month is not closed before it is over")
	require.Equal(t, http.StatusConflict, finance.post("/platform/finance/"+present+"/close", url.Values{"reason": {"x"}}).StatusCode)
}
