package orders

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

const (
	// cleanScansNeeded full scans without our reference prove that there is no
	// application: one could have missed it while it was being written.
	cleanScansNeeded = 2
	// scansBeforeDecision without a proof either way hand the attempt to a person.
	scansBeforeDecision = 10
	// maxScanPages ends a scan of a list that does not end.
	maxScanPages = 10_000
)

var allUnknown = tenants.AllTenants("one scan of the account's applications serves all lost attempts")

// reconcileDue looks for the applications of unknown attempts in the provider's
// list, by our reference. One scan serves all that are due.
func (s *Service) reconcileDue(ctx context.Context) (time.Duration, error) {
	due, err := s.claimScans(ctx, allUnknown)
	if err != nil {
		return 0, err
	}
	if len(due) > 0 {
		if err := s.reconcileAll(ctx, due); err != nil {
			return 0, err
		}
	}
	return s.untilNextPoll(ctx, allUnknown, AttemptUnknown)
}

func (s *Service) reconcileAll(ctx context.Context, due []Attempt) error {
	var found map[string]providers.Result
	var clean bool
	if !s.WithoutEcho {
		wanted := make(map[string]bool, len(due))
		for _, a := range due {
			wanted[a.Reference] = true
		}
		var err error
		if found, clean, err = s.scan(ctx, wanted); err != nil {
			return fmt.Errorf("scan failed, to be repeated: %w", err)
		}
	}
	for _, a := range due {
		sc := tenants.ForTenant(a.TenantID)
		var err error
		if r, ok := found[a.Reference]; ok {
			err = s.adopt(ctx, sc, a.ID, r)
		} else {
			err = s.notFound(ctx, sc, a.ID, clean)
		}
		if err != nil {
			s.Log.ErrorContext(ctx, "cannot reconcile", "attempt", a.ID, "error", err)
		}
	}
	return nil
}

func (s *Service) claimScans(ctx context.Context, _ tenants.Sweep) ([]Attempt, error) {
	var due []Attempt
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		now := s.now()
		err := tx.NewSelect().Model(&due).Where("a.live AND a.status = ? AND a.next_poll_at <= ?", AttemptUnknown, now).
			Order("a.next_poll_at").Limit(1000).Apply(db.SkipLocked(tx)).Scan(ctx)
		if err != nil {
			return fmt.Errorf("cannot find unknown attempts: %w", err)
		}
		for _, a := range due {
			_, err := tx.NewUpdate().Model((*Attempt)(nil)).Set("next_poll_at = ?", now.Add(s.ScanEvery)).
				ApplyQueryBuilder(tenants.ForTenant(a.TenantID).Where).Where("id = ?", a.ID).Exec(ctx)
			if err != nil {
				return fmt.Errorf("cannot plan the next scan: %w", err)
			}
		}
		return nil
	})
	return due, err
}

// scan reads the whole list, or as much as it takes to find everything wanted.
// It is clean when every application of the account was seen: the order of the
// list is not promised and it may shift between pages, so the distinct numbers
// must add up to a total that did not change.
func (s *Service) scan(ctx context.Context, wanted map[string]bool) (found map[string]providers.Result, clean bool, err error) {
	found = map[string]providers.Result{}
	seen := map[string]bool{}
	total := -1
	for page := 1; page <= maxScanPages; page++ {
		callCtx, cancel := context.WithTimeout(ctx, s.SubmitTimeout)
		p, err := s.Provider.Applications(callCtx, page, providers.MaxPageSize, "")
		cancel()
		if err != nil {
			return nil, false, err
		}
		if total >= 0 && p.Total != total {
			total = -2 // it grew meanwhile: go on looking, but prove nothing
		} else if total == -1 {
			total = p.Total
		}
		for _, r := range p.List {
			seen[r.ApplicationNo] = true
			if ref := r.CustomFields[providers.ReferenceField]; wanted[ref] {
				found[ref] = r
			}
		}
		if len(found) == len(wanted) {
			return found, true, nil
		}
		if page >= p.TotalPages || len(p.List) == 0 {
			return found, total == len(seen), nil
		}
	}
	return found, false, nil
}

// adopt takes the application that was found for a lost attempt.
func (s *Service) adopt(ctx context.Context, sc tenants.Scope, attemptID string, r providers.Result) error {
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		a, o, err := lockAttempt(ctx, tx, sc, attemptID)
		if err != nil || (a.Status != AttemptUnknown && a.Status != AttemptNeedsDecision) {
			return err
		}
		return s.accept(ctx, tx, sc, a, o, r.ApplicationNo, EventFound, s.now())
	})
	if err != nil {
		return err
	}
	// The list leaves the message out: a final state is taken from a query.
	if r.Status.Final() {
		callCtx, cancel := context.WithTimeout(ctx, s.SubmitTimeout)
		defer cancel()
		if r, err = s.Provider.Query(callCtx, r.ApplicationNo); err != nil {
			s.Log.WarnContext(ctx, "cannot query the found application yet", "attempt", attemptID, "error", err)
			return nil // the poll will
		}
	}
	return s.apply(ctx, sc, attemptID, r)
}

