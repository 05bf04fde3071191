package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/billing"
)

// Event is a line of a difference's history. Rows are never changed.
type Event struct {
	bun.BaseModel `bun:"table:reconcile_events,alias:event"`
	DifferenceID  string    `bun:",pk"`
	At            time.Time `bun:",pk"`
	Event         EventKind `bun:",pk"`
	RunID         string    // "" for what a person did
	Actor         string    // a user id, or System
	Reason        string
}

// EventKind is what happened to a difference.
type EventKind string

// What can happen.
const (
	EventFound    EventKind = "found"
	EventChanged  EventKind = "changed"  // its sides say something else now
	EventGone     EventKind = "gone"     // the run did not find it any more
	EventReturned EventKind = "returned" // it was gone, and is there again
	EventAccepted EventKind = "accepted"
	EventReopened EventKind = "reopened" // the acceptance was taken back
)

// merge makes what the run found the differences of its months and ends the run,
// in one transaction. A difference keeps its id. One that was accepted stays so
// unless it says something else now.
func (s *Service) merge(ctx context.Context, run *Run, results []result) error {
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		now := s.now()
		// First: whoever else ended the run waits here, or this run ends.
		res, err := tx.NewUpdate().Model((*Run)(nil)).Set("state = ?, active = ?, finished_at = ?", Done, false, now).
			Where("id = ? AND state = ?", run.ID, Running).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errLost)
		}
		for _, r := range results {
			if err := mergeMonth(ctx, tx, run.ID, r.Month, now); err != nil {
				return err
			}
		}
		_, err = tx.NewInsert().Model(&results).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot keep what the reconciliation found: %w", err)
	}
	return nil
}

// differs tells that a difference says something else than it did.
const differs = "(was.ours IS DISTINCT FROM found.ours OR was.theirs IS DISTINCT FROM found.theirs)"

func mergeMonth(ctx context.Context, tx bun.Tx, runID string, month billing.Month, now time.Time) error {
	event := func(kind EventKind, from string) string {
		return `INSERT INTO reconcile_events (difference_id, at, event, run_id, actor, reason) SELECT was.id, ?3, '` + string(kind) + `', ?0, '` + System + `', '' FROM ` + from
	}
	const both = `reconcile_differences AS was JOIN reconcile_found AS found ON found.month = was.month AND found.subject = was.subject
		WHERE found.run_id = ?0 AND found.month = ?1 AND was.state `
	const missing = ` month = ?1 AND state <> ?2 AND NOT EXISTS
		(SELECT 1 FROM reconcile_found AS found WHERE found.run_id = ?0 AND found.month = ?1 AND found.subject = reconcile_differences.subject)`
	for _, statement := range []string{
		event(EventReturned, both+"= ?2"),
		event(EventChanged, both+"<> ?2 AND "+differs),
		event(EventGone, "(SELECT id FROM reconcile_differences WHERE"+missing+") AS was"),
		"UPDATE reconcile_differences SET state = ?2, last_at = ?3 WHERE" + missing,
		`INSERT INTO reconcile_differences AS was (month, subject, id, kind, state, tenant_id, order_number, invoice_id, ours, theirs, first_at, last_at, last_run, decided_by, reason)
		SELECT month, subject, id, kind, CASE WHEN explained THEN '` + string(Explained) + `' ELSE '` + string(Open) + `' END,
			tenant_id, order_number, invoice_id, ours, theirs, ?3, ?3, ?0, '', ''
		FROM reconcile_found WHERE run_id = ?0 AND month = ?1
		ON CONFLICT (month, subject) DO UPDATE SET
			state = CASE WHEN was.state = '` + string(Accepted) + `' AND was.ours IS NOT DISTINCT FROM EXCLUDED.ours AND was.theirs IS NOT DISTINCT FROM EXCLUDED.theirs
				THEN was.state ELSE EXCLUDED.state END,
			ours = EXCLUDED.ours, theirs = EXCLUDED.theirs, order_number = EXCLUDED.order_number, last_at = EXCLUDED.last_at, last_run = EXCLUDED.last_run`,
		`INSERT INTO reconcile_events (difference_id, at, event, run_id, actor, reason) SELECT id, ?3, '` + string(EventFound) + `', ?0, '` + System + `', ''
		FROM reconcile_differences WHERE month = ?1 AND last_run = ?0 AND first_at = ?3`,
	} {
		if _, err := tx.NewRaw(statement, runID, month, Gone, now).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}
