package reconcile_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/billing/reconcile"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/jobs"
)

// works runs the loop as a server would, until something holds.
func (w *world) works(until func() bool) {
	w.t.Helper()
	q, err := jobs.Open(w.ctx(), w.d, slog.New(slog.DiscardHandler))
	require.NoError(w.t, err)
	w.service().Register(q)
	require.NoError(w.t, q.Start(w.ctx()))
	require.Eventually(w.t, until, 30*time.Second, 20*time.Millisecond)
	require.NoError(w.t, q.Stop(context.Background()))
}

func (w *world) allRuns() (list []reconcile.Run) {
	w.t.Helper()
	require.NoError(w.t, w.d.NewSelect().Model(&list).Order("id").Scan(w.ctx()))
	return list
}

func TestEveryNightTheLastTwoMonthsAreComparedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.receipt()
		w.settled()
		w.at(w.now().AddDate(0, 0, 1)) // a night has passed since
		w.works(func() bool { r := w.allRuns(); return len(r) == 1 && r[0].State == reconcile.Done })
		present := billing.MonthOf(w.now())
		first := w.allRuns()[0]
		assert.Equal(t, []billing.Month{present.Add(-1), present}, first.Months)
		assert.Equal(t, reconcile.System, first.RequestedBy)

		_, err := w.service().Request(w.ctx(), []billing.Month{present}, "u1") // in another process
		require.NoError(t, err)
		w.works(func() bool { r := w.allRuns(); return len(r) == 2 && r[1].State == reconcile.Done })
		assert.Len(t, w.allRuns(), 2, "and no second one in the same night")
	})
}

func TestANightlyRunThatFailedIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.receipt()
	w.settled()
	w.misbehave(func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
		http.Error(rw, "down", http.StatusBadGateway)
	})
	w.at(w.now().AddDate(0, 0, 1))
	w.works(func() bool { r := w.allRuns(); return len(r) == 1 && r[0].State == reconcile.Failed })
	w.behave()
	w.at(w.now().Add(61 * time.Minute))
	w.works(func() bool { r := w.allRuns(); return len(r) == 2 && r[1].State == reconcile.Done })
}

func TestBeforeTheFirstChargeThereIsNoNightlyRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	looks := 0
	w.works(func() bool { looks++; return looks > 10 })
	assert.Empty(t, w.allRuns())
}
