package orders_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
)

// purse ties wallets to orders as the application does.
type purse struct{ *billing.Service }

func (p purse) Limited(ctx context.Context, sc tenants.Scope) (bool, error) {
	w, err := p.Wallet(ctx, sc)
	return w != nil && w.Limited(), err
}

func (p purse) Hold(ctx context.Context, tx bun.Tx, sc tenants.Scope, list []orders.Purchase, now time.Time) error {
	return p.Service.Hold(ctx, tx, sc, bought(list), now)
}

func (p purse) Fits(ctx context.Context, tx bun.Tx, sc tenants.Scope, list []orders.Purchase, now time.Time) (int, error) {
	fit, err := p.FitIn(ctx, tx, sc, bought(list), now)
	return fit.N, err
}

func (purse) Release(ctx context.Context, tx bun.Tx, sc tenants.Scope, orderID, number string, now time.Time) error {
	return billing.Release(ctx, tx, sc, orderID, number, now)
}

func bought(list []orders.Purchase) []billing.Purchase {
	out := make([]billing.Purchase, len(list))
	for i, p := range list {
		out[i] = billing.Purchase(p)
	}
	return out
}

// prepaid gives the world's tenant a prepaid wallet; its standard price is ¥5.00 a
// receipt.
func prepaid(c *orders.Config) { c.Funds = purse{billing.NewService(c.DB)} }

func (w *world) topUp(fen int64) {
	w.t.Helper()
	ctx, svc := context.Background(), billing.NewService(w.db)
	require.NoError(w.t, svc.SetWallet(ctx, w.sc, billing.WalletSettings{Mode: billing.WalletPrepaid}, "test", db.Now()))
	require.NoError(w.t, svc.TopUp(ctx, w.sc, fen, db.NewID(), "test", db.Now()))
}

func (w *world) wallet() *billing.Wallet {
	w.t.Helper()
	wallet, err := billing.NewService(w.db).Wallet(context.Background(), w.sc)
	require.NoError(w.t, err)
	return wallet
}

// checkMoney compares the wallet with the orders: those under way hold ¥5.00 each,
// and nothing else does; every charge was taken once.
func (w *world) checkMoney(came int64) {
	w.t.Helper()
	ctx := context.Background()
	require.Eventually(w.t, func() bool {
		before := w.wallet()
		var holding, charges int64
		for into, q := range map[*int64]*bun.SelectQuery{
			&charges: w.db.NewSelect().Model((*billing.Charge)(nil)).ColumnExpr("COUNT(*)").Where("charge.tenant_id = ?", w.sc.TenantID()),
			&holding: w.db.NewSelect().Table("wallet_holds").ColumnExpr("COUNT(*)").Where("tenant_id = ?", w.sc.TenantID()),
		} {
			require.NoError(w.t, q.Scan(ctx, into))
		}
		var live []orders.Order
		require.NoError(w.t, w.db.NewSelect().Model(&live).ApplyQueryBuilder(w.sc.Where).
			Where("EXISTS (SELECT 1 FROM attempts AS a WHERE a.tenant_id = o.tenant_id AND a.order_id = o.id AND a.live)").Scan(ctx))
		return holding == int64(len(live)) && before.HeldFen == 500*holding && before.BalanceFen == came-500*charges
	}, 20*time.Second, 50*time.Millisecond, "what is under way is held, what was charged is taken")
}

func TestSubmittingIsAllOrNothingWithAWallet(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{}, prepaid)
		w.topUp(210 * 500)
		large, small := w.batch(211, orders.NewBatch{}), w.batch(3, orders.NewBatch{})
		n, err := w.svc.SubmitBatch(ctx, w.sc, large.ID, w.user)
		assert.Equal(t, apperr.Conflict, apperr.KindOf(err))
		assert.Zero(t, n, "more than one transaction's worth, and yet none")
		w.checkMoney(210 * 500)
		_, err = w.svc.SubmitBatch(ctx, w.sc, small.ID, w.user)
		require.NoError(t, err)
		assert.EqualValues(t, 1500, w.wallet().HeldFen)
		rehearsal := w.batch(2, orders.NewBatch{Simulate: true})
		_, err = w.svc.SubmitBatch(ctx, w.sc, rehearsal.ID, w.user)
		require.NoError(t, err)
		assert.EqualValues(t, 1500, w.wallet().HeldFen, "a rehearsal costs nothing")
	})
}
