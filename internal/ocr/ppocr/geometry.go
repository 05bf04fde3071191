package ppocr

import (
	"cmp"
	"math"
	"slices"
)

// point is a place, or a vector, in pixels; y grows downwards.
type point struct{ x, y float64 }

func (a point) add(b point) point         { return point{a.x + b.x, a.y + b.y} }
func (a point) sub(b point) point         { return point{a.x - b.x, a.y - b.y} }
func (a point) times(k float64) point     { return point{a.x * k, a.y * k} }
func (a point) dot(b point) float64       { return a.x*b.x + a.y*b.y }
func (a point) cross(b point) float64     { return a.x*b.y - a.y*b.x }
func (a point) length() float64           { return math.Hypot(a.x, a.y) }
func (a point) distance(b point) float64  { return a.sub(b).length() }
func (a point) scaled(x, y float64) point { return point{a.x * x, a.y * y} }

// quad is a parallelogram by three corners in reading direction; the fourth,
// at the bottom right, follows.
type quad struct{ topLeft, topRight, bottomLeft point }

func (q quad) width() float64  { return q.topLeft.distance(q.topRight) }
func (q quad) height() float64 { return q.topLeft.distance(q.bottomLeft) }

// turned is the quad read upside down.
func (q quad) turned() quad {
	bottomRight := q.topRight.add(q.bottomLeft).sub(q.topLeft)
	return quad{bottomRight, q.bottomLeft, q.topRight}
}

// box is a rectangle at any angle.
type box struct {
	centre        point
	along, across point // unit vectors of its long and of its short side
	long, short   float64
}

func (b box) scaled(x, y float64) box {
	along, across := b.along.scaled(x, y).times(b.long), b.across.scaled(x, y).times(b.short)
	b.long, b.short = along.length(), across.length()
	b.along, b.across = along.times(1/b.long), across.times(1/b.short)
	b.centre = b.centre.add(point{.5, .5}).scaled(x, y)
	return b
}

// quad orders the corners for text that runs in a direction.
func (b box) quad(direction point) quad {
	right, down := b.along.times(b.long), b.across.times(b.short)
	if math.Abs(b.along.dot(direction)) < math.Abs(b.across.dot(direction)) {
		right, down = down, right
	}
	if right.dot(direction) < 0 {
		right = right.times(-1)
	}
	if down.dot(point{-direction.y, direction.x}) < 0 {
		down = down.times(-1)
	}
	topLeft := b.centre.sub(right.add(down).times(.5))
	return quad{topLeft, topLeft.add(right), topLeft.add(down)}
}

// smallestBox is the rectangle of least area around the points, found by laying
// a side on every edge of their convex hull. It fails for points on one line.
func smallestBox(points []point) (box, bool) {
	hull := convexHull(points)
	if len(hull) < 3 {
		return box{}, false
	}
	var best box
	least := math.Inf(1)
	for i, p := range hull {
		edge := hull[(i+1)%len(hull)].sub(p)
		u := edge.times(1 / edge.length())
		v := point{-u.y, u.x}
		minU, maxU, minV, maxV := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
		for _, q := range hull {
			minU, maxU = min(minU, q.dot(u)), max(maxU, q.dot(u))
			minV, maxV = min(minV, q.dot(v)), max(maxV, q.dot(v))
		}
		if area := (maxU - minU) * (maxV - minV); area < least {
			least = area
			centre := u.times((minU + maxU) / 2).add(v.times((minV + maxV) / 2))
			best = box{centre, u, v, maxU - minU, maxV - minV}
		}
	}
	if best.long < best.short {
		best.long, best.short = best.short, best.long
		best.along, best.across = best.across, best.along
	}
	return best, true
}

// convexHull returns the corners of the hull (Andrew's monotone chain). It
// reorders the points.
func convexHull(points []point) []point {
	slices.SortFunc(points, func(a, b point) int {
		if a.x != b.x {
			return cmp.Compare(a.x, b.x)
		}
		return cmp.Compare(a.y, b.y)
	})
	points = slices.Compact(points)
	if len(points) < 3 {
		return points
	}
	var hull []point
	half := func(next func(i int) point) {
		start := len(hull)
		for i := range points {
			p := next(i)
			for len(hull) >= start+2 {
				a, b := hull[len(hull)-2], hull[len(hull)-1]
				if b.sub(a).cross(p.sub(a)) > 0 {
					break
				}
				hull = hull[:len(hull)-1]
			}
			hull = append(hull, p)
		}
		hull = hull[:len(hull)-1] // the other half begins with it
	}
	half(func(i int) point { return points[i] })
	half(func(i int) point { return points[len(points)-1-i] })
	return hull
}
