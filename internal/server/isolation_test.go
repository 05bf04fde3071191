package server_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/collect"
	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/server"
	"huizhi/internal/tenants"
)

// Every route of the table is called for every object of a tenant: by a foreign
// tenant's owner, who must be told that there is no such thing, and by somebody
// who has not signed in. A new route with a new kind of object fails here until
// the test knows one.
func TestNoRouteReachesAnotherTenantsRows(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	site := newTestSite(t)
	victim, stranger := site.signUp("受害照相馆"), site.signUp("陌生照相馆")

	people := victim.roster("机密名单")
	imported := victim.imported(people, "姓名,班级,学号\n保密者,一班,S001\n")
	pupil := victim.people(people)[0]
	b := victim.batch("机密批次")
	require.NoError(t, site.Orders.SetRoster(ctx, victim.scope, b.ID, people.ID, victim.userID))
	require.NoError(t, site.Collect.Begin(ctx, victim.scope, b.ID, collect.Setup{Organiser: "公开小学", Contact: "办公室", Tries: 3}, db.Now().Add(time.Hour), victim.userID))
	links, err := site.Collect.Links(ctx, victim.scope, b.ID)
	require.NoError(t, err)
	o := victim.order(b, "欧阳翀", true)
	readings, err := site.Photos.Readings(ctx, victim.scope, *o.FrontID)
	require.NoError(t, err)
	key, _, err := site.Tenants.CreateAPIKey(ctx, victim.scope, "机密密钥", false, victim.userID, db.Now())
	require.NoError(t, err)
	victim.charge(o, 1, october.Start())
	invoice, err := site.Billing.Draft(ctx, victim.scope, october, db.Now())
	require.NoError(t, err)
	made := victim.documents(invoice.ID)
	taken := victim.photoExport(people, pupil)
	ledger, err := site.Billing.Ledger(ctx, victim.scope, october, billing.Filter{}, billing.Cursor{}, 1)
	require.NoError(t, err)
	customer, err := site.Orders.OpenCustomer(ctx, victim.scope, orders.Desk{UserID: victim.userID, TypeID: b.TypeID, City: b.City}, func(string, string) string { return "机密柜台" })
	require.NoError(t, err)
	objects := map[string]string{
		"customer": customer.ID, "place": "photo",
		"roster": people.ID, "import": imported.ID, "person": pupil.ID, "photos": taken.ID,
		"export": made.export, "preset": made.preset, "fapiao": made.fapiao, "layout": "u8",
		"batch": b.ID, "order": o.ID, "id": o.ID, "picture": o.PhotoID, "reading": readings[*o.FrontID].ID, "key": key.ID, "invoice": invoice.ID, "charge": ledger.Entries[0].ID,
		// Its pages are for everybody who has it, and say nothing of a tenant's people.
		"link": site.Collect.Token(&links[0]),
		// Not objects of a tenant: any value will do.
		"file": "thumb.jpg", "month": "2026-10", "line": "1", "account": "simulator", "token": "none", "tenant": victim.scope.TenantID(),
		"plan": "standard", "price": "none", "run": "none",
	}
	secrets := []string{"机密柜台", "机密预设", "机密抬头", "欧阳翀", "110101199001011237", "机密批次", "机密密钥", "机密名单", "保密者", o.Number, b.ID, o.ID}

	operator := site.staff(tenants.StaffOperator)
	owned := map[string]bool{"batch": true, "order": true, "id": true, "picture": true, "reading": true, "key": true, "invoice": true, "charge": true, "export": true, "preset": true, "fapiao": true, "roster": true, "import": true, "person": true, "customer": true, "photos": true}
	for _, rt := range server.RoutingTable() {
		method, pattern, _ := strings.Cut(rt.Pattern, " ")
		path, names := fill(t, pattern, objects)
		t.Run(rt.Pattern, func(t *testing.T) {
			if !rt.Public {
				res := site.visitor().do(method, path, nil)
				require.Contains(t, []int{http.StatusSeeOther, http.StatusUnauthorized}, res.StatusCode, "nobody has signed in")
			}
			call := func(p *person) (int, string) {
				if method == "GET" {
					if strings.HasSuffix(path, "/events") {
						ctx, cancel := context.WithCancel(context.Background())
						defer cancel()
						req, err := http.NewRequestWithContext(ctx, "GET", site.URL+path, nil)
						require.NoError(t, err)
						res, err := p.Do(req)
						require.NoError(t, err)
						return res.StatusCode, ""
					}
					return status(t, p.get(path))
				}
				return status(t, p.post(path, url.Values{"version": {"1"}, "name": {"x"}, "front": {"x"}, "card": {"x"}, "order": {o.ID}, "orders": {o.ID}, "ids": {o.ID}, "person": {pupil.ID}, "roster": {people.ID}}))
			}
			caller := stranger
			if path == "/signout" {
				caller = site.signUp("离开的照相馆") // the stranger goes on
			}
			code, body := call(caller)
			if rt.Staff {
				require.Equal(t, http.StatusNotFound, code, "a tenant's owner on a page of the platform: %s", body)
			} else if !rt.Public && path != "/" {
				code, body := call(operator)
				require.Equal(t, http.StatusForbidden, code, "the platform's operator on a tenant's page: %s", body)
			}
			for _, secret := range secrets {
				if !strings.Contains(path, secret) { // the page's own address is in its language switch
					require.NotContains(t, body, secret)
				}
			}
			for _, n := range names {
				if owned[n] {
					require.Equal(t, http.StatusNotFound, code, "a foreign %s: %s", n, body)
					break
				}
			}
		})
	}
	after, err := site.Orders.Get(ctx, victim.scope, o.ID)
	require.NoError(t, err)
	require.Equal(t, o.Version, after.Version, "the stranger's calls changed the order")
}

