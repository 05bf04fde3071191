package billing

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Detail is an invoice with everything that belongs to it and what the ledger
// says beside it.
type Detail struct {
	Invoice
	Lines    []Line
	Payments []Payment
	Credits  []CreditNote
	// Ledger is the month in the ledger by the price book. A draft that is up to
	// date agrees with it, and an invoice that is final always does.
	Ledger Sum
}

// Unbilled is the number of charges of the month that are on no line yet.
func (d *Detail) Unbilled() int64 { return d.Ledger.Receipts - d.Receipts }

// LinesFen adds the lines up; it is the invoice's total.
func (d *Detail) LinesFen() (fen int64) {
	for _, l := range d.Lines {
		fen += l.AmountFen
	}
	return fen
}

// Invoices lists the tenant's invoices, newest month first: twelve a year.
func (s *Service) Invoices(ctx context.Context, sc tenants.Scope) ([]Invoice, error) {
	var out []Invoice
	if err := s.db.NewSelect().Model(&out).ApplyQueryBuilder(sc.Where).Order("month DESC").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the invoices: %w", err)
	}
	return out, nil
}

// Invoice loads one invoice; NotFound if the tenant has none with the id.
func (s *Service) Invoice(ctx context.Context, sc tenants.Scope, id string) (*Detail, error) {
	inv, err := invoiceByID(ctx, s.db, sc, id)
	if err != nil {
		return nil, err
	}
	out := &Detail{Invoice: *inv}
	if out.Lines, err = linesOf(ctx, s.db, sc, id); err != nil {
		return nil, err
	}
	if out.Payments, err = paymentsOf(ctx, s.db, sc, id); err != nil {
		return nil, err
	}
	if out.Credits, err = creditsOf(ctx, s.db, sc, id); err != nil {
		return nil, err
	}
	r, err := newRater(ctx, s.db, sc)
	if err != nil {
		return nil, err
	}
	out.Ledger, err = r.sum(ctx, inv.Month)
	return out, err
}

// Head loads an invoice without what belongs to it; NotFound if the tenant has
// none with the id.
func (s *Service) Head(ctx context.Context, sc tenants.Scope, id string) (*Invoice, error) {
	return invoiceByID(ctx, s.db, sc, id)
}

// LinePage is one page of the charges on a line, in the order they were
// recorded, after the charge with the id after ("" for the first page). next is
// the id to go on from, or "".
func (s *Service) LinePage(ctx context.Context, sc tenants.Scope, invoiceID string, ordinal int, after string, size int) (entries []Entry, next string, err error) {
	var line Line
	err = s.db.NewSelect().Model(&line).ApplyQueryBuilder(sc.Where).
		Where("invoice_id = ? AND ordinal = ?", invoiceID, ordinal).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, "", apperr.New(apperr.NotFound, "error.billing.invoice_not_found")
	}
	if err != nil {
		return nil, "", fmt.Errorf("cannot load the line: %w", err)
	}
	inv, err := invoiceByID(ctx, s.db, sc, invoiceID)
	if err != nil {
		return nil, "", err
	}
	charges, err := lineCharges(ctx, s.db, sc, inv.Month, &line, after, size+1)
	if err != nil {
		return nil, "", err
	}
	if len(charges) > size {
		charges, next = charges[:size], charges[size-1].ID
	}
	for _, c := range charges {
		entries = append(entries, Entry{c, line.UnitFen})
	}
	return entries, next, nil
}

func invoiceByID(ctx context.Context, tx bun.IDB, sc tenants.Scope, id string) (*Invoice, error) {
	inv := new(Invoice)
	err := tx.NewSelect().Model(inv).ApplyQueryBuilder(sc.Where).Where("id = ?", id).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.billing.invoice_not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the invoice: %w", err)
	}
	return inv, nil
}

func linesOf(ctx context.Context, tx bun.IDB, sc tenants.Scope, invoiceID string) ([]Line, error) {
	var lines []Line
	err := tx.NewSelect().Model(&lines).ApplyQueryBuilder(sc.Where).Where("invoice_id = ?", invoiceID).Order("ordinal").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the lines: %w", err)
	}
	return lines, nil
}

// linesOfAll loads the lines of many invoices, by the invoice's id.
func linesOfAll(ctx context.Context, tx bun.IDB, of []Invoice) (map[string][]Line, error) {
	if len(of) == 0 {
		return nil, nil
	}
	var lines []Line
	err := tx.NewSelect().Model(&lines).Where("(tenant_id, invoice_id) IN (VALUES ?)", invoiceKeys(of)).
		Order("tenant_id", "invoice_id", "ordinal").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the lines: %w", err)
	}
	out := map[string][]Line{}
	for _, l := range lines {
		out[l.InvoiceID] = append(out[l.InvoiceID], l)
	}
	return out, nil
}

// invoiceKeys lists what names the invoices and their lines.
func invoiceKeys(of []Invoice) bun.ListValues {
	keys := make([]bun.TupleValues, len(of))
	for i, inv := range of {
		keys[i] = bun.Tuple([]string{inv.TenantID, inv.ID})
	}
	return bun.List(keys)
}

// EachOf visits the tenants' invoices with their lines, those of each newest
// first. The month narrows them, "" takes all.
func (s *Service) EachOf(ctx context.Context, of []tenants.Scope, month Month, visit func(*Detail) error) error {
	for part := range slices.Chunk(of, 100) {
		ids := make([]string, len(part))
		for i, sc := range part {
			ids[i] = sc.TenantID()
		}
		var list []Invoice
		q := s.db.NewSelect().Model(&list).Where("tenant_id IN (?)", bun.List(ids)).Order("tenant_id", "month DESC", "id DESC")
		if month != "" {
			q.Where("month = ?", month)
		}
		if err := q.Scan(ctx); err != nil {
			return fmt.Errorf("cannot list the invoices: %w", err)
		}
		lines, err := linesOfAll(ctx, s.db, list)
		if err != nil {
			return err
		}
		for _, inv := range list {
			if err := visit(&Detail{Invoice: inv, Lines: lines[inv.ID]}); err != nil {
				return err
			}
		}
	}
	return nil
}

// lineCharges reads the charges that the line holds after one of them.
func lineCharges(ctx context.Context, tx bun.IDB, sc tenants.Scope, month Month, l *Line, after string, limit int) ([]Charge, error) {
	if l.Kind != LineReceipts {
		return nil, nil
	}
	var out []Charge
	err := tx.NewSelect().Model(&out).ApplyQueryBuilder(sc.Where).
		Where("charge.month = ? AND charge.type_id = ? AND charge.type_name = ? AND charge.points = ?", month, l.TypeID, l.TypeName, l.UnitPoints).
		Where("charge.day BETWEEN ? AND ? AND charge.id > ? AND charge.id <= ?", l.FromDay, l.UntilDay, max(l.AfterID, after), l.ThroughID).
		Order("charge.id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the charges of the line: %w", err)
	}
	return out, nil
}
