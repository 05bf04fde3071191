package ocrclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"slices"

	"huizhi/internal/apperr"
	"huizhi/internal/ocr"
	"huizhi/internal/photos/imaging"
)

// Limits are what a service takes.
type Limits struct {
	MinSide int // of the shorter side, px
	MaxSide int // of the longer side, px
	// GoodSide is the longer side, px, that a picture gets when it has to be converted: more only makes the call slower.
	GoodSide int
	MaxSize  int // of the file as Size counts it, bytes
	// Size of a file as the service counts it, such as after encoding.
	Size func(file []byte) int
	// Formats are those sent as they are; everything else becomes JPEG.
	Formats []imaging.Format
}

// Picture is a picture that a service takes, without metadata.
type Picture struct {
	File []byte
	// Width and Height of the upright original, px.
	Width, Height int
}

const (
	firstQuality = 92
	lastQuality  = 60 // blocks begin to eat strokes below it; fewer pixels are better
	qualityStep  = 8
)

// decoding bounds the memory of pictures being converted: each takes at most about 600 MB, usually 50.
var decoding = imaging.NewPool(2)

// Fit makes a file within the limits of a picture of any format that is taken in. A file that fits already is sent
// unchanged, unless it says more than the picture: no place, time or camera leaves. An error is ocr.ErrUnreadable, for a file that is no picture, or the
// context's.
func Fit(ctx context.Context, file []byte, l Limits) (Picture, error) {
	var fitted Picture
	err := decoding.Do(ctx, func() error {
		p, err := imaging.Open(file)
		if err != nil {
			return err
		}
		fitted = Picture{File: file, Width: p.Width, Height: p.Height}
		if l.allow(p.Info, file) {
			return nil
		}
		img, err := p.DecodeWithin(l.GoodSide)
		if err != nil {
			return err
		}
		fitted.File, err = encodeWithin(padded(img, l.MinSide), l)
		return err
	})
	if _, refused := errors.AsType[*apperr.Error](err); refused {
		return Picture{}, fmt.Errorf("%w: %w", ocr.ErrUnreadable, err)
	}
	return fitted, err
}

// allow reports whether the file can be sent as it is.
func (l Limits) allow(info imaging.Info, file []byte) bool {
	return slices.Contains(l.Formats, info.Format) && info.Orientation == 1 && min(info.Width, info.Height) >= l.MinSide &&
		max(info.Width, info.Height) <= l.MaxSide && l.Size(file) <= l.MaxSize && bare(info.Format, file)
}

// encodeWithin lowers the quality, then the number of pixels, until the file is small enough.
func encodeWithin(img *image.RGBA, l Limits) ([]byte, error) {
	var buf bytes.Buffer
	for quality := firstQuality; ; {
		buf.Reset()
		if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: quality}); err != nil {
			return nil, err
		}
		longer, shorter := max(img.Rect.Dx(), img.Rect.Dy()), min(img.Rect.Dx(), img.Rect.Dy())
		switch {
		case l.Size(buf.Bytes()) <= l.MaxSize:
			return buf.Bytes(), nil
		case quality-qualityStep >= lastQuality:
			quality -= qualityStep
		case shorter*3/4 < l.MinSide:
			return nil, fmt.Errorf("no file of %d bytes shows this picture", l.MaxSize)
		default:
			img, quality = imaging.Within(img, longer*3/4), firstQuality
		}
	}
}

// padded adds white to the right and below where a very long picture is too narrow.
func padded(img *image.RGBA, side int) *image.RGBA {
	if img.Rect.Dx() >= side && img.Rect.Dy() >= side {
		return img
	}
	wider := image.NewRGBA(image.Rect(0, 0, max(img.Rect.Dx(), side), max(img.Rect.Dy(), side)))
	draw.Draw(wider, wider.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(wider, img.Rect, img, image.Point{}, draw.Src)
	return wider
}
