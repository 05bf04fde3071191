package orders_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/providers/simulator"
)

// enqueue inserts n orders with queued attempts for the world's tenant.
func (w *world) enqueue(tb testing.TB, b *orders.Batch, photoID string, n int) {
	tb.Helper()
	now := db.Now()
	for start := 0; start < n; start += 500 {
		var list []orders.Order
		var attempts []orders.Attempt
		for i := start; i < min(start+500, n); i++ {
			o := orders.Order{TenantID: b.TenantID, ID: db.NewID(), BatchID: b.ID, Number: fmt.Sprintf("%s-%d", b.ID, i), Status: orders.StatusQueued,
				TypeID: 4, City: b.City, PhotoID: photoID, Fields: ocr.Fields{}, Version: 1, CreatedAt: now, UpdatedAt: now}
			list = append(list, o)
			attempts = append(attempts, orders.Attempt{TenantID: b.TenantID, ID: db.NewID(), OrderID: o.ID, Ordinal: 1, Status: orders.AttemptQueued, Live: true,
				Reference: o.ID, PhotoToken: o.ID, CallbackToken: o.ID, TypeID: 4, CustomFields: map[string]string{"city": b.City}, CreatedAt: now, NotBefore: now})
		}
		err := w.db.RunInTx(context.Background(), nil, func(ctx context.Context, tx bun.Tx) error {
			if _, err := tx.NewInsert().Model(&list).Exec(ctx); err != nil {
				return err
			}
			_, err := tx.NewInsert().Model(&attempts).Exec(ctx)
			return err
		})
		require.NoError(tb, err)
	}
}

// Claiming the next attempt with 100,000 queued by 40 tenants, as a ratio to
// claiming it with 400 queued: it must not grow with the queue.
func BenchmarkClaim(b *testing.B) {
	for _, database := range []struct {
		name string
		open func(testing.TB) *db.DB
	}{{"sqlite", dbtest.SQLite}, {"postgres", dbtest.Postgres}} {
		b.Run(database.name, func(b *testing.B) {
			for b.Loop() {
				short, long := claimTime(b, database.open(b), 10), claimTime(b, database.open(b), 2500)
				b.ReportMetric(float64(short.Microseconds()), "us_400_queued")
				b.ReportMetric(float64(long.Microseconds()), "us_100000_queued")
				b.ReportMetric(float64(long)/float64(short), "ratio")
			}
		})
	}
}

// claimTime is the mean time of a claim when each of 40 tenants has queued n.
func claimTime(b *testing.B, d *db.DB, n int) time.Duration {
	b.Helper()
	ctx := context.Background()
	w := newWorld(b, d, simulator.Config{}, func(c *orders.Config) { c.Concurrency = 1 << 20 })
	for range 40 {
		t := w.another()
		batch := t.batch(1, orders.NewBatch{})
		t.enqueue(b, batch, t.only(batch).PhotoID, n)
	}
	if db.IsPostgres(d) {
		_, err := d.ExecContext(ctx, "ANALYZE")
		require.NoError(b, err)
	}
	const times = 200
	start := time.Now()
	for range times {
		ok, err := w.svc.ClaimOne(ctx)
		require.NoError(b, err)
		require.True(b, ok)
	}
	return time.Since(start) / times
}
