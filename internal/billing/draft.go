package billing

import (
	"context"
	"fmt"
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
	d := newDraft(sc, month)
	if err := draftTogether(ctx, tx, []*draft{d}, now); err != nil {
		return Invoice{}, err
	}
	return d.inv, d.err
}

// draft is a tenant's month on its way to being an invoice.
type draft struct {
	rating
	inv   Invoice
	found bool   // the invoice was there before
	old   []Line // what it had
	lines []Line // what it has now
}

func newDraft(sc tenants.Scope, month Month) *draft {
	return &draft{rating: rating{sc: sc, month: month}}
}

// draftTogether makes the drafts with a few statements for all of them. What
// keeps a single one from its invoice is its err, and the others go on; an error
// of the database is everybody's.
func draftTogether(ctx context.Context, tx bun.Tx, list []*draft, now time.Time) error {
	ratings := make([]*rating, len(list))
	for i, d := range list {
		ratings[i] = &d.rating
	}
	if err := lockLedgers(ctx, tx, tenantIDs(ratings)); err != nil {
		return err
	}
	if err := openBooks(ctx, tx, ratings); err != nil {
		return err
	}
	if err := loadDrafts(ctx, tx, list); err != nil {
		return err
	}
	if err := rateAll(ctx, tx, ratings); err != nil {
		return err
	}
	lines, err := countAll(ctx, tx, ratings)
	if err != nil {
		return err
	}
	for i, d := range list {
		if d.lines = lines[i]; d.err == nil && len(d.lines) == 0 {
			d.err = apperr.New(apperr.Invalid, "error.billing.empty_month")
		}
	}
	return writeDrafts(ctx, tx, list, now)
}

// loadDrafts finds the invoices of the months that are not void, with their
// lines, and keeps others from them until the transaction ends.
func loadDrafts(ctx context.Context, tx bun.Tx, list []*draft) error {
	months := make([]bun.TupleValues, len(list))
	byMonth := map[dueMonth]*draft{}
	for i, d := range list {
		key := dueMonth{d.sc.TenantID(), d.month}
		months[i], byMonth[key] = bun.Tuple([]string{key.TenantID, string(key.Month)}), d
	}
	var invoices []Invoice
	err := tx.NewSelect().Model(&invoices).Where("(tenant_id, month) IN (VALUES ?)", bun.List(months)).Where("state <> ?", StateVoid).
		Order("tenant_id", "month").Apply(db.ForUpdate(tx)).Scan(ctx)
	if err != nil {
		return fmt.Errorf("cannot load the drafts: %w", err)
	}
	lines, err := linesOfAll(ctx, tx, invoices)
	if err != nil {
		return err
	}
	for _, inv := range invoices {
		d := byMonth[dueMonth{inv.TenantID, inv.Month}]
		d.inv, d.found, d.old = inv, true, lines[inv.ID]
		if !inv.Editable() {
			d.err = apperr.New(apperr.Conflict, "error.billing.not_draft")
		}
	}
	return nil
}

// writeDrafts saves the invoices with their lines, but for those that are what
// they were.
func writeDrafts(ctx context.Context, tx bun.Tx, list []*draft, now time.Time) error {
	var made []*Invoice
	var changed []Invoice
	var lines []Line
	for _, d := range list {
		if d.err != nil {
			continue
		}
		if err := d.build(now); err != nil {
			return err
		}
		switch {
		case !d.found:
			made = append(made, &d.inv)
		case sameLines(d.old, d.lines):
			continue
		default:
			changed = append(changed, d.inv)
		}
		lines = append(lines, d.lines...)
	}
	if len(made) > 0 {
		if _, err := tx.NewInsert().Model(&made).Exec(ctx); err != nil {
			return fmt.Errorf("cannot write the drafts: %w", err)
		}
	}
	for i := range changed {
		if err := changed[i].save(ctx, tx); err != nil {
			return err
		}
	}
	if len(changed) > 0 {
		_, err := tx.NewDelete().Model((*Line)(nil)).Where("(tenant_id, invoice_id) IN (VALUES ?)", invoiceKeys(changed)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot take the lines of the drafts before away: %w", err)
		}
	}
	if len(lines) > 0 {
		if _, err := tx.NewInsert().Model(&lines).Exec(ctx); err != nil {
			return fmt.Errorf("cannot write the lines: %w", err)
		}
	}
	return nil
}

// build makes the invoice say what its lines say.
func (d *draft) build(now time.Time) error {
	if !d.found {
		d.inv = Invoice{TenantID: d.sc.TenantID(), ID: db.NewID(), Month: d.month, State: StateDraft, CreatedAt: now}
	}
	for i := range d.lines {
		d.lines[i].TenantID, d.lines[i].InvoiceID, d.lines[i].Ordinal = d.inv.TenantID, d.inv.ID, i+1
	}
	if d.found {
		if sameLines(d.old, d.lines) {
			return nil
		}
		var err error
		if d.inv.State, err = move(d.inv.State, eventRecount); err != nil {
			return err
		}
		d.inv.Previous = &Snapshot{At: d.inv.UpdatedAt, TotalFen: d.inv.TotalFen, Lines: d.old}
		d.inv.ReviewedAt = nil
	}
	d.inv.add(d.lines)
	d.inv.UpdatedAt = now
	return nil
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

func (inv *Invoice) save(ctx context.Context, tx bun.Tx) error {
	if _, err := tx.NewUpdate().Model(inv).WherePK().Exec(ctx); err != nil {
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
