// Package billingtest makes tenants with invoices for the tests of what is done
// with invoices. They owe a minimum fee each month and have no receipts, so that
// nothing but tenants and billing's own tables is needed.
package billingtest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Tenant owes a fixed fee a month, with 6 % tax in it.
type Tenant struct {
	T       testing.TB
	DB      *db.DB
	Billing *billing.Service
	Scope   tenants.Scope
}

// New makes a tenant that owes fen a month.
func New(t testing.TB, d *db.DB, name string, fen int64) *Tenant {
	t.Helper()
	ctx, id := context.Background(), db.NewID()
	row := map[string]any{"id": id, "name": name, "kind": "store", "created_at": billing.Month("2025-01").Start().UTC()}
	_, err := d.NewInsert().Model(&row).ModelTableExpr("tenants").Exec(ctx)
	require.NoError(t, err)
	x := &Tenant{t, d, billing.NewService(d), tenants.ForTenant(id)}
	_, err = x.Billing.AddPrice(ctx, x.Scope, billing.NewPrice{Terms: billing.Terms{Tiers: []billing.Tier{{FenPer1000Points: 1000}},
		TaxBP: 600, TaxIncluded: true, MinimumFen: fen}}, "test", db.Now())
	require.NoError(t, err)
	return x
}

// Invoice is the month's invoice, made final on the first moment after the month.
func (x *Tenant) Invoice(month billing.Month) *billing.Invoice {
	x.T.Helper()
	ctx := context.Background()
	_, err := x.Billing.Draft(ctx, x.Scope, month, month.End())
	require.NoError(x.T, err)
	inv, err := x.Billing.Finalize(ctx, x.Scope, month, "test", month.End().UTC())
	require.NoError(x.T, err)
	return &inv
}

// Pay records a bank transfer for the invoice on that day.
func (x *Tenant) Pay(inv *billing.Invoice, fen int64, reference, day string) {
	x.T.Helper()
	_, err := x.Billing.RecordPayment(context.Background(), x.Scope, inv.ID, billing.NewPayment{Fen: fen, Reference: reference, Day: day}, "test", db.Now())
	require.NoError(x.T, err)
}

// Credit issues a credit note in that month; refund is the reference of the money
// that went back, or "".
func (x *Tenant) Credit(inv *billing.Invoice, fen int64, reason, refund string, month billing.Month) *billing.CreditNote {
	x.T.Helper()
	now, err := x.Billing.Invoice(context.Background(), x.Scope, inv.ID)
	require.NoError(x.T, err)
	note, err := x.Billing.IssueCredit(context.Background(), x.Scope, inv.ID, billing.NewCredit{Fen: fen, Reason: reason, Refund: refund,
		Before: now.CreditedFen + now.RefundedFen}, "test", month.Start().Add(36*3600e9).UTC())
	require.NoError(x.T, err)
	return note
}
