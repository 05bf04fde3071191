package billing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"
)

// MovementKind is what changed what a tenant owes.
type MovementKind string

// The kinds of movements.
const (
	MovedInvoice MovementKind = "invoice" // made final: owed more
	MovedVoid    MovementKind = "void"    // taken back: owed less
	MovedCredit  MovementKind = "credit"  // credit note: owed less
	MovedPayment MovementKind = "payment" // money came: owed less
	MovedRefund  MovementKind = "refund"  // money went back: owed more
	// MovedTopUp is money that came for a wallet. It changes nothing that is owed on
	// invoices, and only TopUps lists it.
	MovedTopUp MovementKind = "top_up"
)

// Movement is one change of what a tenant owes. The movements of a tenant up to
// now add up to what is open on its invoices.
type Movement struct {
	TenantID  string
	Day       string // "2026-11-20", in Asia/Shanghai; of payments as the bank says
	Kind      MovementKind
	ID        string // of the invoice, payment or credit note
	Number    string // of the invoice, or of the credit note
	Invoice   string // number of the invoice that it belongs to
	Reference string // of the remittance, or the reason of a credit note
	Method    string // of a payment
	Month     Month  // of the invoice
	Fen       int64  // owed more, or less when negative
	TaxFen    int64  // part of Fen, with its sign; 0 for money
}

// Movements lists what changed from the first day of a month ("" for ever) to
// the last of another, by day and in a fixed order. They are all in memory: at
// most a few a month and tenant.
func (s *Service) Movements(ctx context.Context, books Books, from, until Month) ([]Movement, error) {
	first := time.Time{}
	firstOf := ""
	if from != "" {
		first, firstOf = from.Start(), firstDay(from)
	}
	var out []Movement
	var invoices []Invoice
	err := s.db.NewSelect().Model(&invoices).ApplyQueryBuilder(books.where).Where("number IS NOT NULL").
		Where("finalized_at < ? AND (finalized_at >= ? OR closed_at >= ?)", until.End().UTC(), first.UTC(), first.UTC()).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the invoices: %w", err)
	}
	within := func(at time.Time) bool { return !at.Before(first) && at.Before(until.End()) }
	for i := range invoices {
		inv := &invoices[i]
		m := Movement{TenantID: inv.TenantID, Day: dayOf(*inv.FinalizedAt), Kind: MovedInvoice, ID: inv.ID, Number: *inv.Number, Invoice: *inv.Number,
			Month: inv.Month, Fen: inv.TotalFen, TaxFen: inv.TaxFen}
		if within(*inv.FinalizedAt) {
			out = append(out, m)
		}
		if inv.State == StateVoid && within(*inv.ClosedAt) {
			m.Kind, m.Day, m.Fen, m.TaxFen = MovedVoid, dayOf(*inv.ClosedAt), -m.Fen, -m.TaxFen
			out = append(out, m)
		}
	}
	paid, err := s.paidIn(ctx, books, firstOf, lastDay(until))
	if err != nil {
		return nil, err
	}
	credited, err := s.creditedIn(ctx, books, first, until.End())
	if err != nil {
		return nil, err
	}
	out = slices.Concat(out, paid, credited)
	order := map[MovementKind]int{MovedInvoice: 0, MovedCredit: 1, MovedPayment: 2, MovedRefund: 3, MovedVoid: 4}
	slices.SortFunc(out, func(a, b Movement) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Invoice, b.Invoice), cmp.Compare(order[a.Kind], order[b.Kind]), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// billed is the invoice that something belongs to.
type billed struct {
	InvoiceNumber string
	InvoiceMonth  Month
}

func ofInvoice(q *bun.SelectQuery) *bun.SelectQuery {
	return q.ColumnExpr("?TableAlias.*, invoice.number AS invoice_number, invoice.month AS invoice_month").
		Join("JOIN invoices AS invoice ON invoice.tenant_id = ?TableAlias.tenant_id AND invoice.id = ?TableAlias.invoice_id")
}

func (s *Service) paidIn(ctx context.Context, books Books, from, until string) ([]Movement, error) {
	var rows []struct {
		Payment `bun:",extend"`
		billed
	}
	err := s.db.NewSelect().Model(&rows).Apply(ofInvoice).ApplyQueryBuilder(books.where).
		Where("payment.paid_day BETWEEN ? AND ?", from, until).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the payments: %w", err)
	}
	var out []Movement
	for _, r := range rows {
		out = append(out, Movement{TenantID: r.TenantID, Day: r.PaidDay, Kind: MovedPayment, ID: r.ID, Number: r.InvoiceNumber, Invoice: r.InvoiceNumber,
			Reference: r.Reference, Method: r.Method, Month: r.InvoiceMonth, Fen: -r.Fen})
	}
	return out, nil
}

func (s *Service) creditedIn(ctx context.Context, books Books, from, before time.Time) ([]Movement, error) {
	var rows []struct {
		CreditNote `bun:",extend"`
		billed
	}
	err := s.db.NewSelect().Model(&rows).Apply(ofInvoice).ApplyQueryBuilder(books.where).
		Where("credit.issued_at >= ? AND credit.issued_at < ?", from.UTC(), before.UTC()).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the credit notes: %w", err)
	}
	var out []Movement
	for _, r := range rows {
		m := Movement{TenantID: r.TenantID, Day: dayOf(r.IssuedAt), Kind: MovedCredit, ID: r.ID, Number: r.Number, Invoice: r.InvoiceNumber,
			Reference: r.Reason, Month: r.InvoiceMonth, Fen: -r.TotalFen, TaxFen: -r.TaxFen}
		out = append(out, m)
		if r.Refund != "" { // the money went back as well, so that nothing is owed less
			m.Kind, m.Reference, m.Fen, m.TaxFen = MovedRefund, r.Refund, r.TotalFen, 0
			out = append(out, m)
		}
	}
	return out, nil
}

// TopUps lists the money that came for wallets in the span, by day, with negative
// amounts like payments.
func (s *Service) TopUps(ctx context.Context, books Books, span Span) ([]Movement, error) {
	var rows []WalletEntry
	err := s.db.NewSelect().Model(&rows).ApplyQueryBuilder(books.where).
		Where("entry.kind = ? AND entry.at >= ? AND entry.at < ?", WalletTopUp, span.From.Start().UTC(), span.Until.End().UTC()).
		Order("entry.at", "entry.id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the top-ups: %w", err)
	}
	var out []Movement
	for _, r := range rows {
		out = append(out, Movement{TenantID: r.TenantID, Day: dayOf(r.At), Kind: MovedTopUp, ID: r.ID, Reference: r.Reference, Month: MonthOf(r.At), Fen: -r.Fen})
	}
	return out, nil
}
