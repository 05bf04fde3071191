package imaging

import (
	"bytes"
	"errors"
	"image"
	"image/color"
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
			return nil, decoderError(p.data, err)
		}
		return upright(img, p.Orientation), nil
	case HEIC:
		return decodeHEIC(p.data)
	}
	decode := map[Format]func(io.Reader) (image.Image, error){PNG: png.Decode, WebP: decodeWebP, BMP: bmp.Decode}[p.Format]
	img, err := decode(bytes.NewReader(p.data))
	if err != nil {
		return nil, decoderError(p.data, err)
	}
	return upright(opaque(img), p.Orientation), nil
}

// decodeWebP converts the colours of lossy files itself: they are stored in studio range (ITU-R BT.601,
// luma from 16 to 235), which x/image/webp hands out as if it were JPEG's full range, so that black and
// white come out grey.
func decodeWebP(r io.Reader) (image.Image, error) {
	img, err := webp.Decode(r)
	if err != nil {
		return nil, err
	}
	var planes *image.YCbCr
	var alpha func(x, y int) uint8
	switch img := img.(type) {
	case *image.YCbCr:
		planes, alpha = img, func(int, int) uint8 { return 255 }
	case *image.NYCbCrA:
		planes, alpha = &img.YCbCr, func(x, y int) uint8 { return img.A[img.AOffset(x, y)] }
	default:
		return img, nil // lossless
	}
	dst := image.NewNRGBA(planes.Rect)
	channel := func(v int32) uint8 { return uint8(min(max((v+1<<15)>>16, 0), 255)) }
	for y := planes.Rect.Min.Y; y < planes.Rect.Max.Y; y++ {
		for x := planes.Rect.Min.X; x < planes.Rect.Max.X; x++ {
			luma := 76309 * (int32(planes.Y[planes.YOffset(x, y)]) - 16)
			at := planes.COffset(x, y)
			cb, cr := int32(planes.Cb[at])-128, int32(planes.Cr[at])-128
			dst.SetNRGBA(x, y, color.NRGBA{
				channel(luma + 104597*cr), channel(luma - 25675*cb - 53279*cr), channel(luma + 132201*cb), alpha(x, y),
			})
		}
	}
	return dst, nil
}

// DecodeWithin returns the picture no larger than side by side pixels, keeping its shape; smaller ones keep
// their size. This is what text recognition takes.
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
		return decoderError(data, err)
	}
	info.Width, info.Height = c.Width, c.Height
	info.readEXIF(c.Exif)
	return nil
}

// decoderError sorts a decoder's error into what the uploader can understand: the file ends early, it uses
// something we do not read, or it is damaged.
func decoderError(data []byte, err error) error {
	var unsupported scaledjpeg.UnsupportedError
	cutPNG := Sniff(data) == PNG && !bytes.Contains(data, []byte("IEND")) // image/png says only "not enough pixel data"
	switch {
	case cutPNG, errors.Is(err, scaledjpeg.ErrTruncated), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
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
