package ppocr

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // formats that image.Decode knows
	_ "image/png"

	"github.com/bep/imagemeta"
	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/webp"

	"huizhi/internal/ocr"
)

// picture is a decoded file and how it must be turned to stand upright.
type picture struct {
	image       image.Image
	orientation int // EXIF, 1 to 8
}

// header is what a file says about itself.
type header struct {
	format        string
	width, height int
}

// inspect refuses what is no picture, or too large, before it takes memory.
func inspect(file []byte) (header, error) {
	config, format, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return header{}, fmt.Errorf("%w: %w", ocr.ErrUnreadable, err)
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > ocr.MaxPixels/config.Height {
		return header{}, fmt.Errorf("%w: %d x %d pixels", ocr.ErrUnreadable, config.Width, config.Height)
	}
	return header{format, config.Width, config.Height}, nil
}

// decode reads a file that passed inspection.
func decode(file []byte, h header) (*picture, error) {
	m, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ocr.ErrUnreadable, err)
	}
	return &picture{m, orientation(file, h.format)}, nil
}

// orientation is 1, upright, where the file does not tell.
func orientation(file []byte, format string) int {
	formats := map[string]imagemeta.ImageFormat{"jpeg": imagemeta.JPEG, "png": imagemeta.PNG, "webp": imagemeta.WebP}
	f, ok := formats[format]
	if !ok {
		return 1
	}
	upright := 1
	_, err := imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(file), ImageFormat: f, Sources: imagemeta.EXIF,
		ShouldHandleTag: func(tag imagemeta.TagInfo) bool { return tag.Tag == "Orientation" },
		HandleTag: func(tag imagemeta.TagInfo) error {
			if v, ok := tag.Value.(uint16); ok && v >= 1 && v <= 8 {
				upright = int(v)
			}
			return imagemeta.ErrStopWalking
		},
	})
	if err != nil {
		return 1
	}
	return upright
}

// size of the upright picture.
func (p *picture) size() image.Point {
	s := p.image.Bounds().Size()
	if p.orientation >= 5 {
		s.X, s.Y = s.Y, s.X
	}
	return s
}

// workingSide is the least longest side, in pixels, of the raster on which the
// engine works: from here on more pixels do not make cards more readable.
const workingSide = 1600

// raster makes the working copy, upright.
func (p *picture) raster() *raster {
	size := p.image.Bounds().Size()
	shrink := max(1, min(max(size.X, size.Y)/workingSide, size.X/minSide, size.Y/minSide))
	return newRaster(p.image, shrink).upright(p.orientation)
}

// minSide is the least width and height in which there can be a line of text.
const minSide = 16

// upright applies an EXIF orientation.
func (r *raster) upright(orientation int) *raster {
	if orientation <= 1 {
		return r
	}
	width, height := r.width, r.height
	if orientation >= 5 {
		width, height = height, width
	}
	u := &raster{width, height, make([]uint8, len(r.pix))}
	for y := range height {
		for x := range width {
			sx, sy := x, y
			if orientation >= 5 { // rows and columns change places
				sx, sy = y, x
			}
			switch orientation {
			case 2, 3, 7, 8: // see the table of the EXIF standard, 4.6.5.1
				sx = r.width - 1 - sx
			}
			switch orientation {
			case 3, 4, 6, 7:
				sy = r.height - 1 - sy
			}
			copy(u.pix[3*(y*width+x):][:3], r.pix[3*(sy*r.width+sx):][:3])
		}
	}
	return u
}
