package reconcile_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/billing/reconcile"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/providers"
)

func TestAMonthInWhichEverythingAgrees(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for range 7 {
			w.receipt()
		}
		failed := w.sends("failed", "")
		w.numbered(&failed, w.applies(failed.reference, providers.StatusFailed))
		assert.Empty(t, w.compares())

		report, err := w.service().Report(w.ctx(), w.month)
		require.NoError(t, err)
		require.Nil(t, report.Newest)
		sums := report.Totals
		assert.EqualValues(t, 8, sums.Applications)
		assert.EqualValues(t, 7, sums.Provider.Dated)
		assert.EqualValues(t, 7, sums.Provider.Matched())
		assert.Equal(t, billing.Sum{Receipts: 7, Points: 3500}, sums.Ledger)
		assert.Nil(t, sums.Stripe, "without a key that side is left out, and said to be")
	})
}

// Each kind of difference between the provider and the ledger is named once, with
// both sides.
func TestDifferencesBetweenProviderAndLedgerAreNamed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.receipt()
		named := func(change func() string, want reconcile.Kind, state reconcile.State) {
			t.Helper()
			before := len(w.list(reconcile.Filter{}))
			ref := change()
			all := w.compares()
			require.Len(t, all, before+1, "%v", kinds(all))
			last := all[before]
			assert.Equal(t, string(want)+" "+string(state), kinds(all)[before])
			var refs []string
			for _, side := range []*reconcile.Side{last.Ours, last.Theirs} {
				if side != nil {
					refs = append(refs, side.Ref)
				}
			}
			assert.Contains(t, refs, ref, "%s", want)
		}

		named(func() string { return w.applies("", providers.StatusCompleted) }, reconcile.Foreign, reconcile.Open)
		named(func() string { // also by the reference of nobody
			return w.applies("somebody-else", providers.StatusCompleted)
		}, reconcile.Foreign, reconcile.Open)
		named(func() string {
			a := w.sends("completed", "")
			w.numbered(&a, w.applies(a.reference, providers.StatusCompleted))
			return a.no
		}, reconcile.NotCharged, reconcile.Open)
		named(func() string {
			a := w.sends("submitted", "")
			w.numbered(&a, w.applies(a.reference, providers.StatusCompleted))
			return a.no
		}, reconcile.NotNoticed, reconcile.Explained)
		named(func() string {
			return w.applies(w.receipt().reference, providers.StatusCompleted)
		}, reconcile.SecondApplication, reconcile.Open)
		named(func() string {
			a := w.sends("completed", "RA20200101000000001")
			w.charges(a, w.now())
			return a.number
		}, reconcile.NotFound, reconcile.Open)
		named(func() string {
			a := w.sends("completed", "")
			w.numbered(&a, w.applies(a.reference, providers.StatusFailed))
			w.charges(a, w.now())
			return a.no
		}, reconcile.NotCompleted, reconcile.Open)
		named(func() string {
			a := w.receipt()
			w.exec("UPDATE attempts SET simulate = ? WHERE id = ?", true, a.id)
			return a.no
		}, reconcile.SimulatedCharged, reconcile.Open)
		named(func() string {
			a := w.sends("completed", "")
			w.numbered(&a, w.applies(a.reference, providers.StatusCompleted))
			w.chargesPoints(a, w.now(), 400)
			return a.no
		}, reconcile.Points, reconcile.Open)
		named(func() string {
			first, second := w.receipt(), w.receipt()
			w.exec("DROP TRIGGER " + trigger(d))
			w.exec("UPDATE charges SET order_id = ? WHERE attempt_id = ?", first.order, second.id)
			return second.no
		}, reconcile.ChargedTwice, reconcile.Open)
		named(func() string {
			a := w.sends("unknown", "")
			return w.applies(a.reference, providers.StatusCompleted)
		}, reconcile.Unknown, reconcile.Open)
		named(func() string { return w.sends("needs_decision", "").number }, reconcile.NeedsDecision, reconcile.Open)
	})
}

func trigger(d *db.DB) string {
	if db.IsPostgres(d) {
		return "charges_no_update ON charges"
	}
	return "charges_no_update"
}

// The provider writes its times without a zone, so a receipt at midnight may be of
// another month by its text. Our clock decides, and that is no difference.
func TestTheEdgeOfTheMonthIsExplained(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a := w.sends("completed", "")
		w.numbered(&a, w.applies(a.reference, providers.StatusCompleted))
		w.charges(a, w.month.Start().Add(-time.Second))
		assert.Equal(t, []string{"month_edge explained"}, kinds(w.compares()))
		report, err := w.service().Report(w.ctx(), w.month)
		require.NoError(t, err)
		p := report.Totals.Provider
		assert.EqualValues(t, 1, p.Dated)
		assert.EqualValues(t, 1, p.Later)
		assert.Zero(t, p.Matched())
		assert.Zero(t, report.Totals.Ledger.Receipts)

		w.month = w.month.Add(-1)
		assert.Equal(t, []string{"month_edge explained"}, kinds(w.compares()), "in the month that has the charge, too")
		report, err = w.service().Report(w.ctx(), w.month)
		require.NoError(t, err)
		assert.EqualValues(t, 1, report.Totals.Provider.Earlier)
		assert.EqualValues(t, 1, report.Totals.Provider.Matched())
	})
}

