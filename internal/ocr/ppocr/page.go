package ppocr

import (
	"cmp"
	"context"
	"image"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// page is what was read from a picture.
type page struct {
	raster    *raster // in which the lines are
	direction point   // unit vector in which the text runs
	lines     []line
}

const (
	minLineConfidence = .4
	// judges is how many of the longest lines decide which way is up, and
	// recogniserJudges how many the recogniser reads both ways if they differ.
	judges           = 7
	recogniserJudges = 3
)

// closeUpBelow is the size, as a share of the picture, from which text that
// stands close together is small enough for a closer look. Of a card whose
// text takes up less, the detector begins to miss single characters.
const closeUpBelow = .4

// read finds and reads all lines. When all are in a small part of the picture,
// as on a card photographed from afar, it goes on with that part; the page says
// with which.
func (e *engine) read(ctx context.Context, r *raster) (*page, error) {
	boxes, err := e.detect(r)
	if err != nil {
		return nil, err
	}
	if part, small := closeUp(boxes, r.width, r.height); small && ctx.Err() == nil {
		r = r.part(part)
		if boxes, err = e.detect(r); err != nil {
			return nil, err
		}
	}
	p := &page{raster: r, direction: point{1, 0}}
	if len(boxes) == 0 {
		return p, nil
	}
	if p.direction, err = e.direction(ctx, r, boxes); err != nil {
		return nil, err
	}
	lines := make([]line, len(boxes))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(min(2, runtime.GOMAXPROCS(0)))
	for _, i := range longestFirst(boxes) {
		group.Go(func() (err error) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			lines[i], err = e.recognise(r, boxes[i].quad(p.direction), 1)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	p.lines = slices.DeleteFunc(lines, func(l line) bool { return l.confidence() < minLineConfidence })
	return p, nil
}

// direction tells which way the text of the whole page runs. Line by line, as
// PaddleOCR does it, short lines come out upside down.
func (e *engine) direction(ctx context.Context, r *raster, boxes []box) (point, error) {
	direction := commonAxis(boxes)
	order := longestFirst(boxes)
	order = order[:min(len(order), judges)]
	var votes float64 // for upside down
	for _, i := range order {
		if ctx.Err() != nil {
			return point{}, ctx.Err()
		}
		p, err := e.upsideDown(r, boxes[i].quad(direction))
		if err != nil {
			return point{}, err
		}
		votes += p - .5
	}
	if math.Abs(votes) < .25*float64(len(order)) { // unsure
		votes = 0
		for _, i := range order[:min(len(order), recogniserJudges)] {
			q := boxes[i].quad(direction)
			upright, err := e.recognise(r, q, 1)
			if err != nil {
				return point{}, err
			}
			turned, err := e.recognise(r, q.turned(), 1)
			if err != nil {
				return point{}, err
			}
			votes += turned.confidence()*float64(len(turned.glyphs)) - upright.confidence()*float64(len(upright.glyphs))
		}
	}
	if votes > 0 {
		direction = direction.times(-1)
	}
	return direction, nil
}

// commonAxis is the direction of the long boxes, weighted by their length, to
// the right or downwards.
func commonAxis(boxes []box) point {
	isLong := func(b box) bool { return b.long >= 2*b.short }
	var horizontal, vertical float64
	for _, b := range boxes {
		switch {
		case !isLong(b):
		case math.Abs(b.along.x) >= math.Abs(b.along.y):
			horizontal += b.long
		default:
			vertical += b.long
		}
	}
	axis := point{1, 0}
	if vertical > horizontal {
		axis = point{0, 1}
	}
	var sum point
	for _, b := range boxes {
		if cos := b.along.dot(axis); isLong(b) && math.Abs(cos) > .7 {
			sum = sum.add(b.along.times(math.Copysign(b.long, cos)))
		}
	}
	if length := sum.length(); length > 0 {
		return sum.times(1 / length)
	}
	return axis
}

// rotation is the direction in quarter turns clockwise, in degrees.
func rotation(direction point) int {
	quarters := math.Round(math.Atan2(direction.y, direction.x) / (math.Pi / 2))
	return (int(quarters) + 4) % 4 * 90
}

// longestFirst returns the indices of the boxes by length: the heaviest work
// begins first.
func longestFirst(boxes []box) []int {
	order := make([]int, len(boxes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(boxes[b].long, boxes[a].long) })
	return order
}

// closeUp returns the part of a picture that has all the boxes, with as much
// again around it as belongs to a card, if that is a small part.
func closeUp(boxes []box, width, height int) (image.Rectangle, bool) {
	if len(boxes) < 2 {
		return image.Rectangle{}, false
	}
	low, high := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, b := range boxes {
		reach := math.Hypot(b.long, b.short) / 2
		low = point{min(low.x, b.centre.x-reach), min(low.y, b.centre.y-reach)}
		high = point{max(high.x, b.centre.x+reach), max(high.y, b.centre.y+reach)}
	}
	size := max(high.x-low.x, high.y-low.y)
	if size > closeUpBelow*float64(max(width, height)) {
		return image.Rectangle{}, false
	}
	margin := size / 2
	part := image.Rect(int(low.x-margin), int(low.y-margin), int(high.x+margin), int(high.y+margin))
	part = part.Intersect(image.Rect(0, 0, width, height))
	return part, min(part.Dx(), part.Dy()) >= minSide
}
