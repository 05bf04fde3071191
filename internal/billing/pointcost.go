package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// PointCost is what the platform pays upstream for its points, from a month on.
type PointCost struct {
	bun.BaseModel    `bun:"table:point_costs,alias:cost"`
	FromMonth        Month  `bun:",pk"`
	FenPer1000Points int64  `bun:"fen_per_1000_points"`
	SetBy            string // user id
	SetAt            time.Time
}

// of is what points cost, rounded half up to the fen.
func (c *PointCost) of(points int64) int64 { return (points*c.FenPer1000Points + 500) / 1000 }

// PointCost is what holds in the month, nil when nobody has said.
func (s *Service) PointCost(ctx context.Context, month Month) (*PointCost, error) {
	cost := new(PointCost)
	err := s.db.NewSelect().Model(cost).Where("from_month <= ?", month).Order("from_month DESC").Limit(1).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load what points cost: %w", err)
	}
	return cost, nil
}

// SetPointCost says what 1,000 points cost from the month on, until the next
// month that says otherwise. It is a figure of the overview alone: no invoice
// depends on it, so it may be corrected.
func (s *Service) SetPointCost(ctx context.Context, _ tenants.Sweep, from Month, fenPer1000 int64, actor string, now time.Time) error {
	if fenPer1000 < 0 || fenPer1000 > maxFen {
		return apperr.Field("fen", "error.finance.point_cost")
	}
	row := &PointCost{FromMonth: from, FenPer1000Points: fenPer1000, SetBy: actor, SetAt: now}
	_, err := s.db.NewInsert().Model(row).On("CONFLICT (from_month) DO UPDATE").
		Set("fen_per_1000_points = EXCLUDED.fen_per_1000_points, set_by = EXCLUDED.set_by, set_at = EXCLUDED.set_at").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot set what points cost: %w", err)
	}
	return nil
}
