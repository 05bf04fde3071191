// Package fapiao tracks Chinese tax invoices (发票) beside our invoices (账单): whom
// they are made out to, who asked for which amount, and what the tax system gave
// out, with its number and file. It issues none itself.
//
//	taxid.go    taxpayers' numbers
//	profile.go  whom a tenant's fapiaos are made out to
//	life.go     the one table of a fapiao's moves, and the moves
//	file.go     the PDF or OFD
//	list.go     what there is
package fapiao

import (
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/blob"
	"huizhi/internal/db"
)

// Kind of fapiao.
type Kind string

// The kinds.
const (
	Ordinary Kind = "ordinary" // 增值税普通发票
	Special  Kind = "special"  // 增值税专用发票: whoever gets it deducts the tax
)

// State is where a fapiao is in its life.
type State string

// The states.
const (
	Requested State = "requested"
	Issued    State = "issued"
	Rejected  State = "rejected"  // with the reason
	Withdrawn State = "withdrawn" // by those who asked
	Reversed  State = "reversed"  // a red letter took it back
)

// States lists them in the order in which staff look at them.
var States = []State{Requested, Issued, Rejected, Withdrawn, Reversed}

type event string

const (
	eventIssue    event = "issue"
	eventReject   event = "reject"
	eventWithdraw event = "withdraw"
	eventReverse  event = "reverse"
)

// moves is the one table of a fapiao's moves. A red letter is issued from the
// start and moves no more.
var moves = map[State]map[event]State{
	Requested: {eventIssue: Issued, eventReject: Rejected, eventWithdraw: Withdrawn},
	Issued:    {eventReverse: Reversed},
	Rejected:  {}, Withdrawn: {}, Reversed: {},
}

// Fapiao is one that was asked for, or the red letter (红字发票) that takes one back
// as a whole.
type Fapiao struct {
	bun.BaseModel `bun:"table:fapiaos,alias:fapiao"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	InvoiceID     string
	OriginalID    *string // of a red letter: what it takes back
	Kind          Kind
	State         State
	Fen           int64   // with tax; negative for a red letter
	Title         Profile `bun:"type:jsonb"` // as it was when it was asked for
	Note          string  // what is to be printed on it
	Number        string  // of the tax system, "" before
	IssuedDay     string
	FileKey       string // in the blob store, "" for none
	FileType      string // content type
	Reason        string // why it was rejected, or taken back
	RequestedBy   string
	RequestedAt   time.Time
	ClosedBy      string
	ClosedAt      *time.Time
}

// Red tells that it is a red letter.
func (f *Fapiao) Red() bool { return f.OriginalID != nil }

// May tells what can be done with it now.
type May struct{ Issue, Reject, Withdraw, Reverse bool }

// May tells what can be done with it; pages offer only that.
func (f *Fapiao) May() May {
	can := func(e event) bool { _, err := f.after(e); return err == nil }
	return May{Issue: can(eventIssue), Reject: can(eventReject), Withdraw: can(eventWithdraw), Reverse: can(eventReverse)}
}

// after is the state that the event leads to.
func (f *Fapiao) after(e event) (State, error) {
	to, ok := moves[f.State][e]
	if !ok || f.Red() {
		return f.State, apperr.New(apperr.Conflict, "error.fapiao.move."+string(e))
	}
	return to, nil
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*tenantProfile)(nil), (*Fapiao)(nil)}

// Service keeps profiles and fapiaos.
type Service struct {
	DB      *db.DB
	Blobs   *blob.Store
	Billing *billing.Service
}

// restOf is what can still be asked for: what is to be paid for the invoice after
// all credit notes, without what fapiaos stand for or were asked for. It is
// negative when more is on fapiaos than is due, which a red letter mends.
func restOf(inv *billing.Invoice, of []Fapiao) int64 {
	if inv.Number == nil || inv.State == billing.StateVoid {
		return -taken(of)
	}
	return inv.TotalFen - inv.CreditedFen - inv.RefundedFen - taken(of)
}

func taken(of []Fapiao) (fen int64) {
	for _, f := range of {
		if f.State == Requested || f.State == Issued && !f.Red() {
			fen += f.Fen
		}
	}
	return fen
}
