package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/providers"
)

// The reasons for which nothing is dispatched, as keys of the catalogue of
// texts. One upstream account serves all tenants, so a stop is everybody's. It
// uses up no attempt, and ends by itself:
//
//	unreachable   transport or server failures in a row (the circuit breaker):
//	              /types is asked, never a submit, since that may cost money
//	1001          the key is not accepted: /types is asked
//	1013          no points left: no free call tells the balance, so one single
//	              submit of the queue goes out and tells
const (
	StopUnreachable = "provider.unreachable"
	StopKey         = "provider.1001"
	StopBalance     = "provider.1013"
)

// EventStopped and EventResumed are the kinds of an AccountEvent.
const (
	AccountStopped = "stopped"
	AccountResumed = "resumed"
	AccountBalance = "balance" // the operator told the balance
)

// AccountEvent is a line of the upstream account's history, for the operator.
type AccountEvent struct {
	bun.BaseModel `bun:"table:provider_events,alias:pe"`
	ID            string `bun:",pk"`
	Account       string
	At            time.Time
	Kind          string
	Reason        string // the stop's key, or the points
	Actor         string
}

// Circuit is the state of the circuit breaker in the usual words.
type Circuit string

// The states. A stop for the key or the balance counts as open.
const (
	CircuitClosed   Circuit = "closed"
	CircuitOpen     Circuit = "open"
	CircuitHalfOpen Circuit = "half_open" // one submit at a time until a call succeeds
)

// AccountState is what is known of the upstream account now.
type AccountState struct {
	Account   string
	Circuit   Circuit
	StopKey   string     // catalogue key of the reason; "" unless open
	StoppedAt *time.Time // since when
	ProbeAt   *time.Time // when it is tried again
	Probes    int64      // tries since StoppedAt
	Failures  int64      // in a row, while closed
}

// AccountState reads the state of the upstream account.
func (s *Service) AccountState(ctx context.Context) (AccountState, error) {
	acc, err := s.readAccount(ctx, s.DB)
	if err != nil {
		return AccountState{}, err
	}
	st := AccountState{Account: s.Account, Circuit: CircuitClosed, StopKey: acc.StopKey, StoppedAt: acc.StoppedAt, Probes: acc.Probes, Failures: acc.Failures}
	switch {
	case acc.StopKey != "":
		st.Circuit, st.ProbeAt = CircuitOpen, acc.ProbeAt
	case acc.Trial:
		st.Circuit = CircuitHalfOpen
	}
	return st, nil
}

// PausedBy is the catalogue key of the reason for which the account is stopped,
// or "".
func (s *Service) PausedBy(ctx context.Context) (string, error) {
	acc, err := s.readAccount(ctx, s.DB)
	return acc.StopKey, err
}

// readAccount loads the account's row; without one it is a fresh account.
func (s *Service) readAccount(ctx context.Context, tx bun.IDB) (account, error) {
	acc := account{ID: s.Account}
	err := tx.NewSelect().Model(&acc).Where("id = ?", s.Account).Scan(ctx)
	if err != nil && !db.IsNoRows(err) {
		return acc, fmt.Errorf("cannot read the account: %w", err)
	}
	s.troubled.Store(acc.Failures > 0 || acc.Trial)
	return acc, nil
}

// lockAccount loads the account's row for changing; all who dispatch queue here,
// in whichever process.
func (s *Service) lockAccount(ctx context.Context, tx bun.IDB) (*account, error) {
	acc := &account{ID: s.Account}
	load := func() error { return tx.NewSelect().Model(acc).WherePK().Apply(db.ForUpdate(tx)).Scan(ctx) }
	err := load()
	if db.IsNoRows(err) {
		if _, err = tx.NewInsert().Model(acc).On("CONFLICT (id) DO NOTHING").Exec(ctx); err == nil {
			err = load()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot lock the account: %w", err)
	}
	s.troubled.Store(acc.Failures > 0 || acc.Trial)
	return acc, nil
}

func saveAccount(ctx context.Context, tx bun.IDB, acc *account) error {
	if _, err := tx.NewUpdate().Model(acc).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("cannot save the account: %w", err)
	}
	return nil
}

