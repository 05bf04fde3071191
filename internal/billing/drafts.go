package billing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/tenants"
)

// due lists every month that is over and whose draft is missing or behind the
// ledger. It steps from month to month by the index, one probe each, so that its
// cost follows the number of months and open drafts, not the size of the ledger.
const due = `
WITH RECURSIVE months (tenant_id, month) AS (
  SELECT tenant.id, (SELECT MIN(charge.month) FROM charges AS charge WHERE charge.tenant_id = tenant.id)
  FROM tenants AS tenant
  UNION ALL
  SELECT months.tenant_id,
    (SELECT MIN(charge.month) FROM charges AS charge WHERE charge.tenant_id = months.tenant_id AND charge.month > months.month)
  FROM months WHERE months.month IS NOT NULL
)
SELECT months.tenant_id, months.month FROM months
LEFT JOIN invoices AS invoice ON invoice.tenant_id = months.tenant_id AND invoice.month = months.month AND invoice.state <> ?
WHERE months.month < ? AND (invoice.id IS NULL OR (invoice.number IS NULL AND invoice.receipts <>
  (SELECT COUNT(*) FROM charges AS charge WHERE charge.tenant_id = months.tenant_id AND charge.month = months.month)))
ORDER BY months.tenant_id, months.month`

// dueMonth is a month of a tenant that wants a draft.
type dueMonth struct {
	TenantID string
	Month    Month
}

// EnsureDrafts makes or completes the draft of every month that is over, for all
// tenants. A charge that was committed just after midnight for the month before
// is picked up by the next run. One tenant's failure does not keep the others
// from their drafts.
func (s *Service) EnsureDrafts(ctx context.Context, now time.Time) error {
	sweep := tenants.AllTenants("months end for everybody at once")
	months, err := dueMonths(ctx, s.db, sweep, now)
	if err != nil {
		return err
	}
	minimal, err := minimumMonths(ctx, s.db, sweep, MonthOf(now).Add(-1))
	if err != nil {
		return err
	}
	var errs []error
	all := slices.Concat(months, minimal)
	// Everybody locks the tenants in one order.
	slices.SortFunc(all, func(a, b dueMonth) int {
		return cmp.Or(cmp.Compare(a.TenantID, b.TenantID), cmp.Compare(a.Month, b.Month))
	})
	for part := range slices.Chunk(slices.Compact(all), draftsTogether) {
		list := make([]*draft, len(part))
		for i, m := range part {
			list[i] = newDraft(tenants.ForTenant(m.TenantID), m.Month)
		}
		if err := s.draftAll(ctx, list, now); err != nil {
			return err
		}
		for _, d := range list {
			if d.err != nil && apperr.KindOf(d.err) != apperr.Invalid && !isKey(d.err, "error.billing.not_draft") {
				errs = append(errs, fmt.Errorf("cannot draft %s of tenant %s: %w", d.month, d.sc.TenantID(), d.err))
			}
		}
	}
	return errors.Join(errs...)
}

// draftsTogether is how many drafts are made with one set of statements and one
// commit: going to the database and making the disk durable take longer than
// counting a small tenant's month. The tenants' ledgers are locked that long.
const draftsTogether = 100

// draftAll makes drafts in one transaction. When that fails, each is tried alone,
// so that one bad tenant keeps nobody else from the draft: what went wrong is the
// err of that draft.
func (s *Service) draftAll(ctx context.Context, list []*draft, now time.Time) error {
	if s.draftIn(ctx, list, now) == nil {
		return nil
	}
	for _, d := range list {
		if ctx.Err() != nil {
			return fmt.Errorf("cannot make the drafts: %w", ctx.Err())
		}
		*d = *newDraft(d.sc, d.month)
		if err := s.draftIn(ctx, []*draft{d}, now); err != nil {
			d.err = err
		}
	}
	return nil
}

func (s *Service) draftIn(ctx context.Context, list []*draft, now time.Time) error {
	return s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return draftTogether(ctx, tx, list, now) })
}

func dueMonths(ctx context.Context, tx bun.IDB, _ tenants.Sweep, now time.Time) ([]dueMonth, error) {
	var months []dueMonth
	if err := tx.NewRaw(due, StateVoid, MonthOf(now)).Scan(ctx, &months); err != nil {
		return nil, fmt.Errorf("cannot find the months to draft: %w", err)
	}
	return months, nil
}

// minimumMonths lists the tenants that may owe a minimum for the month and have
// no invoice for it: those with such a price of their own or a plan with one.
func minimumMonths(ctx context.Context, tx bun.IDB, _ tenants.Sweep, month Month) ([]dueMonth, error) {
	last := lastDay(month)
	var out []dueMonth
	err := tx.NewRaw(`SELECT tenant.id AS tenant_id, ? AS month FROM tenants AS tenant
		WHERE tenant.created_at < ?
		AND NOT EXISTS (SELECT 1 FROM invoices AS invoice WHERE invoice.tenant_id = tenant.id AND invoice.month = ? AND invoice.state <> ?)
		AND EXISTS (SELECT 1 FROM plan_prices AS plan WHERE plan.minimum_fen > 0 AND ? BETWEEN plan.from_day AND plan.until_day
			AND plan.plan = COALESCE((SELECT price.plan FROM tenant_prices AS price WHERE price.tenant_id = tenant.id AND ? BETWEEN price.from_day AND price.until_day), ?)
		UNION ALL SELECT 1 FROM tenant_prices AS price WHERE price.tenant_id = tenant.id AND price.minimum_fen > 0 AND ? BETWEEN price.from_day AND price.until_day)`,
		month, month.End().UTC(), month, StateVoid, last, last, StandardPlan, last).Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("cannot find the tenants with a minimum: %w", err)
	}
	return out, nil
}
