// Package billing turns receipts into money: an append-only ledger with one
// charge per completed attempt, sealed day by day; a price book; the usage of a
// month; and invoices with their payments and credit notes.
//
//	ledger.go, free.go, ocrcall.go  what happened: charges, free failures, OCR calls
//	seal.go, verify.go              the hash chain over finished days
//	price.go, pricebook.go          what receipts cost, and when
//	shelf.go                        changes of the price book, and their history
//	rating.go                       which price holds for which charge
//	draft.go, run.go                invoices built from the ledger
//	life.go, finalize.go            the one table of an invoice's moves; its number
//	payment.go, credit.go           what was paid and what was forgiven
//	wallet.go, wallethold.go        prepaid money and credit limits: what orders hold
//	walletinvoice.go                what a wallet has to do with invoices
//	protect.go                      what the database itself refuses to change
//	figures.go, list.go, ageing.go  what the platform's finance staff look at
//	remittance.go, match.go         which invoice a bank transfer pays
//	trace.go                        from a charge to its line, invoice and payments
//
// Money is counted one way everywhere: each charge has a price of its own
// (Terms says how it is rounded), the charges of a line have the same, count
// times unit price is the amount, and the lines add up to the invoice, all to
// the fen and at any price. Only tax is rounded once more, for each rate of an
// invoice.
package billing

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Invoice is one tenant's bill for one month. A draft has no number: it is given
// when the invoice is made final, and from then on only its state and what was
// paid and credited change, which the database enforces.
type Invoice struct {
	bun.BaseModel `bun:"table:invoices,alias:invoice"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	Month         Month
	State         State
	Number        *string // "INV2026-000123"
	Receipts      int64
	Points        int64
	NetFen        int64
	TaxFen        int64
	TotalFen      int64     // NetFen + TaxFen
	Taxes         []TaxLine `bun:"type:jsonb"`
	Previous      *Snapshot `bun:"type:jsonb,nullzero"` // the draft before, for the review
	PaidFen       int64
	CreditedFen   int64 // by credit notes that lower what is due
	RefundedFen   int64 // by credit notes that give back what was paid
	DueDay        string
	CreatedAt     time.Time
	UpdatedAt     time.Time // when it was last built from the ledger
	ReviewedAt    *time.Time
	FinalizedAt   *time.Time
	SentAt        *time.Time
	ClosedAt      *time.Time // when it was paid, made void or written off
	RemindedAt    *time.Time
	Reminders     int64
}

// OpenFen is what is still to be paid. Nothing is due on a draft or a void
// invoice.
func (inv *Invoice) OpenFen() int64 {
	if inv.Number == nil || inv.State == StateVoid {
		return 0
	}
	return inv.TotalFen - inv.PaidFen - inv.CreditedFen
}

// AmountFen is what the lines add up to: the total, without taxes that are not
// included in the prices.
func (inv *Invoice) AmountFen() (fen int64) {
	for _, t := range inv.Taxes {
		fen += t.AmountFen
	}
	return fen
}

// Editable tells that the invoice is still counted from the ledger.
func (inv *Invoice) Editable() bool { return inv.State == StateDraft || inv.State == StateReviewed }

// Snapshot is what a draft said before it was counted again.
type Snapshot struct {
	At       time.Time `json:"at"`
	TotalFen int64     `json:"total_fen"`
	Lines    []Line    `json:"lines"`
}

// LineKind tells what a line bills.
type LineKind string

// The kinds of lines.
const (
	LineReceipts LineKind = "receipts" // charges of one type at one price
	LineMinimum  LineKind = "minimum"  // what a month lacks of the agreed minimum
)

// Line is the part of an invoice for one receipt type at one price:
// Receipts x UnitFen = AmountFen, which the database checks. It holds the charges
// of its month, type and points with days in [FromDay, UntilDay] and ids in
// (AfterID, ThroughID], so that a charge is on one line by construction.
type Line struct {
	bun.BaseModel `bun:"table:invoice_lines,alias:line" json:"-"`
	TenantID      string   `bun:",pk" json:"-"`
	InvoiceID     string   `bun:",pk" json:"-"`
	Ordinal       int      `bun:",pk" json:"ordinal"`
	Kind          LineKind `json:"kind"`
	TypeID        int      `json:"type_id"`
	TypeName      string   `json:"type_name"`
	FromDay       string   `json:"from_day"`
	UntilDay      string   `json:"until_day"`
	AfterID       string   `json:"-"`
	ThroughID     string   `json:"-"`
	UnitPoints    int64    `json:"unit_points"` // what one receipt cost upstream
	UnitFen       int64    `json:"unit_fen"`    // what it costs the tenant
	Receipts      int64    `json:"receipts"`
	AmountFen     int64    `json:"amount_fen"`
	TaxBP         int64    `bun:"tax_bp" json:"tax_bp"`
	TaxIncluded   bool     `json:"tax_included"`
}

// Points is what the line cost upstream.
func (l *Line) Points() int64 { return l.Receipts * l.UnitPoints }

// Models are the tables of this package, for the check at start.
var Models = []any{(*Charge)(nil), (*FreeEntry)(nil), (*OCRCall)(nil), (*head)(nil), (*Seal)(nil), (*TenantPrice)(nil), (*PlanPrice)(nil),
	(*Invoice)(nil), (*Line)(nil), (*numberSeries)(nil), (*Payment)(nil), (*CreditNote)(nil),
	(*PriceChange)(nil), (*Wallet)(nil), (*walletHold)(nil), (*WalletEntry)(nil), (*PointCost)(nil)}

// Service keeps the price book, builds invoices and leads them through their
// life. Writing to the ledger is Record, RecordFree and RecordOCRCall, which
// need the caller's transaction.
type Service struct {
	db     *db.DB
	follow Follower
}

// Follower is told of every change of an invoice in the transaction that makes it.
type Follower func(ctx context.Context, tx bun.Tx, sc tenants.Scope, inv *Invoice) error

// Follow sets who is told; before the service is used.
func (s *Service) Follow(f Follower) { s.follow = f }

func (s *Service) changed(ctx context.Context, tx bun.Tx, sc tenants.Scope, inv *Invoice) error {
	if s.follow == nil {
		return nil
	}
	return s.follow(ctx, tx, sc, inv)
}

// NewService makes the service.
func NewService(d *db.DB) *Service { return &Service{db: d} }

// sameLines tells that two counts of an invoice say the same.
func sameLines(a, b []Line) bool {
	return slices.EqualFunc(a, b, func(x, y Line) bool {
		x.BaseModel, y.BaseModel = bun.BaseModel{}, bun.BaseModel{}
		return x == y
	})
}
