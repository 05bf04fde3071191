package photos

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestPairKey(t *testing.T) {
	t.Parallel()
	for key, names := range map[string][]string{
		"2班/李雷": {
			"2班/李雷.jpg", "2班/李雷_正面.JPG", "2班/李雷（照片）.png", "2班/李雷-身份证反面.heic", "2班/照片/李雷.jpg",
			"2班/身份证/李雷.jpg", "2班/李雷 (1).jpg", "2班/李雷_2.jpg", "2班/李雷 - 副本.jpg", `2班\李雷国徽面.jpg`, "２班/李雷　人像.jpg",
			"2班/身份证正面/李雷.jpg", "2班/李雷_身份证_正面_1.jpg",
		},
		"zhang san": {"Zhang_San.jpg", "zhang-san_front.JPG", "ID Card/Zhang San back.png", "ZHANG SAN (2).jpeg", "zhang san id photo.webp", "ｚｈａｎｇ　ｓａｎ.jpg"},
		"李雷/":       {"李雷/正面.jpg", "李雷/照片.jpg", "李雷/身份证_2.jpg", "照片/李雷/front.png"},
		"20260101":  {"20260101.jpg", "20260101_front.jpg", "20260101-2.jpg"},
		"img 0012":  {"IMG_0012.JPG", "IMG_0012_back.JPG"},
		"":          {"正面.jpg", "front.png", "", "照片 (1).jpg"},
	} {
		for _, name := range names {
			require.Equal(t, key, PairKey(name), name)
		}
	}
}

func TestPairKeyKeepsPeopleApart(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{
		{"2班/李雷.jpg", "3班/李雷.jpg"},
		{"班_1/李雷.jpg", "班_2/李雷.jpg"},
		{"三班_11.jpg", "三班_12.jpg"},
		{"IMG_0001.jpg", "IMG_0002.jpg"},
		{"李雷.jpg", "李雷雷.jpg"},
		{"david.jpg", "dav.jpg"}, // "id" inside a name is no word
	} {
		require.NotEqual(t, PairKey(pair[0]), PairKey(pair[1]), "%v", pair)
	}
}

func FuzzPairKey(f *testing.F) {
	f.Add("2班/李雷_正面 (1).jpg")
	f.Add("_1_1_1(1)(1)front back")
	f.Fuzz(func(t *testing.T, name string) {
		if !utf8.ValidString(name) {
			t.Skip()
		}
		key := PairKey(name)
		require.Equal(t, key, PairKey(name))
		require.False(t, strings.HasPrefix(key, "/"), key)
	})
}
