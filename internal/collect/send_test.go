package collect_test

import (
	"bytes"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/collect"
	"huizhi/internal/i18n"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
)

func TestAGoodPhotoIsTheOrderOfThePerson(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.ready(s.chen)
		x, err := s.Send(ctx, v, s.chen, good(t, 0))
		require.NoError(t, err)
		require.Equal(t, collect.Taken, x.Outcome, "%+v", x.Findings)
		st := s.standing(v, s.chen)
		require.Equal(t, collect.Checking, st.Phase)
		require.EqualValues(t, 2, st.Left)
		o := st.Order
		require.Equal(t, orders.StatusReview, o.Status)
		require.Equal(t, orders.MatchedByLink, o.MatchedBy)
		require.Equal(t, s.chen.Name, o.Name)
		require.Equal(t, s.chen.IDNumber, o.IDNumber)
		require.Equal(t, ocr.FromRoster, o.Fields[ocr.Name].Source)
		require.Zero(t, o.Exceptions, "%v", o.ExceptionKeys)
	})
}

func TestNothingIsTakenWithoutAConsent(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.visit(collect.Class, s.chen.Class)
		require.Equal(t, collect.Asking, s.standing(v, s.chen).Phase)
		_, err := s.Send(ctx, v, s.chen, good(t, 0))
		require.Equal(t, apperr.Conflict, apperr.KindOf(err))
		require.Zero(t, s.count("pictures"))

		fields := func(in collect.Agreement) (out []string) {
			bad, ok := apperr.AsFields(s.Agree(ctx, v, s.chen, in))
			require.True(t, ok)
			for _, f := range bad {
				out = append(out, f.Field)
			}
			return out
		}
		require.Equal(t, []string{"agreed", "guardian", "relation"}, fields(collect.Agreement{}), "the number says that the child is under 14")
		require.Equal(t, []string{"relation"}, fields(collect.Agreement{Agreed: true, Guardian: "陈建国", Relation: "neighbour"}))
		english := i18n.WithLang(ctx, i18n.EN)
		require.NoError(t, s.Agree(english, v, s.chen, collect.Agreement{Agreed: true, Guardian: " 陈  建国 ", Relation: "father"}))
		c, err := s.ConsentOf(ctx, s.sc, s.batch.ID, s.chen.ID)
		require.NoError(t, err)
		require.Equal(t, "陈 建国", c.Guardian)
		require.True(t, c.Child)
		require.Equal(t, "en", c.Language)
		require.Equal(t, collect.ConsentVersion, c.Version)
		require.Contains(t, c.Text, "张老师", "whom to tell that it is withdrawn")
		require.Equal(t, s.clock, c.CreatedAt.UTC())
		require.Equal(t, collect.Taking, s.standing(v, s.chen).Phase)
	})
}

func TestOfWhomNoAgeIsKnownSomebodySaysIt(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.visit(collect.Class, s.wang.Class)
		_, known := s.IsChild(s.wang)
		require.False(t, known)
		require.Error(t, s.Agree(ctx, v, s.wang, collect.Agreement{Agreed: true, Child: true}))
		require.NoError(t, s.Agree(ctx, v, s.wang, collect.Agreement{Agreed: true, Child: false, Guardian: "不用"}))
		c, err := s.ConsentOf(ctx, s.sc, s.batch.ID, s.wang.ID)
		require.NoError(t, err)
		require.Empty(t, c.Guardian)

		born := time.Date(2016, 3, 12, 0, 0, 0, 0, i18n.Zone())
		for age, at := range map[int]time.Time{13: born.AddDate(14, 0, 0).Add(-time.Minute), 14: born.AddDate(14, 0, 0)} {
			years, known := collect.Age(s.chen, at)
			require.True(t, known)
			require.Equal(t, age, years, "at %s", at)
		}
	})
}

func TestAPhotoThatIsNoGoodComesBackAndMayBeHandedIn(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.ready(s.chen)
		x, err := s.Send(ctx, v, s.chen, faceless(t, 0))
		require.NoError(t, err)
		require.Equal(t, collect.Doubtful, x.Outcome)
		require.NotEmpty(t, x.Findings)
		again, err := s.Send(ctx, v, s.chen, faceless(t, 0))
		require.NoError(t, err)
		require.Equal(t, x.ID, again.ID, "the same file has the same answer")
		st := s.standing(v, s.chen)
		require.EqualValues(t, 2, st.Left, "and costs nothing")
		require.Equal(t, collect.Bettered, st.Phase)
		require.Nil(t, st.Order)

		for i := range 2 {
			_, err = s.Send(ctx, v, s.chen, faceless(t, i+1))
			require.NoError(t, err)
		}
		_, err = s.Send(ctx, v, s.chen, good(t, 0))
		require.Equal(t, apperr.Conflict, apperr.KindOf(err), "three tries are three")
		known, err := s.Send(ctx, v, s.chen, faceless(t, 0))
		require.NoError(t, err)
		require.Equal(t, x.ID, known.ID)

		last := s.standing(v, s.chen).Last
		require.NoError(t, s.HandIn(ctx, v, s.chen, last.ID))
		require.NoError(t, s.HandIn(ctx, v, s.chen, last.ID), "twice is once")
		st = s.standing(v, s.chen)
		require.Equal(t, collect.Checking, st.Phase)
		require.Equal(t, last.PictureID, st.Order.PhotoID)
		require.Contains(t, st.Order.ExceptionKeys, "photo.faces", "staff look at it")
		pics, err := s.Photos.InBatch(ctx, s.sc, s.batch.ID)
		require.NoError(t, err)
		for _, pic := range pics {
			require.Equal(t, pic.ID == last.PictureID, pic.OriginalKey != "", "what was not taken is erased")
		}
		require.Error(t, s.HandIn(ctx, v, s.chen, x.ID))
		require.Equal(t, apperr.NotFound, apperr.KindOf(s.HandIn(ctx, s.ready(s.liu), s.liu, last.ID)), "nor can another child hand it in")
	})
}

