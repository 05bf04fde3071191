package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
)

// maxReason is how long a reason may be, in characters.
const maxReason = 200

func reasonOf(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" || utf8.RuneCountInString(text) > maxReason {
		return "", apperr.Field("reason", "error.reconcile.reason", "max", maxReason)
	}
	return text, nil
}

// Decision is what a person decides about differences of a month: those with the
// ids, or all of a kind.
type Decision struct {
	IDs    []string
	Kind   Kind
	Reason string
	Actor  string // a user id
}

// Accept takes responsibility for open differences, and tells for how many.
// Others, accepted or gone in the meantime, stay as they are.
func (s *Service) Accept(ctx context.Context, month billing.Month, d Decision) (n int64, err error) {
	reason, err := reasonOf(d.Reason)
	if err != nil {
		return 0, err
	}
	now := s.now()
	return s.decide(ctx, month, d, Open, Event{At: now, Event: EventAccepted, Actor: d.Actor, Reason: reason}, func(q *bun.UpdateQuery) *bun.UpdateQuery {
		return q.Set("state = ?, decided_by = ?, decided_at = ?, reason = ?", Accepted, d.Actor, now, reason)
	})
}

// Reopen takes acceptances back: the differences are open again, and who accepted
// them and who took that back, each with the reason, stays in their history. A
// closed month stays closed; it then has a difference that is open.
func (s *Service) Reopen(ctx context.Context, month billing.Month, d Decision) (n int64, err error) {
	reason, err := reasonOf(d.Reason)
	if err != nil {
		return 0, err
	}
	return s.decide(ctx, month, d, Accepted, Event{At: s.now(), Event: EventReopened, Actor: d.Actor, Reason: reason}, func(q *bun.UpdateQuery) *bun.UpdateQuery {
		return q.Set("state = ?, decided_by = '', decided_at = NULL, reason = ''", Open)
	})
}

// decide changes the differences that are in the state, and writes the event into
// the history of each.
func (s *Service) decide(ctx context.Context, month billing.Month, d Decision, in State, e Event, set func(*bun.UpdateQuery) *bun.UpdateQuery) (n int64, err error) {
	if len(d.IDs) == 0 && d.Kind == "" {
		return 0, apperr.New(apperr.Invalid, "error.reconcile.nothing")
	}
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var ids []string
		q := tx.NewUpdate().Model((*Difference)(nil)).Apply(set).Where("month = ? AND state = ?", month, in)
		if d.Kind != "" {
			q.Where("kind = ?", d.Kind)
		} else {
			q.Where("id IN (?)", bun.List(d.IDs))
		}
		if err := q.Returning("id").Scan(ctx, &ids); err != nil && !db.IsNoRows(err) {
			return err
		}
		n = int64(len(ids))
		for part := range slices.Chunk(ids, comparePage) {
			events := make([]Event, len(part))
			for i, id := range part {
				events[i] = e
				events[i].DifferenceID = id
			}
			if _, err := tx.NewInsert().Model(&events).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("cannot decide about differences of %s: %w", month, err)
	}
	return n, nil
}
