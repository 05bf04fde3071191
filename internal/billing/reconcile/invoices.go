package reconcile

import (
	"context"
	"fmt"
	"time"

	"huizhi/internal/billing"
	"huizhi/internal/tenants"
)

// seals names what of the tenant's month is not as it was sealed.
func (c *comparison) seals(ctx context.Context, sc tenants.Scope) error {
	findings, err := c.Billing.VerifyMonth(ctx, sc, c.month)
	if err != nil {
		return err
	}
	for _, v := range findings {
		f := found{Kind: Seal, TenantID: sc.TenantID(), Ours: &Side{Source: FromLedger, Ref: v.ID, State: v.Entry},
			Theirs: &Side{Source: FromSeal, State: string(v.Kind), At: v.Day}}
		if err := c.add(ctx, sc.TenantID()+"/"+v.Day+"/"+string(v.Kind)+"/"+v.ID, f); err != nil {
			return err
		}
	}
	return nil
}

// final is an invoice with a number, with what Stripe may know of it.
type final struct {
	tenantID, number string
	state            billing.State
	totalFen         int64
	openFen          int64
	finalizedAt      time.Time
	paid             map[string]int64 // fen by reference, of what came through Stripe
	there            int              // how often Stripe has it
}

// invoices compares every invoice of the month that is final with its charges, its
// lines and its payments, and returns them by id.
func (c *comparison) invoices(ctx context.Context) (map[string]*final, error) {
	var all []billing.Invoice
	err := c.DB.NewSelect().Model(&all).Column("tenant_id", "id", "number").Where("month = ?", c.month).Order("tenant_id", "id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the invoices of %s: %w", c.month, err)
	}
	finals := map[string]*final{}
	for _, listed := range all {
		t := &c.totals.Invoices
		if listed.Number == nil {
			t.Drafts++
			continue
		}
		d, err := c.Billing.Invoice(ctx, tenants.ForTenant(listed.TenantID), listed.ID)
		if err != nil {
			return nil, err
		}
		one := &final{tenantID: d.TenantID, number: *d.Number, state: d.State, totalFen: d.TotalFen, openFen: d.OpenFen(),
			finalizedAt: *d.FinalizedAt, paid: map[string]int64{}}
		finals[d.ID] = one
		var paid int64
		for _, p := range d.Payments {
			paid += p.Fen
			if p.Method == billing.MethodStripe {
				one.paid[p.Reference] += p.Fen
			}
		}
		if d.State != billing.StateVoid {
			t.Count, t.Receipts, t.Points = t.Count+1, t.Receipts+d.Receipts, t.Points+d.Points
			t.TotalFen, t.PaidFen = t.TotalFen+d.TotalFen, t.PaidFen+d.PaidFen
			if err := c.invoice(ctx, d, paid); err != nil {
				return nil, err
			}
		}
		if err := c.alive(ctx); err != nil {
			return nil, err
		}
	}
	return finals, nil
}

// invoice names what is wrong with one invoice of ours.
func (c *comparison) invoice(ctx context.Context, d *billing.Detail, paid int64) error {
	say := func(k Kind, ours, theirs Side) error {
		ours.Source, ours.Ref, theirs.Ref = FromInvoice, *d.Number, *d.Number
		return c.add(ctx, d.ID, found{Kind: k, TenantID: d.TenantID, InvoiceID: d.ID, Ours: &ours, Theirs: &theirs})
	}
	var charged int64 // by lines of receipts
	for _, l := range d.Lines {
		if l.Kind == billing.LineReceipts {
			charged += l.AmountFen
		}
	}
	if d.Receipts != d.Ledger.Receipts || d.Points != d.Ledger.Points || charged != d.Ledger.Fen {
		err := say(InvoiceLedger, Side{Receipts: &d.Receipts, Points: &d.Points, Fen: &charged},
			Side{Source: FromLedger, Receipts: &d.Ledger.Receipts, Points: &d.Ledger.Points, Fen: &d.Ledger.Fen})
		if err != nil {
			return err
		}
	}
	if d.LinesFen() != d.AmountFen() || d.NetFen+d.TaxFen != d.TotalFen {
		err := say(InvoiceLines, Side{State: string(d.State), Fen: new(d.AmountFen())}, Side{Source: FromInvoice, State: "lines", Fen: new(d.LinesFen())})
		if err != nil {
			return err
		}
	}
	if paid != d.PaidFen {
		return say(InvoicePayments, Side{State: string(d.State), Fen: &d.PaidFen}, Side{Source: FromInvoice, State: "payments", Fen: &paid})
	}
	return nil
}
