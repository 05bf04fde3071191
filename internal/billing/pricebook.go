package billing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// The days between which everything lies; prices without a beginning or an end
// have these.
const (
	FirstDay = "0001-01-01"
	LastDay  = "9999-12-31"
)

// StandardPlan prices what has no price of its own.
const StandardPlan = "standard"

// Price is an entry of the price book: terms with the days on which they hold,
// both included, in Asia/Shanghai. The entries of a plan do not overlap, nor do
// those of a tenant. On a day without an entry a tenant pays the standard plan.
type Price struct {
	ID         string `bun:",pk"`
	FromDay    string // "2026-12-01", or FirstDay
	UntilDay   string // LastDay while no end is known
	Terms      Terms  `bun:"type:jsonb"`
	MinimumFen int64  // of the terms, to be found without reading them
	CreatedBy  string
	CreatedAt  time.Time
}

// TenantPrice is a price that one tenant has. With a plan, the plan's own
// entries say what it is, and the terms say nothing.
type TenantPrice struct {
	bun.BaseModel `bun:"table:tenant_prices,alias:price"`
	TenantID      string `bun:",pk"`
	Plan          string
	Price
}

// PlanPrice is a price that everybody on the plan has.
type PlanPrice struct {
	bun.BaseModel `bun:"table:plan_prices,alias:price"`
	Plan          string `bun:",pk"`
	Price
}

// NewPrice is an entry to be added.
type NewPrice struct {
	FromDay  string // "" from the beginning
	UntilDay string // "" without an end
	Plan     string // of a tenant: the plan to follow instead of terms
	Terms    Terms
	// EndOpen ends the entry that has no end yet the day before this one begins.
	EndOpen bool
}

// book is the price book as it concerns one tenant.
type book struct {
	own   []TenantPrice
	plans map[string][]PlanPrice
}

func loadBook(ctx context.Context, tx bun.IDB, sc tenants.Scope) (*book, error) {
	r := rating{sc: sc}
	if err := openBooks(ctx, tx, []*rating{&r}); err != nil {
		return nil, err
	}
	return r.book, nil
}

// openBooks gives each month the book of its tenant.
func openBooks(ctx context.Context, tx bun.IDB, list []*rating) error {
	var own []TenantPrice
	if err := tx.NewSelect().Model(&own).Where("tenant_id IN (?)", bun.List(tenantIDs(list))).Order("tenant_id", "from_day").Scan(ctx); err != nil {
		return fmt.Errorf("cannot load the tenants' prices: %w", err)
	}
	names := []string{StandardPlan}
	byTenant := map[string][]TenantPrice{}
	for _, p := range own {
		if p.Plan != "" {
			names = append(names, p.Plan)
		}
		byTenant[p.TenantID] = append(byTenant[p.TenantID], p)
	}
	slices.Sort(names)
	var prices []PlanPrice
	if err := tx.NewSelect().Model(&prices).Where("plan IN (?)", bun.List(slices.Compact(names))).Order("plan", "from_day").Scan(ctx); err != nil {
		return fmt.Errorf("cannot load the prices of the plans: %w", err)
	}
	plans := map[string][]PlanPrice{}
	for _, p := range prices {
		plans[p.Plan] = append(plans[p.Plan], p)
	}
	for _, r := range list {
		r.book = &book{own: byTenant[r.sc.TenantID()], plans: plans}
	}
	return nil
}

func tenantIDs(list []*rating) []string {
	ids := make([]string, len(list))
	for i, r := range list {
		ids[i] = r.sc.TenantID()
	}
	return ids
}

// on is what holds on the day. A plan without a price for a day is Invalid: it
// would be work for nothing.
func (b *book) on(day string) (*Terms, error) {
	plan := b.planOn(day)
	if plan == "" {
		for i := range b.own {
			if p := &b.own[i]; p.holds(day) {
				return &p.Terms, nil
			}
		}
	}
	for i := range b.plans[plan] {
		if p := &b.plans[plan][i]; p.holds(day) {
			return &p.Terms, nil
		}
	}
	return nil, apperr.New(apperr.Invalid, "error.price.none", "day", day, "plan", plan)
}

