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
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Draft builds the month's draft from the ledger by the price book, or brings an
// existing one up to date. The month may still be running. Doing it again is the
// same as doing it once, and two callers at once wait for each other; a draft
// that was reviewed and changes is to be reviewed again.
//
// An invoice that is no longer a draft is Conflict; a month without charges and
// without a minimum is Invalid, and gets no invoice.
func (s *Service) Draft(ctx context.Context, sc tenants.Scope, month Month, now time.Time) (Invoice, error) {
	var inv Invoice
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var err error
		inv, err = draftIn(ctx, tx, sc, month, now)
		return err
	})
	return inv, err
}

func draftIn(ctx context.Context, tx bun.Tx, sc tenants.Scope, month Month, now time.Time) (Invoice, error) {
	if err := lockLedger(ctx, tx, sc); err != nil {
		return Invoice{}, err
	}
	b, err := loadBook(ctx, tx, sc)
	if err != nil {
		return Invoice{}, err
	}
	inv, found, err := openInvoice(ctx, tx, sc, month)
	if err != nil {
		return inv, err
	}
	if found && !inv.Editable() {
		return inv, apperr.New(apperr.Conflict, "error.billing.not_draft")
	}
	lines, err := countLines(ctx, tx, sc, b, month)
	if err != nil {
		return inv, err
	}
	if len(lines) == 0 {
		return inv, apperr.New(apperr.Invalid, "error.billing.empty_month")
	}
	if !found {
		inv = Invoice{TenantID: sc.TenantID(), ID: db.NewID(), Month: month, State: StateDraft, CreatedAt: now}
	}
	return inv, inv.write(ctx, tx, sc, lines, found, now)
}

// openInvoice finds the month's invoice that is not void and keeps others from
// it until the transaction ends.
func openInvoice(ctx context.Context, tx bun.Tx, sc tenants.Scope, month Month) (inv Invoice, found bool, err error) {
	err = tx.NewSelect().Model(&inv).ApplyQueryBuilder(sc.Where).Where("month = ? AND state <> ?", month, StateVoid).
		Apply(db.ForUpdate(tx)).Scan(ctx)
	if db.IsNoRows(err) {
		return inv, false, nil
	}
	if err != nil {
		return inv, false, fmt.Errorf("cannot load the draft: %w", err)
	}
	return inv, true, nil
}

// write saves the invoice with its lines, unless they are what it has.
func (inv *Invoice) write(ctx context.Context, tx bun.Tx, sc tenants.Scope, lines []Line, found bool, now time.Time) error {
	for i := range lines {
		lines[i].TenantID, lines[i].InvoiceID, lines[i].Ordinal = inv.TenantID, inv.ID, i+1
	}
	if found {
		old, err := linesOf(ctx, tx, sc, inv.ID)
		if err != nil || sameLines(old, lines) {
			return err
		}
		if inv.State, err = move(inv.State, eventRecount); err != nil {
			return err
		}
		inv.Previous = &Snapshot{At: inv.UpdatedAt, TotalFen: inv.TotalFen, Lines: old}
		inv.ReviewedAt = nil
		if _, err := tx.NewDelete().Model((*Line)(nil)).ApplyQueryBuilder(sc.Where).Where("invoice_id = ?", inv.ID).Exec(ctx); err != nil {
			return fmt.Errorf("cannot take the lines of the draft before away: %w", err)
		}
	}
	inv.add(lines)
	inv.UpdatedAt = now
	if err := inv.save(ctx, tx, found); err != nil {
		return err
	}
	if _, err := tx.NewInsert().Model(&lines).Exec(ctx); err != nil {
		return fmt.Errorf("cannot write the lines: %w", err)
	}
	return nil
}

func (inv *Invoice) save(ctx context.Context, tx bun.Tx, found bool) error {
	var err error
	if found {
		_, err = tx.NewUpdate().Model(inv).WherePK().Exec(ctx)
	} else {
		_, err = tx.NewInsert().Model(inv).Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("cannot write the invoice: %w", err)
	}
	return nil
}

