package billing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// shelf is where the prices of one plan or of one tenant stand. Whoever changes
// them does it alone, and notes it in the history.
type shelf struct {
	plan   string // "" for a tenant's
	tenant tenants.Scope
}

// shelved is an entry of either kind of shelf; their tables are alike.
type shelved struct {
	bun.BaseModel `bun:"table:tenant_prices,alias:price"`
	Plan          string
	Price
}

func (sh shelf) table() string {
	if sh.plan != "" {
		return "plan_prices"
	}
	return "tenant_prices"
}

func (sh shelf) where(q bun.QueryBuilder) bun.QueryBuilder {
	if sh.plan != "" {
		return q.Where("plan = ?", sh.plan)
	}
	return sh.tenant.Where(q)
}

// planLock is the key of the PostgreSQL advisory lock that finalising shares and
// that a change of a plan takes alone.
const planLock = 0x506C616E // "Plan"

func lockPlans(ctx context.Context, tx bun.Tx, function string) error {
	if !db.IsPostgres(tx) {
		return nil // the transaction holds the only write lock
	}
	if _, err := tx.ExecContext(ctx, "SELECT "+function+"(?)", planLock); err != nil {
		return fmt.Errorf("cannot lock the plans: %w", err)
	}
	return nil
}

// open keeps everybody else from the shelf until the transaction ends, and reads
// it, oldest first. Days up to the end of the month closed are taken for good.
func (sh shelf) open(ctx context.Context, tx bun.Tx) (entries []shelved, closed Month, err error) {
	if sh.plan != "" {
		err = lockPlans(ctx, tx, "pg_advisory_xact_lock")
	} else {
		err = lockLedger(ctx, tx, sh.tenant)
	}
	if err != nil {
		return nil, "", err
	}
	err = tx.NewSelect().Model(&entries).ModelTableExpr(sh.table() + " AS price").ApplyQueryBuilder(sh.where).Order("from_day").Scan(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("cannot load the prices: %w", err)
	}
	switch {
	case sh.plan == "":
		closed, err = lastInvoiced(ctx, tx, sh.tenant)
	case len(entries) > 0: // nobody was invoiced by a plan that did not exist
		closed, err = lastInvoicedOfAll(ctx, tx, tenants.AllTenants("a plan is everybody's"))
	}
	return entries, closed, err
}

// end sets the last day of an entry.
func (sh shelf) end(ctx context.Context, tx bun.Tx, e *shelved, day string) error {
	e.UntilDay = day
	_, err := tx.NewUpdate().Model((*shelved)(nil)).ModelTableExpr(sh.table()+" AS price").Set("until_day = ?", day).
		ApplyQueryBuilder(sh.where).Where("id = ?", e.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot set the end of a price: %w", err)
	}
	return nil
}

// AddPrice adds a price of the tenant. Days that it shares with another entry,
// days of a month that has been invoiced, and terms that could make an invoice
// negative are Invalid, and nothing is written.
func (s *Service) AddPrice(ctx context.Context, sc tenants.Scope, n NewPrice, actor string, now time.Time) (*TenantPrice, error) {
	var row *TenantPrice
	err := s.addPrice(ctx, shelf{tenant: sc}, n, actor, now, func(ctx context.Context, tx bun.Tx, p Price) error {
		if n.Plan != "" {
			var plan []PlanPrice
			if err := tx.NewSelect().Model(&plan).Where("plan = ?", n.Plan).Order("from_day").Scan(ctx); err != nil {
				return fmt.Errorf("cannot look for the plan: %w", err)
			}
			if len(plan) == 0 {
				return apperr.Field("plan", "error.price.no_plan")
			}
			if plan[0].FromDay > p.FromDay { // from its first day on a plan has no gap
				return apperr.Field("plan", "error.price.plan_later", "day", plan[0].FromDay)
			}
		}
		row = &TenantPrice{TenantID: sc.TenantID(), Plan: n.Plan, Price: p}
		if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
			return fmt.Errorf("cannot add the price: %w", err)
		}
		return tenants.Audit(ctx, tx, sc, actor, "price.add", "price", p.ID, now)
	})
	if err != nil {
		return nil, err
	}
	return row, nil
}