func TestADifferenceIsTheSameFromRunToRun(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a := w.sends("completed", "")
		w.numbered(&a, w.applies(a.reference, providers.StatusCompleted))
		found := w.compares()
		require.Equal(t, []string{"not_charged open"}, kinds(found))
		again := w.compares()
		require.Len(t, again, 1)
		assert.Equal(t, found[0].ID, again[0].ID)
		assert.True(t, again[0].FirstAt.Equal(found[0].FirstAt))
		assert.True(t, again[0].LastAt.After(found[0].LastAt))

		w.charges(a, w.now())
		assert.Empty(t, w.compares())
		gone := w.list(reconcile.Filter{State: reconcile.Gone})
		require.Len(t, gone, 1)
		assert.Equal(t, found[0].ID, gone[0].ID)
		history, err := w.service().History(w.ctx(), found[0].ID)
		require.NoError(t, err)
		var events []reconcile.EventKind
		for _, e := range history {
			events = append(events, e.Event)
		}
		assert.Equal(t, []reconcile.EventKind{reconcile.EventFound, reconcile.EventGone}, events)
	})
}

func TestWhatWasAcceptedStaysSoUntilItSaysSomethingElse(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		no := w.applies("", providers.StatusCompleted)
		w.applies("", providers.StatusCompleted)
		a := w.sends("unknown", "")
		require.Len(t, w.compares(), 3)
		s := w.service()

		_, err := s.Accept(w.ctx(), w.month, reconcile.Decision{Kind: reconcile.Foreign, Reason: "  ", Actor: "u1"})
		require.Error(t, err, "a reason is needed")
		_, err = s.Accept(w.ctx(), w.month, reconcile.Decision{Reason: "x", Actor: "u1"})
		require.Error(t, err, "and something to accept")
		n, err := s.Accept(w.ctx(), w.month, reconcile.Decision{Kind: reconcile.Foreign, Reason: "旧系统的申请", Actor: "u1"})
		require.NoError(t, err)
		assert.EqualValues(t, 2, n)
		unknown := w.list(reconcile.Filter{Kind: reconcile.Unknown})
		n, err = s.Accept(w.ctx(), w.month, reconcile.Decision{IDs: []string{unknown[0].ID}, Reason: "已电话确认", Actor: "u2"})
		require.NoError(t, err)
		assert.EqualValues(t, 1, n)

		assert.ElementsMatch(t, []string{"foreign accepted", "foreign accepted", "unknown accepted"}, kinds(w.compares()))
		for _, f := range w.list(reconcile.Filter{Kind: reconcile.Foreign}) {
			assert.Equal(t, "u1", f.DecidedBy)
			assert.Equal(t, "旧系统的申请", f.Reason)
		}
		w.exec("UPDATE attempts SET status = 'needs_decision' WHERE id = ?", a.id)
		w.exec("UPDATE reconcile_differences SET theirs = '{}' WHERE kind = 'foreign' AND theirs LIKE ?", "%"+no+"%")
		assert.ElementsMatch(t, []string{"foreign accepted", "foreign open", "needs_decision open"}, kinds(w.compares()))
	})
}

func TestAnAcceptanceIsTakenBackWithAReasonAndBothStayInTheHistory(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.applies("", providers.StatusCompleted)
		found := w.compares()
		require.Equal(t, []string{"foreign open"}, kinds(found))
		s, chosen := w.service(), []string{found[0].ID}
		later := func() { w.at(w.now().Add(time.Hour)) }

		later()
		n, err := s.Reopen(w.ctx(), w.month, reconcile.Decision{IDs: chosen, Reason: "没有认可过", Actor: "u2"})
		require.NoError(t, err)
		assert.Zero(t, n, "what is open stays as it is")
		_, err = s.Accept(w.ctx(), w.month, reconcile.Decision{IDs: chosen, Reason: "旧系统的申请", Actor: "u1"})
		require.NoError(t, err)
		later()
		_, err = s.Reopen(w.ctx(), w.month, reconcile.Decision{IDs: chosen, Reason: " ", Actor: "u2"})
		require.Error(t, err, "a reason is needed")
		n, err = s.Reopen(w.ctx(), w.month, reconcile.Decision{IDs: chosen, Reason: "供应商否认", Actor: "u2"})
		require.NoError(t, err)
		assert.EqualValues(t, 1, n)

		again := w.compares()
		require.Equal(t, []string{"foreign open"}, kinds(again), "the next run leaves it open")
		assert.Empty(t, again[0].DecidedBy)
		assert.Nil(t, again[0].DecidedAt)
		history, err := s.History(w.ctx(), found[0].ID)
		require.NoError(t, err)
		var told []string
		for _, e := range history {
			told = append(told, string(e.Event)+" "+e.Actor+" "+e.Reason)
		}
		assert.Equal(t, []string{"found " + reconcile.System + " ", "accepted u1 旧系统的申请", "reopened u2 供应商否认"}, told)
	})
}
