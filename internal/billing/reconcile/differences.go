package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/billing"
	"huizhi/internal/db"
)

// Difference is one thing on which two sides do not agree. It is the same from run
// to run.
type Difference struct {
	bun.BaseModel `bun:"table:reconcile_differences,alias:difference" json:"-"`
	Month         billing.Month `bun:",pk" json:"month"`
	Subject       string        `bun:",pk" json:"-"`
	ID            string        `json:"id"`
	Kind          Kind          `json:"kind"`
	State         State         `json:"state"`
	TenantID      string        `json:"tenant_id"` // "" when it is nobody's
	OrderNumber   string        `json:"order_number"`
	InvoiceID     string        `json:"invoice_id"`
	Ours          *Side         `bun:"type:jsonb,nullzero" json:"ours"`
	Theirs        *Side         `bun:"type:jsonb,nullzero" json:"theirs"`
	FirstAt       time.Time     `json:"first_at"`
	LastAt        time.Time     `json:"last_at"` // when a run last found it, or found it gone
	LastRun       string        `json:"-"`
	DecidedBy     string        `json:"accepted_by"` // while it is accepted
	DecidedAt     *time.Time    `json:"accepted_at"`
	Reason        string        `json:"reason"`
}

// Filter narrows a list. The zero value is everything that is not gone.
type Filter struct {
	State State
	Kind  Kind
}

func (f Filter) where(month billing.Month) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		q.Where("difference.month = ?", month)
		if f.State != "" {
			q.Where("difference.state = ?", f.State)
		} else {
			q.Where("difference.state <> ?", Gone)
		}
		if f.Kind != "" {
			q.Where("difference.kind = ?", f.Kind)
		}
		return q
	}
}

// Differences reads a page of the month's differences in the order in which they
// were first found, from after an id on ("" for the first page). next is the id to
// go on from, or "".
func (s *Service) Differences(ctx context.Context, month billing.Month, f Filter, after string, size int) (list []Difference, next string, err error) {
	err = s.DB.NewSelect().Model(&list).Apply(f.where(month)).Where("difference.id > ?", after).
		Order("difference.id").Limit(int64(size) + 1).Scan(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("cannot list the differences of %s: %w", month, err)
	}
	if len(list) > size {
		list, next = list[:size], list[size-1].ID
	}
	return list, next, nil
}

// Count is how many differences of a kind are in a state.
type Count struct {
	Kind  Kind
	State State
	N     int64
}

// Counts counts the month's differences by kind and state.
func (s *Service) Counts(ctx context.Context, month billing.Month) ([]Count, error) {
	var out []Count
	err := s.DB.NewSelect().Model((*Difference)(nil)).ColumnExpr("kind, state, COUNT(*) AS n").Where("month = ?", month).
		Group("kind", "state").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("cannot count the differences of %s: %w", month, err)
	}
	return out, nil
}

// History is what happened to the differences, oldest first.
func (s *Service) History(ctx context.Context, ids ...string) ([]Event, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var out []Event
	if err := s.DB.NewSelect().Model(&out).Where("difference_id IN (?)", bun.List(ids)).Order("at").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the history of differences: %w", err)
	}
	return out, nil
}

// Report is what is known of a month: its newest finished run, what it summed up,
// and the newest run of all if that one did not finish.
type Report struct {
	Run    *Run // nil before the first
	Totals Totals
	Newest *Run // queued, running or failed, and newer than Run; nil otherwise
}

// Report reads what is known of the month.
func (s *Service) Report(ctx context.Context, month billing.Month) (*Report, error) {
	out := &Report{}
	row := new(result)
	err := s.DB.NewSelect().Model(row).Where("month = ?", month).Order("run_id DESC").Limit(1).Scan(ctx)
	switch {
	case err == nil:
		out.Run, out.Totals = &Run{ID: row.RunID}, row.Totals
		err = s.DB.NewSelect().Model(out.Run).WherePK().Scan(ctx)
	case db.IsNoRows(err):
		row.RunID, err = "", nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the reconciliation of %s: %w", month, err)
	}
	newest := new(Run)
	err = s.DB.NewSelect().Model(newest).Where("id > ? AND months LIKE ?", row.RunID, `%"`+string(month)+`"%`).Order("id DESC").Limit(1).Scan(ctx)
	switch {
	case err == nil:
		out.Newest = newest
	case !db.IsNoRows(err):
		return nil, fmt.Errorf("cannot load the newest reconciliation: %w", err)
	}
	return out, nil
}
