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
	s.sending.Add(1)
	defer s.sending.Add(-1)
	for start := time.Now(); time.Since(start) < dispatchSlice; {
		again, wait, err := s.dispatchOne(ctx)
		if err != nil || !again {
			return err
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
	return s.wakeDispatch(ctx, 1)
}

// dispatchOne sends one attempt. again is false when nothing may be sent now;
// wait is how long the account's limits want us to.
func (s *Service) dispatchOne(ctx context.Context) (again bool, wait time.Duration, err error) {
	if err := s.enter(ctx); err != nil {
		return false, 0, err
	}
	defer s.leave()
	c, err := s.claim(ctx, allQueued)
	if err != nil || c.attempt == nil {
		return c.wait > 0, c.wait, err
	}
	return true, 0, s.send(ctx, c)
}

// wakeDispatch enqueues dispatch jobs outside a submit: after a stop or a wait.
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

// claimed is the attempt that may be sent now, if there is one.
type claimed struct {
	attempt *Attempt
	probe   bool          // its outcome tells whether the account has points again
	wait    time.Duration // without an attempt: when to ask again; 0 means that nothing is due
}

// slotWait is how long we wait for a submit of another process to end.
const slotWait = 200 * time.Millisecond

// claim picks the next attempt and marks it as dispatching, under a lease. It
// serves the tenant that was served longest ago, so that 5,000 orders of one do
// not hold up the next.
func (s *Service) claim(ctx context.Context, sweep tenants.Sweep) (c claimed, err error) {
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		c = claimed{}
		acc, err := s.lockAccount(ctx, tx)
		if err != nil {
			return err
		}
		now := s.now()
		probe := acc.StopKey == StopBalance && acc.ProbeAt != nil && !acc.ProbeAt.After(now)
		if acc.StopKey != "" && !probe {
			return nil
		}
		under, err := tx.NewSelect().Model((*Attempt)(nil)).Where("live AND status = ?", AttemptDispatching).Count(ctx)
		if err != nil {
			return fmt.Errorf("cannot count the submits under way: %w", err)
		}
		if under >= int64(s.Concurrency) || acc.Trial && under > 0 {
			c.wait = slotWait
			return nil
		}
		a, err := s.nextAttempt(ctx, tx, sweep, probe, now)
		if err != nil || a == nil {
			return err
		}
		if c.wait = s.token(acc, now); c.wait > 0 {
			return nil
		}
		if probe {
			err = s.takeProbe(ctx, tx, acc, now)
		} else if s.Rate > 0 {
			err = saveAccount(ctx, tx, acc)
		}
		if err != nil {
			return err
		}
		c.attempt, c.probe = a, probe
		return s.begin(ctx, tx, tenants.ForTenant(a.TenantID), a, now)
	})
	return c, err
}

// nextAttempt is the oldest due attempt of the tenant whose turn it is. A probe
// for the balance prefers any that costs points to a rehearsal, which proves
// nothing.
func (s *Service) nextAttempt(ctx context.Context, tx bun.Tx, sweep tenants.Sweep, probe bool, now time.Time) (*Attempt, error) {
	a := new(Attempt)
	q := tx.NewSelect().Model(a).Where("a.live AND a.status = 'queued' AND a.not_before <= ?", now).Limit(1).Apply(db.SkipLocked(tx))
	if probe {
		q = q.Order("a.simulate", "a.not_before")
	} else {
		tenant, err := nextTenant(ctx, tx, sweep, now)
		if err != nil || tenant == "" {
			return nil, err
		}
		q = q.Where("a.tenant_id = ?", tenant).Order("a.not_before", "a.id")
	}
	err := q.Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot find the next attempt: %w", err)
	}
	return a, nil
}

// leaseFor is how long a call can be under way at most.
func (s *Service) leaseFor() time.Duration { return s.SubmitTimeout + 15*time.Second }

// begin marks the attempt as dispatching: from here on it may exist upstream.
func (s *Service) begin(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Attempt, now time.Time) error {
	lease := now.Add(s.leaseFor())
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
	return noteTurn(ctx, tx, sc, now)
}

