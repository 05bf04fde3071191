package cards

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image"
	"image/draw"
	"image/jpeg"
	_ "image/png" // a format that all providers accept

	_ "golang.org/x/image/bmp"  // likewise
	_ "golang.org/x/image/tiff" // xinhuo accepts it
)

// ErrBase64 is what Decode says of anything else.
var ErrBase64 = errors.New("cards: not base64")

// Decode reads base64 strictly: no data: prefix, no line breaks, no spaces where a '+' was not form-encoded, padded.
func Decode(text string) ([]byte, error) {
	for i := range len(text) {
		if text[i] == '\n' || text[i] == '\r' { // which encoding/base64 would skip
			return nil, ErrBase64
		}
	}
	content, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, ErrBase64
	}
	return content, nil
}

// Picture is what the head of an image file says.
type Picture struct {
	Format        string // jpeg, png, bmp or tiff
	Width, Height int    // pixels
}

// Inspect reads the head of an image file.
func Inspect(file []byte) (Picture, error) {
	c, format, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return Picture{}, err
	}
	return Picture{Format: format, Width: c.Width, Height: c.Height}, nil
}

// maxCropPixels keeps a picture that claims to be huge from taking the memory.
const maxCropPixels = 40_000_000

// Part is a rectangle on a card, in parts of its width and height.
type Part struct{ X0, Y0, X1, Y1 float64 }

// Parts of a picture that the card fills: all of it, and on the front of an ID card the portrait and the number.
var (
	Whole    = Part{0, 0, 1, 1}
	Portrait = Part{0.62, 0.12, 0.95, 0.78}
	Number   = Part{0.30, 0.80, 0.95, 0.94}
)

// Crop cuts parts out of a picture and returns each as JPEG in base64, or all empty if it cannot be decoded.
func Crop(file []byte, parts ...Part) []string {
	cut := make([]string, len(parts))
	if p, err := Inspect(file); err != nil || p.Width*p.Height > maxCropPixels {
		return cut
	}
	picture, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return cut
	}
	b := picture.Bounds()
	at := func(x, y float64) image.Point {
		return b.Min.Add(image.Pt(int(x*float64(b.Dx())+.5), int(y*float64(b.Dy())+.5)))
	}
	for i, part := range parts {
		r := image.Rectangle{Min: at(part.X0, part.Y0), Max: at(part.X1, part.Y1)}.Intersect(b)
		if r.Empty() {
			continue
		}
		piece := image.NewRGBA(image.Rectangle{Max: r.Size()})
		draw.Draw(piece, piece.Bounds(), picture, r.Min, draw.Src)
		var file bytes.Buffer
		if err := jpeg.Encode(&file, piece, &jpeg.Options{Quality: 85}); err != nil {
			continue // a side beyond what JPEG can hold
		}
		cut[i] = base64.StdEncoding.EncodeToString(file.Bytes())
	}
	return cut
}
