package server

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
	"huizhi/web/templates/priceview"
	"huizhi/web/templates/ui"
)

// priceForm is a price as it was typed.
type priceForm struct {
	from, until, basis, plan string
	endOpen, graduated       bool
	tiers                    []priceview.TierRow
	own                      []priceview.OwnRow
	free, minimum, tax       string
	taxIncluded              bool
}

// maxRows bounds what a form is read for; the price book says what it takes.
const maxRows = 40

// readForm reads the rows by number, as many as there are one after another.
func readForm(r *http.Request) *priceForm {
	v := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	f := &priceForm{from: v("from"), until: v("until"), basis: v("basis"), plan: v("plan"), endOpen: v("end_open") != "", graduated: v("tier_mode") == "graduated",
		free: v("free"), minimum: v("minimum"), tax: v("tax"), taxIncluded: v("tax_mode") != "on"}
	has := func(name string) bool { return len(r.PostForm[name]) > 0 }
	for i := 0; i < maxRows && has(fmt.Sprintf("tier-%d-price", i)); i++ {
		f.tiers = append(f.tiers, priceview.TierRow{From: v(fmt.Sprintf("tier-%d-from", i)), Price: v(fmt.Sprintf("tier-%d-price", i))})
	}
	if len(f.tiers) == 0 {
		f.tiers = make([]priceview.TierRow, 1)
	}
	for i := 0; i < maxRows && has(fmt.Sprintf("own-%d-type", i)); i++ {
		row := priceview.OwnRow{Type: v(fmt.Sprintf("own-%d-type", i))}
		for k := range f.tiers {
			row.Prices = append(row.Prices, v(fmt.Sprintf("own-%d-%d", i, k)))
		}
		f.own = append(f.own, row)
	}
	return f
}

// grow adds an empty row.
func (f *priceForm) grow(what string) {
	if what == "type" {
		f.own = append(f.own, priceview.OwnRow{Prices: make([]string, len(f.tiers))})
		return
	}
	f.tiers = append(f.tiers, priceview.TierRow{})
	for i := range f.own {
		f.own[i].Prices = append(f.own[i].Prices, "")
	}
}

// price is what the form says. What cannot be read is a failure of its field.
func (f *priceForm) price(tenant bool) (billing.NewPrice, error) {
	n := billing.NewPrice{FromDay: f.from, UntilDay: f.until, EndOpen: f.endOpen}
	var bad apperr.Fields
	if f.from == "" {
		bad.Add("from", "error.price.day")
	}
	if tenant && f.basis == "plan" {
		if n.Plan = f.plan; n.Plan == "" {
			bad.Add("plan", "error.price.no_plan")
		}
		return n, bad.Err()
	}
	n.Terms = f.terms(&bad)
	return n, bad.Err()
}

// terms reads the terms. Tiers that were left empty at the end are none.
func (f *priceForm) terms(bad *apperr.Fields) billing.Terms {
	t := billing.Terms{Graduated: f.graduated, TaxIncluded: f.taxIncluded,
		Free: numberIn(f.free, "free", bad), MinimumFen: fenIn(f.minimum, "minimum", bad), TaxBP: percentIn(f.tax, bad)}
	rows := f.tiers
	for len(rows) > 1 && rows[len(rows)-1] == (priceview.TierRow{}) {
		rows = rows[:len(rows)-1]
	}
	for i, row := range rows {
		field := func(part string) string { return fmt.Sprintf("tier.%d.%s", i, part) }
		tier := billing.Tier{}
		if row.Price == "" {
			bad.Add(field("price"), "error.price.amount")
		} else {
			tier.FenPer1000Points = fenIn(row.Price, field("price"), bad)
		}
		if i > 0 {
			if row.From == "" {
				bad.Add(field("after"), "error.price.count")
			}
			tier.After = numberIn(row.From, field("after"), bad) - 1
		}
		for _, own := range f.own {
			if own.Prices[i] == "" {
				continue
			}
			id, err := strconv.Atoi(own.Type)
			if _, twice := tier.Types[id]; err != nil {
				bad.Add(field("type."), "error.price.no_type")
			} else if twice {
				bad.Add(field("type."+own.Type), "error.price.type_twice")
			}
			if tier.Types == nil {
				tier.Types = map[int]int64{}
			}
			tier.Types[id] = fenIn(own.Prices[i], field("type."+own.Type), bad)
		}
		t.Tiers = append(t.Tiers, tier)
	}
	return t
}

