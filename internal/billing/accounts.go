package billing

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// Account is a tenant with what it pays today.
type Account struct {
	TenantID, Name string
	Plan           string // "" with a price of its own
	Terms          *Terms // nil when the plan has no price for today
	Wallet         *Wallet
}

// PlanSummary is a plan with what it costs today.
type PlanSummary struct {
	Plan    string
	Terms   *Terms // nil before its first price begins
	Tenants int    // that pay by it today
}

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Accounts lists the tenants whose name contains match, the oldest first, after
// the one with the id after ("" for the first page). next is the id to go on from.
func (s *Service) Accounts(ctx context.Context, sweep tenants.Sweep, match, after string, size int, now time.Time) (list []Account, next string, err error) {
	var rows []struct{ ID, Name string }
	q := s.db.NewSelect().Table("tenants").Column("id", "name").Where("id > ?", after).Order("id").Limit(int64(size) + 1)
	if match != "" {
		q.Where(`name LIKE ? ESCAPE '\'`, "%"+likeEscape.Replace(match)+"%")
	}
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, "", fmt.Errorf("cannot list the tenants: %w", err)
	}
	if len(rows) > size {
		rows = rows[:size]
		next = rows[size-1].ID
	}
	if len(rows) == 0 {
		return nil, "", nil
	}
	plans, err := s.Plans(ctx, sweep, now)
	if err != nil {
		return nil, "", err
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	var own []TenantPrice
	if err := s.db.NewSelect().Model(&own).Where("tenant_id IN (?) AND ? BETWEEN from_day AND until_day", bun.List(ids), dayOf(now)).Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("cannot load the tenants' prices: %w", err)
	}
	var wallets []Wallet
	if err := s.db.NewSelect().Model(&wallets).Where("tenant_id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("cannot load the wallets: %w", err)
	}
	for _, r := range rows {
		a := Account{TenantID: r.ID, Name: r.Name, Plan: StandardPlan}
		for i := range own {
			if own[i].TenantID == r.ID {
				a.Plan, a.Terms = own[i].Plan, &own[i].Terms
			}
		}
		for i := range plans {
			if a.Plan != "" && plans[i].Plan == a.Plan {
				a.Terms = plans[i].Terms
			}
		}
		for i := range wallets {
			if wallets[i].TenantID == r.ID {
				a.Wallet = &wallets[i]
			}
		}
		list = append(list, a)
	}
	return list, next, nil
}

// Plans lists the plans by name.
func (s *Service) Plans(ctx context.Context, sweep tenants.Sweep, now time.Time) ([]PlanSummary, error) {
	prices, err := s.PlanPrices(ctx, sweep)
	if err != nil {
		return nil, err
	}
	var counts []struct {
		Plan string
		N    int
	}
	err = s.db.NewRaw(`SELECT plan, COUNT(*) AS n FROM (SELECT COALESCE((SELECT price.plan FROM tenant_prices AS price
		WHERE price.tenant_id = tenant.id AND ? BETWEEN price.from_day AND price.until_day), ?) AS plan FROM tenants AS tenant) AS paying GROUP BY plan`,
		dayOf(now), StandardPlan).Scan(ctx, &counts)
	if err != nil {
		return nil, fmt.Errorf("cannot count the tenants of the plans: %w", err)
	}
	var out []PlanSummary
	for i := range prices {
		p := &prices[i]
		if n := len(out); n == 0 || out[n-1].Plan != p.Plan {
			out = append(out, PlanSummary{Plan: p.Plan})
			for _, c := range counts {
				if c.Plan == p.Plan {
					out[n].Tenants = c.N
				}
			}
		}
		if p.holds(dayOf(now)) {
			out[len(out)-1].Terms = &p.Terms
		}
	}
	return out, nil
}
