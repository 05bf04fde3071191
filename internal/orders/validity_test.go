package orders_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
	"huizhi/internal/providers/simulator"
)

func TestACompletedReceiptGetsItsLastDay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{})
		real, rehearsal := w.batch(1, orders.NewBatch{}), w.batch(1, orders.NewBatch{Simulate: true})
		w.start()
		w.submit(real)
		w.submit(rehearsal)
		w.wait(real, orders.StatusCompleted)
		w.wait(rehearsal, orders.StatusCompleted)
		o := w.only(real)
		require.Equal(t, o.Rule().Until(*o.CompletedAt), o.ValidUntil.UTC())
		require.Nil(t, w.only(rehearsal).ValidUntil, "a rehearsal's receipt can never be used")
	})
}

func TestOlderReceiptsGetTheirLastDayToo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{})
		unreckoned, byOldTable, byHand := w.batch(1, orders.NewBatch{}), w.batch(1, orders.NewBatch{}), w.batch(1, orders.NewBatch{})
		came, other := time.Date(2026, 9, 1, 3, 0, 0, 0, time.UTC), time.Date(2026, 9, 2, 16, 0, 0, 0, time.UTC)
		for b, by := range map[*orders.Batch]string{unreckoned: "", byOldTable: "0", byHand: "hand"} {
			q := d.NewUpdate().Model((*orders.Order)(nil)).Set("status = ?, completed_at = ?, valid_by = ?", orders.StatusCompleted, came, by).Where("batch_id = ?", b.ID)
			if by != "" {
				q = q.Set("valid_until = ?", other)
			}
			_, err := q.Exec(ctx)
			require.NoError(t, err)
		}
		w.start()
		want := time.Date(2027, 2, 27, 16, 0, 0, 0, time.UTC) // 180 days in Shenzhen
		require.Eventually(t, func() bool {
			for _, b := range []*orders.Batch{unreckoned, byOldTable} {
				if o := w.only(b); o.ValidUntil == nil || !o.ValidUntil.Equal(want) {
					return false
				}
			}
			return true
		}, 30*time.Second, 10*time.Millisecond)
		require.True(t, w.only(byHand).ValidUntil.Equal(other), "what a person read is not reckoned anew")
	})
}
