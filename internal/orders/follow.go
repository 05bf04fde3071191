package orders

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

var allLive = tenants.AllTenants("one batch query serves up to 100 applications of any tenants")

// pollDue asks the provider about due applications: one call for up to 100, and
// while fewer are due, at most one call per GatherFor.
func (s *Service) pollDue(ctx context.Context) (time.Duration, error) {
	for {
		if dead, err := s.unreachable(ctx); err != nil || dead {
			return 0, err
		}
		due, err := s.claimPolls(ctx, allLive)
		if err != nil {
			return 0, err
		}
		if len(due) > 0 {
			if err := s.query(ctx, due); err != nil {
				return s.GatherFor, errors.Join(err, s.postpone(ctx, allLive, due, s.ThrottledWait))
			}
		}
		if len(due) < providers.MaxBatch {
			return s.untilNextPoll(ctx, allLive, AttemptAccepted, AttemptProcessing, AttemptSubmitted)
		}
	}
}

// unreachable tells that the account is stopped for a reason for which no call
// of any kind would succeed.
func (s *Service) unreachable(ctx context.Context) (bool, error) {
	acc, err := s.readAccount(ctx, s.DB)
	return acc.StopKey == StopUnreachable || acc.StopKey == StopKey, err
}

// postpone looks again soon at attempts whose query or scan failed; the time
// that they had been given may be far away.
func (s *Service) postpone(ctx context.Context, _ tenants.Sweep, due []Attempt, wait time.Duration) error {
	ids := make([]string, len(due))
	for i, a := range due {
		ids[i] = a.ID
	}
	soon := s.now().Add(wait)
	_, err := s.DB.NewUpdate().Model((*Attempt)(nil)).Set("next_poll_at = ?", soon).
		Where("id IN (?) AND live AND next_poll_at > ?", bun.List(ids), soon).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot bring the next query forward: %w", err)
	}
	return nil
}

// claimPolls takes the due attempts and plans their next query, so that no other
// process asks for them too and a crash only delays. Once one is due, the query
// is filled up with those that will be due soon: few calls for few orders.
func (s *Service) claimPolls(ctx context.Context, _ tenants.Sweep) ([]Attempt, error) {
	var due []Attempt
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		now := s.now()
		err := tx.NewSelect().Model(&due).
			Where("a.live AND a.status IN (?)", bun.List([]AttemptStatus{AttemptAccepted, AttemptProcessing, AttemptSubmitted})).
			Where("a.next_poll_at <= ?", now.Add(s.PollSchedule[0]/gatherAhead)).Order("a.next_poll_at").Limit(providers.MaxBatch).Apply(db.SkipLocked(tx)).Scan(ctx)
		if err != nil {
			return fmt.Errorf("cannot find due applications: %w", err)
		}
		if len(due) > 0 && due[0].NextPollAt.After(now) {
			due = nil
		}
		for i := range due {
			a := &due[i]
			_, err := tx.NewUpdate().Model((*Attempt)(nil)).Set("polls = polls + 1, next_poll_at = ?", now.Add(s.pollWait(a, now))).
				ApplyQueryBuilder(tenants.ForTenant(a.TenantID).Where).Where("id = ?", a.ID).Exec(ctx)
			if err != nil {
				return fmt.Errorf("cannot plan the next query: %w", err)
			}
		}
		return nil
	})
	return due, err
}

// gatherAhead is the part of the schedule's first step within which an
// application may be asked about too early, to fill up a query.
const gatherAhead = 5

// pollWait is the schedule's next step, or the slow one for an application that
// takes long, with some jitter, so that those sent together do not stay together.
func (s *Service) pollWait(a *Attempt, now time.Time) time.Duration {
	step := s.PollSchedule[min(int(a.Polls)+1, len(s.PollSchedule)-1)]
	if a.DispatchedAt != nil && now.Sub(*a.DispatchedAt) > s.PollSlowAfter {
		step = max(step, s.PollSlow)
	}
	return step + rand.N(time.Duration(float64(step)*s.PollJitter)+1)
}

