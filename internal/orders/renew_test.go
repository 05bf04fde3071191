package orders_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/photos/specs"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
)

// came makes the receipt of an order come at a time, as if the engine had worked then.
func (w *world) came(orderID string, at time.Time) {
	w.t.Helper()
	ctx := context.Background()
	o, err := w.svc.Get(ctx, w.sc, orderID)
	require.NoError(w.t, err)
	_, err = w.db.NewUpdate().Model((*orders.Order)(nil)).
		Set("status = ?, completed_at = ?, valid_until = ?, valid_by = '1'", orders.StatusCompleted, at.UTC(), o.Rule().Until(at)).
		Where("id = ?", orderID).Exec(ctx)
	require.NoError(w.t, err)
}

// photoFrom says when the photo of an order came to us.
func (w *world) photoFrom(orderID string, at time.Time) {
	w.t.Helper()
	_, err := w.db.NewUpdate().Model((*photos.Picture)(nil)).Set("created_at = ?", at.UTC()).
		Where("id = (SELECT photo_id FROM orders WHERE id = ?)", orderID).Exec(context.Background())
	require.NoError(w.t, err)
}

func (w *world) get(orderID string) *orders.Order {
	w.t.Helper()
	o, err := w.svc.Get(context.Background(), w.sc, orderID)
	require.NoError(w.t, err)
	return o
}

func (w *world) renew(into orders.RenewInto, ids ...string) []orders.Renewal {
	w.t.Helper()
	out, err := w.svc.Renew(context.Background(), w.sc, ids, into, w.user)
	require.NoError(w.t, err)
	return out
}

const day = 24 * time.Hour

func TestAReceiptIsRenewedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{})
		former := w.only(w.batch(1, orders.NewBatch{})).ID
		w.came(former, db.Now().Add(-170*day))

		first := w.renew(orders.RenewInto{Name: "续办"}, former)[0]
		require.True(t, first.New)
		require.True(t, first.Ready, "everything was confirmed for the former one")
		o, f := w.get(first.OrderID), w.get(former)
		require.Equal(t, orders.StatusReady, o.Status, "nothing is submitted without a press")
		require.Equal(t, former, *o.RenewsID)
		require.Equal(t, f.Name, o.Name)
		require.Equal(t, f.IDNumber, o.IDNumber)
		require.NotEqual(t, f.PhotoID, o.PhotoID, "a picture belongs to one batch")
		require.NotEqual(t, f.BatchID, o.BatchID)
		require.Contains(t, w.events(former), orders.EventRenewed)

		again := w.renew(orders.RenewInto{Name: "续办"}, former)[0]
		require.False(t, again.New)
		require.Equal(t, first.OrderID, again.OrderID)

		n, err := d.NewSelect().Model((*tenants.AuditEntry)(nil)).Where("action = 'order.renew'").Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)

		require.NoError(t, w.svc.Cancel(ctx, w.sc, first.OrderID, w.user))
		require.True(t, w.renew(orders.RenewInto{}, former)[0].New, "a renewal that was dropped makes room for another")
	})
}

func TestTwoPeopleRenewTheSameReceipt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{})
		former := w.only(w.batch(1, orders.NewBatch{})).ID
		w.came(former, db.Now().Add(-170*day))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				_, err := w.svc.Renew(ctx, w.sc, []string{former}, orders.RenewInto{}, w.user)
				require.NoError(t, err)
			})
		}
		wg.Wait()
		n, err := d.NewSelect().Model((*orders.Order)(nil)).Where("renews_id = ?", former).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

func TestAnOldPhotoIsDoubtedOrRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{})
		residence, driver := w.only(w.batch(1, orders.NewBatch{})).ID, w.only(w.batch(1, orders.NewBatch{TypeID: 5})).ID
		for _, id := range []string{residence, driver} {
			w.came(id, db.Now().Add(-200*day))
			w.photoFrom(id, db.Now().Add(-200*day))
		}
		out := w.renew(orders.RenewInto{}, residence, driver)
		require.Len(t, out, 2)
		for _, r := range out {
			if r.FormerID == driver {
				require.Empty(t, r.OrderID)
				require.Equal(t, "validity.problem.photo_old", r.Problem)
				continue
			}
			require.False(t, r.Ready)
			o := w.get(r.OrderID)
			require.Equal(t, orders.StatusReview, o.Status)
			require.Equal(t, []string{"photo." + string(specs.RuleAge)}, o.ExceptionKeys)
		}
	})
}

