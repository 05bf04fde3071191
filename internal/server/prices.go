package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/priceview"
	"huizhi/web/templates/ui"
)

// priceRoutes are the pages on which the platform's finance staff keep the price
// book, of plans and of single tenants.
func (s *Server) priceRoutes() []route {
	account := staff(tenants.CanAccount)
	return []route{
		{"GET /platform/prices", account, s.priceOverview},
		{"POST /platform/prices", account, s.namePlan},
		{"GET /platform/prices/{plan}", account, s.onShelf(s.editPrices)},
		{"POST /platform/prices/{plan}", account, s.onShelf(s.addPrice)},
		{"POST /platform/prices/{plan}/preview", account, s.onShelf(s.previewPrice)},
		{"POST /platform/prices/{plan}/{price}/withdraw", account, s.onShelf(s.withdrawPrice)},
		{"GET /platform/tenants/{tenant}/prices", account, s.onShelf(s.editPrices)},
		{"POST /platform/tenants/{tenant}/prices", account, s.onShelf(s.addPrice)},
		{"POST /platform/tenants/{tenant}/prices/preview", account, s.onShelf(s.previewPrice)},
		{"POST /platform/tenants/{tenant}/prices/{price}/withdraw", account, s.onShelf(s.withdrawPrice)},
		{"POST /platform/tenants/{tenant}/prices/{price}/end", account, s.onShelf(s.endPrice)},
	}
}

// bookkeeping is why the price book is worked on over all tenants.
var bookkeeping = tenants.AllTenants("the platform's finance staff keep everybody's prices")

const accountsPerPage = 50

func planURL(plan string) string { return "/platform/prices/" + url.PathEscape(plan) }

func tenantPricesURL(tenant string) string {
	return "/platform/tenants/" + url.PathEscape(tenant) + "/prices"
}

// priceOverview lists the plans, and the tenants with what each pays today.
func (s *Server) priceOverview(w http.ResponseWriter, r *http.Request) error {
	return s.renderOverview(w, r, http.StatusOK, "", nil)
}

func (s *Server) renderOverview(w http.ResponseWriter, r *http.Request, status int, plan string, failed map[string]string) error {
	ctx, now := r.Context(), db.Now()
	match, after := r.URL.Query().Get("q"), r.URL.Query().Get("after")
	plans, err := s.Billing.Plans(ctx, bookkeeping, now)
	if err != nil {
		return err
	}
	accounts, next, err := s.Billing.Accounts(ctx, bookkeeping, match, after, accountsPerPage, now)
	if err != nil {
		return err
	}
	names, err := s.typeNames(ctx)
	if err != nil {
		return err
	}
	m := priceview.OverviewModel{Query: match, PlanName: plan, PlanError: failed["plan"]}
	page := func(after string) string {
		return "/platform/prices?" + url.Values{"q": {match}, "after": {after}}.Encode() + "#tenants"
	}
	if after != "" {
		m.First = page("")
	}
	if next != "" {
		m.Next = page(next)
	}
	for _, p := range plans {
		m.Plans = append(m.Plans, priceview.PlanRow{Name: p.Plan, Href: planURL(p.Plan), Now: termsModel(p.Terms, names), Tenants: p.Tenants})
	}
	for _, a := range accounts {
		row := priceview.TenantRow{Name: a.Name, Href: tenantPricesURL(a.TenantID), Plan: a.Plan, Now: termsModel(a.Terms, names), Wallet: staffWalletURL(a.TenantID)}
		if a.Wallet != nil {
			row.Mode, row.FreeFen, row.Low = string(a.Wallet.Mode), a.Wallet.FreeFen(), a.Wallet.Low()
		}
		m.Tenants = append(m.Tenants, row)
	}
	return s.render(w, r, status, priceview.OverviewPage(s.chrome(r, layout.NavPrices), m))
}

// namePlan goes to the page of a plan, which exists with its first price.
func (s *Server) namePlan(w http.ResponseWriter, r *http.Request) error {
	plan := r.PostFormValue("plan")
	if fields, ok := fieldErrors(r, billing.CheckPlanName(plan)); ok {
		return s.renderOverview(w, r, http.StatusUnprocessableEntity, plan, fields)
	}
	return redirect(w, r, planURL(plan))
}

// shelf is whose prices a page is about: a plan's or a tenant's.
type shelf struct {
	plan   string
	tenant *tenants.Tenant // nil for a plan's
	scope  tenants.Scope   // of the tenant
	url    string
}