// AddPlanPrice adds a price of a plan, and makes the plan with its first one.
// What AddPrice refuses is refused here; a month counts as invoiced when any
// tenant has been. A plan has a price for every day from its first one on, since
// those who follow it must never be without: one that ends is Invalid unless the
// next begins the day after.
func (s *Service) AddPlanPrice(ctx context.Context, _ tenants.Sweep, plan string, n NewPrice, actor string, now time.Time) (*PlanPrice, error) {
	if n.Plan != "" {
		return nil, apperr.Field("plan", "error.price.no_plan") // plans do not follow each other
	}
	if err := CheckPlanName(plan); err != nil {
		return nil, err
	}
	var row *PlanPrice
	err := s.addPrice(ctx, shelf{plan: plan}, n, actor, now, func(ctx context.Context, tx bun.Tx, p Price) error {
		row = &PlanPrice{Plan: plan, Price: p}
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

// maxPlanName is how long the name of a plan may be, in characters.
const maxPlanName = 40

// CheckPlanName refuses what cannot be the name of a plan.
func CheckPlanName(plan string) error {
	if plan != strings.TrimSpace(plan) || plan == "" || utf8.RuneCountInString(plan) > maxPlanName || strings.ContainsFunc(plan, unicode.IsControl) {
		return apperr.Field("plan", "error.price.plan_name", "max", maxPlanName)
	}
	return nil
}

func (s *Service) addPrice(ctx context.Context, sh shelf, n NewPrice, actor string, now time.Time, insert func(context.Context, bun.Tx, Price) error) error {
	p, err := n.price(actor, now)
	if err != nil {
		return err
	}
	return s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		entries, closed, err := sh.open(ctx, tx)
		if err != nil {
			return err
		}
		before, err := place(&p, entries, n.EndOpen, closed)
		if err != nil {
			return err
		}
		if sh.plan != "" {
			if err := gapless(&p, entries); err != nil {
				return err
			}
		}
		if before != nil {
			if err := sh.end(ctx, tx, before, before.UntilDay); err != nil {
				return err
			}
			if err := sh.note(ctx, tx, PriceEnded, before.Plan, before.Price, actor, now); err != nil {
				return err
			}
		}
		if err := insert(ctx, tx, p); err != nil {
			return err
		}
		return sh.note(ctx, tx, PriceAdded, n.Plan, p, actor, now)
	})
}

// place finds room for the entry among the others of its plan or tenant. With
// endOpen it cuts the open one short and returns it. Days up to the end of the
// month that was invoiced last (closed, or "") are taken for good.
func place(p *Price, others []shelved, endOpen bool, closed Month) (ended *shelved, err error) {
	if closed != "" && p.FromDay <= lastDay(closed) {
		return nil, apperr.Field("from", "error.price.invoiced", "month", string(closed))
	}
	if endOpen {
		i := slices.IndexFunc(others, func(o shelved) bool { return o.UntilDay == LastDay && o.FromDay < p.FromDay })
		if i >= 0 {
			ended = &others[i]
			ended.UntilDay = dayBefore(p.FromDay)
		}
	}
	for i := range others {
		if o := &others[i]; o.FromDay <= p.UntilDay && p.FromDay <= o.UntilDay {
			return nil, apperr.Field("from", overlapKey(o), "from", o.FromDay, "until", o.UntilDay)
		}
	}
	return ended, nil
}

// gapless refuses an entry of a plan that would leave days without a price before
// or after it.
func gapless(p *Price, others []shelved) error {
	before, after := true, p.UntilDay == LastDay
	for i := range others {
		o := &others[i]
		if o.FromDay < p.FromDay { // they come in order: the last of these is the one before
			before = nextDay(o.UntilDay) == p.FromDay
		}
		after = after || nextDay(p.UntilDay) == o.FromDay
	}
	if !before {
		return apperr.Field("from", "error.price.plan_gap")
	}
	if !after {
		return apperr.Field("until", "error.price.plan_end")
	}
	return nil
}

// overlapKey words an overlap without the days that stand for no beginning and no end.
func overlapKey(o *shelved) string {
	switch {
	case o.FromDay == FirstDay && o.UntilDay == LastDay:
		return "error.price.overlap_always"
	case o.FromDay == FirstDay:
		return "error.price.overlap_until"
	case o.UntilDay == LastDay:
		return "error.price.overlap_from"
	default:
		return "error.price.overlap"
	}
}

// dayBefore is the day before one that has been parsed already.
func dayBefore(day string) string {
	at, err := time.Parse(dayLayout, day)
	if err != nil {
		panic("billing: not a day: " + day)
	}
	return at.AddDate(0, 0, -1).Format(dayLayout)
}

// nextDay is the day after one that has been parsed already.
func nextDay(day string) string {
	at, err := time.Parse(dayLayout, day)
	if err != nil {
		panic("billing: not a day: " + day)
	}
	return at.AddDate(0, 0, 1).Format(dayLayout)
}

// EndPrice sets the last day of a price that the tenant has; from the next day on
// it pays the standard plan, unless another price begins. Days that have been
// invoiced stay as they are, and a price only ever ends earlier than before.
func (s *Service) EndPrice(ctx context.Context, sc tenants.Scope, id, until, actor string, now time.Time) error {
	if _, err := time.Parse(dayLayout, until); err != nil {
		return apperr.Field("until", "error.price.day")
	}
	sh := shelf{tenant: sc}
	return s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		entries, closed, err := sh.open(ctx, tx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(entries, func(e shelved) bool { return e.ID == id })
		switch {
		case i < 0:
			return apperr.New(apperr.NotFound, "error.price.not_found")
		case until < entries[i].FromDay:
			return apperr.Field("until", "error.price.backwards")
		case until >= entries[i].UntilDay:
			return apperr.Field("until", "error.price.not_earlier", "day", entries[i].UntilDay)
		case closed != "" && until < lastDay(closed):
			return apperr.Field("until", "error.price.invoiced", "month", string(closed))
		}
		if err := sh.end(ctx, tx, &entries[i], until); err != nil {
			return err
		}
		if err := sh.note(ctx, tx, PriceEnded, entries[i].Plan, entries[i].Price, actor, now); err != nil {
			return err
		}
		return tenants.Audit(ctx, tx, sc, actor, "price.end", "price", id, now)
	})
}