func TestARenewalGoesIntoABatchOfItsKind(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{})
		a, b := w.only(w.batch(1, orders.NewBatch{})).ID, w.only(w.batch(1, orders.NewBatch{TypeID: 3})).ID
		open := w.only(w.batch(1, orders.NewBatch{})).ID
		for _, id := range []string{a, b} {
			w.came(id, db.Now().Add(-10*day))
		}
		target, err := w.svc.CreateBatch(ctx, w.sc, orders.NewBatch{TypeID: 4, City: "广东省,深圳市"}, w.user)
		require.NoError(t, err)
		byFormer := map[string]orders.Renewal{}
		for _, r := range w.renew(orders.RenewInto{BatchID: target.ID}, a, b, open) {
			byFormer[r.FormerID] = r
		}
		require.Equal(t, target.ID, byFormer[a].BatchID)
		require.Equal(t, "validity.problem.other_batch", byFormer[b].Problem)
		require.Equal(t, "validity.problem.no_receipt", byFormer[open].Problem)

		stranger := newWorld(t, d, simulator.Config{})
		_, err = stranger.svc.Renew(ctx, stranger.sc, []string{b}, orders.RenewInto{}, stranger.user)
		require.Equal(t, apperr.NotFound, apperr.KindOf(err))
		_, err = w.svc.Renew(ctx, w.sc, []string{b}, orders.RenewInto{BatchID: stranger.batch(0, orders.NewBatch{}).ID}, w.user)
		require.Equal(t, apperr.NotFound, apperr.KindOf(err))
	})
}

func TestAUsableReceiptIsSeenBeforePayingAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{})
		residence := w.only(w.batch(1, orders.NewBatch{})).ID
		wanted := w.batch(1, orders.NewBatch{TypeID: 1}) // identity card, same city, same person
		usable := func() []orders.Usable {
			t.Helper()
			out, err := w.svc.UsableInBatch(ctx, w.sc, wanted.ID)
			require.NoError(t, err)
			return out
		}
		require.Empty(t, usable(), "the other one has no receipt yet")

		w.came(residence, db.Now().Add(-10*day))
		found := usable()
		require.Len(t, found, 1)
		require.Equal(t, residence, found[0].ReceiptID)
		require.Equal(t, w.only(wanted).ID, found[0].OrderID)
		require.False(t, found[0].Same)

		same := w.only(w.batch(1, orders.NewBatch{TypeID: 1})).ID
		w.came(same, db.Now().Add(-100*day))
		found = usable()
		require.Len(t, found, 1)
		require.Equal(t, same, found[0].ReceiptID, "the same type before one that serves it")

		n, err := w.svc.SubmitBatch(ctx, w.sc, wanted.ID, w.user, found[0].OrderID)
		require.NoError(t, err)
		require.Zero(t, n)
		require.Equal(t, orders.StatusReady, w.only(wanted).Status, "it was left out")

		w.came(same, db.Now().Add(-400*day))
		w.came(residence, db.Now().Add(-400*day))
		require.Empty(t, usable(), "both are used up")

		driver := w.only(w.batch(1, orders.NewBatch{TypeID: 5})).ID
		w.came(driver, db.Now().Add(-10*day))
		require.Empty(t, usable(), "a driving licence's serves no identity card here")

		w.came(residence, db.Now().Add(-10*day))
		_, err = d.NewUpdate().Model((*orders.Order)(nil)).Set("city = '广东省,佛山市'").Where("id = ?", residence).Exec(ctx)
		require.NoError(t, err)
		require.Empty(t, usable(), "nor one of another city")

		stranger := newWorld(t, d, simulator.Config{})
		stranger.came(stranger.only(stranger.batch(1, orders.NewBatch{TypeID: 1})).ID, db.Now())
		require.Empty(t, usable(), "nor one of another tenant")
	})
}