// add computes the sums of the lines.
func (inv *Invoice) add(lines []Line) {
	inv.Receipts, inv.Points, inv.NetFen, inv.TaxFen = 0, 0, 0, 0
	for _, l := range lines {
		inv.Receipts += l.Receipts
		inv.Points += l.Points()
	}
	inv.Taxes = taxesOf(lines)
	for _, t := range inv.Taxes {
		inv.NetFen += t.NetFen
		inv.TaxFen += t.TaxFen
	}
	inv.TotalFen = inv.NetFen + inv.TaxFen
}

// countLines counts the month by the book: a line for each type at one price,
// and one for what lacks of the minimum.
func countLines(ctx context.Context, tx bun.IDB, sc tenants.Scope, b *book, month Month) ([]Line, error) {
	r, err := rate(ctx, tx, sc, b, month)
	if err != nil {
		return nil, err
	}
	groups, err := r.groups(ctx, tx, sc, "charge.type_name", nil)
	if err != nil {
		return nil, err
	}
	var newest string
	err = tx.NewSelect().Model((*Charge)(nil)).ColumnExpr("COALESCE(MAX(charge.id), '')").
		ApplyQueryBuilder(sc.Where).Where("charge.month = ?", month).Scan(ctx, &newest)
	if err != nil {
		return nil, fmt.Errorf("cannot find the newest charge: %w", err)
	}
	slices.SortFunc(groups, func(x, y group) int {
		return cmp.Or(cmp.Compare(x.span, y.span), cmp.Compare(x.TypeID, y.TypeID), cmp.Compare(x.TypeName, y.TypeName), cmp.Compare(x.Points, y.Points))
	})
	var lines []Line
	var amount int64
	for _, g := range groups {
		span := &r.spans[g.span]
		l := Line{Kind: LineReceipts, TypeID: g.TypeID, TypeName: g.TypeName, FromDay: span.fromDay, UntilDay: span.untilDay,
			AfterID: span.after, ThroughID: cmp.Or(span.through, newest), UnitPoints: g.Points, UnitFen: g.unitFen,
			Receipts: g.Receipts, AmountFen: g.Receipts * g.unitFen, TaxBP: span.terms.TaxBP, TaxIncluded: span.terms.TaxIncluded}
		amount += l.AmountFen
		lines = append(lines, l)
	}
	if lack := r.last.MinimumFen - amount; lack > 0 {
		lines = append(lines, Line{Kind: LineMinimum, FromDay: firstDay(month), UntilDay: lastDay(month), UnitFen: lack, AmountFen: lack,
			TaxBP: r.last.TaxBP, TaxIncluded: r.last.TaxIncluded})
	}
	return lines, nil
}

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
	for part := range slices.Chunk(all, draftsTogether) {
		errs = append(errs, s.draftAll(ctx, part, now)...)
	}
	return errors.Join(errs...)
}

// draftsTogether is how many drafts one commit makes durable: a disk takes as
// long to do that as the database to count a small tenant's month. The tenants'
// ledgers are locked that long.
const draftsTogether = 20

// draftAll makes drafts in one transaction, each behind a savepoint of its own.
func (s *Service) draftAll(ctx context.Context, months []dueMonth, now time.Time) (errs []error) {
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for _, m := range months {
			err := tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				_, err := draftIn(ctx, tx, tenants.ForTenant(m.TenantID), m.Month, now)
				return err
			})
			if err != nil && apperr.KindOf(err) != apperr.Invalid {
				errs = append(errs, fmt.Errorf("cannot draft %s of tenant %s: %w", m.Month, m.TenantID, err))
			}
		}
		return nil
	})
	if err != nil {
		errs = append(errs, fmt.Errorf("cannot keep the drafts: %w", err))
	}
	return errs
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
