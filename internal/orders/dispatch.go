package orders

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// dispatchSlice is how long one job sends; it hands over to a fresh one then.
const dispatchSlice = time.Minute

var allQueued = tenants.AllTenants("one upstream account serves all tenants, so its queue is one")

// workDispatch takes due attempts one after the other until none is left. Each
// has been committed as dispatching before its call, and is committed again
// with what is known after it.
func (s *Service) workDispatch(ctx context.Context, _ dispatchArgs) error {
	for start := time.Now(); ; {
		a, err := s.claim(ctx, allQueued)
		if err != nil {
			return err
		}
		if a == nil {
			return nil
		}
		if err := s.send(ctx, a); err != nil {
			return err
		}
		if time.Since(start) > dispatchSlice {
			return s.wakeDispatch(ctx, 1)
		}
	}
}

// wakeDispatch enqueues dispatch jobs outside a submit: after a pause or a wait.
func (s *Service) wakeDispatch(ctx context.Context, n int) error {
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for range n {
			if err := s.Jobs.EnqueueTx(ctx, tx, dispatchArgs{}); err != nil {
				return err
			}
		}
		return nil
	})
}

// claim picks the next attempt and marks it as dispatching, under a lease. It
// serves the tenant that was served longest ago, so that 5,000 orders of one do
// not hold up the next. nil means that nothing is due or the account is paused.
func (s *Service) claim(ctx context.Context, _ tenants.Sweep) (*Attempt, error) {
	var claimed *Attempt
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		claimed = nil
		now := s.now()
		if paused, err := s.paused(ctx, tx, now); err != nil || paused {
			return err
		}
		a := new(Attempt)
		err := tx.NewSelect().Model(a).
			Join("LEFT JOIN dispatch_turns AS turn ON turn.tenant_id = a.tenant_id").
			Where("a.live AND a.status = ? AND a.not_before <= ?", AttemptQueued, now).
			OrderExpr("CASE WHEN turn.last_turn IS NULL THEN 0 ELSE 1 END, turn.last_turn, a.id").
			Limit(1).Apply(skipLockedAttempts(tx)).Scan(ctx)
		if db.IsNoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot find the next attempt: %w", err)
		}
		sc := tenants.ForTenant(a.TenantID)
		lease := now.Add(s.SubmitTimeout + 15*time.Second)
		a.Status, a.DispatchedAt, a.LeaseUntil = AttemptDispatching, &now, &lease
		if err := saveAttempt(ctx, tx, sc, a, AttemptQueued); err != nil {
			return err
		}
		o, err := getOrder(ctx, tx, sc, a.OrderID)
		if err != nil {
			return err
		}
		if err := move(ctx, tx, sc, o, StatusDispatching, now); err != nil {
			return err
		}
		if err := record(ctx, tx, sc, o.ID, &a.ID, EventDispatched, ActorSystem, map[string]string{"reference": a.Reference}, now); err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(&turn{TenantID: a.TenantID, LastTurn: now}).
			On("CONFLICT (tenant_id) DO UPDATE").Set("last_turn = EXCLUDED.last_turn").Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot note the tenant's turn: %w", err)
		}
		claimed = a
		return nil
	})
	return claimed, err
}

// skipLockedAttempts locks the attempt's row only, not the joined one.
func skipLockedAttempts(tx bun.IDB) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		if db.IsPostgres(tx) {
			return q.For("UPDATE OF a SKIP LOCKED")
		}
		return q
	}
}

// send calls the provider once and commits what is known afterwards. A killed
// process leaves the attempt dispatching; its lease runs out and it becomes
// unknown, never queued again.
func (s *Service) send(ctx context.Context, a *Attempt) error {
	base := s.BaseURL()
	callCtx, cancel := context.WithTimeout(ctx, s.SubmitTimeout)
	defer cancel()
	no, callErr := s.Provider.Submit(callCtx, providers.Application{
		TypeID:       a.TypeID,
		PhotoURL:     base + "/p/" + a.PhotoToken + ".jpg",
		CustomFields: a.CustomFields,
		CallbackURL:  base + "/callbacks/" + s.Account + "/" + a.CallbackToken,
		Simulate:     a.Simulate, SimulateResult: a.SimulateResult,
	})
	// The answer is worth more than the job's deadline.
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if callErr != nil {
		s.Log.WarnContext(ctx, "submit did not succeed", "attempt", a.ID, "outcome", providers.OutcomeOf(callErr), "error", callErr)
	}
	return s.settle(ctx, a, no, callErr)
}

