package marker

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
	"github.com/stretchr/testify/require"
)

const text = "HZP1AAAAAAAAAAAAAAAAAAAAAAAAAA"

// card is a picture of 900 by 600 px with a code of so many.
func card(t testing.TB, side int) *image.RGBA {
	t.Helper()
	code, err := qr.Encode(text, qr.M, qr.Auto)
	require.NoError(t, err)
	code, err = barcode.Scale(code, side, side)
	require.NoError(t, err)
	img := image.NewRGBA(image.Rect(0, 0, 900, 600))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.Gray{235}), image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(300, 100, 300+side, 100+side), code, image.Point{}, draw.Src)
	return img
}

func TestACardIsRead(t *testing.T) {
	t.Parallel()
	for _, side := range []int{120, 200, 400} {
		require.Equal(t, Code{text, true}, Find(card(t, side)), "%d px", side)
	}
}

func TestACardThatIsCoveredIsSeen(t *testing.T) {
	t.Parallel()
	img := card(t, 400)
	draw.Draw(img, image.Rect(420, 200, 560, 420), image.NewUniform(color.Gray{90}), image.Point{}, draw.Src) // a thumb over it
	got := Find(img)
	require.Empty(t, got.Text)
	require.True(t, got.Seen)
}

func TestAPictureWithoutACodeHasNone(t *testing.T) {
	t.Parallel()
	plain := image.NewRGBA(image.Rect(0, 0, 900, 600))
	require.Equal(t, Code{}, Find(plain))
}

func BenchmarkFind(b *testing.B) {
	img := card(b, 200)
	for b.Loop() {
		Find(img)
	}
}

func BenchmarkFindNothing(b *testing.B) {
	img := image.NewRGBA(image.Rect(0, 0, 900, 1200))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7919 >> 3)
	}
	for b.Loop() {
		Find(img)
	}
}
