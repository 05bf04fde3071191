package orders_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/auth"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
)

// queue is a world with a clock in the test's hand and a batch of n orders that
// wait for review, every third of them with an exception.
type queue struct {
	*world
	batch *orders.Batch
	clock atomic.Int64 // what has passed since the start, ns
}

func newQueue(t testing.TB, d *db.DB, n int) *queue {
	t.Helper()
	k := new(queue)
	start := db.Now()
	k.world = newWorld(t, d, simulator.Config{}, func(c *orders.Config) {
		c.Now = func() time.Time { return start.Add(time.Duration(k.clock.Load())) }
	})
	k.batch = k.world.batch(1, orders.NewBatch{})
	k.waiting(t, k.batch, k.only(k.batch).PhotoID, n)
	k.pass(time.Second)
	return k
}

// waiting inserts n orders that wait for review.
func (w *world) waiting(tb testing.TB, b *orders.Batch, photoID string, n int) {
	tb.Helper()
	now := db.Now()
	for start := 0; start < n; start += 500 {
		var list []orders.Order
		for i := start; i < min(start+500, n); i++ {
			o := orders.Order{TenantID: b.TenantID, ID: db.NewID(), BatchID: b.ID, Number: fmt.Sprintf("%s-%d", b.ID, i), Status: orders.StatusReview, Seq: int64(i + 10),
				TypeID: 4, City: b.City, PhotoID: photoID, Version: 1, CreatedAt: now, UpdatedAt: now, ReviewRank: 1,
				Fields: ocr.Fields{ocr.Name: {Value: "陈雨桐", Confidence: 1}, ocr.IDNumber: {Value: "110101199001011237", Confidence: 1}}}
			if i%3 == 0 {
				o.Exceptions, o.ExceptionKeys, o.ReviewRank = 1, []string{orders.ExceptionSequence}, 0
				o.PairedBy = orders.PairedBySequence
			}
			list = append(list, o)
		}
		_, err := w.db.NewInsert().Model(&list).Exec(context.Background())
		require.NoError(tb, err)
	}
}

func (k *queue) pass(d time.Duration) { k.clock.Add(int64(d)) }

// reviewer is another member of the tenant.
func (k *queue) reviewer(name string) string {
	k.t.Helper()
	u, err := auth.NewService(k.db).CreateMember(context.Background(), k.sc, name, db.NewID()+"@example.com", "correct horse", tenants.RoleOperator, k.user, db.Now())
	require.NoError(k.t, err)
	return u.ID
}

func (k *queue) next(user string, after orders.QueuePlace) *orders.Shown {
	k.t.Helper()
	shown, err := k.svc.ShowNext(context.Background(), k.sc, k.batch.ID, "", after, user)
	require.NoError(k.t, err)
	return shown
}

func (k *queue) show(user, order string, takeOver bool) *orders.Shown {
	k.t.Helper()
	shown, err := k.svc.Show(context.Background(), k.sc, order, user, takeOver)
	require.NoError(k.t, err)
	return shown
}

func (k *queue) confirm(user string, o *orders.Order) error {
	k.pass(time.Millisecond)
	_, err := k.svc.Confirm(context.Background(), k.sc, o.ID, orders.Edit{Version: o.Version}, false, user)
	return err
}

func TestExceptionsComeFirstAndWhatWasSkippedLast(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newQueue(t, d, 6)
		var seen []int64
		after := orders.QueuePlace{}
		for range 6 {
			shown := k.next(k.user, after)
			seen = append(seen, shown.Order.Seq)
			after = shown.Claim.Place()
			if shown.Order.Seq == 10 {
				_, err := k.svc.Skip(t.Context(), k.sc, shown.Order.ID, shown.Order.Version, k.user)
				require.NoError(t, err)
				continue
			}
			require.NoError(t, k.confirm(k.user, shown.Order))
		}
		require.Equal(t, []int64{10, 13, 11, 12, 14, 15}, seen)
		last := k.next(k.user, after)
		require.EqualValues(t, 10, last.Order.Seq, "what was skipped comes back at the end")
		require.NoError(t, k.confirm(k.user, last.Order))
		require.Nil(t, k.next(k.user, orders.QueuePlace{}))
	})
}

func TestTwoReviewersAreNeverAtTheSameRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newQueue(t, d, 3)
		other := k.reviewer("王芳")
		mine, theirs := k.next(k.user, orders.QueuePlace{}), k.next(other, orders.QueuePlace{})
		require.NotEqual(t, mine.Order.ID, theirs.Order.ID)

		opened := k.show(other, mine.Order.ID, false)
		require.False(t, opened.Mine)
		require.Equal(t, k.user, opened.Claim.UserID)
		require.Equal(t, apperr.Conflict, apperr.KindOf(k.confirm(other, mine.Order)), "not even through the grid")

		_, next, err := k.svc.Neighbours(t.Context(), k.sc, k.batch.ID, mine.Claim.Place(), k.user)
		require.NoError(t, err)
		require.NotEqual(t, theirs.Order.ID, next, "the neighbour is one that can be gone to")

		taken := k.show(other, mine.Order.ID, true)
		require.True(t, taken.Mine)
		require.Equal(t, apperr.Conflict, apperr.KindOf(k.confirm(k.user, mine.Order)), "who lost the record cannot confirm it")
		require.NoError(t, k.confirm(other, taken.Order))
		require.EqualValues(t, 1, k.audited("order.takeover"))
	})
}

