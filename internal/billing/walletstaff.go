package billing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// WalletSettings are what finance staff decide of a wallet.
type WalletSettings struct {
	Mode     WalletMode
	LimitFen int64 // counts for WalletCredit alone
	LowFen   int64
}

func (n *WalletSettings) check() error {
	var bad apperr.Fields
	if !slices.Contains(WalletModes, n.Mode) {
		bad.Add("mode", "error.wallet.mode")
	}
	if n.Mode != WalletCredit {
		n.LimitFen = 0
	}
	for field, fen := range map[string]int64{"limit": n.LimitFen, "low": n.LowFen} {
		if fen < 0 || fen > maxWalletFen {
			bad.Add(field, "error.wallet.amount", "max", yuan(maxWalletFen))
		}
	}
	return bad.Err()
}

// maxWalletFen is ¥100,000,000.00, more than anybody tops up.
const maxWalletFen = 100_000_000_00

// SetWallet gives the tenant a wallet, or changes how far it may be spent. What is
// held stays held; orders that have been queued go on.
func (s *Service) SetWallet(ctx context.Context, sc tenants.Scope, n WalletSettings, actor string, now time.Time) error {
	if err := n.check(); err != nil {
		return err
	}
	return s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if err := lockLedger(ctx, tx, sc); err != nil { // no charge falls between what was used and what is captured
			return err
		}
		open, err := openInvoices(ctx, tx, sc)
		if err != nil {
			return err
		}
		w, err := lockWallet(ctx, tx, sc)
		if err != nil {
			return err
		}
		if w == nil {
			w = &Wallet{TenantID: sc.TenantID(), Mode: n.Mode, LimitFen: n.LimitFen, LowFen: n.LowFen, OpenedAt: now, UpdatedBy: actor, UpdatedAt: now}
			if err := openWallet(ctx, tx, sc, w, open, now); err != nil {
				return err
			}
		}
		w.Mode, w.LimitFen, w.LowFen, w.UpdatedBy, w.UpdatedAt = n.Mode, n.LimitFen, n.LowFen, actor, now
		_, err = tx.NewUpdate().Model(w).WherePK().Column("mode", "limit_fen", "low_fen", "updated_by", "updated_at").Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot change the wallet: %w", err)
		}
		return tenants.Audit(ctx, tx, sc, actor, "wallet.set", "wallet", sc.TenantID(), now)
	})
}

// TopUp records money that came for the wallet. The same remittance with the same
// amount again changes nothing; with another amount, or for another tenant, it is
// Conflict.
func (s *Service) TopUp(ctx context.Context, sc tenants.Scope, fen int64, reference, actor string, now time.Time) error {
	var bad apperr.Fields
	if reference = strings.TrimSpace(reference); reference == "" || utf8.RuneCountInString(reference) > maxText {
		bad.Add("reference", "error.payment.reference", "max", maxText)
	}
	if fen <= 0 || fen > maxWalletFen {
		bad.Add("fen", "error.wallet.amount", "max", yuan(maxWalletFen))
	}
	if err := bad.Err(); err != nil {
		return err
	}
	e := WalletEntry{Kind: WalletTopUp, Source: reference, Fen: fen, Reference: reference, Actor: actor}
	err := s.byHand(ctx, sc, e, "wallet.top_up", now, func(ctx context.Context, tx bun.Tx, w *Wallet) error {
		known := new(WalletEntry)
		err := tx.NewSelect().Model(known).ApplyQueryBuilder(sc.Where).Where("kind = ? AND source = ?", WalletTopUp, reference).Scan(ctx)
		switch {
		case db.IsNoRows(err):
			return nil
		case err != nil:
			return fmt.Errorf("cannot look for the top-up: %w", err)
		case known.Fen != fen:
			return apperr.Field("reference", "error.wallet.known")
		default:
			return errUnchanged
		}
	})
	if db.IsUnique(err, "wallet_entries_top_up", "wallet_entries.reference") {
		return apperr.Field("reference", "error.wallet.elsewhere")
	}
	return err
}

// WalletAdjustment corrects a balance by hand.
type WalletAdjustment struct {
	Fen    int64 // may be negative
	Reason string
	// BeforeFen is the balance as the person saw it, so that a form that is sent
	// twice corrects once.
	BeforeFen int64
}

// Correct corrects the balance. One that would take more than can be spent is
// Invalid.
func (s *Service) Correct(ctx context.Context, sc tenants.Scope, n WalletAdjustment, actor string, now time.Time) error {
	var bad apperr.Fields
	if n.Reason = strings.TrimSpace(n.Reason); n.Reason == "" || utf8.RuneCountInString(n.Reason) > maxText {
		bad.Add("reason", "error.credit.reason", "max", maxText)
	}
	if n.Fen == 0 || max(n.Fen, -n.Fen) > maxWalletFen {
		bad.Add("fen", "error.wallet.amount", "max", yuan(maxWalletFen))
	}
	if err := bad.Err(); err != nil {
		return err
	}
	e := WalletEntry{Kind: WalletCorrection, Fen: n.Fen, Reason: n.Reason, Actor: actor}
	return s.byHand(ctx, sc, e, "wallet.correct", now, func(_ context.Context, _ bun.Tx, w *Wallet) error {
		switch {
		case w.BalanceFen != n.BeforeFen:
			return apperr.New(apperr.Conflict, "error.billing.changed_since")
		case n.Fen < 0 && w.Limited() && w.FreeFen()+n.Fen < 0:
			return apperr.Field("fen", "error.wallet.too_much", "free", yuan(max(w.FreeFen(), 0)))
		}
		return nil
	})
}

// byHand posts an entry that somebody makes, if check agrees, and pays the open
// invoices with it.
func (s *Service) byHand(ctx context.Context, sc tenants.Scope, e WalletEntry, action string, now time.Time, check func(context.Context, bun.Tx, *Wallet) error) error {
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		open, err := openInvoices(ctx, tx, sc)
		if err != nil {
			return err
		}
		w, err := lockWallet(ctx, tx, sc)
		if err != nil {
			return err
		}
		if w == nil {
			return apperr.New(apperr.NotFound, "error.wallet.none")
		}
		if err := check(ctx, tx, w); err != nil {
			return err
		}
		if err := w.post(ctx, tx, now, e); err != nil {
			return err
		}
		if err := s.pay(ctx, tx, sc, w, open, now); err != nil {
			return err
		}
		return tenants.Audit(ctx, tx, sc, e.Actor, action, "wallet", sc.TenantID(), now)
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}