// settle commits the outcome of the call. An attempt whose lease ran out in the
// meantime is unknown; a clear answer that comes late still counts.
func (s *Service) settle(ctx context.Context, a *Attempt, applicationNo string, callErr error) error {
	sc := tenants.ForTenant(a.TenantID)
	var batchID string
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		now := s.now()
		a, o, err := lockAttempt(ctx, tx, sc, a.ID)
		if err != nil {
			return err
		}
		batchID = o.BatchID
		if a.Status != AttemptDispatching && a.Status != AttemptUnknown && a.Status != AttemptNeedsDecision {
			return nil // reconciled already
		}
		if a.AnsweredAt == nil {
			a.AnsweredAt = &now
		}
		switch outcome := providers.OutcomeOf(callErr); {
		case callErr == nil:
			return s.accept(ctx, tx, sc, a, o, applicationNo, EventAccepted, now)
		case a.Status != AttemptDispatching:
			return nil // an error that came late tells nothing new
		case outcome == providers.OutcomeRefused:
			return s.reject(ctx, tx, sc, a, o, callErr, now)
		case outcome == providers.OutcomeAccount:
			return errors.Join(s.pause(ctx, tx, errorKey(callErr), now), s.requeue(ctx, tx, sc, a, o, callErr, s.AccountWait, now))
		case outcome == providers.OutcomeThrottled:
			return s.requeue(ctx, tx, sc, a, o, callErr, s.ThrottledWait, now)
		case outcome == providers.OutcomeNotSent:
			return s.requeue(ctx, tx, sc, a, o, callErr, s.NotSentWait, now)
		default:
			return s.lose(ctx, tx, sc, a, o, errorKey(callErr), now)
		}
	})
	if err == nil {
		s.changed(sc, batchID)
	}
	return err
}

// errorKey is the catalogue key of a provider's failure.
func errorKey(err error) string {
	if e, ok := errors.AsType[*providers.Error](err); ok {
		return e.Key()
	}
	return "provider.unknown"
}

// accept notes the application number and plans the first query.
func (s *Service) accept(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Attempt, o *Order, applicationNo string, event EventKind, now time.Time) error {
	seen := a.Status
	next := now.Add(s.PollSchedule[0])
	a.Status, a.ApplicationNo, a.LeaseUntil, a.NextPollAt, a.ErrorKey = AttemptAccepted, &applicationNo, nil, &next, ""
	if err := saveAttempt(ctx, tx, sc, a, seen); err != nil {
		return err
	}
	if err := move(ctx, tx, sc, o, StatusAccepted, now); err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, &a.ID, event, ActorProvider, map[string]string{"application_no": applicationNo}, now)
}

// reject ends the attempt: the provider created nothing, a person corrects.
func (s *Service) reject(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Attempt, o *Order, cause error, now time.Time) error {
	key := errorKey(cause)
	a.Status, a.Live, a.LeaseUntil, a.FinishedAt, a.ErrorKey = AttemptRejected, false, nil, &now, key
	if err := saveAttempt(ctx, tx, sc, a, AttemptDispatching); err != nil {
		return err
	}
	o.Message = key
	if err := move(ctx, tx, sc, o, StatusRejected, now); err != nil {
		return err
	}
	if err := s.followed(ctx, tx, sc, o, nil); err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, &a.ID, EventRejected, ActorProvider, map[string]string{"error": key}, now)
}

// requeue puts back an attempt whose request provably created nothing. It uses
// up no attempt: the same intent is sent again.
func (s *Service) requeue(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Attempt, o *Order, cause error, wait time.Duration, now time.Time) error {
	a.Status, a.LeaseUntil, a.DispatchedAt, a.AnsweredAt, a.NotBefore, a.ErrorKey = AttemptQueued, nil, nil, nil, now.Add(wait), errorKey(cause)
	if err := saveAttempt(ctx, tx, sc, a, AttemptDispatching); err != nil {
		return err
	}
	if err := move(ctx, tx, sc, o, StatusQueued, now); err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, &a.ID, EventNotSent, ActorSystem, map[string]string{"error": a.ErrorKey}, now)
}

// lose makes the attempt unknown: perhaps there is an application, perhaps not.
func (s *Service) lose(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Attempt, o *Order, key string, now time.Time) error {
	next := now.Add(s.Quiet)
	a.Status, a.LeaseUntil, a.UnknownSince, a.NextPollAt, a.ErrorKey = AttemptUnknown, nil, &now, &next, key
	if err := saveAttempt(ctx, tx, sc, a, AttemptDispatching); err != nil {
		return err
	}
	if err := move(ctx, tx, sc, o, StatusUnknown, now); err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, &a.ID, EventUnknown, ActorSystem, map[string]string{"error": key}, now)
}

