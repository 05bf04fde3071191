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
	b := &book{plans: map[string][]PlanPrice{}}
	if err := tx.NewSelect().Model(&b.own).ApplyQueryBuilder(sc.Where).Order("from_day").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the tenant's prices: %w", err)
	}
	names := []string{StandardPlan}
	for _, p := range b.own {
		if p.Plan != "" {
			names = append(names, p.Plan)
		}
	}
	var plans []PlanPrice
	if err := tx.NewSelect().Model(&plans).Where("plan IN (?)", bun.List(names)).Order("plan", "from_day").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the prices of the plans: %w", err)
	}
	for _, p := range plans {
		b.plans[p.Plan] = append(b.plans[p.Plan], p)
	}
	return b, nil
}

// on is what holds on the day. A plan without a price for a day is Invalid: it
// would be work for nothing.
func (b *book) on(day string) (*Terms, error) {
	plan := StandardPlan
	for i := range b.own {
		if p := &b.own[i]; p.holds(day) {
			if p.Plan == "" {
				return &p.Terms, nil
			}
			plan = p.Plan
		}
	}
	for i := range b.plans[plan] {
		if p := &b.plans[plan][i]; p.holds(day) {
			return &p.Terms, nil
		}
	}
	return nil, apperr.New(apperr.Invalid, "error.price.none", "day", day, "plan", plan)
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

// AddPrice adds a price of the tenant. Days that it shares with another entry,
// days of a month that has been invoiced, and terms that could make an invoice
// negative are Invalid, and nothing is written.
func (s *Service) AddPrice(ctx context.Context, sc tenants.Scope, n NewPrice, actor string, now time.Time) (*TenantPrice, error) {
	p, err := n.price(actor, now)
	if err != nil {
		return nil, err
	}
	row := &TenantPrice{TenantID: sc.TenantID(), Plan: n.Plan, Price: p}
	err = s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if err := lockLedger(ctx, tx, sc); err != nil {
			return err
		}
		if n.Plan != "" {
			known, err := tx.NewSelect().Model((*PlanPrice)(nil)).Where("plan = ?", n.Plan).Exists(ctx)
			if err != nil {
				return fmt.Errorf("cannot look for the plan: %w", err)
			}
			if !known {
				return apperr.Field("plan", "error.price.no_plan")
			}
		}
		closed, err := lastInvoiced(ctx, tx, sc)
		if err != nil {
			return err
		}
		var all []TenantPrice
		if err := tx.NewSelect().Model(&all).ApplyQueryBuilder(sc.Where).Scan(ctx); err != nil {
			return fmt.Errorf("cannot load the prices: %w", err)
		}
		var others []*Price
		for i := range all {
			others = append(others, &all[i].Price)
		}
		ended, err := place(&p, others, n.EndOpen, closed)
		if err != nil {
			return err
		}
		if ended != nil {
			_, err := tx.NewUpdate().Model((*TenantPrice)(nil)).Set("until_day = ?", ended.UntilDay).
				ApplyQueryBuilder(sc.Where).Where("id = ?", ended.ID).Exec(ctx)
			if err != nil {
				return fmt.Errorf("cannot end the price before: %w", err)
			}
		}
		if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
			return fmt.Errorf("cannot add the price: %w", err)
		}
		return tenants.Audit(ctx, tx, sc, actor, "price.add", "price", row.ID, now)
	})
	if err != nil {
		return nil, err
	}
	return row, nil
}

// planLock is the key of the PostgreSQL advisory lock that finalising shares and
// that a change of a plan takes alone.
const planLock = 0x506C616E // "Plan"

// AddPlanPrice adds a price of a plan, and makes the plan with its first one.
// What AddPrice refuses is refused here; a month counts as invoiced when any
// tenant has been.
func (s *Service) AddPlanPrice(ctx context.Context, _ tenants.Sweep, plan string, n NewPrice, actor string, now time.Time) (*PlanPrice, error) {
	if plan == "" || len(plan) > 40 || n.Plan != "" {
		return nil, apperr.Field("plan", "error.price.plan_name", "max", 40)
	}
	p, err := n.price(actor, now)
	if err != nil {
		return nil, err
	}
	row := &PlanPrice{Plan: plan, Price: p}
	err = s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if err := lockPlans(ctx, tx, "pg_advisory_xact_lock"); err != nil {
			return err
		}
		var closed Month
		err := tx.NewSelect().Model((*Invoice)(nil)).ColumnExpr("COALESCE(MAX(month), '')").
			Where("number IS NOT NULL AND state <> ?", StateVoid).Scan(ctx, &closed)
		if err != nil {
			return fmt.Errorf("cannot find the last invoiced month: %w", err)
		}
		var all []PlanPrice
		if err := tx.NewSelect().Model(&all).Where("plan = ?", plan).Scan(ctx); err != nil {
			return fmt.Errorf("cannot load the prices of the plan: %w", err)
		}
		if len(all) == 0 {
			closed = "" // nobody was invoiced by a plan that did not exist
		}
		var others []*Price
		for i := range all {
			others = append(others, &all[i].Price)
		}
		ended, err := place(&p, others, n.EndOpen, closed)
		if err != nil {
			return err
		}
		if ended != nil {
			_, err := tx.NewUpdate().Model((*PlanPrice)(nil)).Set("until_day = ?", ended.UntilDay).Where("plan = ? AND id = ?", plan, ended.ID).Exec(ctx)
			if err != nil {
				return fmt.Errorf("cannot end the price before: %w", err)
			}
		}
		if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
			return fmt.Errorf("cannot add the price of the plan: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return row, nil
}

func lockPlans(ctx context.Context, tx bun.Tx, function string) error {
	if !db.IsPostgres(tx) {
		return nil // the transaction holds the only write lock
	}
	if _, err := tx.ExecContext(ctx, "SELECT "+function+"(?)", planLock); err != nil {
		return fmt.Errorf("cannot lock the plans: %w", err)
	}
	return nil
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
	return p, p.Terms.check()
}

// place finds room for the entry among the others of its plan or tenant. With
// endOpen it cuts the open one short and returns it. Days up to the end of the
// month that was invoiced last (closed, or "") are taken for good.
func place(p *Price, others []*Price, endOpen bool, closed Month) (ended *Price, err error) {
	if closed != "" && p.FromDay < dayOf(closed.End()) {
		return nil, apperr.Field("from", "error.price.invoiced", "month", string(closed))
	}
	if endOpen {
		i := slices.IndexFunc(others, func(o *Price) bool { return o.UntilDay == LastDay && o.FromDay < p.FromDay })
		if i >= 0 {
			begins, err := time.Parse(dayLayout, p.FromDay)
			if err != nil {
				return nil, fmt.Errorf("cannot read the day %q: %w", p.FromDay, err)
			}
			ended = others[i]
			ended.UntilDay = begins.AddDate(0, 0, -1).Format(dayLayout)
		}
	}
	for _, o := range others {
		if o.FromDay <= p.UntilDay && p.FromDay <= o.UntilDay {
			return nil, apperr.Field("from", "error.price.overlap", "from", o.FromDay, "until", o.UntilDay)
		}
	}
	return ended, nil
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
