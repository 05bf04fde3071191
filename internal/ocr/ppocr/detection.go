package ppocr

import (
	"cmp"
	"math"
	"slices"
)

// Post-processing of the detector, after Liao et al., "Real-time Scene Text
// Detection with Differentiable Binarization" (2019): its output tells for each
// pixel how probably it lies in the shrunk core of a text line.
const (
	coreThreshold = .3  // of a pixel, to belong to a core
	boxThreshold  = .5  // of the mean over a box, to be text
	unclipRatio   = 1.6 // how much a line is larger than its core: area x ratio / perimeter on each side
	minCoreHeight = 3.0
	minLineHeight = 5.0
)

// textBoxes finds the lines in a probability map of width x height, in its
// coordinates, from top to bottom.
func textBoxes(probability []float32, width, height int) []box {
	var boxes []box
	for _, core := range connectedCores(probability, width, height) {
		b, ok := smallestBox(core)
		if !ok || b.short < minCoreHeight || meanInside(probability, width, height, b) < boxThreshold {
			continue
		}
		grow := b.long * b.short * unclipRatio / (b.long + b.short)
		b.long += grow
		b.short += grow
		if b.short >= minLineHeight {
			boxes = append(boxes, b)
		}
	}
	slices.SortFunc(boxes, func(a, b box) int {
		return cmp.Or(cmp.Compare(a.centre.y, b.centre.y), cmp.Compare(a.centre.x, b.centre.x))
	})
	return boxes
}

// connectedCores returns, for each 8-connected region above coreThreshold, the
// ends of its horizontal runs.
func connectedCores(probability []float32, width, height int) [][]point {
	type run struct{ y, first, last int }
	var runs []run
	var parent []int // of a union-find forest over runs
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	above, aboveEnd := 0, 0 // the runs of the row above
	for y := range height {
		row := probability[y*width : (y+1)*width]
		start := len(runs)
		for x := 0; x < width; x++ {
			if row[x] <= coreThreshold {
				continue
			}
			first := x
			for x < width && row[x] > coreThreshold {
				x++
			}
			current := len(runs)
			runs = append(runs, run{y, first, x - 1})
			parent = append(parent, current)
			for above < aboveEnd && runs[above].last+1 < first {
				above++
			}
			for i := above; i < aboveEnd && runs[i].first <= x; i++ {
				parent[root(current)] = root(i)
			}
		}
		above, aboveEnd = start, len(runs)
	}
	index := map[int]int{}
	var cores [][]point
	for i, r := range runs {
		k, ok := index[root(i)]
		if !ok {
			k = len(cores)
			index[root(i)] = k
			cores = append(cores, nil)
		}
		cores[k] = append(cores[k], point{float64(r.first), float64(r.y)}, point{float64(r.last), float64(r.y)})
	}
	return cores
}

func meanInside(probability []float32, width, height int, b box) float32 {
	reachX := math.Abs(b.along.x)*b.long/2 + math.Abs(b.across.x)*b.short/2
	reachY := math.Abs(b.along.y)*b.long/2 + math.Abs(b.across.y)*b.short/2
	x0, x1 := max(0, int(b.centre.x-reachX)), min(width-1, int(math.Ceil(b.centre.x+reachX)))
	y0, y1 := max(0, int(b.centre.y-reachY)), min(height-1, int(math.Ceil(b.centre.y+reachY)))
	var sum float32
	n := 0
	for y := y0; y <= y1; y++ {
		for x := x0; x <= x1; x++ {
			d := point{float64(x), float64(y)}.sub(b.centre)
			if math.Abs(d.dot(b.along)) <= b.long/2+.5 && math.Abs(d.dot(b.across)) <= b.short/2+.5 {
				sum += probability[y*width+x]
				n++
			}
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float32(n)
}
