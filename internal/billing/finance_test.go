package billing_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/tenants"
)

var allTenants = tenants.AllTenants("a test of the finance pages")

// named gives the ledger's tenant another name.
func (l *ledger) named(name string) *ledger {
	l.t.Helper()
	_, err := l.d.NewUpdate().Table("tenants").Set("name = ?", name).Where("id = ?", l.tenant).Exec(context.Background())
	require.NoError(l.t, err)
	return l
}

// chargeOn records n charges at noon of a day.
func (l *ledger) chargeOn(day time.Time, n int) {
	l.t.Helper()
	for i := range n {
		l.charge(billing.NewCharge{At: day.Add(12*time.Hour + time.Duration(i)*time.Second)})
	}
}

func TestAMonthIsSummedUpOverAllTenants(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, now := context.Background(), shanghai(2026, 11, 3, 9, 0)
		a, b, c := newLedger(t, d, 1000).named("甲"), newLedger(t, d, 2000).named("乙"), newLedger(t, d, 1000).named("丙")
		a.chargeOn(shanghai(2026, 9, 30, 0, 0), 2)
		a.chargeOn(shanghai(2026, 10, 1, 0, 0), 3)
		a.chargeOn(shanghai(2026, 10, 31, 0, 0), 1)
		b.chargeOn(shanghai(2026, 10, 31, 0, 0), 2)
		c.chargeOn(shanghai(2026, 10, 5, 0, 0), 1)
		a.finalize("2026-09")
		a.finalize("2026-10")
		_, err := b.svc.Draft(ctx, b.sc, "2026-10", now)
		require.NoError(t, err)

		sum, err := a.svc.Summary(ctx, allTenants, "2026-10", now)
		require.NoError(t, err)
		assert.EqualValues(t, 7, sum.Now.Receipts)
		assert.EqualValues(t, 3500, sum.Now.Points)
		assert.EqualValues(t, 2, sum.Before.Receipts)
		assert.EqualValues(t, 3, sum.Days[0])
		assert.EqualValues(t, 3, sum.Days[30])
		assert.EqualValues(t, 2, sum.DaysBefore[29])
		assert.EqualValues(t, 4*500+2*1000, sum.Now.TotalFen, "the third tenant has no invoice yet")
		assert.EqualValues(t, 4*500, sum.Now.OpenFen, "nothing is open on a draft")
		assert.Equal(t, billing.Steps{Missing: 1, Review: 1, Send: 1}, sum.Steps)
		assert.Len(t, sum.Trend, 12)
		assert.EqualValues(t, sum.Before.NetFen, sum.Trend[10].NetFen)
		assert.Equal(t, []string{"甲", "乙"}, []string{sum.Largest[0].TenantName, sum.Largest[1].TenantName}, "by revenue, then by age")

		assert.Nil(t, sum.Now.MarginFen(), "nobody has said what a point costs")
		require.NoError(t, a.svc.SetPointCost(ctx, allTenants, "2026-10", 300, "test", now))
		sum, err = a.svc.Summary(ctx, allTenants, "2026-10", now)
		require.NoError(t, err)
		assert.EqualValues(t, 1050, *sum.Now.PointsFen)
		assert.EqualValues(t, sum.Now.NetFen-1050, *sum.Now.MarginFen())
		assert.Nil(t, sum.Before.PointsFen, "it costs that from October on")
		require.Error(t, a.svc.SetPointCost(ctx, allTenants, "2026-10", -1, "test", now))

		owing, err := a.svc.Owing(ctx, allTenants, "2026-10", now)
		require.NoError(t, err)
		assert.Equal(t, []tenants.Scope{b.sc, c.sc}, sortedScopes(owing), "a's invoice is final")
		owing, err = a.svc.Owing(ctx, allTenants, "2026-11", now)
		require.NoError(t, err)
		assert.Empty(t, owing, "the month is not over")
	})
}

func sortedScopes(list []tenants.Scope) []tenants.Scope {
	slices.SortFunc(list, func(a, b tenants.Scope) int { return strings.Compare(a.TenantID(), b.TenantID()) })
	return list
}