// fenIn reads an amount of yuan; nothing is 0.
func fenIn(text, field string, bad *apperr.Fields) int64 {
	if text == "" {
		return 0
	}
	fen, err := parseFen(strings.TrimLeft(strings.ReplaceAll(strings.TrimPrefix(text, "-"), ",", ""), "¥￥"))
	switch {
	case err != nil:
		bad.Add(field, "error.price.amount")
	case strings.HasPrefix(text, "-"):
		bad.Add(field, "error.price.negative")
	}
	return fen
}

func numberIn(text, field string, bad *apperr.Fields) int64 {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(text, ",", ""), 10, 64)
	switch {
	case err != nil:
		bad.Add(field, "error.price.count")
	case n < 0:
		bad.Add(field, "error.price.negative")
	}
	return n
}

// percentIn reads a rate in percent with two decimals as basis points.
func percentIn(text string, bad *apperr.Fields) int64 {
	bp, err := parseFen(strings.TrimSuffix(text, "%"))
	if text != "" && err != nil {
		bad.Add("tax", "error.price.rate")
		return 0
	}
	return bp
}

// firstForm offers what holds now, from the first of the next month on.
func (s *Server) firstForm(ctx context.Context, sh shelf, now time.Time) (*priceForm, error) {
	f := &priceForm{from: billing.MonthOf(now).Add(1).Start().Format(time.DateOnly), basis: "own", plan: billing.StandardPlan, endOpen: true, tax: "6", taxIncluded: true,
		tiers: make([]priceview.TierRow, 1)}
	var t *billing.Terms
	if sh.tenant != nil {
		terms, plan, err := s.Billing.PriceOn(ctx, sh.scope, now)
		if apperr.KindOf(err) == apperr.Invalid {
			return f, nil // nothing holds today
		}
		if err != nil {
			return nil, err
		}
		if t = terms; plan != "" {
			f.plan = plan
		}
	} else {
		plans, err := s.Billing.Plans(ctx, bookkeeping, now)
		if err != nil {
			return nil, err
		}
		for _, p := range plans {
			if p.Plan == sh.plan {
				t = p.Terms
			}
		}
	}
	if t != nil {
		f.fill(t)
	}
	return f, nil
}

func (f *priceForm) fill(t *billing.Terms) {
	f.graduated, f.taxIncluded, f.tax = t.Graduated, t.TaxIncluded, strconv.FormatFloat(float64(t.TaxBP)/100, 'f', -1, 64)
	if t.Free > 0 {
		f.free = strconv.FormatInt(t.Free, 10)
	}
	if t.MinimumFen > 0 {
		f.minimum = typed(t.MinimumFen)
	}
	f.tiers = make([]priceview.TierRow, len(t.Tiers))
	byType := map[int][]string{}
	for i, tier := range t.Tiers {
		f.tiers[i].Price = typed(tier.FenPer1000Points)
		if i > 0 {
			f.tiers[i].From = strconv.FormatInt(tier.After+1, 10)
		}
		for id, fen := range tier.Types {
			if byType[id] == nil {
				byType[id] = make([]string, len(t.Tiers))
			}
			byType[id][i] = typed(fen)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(byType)) {
		f.own = append(f.own, priceview.OwnRow{Type: strconv.Itoa(id), Prices: byType[id]})
	}
}

// typed is an amount as people type it: 1234.50.
func typed(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }

func sortedTypes(t billing.Tier) []int { return slices.Sorted(maps.Keys(t.Types)) }

// formModel shows the form with what is wrong with it.
func (s *Server) formModel(ctx context.Context, sh shelf, f *priceForm, types []providers.Type, failed map[string]string) (priceview.Form, error) {
	m := priceview.Form{Action: sh.url, OwnTerms: sh.tenant == nil || f.basis != "plan", Plan: f.plan, From: f.from, Until: f.until, EndOpen: f.endOpen,
		Tiers: f.tiers, Own: f.own, Graduated: f.graduated, Free: f.free, Minimum: f.minimum, Tax: f.tax, TaxIncluded: f.taxIncluded, Errors: failed,
		ReceiptPoints: providers.PointsPerReceipt}
	for _, t := range types {
		m.Types = append(m.Types, ui.Option{Value: strconv.Itoa(t.ID), Label: t.Name})
	}
	for i := range m.Own {
		row := &m.Own[i]
		row.Errors = make([]string, len(row.Prices))
		for k := range row.Prices {
			row.Errors[k] = failed[fmt.Sprintf("tier.%d.type.%s", k, row.Type)]
		}
	}
	if sh.tenant == nil {
		return m, nil
	}
	plans, err := s.Billing.PlanPrices(ctx, bookkeeping)
	for i, p := range plans {
		if i == 0 || plans[i-1].Plan != p.Plan {
			m.Plans = append(m.Plans, ui.Option{Value: p.Plan, Label: planTitle(ctx, p.Plan)})
		}
	}
	return m, err
}

// previewTime bounds how long a preview may count; it is asked for while typing.
const previewTime = 5 * time.Second

func (s *Server) previewPrice(w http.ResponseWriter, r *http.Request, sh shelf) error {
	names, err := s.typeNames(r.Context())
	if err != nil {
		return err
	}
	m, err := s.preview(r, sh, readForm(r), names, db.Now())
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, priceview.Preview(m))
}

