package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// The account's limits. How many calls are under way is bounded by slots in this
// process, and for submits, by the rows that are dispatching, over all
// processes. How many begin per second is bounded by a token bucket in the
// account's row, over all processes.

// enter takes one of the slots of this process.
func (s *Service) enter(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Service) leave() { <-s.slots }

// token takes a call out of the bucket, or says how long until there is one.
// The bucket is kept as the time at which it will be full again, and holds the
// calls of one second.
func (s *Service) token(acc *account, now time.Time) (wait time.Duration) {
	if s.Rate <= 0 {
		return 0
	}
	each := time.Duration(float64(time.Second) / s.Rate)
	full := now
	if acc.NextCallAt != nil && acc.NextCallAt.After(now) {
		full = *acc.NextCallAt
	}
	depth := max(time.Second-each, 0)
	if wait = full.Sub(now) - depth; wait > 0 {
		return wait
	}
	full = full.Add(each)
	acc.NextCallAt = &full
	return 0
}

// awaitToken waits until the bucket has a call for us.
func (s *Service) awaitToken(ctx context.Context) error {
	for s.Rate > 0 {
		var wait time.Duration
		err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			acc, err := s.lockAccount(ctx, tx)
			if err != nil {
				return err
			}
			if wait = s.token(acc, s.now()); wait > 0 {
				return nil
			}
			return saveAccount(ctx, tx, acc)
		})
		if err != nil || wait <= 0 {
			return err
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
	return nil
}

// pause waits, but not beyond the context.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// nextTenant is whose turn it is: of the tenants with something due, the one
// that was served longest ago. The work grows with the number of tenants that
// have something queued, not with what they have queued: the recursion hops
// through the index from tenant to tenant. It returns "" when nothing is due.
func nextTenant(ctx context.Context, tx bun.IDB, _ tenants.Sweep, now time.Time) (string, error) {
	var next []string
	err := tx.NewRaw(`
		WITH RECURSIVE waiting (tenant_id) AS (
			SELECT * FROM (SELECT a.tenant_id FROM attempts AS a WHERE a.live AND a.status = 'queued' ORDER BY a.tenant_id LIMIT 1) AS first
			UNION ALL
			SELECT (SELECT a.tenant_id FROM attempts AS a WHERE a.live AND a.status = 'queued' AND a.tenant_id > w.tenant_id ORDER BY a.tenant_id LIMIT 1)
			FROM waiting AS w WHERE w.tenant_id IS NOT NULL
		)
		SELECT w.tenant_id FROM waiting AS w LEFT JOIN dispatch_turns AS turn ON turn.tenant_id = w.tenant_id
		WHERE w.tenant_id IS NOT NULL AND (SELECT min(a.not_before) FROM attempts AS a WHERE a.live AND a.status = 'queued' AND a.tenant_id = w.tenant_id) <= ?
		ORDER BY CASE WHEN turn.last_turn IS NULL THEN 0 ELSE 1 END, turn.last_turn, w.tenant_id LIMIT 1`, now).Scan(ctx, &next)
	if err != nil {
		return "", fmt.Errorf("cannot find whose turn it is: %w", err)
	}
	if len(next) == 0 {
		return "", nil
	}
	return next[0], nil
}

// noteTurn remembers that the tenant was served.
func noteTurn(ctx context.Context, tx bun.IDB, sc tenants.Scope, now time.Time) error {
	_, err := tx.NewInsert().Model(&turn{TenantID: sc.TenantID(), LastTurn: now}).
		On("CONFLICT (tenant_id) DO UPDATE").Set("last_turn = EXCLUDED.last_turn").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot note the tenant's turn: %w", err)
	}
	return nil
}