// untilNextPoll is how long the loop may rest.
func (s *Service) untilNextPoll(ctx context.Context, _ tenants.Sweep, statuses ...AttemptStatus) (time.Duration, error) {
	next := new(Attempt)
	err := s.DB.NewSelect().Model(next).Column("next_poll_at").Where("live AND status IN (?) AND next_poll_at IS NOT NULL", bun.List(statuses)).
		Order("next_poll_at").Limit(1).Scan(ctx)
	if db.IsNoRows(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("cannot find the next due application: %w", err)
	}
	return max(next.NextPollAt.Sub(s.now()), s.GatherFor), nil
}

// query asks for the attempts in one call and applies what came back. A number
// that is missing from the answer is asked for again later: missing is not failed.
func (s *Service) query(ctx context.Context, due []Attempt) error {
	byNumber := make(map[string]*Attempt, len(due))
	numbers := make([]string, 0, len(due))
	for i := range due {
		byNumber[*due[i].ApplicationNo] = &due[i]
		numbers = append(numbers, *due[i].ApplicationNo)
	}
	results, id, err := recorded(ctx, s, opBatchQuery, len(numbers), func(ctx context.Context) ([]providers.Result, error) {
		return s.Provider.BatchQuery(ctx, numbers)
	})
	if linkErr := link(ctx, s.DB, answers(due, id, results, err)); linkErr != nil {
		s.Log.ErrorContext(ctx, "cannot note a query", "error", linkErr)
	}
	if err != nil {
		return fmt.Errorf("batch query failed: %w", err)
	}
	for _, r := range results {
		a := byNumber[r.ApplicationNo]
		if a == nil {
			continue
		}
		if err := s.apply(ctx, tenants.ForTenant(a.TenantID), a.ID, r); err != nil {
			// One bad row must not hold up the other 99.
			s.Log.ErrorContext(ctx, "cannot apply the provider's answer", "attempt", a.ID, "error", err)
		}
	}
	return nil
}

// answers says for each attempt of a query what it told.
func answers(asked []Attempt, callID string, results []providers.Result, callErr error) []attemptCall {
	if callID == "" {
		return nil
	}
	told := make(map[string]providers.Status, len(results))
	for _, r := range results {
		told[r.ApplicationNo] = r.Status
	}
	links := make([]attemptCall, len(asked))
	for i, a := range asked {
		answer, ok := string(told[*a.ApplicationNo]), callErr == nil
		switch {
		case !ok:
			answer = string(providers.OutcomeOf(callErr))
		case answer == "":
			answer = answerMissing
		}
		links[i] = attemptCall{TenantID: a.TenantID, AttemptID: a.ID, CallID: callID, Answer: answer}
	}
	return links
}

// upstream maps the provider's states to ours and says how far along they are.
var upstream = map[providers.Status]struct {
	attempt AttemptStatus
	order   Status
	rank    int
}{
	providers.StatusPending:    {AttemptAccepted, StatusAccepted, 0},
	providers.StatusProcessing: {AttemptProcessing, StatusProcessing, 1},
	providers.StatusSubmitted:  {AttemptSubmitted, StatusSubmitted, 2},
	providers.StatusCompleted:  {AttemptCompleted, StatusCompleted, 3},
	providers.StatusFailed:     {AttemptFailed, StatusFailed, 3},
}

var attemptRank = map[AttemptStatus]int{AttemptAccepted: 0, AttemptProcessing: 1, AttemptSubmitted: 2}

