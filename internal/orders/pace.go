package orders

import (
	"context"
	"fmt"
	"time"

	"huizhi/internal/tenants"
)

// recentRecords are those whose mean is a person's pace.
const recentRecords = 50

// Pace is the mean time of a person's last records in a batch; 0 before the
// first.
func (s *Service) Pace(ctx context.Context, sc tenants.Scope, batchID, user string) (time.Duration, error) {
	last := s.DB.NewSelect().Model((*Confirmation)(nil)).Column("took_ms").ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND user_id = ? AND took_ms IS NOT NULL", batchID, user).Order("confirmed_at DESC").Limit(recentRecords)
	var mean float64
	err := s.DB.NewSelect().TableExpr("(?) AS last", last).ColumnExpr("CAST(coalesce(avg(took_ms), 0) AS DOUBLE PRECISION)").Scan(ctx, &mean)
	if err != nil {
		return 0, fmt.Errorf("cannot measure the review: %w", err)
	}
	return time.Duration(mean * float64(time.Millisecond)), nil
}

// Work is what a person did in the review of a batch, record by record.
type Work struct {
	UserID      string
	Records     int64
	Mean        time.Duration // from shown to confirmed, each counted up to a minute
	Median      time.Duration
	Corrections int64
	PointerUses int64
}

// ReviewWork measures the review of a batch, by reviewer, the busiest first. It
// reads all confirmations of the batch once.
func (s *Service) ReviewWork(ctx context.Context, sc tenants.Scope, batchID string) ([]Work, error) {
	var rows []struct {
		UserID                            string
		Records, Corrections, PointerUses int64
		Mean, Median                      float64
	}
	each := s.DB.NewSelect().Model((*Confirmation)(nil)).Column("user_id", "took_ms", "corrections", "pointer_uses").
		ColumnExpr("row_number() OVER (PARTITION BY user_id ORDER BY took_ms) AS place").ColumnExpr("count(*) OVER (PARTITION BY user_id) AS n").
		ApplyQueryBuilder(sc.Where).Where("batch_id = ? AND took_ms IS NOT NULL", batchID)
	err := s.DB.NewSelect().TableExpr("(?) AS each_one", each).Column("user_id").
		ColumnExpr("count(*) AS records").ColumnExpr("sum(corrections) AS corrections").ColumnExpr("sum(pointer_uses) AS pointer_uses").
		ColumnExpr("CAST(avg(took_ms) AS DOUBLE PRECISION) AS mean").
		ColumnExpr("CAST(avg(CASE WHEN place IN ((n + 1) / 2, (n + 2) / 2) THEN took_ms END) AS DOUBLE PRECISION) AS median").
		Group("user_id").OrderExpr("count(*) DESC, user_id").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("cannot measure the review: %w", err)
	}
	out := make([]Work, len(rows))
	for i, r := range rows {
		out[i] = Work{UserID: r.UserID, Records: r.Records, Corrections: r.Corrections, PointerUses: r.PointerUses,
			Mean: time.Duration(r.Mean * float64(time.Millisecond)), Median: time.Duration(r.Median * float64(time.Millisecond))}
	}
	return out, nil
}

// AtWork is how many waiting records somebody has before them or kept.
type AtWork struct {
	UserID string
	N      int64
}

// AtWork tells who reviews the batch now.
func (s *Service) AtWork(ctx context.Context, sc tenants.Scope, batchID string) ([]AtWork, error) {
	var out []AtWork
	err := s.DB.NewSelect().Model((*Claim)(nil)).Column("c.user_id").ColumnExpr("count(*) AS n").ApplyQueryBuilder(sc.Where).
		Join("JOIN orders AS o ON o.tenant_id = c.tenant_id AND o.id = c.order_id AND o.status = 'review'").
		Where("c.batch_id = ? AND c.until > ?", batchID, s.now()).Group("c.user_id").Order("c.user_id").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("cannot see who reviews: %w", err)
	}
	return out, nil
}
