package photos_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/photos"
)

// show takes in a picture of a customer and looks at it.
func (s *shop) show(t *testing.T, customer string, as photos.Kind, content []byte) *photos.Picture {
	t.Helper()
	ctx := context.Background()
	pic, err := s.TakeShown(ctx, s.sc, photos.Shown{BatchID: s.batch, CustomerID: customer, Expected: as, Name: "image.png"}, bytes.NewReader(content))
	require.NoError(t, err)
	s.jobs.work(t, s.Service)
	pic, err = s.Picture(ctx, s.sc, pic.ID)
	require.NoError(t, err)
	return pic
}

// The clerk's word holds for what nobody can tell, and not against what is plain.
func TestWhatAClerkExpects(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		customer := db.NewID()
		unread := s.show(t, customer, photos.KindCardFront, picture(t, 1))
		require.Equal(t, photos.KindCardFront, unread.Kind, "to be typed off")
		require.Equal(t, "counter.problem.unreadable", unread.ProblemKey)
		odd := s.show(t, customer, photos.KindPortrait, picture(t, 2))
		require.Equal(t, photos.KindPortrait, odd.Kind)
		require.NotNil(t, odd.Check, "its check says what is wrong with it")
		plain := s.show(t, customer, photos.KindCardFront, portrait(t))
		require.Equal(t, photos.KindPortrait, plain.Kind, "plainly a portrait")
		engine.answer = front
		card := s.show(t, customer, photos.KindPortrait, picture(t, 3))
		require.Equal(t, photos.KindCardFront, card.Kind, "plainly a card")
	})
}

func TestCustomersMayBringTheSamePicture(t *testing.T) {
	eachShop(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		one, other := db.NewID(), db.NewID()
		take := func(customer string) *photos.Picture {
			pic, err := s.TakeShown(ctx, s.sc, photos.Shown{BatchID: s.batch, CustomerID: customer, Expected: photos.KindPortrait, Name: "a.png"}, bytes.NewReader(picture(t, 1)))
			require.NoError(t, err)
			return pic
		}
		first := take(one)
		require.Equal(t, first.ID, take(one).ID, "sent again after the net was lost")
		require.NotEqual(t, first.ID, take(other).ID)
		require.Equal(t, photos.OutcomeStored, s.store(t, "a.png", picture(t, 1)).Outcome, "nor is it the batch's own")
		require.Equal(t, int64(3), s.balance(t).Stored)
		_, err := s.TakeShown(ctx, s.sc, photos.Shown{BatchID: s.batch, CustomerID: one, Expected: photos.KindPortrait, Name: "a.txt"}, strings.NewReader("hello"))
		require.Equal(t, apperr.Invalid, apperr.KindOf(err))
	})
}
