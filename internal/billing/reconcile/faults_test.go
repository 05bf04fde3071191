package reconcile_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/billing/reconcile"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/providers"
)

// listOf tells which page of the applications a request asks for, "" for others.
func listOf(r *http.Request) string {
	if !strings.HasSuffix(r.URL.Path, "/applications") {
		return ""
	}
	return r.URL.Query().Get("page")
}

// staged counts what is left in the working tables.
func (w *world) staged() int {
	w.t.Helper()
	var n int
	err := w.d.NewRaw("SELECT (SELECT COUNT(*) FROM reconcile_seen) + (SELECT COUNT(*) FROM reconcile_found)").Scan(w.ctx(), &n)
	require.NoError(w.t, err)
	return n
}

func TestAProviderThatGoesDownInTheMiddleLeavesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for range 130 {
			w.applies("", providers.StatusCompleted)
		}
		a := w.sends("completed", "")
		w.numbered(&a, w.applies(a.reference, providers.StatusCompleted))
		w.misbehave(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
			if listOf(r) == "2" {
				http.Error(rw, "down", http.StatusBadGateway)
				return
			}
			next.ServeHTTP(rw, r)
		})
		run := w.runs()
		assert.Equal(t, reconcile.Failed, run.State)
		assert.Equal(t, reconcile.ProblemProvider, run.Problem)
		assert.Equal(t, "provider.unknown", run.Cause)
		assert.Empty(t, w.list(reconcile.Filter{}), "nothing half written")
		assert.Zero(t, w.staged())
		report, err := w.service().Report(w.ctx(), w.month)
		require.NoError(t, err)
		assert.Nil(t, report.Run)
		require.NotNil(t, report.Newest, "the failure is seen")

		w.behave()
		assert.Len(t, w.compares(), 131)
		assert.Zero(t, w.staged())
	})
}

// A list that shifts while it is read shows an application on two pages and hides
// another: each counts once, and what was hidden is looked for.
func TestApplicationsOnTwoPagesCountOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for range 150 {
			w.applies("", providers.StatusCompleted)
		}
		var once sync.Once
		w.misbehave(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
			if listOf(r) == "2" {
				once.Do(func() {
					q := r.URL.Query()
					q.Set("page", "1")
					r.URL.RawQuery = q.Encode()
				})
			}
			next.ServeHTTP(rw, r)
		})
		assert.Len(t, w.compares(), 150)
		assert.EqualValues(t, 4, w.lists.Load(), "two rounds of two pages")
	})
}

// A provider whose list never adds up proves nothing about what is not in it.
func TestAListThatNeverAddsUpIsNotBelieved(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for range 150 {
			w.applies("", providers.StatusCompleted)
		}
		a := w.sends("completed", "RA20200101000000001")
		w.charges(a, w.now())
		w.misbehave(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
			if listOf(r) == "2" {
				q := r.URL.Query()
				q.Set("page", "1")
				r.URL.RawQuery = q.Encode()
			}
			next.ServeHTTP(rw, r)
		})
		run := w.runs()
		assert.Equal(t, reconcile.Failed, run.State)
		assert.Equal(t, reconcile.ProblemIncomplete, run.Problem)
		assert.Empty(t, w.list(reconcile.Filter{}))
		assert.EqualValues(t, 6, w.lists.Load(), "it was read three times")
	})
}

func TestTwoProcessesRunOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for range 150 {
			w.applies("", providers.StatusCompleted)
		}
		w.settled()
		var wg sync.WaitGroup
		ids := make([]string, 6)
		for i := range ids {
			wg.Go(func() {
				s := w.service()
				run, err := s.Request(context.Background(), []billing.Month{w.month}, "test")
				if !assert.NoError(t, err) {
					return
				}
				run, err = s.Await(context.Background(), run.ID)
				if assert.NoError(t, err) {
					assert.Equal(t, reconcile.Done, run.State, "%s %s", run.Problem, run.Cause)
					ids[i] = run.ID
				}
			})
		}
		wg.Wait()
		assert.Len(t, w.list(reconcile.Filter{}), 150)
		runs := map[string]bool{}
		for _, id := range ids {
			runs[id] = true
		}
		assert.EqualValues(t, 2*len(runs), w.lists.Load(), "every run read the list once")
	})
}

// A run that ends while another is asked for is no reason to refuse: the place is
// free by then.
func TestAskingWhileARunEndsIsNotRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var asking, ending sync.WaitGroup
		var asked atomic.Bool
		ending.Go(func() {
			for !asked.Load() {
				_, err := d.NewUpdate().Table("reconcile_runs").Set("active = ?", false).Where("active").Exec(context.Background())
				if !assert.NoError(t, err) {
					return
				}
			}
		})
		for range 4 {
			asking.Go(func() {
				s := w.service()
				for range 100 {
					if _, err := s.Request(context.Background(), []billing.Month{w.month}, "test"); !assert.NoError(t, err) {
						return
					}
				}
			})
		}
		asking.Wait()
		asked.Store(true)
		ending.Wait()
	})
}

// A process that is killed leaves a run without a sign of life. The next one ends
// it, and what the dead one wrote is not seen; if it was only slow, it notices.
func TestARunWhoseProcessDiedIsGivenUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for range 150 {
			w.applies("", providers.StatusCompleted)
		}
		w.settled()
		reached, goOn := make(chan struct{}), make(chan struct{})
		var held atomic.Bool
		w.misbehave(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
			if listOf(r) == "2" && held.CompareAndSwap(false, true) {
				close(reached)
				<-goOn
			}
			next.ServeHTTP(rw, r)
		})
		slow := w.service()
		dead, err := slow.Request(w.ctx(), []billing.Month{w.month}, "test")
		require.NoError(t, err)
		ended := make(chan *reconcile.Run)
		go func() {
			run, err := slow.Await(context.Background(), dead.ID)
			assert.NoError(t, err)
			ended <- run
		}()
		<-reached
		assert.Positive(t, w.staged(), "it is half way")

		other := w.service()
		same, err := other.Request(w.ctx(), []billing.Month{w.month}, "test")
		require.NoError(t, err)
		assert.Equal(t, dead.ID, same.ID, "it is joined as long as it lives")
		_, err = other.Request(w.ctx(), []billing.Month{w.month.Add(-1)}, "test")
		assert.Equal(t, apperr.Conflict, apperr.KindOf(err), "another month has to wait")

		w.at(w.now().Add(10 * time.Minute))
		assert.Len(t, w.compares(), 150)
		close(goOn)
		run := <-ended
		assert.Equal(t, reconcile.Failed, run.State)
		assert.Equal(t, reconcile.ProblemInterrupted, run.Problem)
		assert.Len(t, w.list(reconcile.Filter{}), 150)
		assert.Empty(t, w.list(reconcile.Filter{State: reconcile.Gone}))
		w.compares()
		assert.Zero(t, w.staged(), "what the slow one wrote afterwards is gone with the next run")
	})
}

func TestAMonthThatHasNotBegunIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	_, err := w.service().Request(w.ctx(), []billing.Month{w.month.Add(1)}, "test")
	assert.Equal(t, apperr.Invalid, apperr.KindOf(err))
}
