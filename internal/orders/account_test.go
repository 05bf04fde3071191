package orders_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/auth"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
)

// another is a world's view of a second tenant.
func (w *world) another() *world {
	w.t.Helper()
	id, err := auth.NewService(w.db).SignUp(context.Background(), auth.SignUp{TenantName: "第二中学", Kind: tenants.KindSchool, Name: "王芳",
		Email: db.NewID() + "@example.com", Password: "correct horse"}, db.Now())
	require.NoError(w.t, err)
	o := *w
	o.sc, o.user = id.Scope(), id.User.ID
	return &o
}

func (w *world) stoppedBy(key string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		got, err := w.svc.PausedBy(context.Background())
		return err == nil && got == key
	}, 30*time.Second, 10*time.Millisecond, "the account is not stopped by %q", key)
}

func (w *world) attempts(b *orders.Batch) (all []orders.Attempt) {
	w.t.Helper()
	list, err := w.svc.List(context.Background(), w.sc, orders.Filter{BatchID: b.ID}, "", 10_000)
	require.NoError(w.t, err)
	for _, o := range list {
		h, err := w.svc.History(context.Background(), w.sc, o.ID)
		require.NoError(w.t, err)
		all = append(all, h.Attempts...)
	}
	return all
}

func everyCall(op simulator.Op, kind simulator.Kind, code int) simulator.Faults {
	return simulator.Faults{List: []simulator.Fault{{Op: op, Kind: kind, Code: code, Rate: 1}}}
}

// Whatever the first tenant has queued, the second one's order is among the next
// few submits.
func TestALongQueueOfOneTenantDoesNotHoldUpTheNext(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{}, func(c *orders.Config) { c.Concurrency = 2 })
		second := w.another()
		long, short := w.batch(60, orders.NewBatch{}), second.batch(2, orders.NewBatch{TypeID: 5})
		require.Equal(t, 60, w.submit(long))
		require.Equal(t, 2, second.submit(short))
		w.start()
		w.wait(long, orders.StatusCompleted)
		second.wait(short, orders.StatusCompleted)
		var places []int
		for i, a := range w.sim.Applications() {
			if a.TypeID == 5 {
				places = append(places, i)
			}
		}
		require.Len(t, places, 2)
		require.Less(t, places[1], 8, "submitted at %v of 62", places)
	})
}

// However long the first tenant's queue is, the second one's orders go out in turn
// with it from the first round on.
func TestFiveThousandOrdersOfOneTenantDoNotHoldUpTheNext(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{}, func(c *orders.Config) { c.Concurrency = 1 << 20 })
		second := w.another()
		for view, n := range map[*world]int{w: 5000, second: 5} {
			b := view.batch(1, orders.NewBatch{})
			view.enqueue(t, b, view.only(b).PhotoID, n)
		}
		for range 2 * 5 { // rounds of two tenants
			claimed, err := w.svc.ClaimOne(ctx)
			require.NoError(t, err)
			require.True(t, claimed)
		}
		for view, want := range map[*world]int64{w: 5, second: 5} {
			n, err := d.NewSelect().Model((*orders.Attempt)(nil)).Where("tenant_id = ? AND status = ?", view.sc.TenantID(), orders.AttemptDispatching).Count(ctx)
			require.NoError(t, err)
			require.EqualValues(t, want, n)
		}
	})
}

func TestFailuresInARowOpenTheCircuitAndTypesClosesIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{}, func(c *orders.Config) { c.Concurrency, c.BreakerAfter = 1, 3 })
		b := w.batch(6, orders.NewBatch{})
		require.NoError(t, w.svc.SyncCatalogue(context.Background()))
		dead := []simulator.Fault{}
		for _, op := range []simulator.Op{simulator.OpSubmit, simulator.OpTypes, simulator.OpApplications} {
			dead = append(dead, simulator.Fault{Op: op, Kind: simulator.ServerError, Rate: 1})
		}
		w.sim.SetFaults(simulator.Faults{List: dead})
		w.submit(b)
		w.start()
		w.stoppedBy(orders.StopUnreachable)
		submits, types := w.sim.Stats().Calls[simulator.OpSubmit], w.sim.Stats().Calls[simulator.OpTypes]
		require.LessOrEqual(t, submits, 3)
		require.Eventually(t, func() bool { return w.sim.Stats().Calls[simulator.OpTypes] >= types+2 }, 30*time.Second, 10*time.Millisecond, "it is probed")
		require.Equal(t, submits, w.sim.Stats().Calls[simulator.OpSubmit], "never with a submit")

		w.sim.SetFaults(simulator.Faults{})
		w.wait(b, orders.StatusCompleted)
		w.requireInvariants(b)
		st, err := w.svc.AccountState(context.Background())
		require.NoError(t, err)
		require.Equal(t, orders.CircuitClosed, st.Circuit)
		events, err := w.svc.AccountEvents(context.Background(), 10)
		require.NoError(t, err)
		require.Equal(t, orders.AccountResumed, events[0].Kind)
		require.Equal(t, orders.StopUnreachable, events[0].Reason)
	})
}

