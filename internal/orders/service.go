package orders

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/jobs"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// Ledger is what orders need of billing: one charge per completed attempt, in
// the transaction that completes it, a note of each that cost nothing because it
// failed, and what all tenants were charged in a time.
type Ledger interface {
	ChargeReceipt(ctx context.Context, tx bun.Tx, sc tenants.Scope, c ChargedReceipt) error
	// NoteFailure is told of an attempt that failed or was rejected. Its points are 0.
	NoteFailure(ctx context.Context, tx bun.Tx, sc tenants.Scope, c ChargedReceipt, outcome AttemptStatus) error
	Points(ctx context.Context, d bun.IDB, sweep tenants.Sweep, from, before time.Time) (int64, error)
}

// ChargedReceipt is what the ledger is told of a completed attempt.
type ChargedReceipt struct {
	AttemptID   string
	OrderID     string
	OrderNumber string
	TypeID      int
	TypeName    string
	City        string
	BatchID     string
	BatchName   string
	Points      int64
	At          time.Time
}

// Fetcher gets a result file from the provider; see safehttp.
type Fetcher func(ctx context.Context, url string) (File, error)

// File is a fetched result file.
type File struct {
	Data   []byte
	Type   string // sniffed from the content
	SHA256 string
}

// Config is what the service needs.
type Config struct {
	DB       *db.DB
	Blobs    *blob.Store
	Jobs     *jobs.Queue
	Provider providers.Receipts
	Account  string // names the upstream account, e.g. "clipimg" or "simulator"
	Ledger   Ledger
	Funds    Funds // nil: nobody's money has an end
	Fetch    Fetcher
	// BaseURL is where the provider reaches us, for photos and callbacks. A
	// function, because a test's port is known only once it listens.
	BaseURL func() string
	// Followed is called in the transaction that moves an order along upstream,
	// ends it, or settles the files of its receipt (nil before there is one). May
	// be nil.
	Followed func(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, r *Receipt) error
	// Changed is called after a commit that changed a batch. May be nil.
	Changed func(sc tenants.Scope, batchID string)
	Log     *slog.Logger
	Now     func() time.Time // nil: the clock

	PollSchedule  []time.Duration
	PollSlowAfter time.Duration // an application older than this is asked about every PollSlow; 30 min by default
	PollSlow      time.Duration // 20 min by default
	PollJitter    float64       // up to this share is added to each step at random
	SubmitTimeout time.Duration // one call; 30 s by default
	Concurrency   int           // calls under way at once; 8 by default. For submits over all processes, for others in this one
	Rate          float64       // calls that begin per second, over all processes; 0: no limit
	Quiet         time.Duration // how long an unknown attempt rests before the first scan; 1 min by default
	ScanEvery     time.Duration // between scans of an unknown attempt; 1 min by default
	GatherFor     time.Duration // how long due applications are gathered into one query; 1 s by default
	PhotoFor      time.Duration // how long a photo's address lives after the submit at the longest; 72 h by default
	// Waits before the next try of what provably never reached the provider.
	ThrottledWait time.Duration // HTTP 429; 10 s by default
	NotSentWait   time.Duration // no connection; 5 s by default
	BreakerAfter  int64         // transport and server failures in a row that stop everything; 5 by default
	ProbeEvery    time.Duration // until the first probe of an unreachable provider, doubling to eightfold; 10 s by default
	AccountWait   time.Duration // between probes after a wrong key or without points; 2 min by default
	SweepEvery    time.Duration // how often due rows are looked for at the latest; 10 s by default
	WarnDays      float64       // warn when the points will not last so many days; 0: never
	WithoutEcho   bool          // our reference is not sent, as the provider may not echo it: unknown attempts go to a person
}

// Service owns batches and orders.
type Service struct {
	Config
	poll      *jobs.Loop
	reconcile *jobs.Loop
	watch     *jobs.Loop
	catalogue *jobs.Loop
	slots     chan struct{} // see enter
	sending   atomic.Int64  // dispatch jobs at work
	troubled  atomic.Bool   // the account's row had failures, or a trial, when last looked at
	stopSeen  atomic.Bool   // the account was stopped when last looked at
	types     atomic.Pointer[knownTypes]
}

