package cardgen

import (
	"fmt"
	"image"
	"math"
)

// Variant is a way of taking a picture.
type Variant string

// The variants. Copy is of both sides, see Generator.Copy.
const (
	Scan    Variant = "scan"  // flatbed, 300 dpi, hardly tilted
	Rotated Variant = "rot"   // a scan or phone photo by a quarter, half or three quarters turn
	Phone   Variant = "phone" // 1280x960 on a table, in perspective
	Hard    Variant = "hard"  // the same, farther, more tilted, and with glare, in the dark or blurred
	Copy    Variant = "copy"  // grey photocopy of both sides on A4, 200 dpi
)

// Apply takes a picture of a card. It also returns the quality, 1 to 100, at
// which to encode it as JPEG.
func (g *Generator) Apply(v Variant, card image.Image) (picture image.Image, quality int, err error) {
	c, ok := card.(*image.RGBA)
	if !ok {
		return nil, 0, fmt.Errorf("cards are *image.RGBA, not %T", card)
	}
	switch v {
	case Scan:
		return g.scan(c), 92, nil
	case Phone:
		return g.photograph(c, false), 60 + 10*g.random.IntN(3), nil
	case Hard:
		return g.photograph(c, true), 60, nil
	case Rotated:
		quarters := 1 + g.random.IntN(3)
		if g.random.IntN(2) == 0 {
			return turned(g.scan(c), quarters), 75, nil
		}
		return turned(g.photograph(c, false), quarters), 75, nil
	}
	return nil, 0, fmt.Errorf("no variant %q of a single side", v)
}

func (g *Generator) uniform(low, high float64) float64 { return low + (high-low)*g.random.Float64() }

// corners of a card of a width around a centre, tilted by an angle in degrees.
func corners(x, y, width, degrees float64) [4]corner {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	w, h := width/2, width/2*cardHeight/cardWidth
	var q [4]corner
	for i, d := range [4]corner{{-w, -h}, {w, -h}, {w, h}, {-w, h}} {
		q[i] = corner{x + d.x*cos - d.y*sin, y + d.x*sin + d.y*cos}
	}
	return q
}

func (g *Generator) scan(card *image.RGBA) *image.RGBA {
	p := newPhoto(1240, 877, flat(250))
	p.place(card, corners(620+g.uniform(-60, 60), 438+g.uniform(-60, 60), cardWidth, g.uniform(-1.2, 1.2)))
	p.noise(g.random, 2)
	return p.image()
}

func (g *Generator) photograph(card *image.RGBA, hard bool) *image.RGBA {
	const w, h = 1280, 960
	p := g.desk(w, h)
	share, tilt, keystone := .82, 7.0, .03
	if hard {
		share, tilt, keystone = .68, 14, .055
	}
	width := w * g.uniform(.52, share)
	q := corners(w/2+g.uniform(-.06, .06)*w, h/2+g.uniform(-.06, .06)*h, width, g.uniform(-tilt, tilt))
	for i := range q {
		q[i].x = min(max(q[i].x+g.uniform(-keystone, keystone)*width, 4), w-4)
		q[i].y = min(max(q[i].y+g.uniform(-keystone, keystone)*width*cardHeight/cardWidth, 4), h-4)
	}
	p.place(card, q)

	sin, cos := math.Sincos(g.uniform(0, 2*math.Pi)) // light from a side
	strength := g.uniform(.08, .2)
	p.each(func(x, y int, c []float32) {
		k := float32(1 + strength*((2*float64(x)/w-1)*cos+(2*float64(y)/h-1)*sin))
		for i := range c {
			c[i] *= k
		}
	})
	if hard {
		g.spoil(p, q)
		p.noise(g.random, g.uniform(4, 8))
	} else {
		p.blur(g.uniform(.4, .8))
		p.noise(g.random, g.uniform(2, 4))
	}
	red, blue := float32(g.uniform(.93, 1.05)), float32(g.uniform(.93, 1.05))
	p.each(func(_, _ int, c []float32) { c[0], c[2] = c[0]*red, c[2]*blue })
	return p.image()
}

// spoil does one of the four things that make photographs unusable.
func (g *Generator) spoil(p *photo, q [4]corner) {
	switch g.random.IntN(4) {
	case 0: // glare
		x0, y0, s := g.uniform(q[0].x, q[2].x), g.uniform(q[0].y, q[2].y), g.uniform(60, 110)
		p.each(func(x, y int, c []float32) {
			dx, dy := (float64(x)-x0)/1.6, float64(y)-y0
			light := float32(200 * math.Exp(-(dx*dx+dy*dy)/(2*s*s)))
			for i := range c {
				c[i] += light
			}
		})
	case 1: // dark
		k := float32(g.uniform(.28, .42))
		for i := range p.pix {
			p.pix[i] *= k
		}
	case 2:
		p.blur(g.uniform(1.2, 1.7))
	case 3:
		p.smear(5+2*g.random.IntN(2), g.uniform(0, math.Pi))
	}
}

// desk is a table of some colour with a grain.
func (g *Generator) desk(w, h int) *photo {
	base := pick(g.random, [][3]float32{{110, 80, 60}, {160, 140, 120}, {48, 45, 45}, {190, 185, 180}, {60, 95, 70}})
	const grain = 40 // length in pixels
	rows := make([][]float32, h)
	for y := range rows {
		rows[y] = make([]float32, w/grain+2)
		for x := range rows[y] {
			rows[y][x] = float32(9 * g.random.NormFloat64())
		}
	}
	p := newPhoto(w, h, func(x, y int) [3]float32 {
		t := float32(x%grain) / grain
		v := rows[y][x/grain]*(1-t) + rows[y][x/grain+1]*t
		return [3]float32{base[0] + v, base[1] + v, base[2] + v}
	})
	p.noise(g.random, 4)
	return p
}

// Copy is a photocopy of both sides on one page.
func (g *Generator) Copy(front, back image.Image) (picture image.Image, quality int, err error) {
	const dpi = 200
	p := newPhoto(dpi*8267/1000, dpi*11693/1000, flat(252))
	width := 85.6 / 25.4 * dpi
	for i, side := range []image.Image{front, back} {
		card, ok := side.(*image.RGBA)
		if !ok {
			return nil, 0, fmt.Errorf("cards are *image.RGBA, not %T", side)
		}
		p.place(card, corners(g.uniform(640, 940), 630+800*float64(i), width, g.uniform(-1, 1)))
	}
	p.each(func(_, _ int, c []float32) {
		grey := .299*c[0] + .587*c[1] + .114*c[2]
		grey = (grey-128)*1.35 + 140 + float32(5*g.random.NormFloat64())
		c[0], c[1], c[2] = grey, grey, grey
	})
	return p.image(), 75, nil
}
