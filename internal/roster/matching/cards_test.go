package matching

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sequence is shots in the order of their file names, written as "card:a", "photo",
// "photo=李雷", "bent" (a card that cannot be read) and "odd".
func sequence(shots ...string) (out []Shot) {
	for i, s := range shots {
		kind, about, _ := strings.Cut(s, ":")
		kind, name, _ := strings.Cut(kind, "=")
		shot := Shot{File: fmt.Sprintf("三(2)班/%s%03d.jpg", name, i)}
		if name == "" {
			shot.File = fmt.Sprintf("三(2)班/IMG_%03d.jpg", i)
		}
		switch kind {
		case "card":
			shot.Kind, shot.Person = CardShot, about
		case "bent":
			shot.Kind = CardShot
		case "odd":
			shot.Kind = OddShot
		default:
			shot.Photo = fmt.Sprint(i)
		}
		out = append(out, shot)
	}
	start := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	for i := range out { // names with people's do not sort as they were taken
		out[i].Taken = start.Add(time.Duration(i) * time.Second)
	}
	return out
}

func byCards(shots []Shot) map[string]string {
	before := Cards(shots)
	var photos []Photo
	for _, s := range shots {
		if s.Kind == PhotoShot {
			photos = append(photos, Photo{ID: s.Photo, File: s.File, Card: before[s.Photo]})
		}
	}
	out := map[string]string{}
	for _, r := range Match(photos, school, nil) {
		if out[r.Photo] = fmt.Sprint(r.Reason, r.Candidates); r.Person != "" {
			out[r.Photo] = r.Person + " by " + string(r.By)
		}
	}
	return out
}

func TestACardNamesThePhotoAfterIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		shots []string
		want  map[string]string
	}{
		"card, photo, card, photo":         {[]string{"card:a", "photo", "card:b", "photo"}, map[string]string{"1": "a by card", "3": "b by card"}},
		"two photos after a card":          {[]string{"card:a", "photo", "photo"}, map[string]string{"1": "a by card", "2": "later_after_card[a]"}},
		"a bent card":                      {[]string{"card:a", "photo", "bent", "photo", "card:b", "photo"}, map[string]string{"1": "a by card", "3": "card_unread[]", "5": "b by card"}},
		"something that is no photo":       {[]string{"card:a", "odd", "photo"}, map[string]string{"2": "card_unread[]"}},
		"nothing before the first card":    {[]string{"photo", "card:b", "photo"}, map[string]string{"0": "sequence[a]", "2": "b by card"}}, // a suggestion, no match
		"a card of another roster":         {[]string{"card:a", "photo", "card:zz", "photo"}, map[string]string{"1": "a by card", "3": "card_unread[]"}},
		"the same card twice":              {[]string{"card:a", "photo", "card:a", "photo"}, map[string]string{"1": "two_photos[a]", "3": "two_photos[a]"}},
		"a name says the same":             {[]string{"card:b", "photo=韩梅梅"}, map[string]string{"1": "b by name_class"}},
		"a name says otherwise":            {[]string{"card:a", "photo=韩梅梅"}, map[string]string{"1": "contradiction[b a]"}},
		"a name in spite of a bent card":   {[]string{"card:a", "photo", "bent", "photo=韩梅梅"}, map[string]string{"1": "a by card", "3": "b by name_class"}},
		"a folder without cards":           {[]string{"photo", "odd", "photo"}, map[string]string{"0": "sequence[a]", "2": "sequence[b]"}},
		"a name beats the card's next one": {[]string{"card:a", "photo", "photo=韩梅梅"}, map[string]string{"1": "a by card", "2": "b by name_class"}},
	} {
		require.Equal(t, c.want, byCards(sequence(c.shots...)), name)
	}
}

func TestACardTellsNamesakesApart(t *testing.T) {
	t.Parallel()
	shots := []Shot{{File: "1.jpg", Kind: CardShot, Person: "c"}, {File: "2李雷.jpg", Photo: "x"}}
	require.Equal(t, map[string]string{"x": "c by card"}, byCards(shots))
}

func TestTheCamerasTimesComeBeforeTheNamesOfTheFiles(t *testing.T) {
	t.Parallel()
	shots := sequence("card:a", "photo", "card:b", "photo")
	for i := range shots {
		shots[i].Taken = shots[i].Taken.Add(-2 * time.Duration(i) * time.Second) // taken backwards
	}
	require.Equal(t, "b by card", byCards(shots)["1"])
	shots[0].Taken = time.Time{}
	require.Equal(t, map[string]string{"1": "a by card", "3": "b by card"}, byCards(shots), "one of them has no time")
}

// Whatever lies in a sequence, a card gives a photo to nobody but its own person,
// and nobody gets two.
func TestNoCardGivesAPhotoToTwoPeople(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	words := []string{"card:a", "card:b", "card:c", "card:zz", "bent", "odd", "photo", "photo", "photo", "photo=韩梅梅", "photo=李雷"}
	for range 2000 {
		var written []string
		for range rng.IntN(14) {
			written = append(written, words[rng.IntN(len(words))])
		}
		shots := sequence(written...)
		has := map[string]bool{}
		for photo, says := range byCards(shots) {
			person, by, matched := strings.Cut(says, " by ")
			if !matched {
				continue
			}
			require.False(t, has[person], "%v: two photos of %s", written, person)
			has[person] = true
			if by == string(ByCard) {
				var i int
				_, _ = fmt.Sscan(photo, &i)
				require.Equal(t, "card:"+person, written[i-1], "%v: photo %s lies right after the card", written, photo)
			}
		}
	}
}