// notFound counts a scan that did not show the application. After enough clean
// ones it is proved absent, and the order is queued afresh as a new attempt.
func (s *Service) notFound(ctx context.Context, sc tenants.Scope, attemptID string, clean bool) error {
	var batchID string
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		a, o, err := lockAttempt(ctx, tx, sc, attemptID)
		if err != nil || a.Status != AttemptUnknown {
			return err
		}
		batchID = o.BatchID
		now := s.now()
		a.Scans++
		if clean {
			a.CleanScans++
		}
		detail := map[string]string{"scan": strconv.FormatInt(a.Scans, 10), "clean": strconv.FormatBool(clean)}
		if err := record(ctx, tx, sc, o.ID, &a.ID, EventScanned, ActorSystem, detail, now); err != nil {
			return err
		}
		switch {
		case a.CleanScans >= cleanScansNeeded:
			if err := s.absent(ctx, tx, sc, a, o, ActorSystem, now); err != nil {
				return err
			}
			if err := s.queueOrder(ctx, tx, sc, o, a.SubmittedBy); err != nil {
				return err
			}
			return s.Jobs.EnqueueTx(ctx, tx, dispatchArgs{})
		case s.WithoutEcho || a.Scans >= scansBeforeDecision:
			a.Status, a.NextPollAt = AttemptNeedsDecision, nil
			if err := saveAttempt(ctx, tx, sc, a, AttemptUnknown); err != nil {
				return err
			}
			if err := move(ctx, tx, sc, o, StatusNeedsDecision, now); err != nil {
				return err
			}
			return record(ctx, tx, sc, o.ID, &a.ID, EventNeedsDecision, ActorSystem, nil, now)
		default:
			return saveAttempt(ctx, tx, sc, a, AttemptUnknown)
		}
	})
	if err == nil && batchID != "" {
		s.changed(sc, batchID)
	}
	return err
}

// absent ends an attempt for which there is no application; the order is ready
// again.
func (s *Service) absent(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Attempt, o *Order, actor string, now time.Time) error {
	seen := a.Status
	a.Status, a.Live, a.FinishedAt, a.NextPollAt = AttemptAbsent, false, &now, nil
	if err := saveAttempt(ctx, tx, sc, a, seen); err != nil {
		return err
	}
	if err := move(ctx, tx, sc, o, StatusReady, now); err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, &a.ID, EventAbsent, actor, nil, now)
}

// Decision is what a person orders for an attempt that scans could not settle.
type Decision string

// The decisions.
const (
	DecideWait   Decision = "wait"   // keep looking
	DecideResend Decision = "resend" // the person has made sure that there is no application
)

// Decide settles an order that needs a decision.
func (s *Service) Decide(ctx context.Context, sc tenants.Scope, orderID string, d Decision, actor string) error {
	var batchID string
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		o, err := getOrder(ctx, tx, sc, orderID)
		if err != nil {
			return err
		}
		batchID = o.BatchID
		if d != DecideWait && d != DecideResend {
			return apperr.Field("decision", "error.order.decision")
		}
		if o.Status != StatusNeedsDecision {
			return apperr.New(apperr.Conflict, "error.order.changed")
		}
		a := new(Attempt)
		err = tx.NewSelect().Model(a).ApplyQueryBuilder(sc.Where).Where("order_id = ? AND live", o.ID).Scan(ctx)
		if err != nil {
			return fmt.Errorf("cannot load the live attempt of order %s: %w", o.ID, err)
		}
		now := s.now()
		if err := record(ctx, tx, sc, o.ID, &a.ID, EventDecided, actor, map[string]string{"decision": string(d)}, now); err != nil {
			return err
		}
		if d == DecideResend {
			return s.absent(ctx, tx, sc, a, o, actor, now)
		}
		next := now
		a.Status, a.NextPollAt, a.Scans, a.CleanScans = AttemptUnknown, &next, 0, 0
		if err := saveAttempt(ctx, tx, sc, a, AttemptNeedsDecision); err != nil {
			return err
		}
		return move(ctx, tx, sc, o, StatusUnknown, now)
	})
	if err == nil {
		s.changed(sc, batchID)
	}
	return err
}