func status(t *testing.T, res *http.Response) (int, string) {
	t.Helper()
	var b strings.Builder
	buf := make([]byte, 32<<10)
	for b.Len() < 1<<20 {
		n, err := res.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			break
		}
	}
	return res.StatusCode, b.String()
}

// fill puts objects into a pattern's wildcards.
func fill(t *testing.T, pattern string, objects map[string]string) (path string, names []string) {
	t.Helper()
	path = strings.TrimSuffix(pattern, "{$}")
	for {
		start := strings.Index(path, "{")
		if start < 0 {
			return path, names
		}
		end := strings.Index(path, "}")
		name := path[start+1 : end]
		value, known := objects[name]
		require.True(t, known, "the route %s names a %s, of which this test knows none: add one", pattern, name)
		names = append(names, name)
		path = path[:start] + value + path[end+1:]
	}
}

// The platform's staff have pages of their own; their first page leads there.
func TestStaffSeeThePlatform(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	operator, finance := site.staff(tenants.StaffOperator), site.staff(tenants.StaffFinance)
	home := operator.get("/")
	require.Equal(t, http.StatusSeeOther, home.StatusCode)
	require.Equal(t, "/platform/provider", home.Header.Get("Location"))
	require.Equal(t, "/platform/finance", finance.get("/").Header.Get("Location"))
	for _, rt := range server.RoutingTable() {
		method, path, _ := strings.Cut(rt.Pattern, " ")
		if !rt.Staff || method != "GET" || strings.Contains(path, "{") {
			continue
		}
		if rt.Can == string(tenants.CanAccount) { // money is not the operator's
			require.Equal(t, http.StatusForbidden, operator.get(path).StatusCode)
			require.Equal(t, http.StatusOK, finance.get(path).StatusCode)
			continue
		}
		for name, p := range map[string]*person{"operator": operator, "finance": finance} {
			page := p.page(p.get(path), http.StatusOK)
			require.Zero(t, page.Find(`nav a[href="/batches"], form[action="/orders/search"]`).Length(), "%s at %s has a tenant's navigation", name, path)
			require.NotZero(t, page.Find(`nav a[href="/platform/catalogue"]`).Length())
		}
	}
}

// A role sees what its table grants and nothing else.
func TestRolesSeeOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := site.signUp("晨光照相馆")
	b := owner.batch("批次")
	o := owner.order(b, "欧阳翀", true)
	finance, operator := owner.member(tenants.RoleFinance), owner.member(tenants.RoleOperator)
	for _, path := range []string{"/batches", "/batches/" + b.ID, "/orders", "/orders/" + o.ID, "/pictures/" + o.PhotoID + "/thumb.jpg", "/settings",
		"/counter", "/counter/events", "/counter/x/slip", "/rosters", "/rosters/x/board", "/rosters/x/people", "/rosters/x/retakes", "/rosters/x/exports", "/rosters/x/cards",
		"/batches/" + b.ID + "/collection", "/batches/" + b.ID + "/collection/missing.csv", "/batches/" + b.ID + "/review", "/orders/" + o.ID + "/retake",
		"/receipts/validity", "/receipts/validity.csv"} {
		require.Equal(t, http.StatusForbidden, finance.get(path).StatusCode, "finance at %s", path)
	}
	for _, path := range []string{"/counter/customers", "/batches/" + b.ID + "/collection", "/orders/" + o.ID + "/retake", "/orders/" + o.ID + "/confirm", "/rosters/x/exports"} {
		require.Equal(t, http.StatusForbidden, finance.post(path, url.Values{}).StatusCode, "finance at %s", path)
	}
	require.Equal(t, http.StatusOK, finance.get("/billing").StatusCode)
	for _, path := range []string{"/billing", "/settings"} {
		require.Equal(t, http.StatusForbidden, operator.get(path).StatusCode, "operator at %s", path)
	}
	require.Equal(t, http.StatusOK, operator.get("/orders/"+o.ID).StatusCode)
}
