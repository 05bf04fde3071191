package stripe_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/billing/stripe"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/tenants"
)

// The environment in which the test binary is a process that pushes one invoice.
const (
	envDatabase = "PUSH_DATABASE"
	envStripe   = "PUSH_STRIPE"
	envKey      = "PUSH_KEY"
	envTenant   = "PUSH_TENANT"
	envInvoice  = "PUSH_INVOICE"
)

func TestMain(m *testing.M) {
	if os.Getenv(envDatabase) == "" {
		os.Exit(m.Run())
	}
	if err := pushAlone(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func pushAlone(ctx context.Context) error {
	d, err := db.Open(ctx, os.Getenv(envDatabase))
	if err != nil {
		return err
	}
	defer d.Close()
	s := stripe.New(stripe.Config{DB: d, Billing: billing.NewService(d), Key: os.Getenv(envKey), URL: os.Getenv(envStripe), Secret: secret,
		Contact: func(context.Context, tenants.Scope) (stripe.Contact, error) { return contact, nil }})
	return s.Push(ctx, tenants.ForTenant(os.Getenv(envTenant)), os.Getenv(envInvoice), now)
}

// A process that pushes an invoice is killed at its first request, the next one
// at its second, and so on, at random before Stripe has carried the request out or
// after it, until one comes to its end. Stripe then has one invoice with each line,
// credit and mail once, as if nothing had happened.
func TestAPushWhoseProcessIsKilledAgainAndAgainDoublesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for seed := range uint64(3) {
			random := rand.New(rand.NewPCG(seed, 4))
			f := newFinance(t, d)
			_, err := d.NewUpdate().Table("invoices").Set("number = ?", "INV-"+f.invoice).Where("id = ?", f.invoice).Exec(context.Background())
			require.NoError(t, err)
			f.credit(1000, 0, "")
			_, err = f.billing.Send(context.Background(), f.sc, f.invoice, "test", now)
			require.NoError(t, err)

			for request := 1; ; request++ {
				require.Less(t, request, 50, "the runs get on")
				c := exec.Command(os.Args[0])
				c.Env = append(os.Environ(), envDatabase+"="+d.URL(), envStripe+"="+f.remote.URL, envKey+"="+f.remote.secret,
					envTenant+"="+f.sc.TenantID(), envInvoice+"="+f.invoice)
				killed := f.remote.killAt(request, random.IntN(2) == 0, c)
				var said bytes.Buffer
				c.Stdout, c.Stderr = &said, &said
				require.NoError(t, f.remote.start(c))
				err := c.Wait()
				if !killed() {
					require.NoError(t, err, "%s", &said)
					require.Greater(t, request, 4)
					break
				}
			}

			row := f.pushed()
			inv, items, notes := f.remote.only(t)
			assert.Len(t, f.remote.customers, 1)
			assert.Len(t, items, 2)
			assert.Len(t, notes, 1)
			assert.Equal(t, "open", inv["status"])
			assert.EqualValues(t, 10000, inv["total"])
			assert.EqualValues(t, 9000, inv["amount_remaining"])
			assert.Equal(t, 1, f.remote.done("/finalize"))
			assert.Equal(t, 1, f.remote.mails)
			assert.Empty(t, row.Problem)
			assert.NotNil(t, row.SentAt)
			calls := len(f.remote.calls)
			f.pushed()
			assert.Len(t, f.remote.calls, calls, "another push has nothing to do")
		}
	})
}

// start starts the process before any of its requests is looked at, so that there
// is somebody to kill.
func (s *standIn) start(c *exec.Cmd) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.Start()
}

// killAt kills the process at one of the requests from now on, before it is
// carried out or after it. The answer tells whether that has come.
func (s *standIn) killAt(request int, before bool, c *exec.Cmd) (killed func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, dead := s.seen+request, false
	s.disturb = func(r *http.Request) {
		if s.seen != at {
			return
		}
		if !before {
			s.once(r)
		}
		dead = true
		_ = c.Process.Kill()
		panic(http.ErrAbortHandler)
	}
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.disturb = nil
		return dead
	}
}
