package ppocr

import (
	"math"
	"testing"
)

func TestSmallestBoxFollowsATiltedRectangle(t *testing.T) {
	t.Parallel()
	const degrees = 17
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	var points []point
	for x := -50.0; x <= 50; x += 5 {
		for y := -10.0; y <= 10; y += 5 {
			points = append(points, point{300 + x*cos - y*sin, 200 + x*sin + y*cos})
		}
	}
	b, ok := smallestBox(points)
	if !ok {
		t.Fatal("no box")
	}
	if math.Abs(b.long-100) > 1e-6 || math.Abs(b.short-20) > 1e-6 || b.centre.distance(point{300, 200}) > 1e-6 {
		t.Errorf("got %+v", b)
	}
	if got := math.Abs(b.along.dot(point{cos, sin})); got < 1-1e-9 {
		t.Errorf("along %v", b.along)
	}
}

func TestSmallestBoxNeedsAnArea(t *testing.T) {
	t.Parallel()
	for _, points := range [][]point{nil, {{1, 1}}, {{1, 1}, {1, 1}, {1, 1}}, {{0, 0}, {1, 1}, {2, 2}, {3, 3}}} {
		if b, ok := smallestBox(points); ok {
			t.Errorf("%v: %+v", points, b)
		}
	}
}

func TestQuadReadsInTheDirectionOfTheText(t *testing.T) {
	t.Parallel()
	b := box{centre: point{100, 50}, along: point{1, 0}, across: point{0, 1}, long: 80, short: 20}
	for name, test := range map[string]struct {
		direction point
		topLeft   point
		width     float64
	}{
		"to the right": {point{1, 0}, point{60, 40}, 80},
		"upside down":  {point{-1, 0}, point{140, 60}, 80},
		"downwards":    {point{0, 1}, point{140, 40}, 20}, // a box across the text keeps its shape
	} {
		q := b.quad(test.direction)
		if q.topLeft.distance(test.topLeft) > 1e-9 || math.Abs(q.width()-test.width) > 1e-9 {
			t.Errorf("%s: %+v", name, q)
		}
		if turned := q.turned().turned(); turned.topLeft.distance(q.topLeft) > 1e-9 || turned.bottomLeft.distance(q.bottomLeft) > 1e-9 {
			t.Errorf("%s: turned twice %+v", name, turned)
		}
	}
}

func TestRotationIsInQuarterTurnsClockwise(t *testing.T) {
	t.Parallel()
	for want, direction := range map[int]point{0: {1, .1}, 90: {.2, 1}, 180: {-1, .1}, 270: {.1, -1}} {
		if got := rotation(direction); got != want {
			t.Errorf("%v: got %d, want %d", direction, got, want)
		}
	}
}

func TestCommonAxisIgnoresShortBoxes(t *testing.T) {
	t.Parallel()
	long := box{along: point{0, -1}, across: point{1, 0}, long: 200, short: 20}
	short := box{along: point{1, 0}, across: point{0, 1}, long: 25, short: 20}
	got := commonAxis([]box{short, short, short, long})
	if got.distance(point{0, 1}) > 1e-9 {
		t.Errorf("got %v", got)
	}
}

func TestTextBoxesFindsLinesAndGrowsThem(t *testing.T) {
	t.Parallel()
	const width, height = 120, 60
	probability := make([]float32, width*height)
	fill := func(x0, y0, x1, y1 int, p float32) {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				probability[y*width+x] = p
			}
		}
	}
	fill(10, 40, 71, 51, .9)   // a line
	fill(10, 10, 41, 16, .9)   // one above it
	fill(90, 10, 100, 16, .35) // too faint
	fill(90, 40, 110, 42, .9)  // too flat
	boxes := textBoxes(probability, width, height)
	if len(boxes) != 2 {
		t.Fatalf("%d boxes: %+v", len(boxes), boxes)
	}
	upper, lower := boxes[0], boxes[1]
	if upper.centre.distance(point{25, 12.5}) > 1e-6 || lower.centre.distance(point{40, 45}) > 1e-6 {
		t.Errorf("centres %v and %v", upper.centre, lower.centre)
	}
	grow := 60.0 * 10 * unclipRatio / 70
	if math.Abs(lower.long-60-grow) > 1e-6 || math.Abs(lower.short-10-grow) > 1e-6 {
		t.Errorf("size %v x %v", lower.long, lower.short)
	}
}

func TestConnectedCoresJoinsAcrossCorners(t *testing.T) {
	t.Parallel()
	probability := []float32{
		1, 0, 1, 0, 0,
		0, 1, 0, 0, 1,
		0, 0, 0, 0, 1,
	}
	if cores := connectedCores(probability, 5, 3); len(cores) != 2 {
		t.Errorf("%d cores: %v", len(cores), cores)
	}
}
