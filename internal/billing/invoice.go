package billing

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Detail is an invoice with its lines and what the ledger says beside it.
type Detail struct {
	Invoice
	Lines []Line
	// Ledger is the month in the ledger at the invoice's price. A draft that is
	// up to date agrees with it.
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
	sums, err := sumMonths(ctx, s.db, sc, []Month{inv.Month}, func(Month) price { return price(inv.FenPer1000Points) })
	if err != nil {
		return nil, err
	}
	out.Ledger = sums[inv.Month]
	return out, nil
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
	charges, err := lineCharges(ctx, s.db, sc, invoiceID, ordinal, after, size+1)
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

func lineCharges(ctx context.Context, tx bun.IDB, sc tenants.Scope, invoiceID string, ordinal int, after string, limit int) ([]Charge, error) {
	var out []Charge
	err := tx.NewSelect().Model(&out).
		Join("JOIN invoiced_charges AS link ON link.tenant_id = charge.tenant_id AND link.charge_id = charge.id").
		ApplyQueryBuilder(sc.Where).
		Where("link.tenant_id = ? AND link.invoice_id = ? AND link.line_ordinal = ? AND link.charge_id > ?", sc.TenantID(), invoiceID, ordinal, after).
		Order("link.charge_id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the charges of the line: %w", err)
	}
	return out, nil
}
