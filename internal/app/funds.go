package app

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/billing"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

// funds lets the order engine hold money without knowing billing.
type funds struct{ billing *billing.Service }

func (f funds) Limited(ctx context.Context, sc tenants.Scope) (bool, error) {
	w, err := f.billing.Wallet(ctx, sc)
	return w != nil && w.Limited(), err
}

func (f funds) Hold(ctx context.Context, tx bun.Tx, sc tenants.Scope, list []orders.Purchase, now time.Time) error {
	return f.billing.Hold(ctx, tx, sc, bought(list), now)
}

func (f funds) Fits(ctx context.Context, tx bun.Tx, sc tenants.Scope, list []orders.Purchase, now time.Time) (int, error) {
	fit, err := f.billing.FitIn(ctx, tx, sc, bought(list), now)
	return fit.N, err
}

func (funds) Release(ctx context.Context, tx bun.Tx, sc tenants.Scope, orderID, number string, now time.Time) error {
	return billing.Release(ctx, tx, sc, orderID, number, now)
}

func bought(list []orders.Purchase) []billing.Purchase {
	out := make([]billing.Purchase, len(list))
	for i, p := range list {
		out[i] = billing.Purchase(p)
	}
	return out
}
