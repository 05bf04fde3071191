// Package marker reads the QR code of a card that was photographed among the
// people.
//
// It stands on github.com/makiuchi-d/gozxing, the pure Go port of ZXing (MIT and
// Apache 2.0): it has had no release since 2021, but neither has the symbology,
// it reads what ZXing reads, and it can be replaced here alone.
package marker

import (
	"image"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// Code is a QR code in a picture.
type Code struct {
	Text string // "" if it cannot be read
	Seen bool   // the three corners of one are there
}

// corners is how many finder patterns a QR code has.
const corners = 3

// Find looks for a QR code. A picture of 900 px is enough for a card that fills a
// twentieth of it.
func Find(img *image.RGBA) Code {
	luma, w, h := lumaOf(img)
	source, err := gozxing.NewPlanarYUVLuminanceSource(luma, w, h, 0, 0, w, h, false)
	if err != nil {
		return Code{}
	}
	bitmap, err := gozxing.NewBinaryBitmap(gozxing.NewHybridBinarizer(source))
	if err != nil {
		return Code{}
	}
	seen := 0
	hints := map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_TRY_HARDER:                 true,
		gozxing.DecodeHintType_NEED_RESULT_POINT_CALLBACK: gozxing.ResultPointCallback(func(gozxing.ResultPoint) { seen++ }),
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, hints)
	if err != nil {
		return Code{Seen: seen >= corners}
	}
	return Code{Text: result.GetText(), Seen: true}
}

// lumaOf is the brightness of the pixels: the library's own way through
// color.Color takes longer than all the rest.
func lumaOf(img *image.RGBA) (luma []byte, w, h int) {
	w, h = img.Rect.Dx(), img.Rect.Dy()
	luma = make([]byte, 0, w*h)
	for y := range h {
		for row := img.Pix[y*img.Stride : y*img.Stride+4*w]; len(row) > 0; row = row[4:] {
			luma = append(luma, byte((299*int(row[0])+587*int(row[1])+114*int(row[2]))/1000))
		}
	}
	return luma, w, h
}
