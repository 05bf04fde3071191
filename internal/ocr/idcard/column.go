package idcard

import (
	"math"
	"slices"
)

type place struct{ x, y float64 }

// column is a straight line down the page, x = x0 + slope (y - y0). In a
// photograph taken at an angle it is not quite upright.
type column struct{ x0, y0, slope float64 }

// maxSlope is more than any readable photograph has.
const maxSlope = .4

// newColumn fits a line to points of which some may be wrong (Theil and Sen's
// estimator: the median of the slopes of all pairs). Without points the column
// is infinitely far to the left.
func newColumn(points []place) column {
	if len(points) == 0 {
		return column{x0: math.Inf(-1)}
	}
	var slopes []float64
	for i, p := range points {
		for _, q := range points[:i] {
			if dy := p.y - q.y; math.Abs(dy) > 1 {
				slopes = append(slopes, (p.x-q.x)/dy)
			}
		}
	}
	c := column{y0: points[0].y}
	if len(slopes) > 0 {
		c.slope = min(max(median(slopes), -maxSlope), maxSlope)
	}
	var xs []float64
	for _, p := range points {
		xs = append(xs, p.x-c.slope*(p.y-c.y0))
	}
	c.x0 = median(xs)
	return c
}

func (c column) at(y float64) float64 { return c.x0 + c.slope*(y-c.y0) }

func median(v []float64) float64 {
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
