package orders_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/providers/simulator"
)

// desk is a counter with a clerk.
type desk struct{ *world }

func newDesk(t *testing.T, d *db.DB) desk {
	w := newWorld(t, d, simulator.Config{})
	_, err := w.svc.Types(context.Background())
	require.NoError(t, err)
	return desk{w}
}

func (w desk) setting() orders.Desk {
	return orders.Desk{UserID: w.user, TypeID: 4, City: "广东省,深圳市"}
}

func (w desk) customer() *orders.Customer {
	w.t.Helper()
	c, err := w.svc.OpenCustomer(context.Background(), w.sc, w.setting(), func(typeName, day string) string { return "柜台 " + day + " · " + typeName })
	require.NoError(w.t, err)
	return c
}

// shows lays a picture into a place as the upload does. It waits to be looked at.
func (w desk) shows(c *orders.Customer, at orders.Place, name string) *photos.Picture {
	w.t.Helper()
	ctx := context.Background()
	id := db.NewID()
	key := w.sc.BlobKey("test/" + id + ".jpg")
	require.NoError(w.t, w.blobs.Put(ctx, key, portrait(1), "image/jpeg"))
	pic := &photos.Picture{TenantID: w.sc.TenantID(), ID: id, BatchID: c.BatchID, Name: name, SHA256: id, OriginalKey: key, State: photos.StateNew,
		Kind: photos.KindUnknown, WorkingKey: key, CreatedAt: db.Now(), CustomerID: &c.ID, Expected: at.Expects()}
	require.NoError(w.t, w.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) (err error) {
		if pic.Seq, err = w.svc.PictureStored(ctx, tx, w.sc, c.BatchID); err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(pic).Exec(ctx)
		return err
	}))
	require.NoError(w.t, w.svc.Put(ctx, w.sc, c.ID, at, pic.ID))
	return pic
}

// seen ends the looking at a picture; fields are what was read from a card.
func (w desk) seen(pic *photos.Picture, kind photos.Kind, fields ocr.Fields) {
	w.t.Helper()
	ctx := context.Background()
	require.NoError(w.t, w.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		pic.State, pic.Kind = photos.StateDone, kind
		if _, err := tx.NewUpdate().Model(pic).Column("state", "kind").WherePK().Exec(ctx); err != nil {
			return err
		}
		var read *photos.Reading
		if fields != nil {
			read = &photos.Reading{TenantID: pic.TenantID, ID: db.NewID(), PictureID: pic.ID, DocType: ocr.IDCardFront, Fields: fields, CreatedAt: db.Now()}
			if _, err := tx.NewInsert().Model(read).Exec(ctx); err != nil {
				return err
			}
		}
		return w.svc.PictureSorted(ctx, tx, w.sc, pic, read)
	}))
}

func card(name, number string) ocr.Fields {
	return ocr.Fields{ocr.Name: {Value: name, Confidence: 0.99}, ocr.IDNumber: {Value: number, Confidence: 0.99}}
}

const (
	ouyang = "110101199001011237"
	liu    = "110101199203040021"
)

func (w desk) visit(c *orders.Customer) *orders.Visit {
	w.t.Helper()
	v, err := w.svc.Visit(context.Background(), w.sc, c.ID)
	require.NoError(w.t, err)
	return v
}

// Two customers at two desks in one batch: each card goes to its own customer's
// photo, in whichever order the four are looked at.
func TestCustomersAreNeverMixedUp(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newDesk(t, d)
		a, b := w.customer(), w.customer()
		require.Equal(t, a.BatchID, b.BatchID, "one batch for the day, type and city")
		cardA, photoB := w.shows(a, orders.PlaceFront, "image.png"), w.shows(b, orders.PlacePhoto, "image.png")
		cardB, photoA := w.shows(b, orders.PlaceFront, "image.png"), w.shows(a, orders.PlacePhoto, "image.png")
		w.seen(cardB, photos.KindCardFront, card("刘思佳", liu))
		w.seen(photoA, photos.KindPortrait, nil)
		require.Equal(t, orders.StatusRecognizing, w.visit(a).Order.Status, "the card is being read still")
		w.seen(cardA, photos.KindCardFront, card("欧阳翀", ouyang))
		w.seen(photoB, photos.KindPortrait, nil)
		for c, want := range map[*orders.Customer]struct{ name, photo, card string }{a: {"欧阳翀", photoA.ID, cardA.ID}, b: {"刘思佳", photoB.ID, cardB.ID}} {
			o := w.visit(c).Order
			require.Equal(t, orders.StatusReview, o.Status)
			require.Equal(t, want.name, o.Name)
			require.Equal(t, want.photo, o.PhotoID)
			require.Equal(t, want.card, *o.FrontID)
			require.Equal(t, orders.PairedByHand, o.PairedBy)
		}
	})
}