func TestInvoicesOfAllTenantsAreListedPageByPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		var svc *billing.Service
		var first *ledger
		for i := range 7 {
			l := newLedger(t, d, 1000).named(fmt.Sprintf("租户%d_100%%", i))
			l.chargeOn(shanghai(2026, 10, 2, 0, 0), 1+i%3)
			l.finalize("2026-10")
			if svc = l.svc; first == nil {
				first = l
			}
		}
		for _, by := range []billing.SortBy{"", billing.ByMonth, billing.ByTotal, billing.ByOpen, billing.ByDue, "nonsense"} {
			for _, up := range []bool{false, true} {
				q := billing.ListQuery{By: by, Ascending: up}
				var seen []string
				var fen []int64
				for {
					page, err := svc.List(ctx, allTenants, q, 3)
					require.NoError(t, err)
					assert.EqualValues(t, 7, page.Count)
					assert.EqualValues(t, (3*1+2*2+2*3)*500, page.OpenFen)
					for _, inv := range page.Rows {
						seen, fen = append(seen, inv.ID), append(fen, inv.TotalFen)
					}
					if q.After = page.Next; q.After == "" {
						break
					}
				}
				slices.Sort(seen)
				assert.Len(t, slices.Compact(seen), 7, "each once, by %q", by)
				if by == billing.ByTotal {
					assert.True(t, slices.IsSortedFunc(fen, func(a, b int64) int {
						if up {
							return int(a - b)
						}
						return int(b - a)
					}))
				}
			}
		}
		count := func(q billing.ListQuery) int64 {
			page, err := svc.List(ctx, allTenants, q, 10)
			require.NoError(t, err)
			assert.Len(t, page.Rows, int(page.Count))
			return page.Count
		}
		assert.EqualValues(t, 1, count(billing.ListQuery{Text: "inv2026-000003"}))
		assert.EqualValues(t, 1, count(billing.ListQuery{Text: "租户4_"}))
		assert.EqualValues(t, 7, count(billing.ListQuery{Text: "100%"}))
		assert.Zero(t, count(billing.ListQuery{Text: "租户%4"}), "a percent sign is a percent sign")
		assert.EqualValues(t, 1, count(billing.ListQuery{TenantID: first.tenant}))
		assert.Zero(t, count(billing.ListQuery{States: []billing.State{billing.StateDraft}}))
		assert.EqualValues(t, 7, count(billing.ListQuery{Month: "2026-10", States: billing.OpenStates}))
	})
}

func TestWhatIsOpenIsListedByAge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, now := context.Background(), shanghai(2026, 12, 15, 9, 0)
		l := newLedger(t, d, 1000).named("=甲")
		for i, month := range []time.Month{7, 8, 9, 10, 11} {
			l.chargeOn(shanghai(2026, month, 2, 0, 0), i+1)
			// Finalized on the first of the next month, due 30 days later.
			m := billing.Month(fmt.Sprintf("2026-%02d", month))
			_, err := l.svc.Draft(ctx, l.sc, m, m.End())
			require.NoError(t, err)
			_, err = l.svc.Finalize(ctx, l.sc, m, "test", m.End())
			require.NoError(t, err)
		}
		a, err := l.svc.Ageing(ctx, allTenants, now)
		require.NoError(t, err)
		require.Len(t, a.Rows, 1)
		row := a.Rows[0]
		// Due: 08-31 (106 days), 10-01 (75), 10-31 (45), 12-01 (14), 12-31.
		assert.Equal(t, [5]int64{2500, 2000, 1500, 1000, 500}, row.Fen)
		assert.EqualValues(t, 7500, row.TotalFen)
		assert.EqualValues(t, 5, row.Invoices)
		assert.Equal(t, a.Sum.Fen, row.Fen)
		for i, fen := range row.Fen {
			q := billing.ListQuery{States: billing.OpenStates}
			q.DueFrom, q.DueUntil = billing.BucketDays(i, now)
			page, err := l.svc.List(ctx, allTenants, q, 10)
			require.NoError(t, err)
			assert.Equal(t, fen, page.OpenFen, "the invoices behind bucket %d", i)
		}
		var buf bytes.Buffer
		require.NoError(t, billing.ExportAgeing(ctx, a, &buf))
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(buf.String(), "\uFEFF"))).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 3)
		assert.Equal(t, []string{"'=甲", "5", "25.00", "20.00", "15.00", "10.00", "5.00", "75.00"}, rows[1])
	})
}

func TestAChargeIsTracedToItsLineAndPayment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		l.chargeOn(shanghai(2026, 10, 2, 0, 0), 3)
		entries, err := l.svc.Ledger(ctx, l.sc, "2026-10", billing.Filter{}, billing.Cursor{}, 10)
		require.NoError(t, err)
		id := entries.Entries[0].ID
		tr, err := l.svc.Trace(ctx, l.sc, id)
		require.NoError(t, err)
		assert.EqualValues(t, 500, tr.Fen)
		assert.EqualValues(t, 1000, tr.FenPer1000Points)
		assert.Nil(t, tr.Invoice)

		inv := l.finalize("2026-10")
		_, err = l.svc.RecordPayment(ctx, l.sc, inv.ID, billing.NewPayment{Fen: 1500, Reference: "A1", Day: "2026-11-02"}, "test", shanghai(2026, 11, 3, 9, 0))
		require.NoError(t, err)
		tr, err = l.svc.Trace(ctx, l.sc, id)
		require.NoError(t, err)
		require.NotNil(t, tr.Line)
		assert.Equal(t, 1, tr.Line.Ordinal)
		assert.Equal(t, billing.StatePaid, tr.Invoice.State)
		assert.Equal(t, "A1", tr.Payments[0].Reference)
		placed, err := l.svc.Place(ctx, l.sc, "2026-10", entries.Entries)
		require.NoError(t, err)
		assert.Len(t, placed.Ordinals, 3)

		other := newLedger(t, d, 1000)
		_, err = l.svc.Trace(ctx, other.sc, id)
		require.Error(t, err, "another tenant's charge")
	})
}
