package orders

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

var allLive = tenants.AllTenants("one batch query serves up to 100 applications of any tenants")

// pollDue asks the provider about due applications: one call for up to 100, and
// while fewer are due, at most one call per GatherFor.
func (s *Service) pollDue(ctx context.Context) (time.Duration, error) {
	for {
		due, err := s.claimPolls(ctx, allLive)
		if err != nil {
			return 0, err
		}
		if len(due) > 0 {
			if err := s.query(ctx, due); err != nil {
				return s.GatherFor, err
			}
		}
		if len(due) < providers.MaxBatch {
			return s.untilNextPoll(ctx, allLive, AttemptAccepted, AttemptProcessing, AttemptSubmitted)
		}
	}
}

// claimPolls takes the due attempts and plans their next query, so that no other
// process asks for them too and a crash only delays.
func (s *Service) claimPolls(ctx context.Context, _ tenants.Sweep) ([]Attempt, error) {
	var due []Attempt
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		now := s.now()
		err := tx.NewSelect().Model(&due).
			Where("a.live AND a.status IN (?)", bun.List([]AttemptStatus{AttemptAccepted, AttemptProcessing, AttemptSubmitted})).
			Where("a.next_poll_at <= ?", now).Order("a.next_poll_at").Limit(providers.MaxBatch).Apply(db.SkipLocked(tx)).Scan(ctx)
		if err != nil {
			return fmt.Errorf("cannot find due applications: %w", err)
		}
		for i := range due {
			a := &due[i]
			_, err := tx.NewUpdate().Model((*Attempt)(nil)).Set("polls = polls + 1, next_poll_at = ?", now.Add(s.pollWait(a.Polls+1))).
				ApplyQueryBuilder(tenants.ForTenant(a.TenantID).Where).Where("id = ?", a.ID).Exec(ctx)
			if err != nil {
				return fmt.Errorf("cannot plan the next query: %w", err)
			}
		}
		return nil
	})
	return due, err
}

// pollWait is the schedule's step with a tenth of jitter, so that applications
// sent together do not stay together.
func (s *Service) pollWait(polls int64) time.Duration {
	step := s.PollSchedule[min(int(polls), len(s.PollSchedule)-1)]
	return step + rand.N(step/10+1)
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
	callCtx, cancel := context.WithTimeout(ctx, s.SubmitTimeout)
	defer cancel()
	results, err := s.Provider.BatchQuery(callCtx, numbers)
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
		if err := saveAttempt(ctx, tx, sc, a, seen); err != nil {
			return err
		}
		switch r.Status {
		case providers.StatusCompleted:
			return s.complete(ctx, tx, sc, a, o, r, now)
		case providers.StatusFailed:
			o.Message = r.Message
			if err := move(ctx, tx, sc, o, StatusFailed, now); err != nil {
				return err
			}
			if err := s.followed(ctx, tx, sc, o, nil); err != nil {
				return err
			}
			return record(ctx, tx, sc, o.ID, &a.ID, EventFailed, ActorProvider, map[string]string{"message": r.Message}, now)
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
	b, err := getBatch(ctx, tx, sc, o.BatchID)
	if err != nil {
		return err
	}
	err = s.Ledger.ChargeReceipt(ctx, tx, sc, ChargedReceipt{AttemptID: a.ID, OrderID: o.ID, OrderNumber: o.Number,
		TypeID: o.TypeID, TypeName: o.TypeName, City: o.City, BatchID: b.ID, BatchName: b.Name,
		Points: providers.PointsPerReceipt, At: now})
	if err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, &a.ID, EventCharged, ActorSystem, map[string]string{"points": fmt.Sprint(providers.PointsPerReceipt)}, now)
}

var errNoToken = apperr.New(apperr.NotFound, "error.not_found")

// Callback takes a provider's notice. It is not signed, so it is a hint and no
// more: the application is queried soon. Nothing of the body is believed.
func (s *Service) Callback(ctx context.Context, callbackToken string) error {
	a := new(Attempt)
	err := s.DB.NewSelect().Model(a).Where("callback_token = ?", callbackToken).Scan(ctx)
	if db.IsNoRows(err) {
		return errNoToken
	}
	if err != nil {
		return fmt.Errorf("cannot look up the callback: %w", err)
	}
	if !a.Live {
		return nil
	}
	sc, now := tenants.ForTenant(a.TenantID), s.now()
	soon := now.Add(s.GatherFor)
	if a.NextPollAt != nil && a.NextPollAt.Before(soon) {
		s.ring()
		return nil // a repeated or flooding callback changes nothing
	}
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*Attempt)(nil)).Set("next_poll_at = ?", soon).ApplyQueryBuilder(sc.Where).
			Where("id = ? AND live AND next_poll_at > ?", a.ID, soon).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot bring the query forward: %w", err)
		}
		return record(ctx, tx, sc, a.OrderID, &a.ID, EventCallback, ActorProvider, nil, now)
	})
	if err != nil {
		return err
	}
	s.ring()
	return nil
}

// ring makes the loops look now.
func (s *Service) ring() {
	if s.poll != nil {
		s.poll.Ring()
		s.reconcile.Ring()
	}
}

// PhotoForProvider opens a live attempt's photo and notes that it was fetched.
// Once the attempt has ended the address is worthless.
func (s *Service) PhotoForProvider(ctx context.Context, photoToken string) (*blob.Reader, error) {
	a := new(Attempt)
	err := s.DB.NewSelect().Model(a).Where("photo_token = ? AND live", photoToken).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, errNoToken
	}
	if err != nil {
		return nil, fmt.Errorf("cannot look up the photo: %w", err)
	}
	sc := tenants.ForTenant(a.TenantID)
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*Attempt)(nil)).Set("photo_fetches = photo_fetches + 1").
			ApplyQueryBuilder(sc.Where).Where("id = ?", a.ID).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot count the fetch: %w", err)
		}
		return record(ctx, tx, sc, a.OrderID, &a.ID, EventPhotoFetched, ActorProvider, nil, s.now())
	})
	if err != nil {
		return nil, err
	}
	return s.Blobs.NewReader(ctx, a.PhotoKey)
}
