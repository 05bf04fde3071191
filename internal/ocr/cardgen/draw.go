package cardgen

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// canvas draws with anti-aliasing on a picture and keeps the first error.
type canvas struct {
	*image.RGBA
	err error
}

// text writes s with its top left at a place, with space between characters,
// and returns where the next character would stand.
func (c *canvas) text(x, y float64, s string, f font.Face, ink color.Color, spacing float64) float64 {
	// The ascent of fonts differs widely; that of Chinese characters is about 0.88 em.
	baseline := y + .88*float64(f.Metrics().Height)/64*.82
	d := font.Drawer{Dst: c, Src: image.NewUniform(ink), Face: f}
	for _, r := range s {
		d.Dot = fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(baseline * 64)}
		d.DrawString(string(r))
		x = float64(d.Dot.X)/64 + spacing
	}
	return x
}

func width(s string, f font.Face, spacing float64) float64 {
	return float64(font.MeasureString(f, s))/64 + spacing*float64(len([]rune(s)))
}

func (c *canvas) polygon(ink color.Color, points ...[2]float64) {
	b := c.Bounds()
	r := vector.NewRasterizer(b.Dx(), b.Dy())
	for i, p := range points {
		if i == 0 {
			r.MoveTo(float32(p[0]), float32(p[1]))
		} else {
			r.LineTo(float32(p[0]), float32(p[1]))
		}
	}
	r.ClosePath()
	r.Draw(c, b, image.NewUniform(ink), image.Point{})
}

func (c *canvas) ellipse(ink color.Color, x0, y0, x1, y1 float64) {
	const corners = 60
	points := make([][2]float64, corners)
	for i := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		points[i] = [2]float64{(x0+x1)/2 + cos*(x1-x0)/2, (y0+y1)/2 + sin*(y1-y0)/2}
	}
	c.polygon(ink, points...)
}

func (c *canvas) star(ink color.Color, x, y, radius float64) {
	var points [][2]float64
	for i := range 10 {
		r := radius
		if i%2 == 1 {
			r *= .45
		}
		sin, cos := math.Sincos(math.Pi * float64(i) / 5)
		points = append(points, [2]float64{x + r*sin, y - r*cos})
	}
	c.polygon(ink, points...)
}

// waves is a background of fine lines between two colours.
func (c *canvas) waves(left, right, line color.RGBA, phase float64) {
	b := c.Bounds()
	mix := func(a, b uint8, t float64) uint8 { return uint8(float64(a)*(1-t) + float64(b)*t + .5) }
	for x := range b.Dx() {
		t := float64(x) / float64(b.Dx())
		ink := color.RGBA{mix(left.R, right.R, t), mix(left.G, right.G, t), mix(left.B, right.B, t), 255}
		draw.Draw(c, image.Rect(x, 0, x+1, b.Dy()), image.NewUniform(ink), image.Point{}, draw.Src)
		for k := -6; k < 60; k++ {
			y := 13*float64(k) + 16*math.Sin(float64(x)/61+phase+.21*float64(k)) + 7*math.Sin(float64(x)/23+.4*float64(k))
			c.blend(x, int(math.Floor(y)), line, 1-(y-math.Floor(y)))
			c.blend(x, int(math.Floor(y))+1, line, y-math.Floor(y))
		}
	}
}

func (c *canvas) blend(x, y int, ink color.RGBA, share float64) {
	if !(image.Point{x, y}).In(c.Bounds()) {
		return
	}
	i := c.PixOffset(x, y)
	for k, v := range []uint8{ink.R, ink.G, ink.B} {
		c.Pix[i+k] = uint8(float64(c.Pix[i+k])*(1-share) + float64(v)*share + .5)
	}
}

// roundCorners makes the corners transparent.
func (c *canvas) roundCorners(radius float64) {
	b := c.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			dx := max(radius-float64(x)-.5, float64(x)+.5-float64(b.Dx())+radius, 0)
			dy := max(radius-float64(y)-.5, float64(y)+.5-float64(b.Dy())+radius, 0)
			if cover := min(max(radius-math.Hypot(dx, dy)+.5, 0), 1); cover < 1 {
				i := c.PixOffset(x, y)
				for k := range 4 { // RGBA is premultiplied
					c.Pix[i+k] = uint8(float64(c.Pix[i+k]) * cover)
				}
			}
		}
	}
}
