package billing_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/billing/exports"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

// benchCharges is a busy tenant's month, of twelve types.
const benchCharges = 100_000

// eachDatabase runs the benchmark on SQLite, and on PostgreSQL if there is one.
func eachDatabase(b *testing.B, run func(b *testing.B, l *ledger)) {
	databases := map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite}
	if os.Getenv(dbtest.PostgresEnv) != "" {
		databases["postgres"] = dbtest.Postgres
	}
	for name, open := range databases {
		b.Run(name, func(b *testing.B) {
			l := newLedger(b, open(b), 1000)
			l.chargeMany(benchCharges, 12, shanghai(2026, 10, 1, 0, 0), 26*time.Second)
			if db.IsPostgres(l.d) {
				_, err := l.d.Exec("VACUUM ANALYZE")
				require.NoError(b, err)
			}
			run(b, l)
		})
	}
}

// timed is how long f takes, the best of three.
func timed(b *testing.B, f func()) time.Duration {
	b.Helper()
	best := time.Hour
	for range 3 {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	return best
}

// bareGroupBy is the least that a month's figures need: one pass over its rows.
func (l *ledger) bareGroupBy() {
	rows, err := l.d.Query(fmt.Sprintf("SELECT day, type_id, COUNT(*), SUM(points) FROM charges WHERE tenant_id = '%s' AND month = '2026-10' GROUP BY day, type_id", l.tenant))
	require.NoError(l.t, err)
	defer rows.Close()
	for rows.Next() {
		var day string
		var typeID, n, points int64
		require.NoError(l.t, rows.Scan(&day, &typeID, &n, &points))
	}
	require.NoError(l.t, rows.Err())
}

// BenchmarkUsagePage is everything the page of a month reads, as a multiple of
// the bare GROUP BY.
func BenchmarkUsagePage(b *testing.B) {
	eachDatabase(b, func(b *testing.B, l *ledger) {
		ctx, now := context.Background(), shanghai(2026, 11, 1, 9, 0)
		_, err := l.svc.Draft(ctx, l.sc, "2026-10", now)
		require.NoError(b, err)
		bare := timed(b, l.bareGroupBy)
		for b.Loop() {
			_, _, err := l.svc.UsageAndOverview(ctx, l.sc, "2026-10", now)
			require.NoError(b, err)
			page, err := l.svc.Ledger(ctx, l.sc, "2026-10", billing.Filter{}, billing.Cursor{}, 50)
			require.NoError(b, err)
			_, err = l.svc.Place(ctx, l.sc, "2026-10", page.Entries)
			require.NoError(b, err)
		}
		b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(bare), "x_group_by")
		b.ReportMetric(float64(bare)/float64(time.Millisecond), "group_by_ms")
	})
}

// BenchmarkDraft builds the draft of the month for the first time, and again.
func BenchmarkDraft(b *testing.B) {
	eachDatabase(b, func(b *testing.B, l *ledger) {
		ctx, now := context.Background(), shanghai(2026, 11, 1, 9, 0)
		bare := timed(b, l.bareGroupBy)
		start := time.Now()
		_, err := l.svc.Draft(ctx, l.sc, "2026-10", now)
		require.NoError(b, err)
		first := time.Since(start)
		for b.Loop() {
			_, err := l.svc.Draft(ctx, l.sc, "2026-10", now)
			require.NoError(b, err)
		}
		b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(bare), "x_group_by")
		b.ReportMetric(float64(first)/float64(bare), "first_x_group_by")
		b.ReportMetric(float64(first)/float64(time.Millisecond), "first_ms")
	})
}

// BenchmarkExport writes a month with one row per receipt, as the form for exports
// does. The memory is what the heap grows by at most while it is written.
func BenchmarkExport(b *testing.B) {
	ctx, now := context.Background(), shanghai(2026, 11, 1, 9, 0)
	l := newLedger(b, dbtest.SQLite(b), 1000)
	l.chargeMany(benchCharges, 12, shanghai(2026, 10, 1, 0, 0), 26*time.Second)
	_, err := l.svc.Draft(ctx, l.sc, "2026-10", now)
	require.NoError(b, err)
	service := &exports.Service{DB: l.d, Billing: l.svc}
	for _, format := range []billing.Format{billing.CSV, billing.XLSX} {
		b.Run(string(format), func(b *testing.B) {
			r := exports.Request{Grain: exports.Receipts, Format: format, From: "2026-10", Until: "2026-10"}
			rows, peak := 0, peakHeap(b)
			for b.Loop() {
				require.NoError(b, service.Write(ctx, exports.Member(l.sc, "bench"), r, now, io.Discard, func() { rows++ }))
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(peak()/1e6, "peak_MB")
			require.Equal(b, benchCharges*b.N, rows)
		})
	}
}

// peakHeap looks at the heap every few milliseconds until the function that it
// returns is called, which says by how many bytes it was larger than at first.
func peakHeap(b *testing.B) func() float64 {
	b.Helper()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	heap := func() uint64 { metrics.Read(sample); return sample[0].Value.Uint64() }
	runtime.GC()
	first := heap()
	most, stop, stopped := first, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for tick := time.NewTicker(2 * time.Millisecond); ; {
			select {
			case <-tick.C:
				most = max(most, heap())
			case <-stop:
				tick.Stop()
				return
			}
		}
	}()
	return func() float64 { close(stop); <-stopped; return float64(most - first) }
}
