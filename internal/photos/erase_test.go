package photos_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/blob"
	"huizhi/internal/photos"
)

// Nothing of an erased card is left: no file, no reading, no remembered answer. Its
// row stays, so that the batch's counts still add up.
func TestErasing(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		ctx := context.Background()
		engine.answer = front
		pic := s.add(t, "card.jpg", picture(t, 1))
		require.Equal(t, photos.KindCardFront, pic.Kind)
		reading := s.reading(t, pic)
		keys := []string{pic.OriginalKey, pic.PreviewKey, pic.ThumbKey}
		for _, key := range reading.Crops {
			keys = append(keys, key)
		}
		require.Len(t, keys, 5)
		stored := s.balance(t)
		for range 2 { // it may have been cut off
			require.NoError(t, s.Erase(ctx, s.sc, pic.ID))
		}
		for _, key := range keys {
			_, err := s.Blobs.Get(ctx, key)
			require.ErrorIs(t, err, blob.ErrNotFound)
		}
		require.Nil(t, s.reading(t, pic))
		n, err := s.DB.NewSelect().Table("ocr_answers").Count(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
		require.Equal(t, stored, s.balance(t))
		_, err = s.Open(ctx, s.sc, pic.ID, photos.Preview)
		require.Error(t, err)
	})
}

// Files are named by their content, so two pictures may share them.
func TestErasingLeavesAnotherPictureOfTheSameContent(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		ctx := context.Background()
		engine.answer = front
		first := s.add(t, "card.jpg", picture(t, 1))
		s.batch = s.newBatch(t, s.sc)
		second := s.add(t, "card.jpg", picture(t, 1))
		require.Equal(t, first.OriginalKey, second.OriginalKey)
		require.NoError(t, s.Erase(ctx, s.sc, first.ID))
		require.Equal(t, picture(t, 1), s.file(t, second, photos.Original))
		require.NotNil(t, s.reading(t, second))
		require.NoError(t, s.Erase(ctx, s.sc, second.ID))
		_, err := s.Blobs.Get(ctx, second.OriginalKey)
		require.ErrorIs(t, err, blob.ErrNotFound)
	})
}
