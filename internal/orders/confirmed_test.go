package orders_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
)

func TestAConfirmationIsUndoneWithItsDoubts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newQueue(t, d, 1)
		shown := k.next(k.user, orders.QueuePlace{})
		require.NoError(t, k.confirm(k.user, shown.Order))
		last, err := k.svc.LastConfirmed(t.Context(), k.sc, k.batch.ID, k.user)
		require.NoError(t, err)
		require.Equal(t, shown.Order.ID, last.OrderID)

		_, err = k.svc.Undo(t.Context(), k.sc, shown.Order.ID, k.reviewer("王芳"))
		require.Equal(t, apperr.Conflict, apperr.KindOf(err), "it is not hers")
		o, err := k.svc.Undo(t.Context(), k.sc, shown.Order.ID, k.user)
		require.NoError(t, err)
		require.Equal(t, orders.StatusReview, o.Status)
		require.Equal(t, []string{orders.ExceptionSequence}, o.ExceptionKeys, "the doubt is back")
		require.Contains(t, k.events(o.ID), orders.EventReopened)
		_, err = k.svc.Undo(t.Context(), k.sc, o.ID, k.user)
		require.NoError(t, err, "a second press does no harm")
		work, err := k.svc.ReviewWork(t.Context(), k.sc, k.batch.ID)
		require.NoError(t, err)
		require.Empty(t, work, "what was undone is not counted")
	})
}

func TestUndoNeverTouchesWhatWasSubmittedOrChanged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newQueue(t, d, 2)
		one := k.next(k.user, orders.QueuePlace{})
		require.NoError(t, k.confirm(k.user, one.Order))
		two := k.next(k.user, orders.QueuePlace{})
		require.NoError(t, k.confirm(k.user, two.Order))
		n, err := k.svc.Submit(t.Context(), k.sc, []string{two.Order.ID}, k.user)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		_, err = k.svc.Undo(t.Context(), k.sc, two.Order.ID, k.user)
		require.Equal(t, apperr.Conflict, apperr.KindOf(err))
		last, err := k.svc.LastConfirmed(t.Context(), k.sc, k.batch.ID, k.user)
		require.NoError(t, err)
		require.Nil(t, last, "and it is not offered")

		o, err := k.svc.Reopen(t.Context(), k.sc, one.Order.ID, k.user)
		require.NoError(t, err)
		require.NoError(t, k.confirm(k.reviewer("王芳"), o))
		_, err = k.svc.Undo(t.Context(), k.sc, one.Order.ID, k.user)
		require.Equal(t, apperr.Conflict, apperr.KindOf(err), "somebody else confirmed it since")
	})
}

func TestABulkConfirmationIsUndoneTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newQueue(t, d, 7) // three with an exception
		other := k.reviewer("王芳")
		list, err := k.svc.QueueList(t.Context(), k.sc, k.batch.ID, 10)
		require.NoError(t, err)
		k.show(other, list[3].ID, false)

		n, err := k.svc.ConfirmClean(t.Context(), k.sc, k.batch.ID, k.user)
		require.NoError(t, err)
		require.Equal(t, 3, n, "neither doubtful ones nor the one that 王芳 has before her")
		last, err := k.svc.LastConfirmed(t.Context(), k.sc, k.batch.ID, k.user)
		require.NoError(t, err)
		require.EqualValues(t, 3, last.N)
		_, err = k.svc.Submit(t.Context(), k.sc, []string{list[4].ID}, k.user)
		require.NoError(t, err)

		undone, kept, err := k.svc.UndoBulk(t.Context(), k.sc, last.BulkID, k.user)
		require.NoError(t, err)
		require.Equal(t, []int{2, 1}, []int{undone, kept})
		_, _, err = k.svc.UndoBulk(t.Context(), k.another().sc, last.BulkID, k.user)
		require.Equal(t, apperr.NotFound, apperr.KindOf(err))
	})
}

func TestTheReviewIsMeasured(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newQueue(t, d, 4)
		for i, took := range []time.Duration{2 * time.Second, 4 * time.Second, 9 * time.Second, 3 * time.Hour} {
			shown := k.next(k.user, orders.QueuePlace{})
			k.pass(took)
			e := orders.Edit{Version: shown.Order.Version, Pointer: int64(i % 2)}
			if i == 1 {
				e.Fields = map[ocr.FieldName]string{ocr.Name: "陈雨彤"}
			}
			if took > time.Hour { // the page was renewed while somebody moved the mouse
				_, err := k.svc.Hold(t.Context(), k.sc, shown.Order.ID, k.user)
				require.NoError(t, err)
			}
			_, err := k.svc.Confirm(t.Context(), k.sc, shown.Order.ID, e, false, k.user)
			require.NoError(t, err)
		}
		work, err := k.svc.ReviewWork(t.Context(), k.sc, k.batch.ID)
		require.NoError(t, err)
		require.Len(t, work, 1)
		w := work[0]
		require.Equal(t, []int64{4, 1, 2}, []int64{w.Records, w.Corrections, w.PointerUses})
		require.Equal(t, 18750*time.Millisecond, w.Mean, "a long look counts for a minute")
		require.Equal(t, 6500*time.Millisecond, w.Median)
		pace, err := k.svc.Pace(t.Context(), k.sc, k.batch.ID, k.user)
		require.NoError(t, err)
		require.Equal(t, w.Mean, pace)
		st, err := k.svc.Standing(t.Context(), k.sc, k.batch.ID, orders.QueuePlace{})
		require.NoError(t, err)
		require.EqualValues(t, 4, st.Done)
	})
}
