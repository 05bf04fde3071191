package billing_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

// TestEveryChargeIsOnExactlyOneLine tries invariant 4: whatever the charges and
// the price, the lines hold each of them once and add up to the fen, and the
// receipts of a line add up to the line.
func TestEveryChargeIsOnExactlyOneLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		types := []string{"居住证", "身份证", "社会保障卡", "驾驶证"}
		for seed := range uint64(6) {
			rnd := rand.New(rand.NewPCG(seed, 26))
			fenPer1000 := 1 + rnd.Int64N(3000)
			l := newLedger(t, d, fenPer1000)
			months := []billing.Month{"2026-09", "2026-10", "2026-11"}
			want := map[billing.Month]billing.Sum{}
			now := shanghai(2026, 11, 20, 14, 0)
			for range 4 { // the ledger grows, and drafts are built in between
				for range rnd.IntN(30) {
					m := months[rnd.IntN(len(months))]
					kind := rnd.IntN(len(types))
					c := l.charge(billing.NewCharge{TypeID: kind + 1, TypeName: types[kind], Points: 1 + rnd.Int64N(1000),
						At: m.Start().Add(time.Duration(rnd.Int64N(int64(m.End().Sub(m.Start())))))})
					sum := want[m]
					sum.Receipts, sum.Points, sum.Fen = sum.Receipts+1, sum.Points+c.Points, sum.Fen+(c.Points*fenPer1000+500)/1000
					want[m] = sum
				}
				for _, m := range months {
					if want[m].Receipts == 0 {
						continue
					}
					inv, err := l.svc.Draft(ctx, l.sc, m, now)
					require.NoError(t, err)
					assert.Equal(t, want[m], billing.Sum{Receipts: inv.Receipts, Points: inv.Points, Fen: inv.TotalFen}, "seed %d, %s", seed, m)
					l.checkInvoice(inv.ID)
				}
			}
		}
	})
}

// checkInvoice checks an invoice against its lines, the lines against their
// charges, and the charges against the ledger.
func (l *ledger) checkInvoice(id string) {
	l.t.Helper()
	ctx := context.Background()
	inv, err := l.svc.Invoice(ctx, l.sc, id)
	require.NoError(l.t, err)
	assert.Zero(l.t, inv.Unbilled())
	assert.Equal(l.t, inv.AmountFen(), inv.LinesFen())
	seen, charged := map[string]bool{}, billing.Sum{Receipts: inv.Receipts, Points: inv.Points}
	for _, line := range inv.Lines {
		if line.Kind == billing.LineMinimum {
			continue
		}
		charged.Fen += line.AmountFen
		var fen, points int64
		for after := ""; ; {
			entries, next, err := l.svc.LinePage(ctx, l.sc, id, line.Ordinal, after, 7)
			require.NoError(l.t, err)
			for _, e := range entries {
				assert.False(l.t, seen[e.ID], "a charge is billed once")
				seen[e.ID] = true
				assert.Equal(l.t, line.TypeName, e.TypeName)
				fen, points = fen+e.Fen, points+e.Points
			}
			if after = next; next == "" {
				break
			}
		}
		assert.Equal(l.t, line.AmountFen, fen)
		assert.Equal(l.t, line.Points(), points)
	}
	assert.Equal(l.t, charged, inv.Ledger)
	assert.Len(l.t, seen, int(inv.Receipts))
}

func TestADraftIsTheSameBuiltTwice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 937) // 468.5 fen a receipt: rounded once, to 469
		for range 3 {
			l.charge(billing.NewCharge{At: shanghai(2026, 10, 9, 9, 0)})
		}
		l.charge(billing.NewCharge{TypeID: 2, TypeName: "身份证", At: shanghai(2026, 10, 9, 9, 0)})
		now := shanghai(2026, 11, 1, 0, 10)

		first, err := l.svc.Draft(ctx, l.sc, "2026-10", now)
		require.NoError(t, err)
		assert.EqualValues(t, 4*469, first.TotalFen)
		assert.Equal(t, billing.StateDraft, first.State)
		again, err := l.svc.Draft(ctx, l.sc, "2026-10", now)
		require.NoError(t, err)
		assert.Equal(t, inUTC(first), inUTC(again))

		inv, err := l.svc.Invoice(ctx, l.sc, first.ID)
		require.NoError(t, err)
		require.Len(t, inv.Lines, 2)
		assert.Equal(t, "居住证", inv.Lines[0].TypeName)
		assert.EqualValues(t, 3, inv.Lines[0].Receipts)
		assert.EqualValues(t, 3*469, inv.Lines[0].AmountFen)
	})
}

func TestALargeDraft(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		const n = 10003
		l.chargeMany(n, 3, shanghai(2026, 10, 1, 0, 0), time.Minute)
		now := shanghai(2026, 11, 1, 0, 10)
		inv, err := l.svc.Draft(ctx, l.sc, "2026-10", now)
		require.NoError(t, err)
		assert.EqualValues(t, n, inv.Receipts)
		detail, err := l.svc.Invoice(ctx, l.sc, inv.ID)
		require.NoError(t, err)
		assert.Len(t, detail.Lines, 3)
		assert.Zero(t, detail.Unbilled())
		assert.Equal(t, inv.TotalFen, detail.LinesFen())
		again, err := l.svc.Draft(ctx, l.sc, "2026-10", now)
		require.NoError(t, err)
		assert.Equal(t, inUTC(inv), inUTC(again))
	})
}

