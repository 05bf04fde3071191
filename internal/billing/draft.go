package billing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Draft builds the month's draft from the ledger at the tenant's present price,
// or brings an existing one up to date. The month may still be running.
//
// A draft only grows, because the ledger does: charges that are on a line stay
// there, new ones are added, and the figures are counted from the links. Doing
// it again is the same as doing it once, and two callers at once wait for each
// other at the invoice's row.
//
// An invoice that is no longer a draft is Conflict; a month without charges is
// Invalid, and gets no invoice.
func (s *Service) Draft(ctx context.Context, sc tenants.Scope, month Month, now time.Time) (Invoice, error) {
	var inv Invoice
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		tenant, err := tenants.Load(ctx, tx, sc)
		if err != nil {
			return err
		}
		if inv, err = lockInvoice(ctx, tx, sc, month, now); err != nil {
			return err
		}
		if inv.State != StateDraft {
			return apperr.New(apperr.Conflict, "error.billing.not_draft")
		}
		if err := addCharges(ctx, tx, sc, &inv); err != nil {
			return err
		}
		lines, err := priceLines(ctx, tx, sc, &inv, tenant)
		if err != nil {
			return err
		}
		inv.FenPer1000Points, inv.UpdatedAt = tenant.FenPer1000Points, now
		inv.Receipts, inv.Points, inv.TotalFen = 0, 0, 0
		for _, l := range lines {
			inv.Receipts += l.Receipts
			inv.Points += l.Points()
			inv.TotalFen += l.AmountFen
		}
		if inv.Receipts == 0 {
			return apperr.New(apperr.Invalid, "error.billing.empty_month")
		}
		if _, err := tx.NewUpdate().Model(&inv).WherePK().Exec(ctx); err != nil {
			return fmt.Errorf("cannot write the draft: %w", err)
		}
		return nil
	})
	if err != nil {
		return Invoice{}, err
	}
	return inv, nil
}

// lockInvoice finds or makes the month's invoice and keeps others from it until
// the transaction ends.
func lockInvoice(ctx context.Context, tx bun.Tx, sc tenants.Scope, month Month, now time.Time) (Invoice, error) {
	inv := Invoice{TenantID: sc.TenantID(), ID: db.NewID(), Month: month, State: StateDraft, CreatedAt: now, UpdatedAt: now}
	if _, err := tx.NewInsert().Model(&inv).On("CONFLICT (tenant_id, month) DO NOTHING").Exec(ctx); err != nil {
		return inv, fmt.Errorf("cannot open the draft: %w", err)
	}
	var found Invoice
	err := tx.NewSelect().Model(&found).ApplyQueryBuilder(sc.Where).Where("month = ?", month).Apply(db.ForUpdate(tx)).Scan(ctx)
	if err != nil {
		return inv, fmt.Errorf("cannot load the draft: %w", err)
	}
	return found, nil
}

// addCharges puts the charges that the draft lacks on its lines, and makes the
// lines that they need. Mostly there are none, which two counts tell.
func addCharges(ctx context.Context, tx bun.Tx, sc tenants.Scope, inv *Invoice) error {
	charged, err := tx.NewSelect().Model((*Charge)(nil)).ApplyQueryBuilder(sc.Where).Where("month = ?", inv.Month).Count(ctx)
	if err != nil {
		return fmt.Errorf("cannot count the charges of the month: %w", err)
	}
	linked, err := tx.NewSelect().Model((*link)(nil)).ApplyQueryBuilder(sc.Where).Where("invoice_id = ?", inv.ID).Count(ctx)
	if err != nil {
		return fmt.Errorf("cannot count the charges of the draft: %w", err)
	}
	if charged == linked {
		return nil
	}
	if err := addLines(ctx, tx, sc, inv); err != nil {
		return err
	}
	return linkCharges(ctx, tx, sc, inv)
}

// sameLine tells that a charge belongs on a line: one type, by the name it was
// charged under, at one price.
const sameLine = "line.tenant_id = charge.tenant_id AND line.type_id = charge.type_id AND line.type_name = charge.type_name AND line.unit_points = charge.points"

