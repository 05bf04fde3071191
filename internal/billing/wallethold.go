package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Purchase is an order that may end in a charge.
type Purchase struct {
	OrderID string
	Number  string
	TypeID  int
	Points  int64
}

// Hold sets aside what the orders' receipts will cost at most, in the transaction
// that queues them. It is all or nothing: when they do not all fit, it is Conflict
// and says how many would, so that nobody wonders which ones went. An order that
// holds already does not hold again. Without a wallet it does nothing.
func (s *Service) Hold(ctx context.Context, tx bun.Tx, sc tenants.Scope, list []Purchase, now time.Time) error {
	w, err := lockWallet(ctx, tx, sc)
	if err != nil || w == nil {
		return err
	}
	if list, err = withoutHold(ctx, tx, sc, list); err != nil || len(list) == 0 {
		return err
	}
	prices, err := w.prices(ctx, tx, sc, list, now)
	if err != nil {
		return err
	}
	if f := w.fit(prices); f.N < len(list) {
		return f.err(len(list))
	}
	holds, entries := make([]walletHold, len(list)), make([]WalletEntry, len(list))
	for i, p := range list {
		holds[i] = walletHold{TenantID: w.TenantID, OrderID: p.OrderID, Fen: prices[i], At: now.UTC()}
		entries[i] = WalletEntry{Kind: WalletHold, HeldFen: prices[i], OrderID: p.OrderID, OrderNumber: p.Number, Month: MonthOf(now), Actor: actorSystem}
	}
	for len(holds) > 0 {
		n := min(len(holds), entriesAtOnce)
		part := holds[:n]
		if _, err := tx.NewInsert().Model(&part).Exec(ctx); err != nil {
			return fmt.Errorf("cannot hold: %w", err)
		}
		holds = holds[n:]
	}
	return w.post(ctx, tx, now, entries...)
}

// actorSystem is who writes what nobody does by hand.
const actorSystem = "system"

// Fit is how many of some orders, the first ones, can be paid for.
type Fit struct {
	N          int
	NeedFen    int64 // all of them
	FreeFen    int64 // can be spent
	MissingFen int64 // NeedFen - FreeFen, or 0
}

// err tells of a number of orders that do not all fit.
func (f Fit) err(n int) error {
	return apperr.New(apperr.Conflict, "error.wallet.short", "n", n, "fit", f.N, "need", yuan(f.NeedFen), "free", signedYuan(f.FreeFen), "missing", yuan(f.MissingFen))
}

// signedYuan is an amount that may be below zero: "-7.05".
func signedYuan(fen int64) string {
	if fen < 0 {
		return "-" + yuan(-fen)
	}
	return yuan(fen)
}

// fit finds how many of the prices the wallet can pay, in their order.
func (w *Wallet) fit(prices []int64) Fit {
	f := Fit{N: len(prices), FreeFen: w.FreeFen()}
	for i, fen := range prices {
		f.NeedFen += fen
		if w.Limited() && f.NeedFen > f.FreeFen && f.N == len(prices) {
			f.N = i
		}
	}
	if w.Limited() {
		f.MissingFen = max(f.NeedFen-f.FreeFen, 0)
	}
	return f
}

// FitIn finds how many of the orders can be paid for, for a caller that holds them
// later in the same transaction: until it ends nobody else spends.
func (s *Service) FitIn(ctx context.Context, tx bun.Tx, sc tenants.Scope, list []Purchase, now time.Time) (Fit, error) {
	w, err := lockWallet(ctx, tx, sc)
	return s.fits(ctx, tx, sc, w, list, now, err)
}

// Fits is FitIn for a page: it says what would be now.
func (s *Service) Fits(ctx context.Context, sc tenants.Scope, list []Purchase, now time.Time) (Fit, error) {
	w, err := s.Wallet(ctx, sc)
	return s.fits(ctx, s.db, sc, w, list, now, err)
}

func (s *Service) fits(ctx context.Context, tx bun.IDB, sc tenants.Scope, w *Wallet, list []Purchase, now time.Time, err error) (Fit, error) {
	if err != nil || w == nil || len(list) == 0 {
		return Fit{N: len(list)}, err
	}
	prices, err := w.prices(ctx, tx, sc, list, now)
	return w.fit(prices), err
}

