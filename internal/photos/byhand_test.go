package photos_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/ocr"
	"huizhi/internal/photos"
)

func TestAPersonSaysWhatAPictureIs(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		ctx := context.Background()
		pic := s.add(t, "a.jpg", picture(t, 1))
		require.Equal(t, photos.KindOther, pic.Kind)
		unsorted, err := s.Unsorted(ctx, s.sc, s.batch)
		require.NoError(t, err)
		require.Len(t, unsorted, 1)

		pic, err = s.SortAgain(ctx, s.sc, pic.ID, photos.KindPortrait)
		require.NoError(t, err)
		require.Equal(t, photos.KindPortrait, pic.Kind)
		require.Empty(t, pic.ProblemKey)
		require.NotEmpty(t, pic.WorkingKey, "a portrait is made to the spec of its type")
		require.NotNil(t, pic.Check)
		require.Equal(t, []photos.Kind{photos.KindPortrait}, s.batches.resorted)
		require.Zero(t, s.pending(t))
		unsorted, err = s.Unsorted(ctx, s.sc, s.batch)
		require.NoError(t, err)
		require.Empty(t, unsorted)
	})
}

func TestACardByHandIsReadIfAnEngineAnswers(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		ctx := context.Background()
		pic := s.add(t, "a.jpg", picture(t, 1))
		engine.err = ocr.ErrUnavailable
		pic, err := s.SortAgain(ctx, s.sc, pic.ID, photos.KindCardBack)
		require.NoError(t, err)
		require.Equal(t, photos.KindCardBack, pic.Kind, "a person's word needs no engine")

		engine.err, engine.answer = nil, front
		pic, err = s.SortAgain(ctx, s.sc, pic.ID, photos.KindCardFront)
		require.NoError(t, err)
		require.Equal(t, photos.KindCardFront, pic.Kind)
		readings, err := s.Readings(ctx, s.sc, pic.ID)
		require.NoError(t, err)
		require.Equal(t, front.Fields, readings[pic.ID].Fields)
	})
}

func TestSortingAgainAsksTheEngineAnew(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		ctx := context.Background()
		pic := s.add(t, "a.jpg", picture(t, 1))
		engine.answer = front
		again, err := s.SortAgain(ctx, s.sc, pic.ID, photos.KindUnknown)
		require.NoError(t, err)
		require.Equal(t, photos.KindCardFront, again.Kind)

		engine.err = ocr.ErrUnavailable
		_, err = s.SortAgain(ctx, s.sc, pic.ID, photos.KindUnknown)
		require.ErrorIs(t, err, ocr.ErrUnavailable)
		require.Equal(t, photos.KindCardFront, s.named(t, "a.jpg").Kind, "nothing is lost by trying")

		_, err = s.SortAgain(ctx, s.sc, pic.ID, photos.KindCardBoth+"?")
		require.Equal(t, apperr.Invalid, apperr.KindOf(err))
		foreign, _ := s.newTenant(t)
		_, err = s.SortAgain(ctx, foreign, pic.ID, photos.KindPortrait)
		requireNotFound(t, err)
	})
}

func TestAPortraitTakesTheOthersPlace(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		ctx := context.Background()
		old := s.add(t, "李雷.jpg", picture(t, 1))
		other := s.add(t, "韩梅梅.jpg", picture(t, 2))
		taken, err := s.TakePortrait(ctx, s.sc, old, "重拍.jpg", bytes.NewReader(picture(t, 3)))
		require.NoError(t, err)
		require.Equal(t, photos.KindPortrait, taken.Kind)
		require.Equal(t, photos.StateDone, taken.State)
		require.Equal(t, old.Seq, taken.Seq)
		require.Equal(t, old.PairKey, taken.PairKey, "a card named like the old photo still finds it")
		require.NotEmpty(t, taken.WorkingKey)
		require.Zero(t, s.pending(t), "it waits for nobody")
		require.Equal(t, int64(3), s.balance(t).Stored)

		again, err := s.TakePortrait(ctx, s.sc, old, "重拍.jpg", bytes.NewReader(picture(t, 3)))
		require.NoError(t, err)
		require.Equal(t, taken.ID, again.ID, "the same content is kept once")

		_, err = s.TakePortrait(ctx, s.sc, old, "韩梅梅.jpg", bytes.NewReader(picture(t, 2)))
		require.Equal(t, apperr.Conflict, apperr.KindOf(err), "%s is no portrait", other.Name)
		_, err = s.TakePortrait(ctx, s.sc, old, "a.txt", strings.NewReader("hello"))
		require.Equal(t, apperr.Invalid, apperr.KindOf(err))
	})
}