func TestARenewalIsNotWarnedOfWhatItRenews(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{})
		former := w.only(w.batch(1, orders.NewBatch{})).ID
		w.came(former, db.Now().Add(-170*day))
		r := w.renew(orders.RenewInto{}, former)[0]
		found, err := w.svc.UsableInBatch(ctx, w.sc, r.BatchID)
		require.NoError(t, err)
		require.Empty(t, found, "it ends within two weeks, that is why")

		w.came(former, db.Now())
		found, err = w.svc.UsableInBatch(ctx, w.sc, r.BatchID)
		require.NoError(t, err)
		require.Len(t, found, 1, "it would last half a year")
	})
}

func TestReceiptsStandOnTheirShelves(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{})
		b := w.batch(9, orders.NewBatch{})
		list, err := w.svc.List(ctx, w.sc, orders.Filter{BatchID: b.ID}, "", 20)
		require.NoError(t, err)
		// 180 days from each: three used up, three soon, three later; some on the same day.
		for i, before := range []int{400, 200, 200, 179, 170, 170, 10, 10, 0} {
			w.came(list[i].ID, db.Now().Add(-time.Duration(before)*day))
		}
		w.renew(orders.RenewInto{}, list[1].ID, list[4].ID)
		want := map[orders.Shelf]int{orders.ShelfUsable: 6, orders.ShelfSoon: 2, orders.ShelfExpired: 2, orders.ShelfRenewed: 2, orders.ShelfAll: 9}
		for _, shelf := range orders.Shelves {
			seen := map[string]bool{}
			var after *orders.ReceiptCursor
			for {
				page, err := w.svc.HeldReceipts(ctx, w.sc, orders.ReceiptFilter{Shelf: shelf}, after, 2)
				require.NoError(t, err)
				for _, r := range page {
					require.False(t, seen[r.ID], "%q shows a receipt twice", shelf)
					seen[r.ID] = true
					require.Equal(t, r.ID == list[1].ID || r.ID == list[4].ID, r.RenewedBy != nil)
				}
				if len(page) < 2 {
					break
				}
				last := page[len(page)-1]
				after = &orders.ReceiptCursor{Until: *last.ValidUntil, ID: last.ID}
			}
			require.Len(t, seen, want[shelf], "%q", shelf)
			n := 0
			require.NoError(t, w.svc.EachHeldReceipt(ctx, w.sc, orders.ReceiptFilter{Shelf: shelf, Name: "陈"}, func(*orders.HeldReceipt) error { n++; return nil }))
			require.Equal(t, want[shelf], n)
		}
		none, err := w.svc.HeldReceipts(ctx, w.sc, orders.ReceiptFilter{Shelf: orders.ShelfAll, Name: "李"}, nil, 10)
		require.NoError(t, err)
		require.Empty(t, none)
		soon, err := w.svc.Expiring(ctx, w.sc, 7)
		require.NoError(t, err)
		require.EqualValues(t, 1, soon)
	})
}

func TestTheDayPrintedOnAReceiptBeatsTheTable(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{})
		b := w.batch(1, orders.NewBatch{})
		id := w.only(b).ID
		printed := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
		require.Equal(t, apperr.Conflict, apperr.KindOf(w.svc.CorrectValidity(ctx, w.sc, id, printed, w.user)), "it has no receipt yet")
		w.came(id, time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC))
		require.Equal(t, apperr.Invalid, apperr.KindOf(w.svc.CorrectValidity(ctx, w.sc, id, time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), w.user)), "it would have ended before it came")
		require.NoError(t, w.svc.CorrectValidity(ctx, w.sc, id, printed, w.user))
		o := w.get(id)
		require.True(t, o.ByHand())
		require.Equal(t, time.Date(2027, 3, 1, 16, 0, 0, 0, time.UTC), o.ValidUntil.UTC())
		require.Contains(t, w.events(id), orders.EventValidity)
	})
}