// What lies in the batch without a customer is paired as everywhere, and never
// with a customer's.
func TestACustomersCardIsNoFreeCard(t *testing.T) {
	t.Parallel()
	w := newDesk(t, dbtest.SQLite(t))
	c := w.customer()
	w.seen(w.shows(c, orders.PlaceFront, "欧阳翀.jpg"), photos.KindCardFront, card("欧阳翀", ouyang))
	free, _, err := w.svc.FreeCards(context.Background(), w.sc, c.BatchID)
	require.NoError(t, err)
	require.Empty(t, free)
	require.Nil(t, w.visit(c).Order, "there is no order before there is a photo")
	require.Equal(t, "欧阳翀", w.visit(c).Fields[ocr.Name].Value)
}

func TestTheCardFillsWhatNobodyTyped(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newDesk(t, dbtest.SQLite(t))
	c := w.customer()
	w.seen(w.shows(c, orders.PlacePhoto, "1.jpg"), photos.KindPortrait, nil)
	require.NoError(t, w.svc.EditCustomer(ctx, w.sc, c.ID, orders.Edit{Fields: map[ocr.FieldName]string{ocr.Name: "欧阳翀"}}, w.user))
	w.seen(w.shows(c, orders.PlaceFront, "2.jpg"), photos.KindCardFront, card("欧阳羽", ouyang))
	o := w.visit(c).Order
	require.Equal(t, "欧阳翀", o.Name, "typed by the clerk")
	require.Equal(t, ouyang, o.IDNumber)

	w.seen(w.shows(c, orders.PlaceFront, "3.jpg"), photos.KindCardFront, card("刘思佳", liu))
	o = w.visit(c).Order
	require.Equal(t, "刘思佳", o.Name, "another card is another person's")
	require.Equal(t, liu, o.IDNumber)
}

func TestAPortraitAmongTheCardsIsToldAndMoved(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newDesk(t, dbtest.SQLite(t))
	c := w.customer()
	portrait, front := w.shows(c, orders.PlaceFront, "1.jpg"), w.shows(c, orders.PlacePhoto, "2.jpg")
	w.seen(portrait, photos.KindPortrait, nil)
	w.seen(front, photos.KindCardFront, card("欧阳翀", ouyang))
	require.Nil(t, w.visit(c).Order, "nothing is where it belongs")
	require.NoError(t, w.svc.PutRight(ctx, w.sc, c.ID, orders.PlaceFront))
	v := w.visit(c)
	require.Equal(t, portrait.ID, *v.PhotoID)
	require.Equal(t, front.ID, *v.FrontID)
	require.Equal(t, "欧阳翀", v.Order.Name)
	require.Equal(t, orders.StatusReview, v.Order.Status)

	// A second portrait in the card's place takes the place of the first.
	other := w.shows(c, orders.PlaceFront, "3.jpg")
	w.seen(other, photos.KindPortrait, nil)
	require.Equal(t, portrait.ID, w.visit(c).Order.PhotoID)
	require.NoError(t, w.svc.PutRight(ctx, w.sc, c.ID, orders.PlaceFront))
	require.Equal(t, other.ID, w.visit(c).Order.PhotoID)
	require.Nil(t, w.visit(c).Customer.FrontID, "the first one belongs nowhere any more")
}

// Two clerks open the day's batch in the same moment, and both press submit, twice.
func TestTwoClerksMakeOneBatchAndOneAttempt(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newDesk(t, d)
		batches := make([]string, 6)
		together(len(batches), func(i int) {
			c, err := w.svc.OpenCustomer(ctx, w.sc, w.setting(), func(typeName, day string) string { return day })
			if err == nil {
				batches[i] = c.BatchID
			}
		})
		for _, id := range batches {
			require.NotEmpty(t, id)
			require.Equal(t, batches[0], id)
		}

		c := w.customer()
		w.seen(w.shows(c, orders.PlaceFront, "2.jpg"), photos.KindCardFront, card("欧阳翀", ouyang))
		w.seen(w.shows(c, orders.PlacePhoto, "1.jpg"), photos.KindPortrait, nil)
		version := w.visit(c).Order.Version
		failures := make([]error, 4)
		together(len(failures), func(i int) {
			_, failures[i] = w.svc.SubmitCustomer(ctx, w.sc, c.ID, orders.Edit{Version: version}, false, w.user)
		})
		for _, err := range failures {
			require.NoError(t, err)
		}
		h, err := w.svc.History(ctx, w.sc, w.visit(c).Order.ID)
		require.NoError(t, err)
		require.Len(t, h.Attempts, 1)
		v := w.visit(c)
		require.Equal(t, orders.StatusQueued, v.Order.Status)
		require.GreaterOrEqual(t, len(*v.Token), 32, "160 bits in base 32")
	})
}