// New makes the service.
func New(c Config) *Service {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&c.SubmitTimeout, 30*time.Second)
	def(&c.Quiet, time.Minute)
	def(&c.ScanEvery, time.Minute)
	def(&c.GatherFor, time.Second)
	def(&c.ThrottledWait, 10*time.Second)
	def(&c.NotSentWait, 5*time.Second)
	def(&c.AccountWait, 2*time.Minute)
	def(&c.SweepEvery, 10*time.Second)
	def(&c.PollSlowAfter, 30*time.Minute)
	def(&c.PollSlow, 20*time.Minute)
	def(&c.PhotoFor, 72*time.Hour)
	def(&c.ProbeEvery, 10*time.Second)
	c.Concurrency = cmp.Or(c.Concurrency, 8)
	c.BreakerAfter = cmp.Or(c.BreakerAfter, 5)
	if len(c.PollSchedule) == 0 {
		c.PollSchedule = []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute, 5 * time.Minute, 10 * time.Minute}
	}
	if c.Now == nil {
		c.Now = db.Now
	}
	return &Service{Config: c, slots: make(chan struct{}, c.Concurrency)}
}

// accountSweep is how soon a stop that another process lifted is noticed.
const accountSweep = 2 * time.Second

// now is the clock as the database keeps it.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// Register declares the jobs and loops of the engine.
func (s *Service) Register(q *jobs.Queue) {
	q.AddQueue(queueSubmit, s.Concurrency)
	q.AddQueue(queueResults, 4)
	jobs.Handle(q, s.workDispatch)
	jobs.Handle(q, s.workReceive)
	q.AddQueue(queueMatching, 2)
	jobs.Handle(q, func(ctx context.Context, j matchBatch) error {
		return s.MatchBatch(ctx, tenants.ForTenant(j.TenantID), j.BatchID)
	})
	s.poll = q.AddLoop("poll", s.SweepEvery, s.pollDue)
	s.reconcile = q.AddLoop("reconcile", s.SweepEvery, s.reconcileDue)
	q.AddLoop("leases", s.SweepEvery, s.expireLeases)
	s.catalogue = q.AddLoop("catalogue", time.Hour, s.syncCatalogue)
	s.watch = q.AddLoop("account", min(s.SweepEvery, accountSweep), s.watchAccount)
	q.AddLoop("old calls", time.Hour, s.dropOldCalls)
	q.AddLoop("balance", time.Hour, s.warnBalance)
	q.AddLoop("validity", time.Hour, s.reckonOld)
}

func (s *Service) changed(sc tenants.Scope, batchID string) {
	if s.Changed != nil {
		s.Changed(sc, batchID)
	}
}

func (s *Service) followed(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, r *Receipt) error {
	if s.Followed == nil {
		return nil
	}
	return s.Followed(ctx, tx, sc, o, r)
}

// getOrder loads an order for changing it.
func getOrder(ctx context.Context, tx bun.IDB, sc tenants.Scope, id string) (*Order, error) {
	o := new(Order)
	err := tx.NewSelect().Model(o).ApplyQueryBuilder(sc.Where).Where("o.id = ?", id).Apply(db.ForUpdate(tx)).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.order.not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load order %s: %w", id, err)
	}
	return o, nil
}

// move changes the status by the table and writes the order with whatever else
// the caller has set on it.
func move(ctx context.Context, tx bun.IDB, sc tenants.Scope, o *Order, to Status, now time.Time) error {
	if !o.Status.CanBecome(to) {
		return errTransition(o.Status, to)
	}
	o.Status = to
	return save(ctx, tx, sc, o, now)
}

// save writes an order that was loaded for changing.
func save(ctx context.Context, tx bun.IDB, sc tenants.Scope, o *Order, now time.Time) error {
	seen := o.Version
	o.Version++
	o.UpdatedAt = now
	res, err := tx.NewUpdate().Model(o).ExcludeColumn("tenant_id", "id", "created_at", "number", "batch_id").
		ApplyQueryBuilder(sc.Where).Where("id = ?", o.ID).Where("version = ?", seen).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot save order %s: %w", o.ID, err)
	}
	if n, _ := res.RowsAffected(); n != 1 {
		return apperr.New(apperr.Conflict, "error.order.changed")
	}
	return nil
}

// record adds a line to the order's history.
func record(ctx context.Context, tx bun.IDB, sc tenants.Scope, orderID string, attemptID *string, kind EventKind, actor string, detail map[string]string, now time.Time) error {
	e := &Event{TenantID: sc.TenantID(), ID: db.NewID(), OrderID: orderID, AttemptID: attemptID, At: now, Kind: kind, Actor: actor, Detail: detail}
	if _, err := tx.NewInsert().Model(e).Exec(ctx); err != nil {
		return fmt.Errorf("cannot record %s of order %s: %w", kind, orderID, err)
	}
	return nil
}

// Actors that are not users.
const (
	ActorSystem   = "system"
	ActorProvider = "provider"
)
