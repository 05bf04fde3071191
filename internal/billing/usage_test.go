package billing_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

func TestUsageOfARunningMonth(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		now := shanghai(2026, 11, 20, 14, 41)
		// October: two before the same time of the 20th, one after, one much later.
		l.charge(billing.NewCharge{At: shanghai(2026, 10, 1, 0, 0)})
		l.charge(billing.NewCharge{At: shanghai(2026, 10, 20, 14, 40)})
		l.charge(billing.NewCharge{At: shanghai(2026, 10, 20, 14, 42)})
		l.charge(billing.NewCharge{At: shanghai(2026, 10, 31, 23, 59)})
		// November, with its first minute, which is October in UTC.
		l.charge(billing.NewCharge{At: shanghai(2026, 11, 1, 0, 0)})
		l.charge(billing.NewCharge{At: shanghai(2026, 11, 18, 9, 0)})
		l.charge(billing.NewCharge{At: shanghai(2026, 11, 18, 9, 0), City: "广东省,广州市"})
		l.charge(billing.NewCharge{At: shanghai(2026, 11, 20, 9, 0), TypeID: 2, TypeName: "身份证"})

		u, err := l.svc.Usage(ctx, l.sc, "2026-11", now)
		require.NoError(t, err)
		assert.Equal(t, billing.Sum{Receipts: 4, Points: 2000, Fen: 2000}, u.Total)
		assert.Equal(t, billing.Sum{Receipts: 2, Points: 1000, Fen: 1000}, u.Before)
		assert.Equal(t, now, u.Until)
		require.Len(t, u.Days, 30)
		assert.EqualValues(t, 1, u.Days[0].Receipts)
		assert.EqualValues(t, 2, u.Days[17].Receipts)
		assert.EqualValues(t, 1000, u.Days[17].Fen)
		require.Len(t, u.DaysBefore, 31)
		assert.EqualValues(t, 2, u.DaysBefore[19].Receipts)
		assert.EqualValues(t, 1, u.DaysBefore[30].Receipts)
		require.Len(t, u.Kinds, 3)
		assert.Equal(t, billing.Kind{TypeID: 1, TypeName: "居住证", City: "广东省,深圳市", UnitFen: 500,
			Sum: billing.Sum{Receipts: 2, Points: 1000, Fen: 1000}}, u.Kinds[0])

		october, err := l.svc.Usage(ctx, l.sc, "2026-10", now)
		require.NoError(t, err)
		assert.EqualValues(t, 4, october.Total.Receipts)
		assert.Equal(t, billing.Month("2026-10").End(), october.Until)
		assert.Zero(t, october.Before)
	})
}

func TestAMonthIsComparedWithAShorterOne(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		l.charge(billing.NewCharge{At: shanghai(2027, 2, 28, 23, 59)})
		u, err := l.svc.Usage(ctx, l.sc, "2027-03", shanghai(2027, 3, 30, 12, 0))
		require.NoError(t, err)
		assert.EqualValues(t, 1, u.Before.Receipts, "the whole of February")
		u, err = l.svc.Usage(ctx, l.sc, "2027-03", shanghai(2027, 4, 2, 12, 0))
		require.NoError(t, err)
		assert.EqualValues(t, 1, u.Before.Receipts, "a month that is over with a month that is over")
	})
}

func TestUsageOfNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLedger(t, d, 1000)
		now := shanghai(2026, 11, 20, 14, 41)
		u, err := l.svc.Usage(context.Background(), l.sc, "2026-11", now)
		require.NoError(t, err)
		assert.Zero(t, u.Total)
		assert.Empty(t, u.Kinds)
		months, err := l.svc.Overview(context.Background(), l.sc, now)
		require.NoError(t, err)
		assert.Empty(t, months)
	})
}

func TestOverviewOfTwelveMonths(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		for _, m := range []billing.Month{"2025-11", "2025-12", "2026-10", "2026-11"} {
			l.charge(billing.NewCharge{At: m.Start()})
		}
		now := shanghai(2026, 11, 20, 14, 41)
		_, err := l.svc.Draft(ctx, l.sc, "2026-10", now)
		require.NoError(t, err)
		_, err = l.svc.Draft(ctx, l.sc, "2026-11", now)
		require.NoError(t, err)
		l.charge(billing.NewCharge{At: now})

		months, err := l.svc.Overview(ctx, l.sc, now)
		require.NoError(t, err)
		require.Len(t, months, 3, "thirteen months ago is not shown")
		assert.Equal(t, billing.Month("2026-11"), months[0].Month)
		assert.EqualValues(t, 2, months[0].Sum.Receipts, "the running month comes from the ledger")
		assert.EqualValues(t, 1, months[0].Invoice.Receipts)
		assert.Equal(t, billing.Month("2026-10"), months[1].Month)
		assert.EqualValues(t, 500, months[1].Sum.Fen)
		assert.Equal(t, billing.Month("2025-12"), months[2].Month)
		assert.Nil(t, months[2].Invoice)
		assert.EqualValues(t, 1, months[2].Sum.Receipts)
	})
}

func TestTheLedgerPageByPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		for i := range 7 {
			c := billing.NewCharge{At: shanghai(2026, 11, 1+i, 9, 0)}
			if i%2 == 1 {
				c.TypeID, c.TypeName, c.City = 2, "身份证", "北京市"
			}
			l.charge(c)
		}
		l.charge(billing.NewCharge{At: shanghai(2026, 10, 1, 9, 0)})

		walk := func(f billing.Filter) (days []string) {
			at := billing.Cursor{}
			for {
				page, err := l.svc.Ledger(ctx, l.sc, "2026-11", f, at, 3)
				require.NoError(t, err)
				assert.Equal(t, at.Before == "", page.Newer == "")
				for _, e := range page.Entries {
					days = append(days, e.Day[8:])
				}
				if page.Older == "" {
					return days
				}
				at = billing.Cursor{Before: page.Older}
			}
		}
		assert.Equal(t, []string{"07", "06", "05", "04", "03", "02", "01"}, walk(billing.Filter{}))
		assert.Equal(t, []string{"06", "04", "02"}, walk(billing.Filter{TypeID: 2, City: "北京市"}))
		assert.Equal(t, []string{"03"}, walk(billing.Filter{Day: "2026-11-03"}))
		assert.Empty(t, walk(billing.Filter{TypeID: 2, City: "广东省,深圳市"}))

		first, err := l.svc.Ledger(ctx, l.sc, "2026-11", billing.Filter{}, billing.Cursor{}, 3)
		require.NoError(t, err)
		second, err := l.svc.Ledger(ctx, l.sc, "2026-11", billing.Filter{}, billing.Cursor{Before: first.Older}, 3)
		require.NoError(t, err)
		back, err := l.svc.Ledger(ctx, l.sc, "2026-11", billing.Filter{}, billing.Cursor{After: second.Newer}, 3)
		require.NoError(t, err)
		assert.Equal(t, first, back, "back is where one came from")
	})
}
