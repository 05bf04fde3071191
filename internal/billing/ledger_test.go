package billing_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

func TestMonthBeginsAtMidnightInShanghai(t *testing.T) {
	t.Parallel()
	assert.Equal(t, billing.Month("2026-11"), billing.MonthOf(time.Date(2026, 10, 31, 16, 0, 0, 0, time.UTC)))
	assert.Equal(t, billing.Month("2026-10"), billing.MonthOf(time.Date(2026, 10, 31, 15, 59, 59, 999999999, time.UTC)))

	m := billing.Month("2028-02")
	assert.Equal(t, 29, m.Days())
	assert.Equal(t, billing.Month("2027-12"), m.Add(-2))
	assert.Equal(t, billing.Month("2028-03"), m.Add(1))
	assert.False(t, m.Ended(shanghai(2028, 2, 29, 23, 59)))
	assert.True(t, m.Ended(shanghai(2028, 3, 1, 0, 0)))
}

func TestParseMonth(t *testing.T) {
	t.Parallel()
	m, err := billing.ParseMonth("2026-11")
	require.NoError(t, err)
	assert.Equal(t, billing.Month("2026-11"), m)
	for _, s := range []string{"", "2026-1", "2026-13", "2026-00", "26-11", "2026-11-01", "２０２６-11", "2026/11", " 2026-11"} {
		_, err := billing.ParseMonth(s)
		assert.Error(t, err, "%q", s)
	}
}

func TestAnAttemptIsChargedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLedger(t, d, 1000)
		ctx := context.Background()
		first := l.charge(billing.NewCharge{At: shanghai(2026, 11, 20, 14, 2)})

		err := d.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			again := first
			again.At = shanghai(2026, 12, 1, 0, 0)
			created, err := billing.Record(ctx, tx, l.sc, again)
			require.NoError(t, err)
			require.False(t, created)
			_, err = tx.NewUpdate().Table("orders").Set("message = ?", "still usable").Where("id = ?", l.order).Exec(ctx)
			return err
		})
		require.NoError(t, err, "the surrounding transaction goes on")

		var rows []billing.Charge
		require.NoError(t, d.NewSelect().Model(&rows).Scan(ctx))
		require.Len(t, rows, 1)
		assert.Equal(t, billing.Month("2026-11"), rows[0].Month)
		assert.Equal(t, "2026-11-20", rows[0].Day)
		assert.EqualValues(t, 500, rows[0].Points)
	})
}

func TestAnAttemptIsChargedOnceByConcurrentCallers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLedger(t, d, 1000)
		c := billing.NewCharge{AttemptID: l.attempt(), OrderID: l.order, OrderNumber: "HZ-1", TypeID: 1, TypeName: "居住证",
			BatchID: l.batch, Points: 500, At: shanghai(2026, 11, 20, 14, 2)}
		var wg sync.WaitGroup
		made := make([]bool, 8)
		for i := range made {
			wg.Go(func() {
				assert.NoError(t, d.RunInTx(context.Background(), nil, func(ctx context.Context, tx bun.Tx) (err error) {
					made[i], err = billing.Record(ctx, tx, l.sc, c)
					return err
				}))
			})
		}
		wg.Wait()
		n := 0
		for _, m := range made {
			if m {
				n++
			}
		}
		assert.Equal(t, 1, n)
	})
}

func TestAChargeLivesAndDiesWithItsTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLedger(t, d, 1000)
		stop := errors.New("completion failed")
		err := d.RunInTx(context.Background(), nil, func(ctx context.Context, tx bun.Tx) error {
			created, err := billing.Record(ctx, tx, l.sc, billing.NewCharge{AttemptID: l.attemptIn(tx), OrderID: l.order,
				BatchID: l.batch, Points: 500, At: shanghai(2026, 11, 20, 14, 2)})
			require.NoError(t, err)
			require.True(t, created)
			return stop
		})
		require.ErrorIs(t, err, stop)
		n, err := d.NewSelect().Model((*billing.Charge)(nil)).Count(context.Background())
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}

func TestAChargeCostsSomething(t *testing.T) {
	t.Parallel()
	l := newLedger(t, dbtest.SQLite(t), 1000)
	err := l.d.RunInTx(context.Background(), nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := billing.Record(ctx, tx, l.sc, billing.NewCharge{AttemptID: "a", Points: 0, At: db.Now()})
		return err
	})
	require.Error(t, err)
}
