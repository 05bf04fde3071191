package server_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
)

// The operator reads what the provider offers, and what changed since it last
// offered something else.
func TestCatalogueShowsWhatChanged(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	site := newTestSite(t)
	operator := site.staff(tenants.StaffOperator)
	_, err := site.DB.NewRaw("INSERT INTO catalogue_versions (provider, version, sha256, types, fetched_at, seen_at) VALUES (?, 1, 'old', ?, ?, ?)",
		site.Orders.Account, `[{"ID": 1, "Name": "旧身份证相片", "RequiredFields": ["city"], "Guide": {"city": {"Label": "办证地区", "Cities": [{"Name": "广东省", "Cities": ["深圳市", "旧城市"]}]}}},
		{"ID": 99, "Name": "停办的相片", "RequiredFields": ["city"], "Guide": {}}]`, db.Now().Add(-time.Hour), db.Now()).Exec(ctx)
	require.NoError(t, err)
	require.NoError(t, site.Orders.SyncCatalogue(ctx))
	types, err := site.Orders.Types(ctx)
	require.NoError(t, err)

	page := operator.page(operator.get("/platform/catalogue"), http.StatusOK)
	require.Equal(t, len(types), page.Find("table tbody tr").Length(), "every type of today")
	text := page.Find("main").Text()
	for _, want := range []string{"customer_id_card", "改名，原来叫：旧身份证相片", "取消地区：广东省 旧城市", "停办的相片", "2 种回执"} {
		require.Contains(t, text, want)
	}
}

// The operator sees how it goes, tells the balance, and lifts a stop; finance sees
// the same and changes nothing.
func TestProviderHealth(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	site := newTestSite(t)
	operator, finance := site.staff(tenants.StaffOperator), site.staff(tenants.StaffFinance)
	require.NoError(t, site.Orders.SyncCatalogue(ctx))
	page := operator.page(operator.get("/platform/provider"), http.StatusOK)
	require.Contains(t, page.Find("h1").Text(), "正常")
	require.Contains(t, page.Find("main").Text(), "还没有填过余额")
	require.NotZero(t, page.Find(`#provider[hx-get]`).Length(), "an open page keeps itself fresh")
	require.Equal(t, 2*2, page.Find(`.chart svg[role="img"]`).Length(), "each once for a screen and once for a phone")
	part := operator.page(operator.get("/platform/provider?part=body"), http.StatusOK)
	require.Zero(t, part.Find("nav").Length())
	require.Zero(t, part.Find("form").Length(), "what is being typed is never replaced")

	refused := operator.page(operator.post("/platform/provider/balance", url.Values{"points": {"many"}}), http.StatusUnprocessableEntity)
	require.Equal(t, "many", refused.Find(`input[name="points"]`).AttrOr("value", ""))
	require.Equal(t, 1, refused.Find(".field-error").Length())
	require.Equal(t, http.StatusSeeOther, operator.post("/platform/provider/balance", url.Values{"points": {"120,000"}}).StatusCode)
	page = operator.page(operator.get("/platform/provider"), http.StatusOK)
	require.Contains(t, page.Find("main").Text(), "120,000 点")
	require.Contains(t, page.Find("main").Text(), "顾远航填报")

	seen := finance.page(finance.get("/platform/provider"), http.StatusOK)
	require.Zero(t, seen.Find("main form").Length())
	require.Equal(t, http.StatusForbidden, finance.post("/platform/provider/balance", url.Values{"points": {"1"}}).StatusCode)
	require.Equal(t, http.StatusForbidden, finance.post("/platform/provider/resume", nil).StatusCode)
}

func TestAStopIsExplainedAndLifted(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	site := newTestSite(t)
	operator := site.staff(tenants.StaffOperator)
	_, err := site.DB.NewRaw("INSERT INTO provider_accounts (id, stop_key, stopped_at, probe_at, probes, failures, trial) VALUES (?, ?, ?, ?, 3, 0, ?)",
		site.Orders.Account, orders.StopBalance, db.Now().Add(-time.Hour), db.Now().Add(time.Minute), false).Exec(ctx)
	require.NoError(t, err)
	page := operator.page(operator.get("/platform/provider"), http.StatusOK)
	text := page.Find("#provider").Text()
	for _, want := range []string{"全部租户的提交已暂停", "上游账号点数不足", "已试 3 次", "不会重复扣费"} {
		require.Contains(t, text, want)
	}
	clerk := site.signUp("晨光照相馆")
	note := clerk.page(clerk.get("/orders"), http.StatusOK).Find("#paused").Text()
	require.Contains(t, note, "恢复后自动继续", "who waits for orders is told why they do not move")
	require.NotContains(t, note, "点数", "the operator's account is not the tenants' business")
	require.Zero(t, clerk.page(clerk.get("/settings"), http.StatusOK).Find("#paused").Length())

	require.Equal(t, http.StatusSeeOther, operator.post(page.Find(`form[action$="/resume"]`).AttrOr("action", ""), nil).StatusCode)
	page = operator.page(operator.get("/platform/provider"), http.StatusOK)
	require.Contains(t, page.Find("#provider").Text(), "正在试着恢复")
	require.Contains(t, page.Find("main").Text(), "由顾远航恢复")
	require.Zero(t, clerk.page(clerk.get("/orders"), http.StatusOK).Find("#paused").Length())
}

// What somebody did at the command line is not said to be the system's doing.
func TestCommandsAreNamedWithWhoGaveThem(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	site := newTestSite(t)
	require.NoError(t, site.Orders.SetBalance(ctx, 120_000, tenants.CommandActor("deploy")))
	operator := site.staff(tenants.StaffOperator)
	require.Contains(t, operator.page(operator.get("/platform/provider"), http.StatusOK).Find("main").Text(), "运维命令行（deploy）填报 120,000 点")

	p := site.signUp("晨光照相馆")
	_, _, err := site.Tenants.CreateAPIKey(ctx, p.scope, "自助机", false, tenants.CommandActor("deploy"), db.Now())
	require.NoError(t, err)
	require.Contains(t, p.page(p.get("/settings/keys"), http.StatusOK).Find("main").Text(), "运维命令行（deploy）")
}

// The operator reads whom the provider refused last, and why; the page fits a phone
// and its charts match their legend.
func TestTheLastRefusalsAreListed(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	site.Simulator.SetFaults(simulator.Faults{List: []simulator.Fault{{Op: simulator.OpSubmit, Kind: simulator.Code, Code: 1007, Calls: []int{1}}}})
	site.work()
	p := site.signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	p.submit(o)
	p.await(o, orders.StatusRejected)
	operator := site.staff(tenants.StaffOperator)
	page := operator.page(operator.get("/platform/provider"), http.StatusOK)
	line := page.Find("#refusals li").Text()
	for _, want := range []string{"1007", "身份证号", "晨光照相馆", o.Number} {
		require.Contains(t, line, want)
	}
	require.NotContains(t, page.Find("main").Text(), "欧阳翀", "nobody's name")
	require.Zero(t, page.Find(".chart .fill-base-content").Length(), "no bar has a colour that the legend lacks")
	require.Contains(t, page.Find("td .md\\:hidden").Text(), "p95", "what has no column on a phone has a line")
}