// prices is what the orders' receipts cost, taxes included, behind those that hold
// already.
func (w *Wallet) prices(ctx context.Context, tx bun.IDB, sc tenants.Scope, list []Purchase, now time.Time) ([]int64, error) {
	ahead, err := tx.NewSelect().Model((*walletHold)(nil)).ApplyQueryBuilder(sc.Where).Count(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot count what is held: %w", err)
	}
	prices, terms, err := nextPrices(ctx, tx, sc, list, int64(ahead), now)
	for i := range prices {
		prices[i] = terms.gross(prices[i])
	}
	return prices, err
}

// withoutHold leaves the orders out that hold already.
func withoutHold(ctx context.Context, tx bun.Tx, sc tenants.Scope, list []Purchase) ([]Purchase, error) {
	if len(list) == 0 {
		return nil, nil
	}
	ids := make([]string, len(list))
	for i, p := range list {
		ids[i] = p.OrderID
	}
	var held []string
	err := tx.NewSelect().Model((*walletHold)(nil)).Column("order_id").ApplyQueryBuilder(sc.Where).Where("order_id IN (?)", bun.List(ids)).Scan(ctx, &held)
	if err != nil {
		return nil, fmt.Errorf("cannot look for holds: %w", err)
	}
	known := make(map[string]bool, len(held))
	for _, id := range held {
		known[id] = true
	}
	var out []Purchase
	for _, p := range list {
		if !known[p.OrderID] {
			out = append(out, p)
		}
	}
	return out, nil
}

// takeHold ends the hold of an order and returns it; nil when it holds nothing.
func takeHold(ctx context.Context, tx bun.Tx, sc tenants.Scope, orderID string) (*walletHold, error) {
	h := new(walletHold)
	err := tx.NewSelect().Model(h).ApplyQueryBuilder(sc.Where).Where("order_id = ?", orderID).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err == nil {
		_, err = tx.NewDelete().Model(h).WherePK().Exec(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot end the hold of order %s: %w", orderID, err)
	}
	return h, nil
}

// Release gives back what an order holds that ends without a receipt, in the
// transaction that ends it. An order that holds nothing changes nothing.
func Release(ctx context.Context, tx bun.Tx, sc tenants.Scope, orderID, number string, now time.Time) error {
	w, err := lockWallet(ctx, tx, sc)
	if err != nil || w == nil {
		return err
	}
	h, err := takeHold(ctx, tx, sc, orderID)
	if err != nil || h == nil {
		return err
	}
	return w.post(ctx, tx, now, WalletEntry{Kind: WalletRelease, HeldFen: -h.Fen, OrderID: orderID, OrderNumber: number, Month: MonthOf(h.At), Actor: actorSystem})
}

// capture takes what the charged order holds out of the balance. One that holds
// nothing, because it was queued before there was a wallet, pays the price of the
// ledger. The charge is unique for its attempt, and so is the capture.
func capture(ctx context.Context, tx bun.Tx, sc tenants.Scope, c *Charge) error {
	w, err := lockWallet(ctx, tx, sc)
	if err != nil || w == nil {
		return err
	}
	h, err := takeHold(ctx, tx, sc, c.OrderID)
	if err != nil {
		return err
	}
	e := WalletEntry{Kind: WalletCapture, Source: c.AttemptID, OrderID: c.OrderID, OrderNumber: c.OrderNumber, Month: c.Month, Actor: actorSystem}
	if h != nil {
		e.Fen, e.HeldFen = -h.Fen, -h.Fen
		return w.post(ctx, tx, c.At, e)
	}
	r, err := newRater(ctx, tx, sc)
	if err != nil {
		return err
	}
	rated, err := r.of(ctx, c.Month)
	if apperr.KindOf(err) == apperr.Invalid { // a day of the month has no price: the receipt exists all the same, and the invoice settles
		return w.post(ctx, tx, c.At, e)
	}
	if err != nil {
		return err
	}
	gross, err := rated.grossFen(c)
	if err != nil {
		return err
	}
	e.Fen = -gross
	return w.post(ctx, tx, c.At, e)
}
