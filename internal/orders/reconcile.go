package orders

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	// scanRounds is how often one scan goes through a list that changes meanwhile.
	scanRounds = 3
	// scanLease is how long a scan may take before another process repeats it.
	scanLease = 5 * time.Minute
	// absentInARow attempts of an order that never arrived are the provider's way
	// of refusing it: a person must look.
	absentInARow = 5
	// maxScanPages ends a scan of a list that does not end.
	maxScanPages = 10_000
)

var allUnknown = tenants.AllTenants("one scan of the account's applications serves all lost attempts")

// reconcileDue looks for the applications of unknown attempts in the provider's
// list, by our reference. One scan serves all that are due.
func (s *Service) reconcileDue(ctx context.Context) (time.Duration, error) {
	if dead, err := s.unreachable(ctx); err != nil || dead {
		return 0, err
	}
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
	due = s.followHints(ctx, due)
	if len(due) == 0 {
		return nil
	}
	var found map[string]sighting
	var clean bool
	started := s.now()
	if !s.WithoutEcho {
		wanted := make(map[string]bool, len(due))
		for _, a := range due {
			wanted[a.Reference] = true
		}
		var err error
		if found, clean, err = s.scan(ctx, wanted); err != nil {
			err = fmt.Errorf("scan failed, to be repeated: %w", err)
			return errors.Join(err, s.postpone(ctx, allUnknown, due, s.ScanEvery))
		}
	}
	for _, a := range due {
		sc := tenants.ForTenant(a.TenantID)
		var err error
		if f, ok := found[a.Reference]; ok {
			s.noteTold(ctx, &a, f.callID, answerFound)
			err = s.adopt(ctx, sc, &a, f.Result)
		} else {
			err = s.notFound(ctx, sc, a.ID, clean, started)
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
			_, err := tx.NewUpdate().Model((*Attempt)(nil)).Set("next_poll_at = ?", now.Add(s.ScanEvery+scanLease)).
				ApplyQueryBuilder(tenants.ForTenant(a.TenantID).Where).Where("id = ?", a.ID).Exec(ctx)
			if err != nil {
				return fmt.Errorf("cannot plan the next scan: %w", err)
			}
		}
		return nil
	})
	return due, err
}

// followHints asks about the numbers that callbacks named for lost attempts, and
// adopts those that are confirmed. It returns the attempts that are still lost.
func (s *Service) followHints(ctx context.Context, due []Attempt) (lost []Attempt) {
	for _, a := range due {
		r, err := s.hinted(ctx, &a)
		if err != nil {
			s.Log.WarnContext(ctx, "cannot follow a callback's hint", "attempt", a.ID, "error", err)
		}
		if r == nil {
			lost = append(lost, a)
			continue
		}
		if err := s.adopt(ctx, tenants.ForTenant(a.TenantID), &a, *r); err != nil {
			s.Log.ErrorContext(ctx, "cannot adopt what a callback named", "attempt", a.ID, "error", err)
		}
	}
	return lost
}

// hinted returns the application that a callback named, if the provider confirms
// that it carries our reference; nil otherwise.
func (s *Service) hinted(ctx context.Context, a *Attempt) (*providers.Result, error) {
	if a.HintedNo == "" || s.WithoutEcho {
		return nil, nil
	}
	r, id, err := recorded(ctx, s, opQuery, 1, func(ctx context.Context) (providers.Result, error) {
		return s.Provider.Query(ctx, a.HintedNo)
	})
	switch {
	case err != nil:
		s.noteTold(ctx, a, id, string(providers.OutcomeOf(err)))
		return nil, err
	case r.CustomFields[providers.ReferenceField] != a.Reference:
		s.noteTold(ctx, a, id, answerOther)
		return nil, nil
	}
	s.noteTold(ctx, a, id, answerFound)
	return &r, nil
}

// sighting is an application in the provider's list, and the call that showed it.
type sighting struct {
	providers.Result
	callID string
}

// scan reads the account's list until everything wanted is found, or until it is
// proved that the rest is not there. The list's order is not promised and it may
// shift between pages while others submit, so nothing is concluded from where
// something is: the scan is clean when as many distinct applications have been
// seen as the newest page says that there are. What came in meanwhile is looked
// for by going round again. One scan costs a call per hundred applications of
// the account.
func (s *Service) scan(ctx context.Context, wanted map[string]bool) (found map[string]sighting, clean bool, err error) {
	found = map[string]sighting{}
	seen := map[string]bool{}
	for range scanRounds {
		for page := 1; page <= maxScanPages; page++ {
			p, id, err := recorded(ctx, s, opApplications, providers.MaxPageSize, func(ctx context.Context) (providers.Page, error) {
				return s.Provider.Applications(ctx, page, providers.MaxPageSize, "")
			})
			if err != nil {
				return nil, false, err
			}
			for _, r := range p.List {
				seen[r.ApplicationNo] = true
				if ref := r.CustomFields[providers.ReferenceField]; wanted[ref] {
					found[ref] = sighting{r, id}
				}
			}
			if len(found) == len(wanted) || len(seen) == p.Total {
				return found, true, nil
			}
			if page >= p.TotalPages || len(p.List) == 0 {
				break
			}
		}
	}
	return found, false, nil
}

