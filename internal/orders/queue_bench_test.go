package orders_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
)

// Going to the next record of a batch of 100,000 that wait, from its middle, with
// all that the page says of the queue; the ratio is to 10,000. It must not grow
// with the batch, but for counts, which end at MostCounted.
func BenchmarkReviewQueue(b *testing.B) {
	for _, database := range []struct {
		name string
		open func(testing.TB) *db.DB
	}{{"sqlite", dbtest.SQLite}, {"postgres", dbtest.Postgres}} {
		b.Run(database.name, func(b *testing.B) {
			for b.Loop() {
				few, many := queueTime(b, database.open(b), 10_000), queueTime(b, database.open(b), 100_000)
				b.ReportMetric(float64(few.Microseconds()), "us_10000_waiting")
				b.ReportMetric(float64(many.Microseconds()), "us_100000_waiting")
				b.ReportMetric(float64(many)/float64(few), "ratio")
			}
		})
	}
}

func queueTime(b *testing.B, d *db.DB, n int) time.Duration {
	b.Helper()
	k := newQueue(b, d, n)
	if db.IsPostgres(d) {
		_, err := d.ExecContext(b.Context(), "ANALYZE")
		require.NoError(b, err)
	}
	const times = 100
	after := orders.QueuePlace{Rank: 1, Seq: int64(n / 2)}
	start := time.Now()
	for range times {
		shown, err := k.svc.ShowNext(b.Context(), k.sc, k.batch.ID, "", after, k.user)
		require.NoError(b, err)
		after = shown.Claim.Place()
		_, _, err = k.svc.Neighbours(b.Context(), k.sc, k.batch.ID, after, k.user)
		require.NoError(b, err)
		_, err = k.svc.Standing(b.Context(), k.sc, k.batch.ID, after)
		require.NoError(b, err)
	}
	return time.Since(start) / times
}