// onShelf finds the plan or the tenant of the address.
func (s *Server) onShelf(handle func(http.ResponseWriter, *http.Request, shelf) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if plan := r.PathValue("plan"); plan != "" {
			if billing.CheckPlanName(plan) != nil {
				return apperr.New(apperr.NotFound, "error.not_found")
			}
			return handle(w, r, shelf{plan: plan, url: planURL(plan)})
		}
		t, err := s.tenantOf(r)
		if err != nil {
			return err
		}
		return handle(w, r, shelf{tenant: t, scope: tenants.ForTenant(t.ID), url: tenantPricesURL(t.ID)})
	}
}

// tenantOf is the tenant that a page of the platform's staff is about.
func (s *Server) tenantOf(r *http.Request) (*tenants.Tenant, error) {
	t, err := s.Tenants.Get(r.Context(), tenants.ForTenant(r.PathValue("tenant")))
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.not_found")
	}
	return t, err
}

func (s *Server) editPrices(w http.ResponseWriter, r *http.Request, sh shelf) error {
	f, err := s.firstForm(r.Context(), sh, db.Now())
	if err != nil {
		return err
	}
	return s.renderPrices(w, r, http.StatusOK, sh, f, nil)
}

// addPrice adds the price, or shows the form again: with what is wrong with it, or
// with the further row that was asked for.
func (s *Server) addPrice(w http.ResponseWriter, r *http.Request, sh shelf) error {
	f := readForm(r)
	if more := r.PostFormValue("more"); more != "" {
		f.grow(more)
		return s.renderPrices(w, r, http.StatusOK, sh, f, nil)
	}
	actor, now := identity(r).User.ID, db.Now()
	n, err := f.price(sh.tenant != nil)
	switch {
	case err != nil:
	case sh.tenant != nil:
		_, err = s.Billing.AddPrice(r.Context(), sh.scope, n, actor, now)
	default:
		_, err = s.Billing.AddPlanPrice(r.Context(), bookkeeping, sh.plan, n, actor, now)
	}
	if fields, ok := fieldErrors(r, err); ok {
		return s.renderPrices(w, r, http.StatusUnprocessableEntity, sh, f, fields)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, sh.url)
}

func (s *Server) withdrawPrice(w http.ResponseWriter, r *http.Request, sh shelf) error {
	actor, now, id := identity(r).User.ID, db.Now(), r.PathValue("price")
	var err error
	if sh.tenant != nil {
		err = s.Billing.WithdrawPrice(r.Context(), sh.scope, id, actor, now)
	} else {
		err = s.Billing.WithdrawPlanPrice(r.Context(), bookkeeping, sh.plan, id, actor, now)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, sh.url)
}

func (s *Server) endPrice(w http.ResponseWriter, r *http.Request, sh shelf) error {
	err := s.Billing.EndPrice(r.Context(), sh.scope, r.PathValue("price"), r.PostFormValue("until"), identity(r).User.ID, db.Now())
	if fields, ok := fieldErrors(r, err); ok {
		f, err := s.firstForm(r.Context(), sh, db.Now())
		if err != nil {
			return err
		}
		return s.renderPrices(w, r, http.StatusUnprocessableEntity, sh, f, map[string]string{"end": fields["until"]})
	}
	if err != nil {
		return err
	}
	return redirect(w, r, sh.url)
}

// renderPrices shows the prices with the form as it was typed.
func (s *Server) renderPrices(w http.ResponseWriter, r *http.Request, status int, sh shelf, f *priceForm, failed map[string]string) error {
	ctx, now := r.Context(), db.Now()
	list, changes, err := s.shelved(ctx, sh)
	if err != nil {
		return err
	}
	types, err := s.Orders.Types(ctx)
	if err != nil {
		return err
	}
	names := namesOf(types)
	who, err := s.pricedBy(ctx, list, changes)
	if err != nil {
		return err
	}
	m := priceview.EditorModel{Title: i18n.T(ctx, "price.of_plan", "plan", planTitle(ctx, sh.plan)), Tenant: sh.tenant != nil}
	if sh.tenant != nil {
		m.Title, m.Tabs = sh.tenant.Name, tenantTabs(ctx, sh.tenant.ID, "prices")
	}
	today := now.In(i18n.Zone()).Format(time.DateOnly)
	for i, p := range list {
		e := priceview.Entry{From: dayTime(p.FromDay), Until: dayTime(p.UntilDay), Plan: p.Plan, Terms: *termsModel(&p.Terms, names), State: "now", By: who[p.CreatedBy], At: p.CreatedAt}
		switch {
		case p.UntilDay < today:
			e.State = "past"
		case p.FromDay > today:
			e.State = "future"
			if sh.tenant != nil || i < len(list)-1 { // a plan keeps its first
				e.Withdraw = sh.url + "/" + url.PathEscape(p.ID) + "/withdraw"
			}
		}
		if sh.tenant != nil && e.State == "now" {
			m.End = &priceview.EndForm{Action: sh.url + "/" + url.PathEscape(p.ID) + "/end", Value: today, Error: failed["end"]}
			if p.UntilDay != billing.LastDay {
				m.End.Most = p.UntilDay
			}
		}
		m.Entries = append(m.Entries, e)
	}
	for _, c := range changes {
		m.Changes = append(m.Changes, priceview.Change{Action: c.Action, From: dayTime(c.FromDay), Until: dayTime(c.UntilDay), Plan: c.Follows,
			Terms: *termsModel(&c.Terms, names), By: who[c.Actor], At: c.At})
	}
	if m.Form, err = s.formModel(ctx, sh, f, types, failed); err != nil {
		return err
	}
	if m.Form.Preview, err = s.preview(r, sh, f, names, now); err != nil {
		return err
	}
	return s.render(w, r, status, priceview.EditorPage(s.chrome(r, layout.NavPrices), m))
}