// adopt takes the application that was found for a lost attempt.
func (s *Service) adopt(ctx context.Context, sc tenants.Scope, lost *Attempt, r providers.Result) error {
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		a, o, err := lockAttempt(ctx, tx, sc, lost.ID)
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
		number := r.ApplicationNo
		var id string
		r, id, err = recorded(ctx, s, opQuery, 1, func(ctx context.Context) (providers.Result, error) { return s.Provider.Query(ctx, number) })
		if err != nil {
			s.noteTold(ctx, lost, id, string(providers.OutcomeOf(err)))
			s.Log.WarnContext(ctx, "cannot query the found application yet", "attempt", lost.ID, "error", err)
			return nil // the poll will
		}
		s.noteTold(ctx, lost, id, string(r.Status))
	}
	return s.apply(ctx, sc, lost.ID, r)
}

// notFound counts a scan that did not show the application. After enough clean
// ones, each begun after the one before had ended, it is proved absent, and the
// order is queued afresh as a new attempt.
func (s *Service) notFound(ctx context.Context, sc tenants.Scope, attemptID string, clean bool, started time.Time) error {
	var batchID string
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		a, o, err := lockAttempt(ctx, tx, sc, attemptID)
		if err != nil || a.Status != AttemptUnknown {
			return err
		}
		batchID = o.BatchID
		now := s.now()
		if a.ScannedAt != nil && !started.After(*a.ScannedAt) {
			return nil // two scans at the same time are one
		}
		if s.WithoutEcho || !a.Marked() {
			// Of what was sent while the reference was switched off, no scan proves anything, not even after it is switched on.
			return s.handOver(ctx, tx, sc, a, o, map[string]string{"cause": CauseNoReference}, now)
		}
		next := now.Add(s.ScanEvery)
		a.Scans, a.ScannedAt, a.NextPollAt = a.Scans+1, &now, &next
		if clean && a.UnknownSince != nil && started.Sub(*a.UnknownSince) >= s.Quiet { // a callback may have called us earlier
			a.CleanScans++
		}
		detail := map[string]string{"scan": strconv.FormatInt(a.Scans, 10), "clean": strconv.FormatBool(clean)}
		if err := record(ctx, tx, sc, o.ID, &a.ID, EventScanned, ActorSystem, detail, now); err != nil {
			return err
		}
		switch {
		case a.CleanScans >= cleanScansNeeded:
			cause := a.ErrorKey
			if err := s.absent(ctx, tx, sc, a, o, ActorSystem, now); err != nil {
				return err
			}
			if again, err := mayRetry(ctx, tx, sc, o); err != nil || !again {
				return errors.Join(err, s.giveUp(ctx, tx, sc, a, o, cause, now))
			}
			if err := s.queueOrder(ctx, tx, sc, o, a.SubmittedBy); err != nil {
				return err
			}
			return s.Jobs.EnqueueTx(ctx, tx, dispatchArgs{})
		case a.Scans >= scansBeforeDecision:
			return s.handOver(ctx, tx, sc, a, o, nil, now)
		default:
			return saveAttempt(ctx, tx, sc, a, AttemptUnknown)
		}
	})
	if err == nil && batchID != "" {
		s.changed(sc, batchID)
	}
	return err
}

// CauseNoReference is why an attempt needs a decision that no list can show.
const CauseNoReference = "no_reference"

// handOver leaves a lost attempt to a person.
func (s *Service) handOver(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Attempt, o *Order, why map[string]string, now time.Time) error {
	a.Status, a.NextPollAt = AttemptNeedsDecision, nil
	if err := saveAttempt(ctx, tx, sc, a, AttemptUnknown); err != nil {
		return err
	}
	if err := move(ctx, tx, sc, o, StatusNeedsDecision, now); err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, &a.ID, EventNeedsDecision, ActorSystem, why, now)
}

// mayRetry tells whether the order's last attempts leave hope in another.
func mayRetry(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order) (bool, error) {
	var last []AttemptStatus
	err := tx.NewSelect().Model((*Attempt)(nil)).Column("status").ApplyQueryBuilder(sc.Where).Where("order_id = ?", o.ID).
		Order("ordinal DESC").Limit(absentInARow).Scan(ctx, &last)
	if err != nil {
		return false, fmt.Errorf("cannot look at the attempts of order %s: %w", o.ID, err)
	}
	return len(last) < absentInARow || slices.ContainsFunc(last, func(st AttemptStatus) bool { return st != AttemptAbsent }), nil
}

// giveUp returns an order to review that the provider never takes. Nothing was
// charged; a person corrects it and sends it again, or leaves it.
func (s *Service) giveUp(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Attempt, o *Order, cause string, now time.Time) error {
	o.Message = cause
	if err := move(ctx, tx, sc, o, StatusReview, now); err != nil {
		return err
	}
	if err := s.release(ctx, tx, sc, o, now); err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, &a.ID, EventReopened, ActorSystem, map[string]string{"error": cause}, now)
}

// absent ends an attempt for which there is no application; the order is ready
// again. It keeps what it holds: who does not send it again at once releases it.
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
		if err := lockLive(ctx, tx, sc, orderID); err != nil {
			return err
		}
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
			if err := s.absent(ctx, tx, sc, a, o, actor, now); err != nil {
				return err
			}
			return s.release(ctx, tx, sc, o, now)
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
