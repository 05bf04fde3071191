// Package statement makes statements of account (对账单): what a tenant owed at
// the beginning of a period, what was invoiced, credited and paid in it, and what
// it owes at the end.
//
//	statement.go  what it says
//	write.go      how: PDF, XLSX, CSV
package statement

import (
	"context"
	"time"

	"huizhi/internal/billing"
	"huizhi/internal/tenants"
)

// Statement is the account of one tenant over a span of months.
type Statement struct {
	Tenant     *tenants.Tenant
	Span       billing.Span
	MadeAt     time.Time
	OpeningFen int64
	Entries    []Entry
	// The sums of the entries: closing = opening + invoiced - credited - paid.
	InvoicedFen int64 // without what was made void again
	CreditedFen int64
	PaidFen     int64 // without what was given back
	ClosingFen  int64
}

// Entry is a movement with what is owed after it.
type Entry struct {
	billing.Movement
	BalanceFen int64
}

// Service makes statements.
type Service struct {
	Billing *billing.Service
	Tenant  func(context.Context, tenants.Scope) (*tenants.Tenant, error)
}

// Of makes the statement of a tenant. A payment belongs to the day that the bank
// says, everything else to the day on which it was done.
func (s *Service) Of(ctx context.Context, sc tenants.Scope, span billing.Span, now time.Time) (*Statement, error) {
	tenant, err := s.Tenant(ctx, sc)
	if err != nil {
		return nil, err
	}
	moves, err := s.Billing.Movements(ctx, billing.BooksOf(sc), "", span.Until)
	if err != nil {
		return nil, err
	}
	st := &Statement{Tenant: tenant, Span: span, MadeAt: now}
	for _, m := range moves {
		st.ClosingFen += m.Fen
		if m.Day[:len("2006-01")] < string(span.From) {
			st.OpeningFen = st.ClosingFen
			continue
		}
		switch m.Kind {
		case billing.MovedInvoice, billing.MovedVoid:
			st.InvoicedFen += m.Fen
		case billing.MovedCredit:
			st.CreditedFen -= m.Fen
		case billing.MovedPayment, billing.MovedRefund:
			st.PaidFen -= m.Fen
		}
		st.Entries = append(st.Entries, Entry{m, st.ClosingFen})
	}
	return st, nil
}

// Empty tells that nothing was owed and nothing happened.
func (s *Statement) Empty() bool { return s.OpeningFen == 0 && len(s.Entries) == 0 }
