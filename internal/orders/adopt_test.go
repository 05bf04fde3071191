package orders_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
	"huizhi/internal/providers/simulator"
)

// Sent without a reference and lost on the way back: no list tells, but the provider
// told the operator its number.
func TestTheOperatorGivesALostOrderItsNumber(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{Faults: simulator.Faults{List: []simulator.Fault{
			{Op: simulator.OpSubmit, Kind: simulator.Reset, After: true, Calls: []int{1}}}}}, func(c *orders.Config) { c.WithoutEcho, c.Concurrency = true, 1 })
		b := w.batch(1, orders.NewBatch{})
		w.submit(b)
		w.start()
		w.wait(b, orders.StatusNeedsDecision)
		o, number := w.only(b), w.sim.Applications()[0].No
		others := w.another()
		theirs := others.batch(2, orders.NewBatch{TypeID: 5})
		others.submit(theirs)
		others.wait(theirs, orders.StatusCompleted)

		for _, wrong := range []string{"", "RA0", *others.attempts(theirs)[0].ApplicationNo} {
			err := w.svc.Adopt(ctx, w.sc, o.ID, wrong, w.user)
			require.Equal(t, apperr.Invalid, apperr.KindOf(err), "%q: %v", wrong, err)
		}
		require.Error(t, others.svc.Adopt(ctx, others.sc, o.ID, number, others.user), "another tenant's order")
		require.NoError(t, w.svc.Adopt(ctx, w.sc, o.ID, number, w.user))
		w.wait(b, orders.StatusCompleted)
		require.Equal(t, apperr.Conflict, apperr.KindOf(w.svc.Adopt(ctx, w.sc, o.ID, number, w.user)))
		require.Len(t, w.attempts(b), 1)
		require.EqualValues(t, 3, w.charges())
		require.Subset(t, w.events(o.ID), []orders.EventKind{orders.EventDecided, orders.EventFound})
	})
}

// Two lost orders alike but for the person: an application belongs to one of them.
func TestANumberIsGivenToOneOrderOnly(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, dbtest.SQLite(t), simulator.Config{Faults: everyAfter(simulator.OpSubmit, simulator.Reset)}, func(c *orders.Config) { c.WithoutEcho = true })
	b := w.batch(2, orders.NewBatch{})
	w.submit(b)
	w.start()
	w.wait(b, orders.StatusNeedsDecision)
	list, err := w.svc.List(ctx, w.sc, orders.Filter{BatchID: b.ID}, "", 2)
	require.NoError(t, err)
	number := w.sim.Applications()[0].No
	require.NoError(t, w.svc.Adopt(ctx, w.sc, list[0].ID, number, w.user))
	require.Equal(t, apperr.Invalid, apperr.KindOf(w.svc.Adopt(ctx, w.sc, list[1].ID, number, w.user)))
}

func everyAfter(op simulator.Op, kind simulator.Kind) simulator.Faults {
	return simulator.Faults{List: []simulator.Fault{{Op: op, Kind: kind, After: true, Rate: 1}}}
}
