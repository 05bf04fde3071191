package billing

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Trace is the way of one charge: what it cost and why, the line it is on, and
// what was paid for its invoice. Nobody's name is in it.
type Trace struct {
	Entry
	// Why it costs what it costs.
	Free             bool   // within the month's free receipts
	TypeFen          *int64 // the price of its type, when that has one of its own
	FenPer1000Points int64
	Tiers            int // of the price; 1 when there is but one
	TaxBP            int64
	TaxIncluded      bool
	// Invoice is the one that bills it, nil while there is none; Line is nil when
	// the draft was built before the charge came.
	Invoice  *Invoice
	Line     *Line
	Payments []Payment
	Credits  []CreditNote
}

// Trace follows a charge to its invoice and payments; NotFound if the tenant has
// none with the id.
func (s *Service) Trace(ctx context.Context, sc tenants.Scope, chargeID string) (*Trace, error) {
	out := new(Trace)
	err := s.db.NewSelect().Model(&out.Charge).ApplyQueryBuilder(sc.Where).Where("charge.id = ?", chargeID).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.billing.charge_not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the charge: %w", err)
	}
	r, err := newRater(ctx, s.db, sc)
	if err != nil {
		return nil, err
	}
	rated, err := r.of(ctx, out.Month)
	if err != nil {
		return nil, err
	}
	if out.Fen, err = rated.unitFen(&out.Charge); err != nil {
		return nil, err
	}
	for i := range rated.spans {
		if span := &rated.spans[i]; span.holds(out.Day, out.ID) {
			out.Free, out.FenPer1000Points, out.Tiers = span.free, span.tier.FenPer1000Points, len(span.terms.Tiers)
			out.TaxBP, out.TaxIncluded = span.terms.TaxBP, span.terms.TaxIncluded
			if fen, own := span.tier.Types[out.TypeID]; own {
				out.TypeFen = &fen
			}
		}
	}
	b, err := loadMonthBill(ctx, s.db, sc, out.Month)
	if err != nil || b == nil {
		return out, err
	}
	out.Invoice, out.Line = &b.Invoice, b.lineOf(&out.Charge)
	if out.Payments, err = paymentsOf(ctx, s.db, sc, b.ID); err != nil {
		return nil, err
	}
	out.Credits, err = creditsOf(ctx, s.db, sc, b.ID)
	return out, err
}

// monthBill is a month's invoice that is not void, with its lines.
type monthBill struct {
	Invoice
	lines []Line
}

// loadMonthBill loads it, or nil when the month has none.
func loadMonthBill(ctx context.Context, tx bun.IDB, sc tenants.Scope, month Month) (*monthBill, error) {
	b := new(monthBill)
	err := tx.NewSelect().Model(&b.Invoice).ApplyQueryBuilder(sc.Where).Where("month = ? AND state <> ?", month, StateVoid).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the month's invoice: %w", err)
	}
	b.lines, err = linesOf(ctx, tx, sc, b.ID)
	return b, err
}

// lineOf is the line that the charge is on, nil when it is on none yet.
func (b *monthBill) lineOf(c *Charge) *Line {
	for i := range b.lines {
		if b.lines[i].holds(c) {
			return &b.lines[i]
		}
	}
	return nil
}

// holds tells that the charge of the line's month is on the line; it says what
// lineCharges asks the database.
func (l *Line) holds(c *Charge) bool {
	return l.Kind == LineReceipts && l.TypeID == c.TypeID && l.TypeName == c.TypeName && l.UnitPoints == c.Points &&
		l.FromDay <= c.Day && c.Day <= l.UntilDay && c.ID > l.AfterID && c.ID <= l.ThroughID
}

// Placed is where charges stand on their month's invoice.
type Placed struct {
	InvoiceID string
	Ordinals  map[string]int // of lines, by charge id; a charge without one is on no line yet
}

// Place finds the lines of charges of one month; nil when it has no invoice.
func (s *Service) Place(ctx context.Context, sc tenants.Scope, month Month, entries []Entry) (*Placed, error) {
	b, err := loadMonthBill(ctx, s.db, sc, month)
	if err != nil || b == nil {
		return nil, err
	}
	out := &Placed{InvoiceID: b.ID, Ordinals: map[string]int{}}
	for i := range entries {
		if l := b.lineOf(&entries[i].Charge); l != nil {
			out.Ordinals[entries[i].ID] = l.Ordinal
		}
	}
	return out, nil
}