// report draws the conclusions of a call for the account: an answer closes the
// circuit, failures in a row open it, a refused key or an empty balance stop it.
// A call that began before a stop was lifted is no reason for a new one.
func (s *Service) report(ctx context.Context, began time.Time, callErr error) error {
	outcome := providers.OutcomeOf(callErr)
	switch {
	case callErr == nil, outcome == providers.OutcomeRefused:
		if !s.troubled.Load() {
			return nil // nothing to clear: the usual case costs no write
		}
		_, err := s.DB.NewUpdate().Model((*account)(nil)).Set("failures = 0, trial = ?", false).
			Where("id = ? AND stop_key = '' AND (failures > 0 OR trial)", s.Account).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot note the success: %w", err)
		}
		return nil
	case outcome == providers.OutcomeAccount:
		return s.stop(ctx, errorKey(callErr), began)
	case !serverFailed(callErr):
		return nil
	}
	s.troubled.Store(true)
	acc := new(account)
	res, err := s.DB.NewUpdate().Model(acc).Set("failures = failures + 1").
		Where("id = ? AND stop_key = ''", s.Account).Returning("failures, trial").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot count the failure: %w", err)
	}
	if n, _ := res.RowsAffected(); n == 1 && (acc.Trial || acc.Failures >= s.BreakerAfter) {
		return s.stop(ctx, StopUnreachable, began)
	}
	return nil
}

// serverFailed tells a failure of the connection or the provider's server from
// one that concerns the single application (2001) or our pace (429).
func serverFailed(callErr error) bool {
	switch providers.OutcomeOf(callErr) {
	case providers.OutcomeNotSent:
		return true
	case providers.OutcomeUnknown:
		code := codeOf(callErr)
		return code != providers.CodeSubmitFailed
	}
	return false
}

// stop lets nothing be dispatched any more, and plans the next probe.
func (s *Service) stop(ctx context.Context, key string, began time.Time) error {
	fresh := false
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		acc, err := s.lockAccount(ctx, tx)
		if err != nil {
			return err
		}
		now := s.now()
		if acc.StopKey == "" && acc.ProbeAt != nil && began.Before(*acc.ProbeAt) {
			fresh = false
			return nil
		}
		if fresh = acc.StopKey != key; fresh {
			acc.StopKey, acc.StoppedAt, acc.Probes = key, &now, 0
		} else if acc.Probes == 0 {
			return nil // one of several calls that were under way at the stop
		}
		next := now.Add(s.probeWait(key, acc.Probes))
		acc.ProbeAt, acc.Failures, acc.Trial = &next, 0, false
		if err := saveAccount(ctx, tx, acc); err != nil || !fresh {
			return err
		}
		return s.recordAccount(ctx, tx, AccountStopped, key, ActorSystem, now)
	})
	if err == nil && fresh {
		s.Log.ErrorContext(ctx, "the upstream account is stopped for all tenants", "account", s.Account, "reason", key)
	}
	return err
}

// probeWait is the time to the next probe: doubling to eightfold while the
// provider is unreachable, even otherwise.
func (s *Service) probeWait(key string, probes int64) time.Duration {
	if key == StopUnreachable {
		return s.ProbeEvery << min(probes, 3)
	}
	return s.AccountWait
}

