package cardgen

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
)

// photo is a picture being spoilt: 3 x width x height floats of 0 to 255, so
// that rounding and clipping happen once, at the end.
type photo struct {
	width, height int
	pix           []float32
}

func newPhoto(width, height int, fill func(x, y int) [3]float32) *photo {
	p := &photo{width, height, make([]float32, 3*width*height)}
	for y := range height {
		for x := range width {
			c := fill(x, y)
			copy(p.pix[3*(y*width+x):], c[:])
		}
	}
	return p
}

func flat(v float32) func(int, int) [3]float32 {
	return func(int, int) [3]float32 { return [3]float32{v, v, v} }
}

func (p *photo) each(f func(x, y int, rgb []float32)) {
	for y := range p.height {
		for x := range p.width {
			i := 3 * (y*p.width + x)
			f(x, y, p.pix[i:i+3])
		}
	}
}

type corner struct{ x, y float64 }

// place lays a card into the photo such that its corners, clockwise from the
// top left, come to lie on q.
func (p *photo) place(card *image.RGBA, q [4]corner) {
	toCard := homography(q, card.Bounds().Dx(), card.Bounds().Dy())
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, c := range q {
		x0, y0, x1, y1 = min(x0, c.x), min(y0, c.y), max(x1, c.x), max(y1, c.y)
	}
	const n = 2 // samples a pixel each way, against aliasing of the fine strokes
	for y := max(0, int(y0)); y < min(p.height, int(y1)+1); y++ {
		for x := max(0, int(x0)); x < min(p.width, int(x1)+1); x++ {
			var sum [4]float32
			for j := range n {
				for i := range n {
					u, v := toCard(float64(x)+(float64(i)+.5)/n, float64(y)+(float64(j)+.5)/n)
					s := bilinear(card, u-.5, v-.5)
					for k := range sum {
						sum[k] += s[k] / (n * n)
					}
				}
			}
			o := 3 * (y*p.width + x)
			for k := range 3 { // premultiplied
				p.pix[o+k] = p.pix[o+k]*(1-sum[3]/255) + sum[k]
			}
		}
	}
}

func bilinear(m *image.RGBA, x, y float64) (c [4]float32) {
	ix, iy := int(math.Floor(x)), int(math.Floor(y))
	fx, fy := float32(x-float64(ix)), float32(y-float64(iy))
	for j := range 2 {
		for i := range 2 {
			if !(image.Point{ix + i, iy + j}).In(m.Rect) {
				continue
			}
			wx, wy := fx, fy
			if i == 0 {
				wx = 1 - fx
			}
			if j == 0 {
				wy = 1 - fy
			}
			o := m.PixOffset(ix+i, iy+j)
			for k := range c {
				c[k] += wx * wy * float32(m.Pix[o+k])
			}
		}
	}
	return c
}

// homography maps the quadrilateral q to a rectangle: the inverse of the map
// of the unit square to q (Heckbert, "Fundamentals of Texture Mapping", 1989).
func homography(q [4]corner, width, height int) func(x, y float64) (u, v float64) {
	dx1, dx2, sx := q[1].x-q[2].x, q[3].x-q[2].x, q[0].x-q[1].x+q[2].x-q[3].x
	dy1, dy2, sy := q[1].y-q[2].y, q[3].y-q[2].y, q[0].y-q[1].y+q[2].y-q[3].y
	det := dx1*dy2 - dx2*dy1
	g, h := (sx*dy2-dx2*sy)/det, (dx1*sy-sx*dy1)/det
	a, b, c := q[1].x-q[0].x+g*q[1].x, q[3].x-q[0].x+h*q[3].x, q[0].x
	d, e, f := q[1].y-q[0].y+g*q[1].y, q[3].y-q[0].y+h*q[3].y, q[0].y
	// The inverse is the adjugate, as scale does not matter.
	return func(x, y float64) (float64, float64) {
		u := (e-f*h)*x + (c*h-b)*y + b*f - c*e
		v := (f*g-d)*x + (a-c*g)*y + c*d - a*f
		w := (d*h-e*g)*x + (b*g-a*h)*y + a*e - b*d
		return u / w * float64(width), v / w * float64(height)
	}
}

func (p *photo) noise(r *rand.Rand, deviation float64) {
	for i := range p.pix {
		p.pix[i] += float32(r.NormFloat64() * deviation)
	}
}

// blur is Gaussian.
func (p *photo) blur(sigma float64) {
	radius := int(math.Ceil(3 * sigma))
	var kernel []tap
	var sum float64
	for i := -radius; i <= radius; i++ {
		w := math.Exp(-float64(i*i) / (2 * sigma * sigma))
		sum += w
		kernel = append(kernel, tap{i, 0, float32(w)})
	}
	vertical := make([]tap, len(kernel))
	for i := range kernel {
		kernel[i].weight /= float32(sum)
		vertical[i] = tap{0, kernel[i].dx, kernel[i].weight}
	}
	p.convolve(kernel)
	p.convolve(vertical)
}

// smear is the blur of a motion over a length at an angle.
func (p *photo) smear(length int, angle float64) {
	var kernel []tap
	sin, cos := math.Sincos(angle)
	for i := range length {
		d := float64(i) - float64(length-1)/2
		kernel = append(kernel, tap{int(math.Round(d * cos)), int(math.Round(d * sin)), 1 / float32(length)})
	}
	p.convolve(kernel)
}

type tap struct {
	dx, dy int
	weight float32
}

func (p *photo) convolve(kernel []tap) {
	out := make([]float32, len(p.pix))
	for y := range p.height {
		for x := range p.width {
			o := 3 * (y*p.width + x)
			for _, t := range kernel {
				sx, sy := min(max(x+t.dx, 0), p.width-1), min(max(y+t.dy, 0), p.height-1)
				i := 3 * (sy*p.width + sx)
				out[o] += p.pix[i] * t.weight
				out[o+1] += p.pix[i+1] * t.weight
				out[o+2] += p.pix[i+2] * t.weight
			}
		}
	}
	p.pix = out
}

func (p *photo) image() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, p.width, p.height))
	clip := func(v float32) uint8 { return uint8(min(max(v+.5, 0), 255)) }
	p.each(func(x, y int, c []float32) {
		m.SetRGBA(x, y, color.RGBA{clip(c[0]), clip(c[1]), clip(c[2]), 255})
	})
	return m
}

// turned is the picture rotated clockwise by quarter turns.
func turned(m *image.RGBA, quarters int) *image.RGBA {
	for range quarters {
		b := m.Bounds()
		t := image.NewRGBA(image.Rect(0, 0, b.Dy(), b.Dx()))
		for y := range b.Dy() {
			for x := range b.Dx() {
				t.SetRGBA(b.Dy()-1-y, x, m.RGBAAt(x, y))
			}
		}
		m = t
	}
	return m
}
