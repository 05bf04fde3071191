// Package stripe lets tenants pay their invoices through Stripe.
//
// Our invoice is the truth and Stripe's follows it: whatever happens to a final
// invoice enqueues a push in the same transaction, and a push brings Stripe's
// invoice to what ours says, from wherever it is. A push is therefore safe to run
// twice, and one whose process was killed is simply run again: each id that Stripe
// gives is written down before the next call, what may have been made without
// being written down is looked for, and what is made anew has an idempotency key
// of our ids.
//
// The way back are payments. A webhook is an unbelieved hint: its event is kept
// and enqueued in one transaction, and the job fetches the invoice and records
// what Stripe says has been paid.
//
//	client.go  the calls
//	lines.go   what of an invoice Stripe is shown
//	push.go    ours to Stripe
//	inbox.go   Stripe to ours
package stripe

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	sdk "github.com/stripe/stripe-go/v76"
	"github.com/uptrace/bun"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/jobs"
	"huizhi/internal/tenants"
)

// Contact is who Stripe's invoices of a tenant are made out and mailed to.
type Contact struct{ Name, Email string }

// Config is what the service needs.
type Config struct {
	DB      *db.DB
	Jobs    jobs.Enqueuer
	Billing *billing.Service
	Contact func(context.Context, tenants.Scope) (Contact, error)
	// Key is the account's secret key, URL another address of the API ("" is
	// Stripe's), Secret what its webhooks are signed with.
	Key, URL, Secret string
}

// Service brings invoices to Stripe and payments back.
type Service struct {
	Config
	account account
}

// New makes the service. The caller gives Changed to billing.
func New(c Config) *Service { return &Service{c, newAccount(c.Key, c.URL)} }

// customer is a tenant at Stripe, as it was last told.
type customer struct {
	bun.BaseModel `bun:"table:stripe_customers,alias:customer"`
	TenantID      string `bun:",pk"`
	CustomerID    string
	Name          string
	Email         string
}

// Invoice is how far an invoice of ours has come at Stripe.
type Invoice struct {
	bun.BaseModel `bun:"table:stripe_invoices,alias:pushed"`
	TenantID      string `bun:",pk"`
	InvoiceID     string `bun:",pk"`
	Version       int64  // in the idempotency keys; grows when a request was refused for good
	StripeID      *string
	Status        string // Stripe's: "", draft, open, paid, void, uncollectible; deleted for a draft
	HostedURL     string `bun:"hosted_url"` // where the tenant pays, "" before it is final there
	SentAt        *time.Time
	Problem       string // catalogue key of what a person should look at, or ""
	UpdatedAt     time.Time
}

// Payable tells that the tenant can pay on the hosted page.
func (i *Invoice) Payable() bool {
	return i.HostedURL != "" && (i.Status == string(sdk.InvoiceStatusOpen) || i.Status == string(sdk.InvoiceStatusUncollectible))
}

// madeCredit is a credit note at Stripe for a credit note or bank payment of ours.
type madeCredit struct {
	bun.BaseModel `bun:"table:stripe_credits,alias:made"`
	TenantID      string `bun:",pk"`
	SourceID      string `bun:",pk"`
	InvoiceID     string
	StripeID      string
}

// event is a webhook that was taken. It belongs to no tenant before its object
// has been fetched.
type event struct {
	bun.BaseModel `bun:"table:stripe_events,alias:event"`
	EventID       string `bun:",pk"`
	Type          string
	ObjectID      string
	ReceivedAt    time.Time
	DoneAt        *time.Time
	Outcome       string // applied, foreign or "" before
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*customer)(nil), (*Invoice)(nil), (*madeCredit)(nil), (*event)(nil)}

// Queues. Events do not wait behind the pushes of a whole month.
const (
	queuePush   = "stripe_push"
	queueEvents = "stripe_events"
	workers     = 2
)

type pushArgs struct {
	Tenant  string `json:"tenant"`
	Invoice string `json:"invoice"`
}

func (pushArgs) Kind() string                 { return "stripe_push" }
func (pushArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queuePush} }

type eventArgs struct {
	Event string `json:"event"`
}

func (eventArgs) Kind() string                 { return "stripe_event" }
func (eventArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queueEvents} }

// Register declares the jobs.
func (s *Service) Register(q *jobs.Queue) {
	q.AddQueue(queuePush, workers)
	q.AddQueue(queueEvents, workers)
	jobs.Handle(q, func(ctx context.Context, a pushArgs) error {
		return s.Push(ctx, tenants.ForTenant(a.Tenant), a.Invoice, db.Now())
	})
	jobs.Handle(q, func(ctx context.Context, a eventArgs) error { return s.Handle(ctx, a.Event, db.Now()) })
}

// Changed enqueues a push of a final invoice in the transaction that changed it.
// An invoice over nothing stays here.
func (s *Service) Changed(ctx context.Context, tx bun.Tx, sc tenants.Scope, inv *billing.Invoice) error {
	if inv.Number == nil || inv.TotalFen == 0 {
		return nil
	}
	return s.Jobs.EnqueueTx(ctx, tx, pushArgs{sc.TenantID(), inv.ID})
}

// Invoice tells how far the invoice has come; nil when it is not at Stripe.
func (s *Service) Invoice(ctx context.Context, sc tenants.Scope, invoiceID string) (*Invoice, error) {
	row := new(Invoice)
	err := s.DB.NewSelect().Model(row).ApplyQueryBuilder(sc.Where).Where("invoice_id = ?", invoiceID).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load what Stripe has of invoice %s: %w", invoiceID, err)
	}
	return row, nil
}
