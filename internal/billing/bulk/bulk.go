// Package bulk does one thing to many invoices: it drafts, reviews, finalizes,
// sends or reminds of them, one after the other, each in a transaction of its
// own, while the person watches or does something else. What was chosen, what
// became of each and why is kept, so that a run that was killed goes on where it
// stopped, and its balance adds up: chosen = done + refused.
package bulk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/jobs"
	"huizhi/internal/tenants"
)

// Action is what is done to each invoice.
type Action string

// The actions.
const (
	Draft    Action = "draft" // builds the month's draft of a tenant
	Review   Action = "review"
	Finalize Action = "finalize"
	Send     Action = "send"
	Remind   Action = "remind"
)

// Actions are all of them.
var Actions = []Action{Draft, Review, Finalize, Send, Remind}

// Limit is the most that one run takes.
const Limit = 10_000

// State is what became of an item.
type State string

// The states of an item.
const (
	Pending State = "pending"
	Done    State = "done"
	Refused State = "refused"
)

// Run is a bulk action.
type Run struct {
	bun.BaseModel `bun:"table:bulk_runs,alias:run"`
	ID            string `bun:",pk"`
	Action        Action
	Month         billing.Month // of a run over a month, or ""
	Actor         string
	CreatedAt     time.Time
	FinishedAt    *time.Time
}

// Item is one invoice of a run.
type Item struct {
	bun.BaseModel `bun:"table:bulk_items,alias:item"`
	RunID         string `bun:",pk"`
	Ordinal       int    `bun:",pk"`
	TenantID      string
	InvoiceID     string     // "" for a draft that is to be made
	SeenAt        *time.Time // when the draft was counted that the person saw; for Review
	State         State
	Reason        string   // catalogue key of why it was refused, or ""
	ReasonArgs    []string `bun:"type:jsonb"` // name/value pairs
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*Run)(nil), (*Item)(nil)}

// Target is an invoice that was chosen.
type Target struct {
	Scope     tenants.Scope
	InvoiceID string
	Seen      time.Time // the UpdatedAt of the invoice as the person saw it
}

// Config is what the service needs.
type Config struct {
	DB      *db.DB
	Jobs    jobs.Enqueuer
	Billing *billing.Service
}

// Service starts runs and works them.
type Service struct{ Config }

// New makes the service.
func New(c Config) *Service { return &Service{c} }

const queue = "invoices"

type workArgs struct {
	RunID string `json:"run_id"`
}

func (workArgs) Kind() string                 { return "invoices.bulk" }
func (workArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue} }

// Register declares the job.
func (s *Service) Register(q *jobs.Queue) {
	q.AddQueue(queue, 1)
	jobs.Handle(q, func(ctx context.Context, a workArgs) error { return s.Work(ctx, a.RunID) })
}

// Start keeps what is to be done and enqueues it. An action that does not exist
// and a choice of nothing or too much are Invalid.
func (s *Service) Start(ctx context.Context, _ tenants.Sweep, action Action, month billing.Month, targets []Target, actor string, now time.Time) (*Run, error) {
	switch {
	case !slices.Contains(Actions, action):
		return nil, apperr.New(apperr.Invalid, "error.finance.action")
	case len(targets) == 0:
		return nil, apperr.New(apperr.Invalid, "error.finance.nothing_chosen")
	case len(targets) > Limit:
		return nil, apperr.New(apperr.Invalid, "error.finance.too_many", "max", Limit)
	}
	run := &Run{ID: db.NewID(), Action: action, Month: month, Actor: actor, CreatedAt: now}
	items := make([]Item, len(targets))
	for i, t := range targets {
		items[i] = Item{RunID: run.ID, Ordinal: i + 1, TenantID: t.Scope.TenantID(), InvoiceID: t.InvoiceID, State: Pending, ReasonArgs: []string{}}
		if !t.Seen.IsZero() {
			items[i].SeenAt = &t.Seen
		}
	}
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(run).Exec(ctx); err != nil {
			return err
		}
		for part := range slices.Chunk(items, 500) {
			if _, err := tx.NewInsert().Model(&part).Exec(ctx); err != nil {
				return err
			}
		}
		return s.Jobs.EnqueueTx(ctx, tx, workArgs{run.ID})
	})
	if err != nil {
		return nil, fmt.Errorf("cannot start the run: %w", err)
	}
	return run, nil
}

// workPage is how many items are read at a time.
const workPage = 100

// Work does what is still pending. Doing an item twice is the same as once, so a
// run that was killed between an item and its mark is simply worked again.
func (s *Service) Work(ctx context.Context, runID string) error {
	run := new(Run)
	if err := s.DB.NewSelect().Model(run).Where("id = ?", runID).Scan(ctx); err != nil {
		return fmt.Errorf("cannot load the run: %w", err)
	}
	for {
		var items []Item
		err := s.DB.NewSelect().Model(&items).Where("run_id = ? AND state = ?", runID, Pending).Order("ordinal").Limit(workPage).Scan(ctx)
		if err != nil {
			return fmt.Errorf("cannot load what is to be done: %w", err)
		}
		if len(items) == 0 {
			break
		}
		for i := range items {
			if err := s.workItem(ctx, run, &items[i]); err != nil {
				return err
			}
		}
	}
	now := db.Now()
	_, err := s.DB.NewUpdate().Model(run).Set("finished_at = ?", now).WherePK().Where("finished_at IS NULL").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot finish the run: %w", err)
	}
	return nil
}

func (s *Service) workItem(ctx context.Context, run *Run, item *Item) error {
	err := s.do(ctx, run, item, db.Now())
	var refusal *apperr.Error
	switch {
	case err == nil:
		item.State = Done
	case errors.As(err, &refusal) && refusal.Kind != apperr.Internal:
		item.State, item.Reason = Refused, refusal.Key
		for _, a := range refusal.Args {
			item.ReasonArgs = append(item.ReasonArgs, fmt.Sprint(a))
		}
	case jobs.LastTry(ctx):
		item.State, item.Reason = Refused, "error.internal"
	default:
		return err
	}
	if _, err := s.DB.NewUpdate().Model(item).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("cannot note what became of the invoice: %w", err)
	}
	return nil
}

// do does the action. The states' table refuses what cannot be.
func (s *Service) do(ctx context.Context, run *Run, item *Item, now time.Time) error {
	sc := tenants.ForTenant(item.TenantID)
	if run.Action == Draft {
		_, err := s.Billing.Draft(ctx, sc, run.Month, now)
		return err
	}
	inv, err := s.Billing.Head(ctx, sc, item.InvoiceID)
	if err != nil {
		return err
	}
	switch run.Action {
	case Review:
		if item.SeenAt == nil {
			return apperr.New(apperr.Conflict, "error.billing.changed_since")
		}
		_, err = s.Billing.Review(ctx, sc, inv.ID, *item.SeenAt, run.Actor, now)
	case Finalize:
		if inv.FinalizedAt != nil && !inv.FinalizedAt.Before(run.CreatedAt) {
			return nil // done before the run was killed
		}
		if !inv.Editable() {
			return apperr.New(apperr.Conflict, "error.billing.not_draft")
		}
		_, err = s.Billing.Finalize(ctx, sc, inv.Month, run.Actor, now)
	case Send:
		_, err = s.Billing.Send(ctx, sc, inv.ID, run.Actor, now)
	case Remind:
		if inv.RemindedAt != nil && !inv.RemindedAt.Before(run.CreatedAt) {
			return nil // done before the run was killed
		}
		_, err = s.Billing.Remind(ctx, sc, inv.ID, run.Actor, now)
	}
	return err
}
