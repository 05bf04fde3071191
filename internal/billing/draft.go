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

// draftPart is how many charges are put on lines in one transaction: on SQLite
// everybody who writes waits for it.
const draftPart = 5000

// Draft builds the month's draft from the ledger at the tenant's present price,
// or brings an existing one up to date. The month may still be running.
//
// A draft only grows, because the ledger does: charges that are on a line stay
// there, new ones are added, and the figures are counted from the links. So it
// can be built in parts, each of which leaves a draft that adds up; doing it
// again is the same as doing it once; and two callers at once wait for each
// other at the invoice's row.
//
// An invoice that is no longer a draft is Conflict; a month without charges is
// Invalid, and gets no invoice.
func (s *Service) Draft(ctx context.Context, sc tenants.Scope, month Month, now time.Time) (Invoice, error) {
	var inv Invoice
	for after, more := "", true; more; more = after != "" {
		err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			var err error
			if inv, err = lockInvoice(ctx, tx, sc, month, now); err != nil {
				return err
			}
			if inv.State != StateDraft {
				return apperr.New(apperr.Conflict, "error.billing.not_draft")
			}
			if after, err = addCharges(ctx, tx, sc, &inv, after); err != nil {
				return err
			}
			return count(ctx, tx, sc, &inv, now)
		})
		if err != nil {
			return Invoice{}, err
		}
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

// addCharges puts the next part of the charges after the one with that id on
// their lines, and returns where the part after that begins, "" at the end. A
// draft that lacks nothing is left alone, which two counts tell.
func addCharges(ctx context.Context, tx bun.Tx, sc tenants.Scope, inv *Invoice, after string) (next string, err error) {
	if after == "" {
		complete, err := isComplete(ctx, tx, sc, inv)
		if err != nil || complete {
			return "", err
		}
		if err := addLines(ctx, tx, sc, inv); err != nil {
			return "", err
		}
	}
	err = tx.NewSelect().Model((*Charge)(nil)).Column("id").ApplyQueryBuilder(sc.Where).
		Where("month = ? AND id > ?", inv.Month, after).Order("id").Offset(draftPart-1).Limit(1).Scan(ctx, &next)
	if err != nil && !db.IsNoRows(err) {
		return "", fmt.Errorf("cannot find the end of the part: %w", err)
	}
	return next, linkCharges(ctx, tx, sc, inv, after, next)
}

// isComplete tells that the draft has every charge of its month.
func isComplete(ctx context.Context, tx bun.Tx, sc tenants.Scope, inv *Invoice) (bool, error) {
	charged, err := tx.NewSelect().Model((*Charge)(nil)).ApplyQueryBuilder(sc.Where).Where("month = ?", inv.Month).Count(ctx)
	if err != nil {
		return false, fmt.Errorf("cannot count the charges of the month: %w", err)
	}
	linked, err := tx.NewSelect().Model((*link)(nil)).ApplyQueryBuilder(sc.Where).Where("invoice_id = ?", inv.ID).Count(ctx)
	if err != nil {
		return false, fmt.Errorf("cannot count the charges of the draft: %w", err)
	}
	return charged == linked, nil
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

// linkCharges puts the month's charges with ids after one and up to another (""
// for no end) onto their lines.
//
// It says how, because PostgreSQL plans it on tables that are empty or just
// filled, and guesses wrong: MATERIALIZED, so that the part is read once and not
// once for each line; ON CONFLICT and not NOT EXISTS for what is on a line
// already, because that scanned the growing table for each charge (100,000 of
// them took over ten minutes).
func linkCharges(ctx context.Context, tx bun.Tx, sc tenants.Scope, inv *Invoice, after, last string) error {
	part := tx.NewSelect().Model((*Charge)(nil)).Column("tenant_id", "id", "type_id", "type_name", "points").
		ApplyQueryBuilder(sc.Where).Where("month = ? AND id > ?", inv.Month, after)
	if last != "" {
		part.Where("id <= ?", last)
	}
	_, err := tx.NewRaw(`INSERT INTO invoiced_charges (tenant_id, charge_id, invoice_id, line_ordinal)
		WITH charge AS MATERIALIZED (?)
		SELECT charge.tenant_id, charge.id, line.invoice_id, line.ordinal
		FROM charge JOIN invoice_lines AS line ON line.invoice_id = ? AND `+sameLine+`
		WHERE true ON CONFLICT (tenant_id, charge_id) DO NOTHING`, part, inv.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot put the charges on their lines: %w", err)
	}
	return nil
}

// count counts each line from the charges that are on it, prices it, and adds
// the lines up.
func count(ctx context.Context, tx bun.Tx, sc tenants.Scope, inv *Invoice, now time.Time) error {
	tenant, err := tenants.Load(ctx, tx, sc)
	if err != nil {
		return err
	}
	lines, err := linesOf(ctx, tx, sc, inv.ID)
	if err != nil {
		return err
	}
	var counts []struct {
		LineOrdinal int
		Receipts    int64
	}
	err = tx.NewSelect().Model((*link)(nil)).ColumnExpr("link.line_ordinal, COUNT(*) AS receipts").
		ApplyQueryBuilder(sc.Where).Where("link.invoice_id = ?", inv.ID).GroupExpr("link.line_ordinal").Scan(ctx, &counts)
	if err != nil {
		return fmt.Errorf("cannot count the charges of the lines: %w", err)
	}
	byOrdinal := map[int]int64{}
	for _, c := range counts {
		byOrdinal[c.LineOrdinal] = c.Receipts
	}
	inv.FenPer1000Points, inv.UpdatedAt = tenant.FenPer1000Points, now
	inv.Receipts, inv.Points, inv.TotalFen = 0, 0, 0
	for i := range lines {
		l := &lines[i]
		l.Receipts, l.UnitFen = byOrdinal[l.Ordinal], tenant.Cost(l.UnitPoints)
		l.AmountFen = l.Receipts * l.UnitFen
		if _, err := tx.NewUpdate().Model(l).WherePK().Exec(ctx); err != nil {
			return fmt.Errorf("cannot write line %d: %w", l.Ordinal, err)
		}
		inv.Receipts += l.Receipts
		inv.Points += l.Points()
		inv.TotalFen += l.AmountFen
	}
	if inv.Receipts == 0 {
		return apperr.New(apperr.Invalid, "error.billing.empty_month")
	}
	if _, err := tx.NewUpdate().Model(inv).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("cannot write the draft: %w", err)
	}
	return nil
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
