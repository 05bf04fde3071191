package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// Points adds up what all tenants were charged from a time on, before another:
// what the upstream account has spent by our reckoning.
func Points(ctx context.Context, d bun.IDB, _ tenants.Sweep, from, before time.Time) (points int64, err error) {
	err = d.NewSelect().Model((*Charge)(nil)).ColumnExpr("coalesce(sum(charge.points), 0)").
		Where("charge.at >= ? AND charge.at < ?", from, before).Scan(ctx, &points)
	if err != nil {
		return 0, fmt.Errorf("cannot add up the points: %w", err)
	}
	return points, nil
}