// preview counts last month at the prices being typed. What they lack is no failure
// here: they are still being typed.
func (s *Server) preview(r *http.Request, sh shelf, f *priceForm, names map[int]string, now time.Time) (priceview.PreviewModel, error) {
	ctx, month := r.Context(), billing.MonthOf(now).Add(-1)
	m := priceview.PreviewModel{Month: month.Start()}
	var bad apperr.Fields
	terms := f.terms(&bad)
	if sh.tenant != nil && f.basis == "plan" {
		plans, err := s.Billing.Plans(ctx, bookkeeping, now)
		if err != nil {
			return m, err
		}
		for _, p := range plans {
			if p.Plan == f.plan && p.Terms != nil {
				terms, bad = *p.Terms, nil
			}
		}
	}
	if bad.Err() != nil || terms.Check() != nil {
		m.Problem = i18n.T(ctx, "price.preview.incomplete")
		return m, nil
	}
	m.Terms = termsModel(&terms, names)
	bounded, cancel := context.WithTimeout(ctx, previewTime)
	defer cancel()
	list, followers, err := s.previews(bounded, sh, month, terms)
	switch {
	case bounded.Err() != nil && ctx.Err() == nil:
		m.Problem = i18n.T(ctx, "price.preview.too_long")
		return m, nil
	case apperr.KindOf(err) == apperr.Invalid: // last month has no price of its own to compare with
		m.Problem = s.message(r, err)
		return m, nil
	case err != nil:
		return m, err
	}
	for _, p := range list {
		m.Rows = append(m.Rows, priceview.PreviewRow{Name: p.Name, Receipts: p.Now.Receipts, NowFen: p.Now.TotalFen, ThenFen: p.Then.TotalFen})
		m.Receipts, m.NowFen, m.ThenFen = m.Receipts+p.Now.Receipts, m.NowFen+p.Now.TotalFen, m.ThenFen+p.Then.TotalFen
	}
	if m.Others = followers - len(list); len(list) == 0 {
		m.Problem = i18n.T(ctx, "price.preview.empty", "month", i18n.Month(ctx, m.Month))
	}
	return m, nil
}

// previews are the months to compare, and how many tenants pay by the plan.
func (s *Server) previews(ctx context.Context, sh shelf, month billing.Month, terms billing.Terms) ([]billing.TenantPreview, int, error) {
	if sh.tenant == nil {
		return s.Billing.PreviewPlan(ctx, bookkeeping, sh.plan, month, terms)
	}
	p, err := s.Billing.Preview(ctx, sh.scope, month, terms)
	if err != nil {
		return nil, 0, err
	}
	if p.Now.Receipts == 0 && p.Now.TotalFen == 0 && p.Then.TotalFen == 0 {
		return nil, 1, nil
	}
	return []billing.TenantPreview{{TenantID: sh.tenant.ID, Preview: *p}}, 1, nil
}

// priceWords tell a tenant what it pays today, the price first; nothing when no
// price holds today.
func (s *Server) priceWords(ctx context.Context, sc tenants.Scope, now time.Time) ([]string, error) {
	terms, _, err := s.Billing.PriceOn(ctx, sc, now)
	if apperr.KindOf(err) == apperr.Invalid {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names, err := s.typeNames(ctx)
	if err != nil {
		return nil, err
	}
	return termsModel(terms, names).Sentences(ctx), nil
}