func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

func TestWhatIsWrongKeepsTheCustomerAtTheCounter(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newDesk(t, dbtest.SQLite(t))
	c := w.customer()
	_, err := w.svc.SubmitCustomer(ctx, w.sc, c.ID, orders.Edit{}, false, w.user)
	require.Equal(t, apperr.Conflict, apperr.KindOf(err), "there is no photo")
	photo := w.shows(c, orders.PlacePhoto, "1.jpg")
	w.seen(photo, photos.KindPortrait, nil)
	seen := w.visit(c).Order.Version
	bad := orders.Edit{Version: seen, Fields: map[ocr.FieldName]string{ocr.Name: "欧阳翀", ocr.IDNumber: "110101199001011234"}}
	_, err = w.svc.SubmitCustomer(ctx, w.sc, c.ID, bad, false, w.user)
	fields, invalid := apperr.AsFields(err)
	require.True(t, invalid, "%v", err)
	require.Equal(t, "id_number", fields[0].Field)
	v := w.visit(c)
	require.Nil(t, v.EndedAt)
	require.Nil(t, v.Token)
	require.Equal(t, orders.StatusReview, v.Order.Status, "all or nothing")

	require.NoError(t, w.svc.EditCustomer(ctx, w.sc, c.ID, orders.Edit{Fields: map[ocr.FieldName]string{ocr.Name: "欧阳"}}, w.user))
	good := orders.Edit{Version: seen, Fields: map[ocr.FieldName]string{ocr.Name: "欧阳翀", ocr.IDNumber: ouyang}}
	_, err = w.svc.SubmitCustomer(ctx, w.sc, c.ID, good, false, w.user)
	require.Equal(t, apperr.Conflict, apperr.KindOf(err), "a colleague has changed it meanwhile")
	card := w.shows(c, orders.PlaceFront, "2.jpg")
	good.Version = 0
	_, err = w.svc.SubmitCustomer(ctx, w.sc, c.ID, good, false, w.user)
	require.Equal(t, apperr.Conflict, apperr.KindOf(err), "the card is being read")
	w.seen(card, photos.KindCardFront, nil)
	_, err = w.svc.SubmitCustomer(ctx, w.sc, c.ID, good, false, w.user)
	require.NoError(t, err)
	require.Error(t, w.svc.GiveUp(ctx, w.sc, c.ID, w.user), "it is on its way")
}

func TestAnAddressOfTheCustomersPageEnds(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newDesk(t, dbtest.SQLite(t))
	_, _, err := w.svc.Follow(ctx, "")
	require.Equal(t, apperr.NotFound, apperr.KindOf(err), "not that of those who have none")
	_, _, err = w.svc.Follow(ctx, "nothing")
	require.Equal(t, apperr.NotFound, apperr.KindOf(err))

	c := w.customer()
	w.seen(w.shows(c, orders.PlacePhoto, "1.jpg"), photos.KindPortrait, nil)
	_, err = w.svc.SubmitCustomer(ctx, w.sc, c.ID, orders.Edit{Fields: map[ocr.FieldName]string{ocr.Name: "欧阳翀", ocr.IDNumber: ouyang}}, false, w.user)
	require.NoError(t, err)
	token := *w.visit(c).Token
	_, v, err := w.svc.Follow(ctx, token)
	require.NoError(t, err)
	require.Equal(t, c.ID, v.ID)
	_, err = w.db.NewUpdate().Model((*orders.Order)(nil)).Set("status = ?, updated_at = ?, completed_at = ?", orders.StatusCompleted, db.Now(), db.Now().AddDate(0, 0, -91)).
		Where("id = ?", v.Order.ID).Exec(ctx)
	require.NoError(t, err)
	_, _, err = w.svc.Follow(ctx, token)
	require.Equal(t, apperr.NotFound, apperr.KindOf(err), "90 days are over")
}
