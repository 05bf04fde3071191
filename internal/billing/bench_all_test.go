package billing_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

// The size of BenchmarkDraftsOfAllTenants: HUIZHI_BENCH_CHARGES=1000000
// HUIZHI_BENCH_TENANTS=1000 is a full one.
func benchSize(b *testing.B) (charges, tenants int) {
	number := func(name string, value int) int {
		if text := os.Getenv(name); text != "" {
			n, err := strconv.Atoi(text)
			require.NoError(b, err)
			return n
		}
		return value
	}
	return number("HUIZHI_BENCH_CHARGES", 100_000), number("HUIZHI_BENCH_TENANTS", 100)
}

// fill gives the ledger's tenant n charges of twelve types over October, written
// by the database itself.
func (l *ledger) fill(n int) {
	l.t.Helper()
	const numbers = "WITH RECURSIVE seq (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM seq WHERE n + 1 < ?1) "
	// ?0 tenant, ?1 count, ?2 order, ?3 batch, ?4 the time of writing
	for _, statement := range []string{
		`INSERT INTO attempts (tenant_id, id, order_id, reference, photo_token, callback_token, status, photo_key, provider_status, message, error_key,
			submitted_by, custom_fields, ordinal, type_id, photo_fetches, polls, clean_scans, scans, live, simulate, created_at, not_before) ` + numbers +
			`SELECT ?0, ?0 || '-' || CAST(10000000 + n AS TEXT), ?2, ?0 || '-' || n, ?0 || '-' || n, ?0 || '-' || n, 'completed', '', '', '', '',
			'', '{}', n + 1, 1, 0, 0, 0, 0, FALSE, FALSE, ?4, ?4 FROM seq`,
		`INSERT INTO charges (tenant_id, id, attempt_id, order_id, order_number, type_id, type_name, city, batch_id, batch_name, points, at, month, day) ` + numbers +
			`SELECT ?0, ?0 || '-' || CAST(10000000 + n AS TEXT), ?0 || '-' || CAST(10000000 + n AS TEXT), ?2, 'HZ-' || n, n % 12 + 1, '类型' || (n % 12 + 1),
			'广东省,深圳市', ?3, '三(2)班', 500, ?4, '2026-10', '2026-10-' || SUBSTR(CAST(101 + n * 31 / ?1 AS TEXT), 2) FROM seq`,
	} {
		_, err := l.d.NewRaw(statement, l.tenant, n, l.order, l.batch, db.Now()).Exec(context.Background())
		require.NoError(l.t, err)
	}
}

// BenchmarkDraftsOfAllTenants drafts a month of many tenants for the first time, as
// a multiple of one GROUP BY that counts the same.
func BenchmarkDraftsOfAllTenants(b *testing.B) {
	charges, tenants := benchSize(b)
	databases := map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite}
	if os.Getenv(dbtest.PostgresEnv) != "" {
		databases["postgres"] = dbtest.Postgres
	}
	for name, open := range databases {
		b.Run(name, func(b *testing.B) {
			d := open(b)
			var svc *billing.Service
			for range tenants {
				l := newLedger(b, d, 1000)
				l.fill(charges / tenants)
				svc = l.svc
			}
			settle(b, d)
			bare := timed(b, func() {
				var rows []struct {
					TenantID, TypeName string
					TypeID             int
					Points, Receipts   int64
				}
				err := d.NewRaw(`SELECT tenant_id, type_id, type_name, points, COUNT(*) AS receipts FROM charges
					WHERE month = '2026-10' GROUP BY tenant_id, type_id, type_name, points`).Scan(context.Background(), &rows)
				require.NoError(b, err)
				require.Len(b, rows, 12*tenants)
			})
			peak := peakHeap(b)
			start := time.Now()
			require.NoError(b, svc.EnsureDrafts(context.Background(), shanghai(2026, 11, 1, 9, 0)))
			took, heap := time.Since(start), peak()
			n, err := d.NewSelect().Table("invoices").Count(context.Background())
			require.NoError(b, err)
			require.EqualValues(b, tenants, n)
			b.ReportMetric(float64(took)/float64(bare), "x_group_by")
			b.ReportMetric(float64(bare)/float64(time.Millisecond), "group_by_ms")
			b.ReportMetric(float64(took)/float64(tenants)/float64(time.Millisecond), "ms/tenant")
			b.ReportMetric(heap/1e6, "peak_MB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// settle lets the database learn what it holds, as it does by itself in time. It
// is not told that there are no invoices yet: a database learns nothing of tables
// in which nothing has happened, and would plan for empty ones from then on.
func settle(b *testing.B, d *db.DB) {
	b.Helper()
	statement := "ANALYZE"
	if db.IsPostgres(d) {
		statement = "VACUUM ANALYZE tenants, attempts, charges"
	}
	_, err := d.Exec(statement)
	require.NoError(b, err)
}
