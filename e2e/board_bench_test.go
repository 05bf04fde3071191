package e2e

import (
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/orders"
)

// The class board over 100,000 orders, as HTML over HTTP: the 95th percentile as a
// multiple of its bare SQL (aim: at most 3), and how much longer it takes than over
// 10,000 (aim: linear).
func BenchmarkClassBoard(b *testing.B) {
	onBothB(b, func(b *testing.B, databaseURL string) {
		s := newBenchSite(b, databaseURL, func(c *config.Config) { c.Workers = false })
		statuses := []orders.Status{orders.StatusReview, orders.StatusReady, orders.StatusSubmitted, orders.StatusCompleted, orders.StatusFailed}
		small, _ := s.classOf(b, s.sc, s.user, 10_000, statuses...)
		large, _ := s.classOf(b, s.sc, s.user, 100_000, statuses...)
		if db.IsPostgres(s.DB.DB) {
			_, err := s.DB.Exec("VACUUM ANALYZE")
			require.NoError(b, err)
		}
		page := func(roster string) func() {
			return func() {
				res, err := s.client.Get(s.URL + "/rosters/" + roster + "/board")
				require.NoError(b, err)
				defer res.Body.Close()
				require.Equal(b, http.StatusOK, res.StatusCode)
				_, err = io.Copy(io.Discard, res.Body)
				require.NoError(b, err)
			}
		}
		bare := func() {
			rows, err := s.DB.Query(`SELECT grade, class, min(place), coalesce((SELECT CASE WHEN o.status = 'completed' AND o.valid_until <= '2027-01-01' THEN 'expiring' ELSE o.status END
				FROM orders AS o WHERE o.tenant_id = p.tenant_id AND o.person_id = p.id AND o.status <> 'cancelled' AND NOT o.simulate ORDER BY o.id DESC LIMIT 1), 'none') AS state, count(*)
				FROM people AS p WHERE p.tenant_id = '` + s.sc.TenantID() + `' AND p.roster_id = '` + large + `' GROUP BY grade, class, state`)
			require.NoError(b, err)
			defer rows.Close()
			for rows.Next() {
				var grade, class, place, state string
				var n int64
				require.NoError(b, rows.Scan(&grade, &class, &place, &state, &n))
			}
			require.NoError(b, rows.Err())
		}
		for b.Loop() {
			few, many, sql := p95(page(small)), p95(page(large)), p95(bare)
			b.ReportMetric(float64(many)/float64(time.Millisecond), "p95_ms")
			b.ReportMetric(float64(sql)/float64(time.Millisecond), "sql_ms")
			b.ReportMetric(float64(many)/float64(sql), "ratio")
			b.ReportMetric(float64(many)/float64(few), "growth_from_a_tenth")
		}
	})
}

// p95 is the 95th percentile of 20 runs.
func p95(run func()) time.Duration {
	run() // caches are warm on a page that is looked at
	took := make([]time.Duration, 20)
	for i := range took {
		start := time.Now()
		run()
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[18]
}
