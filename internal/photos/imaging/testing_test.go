package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/bmp"

	"huizhi/internal/apperr"
)

// file reads a test file.
func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// decoded returns a test file's picture.
func decoded(t testing.TB, name string) *image.RGBA {
	t.Helper()
	p, err := Open(file(t, name))
	if err != nil {
		t.Fatal(err)
	}
	img, err := p.Decode(1)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// key returns the catalogue key of a refusal.
func key(err error) string {
	var e *apperr.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Key
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func bmpOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := bmp.Encode(&buf, img); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// exif is an EXIF structure with an orientation.
func exif(order binary.AppendByteOrder, o Orientation) []byte {
	b := []byte("MM")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		b = []byte("II")
	}
	b = order.AppendUint16(b, 42)
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2) // entries
	b = append(order.AppendUint32(order.AppendUint16(order.AppendUint16(b, 0x010f), 2), 4), "Cam\x00"...)
	b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, 0x0112), 3), 1)
	return order.AppendUint32(order.AppendUint16(order.AppendUint16(b, uint16(o)), 0), 0)
}

// withExif puts an EXIF segment into a JPEG file.
func withExif(file, tiff []byte) []byte {
	segment := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(2+len(segment)))...)
	return append(append(out, segment...), file[2:]...)
}

// quadrants is a picture whose corners are, clockwise from the upper left, red, green, blue and black.
func quadrants(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{A: 255}
			switch {
			case y < h/2 && x < w/2:
				c.R = 255
			case y < h/2:
				c.G = 255
			case x >= w/2:
				c.B = 255
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// corners names the colours of a picture's corners, clockwise from the upper left.
func corners(img *image.RGBA) string {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	name := func(x, y int) byte {
		c := img.RGBAAt(x, y)
		switch {
		case c.R > 128:
			return 'r'
		case c.G > 128:
			return 'g'
		case c.B > 128:
			return 'b'
		default:
			return 'k'
		}
	}
	return string([]byte{name(w/8, h/8), name(w*7/8, h/8), name(w*7/8, h*7/8), name(w/8, h*7/8)})
}

// mapped changes every pixel.
func mapped(src *image.RGBA, f func(x, y int, c color.RGBA) color.RGBA) *image.RGBA {
	dst := image.NewRGBA(src.Rect)
	for y := range src.Rect.Dy() {
		for x := range src.Rect.Dx() {
			dst.SetRGBA(x, y, f(x, y, src.RGBAAt(x, y)))
		}
	}
	return dst
}

// pasted puts a picture onto a light canvas.
func pasted(src *image.RGBA, w, h, x0, y0 int) *image.RGBA {
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	return mapped(dst, func(x, y int, _ color.RGBA) color.RGBA {
		if p := image.Pt(x-x0, y-y0); p.In(src.Rect) {
			return src.RGBAAt(p.X, p.Y)
		}
		return color.RGBA{245, 245, 245, 255}
	})
}