func TestARefusedKeyStopsAllTenantsUntilItWorks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{}, func(c *orders.Config) { c.Concurrency = 1 })
		second := w.another()
		b, c := w.batch(2, orders.NewBatch{}), second.batch(2, orders.NewBatch{})
		w.sim.SetFaults(simulator.Faults{List: []simulator.Fault{
			{Op: simulator.OpSubmit, Kind: simulator.Code, Code: 1001, Rate: 1}, {Op: simulator.OpTypes, Kind: simulator.Code, Code: 1001, Rate: 1},
		}})
		w.submit(b)
		second.submit(c)
		w.start()
		w.stoppedBy(orders.StopKey)
		types := w.sim.Stats().Calls[simulator.OpTypes]
		require.Eventually(t, func() bool { return w.sim.Stats().Calls[simulator.OpTypes] >= types+2 }, 30*time.Second, 10*time.Millisecond, "it is probed with types")
		require.LessOrEqual(t, w.sim.Stats().Calls[simulator.OpSubmit], 1)
		w.sim.SetFaults(simulator.Faults{})
		w.wait(b, orders.StatusCompleted)
		second.wait(c, orders.StatusCompleted)
		require.Len(t, append(w.attempts(b), second.attempts(c)...), 4, "no attempt is used up")
	})
}

func TestAnEmptyAccountIsProbedByOneSubmitAndResumedByHand(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{Points: 400}, func(c *orders.Config) { c.AccountWait = time.Hour })
		b := w.batch(9, orders.NewBatch{})
		w.submit(b)
		w.start()
		w.stoppedBy(orders.StopBalance)
		require.NoError(t, w.sim.AddPoints(10_000))
		require.LessOrEqual(t, w.sim.Stats().Calls[simulator.OpSubmit], 8, "those that were under way together")
		require.NoError(t, w.svc.Resume(context.Background(), w.user))
		w.wait(b, orders.StatusCompleted)
		w.requireInvariants(b)
		require.Len(t, w.attempts(b), 9)
	})
}

func TestCallsKeepToTheRateAndTheConcurrency(t *testing.T) {
	t.Parallel()
	const rate = 20
	w := newWorld(t, dbtest.SQLite(t), simulator.Config{}, func(c *orders.Config) { c.Rate, c.Concurrency = rate, 3 })
	b := w.batch(30, orders.NewBatch{})
	w.submit(b)
	w.start()
	w.wait(b, orders.StatusCompleted)
	var calls []orders.Call
	require.NoError(t, w.db.NewSelect().Model(&calls).Scan(context.Background()))
	require.Greater(t, len(calls), 30)
	slices.SortFunc(calls, func(a, b orders.Call) int { return a.At.Compare(b.At) })
	span := calls[len(calls)-1].At.Sub(calls[0].At)
	require.GreaterOrEqual(t, span.Seconds(), float64(len(calls)-rate-3)/rate-0.1, "%d calls in %v", len(calls), span)
	for i := range calls {
		under := 0
		for j := range calls[:i+1] {
			if calls[j].At.Add(time.Duration(calls[j].TookUs) * time.Microsecond).After(calls[i].At) {
				under++
			}
		}
		require.LessOrEqual(t, under, 3)
	}
}

func TestTheShadowBalanceFollowsTheLedger(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{}, func(c *orders.Config) { c.WarnDays = 7 })
		require.NoError(t, w.svc.SetBalance(ctx, 20_000, w.user))
		b := w.batch(3, orders.NewBatch{})
		w.submit(b)
		bal, err := w.svc.Balance(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1500, bal.Queued)
		require.True(t, bal.Endless)
		w.start()
		w.wait(b, orders.StatusCompleted)
		rehearsal := w.batch(2, orders.NewBatch{Simulate: true})
		w.submit(rehearsal)
		w.wait(rehearsal, orders.StatusCompleted)
		bal, err = w.svc.Balance(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 18_500, bal.Left)
		require.Zero(t, bal.Reserved)
		require.InDelta(t, 18_500/(1500.0/7), bal.DaysLeft, 0.01)
		require.False(t, bal.Warn)
		require.NoError(t, w.svc.SetBalance(ctx, 1000, w.user))
		bal, err = w.svc.Balance(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1000, bal.Left, "what was charged before does not count")
		require.True(t, bal.Warn, "fewer than seven days")
	})
}

