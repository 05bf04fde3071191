package billing

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// MethodWallet pays an invoice out of what the tenant has with us.
const MethodWallet = "wallet"

// settle takes an invoice that has just been made final into the wallet: what the
// month's captures took too much comes back, what they took too little is taken;
// then what the balance covers is paid.
func (s *Service) settle(ctx context.Context, tx bun.Tx, sc tenants.Scope, inv *Invoice, now time.Time) error {
	open, err := openInvoices(ctx, tx, sc)
	if err != nil {
		return err
	}
	w, err := lockWallet(ctx, tx, sc)
	if err != nil || w == nil {
		return err
	}
	taken, err := takenFor(ctx, tx, sc, inv.Month)
	if err != nil {
		return err
	}
	e := WalletEntry{Kind: WalletSettle, Source: inv.ID, Fen: taken - inv.TotalFen, Month: inv.Month, InvoiceID: inv.ID, Actor: actorSystem}
	if err := w.post(ctx, tx, now, e); err != nil {
		return err
	}
	if err := s.pay(ctx, tx, sc, w, open, now); err != nil {
		return err
	}
	for i := range open {
		if open[i].ID == inv.ID {
			*inv = open[i]
		}
	}
	return nil
}

// takenFor is what the wallet has paid for the charges of a month so far.
func takenFor(ctx context.Context, tx bun.IDB, sc tenants.Scope, month Month) (fen int64, err error) {
	err = tx.NewSelect().Model((*WalletEntry)(nil)).ColumnExpr("COALESCE(-SUM(entry.fen), 0)").ApplyQueryBuilder(sc.Where).
		Where("entry.month = ? AND entry.invoice_id = '' AND entry.kind IN (?)", month, bun.List([]WalletEntryKind{WalletCapture, WalletOpening})).Scan(ctx, &fen)
	if err != nil {
		return 0, fmt.Errorf("cannot add up what was taken for %s: %w", month, err)
	}
	return fen, nil
}

// openInvoices lists the tenant's invoices on which something is to be paid, the
// oldest first, and keeps others from them until the transaction ends.
func openInvoices(ctx context.Context, tx bun.Tx, sc tenants.Scope) ([]Invoice, error) {
	var list []Invoice
	err := tx.NewSelect().Model(&list).ApplyQueryBuilder(sc.Where).
		Where("state IN (?)", bun.List([]State{StateFinalized, StateSent, StatePartlyPaid, StateOverdue})).
		Where("total_fen > paid_fen + credited_fen").Order("month", "id").Apply(db.ForUpdate(tx)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the open invoices: %w", err)
	}
	return list, nil
}

// inWalletFen is what the wallet's entries say of an invoice, and whether they
// know it: an invoice that was paid before the wallet began is none of its.
func inWalletFen(ctx context.Context, tx bun.IDB, sc tenants.Scope, invoiceID string) (fen int64, known bool, err error) {
	var sum struct{ N, Fen int64 }
	err = tx.NewSelect().Model((*WalletEntry)(nil)).ColumnExpr("COUNT(*) AS n, COALESCE(SUM(entry.fen), 0) AS fen").ApplyQueryBuilder(sc.Where).
		Where("entry.invoice_id = ? AND entry.kind IN (?)", invoiceID, bun.List([]WalletEntryKind{WalletOpening, WalletSettle})).Scan(ctx, &sum)
	if err != nil {
		return 0, false, fmt.Errorf("cannot look for the invoice in the wallet: %w", err)
	}
	return sum.Fen, sum.N > 0, nil
}

