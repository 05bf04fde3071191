package billing

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// How payments come.
const (
	MethodBankTransfer = "bank_transfer" // 对公转账
	MethodStripe       = "stripe"
)

// Payment is money that came for an invoice.
type Payment struct {
	bun.BaseModel `bun:"table:payments,alias:payment"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	InvoiceID     string
	Fen           int64
	Method        string
	Reference     string // of the remittance, from the bank statement
	PaidDay       string // when the bank says it came
	RecordedBy    string
	RecordedAt    time.Time
}

// NewPayment is what a bank statement or Stripe says.
type NewPayment struct {
	Fen       int64
	Reference string // once for each invoice: what is entered twice is one payment
	Day       string // "2026-12-01"
	Method    string // MethodBankTransfer when empty
}

// maxText is how long references and reasons may be, in characters.
const maxText = 200

func (n *NewPayment) check(now time.Time) error {
	var bad apperr.Fields
	if n.Fen <= 0 {
		bad.Add("fen", "error.payment.positive")
	}
	n.Reference = strings.TrimSpace(n.Reference)
	if n.Reference == "" || utf8.RuneCountInString(n.Reference) > maxText {
		bad.Add("reference", "error.payment.reference", "max", maxText)
	}
	if _, err := time.Parse(dayLayout, n.Day); err != nil || n.Day > dayOf(now) {
		bad.Add("day", "error.payment.day")
	}
	return bad.Err()
}

// RecordPayment records a payment for the invoice. The same reference with
// the same amount again changes nothing; with another amount it is Conflict.
// More than what is open is Invalid, and nothing is written.
func (s *Service) RecordPayment(ctx context.Context, sc tenants.Scope, invoiceID string, n NewPayment, actor string, now time.Time) (*Invoice, error) {
	if err := n.check(now); err != nil {
		return nil, err
	}
	var again *Invoice
	inv, err := s.change(ctx, sc, invoiceID, actor, "invoice.payment", now, func(ctx context.Context, tx bun.Tx, inv *Invoice) error {
		known := new(Payment)
		err := tx.NewSelect().Model(known).ApplyQueryBuilder(sc.Where).Where("invoice_id = ? AND reference = ?", invoiceID, n.Reference).Scan(ctx)
		switch {
		case err == nil && known.Fen == n.Fen:
			again = inv
			return errUnchanged
		case err == nil:
			return apperr.New(apperr.Conflict, "error.payment.known")
		case !db.IsNoRows(err):
			return fmt.Errorf("cannot look for the payment: %w", err)
		}
		if inv.OpenFen() < n.Fen {
			return apperr.Field("fen", "error.payment.too_much", "open", yuan(inv.OpenFen()))
		}
		inv.PaidFen += n.Fen
		if err := inv.settle(now); err != nil {
			return err
		}
		p := &Payment{TenantID: inv.TenantID, ID: db.NewID(), InvoiceID: inv.ID, Fen: n.Fen, Method: cmp.Or(n.Method, MethodBankTransfer),
			Reference: n.Reference, PaidDay: n.Day, RecordedBy: actor, RecordedAt: now}
		if _, err := tx.NewInsert().Model(p).Exec(ctx); err != nil {
			return fmt.Errorf("cannot record the payment: %w", err)
		}
		return toWallet(ctx, tx, sc, inv.ID, WalletEntry{Kind: WalletPayment, Source: p.ID, Fen: p.Fen, Reference: p.Reference, Actor: actor}, now)
	})
	if again != nil {
		return again, nil
	}
	return inv, err
}

// errUnchanged ends a transaction that found its work done.
var errUnchanged = fmt.Errorf("billing: nothing to change")

// settle moves the invoice by what is open after a payment or a credit.
func (inv *Invoice) settle(now time.Time) (err error) {
	e := eventPartPaid
	if inv.OpenFen() == 0 {
		e, inv.ClosedAt = eventSettle, &now
	}
	inv.State, err = move(inv.State, e)
	return err
}

func paymentsOf(ctx context.Context, tx bun.IDB, sc tenants.Scope, invoiceID string) ([]Payment, error) {
	var out []Payment
	if err := tx.NewSelect().Model(&out).ApplyQueryBuilder(sc.Where).Where("invoice_id = ?", invoiceID).Order("id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the payments: %w", err)
	}
	return out, nil
}