// expireLeases finds attempts whose process died in the middle of the call, and
// queued ones whose wait is over.
func (s *Service) expireLeases(ctx context.Context) (time.Duration, error) {
	if err := s.recoverDispatching(ctx, allQueued, s.now()); err != nil {
		return 0, err
	}
	now := s.now()
	due, err := s.DB.NewSelect().Model((*Attempt)(nil)).Where("live AND status = ? AND not_before <= ?", AttemptQueued, now).Limit(int64(s.SubmitWorkers)).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("cannot count the due attempts: %w", err)
	}
	if paused, err := s.paused(ctx, s.DB, now); err != nil || paused || due == 0 {
		return 0, err
	}
	return 0, s.wakeDispatch(ctx, 1)
}

// Recover makes every dispatching attempt unknown, whatever its lease:
// when this process alone works the database, nobody can still be calling.
func (s *Service) Recover(ctx context.Context) error {
	return s.recoverDispatching(ctx, allQueued, s.now().Add(24*time.Hour))
}

func (s *Service) recoverDispatching(ctx context.Context, _ tenants.Sweep, deadline time.Time) error {
	var lost []Attempt
	err := s.DB.NewSelect().Model(&lost).Column("tenant_id", "id").
		Where("live AND status = ? AND lease_until <= ?", AttemptDispatching, deadline).Limit(1000).Scan(ctx)
	if err != nil {
		return fmt.Errorf("cannot find lost attempts: %w", err)
	}
	for _, l := range lost {
		sc := tenants.ForTenant(l.TenantID)
		var batchID string
		err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			a, o, err := lockAttempt(ctx, tx, sc, l.ID)
			if err != nil || a.Status != AttemptDispatching {
				return err
			}
			batchID = o.BatchID
			return s.lose(ctx, tx, sc, a, o, "provider.interrupted", s.now())
		})
		if err != nil {
			return err
		}
		s.changed(sc, batchID)
	}
	return nil
}

// lockAttempt loads an attempt and its order for changing both; always in this
// order, so that two transactions cannot wait for each other.
func lockAttempt(ctx context.Context, tx bun.Tx, sc tenants.Scope, id string) (*Attempt, *Order, error) {
	a := new(Attempt)
	err := tx.NewSelect().Model(a).ApplyQueryBuilder(sc.Where).Where("a.id = ?", id).Apply(db.ForUpdate(tx)).Scan(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot load attempt %s: %w", id, err)
	}
	o, err := getOrder(ctx, tx, sc, a.OrderID)
	if err != nil {
		return nil, nil, err
	}
	return a, o, nil
}

// saveAttempt writes an attempt that was seen in a status.
func saveAttempt(ctx context.Context, tx bun.IDB, sc tenants.Scope, a *Attempt, seen AttemptStatus) error {
	res, err := tx.NewUpdate().Model(a).
		ExcludeColumn("tenant_id", "id", "order_id", "ordinal", "simulate", "simulate_result", "reference", "photo_token", "callback_token", "type_id", "custom_fields", "photo_key", "photo_fetches", "submitted_by", "created_at").
		ApplyQueryBuilder(sc.Where).Where("id = ? AND status = ?", a.ID, seen).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot save attempt %s: %w", a.ID, err)
	}
	if n, _ := res.RowsAffected(); n != 1 {
		return fmt.Errorf("attempt %s is not %s any more", a.ID, seen)
	}
	return nil
}

// paused tells whether the upstream account is stopped. A pause ends by itself:
// the next submit probes, and pauses again if nothing has changed.
func (s *Service) paused(ctx context.Context, tx bun.IDB, now time.Time) (bool, error) {
	acc := new(account)
	err := tx.NewSelect().Model(acc).Where("id = ?", s.Account).Scan(ctx)
	if db.IsNoRows(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot read the account: %w", err)
	}
	return acc.StopKey != "" && acc.ProbeAt != nil && acc.ProbeAt.After(now), nil
}

// pause stops the account for all tenants: wrong key (1001) or no balance (1013).
func (s *Service) pause(ctx context.Context, tx bun.IDB, key string, now time.Time) error {
	until := now.Add(s.AccountWait)
	_, err := tx.NewInsert().Model(&account{ID: s.Account, ProbeAt: &until, StopKey: key, StoppedAt: &now}).
		On("CONFLICT (id) DO UPDATE").Set("probe_at = EXCLUDED.probe_at, stop_key = EXCLUDED.stop_key, stopped_at = EXCLUDED.stopped_at").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot pause the account: %w", err)
	}
	s.Log.ErrorContext(ctx, "the upstream account is paused for all tenants", "account", s.Account, "reason", key)
	return nil
}

// PausedBy is the catalogue key of the reason for which the account is paused,
// or "".
func (s *Service) PausedBy(ctx context.Context) (string, error) {
	acc := new(account)
	err := s.DB.NewSelect().Model(acc).Where("id = ? AND stop_key <> '' AND probe_at > ?", s.Account, s.now()).Scan(ctx)
	if db.IsNoRows(err) {
		return "", nil
	}
	return acc.StopKey, err
}