func TestAClaimEndsWhenNobodyIsHeardOf(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newQueue(t, d, 1)
		other := k.reviewer("王芳")
		mine := k.next(k.user, orders.QueuePlace{})
		k.pass(90 * time.Second)
		require.Nil(t, k.next(other, orders.QueuePlace{}))
		c, err := k.svc.Hold(t.Context(), k.sc, mine.Order.ID, k.user)
		require.NoError(t, err)
		require.Equal(t, k.user, c.UserID)
		k.pass(90 * time.Second)
		require.Nil(t, k.next(other, orders.QueuePlace{}), "the page renewed it")

		k.pass(time.Minute)
		taken := k.next(other, orders.QueuePlace{})
		require.Equal(t, mine.Order.ID, taken.Order.ID)
		c, err = k.svc.Hold(t.Context(), k.sc, mine.Order.ID, k.user)
		require.NoError(t, err)
		require.Equal(t, other, c.UserID, "who comes back late is told who has it")
		require.Equal(t, apperr.Conflict, apperr.KindOf(k.confirm(k.user, mine.Order)))

		require.NoError(t, k.svc.Release(t.Context(), k.sc, k.batch.ID, []string{taken.Claim.Token}, other))
		require.Equal(t, apperr.Conflict, apperr.KindOf(k.confirm(k.user, mine.Order)), "the version is another one since")
		require.NoError(t, k.confirm(k.user, k.next(k.user, orders.QueuePlace{}).Order))
	})
}

func TestALateReleaseReleasesNoYoungerShowing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newQueue(t, d, 1)
		first := k.next(k.user, orders.QueuePlace{})
		again := k.next(k.user, orders.QueuePlace{})
		require.Equal(t, first.Claim.ShownAt, again.Claim.ShownAt, "a page loaded again does not start the clock again")
		require.NoError(t, k.svc.Release(t.Context(), k.sc, k.batch.ID, []string{first.Claim.Token}, k.user))
		require.Nil(t, k.next(k.reviewer("王芳"), orders.QueuePlace{}))
	})
}

func TestTheNextRecordIsKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newQueue(t, d, 3)
		other := k.reviewer("王芳")
		at := k.next(k.user, orders.QueuePlace{})
		kept, err := k.svc.Reserve(t.Context(), k.sc, k.batch.ID, "", at.Claim.Place(), k.user)
		require.NoError(t, err)
		theirs := k.next(other, orders.QueuePlace{})
		require.NotContains(t, []string{at.Order.ID, kept.Order.ID}, theirs.Order.ID)
		none, err := k.svc.Reserve(t.Context(), k.sc, k.batch.ID, "", theirs.Claim.Place(), other)
		require.NoError(t, err)
		require.Nil(t, none)

		require.NoError(t, k.confirm(k.user, at.Order))
		shown, err := k.svc.ShowNext(t.Context(), k.sc, k.batch.ID, kept.Order.ID, at.Claim.Place(), k.user)
		require.NoError(t, err)
		require.Equal(t, kept.Order.ID, shown.Order.ID)
		require.False(t, shown.Fresh, "it was sent already")
	})
}

// Eight reviewers drain a batch: each order is shown to one, and confirmed once.
func TestEightReviewersDrainABatch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const n, reviewers = 48, 8
		k := newQueue(t, d, n)
		var mu sync.Mutex
		holds, times := map[string]string{}, map[string]int{}
		var wg sync.WaitGroup
		for i := range reviewers {
			user := k.reviewer(fmt.Sprint("审核员", i))
			wg.Go(func() {
				after := orders.QueuePlace{}
				for {
					shown, err := k.svc.ShowNext(context.Background(), k.sc, k.batch.ID, "", after, user)
					if err != nil || shown == nil {
						if err != nil {
							t.Errorf("the next for reviewer %d: %v", i, err)
						}
						return
					}
					mu.Lock()
					if holder := holds[shown.Order.ID]; holder != "" {
						t.Errorf("order %d is shown to two", shown.Order.Seq)
					}
					holds[shown.Order.ID] = user
					times[shown.Order.ID]++
					mu.Unlock()
					after = shown.Claim.Place()
					err = k.confirm(user, shown.Order)
					mu.Lock()
					delete(holds, shown.Order.ID)
					mu.Unlock()
					if err != nil {
						t.Errorf("order %d is not confirmed: %v", shown.Order.Seq, err)
					}
				}
			})
		}
		wg.Wait()
		require.Len(t, times, n, "every order was shown")
		for id, shown := range times {
			require.Equal(t, 1, shown)
			require.Equal(t, []orders.EventKind{orders.EventConfirmed}, k.events(id))
		}
		work, err := k.svc.ReviewWork(t.Context(), k.sc, k.batch.ID)
		require.NoError(t, err)
		records := int64(0)
		for _, w := range work {
			records += w.Records
		}
		require.EqualValues(t, n, records)
	})
}

func (w *world) audited(action string) int64 {
	w.t.Helper()
	n, err := w.db.NewSelect().Model((*tenants.AuditEntry)(nil)).Where("action = ?", action).Count(context.Background())
	require.NoError(w.t, err)
	return n
}
