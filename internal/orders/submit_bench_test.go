package orders_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
	"huizhi/internal/providers/simulator"
)

// statements counts what goes to the database.
type statements struct{ n atomic.Int64 }

func (*statements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }
func (s *statements) AfterQuery(context.Context, *bun.QueryEvent)                      { s.n.Add(1) }

// BenchmarkSubmitPrepaid submits a batch of 5,000 orders that a wallet pays for,
// which is one transaction.
func BenchmarkSubmitPrepaid(b *testing.B) {
	const n = 5000
	for _, database := range []struct {
		name string
		open func(testing.TB) *db.DB
	}{{"sqlite", dbtest.SQLite}, {"postgres", dbtest.Postgres}} {
		b.Run(database.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				d := database.open(b)
				w := newWorld(b, d, simulator.Config{}, prepaid)
				w.topUp(n * 500)
				batch := w.batch(1, orders.NewBatch{})
				w.enqueue(b, batch, w.only(batch).PhotoID, n-1)
				_, err := d.ExecContext(context.Background(), "DELETE FROM attempts")
				require.NoError(b, err)
				_, err = d.ExecContext(context.Background(), "UPDATE orders SET status = 'ready', name = '欧阳翀', id_number = '11010519491231002X'")
				require.NoError(b, err)
				count := &statements{}
				d.DB = d.WithQueryHook(count)
				b.StartTimer()
				start := time.Now()
				queued, err := w.svc.SubmitBatch(context.Background(), w.sc, batch.ID, "u1")
				require.NoError(b, err)
				require.Equal(b, n, queued)
				b.ReportMetric(time.Since(start).Seconds(), "s")
				b.ReportMetric(float64(count.n.Load()), "statements")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