// pay records what the balance covers as payments of the open invoices. The
// balance has paid for all of them already: what it lies below zero is what is
// still to come.
func (s *Service) pay(ctx context.Context, tx bun.Tx, sc tenants.Scope, w *Wallet, open []Invoice, now time.Time) error {
	var known []*Invoice
	covered := min(w.BalanceFen, 0)
	for i := range open {
		_, ours, err := inWalletFen(ctx, tx, sc, open[i].ID)
		if err != nil {
			return err
		}
		if ours {
			known, covered = append(known, &open[i]), covered+open[i].OpenFen()
		}
	}
	for _, inv := range known {
		fen := min(covered, inv.OpenFen())
		if fen <= 0 {
			return nil
		}
		covered -= fen
		if err := s.payFromWallet(ctx, tx, sc, inv, fen, now); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) payFromWallet(ctx context.Context, tx bun.Tx, sc tenants.Scope, inv *Invoice, fen int64, now time.Time) error {
	inv.PaidFen += fen
	if err := inv.settle(now); err != nil {
		return err
	}
	if err := inv.save(ctx, tx); err != nil {
		return err
	}
	id := db.NewID()
	p := &Payment{TenantID: inv.TenantID, ID: id, InvoiceID: inv.ID, Fen: fen, Method: MethodWallet,
		Reference: "W-" + strings.ToUpper(id[len(id)-12:]), PaidDay: dayOf(now), RecordedBy: actorSystem, RecordedAt: now}
	if _, err := tx.NewInsert().Model(p).Exec(ctx); err != nil {
		return fmt.Errorf("cannot record the payment from the wallet: %w", err)
	}
	if err := s.changed(ctx, tx, sc, inv); err != nil {
		return err
	}
	return tenants.Audit(ctx, tx, sc, actorSystem, "invoice.payment", "invoice", inv.ID, now)
}

// toWallet raises the balance by what was paid or credited on an invoice that the
// wallet knows. The invoice is locked.
func toWallet(ctx context.Context, tx bun.Tx, sc tenants.Scope, invoiceID string, e WalletEntry, now time.Time) error {
	w, err := lockWallet(ctx, tx, sc)
	if err != nil || w == nil {
		return err
	}
	_, known, err := inWalletFen(ctx, tx, sc, invoiceID)
	if err != nil || !known {
		return err
	}
	e.InvoiceID = invoiceID
	return w.post(ctx, tx, now, e)
}

// voidInWallet undoes what the wallet's entries say of an invoice that is void now:
// its month is as unsettled as before.
func voidInWallet(ctx context.Context, tx bun.Tx, sc tenants.Scope, invoiceID, actor string, now time.Time) error {
	w, err := lockWallet(ctx, tx, sc)
	if err != nil || w == nil {
		return err
	}
	fen, known, err := inWalletFen(ctx, tx, sc, invoiceID)
	if err != nil || !known {
		return err
	}
	return w.post(ctx, tx, now, WalletEntry{Kind: WalletVoided, Source: invoiceID, Fen: -fen, InvoiceID: invoiceID, Actor: actor})
}

// openWallet makes a wallet that begins with what the tenant owes: the open
// invoices, and what it has used since the last one.
func openWallet(ctx context.Context, tx bun.Tx, sc tenants.Scope, w *Wallet, open []Invoice, now time.Time) error {
	if _, err := tx.NewInsert().Model(w).Exec(ctx); err != nil {
		return fmt.Errorf("cannot make the wallet: %w", err)
	}
	var entries []WalletEntry
	for _, inv := range open {
		entries = append(entries, WalletEntry{Kind: WalletOpening, Source: inv.ID, Fen: -inv.OpenFen(), InvoiceID: inv.ID, Month: inv.Month, Actor: w.UpdatedBy})
	}
	var months []Month
	err := tx.NewRaw(`SELECT DISTINCT charge.month FROM charges AS charge WHERE charge.tenant_id = ? AND NOT EXISTS (
		SELECT 1 FROM invoices AS invoice WHERE invoice.tenant_id = charge.tenant_id AND invoice.month = charge.month AND invoice.number IS NOT NULL AND invoice.state <> ?)
		ORDER BY charge.month`, sc.TenantID(), StateVoid).Scan(ctx, &months)
	if err != nil {
		return fmt.Errorf("cannot list the months that are not invoiced: %w", err)
	}
	b, err := loadBook(ctx, tx, sc)
	if err != nil {
		return err
	}
	for _, month := range months {
		lines, err := countLines(ctx, tx, sc, b, month)
		if err != nil {
			return err
		}
		var count Invoice
		count.add(lines)
		entries = append(entries, WalletEntry{Kind: WalletOpening, Source: string(month), Fen: -count.TotalFen, Month: month, Actor: w.UpdatedBy})
	}
	return w.post(ctx, tx, now, entries...)
}
