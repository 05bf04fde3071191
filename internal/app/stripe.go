package app

import (
	"context"

	"huizhi/internal/auth"
	"huizhi/internal/billing"
	"huizhi/internal/billing/stripe"
	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/jobs"
	"huizhi/internal/tenants"
)

// newStripe makes the way to Stripe and lets it follow the invoices; nil without
// a key.
func newStripe(c *config.Config, d *db.DB, q jobs.Enqueuer, b *billing.Service) *stripe.Service {
	if c.StripeKey == "" {
		return nil
	}
	s := stripe.New(stripe.Config{DB: d, Jobs: q, Billing: b, Key: c.StripeKey, URL: c.StripeURL, Secret: c.StripeWebhook,
		Contact: func(ctx context.Context, sc tenants.Scope) (stripe.Contact, error) {
			t, err := tenants.Load(ctx, d, sc)
			if err != nil {
				return stripe.Contact{}, err
			}
			email, err := auth.BillingEmail(ctx, d, sc)
			return stripe.Contact{Name: t.Name, Email: email}, err
		}})
	b.Follow(s.Changed)
	return s
}
