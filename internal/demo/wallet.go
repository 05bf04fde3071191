package demo

import (
	"context"
	"time"

	"huizhi/internal/billing"
)

// What the company pays in: before its first receipt, and the day
// yesterday, when the low balance had warned it.
const (
	firstTopUp  = 180_00
	secondTopUp = 40_00
	lowBalance  = 60_00
)

// openWallet gives the tenant a wallet with money before anything is charged.
func (f *filler) openWallet(ctx context.Context, finance string) error {
	b, at := billing.NewService(f.DB), firstDay(f.now).Add(time.Hour)
	if w, err := b.Wallet(ctx, f.sc); err != nil || w != nil {
		return err
	}
	if err := b.SetWallet(ctx, f.sc, billing.WalletSettings{Mode: billing.WalletPrepaid, LowFen: lowBalance}, finance, at); err != nil {
		return err
	}
	return b.TopUp(ctx, f.sc, firstTopUp, "B2B-20"+f.now.Format("0601")+"-0007", finance, at)
}

// refill tops the wallet up once more, after all that was charged.
func (f *filler) refill(ctx context.Context, finance string) error {
	return billing.NewService(f.DB).TopUp(ctx, f.sc, secondTopUp, "B2B-20"+f.now.Format("0601")+"-0164", finance, f.now.AddDate(0, 0, -1))
}
