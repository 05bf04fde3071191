// Package reconcile compares a month three ways: the ledger, what the receipt
// provider says that it completed, and Stripe. It names every difference with
// both sides, keeps each under one identity from run to run until it is gone or
// somebody takes responsibility for it, and closes the month when nothing is left.
//
//	kinds.go        what can differ, and what is explained by itself
//	run.go          one run at a time, over all processes: asked for, worked, ended
//	scan.go         the provider's list, page by page, into a working table
//	applications.go the provider against the ledger
//	invoices.go     the ledger against its seals and the invoices
//	payments.go     the invoices against Stripe
//	merge.go        what was found becomes differences, in one transaction
//	differences.go  the list, and who accepted what
//	totals.go       the sums of each side
//	closing.go      the conditions for closing a month
//
// A run holds no list in memory, neither the provider's nor ours: what was read is
// in reconcile_seen and what was found in reconcile_found, both of the run alone
// and emptied after it. Only merge.go touches what people see.
package reconcile

import (
	"context"
	"log/slog"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/billing"
	"huizhi/internal/billing/stripe"
	"huizhi/internal/db"
	"huizhi/internal/jobs"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// Attempt is one application that we sent, as those who sent it know it.
type Attempt struct {
	TenantID, AttemptID, OrderNumber string
	ApplicationNo                    string // "" as long as it is not known
	Reference                        string // travels with the application
	Status                           string
	Simulate                         bool
	DispatchedAt                     *time.Time
}

// Statuses of an attempt of which nobody knows what became.
const (
	attemptUnknown  = "unknown"
	attemptDecision = "needs_decision"
)

// Applications is what reconciling needs of those who send applications.
type Applications interface {
	// Page reads a page of all applications of the account, counted from 1.
	Page(ctx context.Context, page int) (providers.Page, error)
	// Sent finds the attempts with one of the application numbers or references.
	Sent(ctx context.Context, sweep tenants.Sweep, numbers, references []string) ([]Attempt, error)
	// Unsettled lists the attempts sent from a time on and before another that are
	// unknown or wait for a decision.
	Unsettled(ctx context.Context, sweep tenants.Sweep, from, end time.Time) ([]Attempt, error)
}

// Invoices is what reconciling needs of Stripe.
type Invoices interface {
	EachInvoice(ctx context.Context, from time.Time, visit func(stripe.Remote) error) error
}

// Config is what the service needs.
type Config struct {
	DB           *db.DB
	Billing      *billing.Service
	Applications Applications
	Stripe       Invoices // nil without a key: that side is left out, and every result says so
	Log          *slog.Logger
	Now          func() time.Time // nil: the clock
	// Waits are the pauses before a page of the provider is asked for again; nil
	// means 1, 5 and 20 s.
	Waits []time.Duration
}

// Service runs reconciliations and keeps what they found.
type Service struct {
	Config
	loop *jobs.Loop
}

// New makes the service.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = db.Now
	}
	if c.Waits == nil {
		c.Waits = []time.Duration{time.Second, 5 * time.Second, 20 * time.Second}
	}
	return &Service{Config: c}
}

// lookEvery is how soon a run that was asked for in another process is taken up.
const lookEvery = 10 * time.Second

// Register declares the loop that works runs and asks for the nightly one. A job
// would not do: a run over a long list takes longer than a job may.
func (s *Service) Register(q *jobs.Queue) {
	s.loop = q.AddLoop("reconcile money", lookEvery, s.work)
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*Run)(nil), (*result)(nil), (*seen)(nil), (*found)(nil), (*Difference)(nil), (*Event)(nil), (*Closing)(nil)}

var everybody = tenants.AllTenants("the provider's account and the month's end are everybody's")

// now is the clock as the database keeps it.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// result is what one run says of one month.
type result struct {
	bun.BaseModel `bun:"table:reconcile_results,alias:result"`
	Month         billing.Month `bun:",pk"`
	RunID         string        `bun:",pk"`
	Totals        Totals        `bun:"type:jsonb"`
}
