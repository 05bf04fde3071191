package photos_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"testing"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
	"github.com/stretchr/testify/require"

	"huizhi/internal/db"
	"huizhi/internal/personcard"
	"huizhi/internal/photos"
)

// The roster may be chosen when the pictures are there.
func TestCardsAreFoundWhenTheRosterComesLater(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, _ *reader) {
		text := personcard.Text(db.NewID())
		s.add(t, "card.jpg", pictureOfCode(t, text, false))
		s.add(t, "poster.jpg", pictureOfCode(t, "https://example.com", false))
		s.batches.marked = true
		s.jobs.args = append(s.jobs.args, photos.FindMarkers{TenantID: s.sc.TenantID(), BatchID: s.batch})
		s.jobs.work(t, s.Service)
		card := s.named(t, "card.jpg")
		require.Equal(t, photos.KindMarker, card.Kind)
		require.Equal(t, text, card.Marker)
		require.Empty(t, card.ProblemKey, "it is not strange any more")
		require.Equal(t, photos.KindOther, s.named(t, "poster.jpg").Kind)
		require.Equal(t, 1, s.batches.found)
	})
}

func TestACardWithACodeIsNoPhoto(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, _ *reader) {
		ctx := context.Background()
		text := personcard.Text(db.NewID())
		require.Equal(t, photos.KindOther, s.add(t, "unlooked.jpg", pictureOfCode(t, text, false)).Kind, "a batch without a roster has no cards")

		s.batches.marked = true
		read := s.add(t, "card.jpg", pictureOfCode(t, personcard.Text(db.NewID()), false))
		require.Equal(t, photos.KindMarker, read.Kind)
		require.NotEmpty(t, read.Marker)
		bent := s.add(t, "bent.jpg", pictureOfCode(t, text, true))
		require.Equal(t, photos.KindMarker, bent.Kind, "whose it is cannot be read, that it is one can be seen")
		require.Empty(t, bent.Marker)
		require.Equal(t, "upload.problem.marker_unread", bent.ProblemKey)
		require.Equal(t, photos.KindOther, s.add(t, "poster.jpg", pictureOfCode(t, "https://example.com", false)).Kind, "another code means nothing")
		require.Equal(t, photos.KindPortrait, s.add(t, "portrait.jpg", portrait(t)).Kind)

		tray, err := s.Unsorted(ctx, s.sc, s.batch)
		require.NoError(t, err)
		var names []string
		for _, p := range tray {
			names = append(names, p.Name)
		}
		require.Equal(t, []string{"unlooked.jpg", "bent.jpg", "poster.jpg"}, names, "a card that was read needs nobody")
	})
}

// pictureOfCode is a card with a code, photographed from near.
func pictureOfCode(t *testing.T, text string, covered bool) []byte {
	t.Helper()
	code, err := qr.Encode(text, qr.M, qr.Auto)
	require.NoError(t, err)
	code, err = barcode.Scale(code, 600, 600)
	require.NoError(t, err)
	img := image.NewRGBA(image.Rect(0, 0, 1200, 900))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.Gray{230}), image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(100, 150, 700, 750), code, image.Point{}, draw.Src)
	if covered {
		draw.Draw(img, image.Rect(300, 300, 520, 620), image.NewUniform(color.Gray{120}), image.Point{}, draw.Src)
	}
	var buf bytes.Buffer
	require.NoError(t, jpeg.Encode(&buf, img, &jpeg.Options{Quality: 85}))
	return buf.Bytes()
}