func TestHealthAndEvidence(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{Faults: simulator.Faults{List: []simulator.Fault{
			{Op: simulator.OpSubmit, Kind: simulator.Throttle, Calls: []int{1}}}}})
		b := w.batch(6, orders.NewBatch{TypeID: 5})
		w.submit(b)
		w.start()
		w.wait(b, orders.StatusCompleted)
		h, err := w.svc.ProviderHealth(ctx, tenants.AllTenants("test"))
		require.NoError(t, err)
		require.Equal(t, "submit", h.Calls[0].Op)
		require.EqualValues(t, 7, h.Calls[0].Calls)
		require.EqualValues(t, 1, h.Calls[0].ByOutcome["throttled"])
		require.InDelta(t, 6.0/7, h.Calls[0].SuccessRate(), 0.001)
		require.Positive(t, h.Calls[0].P50)
		require.Equal(t, []int{5}, []int{h.Types[0].TypeID})
		require.True(t, h.Types[0].Known())
		require.LessOrEqual(t, h.Types[0].P50, h.Types[0].P95)
		completed, calls := int64(0), int64(0)
		for _, hour := range h.Hours {
			completed, calls = completed+hour.Completed, calls+hour.Calls
		}
		require.EqualValues(t, 6, completed)
		require.Greater(t, calls, int64(7))
		require.Zero(t, h.Unknown+h.NeedsDecision+h.UnderWay)

		for _, a := range w.attempts(b) {
			e, err := w.svc.Evidence(ctx, w.sc, a.ID)
			require.NoError(t, err)
			text := fmt.Sprintf("%+v", e)
			require.NotContains(t, text, "110101199001011237")
			require.NotContains(t, text, a.PhotoToken)
			require.NotContains(t, text, a.CallbackToken)
			require.Contains(t, text, a.Reference)
			require.GreaterOrEqual(t, len(e.Calls), 2, "a submit and a query")
			last := e.Calls[len(e.Calls)-1]
			require.Equal(t, "batch_query", last.Op)
			require.Equal(t, "completed", last.Answer)
			require.Len(t, e.Fetches, 1)
			_, err = w.svc.Evidence(ctx, w.another().sc, a.ID)
			require.Error(t, err, "another tenant's attempt")
		}
	})
}

func TestACallbackNamesALostApplication(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{Faults: simulator.Faults{List: []simulator.Fault{
			{Op: simulator.OpSubmit, Kind: simulator.Reset, After: true, Calls: []int{1}},
			{Op: simulator.OpApplications, Kind: simulator.ServerError, Rate: 1}, // the list would never tell
		}}}, func(c *orders.Config) { c.BreakerAfter = 1000 })
		b := w.batch(1, orders.NewBatch{})
		w.submit(b)
		w.start()
		w.wait(b, orders.StatusCompleted)
		w.requireInvariants(b)
		require.Contains(t, w.told(w.attempts(b)[0]), "query found", "the query that confirmed what the callback named is evidence")
	})
}

func TestAnApplicationThatNeverArrivesEndsWithAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), simulator.Config{Faults: everyCall(simulator.OpSubmit, simulator.Code, 2001)})
	b := w.batch(1, orders.NewBatch{})
	w.submit(b)
	w.start()
	w.wait(b, orders.StatusReview)
	o := w.only(b)
	require.Equal(t, "provider.2001", o.Message)
	require.Len(t, w.attempts(b), 5)
	require.Empty(t, w.sim.Applications())
}

func TestAPhotoAddressExpires(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	now := db.Now()
	w := newWorld(t, dbtest.SQLite(t), simulator.Config{Pace: simulator.Pace{Pending: time.Hour}}, func(c *orders.Config) {
		c.PhotoFor = time.Hour
	})
	b := w.batch(1, orders.NewBatch{})
	w.submit(b)
	w.start()
	w.wait(b, orders.StatusAccepted)
	a := w.attempts(b)[0]
	photo, err := w.svc.PhotoForProvider(ctx, a.PhotoToken)
	require.NoError(t, err)
	photo.Close()
	_, err = w.db.NewUpdate().Model((*orders.Attempt)(nil)).Set("dispatched_at = ?", now.Add(-2*time.Hour)).Where("id = ?", a.ID).Exec(ctx)
	require.NoError(t, err)
	_, err = w.svc.PhotoForProvider(ctx, a.PhotoToken)
	require.Error(t, err)
}