// WithdrawPrice takes a price of the tenant back that has not begun; see withdraw.
func (s *Service) WithdrawPrice(ctx context.Context, sc tenants.Scope, id, actor string, now time.Time) error {
	return s.withdraw(ctx, shelf{tenant: sc}, id, actor, now)
}

// WithdrawPlanPrice takes a price of a plan back that has not begun; see withdraw.
func (s *Service) WithdrawPlanPrice(ctx context.Context, _ tenants.Sweep, plan, id, actor string, now time.Time) error {
	return s.withdraw(ctx, shelf{plan: plan}, id, actor, now)
}

// withdraw deletes a price that has not begun. The one that ends the day before it
// holds on instead, so that no day is left without a price. What has begun may
// have been shown to somebody or charged, and is Conflict.
func (s *Service) withdraw(ctx context.Context, sh shelf, id, actor string, now time.Time) error {
	return s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		entries, _, err := sh.open(ctx, tx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(entries, func(e shelved) bool { return e.ID == id })
		switch {
		case i < 0:
			return apperr.New(apperr.NotFound, "error.price.not_found")
		case entries[i].FromDay <= dayOf(now):
			return apperr.New(apperr.Conflict, "error.price.begun")
		case sh.plan != "" && i == 0:
			return apperr.New(apperr.Conflict, "error.price.only")
		}
		_, err = tx.NewDelete().Model((*shelved)(nil)).ModelTableExpr(sh.table()+" AS price").ApplyQueryBuilder(sh.where).Where("id = ?", id).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot withdraw the price: %w", err)
		}
		if i > 0 && entries[i-1].UntilDay == dayBefore(entries[i].FromDay) {
			if err := sh.end(ctx, tx, &entries[i-1], entries[i].UntilDay); err != nil {
				return err
			}
		}
		if err := sh.note(ctx, tx, PriceWithdrawn, entries[i].Plan, entries[i].Price, actor, now); err != nil {
			return err
		}
		if sh.plan != "" {
			return nil // the plan is no tenant's; the history has it
		}
		return tenants.Audit(ctx, tx, sh.tenant, actor, "price.withdraw", "price", id, now)
	})
}

// What happens to a price.
const (
	PriceAdded     = "add"
	PriceEnded     = "end" // it holds until another day than before
	PriceWithdrawn = "withdraw"
)

// PriceChange is a line of the history of the price book: who changed what, and
// the price as it was left. It is never changed itself.
type PriceChange struct {
	bun.BaseModel `bun:"table:price_changes,alias:change"`
	ID            string `bun:",pk"`
	TenantID      string `bun:",nullzero"` // "" for a plan's
	Plan          string // "" for a tenant's
	Action        string // PriceAdded …
	FromDay       string
	UntilDay      string
	Follows       string // the plan that a tenant's price points to
	Terms         Terms  `bun:"type:jsonb"`
	Actor         string
	At            time.Time
}

func (sh shelf) note(ctx context.Context, tx bun.Tx, action, follows string, p Price, actor string, now time.Time) error {
	c := &PriceChange{ID: db.NewID(), Plan: sh.plan, Action: action, FromDay: p.FromDay, UntilDay: p.UntilDay, Terms: p.Terms, Actor: actor, At: now}
	if sh.plan == "" {
		c.TenantID, c.Follows = sh.tenant.TenantID(), follows
	}
	if _, err := tx.NewInsert().Model(c).Exec(ctx); err != nil {
		return fmt.Errorf("cannot note the change of a price: %w", err)
	}
	return nil
}

// historySize bounds what is shown of the price book's history.
const historySize = 30

// PriceChanges is the newest history of the tenant's prices, newest first.
func (s *Service) PriceChanges(ctx context.Context, sc tenants.Scope) ([]PriceChange, error) {
	return s.priceChanges(ctx, shelf{tenant: sc})
}

// PlanPriceChanges is the newest history of a plan, newest first.
func (s *Service) PlanPriceChanges(ctx context.Context, _ tenants.Sweep, plan string) ([]PriceChange, error) {
	return s.priceChanges(ctx, shelf{plan: plan})
}

func (s *Service) priceChanges(ctx context.Context, sh shelf) ([]PriceChange, error) {
	var out []PriceChange
	if err := s.db.NewSelect().Model(&out).ApplyQueryBuilder(sh.where).Order("id DESC").Limit(historySize).Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the history of the prices: %w", err)
	}
	return out, nil
}