// shelved reads the prices, newest first, and their history.
func (s *Server) shelved(ctx context.Context, sh shelf) (list []billing.TenantPrice, changes []billing.PriceChange, err error) {
	if sh.tenant != nil {
		if list, err = s.Billing.Prices(ctx, sh.scope); err == nil {
			changes, err = s.Billing.PriceChanges(ctx, sh.scope)
		}
		return list, changes, err
	}
	plans, err := s.Billing.PlanPrices(ctx, bookkeeping)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range plans {
		if p.Plan == sh.plan {
			list = append(list, billing.TenantPrice{Price: p.Price})
		}
	}
	changes, err = s.Billing.PlanPriceChanges(ctx, bookkeeping, sh.plan)
	return list, changes, err
}

// pricedBy names those who made and changed prices.
func (s *Server) pricedBy(ctx context.Context, list []billing.TenantPrice, changes []billing.PriceChange) (map[string]string, error) {
	var ids []string
	for _, p := range list {
		ids = append(ids, p.CreatedBy)
	}
	for _, c := range changes {
		ids = append(ids, c.Actor)
	}
	slices.Sort(ids)
	return s.Auth.Names(ctx, slices.Compact(ids)...)
}

// tenantTabs are the pages of the platform's finance staff about one tenant.
func tenantTabs(ctx context.Context, tenant, current string) []ui.Tab {
	return []ui.Tab{
		{Label: i18n.T(ctx, "price.tab"), Href: tenantPricesURL(tenant), Current: current == "prices"},
		{Label: i18n.T(ctx, "wallet.title"), Href: staffWalletURL(tenant), Current: current == "wallet"},
	}
}

// planTitle is a plan's name as people call it.
func planTitle(ctx context.Context, plan string) string {
	if plan == billing.StandardPlan {
		return i18n.T(ctx, "price.standard")
	}
	return plan
}

// dayTime is a day of the price book as a time; the days without a beginning and
// without an end are zero.
func dayTime(day string) time.Time {
	if day == billing.FirstDay || day == billing.LastDay {
		return time.Time{}
	}
	at, err := time.ParseInLocation(time.DateOnly, day, i18n.Zone())
	if err != nil {
		return time.Time{}
	}
	return at
}

// typeNames are the receipt types' names by id.
func (s *Server) typeNames(ctx context.Context) (map[int]string, error) {
	types, err := s.Orders.Types(ctx)
	return namesOf(types), err
}

func namesOf(types []providers.Type) map[int]string {
	out := make(map[int]string, len(types))
	for _, t := range types {
		out[t.ID] = t.Name
	}
	return out
}

// termsModel shows terms; a type that the catalogue does not know any more has its
// number.
func termsModel(t *billing.Terms, names map[int]string) *priceview.Terms {
	if t == nil {
		return nil
	}
	out := &priceview.Terms{Graduated: t.Graduated, Free: t.Free, MinimumFen: t.MinimumFen, TaxBP: t.TaxBP, TaxIncluded: t.TaxIncluded}
	for _, tier := range t.Tiers {
		view := priceview.Tier{From: tier.After + 1, UnitFen: tier.UnitFen(0, providers.PointsPerReceipt)}
		for _, id := range sortedTypes(tier) {
			name := names[id]
			if name == "" {
				name = fmt.Sprint("#", id)
			}
			view.Types = append(view.Types, priceview.TypePrice{Name: name, Fen: tier.Types[id]})
		}
		out.Tiers = append(out.Tiers, view)
	}
	return out
}
