package orders_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/personcard"
	"huizhi/internal/photos"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/roster"
)

// marker adds a picture of a card that says so; "" cannot be read.
func (w *world) marker(b *orders.Batch, file, says string) {
	w.t.Helper()
	ctx := context.Background()
	err := w.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		seq, err := w.svc.PictureStored(ctx, tx, w.sc, b.ID)
		if err != nil {
			return err
		}
		pic := &photos.Picture{TenantID: w.sc.TenantID(), ID: db.NewID(), BatchID: b.ID, Seq: seq, Name: file, SHA256: b.ID + file, State: photos.StateDone, Kind: photos.KindMarker, Marker: says, CreatedAt: db.Now()}
		if _, err := tx.NewInsert().Model(pic).Exec(ctx); err != nil {
			return err
		}
		return w.svc.PictureSorted(ctx, tx, w.sc, pic, nil)
	})
	require.NoError(w.t, err)
}

// cardOf is what stands on the card of a person of the roster.
func (w *world) cardOf(r *roster.Roster, name string) string {
	w.t.Helper()
	list, err := w.rosters().People(context.Background(), w.sc, r.ID, roster.Filter{Text: name}, "", 2)
	require.NoError(w.t, err)
	require.Len(w.t, list, 1)
	return personcard.Text(list[0].ID)
}

func TestPhotosFollowTheirCards(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{})
		r := w.names("姓名,班级\n李雷,1班\n韩梅梅,1班\n王芳,1班\n")
		b := w.tied(r.ID)
		w.marker(b, "IMG_01.jpg", w.cardOf(r, "李雷"))
		w.photo(b, "IMG_02.jpg")
		w.photo(b, "IMG_03.jpg")
		w.marker(b, "IMG_04.jpg", "") // bent
		w.photo(b, "IMG_05.jpg")
		w.marker(b, "IMG_06.jpg", w.cardOf(r, "王芳"))
		w.photo(b, "IMG_07.jpg")
		require.Equal(t, map[string]string{"IMG_02.jpg": "李雷 by card", "IMG_03.jpg": "later_after_card", "IMG_05.jpg": "card_unread", "IMG_07.jpg": "王芳 by card"}, w.matches(b),
			"a card makes no order")
	})
}

// Files arrive several at a time, so a card may come after the photo that follows it.
func TestACardThatComesLateTakesItsPhotoBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{})
		r := w.names("姓名,身份证号,班级\n李雷," + pupil(1) + ",1班\n韩梅梅," + pupil(2) + ",1班\n")
		b := w.tied(r.ID)
		w.marker(b, "IMG_01.jpg", w.cardOf(r, "李雷"))
		w.photo(b, "IMG_04.jpg")
		require.Equal(t, "李雷 by card", w.matches(b)["IMG_04.jpg"])
		w.marker(b, "IMG_03.jpg", w.cardOf(r, "韩梅梅"))
		require.Equal(t, "韩梅梅 by card", w.matches(b)["IMG_04.jpg"])
		require.Equal(t, pupil(2), w.byFile(b)["IMG_04.jpg"].IDNumber, "with the number of the right person")
		w.photo(b, "IMG_02.jpg")
		require.Equal(t, map[string]string{"IMG_02.jpg": "李雷 by card", "IMG_04.jpg": "韩梅梅 by card"}, w.matches(b))

		o := w.byFile(b)["IMG_02.jpg"]
		_, err := w.svc.Confirm(ctx, w.sc, o.ID, orders.Edit{Version: o.Version, Fields: map[ocr.FieldName]string{}}, true, w.user)
		require.NoError(t, err)
		w.marker(b, "IMG_015.jpg", "")
		require.Equal(t, "李雷 by card", w.matches(b)["IMG_02.jpg"], "what somebody confirmed stays")
	})
}