// addLines gives the draft an empty line for every type that has none yet.
func addLines(ctx context.Context, tx bun.Tx, sc tenants.Scope, inv *Invoice) error {
	last, err := tx.NewSelect().Model((*Line)(nil)).ApplyQueryBuilder(sc.Where).Where("invoice_id = ?", inv.ID).Count(ctx)
	if err != nil {
		return fmt.Errorf("cannot count the lines: %w", err)
	}
	var lines []Line
	err = tx.NewSelect().Model((*Charge)(nil)).Distinct().
		ColumnExpr("charge.type_id, charge.type_name, charge.points AS unit_points").
		ApplyQueryBuilder(sc.Where).Where("charge.month = ?", inv.Month).
		Where("NOT EXISTS (SELECT 1 FROM invoice_lines AS line WHERE line.invoice_id = ? AND "+sameLine+")", inv.ID).
		Order("type_id", "type_name", "unit_points").Scan(ctx, &lines)
	if err != nil {
		return fmt.Errorf("cannot find the month's types: %w", err)
	}
	if len(lines) == 0 {
		return nil
	}
	for i := range lines {
		lines[i].TenantID, lines[i].InvoiceID, lines[i].Ordinal = sc.TenantID(), inv.ID, int(last)+i+1
	}
	if _, err := tx.NewInsert().Model(&lines).Exec(ctx); err != nil {
		return fmt.Errorf("cannot write the lines: %w", err)
	}
	return nil
}

// linkCharges puts every charge of the month that is on no line onto its line.
//
// Those that are on one already are left to ON CONFLICT, which looks them up by
// index. A NOT EXISTS would be shorter work, but PostgreSQL, seeing an empty
// table when it plans, scans it for each charge while it fills: 100,000 charges
// took over ten minutes.
func linkCharges(ctx context.Context, tx bun.Tx, sc tenants.Scope, inv *Invoice) error {
	charges := tx.NewSelect().Model((*Charge)(nil)).
		ColumnExpr("charge.tenant_id, charge.id, line.invoice_id, line.ordinal").
		Join("JOIN invoice_lines AS line ON line.invoice_id = ? AND "+sameLine, inv.ID).
		ApplyQueryBuilder(sc.Where).Where("charge.month = ?", inv.Month)
	_, err := tx.NewRaw("INSERT INTO invoiced_charges (tenant_id, charge_id, invoice_id, line_ordinal) ? "+
		"ON CONFLICT (tenant_id, charge_id) DO NOTHING", charges).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot put the charges on their lines: %w", err)
	}
	return nil
}

// priceLines counts each line from the charges that are on it, and prices it.
func priceLines(ctx context.Context, tx bun.Tx, sc tenants.Scope, inv *Invoice, tenant *tenants.Tenant) ([]Line, error) {
	lines, err := linesOf(ctx, tx, sc, inv.ID)
	if err != nil {
		return nil, err
	}
	var counts []struct {
		LineOrdinal int
		Receipts    int64
	}
	err = tx.NewSelect().Model((*link)(nil)).ColumnExpr("link.line_ordinal, COUNT(*) AS receipts").
		ApplyQueryBuilder(sc.Where).Where("link.invoice_id = ?", inv.ID).GroupExpr("link.line_ordinal").Scan(ctx, &counts)
	if err != nil {
		return nil, fmt.Errorf("cannot count the charges of the lines: %w", err)
	}
	byOrdinal := map[int]int64{}
	for _, c := range counts {
		byOrdinal[c.LineOrdinal] = c.Receipts
	}
	for i := range lines {
		l := &lines[i]
		l.Receipts, l.UnitFen = byOrdinal[l.Ordinal], tenant.Cost(l.UnitPoints)
		l.AmountFen = l.Receipts * l.UnitFen
		if _, err := tx.NewUpdate().Model(l).WherePK().Exec(ctx); err != nil {
			return nil, fmt.Errorf("cannot write line %d: %w", l.Ordinal, err)
		}
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
LEFT JOIN invoices AS invoice ON invoice.tenant_id = months.tenant_id AND invoice.month = months.month
WHERE months.month < ? AND (invoice.id IS NULL OR (invoice.state = ? AND invoice.receipts <>
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
	months, err := dueMonths(ctx, s.db, tenants.AllTenants("months end for everybody at once"), now)
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range months {
		if _, err := s.Draft(ctx, tenants.ForTenant(m.TenantID), m.Month, now); err != nil {
			errs = append(errs, fmt.Errorf("cannot draft %s of tenant %s: %w", m.Month, m.TenantID, err))
		}
	}
	return errors.Join(errs...)
}

func dueMonths(ctx context.Context, tx bun.IDB, _ tenants.Sweep, now time.Time) ([]dueMonth, error) {
	var months []dueMonth
	if err := tx.NewRaw(due, MonthOf(now), StateDraft).Scan(ctx, &months); err != nil {
		return nil, fmt.Errorf("cannot find the months to draft: %w", err)
	}
	return months, nil
}
