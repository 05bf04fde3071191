package orders_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
	"huizhi/internal/providers/simulator"
)

// We were down when the provider came for the photo: the application fails, which
// costs nothing, and the order says that it can be sent again as it is.
func TestAPhotoThatCouldNotBeFetchedIsOurFault(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{})
		w.hidden.Store(1)
		b := w.batch(1, orders.NewBatch{})
		w.submit(b)
		w.start()
		w.wait(b, orders.StatusFailed)
		require.Equal(t, orders.KeyUnfetched, w.only(b).Message)
		require.Equal(t, orders.KeyUnfetched, w.attempts(b)[0].ErrorKey)
		require.Zero(t, w.charges())

		o, err := w.svc.Reopen(t.Context(), w.sc, w.only(b).ID, w.user)
		require.NoError(t, err)
		_, err = w.svc.Confirm(t.Context(), w.sc, o.ID, orders.Edit{Version: o.Version}, true, w.user)
		require.NoError(t, err)
		w.submit(b)
		w.wait(b, orders.StatusCompleted)
		require.Len(t, w.attempts(b), 2, "only a person sends a failed order again")
		require.EqualValues(t, 1, w.charges())
		require.Empty(t, w.only(b).Message)
	})
}

// A failure for another reason is the provider's judgement: a person corrects the
// order.
func TestOnlyWhatWasNeverFetchedIsOurFault(t *testing.T) {
	t.Parallel()
	for _, said := range []string{"照片背景不是纯白", "办证地区不支持"} {
		t.Run(said, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dbtest.SQLite(t), simulator.Config{Faults: simulator.Faults{List: []simulator.Fault{
				{Op: simulator.OpWork, Kind: simulator.Fail, Message: said, Rate: 1}}}})
			b := w.batch(1, orders.NewBatch{})
			w.submit(b)
			w.start()
			w.wait(b, orders.StatusFailed)
			require.Equal(t, said, w.only(b).Message)
		})
	}
}

func (w *world) charges() int64 {
	w.t.Helper()
	n, err := w.db.NewSelect().Model((*billing.Charge)(nil)).Where("points > 0").Count(w.t.Context())
	require.NoError(w.t, err)
	return n
}