func TestWhatIsNoPictureCostsNothing(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.ready(s.chen)
		for _, content := range [][]byte{nil, []byte("no picture"), good(t, 0)[:2000], []byte("%PDF-1.7")} {
			_, err := s.Send(ctx, v, s.chen, content)
			require.Equal(t, apperr.Invalid, apperr.KindOf(err))
		}
		require.EqualValues(t, 3, s.standing(v, s.chen).Left)
		require.Zero(t, s.count("collection_sendings"))
	})
}

func TestAHEICFromAPhone(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		content, err := os.ReadFile("../photos/imaging/testdata/portrait.heic")
		require.NoError(t, err)
		v := s.ready(s.chen)
		x, err := s.Send(ctx, v, s.chen, content)
		require.NoError(t, err)
		pic, err := s.Photos.Picture(ctx, s.sc, x.PictureID)
		require.NoError(t, err)
		require.Equal(t, "HEIC", pic.Format)
		require.NotEmpty(t, pic.ThumbKey)
	})
}

func TestTwoPhotosAtOnceAreOneOrder(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.ready(s.chen)
		var wg sync.WaitGroup
		errs := make(chan error, 6)
		for i := range 6 {
			wg.Go(func() { errs <- second(s.Send(ctx, v, s.chen, good(t, i/3))) })
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
		require.EqualValues(t, 1, s.count("orders"))
		require.EqualValues(t, 2, s.count("collection_sendings"))
		require.EqualValues(t, 1, s.standing(v, s.chen).Left)
	})
}

func TestTriesAtOnceAreNotMoreThanThereAre(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.ready(s.chen)
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() { _, _ = s.Send(ctx, v, s.chen, faceless(t, i)) })
		}
		wg.Wait()
		require.EqualValues(t, 3, s.count("collection_sendings"))
	})
}

func TestTheSamePhotoIsNotTwoChildren(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.ready(s.chen)
		_, err := s.Send(ctx, v, s.chen, good(t, 0))
		require.NoError(t, err)
		_, err = s.Send(ctx, s.ready(s.liu), s.liu, good(t, 0))
		require.Equal(t, apperr.Conflict, apperr.KindOf(err))
		require.NotContains(t, err.Error(), s.chen.Name)
		require.EqualValues(t, 1, s.count("orders"))
		require.EqualValues(t, 3, s.standing(s.ready(s.liu), s.liu).Left)
		pic, err := s.Photos.Picture(ctx, s.sc, s.standing(v, s.chen).Order.PhotoID)
		require.NoError(t, err)
		f, err := s.Photos.Open(ctx, s.sc, pic.ID, photos.Thumb)
		require.NoError(t, err, "the first child's files are still there")
		require.NoError(t, f.Close())
	})
}

func TestWhatStaffConfirmedIsNotReplaced(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.ready(s.chen)
		_, err := s.Send(ctx, v, s.chen, good(t, 0))
		require.NoError(t, err)
		_, err = s.Send(ctx, v, s.chen, good(t, 1))
		require.NoError(t, err, "nobody has looked yet")
		o := s.standing(v, s.chen).Order
		_, err = s.Orders.ConfirmClean(ctx, s.sc, s.batch.ID, s.user)
		require.NoError(t, err)
		require.Equal(t, collect.Settled, s.standing(v, s.chen).Phase)
		_, err = s.Send(ctx, v, s.chen, good(t, 2))
		require.Equal(t, apperr.Conflict, apperr.KindOf(err))
		require.Equal(t, o.PhotoID, s.standing(v, s.chen).Order.PhotoID)
	})
}

func TestWhoseOrderWasCancelledSendsAnotherPhoto(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.ready(s.chen)
		_, err := s.Send(ctx, v, s.chen, good(t, 0))
		require.NoError(t, err)
		require.NoError(t, s.Orders.Cancel(ctx, s.sc, s.standing(v, s.chen).Order.ID, s.user))
		require.Equal(t, collect.Taking, s.standing(v, s.chen).Phase)
		_, err = s.Send(ctx, v, s.chen, good(t, 0))
		require.Equal(t, apperr.Conflict, apperr.KindOf(err), "the same one tells nobody anything new")
		_, err = s.Send(ctx, v, s.chen, good(t, 1))
		require.NoError(t, err)
		require.Equal(t, collect.Checking, s.standing(v, s.chen).Phase)
	})
}