// Resume lifts a stop at once; the queue goes on, with one submit first. The
// operator calls it after topping up or changing the key; nothing else waits
// for it.
func (s *Service) Resume(ctx context.Context, actor string) error {
	resumed := false
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		acc, err := s.lockAccount(ctx, tx)
		if err != nil {
			return err
		}
		if resumed = acc.StopKey != ""; !resumed {
			return nil
		}
		reason, now := acc.StopKey, s.now()
		acc.StopKey, acc.StoppedAt, acc.ProbeAt, acc.Probes, acc.Failures, acc.Trial = "", nil, &now, 0, 0, true
		if err := saveAccount(ctx, tx, acc); err != nil {
			return err
		}
		return s.recordAccount(ctx, tx, AccountResumed, reason, actor, now)
	})
	if err != nil || !resumed {
		return err
	}
	s.Log.WarnContext(ctx, "the upstream account goes on", "account", s.Account, "by", actor)
	if s.watch == nil {
		return nil // a process that does not work, such as a command: the others notice soon
	}
	s.ring()
	return s.wakeDispatch(ctx, s.Concurrency)
}

func (s *Service) recordAccount(ctx context.Context, tx bun.IDB, kind, reason, actor string, now time.Time) error {
	e := &AccountEvent{ID: db.NewID(), Account: s.Account, At: now, Kind: kind, Reason: reason, Actor: actor}
	if _, err := tx.NewInsert().Model(e).Exec(ctx); err != nil {
		return fmt.Errorf("cannot record what happened to the account: %w", err)
	}
	return nil
}

// watchAccount probes a stopped account with /types when the time has come, and
// wakes the dispatchers once it goes on, whoever lifted the stop.
func (s *Service) watchAccount(ctx context.Context) (time.Duration, error) {
	acc, err := s.readAccount(ctx, s.DB)
	if err != nil {
		return 0, err
	}
	was := s.stopSeen.Swap(acc.StopKey != "")
	if acc.StopKey == "" {
		if was {
			return 0, s.wakeDispatch(ctx, s.Concurrency)
		}
		return 0, nil
	}
	if acc.StopKey == StopBalance {
		return 0, nil // the next submit tells; see claim
	}
	mine, err := s.claimProbe(ctx)
	if err != nil || !mine {
		return 0, err
	}
	types, err := call(ctx, s, opTypes, 1, s.Provider.Types)
	switch {
	case err == nil:
		err = s.keepCatalogue(ctx, types)
		if err == nil {
			err = s.Resume(ctx, ActorSystem)
		}
	case providers.OutcomeOf(err) == providers.OutcomeAccount:
		return 0, nil // call has reported it
	default:
		err = s.stop(ctx, acc.StopKey, s.now())
	}
	return time.Millisecond, err
}

// claimProbe takes the due probe, so that no other process makes it too.
func (s *Service) claimProbe(ctx context.Context) (mine bool, err error) {
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		acc, err := s.lockAccount(ctx, tx)
		if err != nil {
			return err
		}
		now := s.now()
		if mine = acc.StopKey != "" && acc.ProbeAt != nil && !acc.ProbeAt.After(now); !mine {
			return nil
		}
		return s.takeProbe(ctx, tx, acc, now)
	})
	return mine, err
}

// takeProbe counts a probe and keeps others off until it must have ended.
func (s *Service) takeProbe(ctx context.Context, tx bun.IDB, acc *account, now time.Time) error {
	next := now.Add(s.leaseFor())
	acc.ProbeAt, acc.Probes = &next, acc.Probes+1
	return saveAccount(ctx, tx, acc)
}

// probeSoon lets the next submit probe at once.
func (s *Service) probeSoon(ctx context.Context) error {
	_, err := s.DB.NewUpdate().Model((*account)(nil)).Set("probe_at = ?", s.now()).Where("id = ? AND stop_key <> ''", s.Account).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot bring the probe forward: %w", err)
	}
	return nil
}

// AccountEvents lists the account's newest events, newest first.
func (s *Service) AccountEvents(ctx context.Context, limit int) ([]AccountEvent, error) {
	var events []AccountEvent
	err := s.DB.NewSelect().Model(&events).Where("account = ?", s.Account).Order("id DESC").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list what happened to the account: %w", err)
	}
	return events, nil
}
