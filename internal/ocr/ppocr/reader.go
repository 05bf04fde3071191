package ppocr

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"math"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"huizhi/internal/ocr"
	"huizhi/internal/ocr/idcard"
)

// Reader is the engine as an ocr.Reader.
type Reader struct {
	engine *engine
	pixels *semaphore.Weighted // that may be decoded at the same time
	now    func() time.Time
}

var _ ocr.Reader = (*Reader)(nil)

// Open verifies and loads the engine in a directory made by
// build/ocr/install.sh. That takes about half a second and 150 MB.
func Open(dir string) (*Reader, error) {
	if err := Installed(dir); err != nil {
		return nil, err
	}
	e, err := openEngine(dir, min(2, runtime.GOMAXPROCS(0)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ocr.ErrUnavailable, err)
	}
	return &Reader{engine: e, pixels: semaphore.NewWeighted(ocr.MaxPixels), now: time.Now}, nil
}

// Name implements ocr.Reader. Other models have another name.
func (r *Reader) Name() string { return "ppocr-" + r.engine.id }

// Health implements ocr.Reader.
func (r *Reader) Health(context.Context) error { return nil }

// Close frees the models. The library stays loaded.
func (r *Reader) Close() error { return r.engine.close() }

// Capabilities implements ocr.Reader.
func (r *Reader) Capabilities() ocr.Capabilities { return idcard.Capabilities() }

// Read implements ocr.Reader. It finds the side by itself, whatever is expected.
func (r *Reader) Read(ctx context.Context, request ocr.Request) (*ocr.Reading, error) {
	if !r.Capabilities().Reads(request.Document) {
		return nil, ocr.ErrUnsupported
	}
	start := r.now()
	reading := &ocr.Reading{Type: ocr.Unknown, Fields: ocr.Fields{}, Engine: r.Name(), Crops: map[ocr.FieldName][]byte{}}
	raster, err := r.open(ctx, request.Image, reading)
	if err != nil {
		return nil, err
	}
	if min(raster.width, raster.height) >= minSide {
		if err := r.read(ctx, raster, reading); err != nil {
			return nil, err
		}
	}
	reading.Took = r.now().Sub(start)
	return reading, nil
}

// open decodes a file. Large pictures wait for each other.
func (r *Reader) open(ctx context.Context, file []byte, reading *ocr.Reading) (*raster, error) {
	header, err := inspect(file)
	if err != nil {
		return nil, err
	}
	pixels := int64(header.width) * int64(header.height)
	if err := r.pixels.Acquire(ctx, pixels); err != nil {
		return nil, err
	}
	defer r.pixels.Release(pixels)
	p, err := decode(file, header)
	if err != nil {
		return nil, err
	}
	reading.Width, reading.Height = p.size().X, p.size().Y
	return p.raster(), nil
}

func (r *Reader) read(ctx context.Context, raster *raster, reading *ocr.Reading) error {
	page, err := r.engine.read(ctx, raster)
	if err != nil {
		return err
	}
	reading.Rotation = rotation(page.direction)
	reading.TextLines = len(page.lines)
	card := idcard.Parse(page.cardLines())
	reading.Type = card.Type
	reading.Fields = ocr.Check(card.Fields, r.now())
	for name, box := range card.Boxes {
		if reading.Crops[name], err = page.crop(box); err != nil {
			return err
		}
	}
	return nil
}

// cardLines turns the lines into the frame of the page, whose x axis is the
// direction of the text.
func (p *page) cardLines() []idcard.Line {
	var lines []idcard.Line
	for _, l := range p.lines {
		right := l.quad.topRight.sub(l.quad.topLeft)
		down := l.quad.bottomLeft.sub(l.quad.topLeft)
		middle := l.quad.topLeft.add(down.times(.5))
		start, end := p.toFrame(middle), p.toFrame(middle.add(right))
		y, height := (start.y+end.y)/2, down.length()
		line := idcard.Line{Box: idcard.Box{X0: start.x, Y0: y - height/2, X1: end.x, Y1: y + height/2}}
		for _, g := range l.glyphs {
			line.Glyphs = append(line.Glyphs, idcard.Glyph{
				Char: g.char, X: start.x + g.at*(end.x-start.x), Probability: g.probability, None: g.none, Others: g.others,
			})
		}
		lines = append(lines, line)
	}
	return lines
}

func (p *page) toFrame(a point) point {
	return point{a.dot(p.direction), p.direction.cross(a)}
}

// lineHeight is the median of the lines'.
func (p *page) lineHeight() float64 {
	var heights []float64
	for _, l := range p.lines {
		heights = append(heights, l.quad.height())
	}
	slices.Sort(heights)
	return heights[len(heights)/2]
}

// quad is a box of the frame in the picture.
func (p *page) quad(b idcard.Box) quad {
	down := point{-p.direction.y, p.direction.x}
	at := func(x, y float64) point { return p.direction.times(x).add(down.times(y)) }
	return quad{at(b.X0, b.Y0), at(b.X1, b.Y0), at(b.X0, b.Y1)}
}

const (
	cropMargin    = .35 // of a line's height, on each side
	maxCropWidth  = 640
	maxCropHeight = 200
	cropQuality   = 82
)

// crop is a JPEG of a box, not enlarged.
func (p *page) crop(b idcard.Box) ([]byte, error) {
	margin := cropMargin * p.lineHeight()
	q := p.quad(idcard.Box{X0: b.X0 - margin, Y0: b.Y0 - margin, X1: b.X1 + margin, Y1: b.Y1 + margin})
	scale := min(1, maxCropWidth/q.width(), maxCropHeight/q.height())
	width, height := int(math.Ceil(q.width()*scale)), int(math.Ceil(q.height()*scale))
	var file bytes.Buffer
	err := jpeg.Encode(&file, p.raster.crop(q, max(width, 1), max(height, 1)), &jpeg.Options{Quality: cropQuality})
	return file.Bytes(), err
}
