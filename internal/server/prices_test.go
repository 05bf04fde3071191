package server_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

// monthsAhead is the first day of a month that is not here yet.
func monthsAhead(n int) string {
	return billing.MonthOf(time.Now()).Add(n).Start().In(i18n.Zone()).Format(time.DateOnly)
}

// priced is a form of the price book with one tier; more are further fields.
func priced(from string, more ...string) url.Values {
	form := url.Values{"from": {from}, "end_open": {"1"}, "basis": {"own"}, "tier-0-price": {"10.00"}, "tax": {"6"}, "tax_mode": {"in"}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

func TestFinanceKeepsThePriceBook(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := site.signUp("晨光照相馆")
	finance := site.staff(tenants.StaffFinance)
	tenant := "/platform/tenants/" + owner.scope.TenantID() + "/prices"
	post := func(path string, form url.Values, status int) string {
		t.Helper()
		res := finance.post(path, form)
		if status == http.StatusSeeOther {
			require.Equal(t, status, res.StatusCode)
			return ""
		}
		return finance.page(res, status).Find("main").Text()
	}

	assert.Contains(t, post("/platform/prices", url.Values{"plan": {" "}}, http.StatusUnprocessableEntity), "方案名")
	require.Equal(t, "/platform/prices/%E6%A0%A1%E5%9B%AD", finance.post("/platform/prices", url.Values{"plan": {"校园"}}).Header.Get("Location"))
	post("/platform/prices/校园", priced("2026-01-01", "tier-0-price", "8"), http.StatusSeeOther)
	post(tenant, priced(monthsAhead(1), "tier-1-from", "101", "tier-1-price", "8", "own-0-type", "7", "own-0-0", "4", "own-0-1", "3.5",
		"tier_mode", "graduated", "free", "10", "minimum", "99", "tax_mode", "on"), http.StatusSeeOther)
	post(tenant, priced(monthsAhead(3), "basis", "plan", "plan", "校园"), http.StatusSeeOther)
	page := finance.page(finance.get(tenant), http.StatusOK)
	text := page.Find("main").Text()
	for _, words := range []string{"第 1 至 100 个 ¥5.00", "¥3.50", "超额累进", "每月前 10 个免费", "每月最低 ¥99.00", "另加税 6%", "按方案：校园"} {
		assert.Contains(t, text, words)
	}
	assert.Contains(t, page.Find("main").Text(), "顾远航", "the history says who")

	for field, c := range map[string]struct {
		form url.Values
		says string
	}{
		"from":           {priced(monthsAhead(3)), "重叠"},
		"until":          {priced(monthsAhead(9), "until", monthsAhead(8)), "早于"},
		"tier-0-price":   {priced(monthsAhead(9), "tier-0-price", "-1"), "不能小于 0"},
		"tier-1-from":    {priced(monthsAhead(9), "tier-1-from", "1", "tier-1-price", "5"), "依次增大"},
		"tier-1-price":   {priced(monthsAhead(9), "tier-1-from", "9", "tier-1-price", "一元"), "金额"},
		"own-0-0":        {priced(monthsAhead(9), "own-0-type", "", "own-0-0", "5"), "请选择回执类型"},
		"own-1-0":        {priced(monthsAhead(9), "own-0-type", "7", "own-0-0", "5", "own-1-type", "7", "own-1-0", "6"), "填了两次"},
		"free":           {priced(monthsAhead(9), "free", "1.5"), "整数"},
		"minimum":        {priced(monthsAhead(9), "minimum", "99999999999"), "不能大于"},
		"tax":            {priced(monthsAhead(9), "tax", "六"), "税率"},
		"plan":           {priced(monthsAhead(9), "basis", "plan", "plan", "黄金"), "没有这个方案"},
		"tier-0-price ?": {priced(monthsAhead(9), "tier-0-price", ""), "金额"},
	} {
		bad := finance.page(finance.post(tenant, c.form), http.StatusUnprocessableEntity)
		id, _, _ := strings.Cut(field, " ")
		assert.Contains(t, bad.Find("#"+id+"-note.field-error").Text(), c.says, field)
	}
	more := finance.page(finance.post(tenant, priced(monthsAhead(9), "more", "tier")), http.StatusOK)
	assert.Equal(t, 1, more.Find("#tier-1-price").Length(), "a further row, without a script")

	// What has not begun can be taken back; the price before goes on.
	withdraw, found := page.Find(`form[action$="/withdraw"]`).First().Attr("action")
	require.True(t, found)
	post(withdraw, url.Values{}, http.StatusSeeOther)
	require.Equal(t, http.StatusNotFound, finance.post(withdraw, url.Values{}).StatusCode)
	list, err := site.Billing.Prices(context.Background(), owner.scope)
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, billing.LastDay, list[0].UntilDay)

	assert.Equal(t, http.StatusNotFound, finance.get("/platform/tenants/nobody/prices").StatusCode)
	overview := finance.page(finance.get("/platform/prices?q=晨光"), http.StatusOK).Find("main").Text()
	assert.Contains(t, overview, "晨光照相馆")
	assert.Contains(t, overview, "每个回执 ¥4.00", "the plan's price")
	assert.NotContains(t, finance.page(finance.get("/platform/prices?q=100%25"), http.StatusOK).Find("#tenants tbody").Text(), "晨光照相馆", "a per cent sign is one")
}

func TestLastMonthAtOtherPrices(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner, other := site.signUp("晨光照相馆"), site.signUp("没有回执的学校")
	o := owner.order(owner.batch("三(2)班"), "欧阳翀", true)
	last := billing.MonthOf(time.Now()).Add(-1)
	owner.charge(o, 3, last.Start())
	finance := site.staff(tenants.StaffFinance)
	preview := func(path string, form url.Values) string {
		return finance.page(finance.post(path+"/preview", form), http.StatusOK).Text()
	}
	tenant := "/platform/tenants/" + owner.scope.TenantID() + "/prices"
	cheaper := preview(tenant, priced("", "tier-0-price", "8"))
	for _, words := range []string{"每个回执 ¥4.00", "3 个回执", "15.00", "12.00", "−¥3.00"} {
		assert.Contains(t, cheaper, words)
	}
	assert.Contains(t, preview(tenant, priced("", "tier-0-price", "")), "填完整后", "it is still being typed")
	assert.Contains(t, preview("/platform/tenants/"+other.scope.TenantID()+"/prices", priced("")), "没有回执")
	plan := preview("/platform/prices/standard", priced("", "tier-0-price", "12"))
	for _, words := range []string{"晨光照相馆", "+¥3.00", "另有 1 个租户"} {
		assert.Contains(t, plan, words)
	}
}

func TestAPriceOfATenantEnds(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := site.signUp("晨光照相馆")
	finance := site.staff(tenants.StaffFinance)
	tenant := "/platform/tenants/" + owner.scope.TenantID() + "/prices"
	today := time.Now().In(i18n.Zone()).Format(time.DateOnly)
	require.Equal(t, http.StatusSeeOther, finance.post(tenant, priced(today, "tier-0-price", "9.98")).StatusCode)
	end, found := finance.page(finance.get(tenant), http.StatusOK).Find(`form[action$="/end"]`).Attr("action")
	require.True(t, found)
	bad := finance.page(finance.post(end, url.Values{"until": {"2020-01-01"}}), http.StatusUnprocessableEntity)
	assert.Contains(t, bad.Find("#end-until-note").Text(), "早于")
	require.Equal(t, http.StatusSeeOther, finance.post(end, url.Values{"until": {monthsAhead(1)}}).StatusCode)
	again := finance.page(finance.post(end, url.Values{"until": {monthsAhead(2)}}), http.StatusUnprocessableEntity)
	assert.Contains(t, again.Find("#end-until-note").Text(), monthsAhead(1), "it ends earlier, never later")

	// The tenant reads in words what it pays.
	assert.Contains(t, owner.page(owner.get("/billing"), http.StatusOK).Find("main").Text(), "每个回执 ¥4.99")
}
