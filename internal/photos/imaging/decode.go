package imaging

import (
	"bytes"
	"errors"
	"image"
	"image/draw"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"

	"huizhi/internal/photos/imaging/scaledjpeg"
)

// Picture is a file that passed [Inspect]. It holds the file's bytes, no pixels.
type Picture struct {
	Info
	data []byte
}

// Open inspects a file. The picture keeps data, which must not change.
func Open(data []byte) (*Picture, error) {
	info, err := Inspect(data)
	if err != nil {
		return nil, err
	}
	return &Picture{info, data}, nil
}

// Decode returns the whole picture upright and opaque, at full size or, where the format allows it
// cheaply, smaller, but never with fewer pixels per side than scale times the full size; scale is above 0
// and at most 1. Transparency becomes white. Refusals are as for [Inspect], and error.file.truncated or
// error.file.unreadable for what shows only in the pixels.
func (p *Picture) Decode(scale float64) (img *image.RGBA, err error) {
	err = guard(func() error {
		img, err = p.decode(scale)
		return err
	})
	if err != nil {
		return nil, err
	}
	return img, nil
}

func (p *Picture) decode(scale float64) (*image.RGBA, error) {
	switch p.Format {
	case JPEG:
		n := 8
		for n > 1 && float64(n/2)/8 >= scale {
			n /= 2
		}
		img, err := scaledjpeg.Decode(p.data, n)
		if err != nil {
			return nil, headerError(p.data, err)
		}
		return upright(img, p.Orientation), nil
	case HEIC:
		return decodeHEIC(p.data)
	}
	decode := map[Format]func(io.Reader) (image.Image, error){PNG: png.Decode, WebP: webp.Decode, BMP: bmp.Decode}[p.Format]
	img, err := decode(bytes.NewReader(p.data))
	if err != nil {
		return nil, headerError(p.data, err)
	}
	if err := checkSize(img.Bounds().Dx(), img.Bounds().Dy()); err != nil {
		return nil, err
	}
	return upright(opaque(img), p.Orientation), nil
}

// DecodeWithin returns the picture no larger than side by side pixels, keeping its shape; smaller ones keep
// their size. This is what text recognition and previews take.
func (p *Picture) DecodeWithin(side int) (*image.RGBA, error) {
	scale := math.Min(1, float64(side)/float64(max(p.Width, p.Height)))
	img, err := p.Decode(scale)
	if err != nil {
		return nil, err
	}
	return Within(img, side), nil
}

// inspectJPEG reads the frame header and the EXIF orientation.
func inspectJPEG(data []byte, info *Info) error {
	c, err := scaledjpeg.DecodeConfig(data)
	if err != nil {
		return headerError(data, err)
	}
	info.Width, info.Height, info.Orientation = c.Width, c.Height, exifOrientation(c.Exif)
	return nil
}

// headerError sorts a decoder's error into what the uploader can understand: the file ends early, it uses
// something we do not read, or it is damaged.
func headerError(data []byte, err error) error {
	var unsupported scaledjpeg.UnsupportedError
	switch {
	case errors.Is(err, scaledjpeg.ErrTruncated), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return refuse("error.file.truncated").Wrap(err)
	case errors.As(err, &unsupported):
		return refuse("error.file.unsupported", "format", string(Sniff(data))+" ("+string(unsupported)+")").Wrap(err)
	default:
		return refuse("error.file.unreadable").Wrap(err)
	}
}

// opaque copies a picture onto white.
func opaque(src image.Image) *image.RGBA {
	b := src.Bounds()
	dst := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	if o, ok := src.(interface{ Opaque() bool }); ok && o.Opaque() {
		draw.Draw(dst, dst.Rect, src, b.Min, draw.Src)
		return dst
	}
	draw.Draw(dst, dst.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(dst, dst.Rect, src, b.Min, draw.Over)
	return dst
}