// send calls the provider once and commits what is known afterwards. A killed
// process leaves the attempt dispatching; its lease runs out and it becomes
// unknown, never queued again.
func (s *Service) send(ctx context.Context, c claimed) error {
	a, base := c.attempt, s.BaseURL()
	callCtx, cancel := context.WithTimeout(ctx, s.SubmitTimeout)
	defer cancel()
	start := time.Now()
	no, callErr := s.Provider.Submit(callCtx, providers.Application{
		TypeID:       a.TypeID,
		PhotoURL:     base + "/p/" + a.PhotoToken + ".jpg",
		CustomFields: a.CustomFields,
		CallbackURL:  base + "/callbacks/" + s.Account + "/" + a.CallbackToken,
		Simulate:     a.Simulate, SimulateResult: a.SimulateResult,
	})
	made := s.newCall(opSubmit, 1, start, callErr)
	stopping := ctx.Err() != nil // then a broken call says nothing of the provider
	// The answer is worth more than the job's deadline.
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if callErr != nil {
		s.Log.WarnContext(ctx, "submit did not succeed", "attempt", a.ID, "outcome", providers.OutcomeOf(callErr), "error", callErr)
	}
	err := s.settle(ctx, a, no, callErr, made)
	if !stopping {
		err = errors.Join(err, s.concludes(ctx, start, c.probe, callErr))
	}
	return err
}

// concludes draws the conclusions of a submit for the account and the catalogue.
func (s *Service) concludes(ctx context.Context, began time.Time, probe bool, callErr error) error {
	err := s.report(ctx, began, callErr)
	switch providers.ReactionOf(callErr) {
	case providers.ReactOperator:
		s.Log.ErrorContext(ctx, "the provider says that we call it wrongly", "code", codeOf(callErr))
	case providers.ReactFix:
		if s.catalogue != nil {
			s.catalogue.Ring() // perhaps it asks for other fields, or offers other types, than we know
		}
	}
	switch {
	case !probe:
	case callErr == nil:
		err = errors.Join(err, s.Resume(ctx, ActorSystem))
	case providers.OutcomeOf(callErr) == providers.OutcomeRefused: // says nothing of the balance
		err = errors.Join(err, s.probeSoon(ctx))
	}
	return err
}

// settle commits the outcome of the call. An attempt whose lease ran out in the
// meantime is unknown; a clear answer that comes late still counts.
func (s *Service) settle(ctx context.Context, a *Attempt, applicationNo string, callErr error, made *Call) error {
	sc := tenants.ForTenant(a.TenantID)
	var batchID string
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		now := s.now()
		a, o, err := lockAttempt(ctx, tx, sc, a.ID)
		if err != nil {
			return err
		}
		batchID = o.BatchID
		made.Message = mask(made.Message, o.Name, o.IDNumber)
		if err := made.insert(ctx, tx); err != nil {
			return err
		}
		answer := answerAccepted
		if callErr != nil {
			answer = made.Outcome
		}
		if err := link(ctx, tx, []attemptCall{{TenantID: a.TenantID, AttemptID: a.ID, CallID: made.ID, Answer: answer}}); err != nil {
			return err
		}
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
			return s.requeue(ctx, tx, sc, a, o, callErr, 0, now) // it waits for the account
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
	if err := s.noteFailure(ctx, tx, sc, a, o, now); err != nil {
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
// wakes workers for queued ones whose wait is over.
func (s *Service) expireLeases(ctx context.Context) (time.Duration, error) {
	now := s.now()
	if err := s.recoverDispatching(ctx, allQueued, now); err != nil {
		return 0, err
	}
	acc, err := s.readAccount(ctx, s.DB)
	if err != nil {
		return 0, err
	}
	workers := s.Concurrency
	switch {
	case acc.StopKey == StopBalance && acc.ProbeAt != nil && !acc.ProbeAt.After(now):
		workers = 1 // to probe
	case acc.StopKey != "":
		return 0, nil
	}
	idle := workers - int(s.sending.Load())
	if idle <= 0 {
		return 0, nil
	}
	due, err := s.DB.NewSelect().Model((*Attempt)(nil)).Column("id").Where("live AND status = 'queued' AND not_before <= ?", now).Limit(int64(idle)).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("cannot count the due attempts: %w", err)
	}
	return 0, s.wakeDispatch(ctx, min(int(due), idle))
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

// lockLive locks the live attempt of an order, if there is one, before the order
// itself; see lockAttempt.
func lockLive(ctx context.Context, tx bun.Tx, sc tenants.Scope, orderID string) error {
	var id []string
	err := tx.NewSelect().Model((*Attempt)(nil)).Column("id").ApplyQueryBuilder(sc.Where).
		Where("order_id = ? AND live", orderID).Apply(db.ForUpdate(tx)).Scan(ctx, &id)
	if err != nil {
		return fmt.Errorf("cannot lock the attempt of order %s: %w", orderID, err)
	}
	return nil
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
