// Package billing turns receipts into money: an append-only ledger with one
// charge per completed attempt, the usage of a month, and the draft of its
// invoice.
//
// Money is counted one way everywhere: each charge is priced by itself
// (tenants.Tenant.Cost of its points, rounded half up to the fen) and nothing is
// rounded again. So the receipts of a line add up to the line, the lines add up
// to the invoice, and count times unit price is the amount, all to the fen and
// at any price.
package billing

import (
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
)

// State is where an invoice is in its life. An invoice is changed only as a
// draft.
type State string

// The states, in order.
const (
	StateDraft  State = "draft"
	StateIssued State = "issued"
	StateSent   State = "sent"
	StatePaid   State = "paid"
)

// States lists the states in the order an invoice goes through them.
var States = []State{StateDraft, StateIssued, StateSent, StatePaid}

// Invoice is one tenant's bill for one month. A draft has no number: numbers are
// given when it is issued.
type Invoice struct {
	bun.BaseModel    `bun:"table:invoices,alias:invoice"`
	TenantID         string `bun:",pk"`
	ID               string `bun:",pk"`
	Month            Month
	State            State
	FenPer1000Points int64 `bun:"fen_per_1000_points"`
	Receipts         int64
	Points           int64
	TotalFen         int64
	CreatedAt        time.Time
	UpdatedAt        time.Time // when it was last built from the ledger
}

// Line is the part of an invoice for one receipt type at one price:
// Receipts x UnitFen = AmountFen, which the database checks.
type Line struct {
	bun.BaseModel `bun:"table:invoice_lines,alias:line"`
	TenantID      string `bun:",pk"`
	InvoiceID     string `bun:",pk"`
	Ordinal       int    `bun:",pk"`
	TypeID        int
	TypeName      string
	UnitPoints    int64 // what one receipt cost upstream
	UnitFen       int64 // what it costs the tenant
	Receipts      int64
	AmountFen     int64
}

// Points is what the line cost upstream.
func (l *Line) Points() int64 { return l.Receipts * l.UnitPoints }

// link puts a charge on the line that bills it. Its key is the charge, so that a
// charge is billed once.
type link struct {
	bun.BaseModel `bun:"table:invoiced_charges,alias:link"`
	TenantID      string `bun:",pk"`
	ChargeID      string `bun:",pk"`
	InvoiceID     string
	LineOrdinal   int
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*Charge)(nil), (*Invoice)(nil), (*Line)(nil), (*link)(nil)}

// Service reads the ledger and builds invoices. Writing to the ledger is Record,
// which needs the caller's transaction.
type Service struct{ db *db.DB }

// NewService makes the service.
func NewService(d *db.DB) *Service { return &Service{d} }
