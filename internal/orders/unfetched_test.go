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
// costs nothing, and the order goes out again by itself.
func TestAPhotoThatCouldNotBeFetchedIsOurFaultAndSentAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{})
		w.hidden.Store(1)
		b := w.batch(1, orders.NewBatch{})
		w.submit(b)
		w.start()
		w.wait(b, orders.StatusCompleted)
		attempts := w.attempts(b)
		require.Len(t, attempts, 2)
		require.Equal(t, orders.AttemptCompleted, attempts[0].Status)
		require.Equal(t, orders.AttemptFailed, attempts[1].Status)
		require.Equal(t, orders.KeyUnfetched, attempts[1].ErrorKey)
		require.True(t, attempts[0].NotBefore.After(attempts[0].CreatedAt), "not at once: we may still be starting")
		require.EqualValues(t, 1, w.charges())
		require.Empty(t, w.only(b).Message)
	})
}

func TestAPhotoThatCanNeverBeFetchedEndsWithAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), simulator.Config{})
	w.hidden.Store(-1)
	b := w.batch(1, orders.NewBatch{})
	w.submit(b)
	w.start()
	w.wait(b, orders.StatusFailed)
	require.Len(t, w.attempts(b), 3)
	require.Equal(t, orders.KeyUnfetched, w.only(b).Message)
	require.Zero(t, w.charges())
}

// The same words about a photo that was fetched, or a failure for another reason,
// are the provider's judgement: a person corrects the order.
func TestOnlyWhatWasNeverFetchedIsSentAgain(t *testing.T) {
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
			require.Len(t, w.attempts(b), 1)
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
