package stripe

import (
	"context"
	"time"

	sdk "github.com/stripe/stripe-go/v76"
)

// Remote is an invoice of ours as Stripe has it.
type Remote struct {
	ID                  string // Stripe's
	TenantID, InvoiceID string // ours, from its metadata
	Status              string // draft, open, paid, void, uncollectible
	TotalFen            int64
	PaidFen             int64  // that went through Stripe
	Reference           string // of that payment, as it is recorded here
	CreatedAt           time.Time
}

// EachInvoice visits the invoices at Stripe that bear our ids and were made from
// the time on, newest first. One page of a hundred is in memory at a time.
func (s *Service) EachInvoice(ctx context.Context, from time.Time, visit func(Remote) error) error {
	it := s.account.api.Invoices.List(&sdk.InvoiceListParams{ListParams: sdk.ListParams{Context: ctx, Limit: sdk.Int64(100)},
		CreatedRange: &sdk.RangeQueryParams{GreaterThanOrEqual: from.Unix()}})
	for it.Next() {
		inv := it.Invoice()
		if inv.Metadata[metaInvoice] == "" {
			continue
		}
		r := Remote{ID: inv.ID, TenantID: inv.Metadata[metaTenant], InvoiceID: inv.Metadata[metaInvoice], Status: string(inv.Status), TotalFen: inv.Total,
			CreatedAt: time.Unix(inv.Created, 0)}
		if inv.Status == sdk.InvoiceStatusPaid && !inv.PaidOutOfBand {
			r.PaidFen, r.Reference = inv.AmountPaid, paymentOf(inv, from).Reference
		}
		if err := visit(r); err != nil {
			return err
		}
	}
	return failure("invoice list", it.Err())
}
