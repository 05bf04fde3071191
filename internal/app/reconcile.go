package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"huizhi/internal/billing"
	"huizhi/internal/billing/reconcile"
	"huizhi/internal/billing/stripe"
	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/providers"
	"huizhi/internal/providers/clipimg"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
)

// newReconcile makes the service that compares the money three ways; st is nil
// without a key for Stripe.
func newReconcile(d *db.DB, b *billing.Service, o *orders.Service, st *stripe.Service, log *slog.Logger) *reconcile.Service {
	c := reconcile.Config{DB: d, Billing: b, Applications: applications{o}, Log: log}
	if st != nil {
		c.Stripe = st
	}
	return reconcile.New(c)
}

// applications lets reconciling read what the order engine sent.
type applications struct{ orders *orders.Service }

func (a applications) Page(ctx context.Context, page int) (providers.Page, error) {
	return a.orders.ApplicationPage(ctx, page)
}

func (a applications) Sent(ctx context.Context, sweep tenants.Sweep, numbers, references []string) ([]reconcile.Attempt, error) {
	list, err := a.orders.SentAttempts(ctx, sweep, numbers, references)
	return attempts(list), err
}

func (a applications) Unsettled(ctx context.Context, sweep tenants.Sweep, from, end time.Time) ([]reconcile.Attempt, error) {
	list, err := a.orders.UnsettledAttempts(ctx, sweep, from, end)
	return attempts(list), err
}

func attempts(list []orders.SentAttempt) []reconcile.Attempt {
	out := make([]reconcile.Attempt, len(list))
	for i, a := range list {
		out[i] = reconcile.Attempt(a)
	}
	return out
}

// Reconcile is the service for a command: beside a server or without one, within
// the account's limits all the same. The built-in simulator is the one of the
// running server; without one it is started from what it has kept, for as long as
// ctx lives.
func (t *Tools) Reconcile(ctx context.Context, c *config.Config, log *slog.Logger) (*reconcile.Service, error) {
	account, key, base := "clipimg", c.ClipImgAPIKey, c.ClipImgURL
	if c.Simulated() {
		var err error
		account, key = "simulator", simulator.DefaultAPIKey
		if base, err = simulatorURL(ctx, filepath.Join(c.DataDir, "simulator")); err != nil {
			return nil, err
		}
	}
	client, err := clipimg.New(clipimg.Config{BaseURL: base, APIKey: key})
	if err != nil {
		return nil, err
	}
	o := orders.New(orders.Config{DB: t.DB, Provider: client, Account: account, Ledger: ledger{}, Log: log,
		SubmitTimeout: c.SubmitTimeout, Concurrency: c.ClipImgConcurrency, Rate: c.ClipImgRate})
	return newReconcile(t.DB, t.Billing, o, t.Stripe, log), nil
}

// simulatorURL is where the simulator of the data folder is reached.
func simulatorURL(ctx context.Context, folder string) (string, error) {
	addr, err := os.ReadFile(filepath.Join(folder, "addr"))
	if err == nil {
		dial := net.Dialer{Timeout: time.Second}
		if conn, err := dial.DialContext(ctx, "tcp", string(addr)); err == nil {
			conn.Close()
			return simulator.URLAt("http://" + string(addr)), nil
		}
	}
	s, err := startSimulator(ctx, simulator.Config{StatePath: folder})
	if err != nil {
		return "", fmt.Errorf("cannot start the simulator: %w", err)
	}
	return s.URL(), nil
}
