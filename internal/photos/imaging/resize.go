package imaging

import (
	"image"
	"math"
)

// rect is a part of a picture in fractions of a pixel.
type rect struct{ x, y, w, h float64 }

// Within returns the picture scaled to fit into side by side pixels; what fits already is returned itself.
func Within(img *image.RGBA, side int) *image.RGBA {
	b := img.Rect
	longest := max(b.Dx(), b.Dy())
	if longest <= side {
		return img
	}
	w := max(1, (b.Dx()*side+longest/2)/longest)
	h := max(1, (b.Dy()*side+longest/2)/longest)
	return resample(img, rect{0, 0, float64(b.Dx()), float64(b.Dy())}, w, h)
}

// tap is the contribution of consecutive source pixels to one target pixel.
type tap struct {
	first   int
	weights []int64 // sum is 1<<weightBits
}

const weightBits = 12

// taps computes Catmull-Rom weights for shrinking or enlarging length source pixels from start to n. When
// shrinking, the kernel is widened so that every source pixel counts. Beyond the picture's size the edge
// pixel is repeated.
func taps(start, length float64, n, size int) []tap {
	step := length / float64(n)
	scale := math.Max(step, 1)
	reach := 2 * scale
	out := make([]tap, n)
	var exact []float64
	for i := range out {
		centre := start + (float64(i)+0.5)*step - 0.5
		lo, hi := int(math.Ceil(centre-reach)), int(math.Floor(centre+reach))
		first, last := min(max(lo, 0), size-1), min(max(hi, 0), size-1)
		exact = append(exact[:0], make([]float64, last-first+1)...)
		var sum float64
		for s := lo; s <= hi; s++ {
			v := catmullRom((float64(s) - centre) / scale)
			exact[min(max(s, first), last)-first] += v
			sum += v
		}
		weights := make([]int64, len(exact))
		rest, largest := int64(1<<weightBits), 0
		for j, v := range exact {
			weights[j] = int64(math.Round(v / sum * (1 << weightBits)))
			rest -= weights[j]
			if weights[j] > weights[largest] {
				largest = j
			}
		}
		weights[largest] += rest // flat areas stay exact
		out[i] = tap{first, weights}
	}
	return out
}

// catmullRom is the cubic kernel with B = 0, C = 1/2 (Mitchell and Netravali 1988).
func catmullRom(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x < 1:
		return (1.5*x-2.5)*x*x + 1
	case x < 2:
		return ((-0.5*x+2.5)*x-4)*x + 2
	default:
		return 0
	}
}

// Three channels are filtered by one multiplication: a pixel is held in three lanes of 21 bits, and a sum
// of lanes times signed weights is the lanes' sums, as long as each lane stays positive and below 1<<21. A
// bias keeps it so: sums lie between -0.2 and 1.2 times 255<<weightBits.
const (
	laneBits = 21
	laneMask = 1<<laneBits - 1
	bias     = 1 << 19
	// settled is the start of a sum: the bias and one half, for rounding, in each lane.
	settled = (bias + 1<<(weightBits-1)) * (1 + 1<<laneBits + 1<<(2*laneBits))
)

// settle returns a lane's sum as a channel value.
func settle(lane uint64) uint64 {
	v := int32(lane&laneMask)>>weightBits - bias>>weightBits
	return uint64(min(max(v, 0), 255))
}

// resample scales a part of a picture to w by h pixels, first along rows, then along columns. It is half
// as fast again as x/image/draw.CatmullRom, which computes in floating point, and takes fractional parts.
func resample(src *image.RGBA, part rect, w, h int) *image.RGBA {
	across := taps(part.x, part.w, w, src.Rect.Dx())
	down := taps(part.y, part.h, h, src.Rect.Dy())
	top := down[0].first
	bottom := top
	for _, t := range down {
		bottom = max(bottom, t.first+len(t.weights))
	}

	rows := make([]uint64, w*(bottom-top))
	in := make([]uint64, src.Rect.Dx())
	for y := top; y < bottom; y++ {
		pix := src.Pix[y*src.Stride:][:4*len(in)]
		for x := range in {
			p := pix[4*x : 4*x+4 : 4*x+4]
			in[x] = uint64(p[0]) | uint64(p[1])<<laneBits | uint64(p[2])<<(2*laneBits)
		}
		out := rows[w*(y-top):][:w]
		for x, t := range across {
			sum := uint64(settled)
			pixels := in[t.first:][:len(t.weights)]
			for i, k := range t.weights {
				sum += uint64(k) * pixels[i]
			}
			out[x] = settle(sum) | settle(sum>>laneBits)<<laneBits | settle(sum>>(2*laneBits))<<(2*laneBits)
		}
	}

	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	sums := make([]uint64, w)
	for y, t := range down {
		for x := range sums {
			sums[x] = settled
		}
		for i, k := range t.weights {
			row := rows[w*(t.first-top+i):][:len(sums)]
			for x, v := range row {
				sums[x] += uint64(k) * v
			}
		}
		out := dst.Pix[y*dst.Stride:][:4*w]
		for x, sum := range sums {
			o := out[4*x : 4*x+4 : 4*x+4]
			o[0], o[1], o[2] = byte(settle(sum)), byte(settle(sum>>laneBits)), byte(settle(sum>>(2*laneBits)))
			o[3] = 255
		}
	}
	return dst
}
