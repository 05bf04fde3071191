package routing

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/jobs"
	"huizhi/internal/tenants"
)

// Register declares the loops.
func (r *Router) Register(q *jobs.Queue) {
	q.AddLoop("OCR calls", time.Minute, func(ctx context.Context) (time.Duration, error) {
		return 0, r.SettleLost(ctx, tenants.AllTenants("calls of processes that died, whosever they were"))
	})
	q.AddLoop("raw OCR answers", time.Hour, func(ctx context.Context) (time.Duration, error) {
		return 0, r.SweepRaw(ctx, tenants.AllTenants("answers whose time is up, whosever they are"))
	})
}

// SettleLost gives calls up whose process died while it asked. Whether they were charged is not known: they count as
// such for the day's cap and in the books.
func (r *Router) SettleLost(ctx context.Context, _ tenants.Sweep) error {
	var due []Call
	err := r.DB.NewSelect().Model(&due).Where("lease_until IS NOT NULL AND lease_until <= ?", r.Now()).Limit(sweptAtOnce).Scan(ctx)
	if err != nil {
		return fmt.Errorf("cannot look for lost OCR calls: %w", err)
	}
	for _, call := range due {
		err := r.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			call.Outcome = OutcomeLost
			res, err := tx.NewUpdate().Model(&call).Set("outcome = ?, lease_until = NULL", OutcomeLost).
				WherePK().Where("lease_until IS NOT NULL").Exec(ctx)
			if err != nil {
				return fmt.Errorf("cannot settle a lost OCR call: %w", err)
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				return err
			}
			return r.Costs.RecordOCRCall(ctx, tx, tenants.ForTenant(call.TenantID), &call)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sweptAtOnce bounds a step.
const sweptAtOnce = 200

// SweepRaw deletes raw answers whose time is up.
func (r *Router) SweepRaw(ctx context.Context, _ tenants.Sweep) error {
	for {
		var due []Call
		err := r.DB.NewSelect().Model(&due).Column("tenant_id", "id").
			Where("raw_until IS NOT NULL AND raw_until <= ?", r.Now()).Limit(sweptAtOnce).Scan(ctx)
		if err != nil {
			return fmt.Errorf("cannot look for raw OCR answers to delete: %w", err)
		}
		for i := range due {
			if err := r.dropRaw(ctx, &due[i]); err != nil {
				return err
			}
		}
		if len(due) < sweptAtOnce {
			return nil
		}
	}
}