func TestADraftFollowsThePrice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		l.charge(billing.NewCharge{At: shanghai(2026, 11, 9, 9, 0)})
		now := shanghai(2026, 11, 20, 9, 0)
		_, err := l.svc.Draft(ctx, l.sc, "2026-11", now)
		require.NoError(t, err)
		l.price(billing.NewPrice{FromDay: "2026-11-01", Terms: perPoint(900), EndOpen: true})
		inv, err := l.svc.Draft(ctx, l.sc, "2026-11", now)
		require.NoError(t, err)
		assert.EqualValues(t, 450, inv.TotalFen)
		l.checkInvoice(inv.ID)
	})
}

func TestAMonthWithoutChargesGetsNoInvoice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		_, err := l.svc.Draft(ctx, l.sc, "2026-10", shanghai(2026, 11, 1, 1, 0))
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err))
		list, err := l.svc.Invoices(ctx, l.sc)
		require.NoError(t, err)
		assert.Empty(t, list)
	})
}

func TestDraftsBuiltAtOnceWhileTheLedgerGrows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		l.charge(billing.NewCharge{At: shanghai(2026, 11, 1, 9, 0)})
		now := shanghai(2026, 11, 20, 9, 0)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 5 {
					_, err := l.svc.Draft(ctx, l.sc, "2026-11", now)
					assert.NoError(t, err)
				}
			})
		}
		types := []string{"居住证", "身份证", "社会保障卡"}
		for i := range 40 {
			l.charge(billing.NewCharge{TypeID: i%3 + 1, TypeName: types[i%3], At: shanghai(2026, 11, 2, 9, 0)})
		}
		wg.Wait()
		inv, err := l.svc.Draft(ctx, l.sc, "2026-11", now)
		require.NoError(t, err)
		assert.EqualValues(t, 41, inv.Receipts)
		l.checkInvoice(inv.ID)
	})
}

func TestPastMonthsAreDraftedWithoutAnybodyAsking(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		a, b, idle := newLedger(t, d, 1000), newLedger(t, d, 2000), newLedger(t, d, 1000)
		a.charge(billing.NewCharge{At: shanghai(2026, 8, 3, 9, 0)})
		a.charge(billing.NewCharge{At: shanghai(2026, 10, 3, 9, 0)})
		a.charge(billing.NewCharge{At: shanghai(2026, 11, 3, 9, 0)})
		b.charge(billing.NewCharge{At: shanghai(2026, 10, 31, 23, 59)})
		now := shanghai(2026, 11, 1, 0, 0)

		months := func(l *ledger) (out []billing.Month) {
			list, err := l.svc.Invoices(ctx, l.sc)
			require.NoError(t, err)
			for _, inv := range list {
				out = append(out, inv.Month)
			}
			return out
		}
		require.NoError(t, a.svc.EnsureDrafts(ctx, now))
		assert.Equal(t, []billing.Month{"2026-10", "2026-08"}, months(a), "November is running")
		assert.Equal(t, []billing.Month{"2026-10"}, months(b))
		assert.Empty(t, months(idle))

		before, err := a.svc.Invoices(ctx, a.sc)
		require.NoError(t, err)
		b.charge(billing.NewCharge{At: shanghai(2026, 10, 31, 23, 59)}) // committed just after midnight
		require.NoError(t, a.svc.EnsureDrafts(ctx, now.Add(time.Hour)))
		after, err := a.svc.Invoices(ctx, a.sc)
		require.NoError(t, err)
		assert.Equal(t, before, after, "what is complete is left alone")
		list, err := b.svc.Invoices(ctx, b.sc)
		require.NoError(t, err)
		assert.EqualValues(t, 2000, list[0].TotalFen)
	})
}

func TestAnInvoiceOfAnotherTenantIsNotFound(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		ours, theirs := newLedger(t, d, 1000), newLedger(t, d, 1000)
		theirs.charge(billing.NewCharge{At: shanghai(2026, 10, 3, 9, 0)})
		inv, err := theirs.svc.Draft(ctx, theirs.sc, "2026-10", shanghai(2026, 11, 1, 1, 0))
		require.NoError(t, err)

		_, err = ours.svc.Invoice(ctx, ours.sc, inv.ID)
		assert.Equal(t, apperr.NotFound, apperr.KindOf(err))
		_, _, err = ours.svc.LinePage(ctx, ours.sc, inv.ID, 1, "", 50)
		assert.Equal(t, apperr.NotFound, apperr.KindOf(err))
		page, err := ours.svc.Ledger(ctx, ours.sc, "2026-10", billing.Filter{}, billing.Cursor{}, 50)
		require.NoError(t, err)
		assert.Empty(t, page.Entries)
	})
}
