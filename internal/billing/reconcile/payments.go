package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"huizhi/internal/billing"
	"huizhi/internal/billing/stripe"
)

// pushedWithin is how long an invoice may take to Stripe after it became final.
const pushedWithin = time.Hour

// atStripe is the status there of an invoice in a state here. Credit notes and
// payments by bank are at Stripe before the invoice is settled there.
var atStripe = map[billing.State]string{
	billing.StateFinalized: "open", billing.StateSent: "open", billing.StatePartlyPaid: "open", billing.StateOverdue: "open",
	billing.StatePaid: "paid", billing.StateVoid: "void", billing.StateUncollectible: "uncollectible",
}

// payments compares the month's invoices with those at Stripe. An invoice is made
// there after it is final here, and that is after its month.
func (c *comparison) payments(ctx context.Context, finals map[string]*final) error {
	if c.Stripe == nil {
		return nil
	}
	t := new(StripeTotals)
	c.totals.Stripe = t
	err := c.Stripe.EachInvoice(ctx, c.month.End(), func(r stripe.Remote) error {
		one := finals[r.InvoiceID]
		if one == nil {
			return c.foreignInvoice(ctx, r)
		}
		one.there++
		t.Invoices, t.TotalFen, t.PaidFen = t.Invoices+1, t.TotalFen+r.TotalFen, t.PaidFen+r.PaidFen
		return c.remote(ctx, one, r)
	})
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(finals)) {
		one := finals[id]
		for _, fen := range one.paid {
			t.RecordedFen += fen
		}
		if one.there == 0 && one.state != billing.StateUncollectible && one.openFen > 0 && c.now().Sub(one.finalizedAt) > pushedWithin {
			err := c.add(ctx, id, found{Kind: StripeMissing, TenantID: one.tenantID, InvoiceID: id, Ours: one.side()})
			if err != nil {
				return err
			}
		}
		for ref, fen := range one.paid { // what Stripe knows was taken out
			err := c.add(ctx, id+"/"+ref, found{Kind: StripeUnpaid, TenantID: one.tenantID, InvoiceID: id,
				Ours: &Side{Source: FromInvoice, Ref: ref, State: string(one.state), Fen: &fen}})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *final) side() *Side {
	return &Side{Source: FromInvoice, Ref: f.number, State: string(f.state), Fen: &f.totalFen}
}

// remote names what is different about an invoice at Stripe.
func (c *comparison) remote(ctx context.Context, one *final, r stripe.Remote) error {
	say := func(k Kind, id string, ours, theirs *Side) error {
		return c.add(ctx, id, found{Kind: k, TenantID: one.tenantID, InvoiceID: r.InvoiceID, Ours: ours, Theirs: theirs})
	}
	there := &Side{Source: FromStripe, Ref: r.ID, State: r.Status, Fen: &r.TotalFen}
	if one.there > 1 && r.Status != "void" {
		if err := say(StripeTwice, r.ID, one.side(), there); err != nil {
			return err
		}
	}
	if r.TotalFen != one.totalFen {
		if err := say(StripeTotal, r.ID, one.side(), there); err != nil {
			return err
		}
	}
	if r.PaidFen > 0 {
		recorded, known := one.paid[r.Reference]
		delete(one.paid, r.Reference)
		c.totals.Stripe.RecordedFen += recorded
		if !known || recorded != r.PaidFen {
			return say(StripeUnrecorded, r.ID, &Side{Source: FromInvoice, Ref: one.number, State: string(one.state), Fen: &recorded},
				&Side{Source: FromStripe, Ref: r.Reference, State: r.Status, Fen: &r.PaidFen})
		}
	}
	if atStripe[one.state] != r.Status {
		return say(StripeState, r.ID, one.side(), there)
	}
	return nil
}

// foreignInvoice is one with our ids that is not of this month. It is of nobody
// when we do not know it at all, and then it belongs to the month before it.
func (c *comparison) foreignInvoice(ctx context.Context, r stripe.Remote) error {
	known, err := c.DB.NewSelect().Model((*billing.Invoice)(nil)).Where("invoice.tenant_id = ? AND invoice.id = ?", r.TenantID, r.InvoiceID).Exists(ctx)
	if err != nil {
		return fmt.Errorf("cannot look for an invoice of Stripe: %w", err)
	}
	if known || billing.MonthOf(r.CreatedAt) != c.month.Add(1) {
		return nil
	}
	return c.add(ctx, r.ID, found{Kind: StripeForeign, Theirs: &Side{Source: FromStripe, Ref: r.ID, State: r.Status, Fen: &r.TotalFen}})
}
