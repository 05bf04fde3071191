package routing

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/ocr"
)

const (
	// tolerated failures in a row do not let an engine rest.
	tolerated = 2
	firstRest = time.Minute // doubled by every further failure
	maxRest   = 15 * time.Minute
	// accountRest is the rest of an engine whose quota is used up or that refuses our key. An operator has to act.
	accountRest = 30 * time.Minute
)

// restAfter is how long an engine rests after that many failures in a row, the last of them with this outcome.
func restAfter(failures int64, o ocr.Outcome) time.Duration {
	switch {
	case o.PausesAccount():
		return accountRest
	case failures <= tolerated:
		return 0
	default:
		return min(firstRest<<min(failures-tolerated-1, 10), maxRest)
	}
}

// resting tells whether the engine is not to be asked now.
func (s engineState) resting(now time.Time) bool {
	return s.RestUntil != nil && now.Before(*s.RestUntil)
}

// recentStates are the engines that failed lately.
func (r *Router) recentStates(ctx context.Context) (map[string]engineState, error) {
	return r.states.get(struct{}{}, r.Now(), func() (map[string]engineState, error) {
		var rows []engineState
		if err := r.DB.NewSelect().Model(&rows).Scan(ctx); err != nil {
			return nil, fmt.Errorf("cannot load how the OCR engines do: %w", err)
		}
		states := make(map[string]engineState, len(rows))
		for _, s := range rows {
			states[s.Engine] = s
		}
		return states, nil
	})
}

// takeTurn lets one call at a time find out whether an engine that rested works again. A person's call is always
// made: it is the best of trials.
func takeTurn(ctx context.Context, tx bun.IDB, state engineState, now time.Time, why Purpose) error {
	if state.RestUntil == nil || why == ByHand {
		return nil
	}
	res, err := tx.NewUpdate().Model((*engineState)(nil)).Set("rest_until = ?", now.Add(lease)).
		Where("engine = ? AND rest_until <= ?", state.Engine, now).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot try the OCR engine: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errResting
	}
	return nil
}

// noteHealth learns from a call of an engine that was in that state before. An engine that finds fault with a picture
// works.
func (r *Router) noteHealth(ctx context.Context, tx bun.IDB, call *Call, before engineState) error {
	if !call.Outcome.FailsOver() {
		if before.Failures == 0 {
			return nil
		}
		if _, err := tx.NewDelete().Model((*engineState)(nil)).Where("engine = ?", call.Engine).Exec(ctx); err != nil {
			return fmt.Errorf("cannot note that the OCR engine works: %w", err)
		}
		return nil
	}
	now := r.Now()
	state := &engineState{Engine: call.Engine, Failures: 1, Reason: call.Outcome, Since: now}
	_, err := tx.NewInsert().Model(state).On("CONFLICT (engine) DO UPDATE").
		Set("failures = eng.failures + 1, reason = EXCLUDED.reason").Returning("failures").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot note that the OCR engine failed: %w", err)
	}
	rest := restAfter(state.Failures, call.Outcome)
	if rest == 0 {
		return nil
	}
	_, err = tx.NewUpdate().Model((*engineState)(nil)).Set("rest_until = ?", now.Add(rest)).Where("engine = ?", call.Engine).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot let the OCR engine rest: %w", err)
	}
	return nil
}
