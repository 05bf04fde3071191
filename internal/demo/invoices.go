package demo

import (
	"context"
	"time"

	"huizhi/internal/billing"
	"huizhi/internal/tenants"
)

// invoice closes the first month as the platform's finance would have: on the
// third of the next, everybody's invoice is made final and sent; a week later the
// money came, but not that of the late one. The second month is left for the
// visitor.
func (f *filler) invoice(ctx context.Context, late tenants.Scope, finance string) error {
	b := billing.NewService(f.DB)
	month := billing.MonthOf(firstDay(f.now))
	closed := month.End().AddDate(0, 0, 2).Add(10 * time.Hour).UTC()
	paid := closed.AddDate(0, 0, 7)
	all, err := b.EveryTenant(ctx, tenants.AllTenants("the demonstration invoices a month of all of its tenants"))
	if err != nil {
		return err
	}
	run := billing.RunRequest{Month: month, Tenants: all, Finalize: true, Actor: finance}
	return b.Run(ctx, run, closed, func(inv *billing.Detail) error {
		sc := tenants.ForTenant(inv.TenantID)
		if inv.State == billing.StateFinalized {
			if _, err := b.Send(ctx, sc, inv.ID, finance, closed); err != nil {
				return err
			}
		}
		if sc == late || inv.PaidFen > 0 {
			return nil
		}
		_, err := b.RecordPayment(ctx, sc, inv.ID, billing.NewPayment{Fen: inv.TotalFen, Reference: "对公转账 " + *inv.Number,
			Day: paid.Format(time.DateOnly)}, finance, paid)
		return err
	})
}
