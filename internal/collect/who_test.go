package collect_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/collect"
)

func TestAnUnknownTokenLeadsNowhere(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		links, err := s.Links(ctx, s.sc, s.batch.ID)
		require.NoError(t, err)
		token := s.Token(&links[0])
		require.GreaterOrEqual(t, len(token)*6, 128, "bits")
		for _, wrong := range []string{"", "x", token[:len(token)-1], token + "A", links[0].ID, links[0].TokenHash} {
			_, err := s.Visit(ctx, wrong)
			require.Equal(t, apperr.NotFound, apperr.KindOf(err))
		}
	})
}

func TestWhoKnowsNameAndNumberIsLetIn(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		first := s.visit(collect.Class, "三(1)班")
		p, err := s.Identify(ctx, first, " 陈雨桐", last4(s.chen), desk)
		require.NoError(t, err)
		require.Equal(t, s.chen.ID, p.ID)
		p, err = s.Identify(ctx, first, "王小明", "s003", desk)
		require.NoError(t, err, "who has no ID number has a student number")
		require.Equal(t, s.wang.ID, p.ID)
		p, err = s.Identify(ctx, s.visit(collect.Whole, ""), "刘思佳", s.liu.IDNumber, desk)
		require.NoError(t, err, "the whole number is right too")
		require.Equal(t, s.liu.ID, p.ID)
	})
}

// Whoever tries learns nothing of who is on the list: every wrong answer is the same.
func TestEveryWrongAnswerIsTheSame(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.visit(collect.Class, "三(1)班")
		wrong := map[string][2]string{
			"a wrong number":           {"陈雨桐", "9999"},
			"no number":                {"陈雨桐", ""},
			"an unknown name":          {"马六", "9999"},
			"a child of another class": {"刘思佳", last4(s.liu)},
			"another child's number":   {"陈雨桐", last4(s.liu)},
			"a student number where the ID number is known": {"陈雨桐", "S001"},
			"somebody of whom no number is known":           {"赵一", ""},
			"nobody":                                        {"", ""},
		}
		var first error
		for what, in := range wrong {
			p, err := s.Identify(ctx, v, in[0], in[1], "192.0.2."+fmt.Sprint(len(what)))
			require.Nil(t, p, what)
			if first == nil {
				first = err
			}
			require.Equal(t, first, err, what)
			require.Equal(t, apperr.Invalid, apperr.KindOf(err))
		}
	})
}

func TestTooManyWrongAnswersMakeOneWait(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.visit(collect.Class, "三(1)班")
		for _, name := range []string{"陈雨桐", "马六"} { // on the list or not
			for i := range 5 {
				_, err := s.Identify(ctx, v, name, "9999", fmt.Sprintf("192.0.2.%d", i))
				require.Equal(t, apperr.Invalid, apperr.KindOf(err))
			}
			_, err := s.Identify(ctx, v, name, last4(s.chen), "203.0.113.9")
			require.Equal(t, apperr.TooMany, apperr.KindOf(err), "wherever it comes from, and even if it is right")
			require.Equal(t, apperr.TooMany, apperr.KindOf(second(s.Identify(ctx, s.visit(collect.Whole, ""), name, "9999", desk))), "nor by another link")
		}
		s.clock = s.clock.Add(3 * time.Second)
		p, err := s.Identify(ctx, v, "陈雨桐", last4(s.chen), desk)
		require.NoError(t, err)
		require.Equal(t, s.chen.ID, p.ID)
	})
}

func TestOneAddressCannotWalkThroughTheNames(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.visit(collect.Whole, "")
		tried := 0
		for i := range 60 {
			_, err := s.Identify(ctx, v, fmt.Sprintf("学生%d", i), "1234", desk)
			if apperr.KindOf(err) == apperr.TooMany {
				break
			}
			tried++
		}
		require.Equal(t, 30, tried)
		_, err := s.Identify(ctx, v, "陈雨桐", last4(s.chen), "203.0.113.9")
		require.NoError(t, err, "others are not held up")
	})
}

// Many guesses at once are not more than many one after the other.
func TestGuessesAtOnceAreCountedToo(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.visit(collect.Class, "三(1)班")
		var wg sync.WaitGroup
		answers := make(chan apperr.Kind, 20)
		for i := range 20 {
			wg.Go(func() {
				answers <- apperr.KindOf(second(s.Identify(ctx, v, "陈雨桐", fmt.Sprintf("%04d", i), fmt.Sprintf("192.0.2.%d", i))))
			})
		}
		wg.Wait()
		close(answers)
		looked := 0
		for kind := range answers {
			if kind == apperr.Invalid {
				looked++
			}
		}
		require.Equal(t, 5, looked)
	})
}

func TestAPersonalLinkIsForOneChild(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		require.NoError(t, s.SetEnd(ctx, s.sc, s.batch.ID, collect.Which{Reach: collect.Personal}, s.clock.Add(time.Hour), s.user))
		links, err := s.PersonalLinks(ctx, s.sc, s.batch.ID, []string{s.chen.ID, s.zhao.ID})
		require.NoError(t, err)
		v, err := s.Visit(ctx, s.Token(links[s.chen.ID]))
		require.NoError(t, err)
		_, err = s.Identify(ctx, v, "", last4(s.liu), desk)
		require.Equal(t, apperr.Invalid, apperr.KindOf(err))
		p, err := s.Identify(ctx, v, "刘思佳", last4(s.chen), desk)
		require.NoError(t, err)
		require.Equal(t, s.chen.ID, p.ID, "the link says who it is")
		other, err := s.Person(ctx, v, s.wang.ID)
		require.NoError(t, err)
		require.Nil(t, other, "a browser that proved to know another child is nobody here")

		v, err = s.Visit(ctx, s.Token(links[s.zhao.ID]))
		require.NoError(t, err)
		proof, err := s.Proof(ctx, v)
		require.NoError(t, err)
		require.Equal(t, collect.ProofNone, proof)
		p, err = s.Identify(ctx, v, "", "", desk)
		require.NoError(t, err, "of whom nothing is known, the link is proof enough")
		require.Equal(t, s.zhao.ID, p.ID)
	})
}

func TestALinkThatHasEnded(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.ready(s.chen)
		s.clock = s.clock.Add(collect.DefaultOpen)
		require.ErrorIs(t, second(s.Identify(ctx, v, "陈雨桐", last4(s.chen), desk)), collect.ErrEnded)
		require.ErrorIs(t, second(s.Send(ctx, v, s.chen, good(t, 0))), collect.ErrEnded)
		require.ErrorIs(t, s.Agree(ctx, v, s.chen, collect.Agreement{Agreed: true, Guardian: "陈建国", Relation: "father"}), collect.ErrEnded)
		require.ErrorIs(t, s.HandIn(ctx, v, s.chen, "x"), collect.ErrEnded)
		require.Zero(t, s.count("pictures"))

		require.NoError(t, s.SetEnd(ctx, s.sc, s.batch.ID, collect.Which{Reach: collect.Class, One: true, Class: "三(1)班"}, s.clock.Add(time.Hour), s.user))
		again := s.visit(collect.Class, "三(1)班")
		require.Equal(t, v.Link.ID, again.Link.ID, "the printed poster leads there again")
		_, err := s.Send(ctx, again, s.chen, good(t, 0))
		require.NoError(t, err)
		other := s.visit(collect.Class, "三(2)班")
		require.False(t, other.Link.Open(s.clock), "the other class stays closed")
		require.Contains(t, s.audited(), "collection.open")
	})
}

// second is the error of a call whose value does not matter.
func second[T any](_ T, err error) error { return err }