// apply moves an attempt and its order to what the provider says. Backward moves,
// states we do not know, and news about an ended attempt change nothing, so
// applying the same answer twice is the same as once.
func (s *Service) apply(ctx context.Context, sc tenants.Scope, attemptID string, r providers.Result) error {
	to, known := upstream[r.Status]
	if !known {
		s.Log.WarnContext(ctx, "the provider reports a status we do not know", "attempt", attemptID, "status", string(r.Status))
		return nil
	}
	var batchID string
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		batchID = ""
		a, o, err := lockAttempt(ctx, tx, sc, attemptID)
		if err != nil {
			return err
		}
		rank, following := attemptRank[a.Status]
		if !a.Live || !following || to.rank <= rank {
			return nil
		}
		batchID = o.BatchID
		now, seen := s.now(), a.Status
		a.Status, a.ProviderStatus, a.Message = to.attempt, r.Status, r.Message
		a.ProviderTimes = &ProviderTimes{Submit: r.SubmitTime, Process: r.ProcessTime, Complete: r.CompleteTime}
		if r.Status.Final() {
			a.Live, a.FinishedAt, a.NextPollAt = false, &now, nil
		}
		if unfetched(a, r) {
			a.ErrorKey = KeyUnfetched
		}
		if err := saveAttempt(ctx, tx, sc, a, seen); err != nil {
			return err
		}
		switch r.Status {
		case providers.StatusCompleted:
			return s.complete(ctx, tx, sc, a, o, r, now)
		case providers.StatusFailed:
			return s.fail(ctx, tx, sc, a, o, r, now)
		default:
			if err := move(ctx, tx, sc, o, to.order, now); err != nil {
				return err
			}
			if err := s.followed(ctx, tx, sc, o, nil); err != nil {
				return err
			}
			return record(ctx, tx, sc, o.ID, &a.ID, EventStatus, ActorProvider, map[string]string{"status": string(r.Status)}, now)
		}
	})
	if err == nil && batchID != "" {
		s.changed(sc, batchID)
	}
	return err
}

// complete does everything that completion means, in one transaction: the
// order's status, the receipt to be fetched, and exactly one charge.
func (s *Service) complete(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Attempt, o *Order, r providers.Result, now time.Time) error {
	o.CompletedAt, o.ImageCode = &now, r.ImageCode
	o.reckon()
	if err := move(ctx, tx, sc, o, StatusCompleted, now); err != nil {
		return err
	}
	if err := record(ctx, tx, sc, o.ID, &a.ID, EventCompleted, ActorProvider, map[string]string{"image_code": r.ImageCode}, now); err != nil {
		return err
	}
	receipt := &Receipt{TenantID: sc.TenantID(), AttemptID: a.ID, OrderID: o.ID, State: ReceiptFetching,
		ImageCode: r.ImageCode, ResultURL: r.ResultURL, PhotoURL: r.StandardPhotoURL, CreatedAt: now}
	if _, err := tx.NewInsert().Model(receipt).Exec(ctx); err != nil {
		return fmt.Errorf("cannot note the receipt of attempt %s: %w", a.ID, err)
	}
	if err := s.Jobs.EnqueueTx(ctx, tx, receiveArgs{Tenant: sc.TenantID(), Attempt: a.ID}); err != nil {
		return err
	}
	if err := s.followed(ctx, tx, sc, o, receipt); err != nil {
		return err
	}
	if a.Simulate {
		return nil
	}
	c, err := ledgerEntry(ctx, tx, sc, a, o, now)
	if err != nil {
		return err
	}
	c.Points = providers.PointsPerReceipt
	if err := s.Ledger.ChargeReceipt(ctx, tx, sc, c); err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, &a.ID, EventCharged, ActorSystem, map[string]string{"points": fmt.Sprint(providers.PointsPerReceipt)}, now)
}

// noteFailure tells the ledger of an attempt that cost nothing.
func (s *Service) noteFailure(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Attempt, o *Order, now time.Time) error {
	if a.Simulate {
		return nil
	}
	c, err := ledgerEntry(ctx, tx, sc, a, o, now)
	if err != nil {
		return err
	}
	return s.Ledger.NoteFailure(ctx, tx, sc, c, a.Status)
}

// ledgerEntry is what the ledger is told of an attempt, without its points.
func ledgerEntry(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Attempt, o *Order, now time.Time) (ChargedReceipt, error) {
	b, err := getBatch(ctx, tx, sc, o.BatchID)
	if err != nil {
		return ChargedReceipt{}, err
	}
	return ChargedReceipt{AttemptID: a.ID, OrderID: o.ID, OrderNumber: o.Number, TypeID: o.TypeID, TypeName: o.TypeName, City: o.City,
		BatchID: b.ID, BatchName: b.Name, At: now}, nil
}