// planOn is the plan that prices the day, "" when a price of the tenant's own does.
func (b *book) planOn(day string) string {
	for i := range b.own {
		if b.own[i].holds(day) {
			return b.own[i].Plan
		}
	}
	return StandardPlan
}

func (p *Price) holds(day string) bool { return p.FromDay <= day && day <= p.UntilDay }

// Prices lists the tenant's own prices, newest first.
func (s *Service) Prices(ctx context.Context, sc tenants.Scope) ([]TenantPrice, error) {
	var out []TenantPrice
	if err := s.db.NewSelect().Model(&out).ApplyQueryBuilder(sc.Where).Order("from_day DESC").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the prices: %w", err)
	}
	return out, nil
}

// PlanPrices lists the prices of all plans, by plan, newest first.
func (s *Service) PlanPrices(ctx context.Context, _ tenants.Sweep) ([]PlanPrice, error) {
	var out []PlanPrice
	if err := s.db.NewSelect().Model(&out).Order("plan", "from_day DESC").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the prices of the plans: %w", err)
	}
	return out, nil
}

// price checks what can be checked without the other entries.
func (n *NewPrice) price(actor string, now time.Time) (Price, error) {
	p := Price{ID: db.NewID(), FromDay: n.FromDay, UntilDay: n.UntilDay, Terms: n.Terms, MinimumFen: n.Terms.MinimumFen, CreatedBy: actor, CreatedAt: now}
	if p.FromDay == "" {
		p.FromDay = FirstDay
	}
	if p.UntilDay == "" {
		p.UntilDay = LastDay
	}
	for field, day := range map[string]string{"from": p.FromDay, "until": p.UntilDay} {
		if _, err := time.Parse(dayLayout, day); err != nil {
			return p, apperr.Field(field, "error.price.day")
		}
	}
	if p.UntilDay < p.FromDay {
		return p, apperr.Field("until", "error.price.backwards")
	}
	if n.Plan != "" {
		p.Terms, p.MinimumFen = Terms{}, 0
		return p, nil
	}
	return p, p.Terms.Check()
}

// lastInvoiced is the last month with an invoice that has a number and is not
// void, "" without one.
func lastInvoiced(ctx context.Context, tx bun.IDB, sc tenants.Scope) (Month, error) {
	var month Month
	err := tx.NewSelect().Model((*Invoice)(nil)).ColumnExpr("COALESCE(MAX(month), '')").
		ApplyQueryBuilder(sc.Where).Where("number IS NOT NULL AND state <> ?", StateVoid).Scan(ctx, &month)
	if err != nil {
		return "", fmt.Errorf("cannot find the last invoiced month: %w", err)
	}
	return month, nil
}

func lastInvoicedOfAll(ctx context.Context, tx bun.IDB, _ tenants.Sweep) (Month, error) {
	var month Month
	err := tx.NewSelect().Model((*Invoice)(nil)).ColumnExpr("COALESCE(MAX(month), '')").
		Where("number IS NOT NULL AND state <> ?", StateVoid).Scan(ctx, &month)
	if err != nil {
		return "", fmt.Errorf("cannot find the last invoiced month: %w", err)
	}
	return month, nil
}

// PriceOn is what the tenant pays on the day of now, with the plan that it comes
// from, "" when it is the tenant's own.
func (s *Service) PriceOn(ctx context.Context, sc tenants.Scope, now time.Time) (*Terms, string, error) {
	b, err := loadBook(ctx, s.db, sc)
	if err != nil {
		return nil, "", err
	}
	terms, err := b.on(dayOf(now))
	if err != nil {
		return nil, "", err
	}
	return terms, b.planOn(dayOf(now)), nil
}
