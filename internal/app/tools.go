package app

import (
	"context"
	"log/slog"

	"huizhi/internal/auth"
	"huizhi/internal/billing"
	"huizhi/internal/billing/stripe"
	"huizhi/internal/blob"
	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/jobs"
	"huizhi/internal/ocr/routing"
	"huizhi/internal/orders"
	"huizhi/internal/providers/clipimg"
	"huizhi/internal/tenants"
)

// Tools are the services that commands use beside a running server: no worker,
// no listener, no lock.
type Tools struct {
	DB      *db.DB
	Auth    *auth.Service
	Tenants *tenants.Service
	Billing *billing.Service
	Stripe  *stripe.Service // nil without a key
}

// OpenTools opens the database for a command.
func OpenTools(ctx context.Context, c *config.Config) (*Tools, error) {
	d, err := OpenDatabase(ctx, c)
	if err != nil {
		return nil, err
	}
	t := &Tools{DB: d, Auth: auth.NewService(d), Tenants: tenants.NewService(d), Billing: billing.NewService(d)}
	if c.StripeKey != "" { // what a command does to an invoice, the server brings to Stripe
		q, err := jobs.Open(ctx, d, slog.Default())
		if err != nil {
			d.Close()
			return nil, err
		}
		t.Stripe = newStripe(c, d, q, t.Billing)
	}
	return t, nil
}

// Provider is the order engine for the upstream account, without its workers: to
// look at the account, to change what is kept of it, and to ask the provider, if it
// has a key.
func (t *Tools) Provider(account string, c *config.Config, log *slog.Logger) (*orders.Service, error) {
	oc := orders.Config{DB: t.DB, Account: account, Ledger: ledger{}, Log: log, WarnDays: c.BalanceWarnDays, Rate: c.ClipImgRate, SubmitTimeout: c.SubmitTimeout}
	if !c.Simulated() {
		client, err := clipimg.New(clipimg.Config{BaseURL: c.ClipImgURL, APIKey: c.ClipImgAPIKey})
		if err != nil {
			return nil, err
		}
		oc.Provider = client
	}
	return orders.New(oc), nil
}

// RawAnswers opens what is still kept of what OCR providers answered about a picture.
func (t *Tools) RawAnswers(ctx context.Context, c *config.Config, sc tenants.Scope, pictureID string) ([]routing.RawAnswer, error) {
	blobs, err := blob.Open(ctx, c.BlobURL)
	if err != nil {
		return nil, err
	}
	defer blobs.Close()
	seal, err := rawSeal(c)
	if err != nil {
		return nil, err
	}
	return routing.New(routing.Config{DB: t.DB, Blobs: blobs, Seal: seal}).RawAnswers(ctx, sc, pictureID)
}

// Close closes the database.
func (t *Tools) Close() error { return t.DB.Close() }

// Migrate brings the schema up to date whatever HUIZHI_AUTO_MIGRATE says, and
// returns the names of the migrations it applied.
func Migrate(ctx context.Context, c *config.Config) ([]string, error) {
	d, err := db.Open(ctx, c.DatabaseURL)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	applied, err := d.Migrate(ctx)
	if err != nil {
		return nil, err
	}
	return applied, d.CheckModels(ctx, models()...)
}
