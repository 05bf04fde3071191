package billing

import (
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

// CreditNote (红字账单) takes back a part of an invoice, which itself never
// changes. It has a number of its own series.
type CreditNote struct {
	bun.BaseModel `bun:"table:credit_notes,alias:credit"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	InvoiceID     string
	Number        string // "CN2026-000012"
	Reason        string
	NetFen        int64
	TaxFen        int64
	TotalFen      int64
	Refund        string // reference of the money that went back, "" when it lowers what is due
	IssuedBy      string
	IssuedAt      time.Time
}

// NewCredit is a credit note to be issued.
type NewCredit struct {
	Fen    int64 // with tax
	Reason string
	// Refund is the reference of the remittance that gives the money back, for an
	// invoice that has been paid; "" lowers what is still open.
	Refund string
	// Before is what earlier notes took back as the issuer saw it, so that a form
	// that is sent twice issues one note.
	Before int64
}

func (n *NewCredit) check() error {
	var bad apperr.Fields
	if n.Fen <= 0 {
		bad.Add("fen", "error.credit.positive")
	}
	n.Reason, n.Refund = strings.TrimSpace(n.Reason), strings.TrimSpace(n.Refund)
	if n.Reason == "" || utf8.RuneCountInString(n.Reason) > maxText {
		bad.Add("reason", "error.credit.reason", "max", maxText)
	}
	if utf8.RuneCountInString(n.Refund) > maxText {
		bad.Add("refund", "error.payment.reference", "max", maxText)
	}
	return bad.Err()
}

// IssueCredit issues a credit note. More than the rest (what is open, or, for a
// refund, what was paid and has not been given back) is Invalid, and nothing is
// written. Its tax is the invoice's in proportion: all notes together never hold
// more tax than the invoice, and exactly as much when they take all of it back.
func (s *Service) IssueCredit(ctx context.Context, sc tenants.Scope, invoiceID string, n NewCredit, actor string, now time.Time) (*CreditNote, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	var note *CreditNote
	_, err := s.change(ctx, sc, invoiceID, actor, "invoice.credit", now, func(ctx context.Context, tx bun.Tx, inv *Invoice) error {
		before := inv.CreditedFen + inv.RefundedFen
		if n.Before != before {
			return apperr.New(apperr.Conflict, "error.billing.changed_since")
		}
		if n.Refund != "" {
			if inv.State != StatePaid {
				return apperr.New(apperr.Conflict, "error.credit.not_paid")
			}
			if rest := inv.PaidFen - inv.RefundedFen; rest < n.Fen {
				return apperr.Field("fen", "error.credit.too_much", "open", yuan(rest))
			}
			inv.RefundedFen += n.Fen
		} else {
			if rest := inv.OpenFen(); rest < n.Fen {
				return apperr.Field("fen", "error.credit.too_much", "open", yuan(rest))
			}
			inv.CreditedFen += n.Fen
			if err := inv.settle(now); err != nil {
				return err
			}
		}
		tax := share(inv.TaxFen, before+n.Fen, inv.TotalFen) - share(inv.TaxFen, before, inv.TotalFen)
		number, err := nextNumber(ctx, tx, seriesCredit, now)
		if err != nil {
			return err
		}
		note = &CreditNote{TenantID: inv.TenantID, ID: db.NewID(), InvoiceID: inv.ID, Number: number, Reason: n.Reason,
			NetFen: n.Fen - tax, TaxFen: tax, TotalFen: n.Fen, Refund: n.Refund, IssuedBy: actor, IssuedAt: now}
		if _, err := tx.NewInsert().Model(note).Exec(ctx); err != nil {
			return fmt.Errorf("cannot issue the credit note: %w", err)
		}
		if n.Refund != "" {
			return nil // the money went out by bank
		}
		return toWallet(ctx, tx, sc, inv.ID, WalletEntry{Kind: WalletCredited, Source: note.ID, Fen: n.Fen, Reference: number, Actor: actor}, now)
	})
	if err != nil {
		return nil, err
	}
	return note, nil
}

func creditsOf(ctx context.Context, tx bun.IDB, sc tenants.Scope, invoiceID string) ([]CreditNote, error) {
	var out []CreditNote
	if err := tx.NewSelect().Model(&out).ApplyQueryBuilder(sc.Where).Where("invoice_id = ?", invoiceID).Order("id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the credit notes: %w", err)
	}
	return out, nil
}