func TestStaffAskForAnotherPhoto(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.ready(s.chen)
		_, err := s.Send(ctx, v, s.chen, good(t, 0))
		require.NoError(t, err)
		o := s.standing(v, s.chen).Order
		_, err = s.AskRetake(ctx, s.sc, o.ID, []string{"nonsense"}, " ", s.user)
		require.Equal(t, apperr.Invalid, apperr.KindOf(err), "without a reason nobody knows what to do")
		_, err = s.Orders.ConfirmClean(ctx, s.sc, s.batch.ID, s.user)
		require.NoError(t, err)
		_, err = s.AskRetake(ctx, s.sc, o.ID, []string{"shadow", "nonsense"}, "左边开灯", s.user)
		require.NoError(t, err)
		require.Contains(t, s.audited(), "collection.retake")

		st := s.standing(v, s.chen)
		require.Equal(t, collect.Again, st.Phase)
		require.Equal(t, []string{"shadow"}, st.Retake.Reasons)
		require.Equal(t, "左边开灯", st.Retake.Note)
		require.EqualValues(t, 3, st.Left, "with new tries")
		require.Contains(t, st.Order.ExceptionKeys, orders.ExceptionRetake)
		n, err := s.Orders.ConfirmClean(ctx, s.sc, s.batch.ID, s.user)
		require.NoError(t, err)
		require.Zero(t, n, "and nobody confirms it in bulk meanwhile")

		x, err := s.Send(ctx, v, s.chen, good(t, 0))
		require.NoError(t, err)
		require.Equal(t, collect.Returned, x.Outcome, "what was returned is not taken again")
		require.EqualValues(t, 3, s.standing(v, s.chen).Left)
		_, err = s.Send(ctx, v, s.chen, good(t, 1))
		require.NoError(t, err)
		st = s.standing(v, s.chen)
		require.Equal(t, collect.Checking, st.Phase)
		require.Nil(t, st.Order.RetakeAt)
		require.Equal(t, o.ID, st.Order.ID)
		require.NotEqual(t, o.PhotoID, st.Order.PhotoID)
	})
}

func TestStaffSeeWhoIsMissing(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		_, err := s.Send(ctx, s.ready(s.chen), s.chen, good(t, 0))
		require.NoError(t, err)
		progress, err := s.Progress(ctx, s.sc, s.batch)
		require.NoError(t, err)
		require.Equal(t, []collect.ClassProgress{{Class: "三(1)班", People: 3, Sent: 1}, {Class: "三(2)班", People: 1}}, progress)
		require.EqualValues(t, 2, progress[0].Missing())
		names := func(open bool, after *collect.Entry) (out []string) {
			list, err := s.People(ctx, s.sc, s.batch, nil, open, after, 2)
			require.NoError(t, err)
			for _, p := range list {
				out = append(out, p.Name)
			}
			return out
		}
		require.Equal(t, []string{"王小明", "赵一"}, names(true, nil))
		require.Equal(t, []string{"刘思佳"}, names(true, &collect.Entry{Person: *s.zhao}))
		require.Equal(t, []string{"陈雨桐", "王小明"}, names(false, nil))

		o := s.standing(s.ready(s.chen), s.chen).Order
		_, err = s.AskRetake(ctx, s.sc, o.ID, []string{"blur"}, "", s.user)
		require.NoError(t, err)
		require.Equal(t, []string{"陈雨桐", "王小明"}, names(true, nil))
	})
}

func TestPhotosThatWereNotTakenAreErased(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.ready(s.chen)
		x, err := s.Send(ctx, v, s.chen, faceless(t, 0))
		require.NoError(t, err)
		key := func() string {
			require.NoError(t, s.Leftovers(ctx, tenants.AllTenants("test")))
			pic, err := s.Photos.Picture(ctx, s.sc, x.PictureID)
			require.NoError(t, err)
			return pic.OriginalKey
		}
		s.clock = s.clock.Add(6 * 24 * time.Hour)
		require.NotEmpty(t, key())
		s.clock = s.clock.Add(25 * time.Hour)
		require.Empty(t, key())
	})
}

// Another text is another version, so that what was agreed to can be told.
func TestTheTextBelongsToItsVersion(t *testing.T) {
	t.Parallel()
	v := &collect.Visit{}
	for lang, want := range map[i18n.Language]string{i18n.ZH: consentZH, i18n.EN: consentEN} {
		var all []byte
		for _, part := range collect.ConsentText(i18n.WithLang(ctx, lang), v) {
			all = append(append(all, part...), '\n')
		}
		require.Equal(t, collect.ConsentVersion+" "+want, collect.ConsentVersion+" "+sum(bytes.TrimSpace(all)), "the text in %s has changed: give it another ConsentVersion, and this test its sum", lang)
	}
}
