package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Wallet (钱包) is the account current that a tenant may have. Without one it pays
// its invoices afterwards, without a limit.
//
// The balance is what the tenant has with us, or, below zero, owes us: everything
// that came (top-ups, payments of invoices) less everything that its receipts
// cost. An order that is queued holds what its receipt will cost at most, taxes
// included; its completion captures that, its failure releases it. A hold must fit
// into the balance and the limit, so that a prepaid tenant never spends what it has
// not paid. What has been held is captured whatever the balance is: the receipt
// exists.
//
// The invoice stays the document. When a month is made final, its captures are
// settled against the invoice's total, to which tiers, free receipts, a minimum and
// the rounding of taxes may have added or from which they took; and what the
// balance covers is recorded as payments of the open invoices, the oldest first,
// with the method MethodWallet. These do not change the balance, which has paid
// already. What is then open is what the tenant owes, so that a transfer for the
// invoice, which raises the balance too, pays nothing twice.
//
// A refund of an invoice that has been paid goes out by bank and leaves the wallet
// as it is; put into the wallet instead, it is a correction.
type Wallet struct {
	bun.BaseModel `bun:"table:wallets,alias:wallet"`
	TenantID      string `bun:",pk"`
	Mode          WalletMode
	LimitFen      int64 // how far WalletCredit goes below zero
	LowFen        int64 // warns when less can be spent; 0 never
	BalanceFen    int64 // the sum of the entries' Fen
	HeldFen       int64 // the sum of their HeldFen, and of the open holds
	OpenedAt      time.Time
	UpdatedBy     string // the settings
	UpdatedAt     time.Time
}

// WalletMode says how far a wallet may be spent.
type WalletMode string

// The modes.
const (
	WalletOpen    WalletMode = "open"    // postpaid: everything is counted and nothing refused
	WalletCredit  WalletMode = "credit"  // postpaid up to a limit
	WalletPrepaid WalletMode = "prepaid" // only what was paid before
)

// WalletModes lists the modes in the order they are offered.
var WalletModes = []WalletMode{WalletPrepaid, WalletCredit, WalletOpen}

// Limited tells that there is an end to what can be spent.
func (w *Wallet) Limited() bool { return w.Mode != WalletOpen }

// FreeFen is what can be spent on further receipts. Where nothing is refused, it
// is no more than a figure.
func (w *Wallet) FreeFen() int64 {
	free := w.BalanceFen - w.HeldFen
	if w.Mode == WalletCredit {
		free += w.LimitFen
	}
	return free
}

// Low tells that the tenant should be warned.
func (w *Wallet) Low() bool { return w.Limited() && w.FreeFen() < w.LowFen }

// WalletEntryKind says what happened.
type WalletEntryKind string

// The kinds of entries of a wallet.
const (
	WalletTopUp      WalletEntryKind = "top_up"     // money that came
	WalletHold       WalletEntryKind = "hold"       // an order was queued
	WalletRelease    WalletEntryKind = "release"    // it ended without a receipt
	WalletCapture    WalletEntryKind = "capture"    // it has its receipt
	WalletOpening    WalletEntryKind = "opening"    // what was owed when the wallet began
	WalletSettle     WalletEntryKind = "settle"     // the captures of a month against its invoice
	WalletPayment    WalletEntryKind = "payment"    // of an invoice, by other means than the wallet
	WalletCredited   WalletEntryKind = "credited"   // a credit note lowered what is due
	WalletVoided     WalletEntryKind = "voided"     // an invoice was made void
	WalletCorrection WalletEntryKind = "correction" // by hand, with a reason
)

// WalletEntry is a line of a wallet; it is never changed.
type WalletEntry struct {
	bun.BaseModel `bun:"table:wallet_entries,alias:entry"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	Kind          WalletEntryKind
	Source        string // what it comes from, once for each kind: the attempt, the invoice, the remittance
	Fen           int64  // change of the balance
	HeldFen       int64  // change of what is held
	BalanceFen    int64  // after it
	OrderID       string // "" but for holds, releases and captures
	OrderNumber   string
	Month         Month  // of the charges, "" when it has none
	InvoiceID     string // "" without one
	Reference     string // of the remittance
	Reason        string
	Actor         string
	At            time.Time
}

// walletHold is what one order holds now.
type walletHold struct {
	bun.BaseModel `bun:"table:wallet_holds,alias:hold"`
	TenantID      string `bun:",pk"`
	OrderID       string `bun:",pk"`
	Fen           int64
	At            time.Time
}

// Wallet is the tenant's wallet, nil when it has none.
func (s *Service) Wallet(ctx context.Context, sc tenants.Scope) (*Wallet, error) {
	return walletOf(ctx, s.db, sc, func(q *bun.SelectQuery) *bun.SelectQuery { return q })
}

// lockWallet loads the tenant's wallet and keeps everybody else from it until the
// transaction ends; nil when there is none. Orders, the ledger and invoices are
// locked before wallets, never after.
func lockWallet(ctx context.Context, tx bun.Tx, sc tenants.Scope) (*Wallet, error) {
	return walletOf(ctx, tx, sc, db.ForUpdate(tx))
}

func walletOf(ctx context.Context, tx bun.IDB, sc tenants.Scope, locked func(*bun.SelectQuery) *bun.SelectQuery) (*Wallet, error) {
	w := new(Wallet)
	err := tx.NewSelect().Model(w).ApplyQueryBuilder(sc.Where).Apply(locked).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the wallet: %w", err)
	}
	return w, nil
}

// entriesAtOnce is how many entries one statement writes.
const entriesAtOnce = 500

// post writes entries and moves the sums of the locked wallet with them. An entry
// without a source is its own.
func (w *Wallet) post(ctx context.Context, tx bun.Tx, now time.Time, entries ...WalletEntry) error {
	for i := range entries {
		e := &entries[i]
		e.TenantID, e.ID, e.At = w.TenantID, db.NewID(), now.UTC()
		if e.Source == "" {
			e.Source = e.ID
		}
		w.BalanceFen, w.HeldFen = w.BalanceFen+e.Fen, w.HeldFen+e.HeldFen
		e.BalanceFen = w.BalanceFen
	}
	for len(entries) > 0 {
		n := min(len(entries), entriesAtOnce)
		part := entries[:n]
		if _, err := tx.NewInsert().Model(&part).Exec(ctx); err != nil {
			return fmt.Errorf("cannot write the wallet's entries: %w", err)
		}
		entries = entries[n:]
	}
	if _, err := tx.NewUpdate().Model(w).WherePK().Column("balance_fen", "held_fen").Exec(ctx); err != nil {
		return fmt.Errorf("cannot change the wallet: %w", err)
	}
	return nil
}

// WalletPage is a page of the wallet's entries, newest first, before the one with
// the id before ("" for the first page). older is the id to go on from, or "".
func (s *Service) WalletPage(ctx context.Context, sc tenants.Scope, before string, size int) (entries []WalletEntry, older string, err error) {
	q := s.db.NewSelect().Model(&entries).ApplyQueryBuilder(sc.Where).Order("id DESC").Limit(int64(size) + 1)
	if before != "" {
		q.Where("id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, "", fmt.Errorf("cannot load the wallet's entries: %w", err)
	}
	if len(entries) > size {
		entries = entries[:size]
		older = entries[size-1].ID
	}
	return entries, older, nil
}
