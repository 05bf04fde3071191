package orders

import (
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/ocr"
	"huizhi/internal/photos"
)

// shots is a folder as it was uploaded: "p" is a portrait, "f" a card's front,
// "b" its back. Reading names a card's person.
type shot struct{ kind, file, name, number string }

func match(shots ...shot) map[string]string {
	var list []*Order
	var cards []photos.Picture
	byID := map[string]*photos.Picture{}
	readings := map[string]*photos.Reading{}
	for _, s := range shots {
		switch s.kind {
		case "p":
			byID[s.file] = &photos.Picture{ID: s.file, Name: s.file}
			list = append(list, &Order{ID: "order of " + s.file, PhotoID: s.file})
		case "f":
			cards = append(cards, photos.Picture{ID: s.file, Name: s.file, Kind: photos.KindCardFront})
			readings[s.file] = &photos.Reading{Fields: ocr.Fields{ocr.Name: {Value: s.name}, ocr.IDNumber: {Value: s.number}}}
		case "b":
			cards = append(cards, photos.Picture{ID: s.file, Name: s.file, Kind: photos.KindCardBack})
		}
	}
	out := map[string]string{}
	for _, p := range matchCards(list, byID, cards, readings) {
		out[p.card.ID] = p.order.PhotoID + " by " + string(p.by)
	}
	return out
}

func TestPairing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		shots []shot
		want  map[string]string
	}{
		"by the ID number in the portrait's file name": {
			[]shot{{"p", "110101199001011237.jpg", "", ""}, {"p", "李雷.jpg", "", ""}, {"f", "scan7.jpg", "欧阳翀", "110101199001011237"}},
			map[string]string{"scan7.jpg": "110101199001011237.jpg by number"},
		},
		"by the name on the card": {
			[]shot{{"p", "三班/李雷.jpg", "", ""}, {"p", "三班/韩梅梅.jpg", "", ""}, {"f", "scan1.jpg", "韩梅梅", ""}},
			map[string]string{"scan1.jpg": "三班/韩梅梅.jpg by number"},
		},
		"two people of one name are not guessed": {
			[]shot{{"p", "一班/李雷.jpg", "", ""}, {"p", "二班/李雷.jpg", "", ""}, {"f", "scan1.jpg", "李雷", ""}},
			map[string]string{},
		},
		"portrait, card, portrait, card": {
			[]shot{{"p", "IMG_9.jpg", "", ""}, {"f", "IMG_10.jpg", "", ""}, {"p", "IMG_11.jpg", "", ""}, {"f", "IMG_12.jpg", "", ""}},
			map[string]string{"IMG_10.jpg": "IMG_9.jpg by sequence", "IMG_12.jpg": "IMG_11.jpg by sequence"},
		},
		"card first, with backs": {
			[]shot{{"f", "IMG_1.jpg", "", ""}, {"b", "IMG_2.jpg", "", ""}, {"p", "IMG_3.jpg", "", ""}, {"f", "IMG_4.jpg", "", ""}, {"b", "IMG_5.jpg", "", ""}, {"p", "IMG_6.jpg", "", ""}},
			map[string]string{"IMG_1.jpg": "IMG_3.jpg by sequence", "IMG_2.jpg": "IMG_3.jpg by sequence", "IMG_4.jpg": "IMG_6.jpg by sequence", "IMG_5.jpg": "IMG_6.jpg by sequence"},
		},
		"all portraits, then as many cards": {
			[]shot{{"p", "a1.jpg", "", ""}, {"p", "a2.jpg", "", ""}, {"f", "b1.jpg", "", ""}, {"f", "b2.jpg", "", ""}},
			map[string]string{"b1.jpg": "a1.jpg by sequence", "b2.jpg": "a2.jpg by sequence"},
		},
		"a card too few: a person is asked": {
			[]shot{{"p", "IMG_1.jpg", "", ""}, {"f", "IMG_2.jpg", "", ""}, {"p", "IMG_3.jpg", "", ""}},
			map[string]string{},
		},
		"no clear order: a person is asked": {
			[]shot{{"p", "IMG_1.jpg", "", ""}, {"p", "IMG_2.jpg", "", ""}, {"f", "IMG_3.jpg", "", ""}, {"p", "IMG_4.jpg", "", ""}, {"f", "IMG_5.jpg", "", ""}, {"f", "IMG_6.jpg", "", ""}},
			map[string]string{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, match(c.shots...))
		})
	}
}

func TestNameInFile(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"三(2)班/欧阳翀.jpg": "欧阳翀", "李雷_照片.png": "李雷", "买买提·吐尔逊.jpg": "买买提·吐尔逊",
		"IMG_0012.jpg": "", "110101199001011237.jpg": "", "李雷110101199001011237.jpg": "李雷", "李.jpg": "",
	} {
		require.Equal(t, want, nameInFile(file), file)
	}
}

func TestANameReadOtherwiseThanTheFileIsCalledIsDoubted(t *testing.T) {
	t.Parallel()
	f := besideFileName(ocr.Field{Value: "欧阳肿", Candidates: []string{"欧阳独", "欧阳翀"}}, "欧阳翀")
	require.Equal(t, []string{"欧阳翀", "欧阳独"}, f.Candidates)
	require.True(t, f.Has(ocr.LowConfidence))
	same := ocr.Field{Value: "欧阳翀"}
	require.Equal(t, same, besideFileName(same, "欧阳翀"))
}

func TestNaturalOrder(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"IMG_9.jpg", "IMG_10.jpg"}, {"a", "b"}, {"2班/1", "10班/1"}, {"x", "x1"}, {"07", "8"}} {
		require.Negative(t, naturalCompare(pair[0], pair[1]), "%v", pair)
		require.Positive(t, naturalCompare(pair[1], pair[0]), "%v", pair)
	}
	require.Zero(t, naturalCompare("x07", "x07"))
}
