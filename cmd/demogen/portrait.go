package main

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/vector"
)

// look is what makes one invented person differ from the next: everything but
// the features, which are all of one public-domain photograph.
type look struct {
	Hair, Clothes, Shirt color.RGBA
	Skin                 float64 // brightness of the face, 1 is the photograph's
	Warmth               float64 // of the face: 0 is the photograph's, 0.1 redder
	Width                float64 // of the person, 1 is the photograph's; not less
	Long                 bool    // hair to the shoulders
	Glasses, Mirrored    bool
	Collar               collar
	Background           color.RGBA
}

// collar is the neckline of the clothes.
type collar int

const (
	round collar = iota
	vNeck
	lapels
)

// canvasSize is that of the drawn portraits, which is the source's.
const canvasWidth, canvasHeight = 900, 1125

// Outlines in the source's pixels: the hair's parting line with the face, and
// the lower end of the skin that the suit leaves free.
var (
	faceOutline = []point{{312, 212}, {338, 234}, {420, 243}, {490, 250}, {535, 268}, {562, 262}, {576, 300}, {574, 370}, {560, 440},
		{534, 520}, {520, 560}, {470, 580}, {400, 575}, {322, 530}, {312, 440}, {300, 395}, {292, 360}, {304, 320}, {308, 260}}
	headOutline = []point{{180, 20}, {700, 20}, {700, 400}, {574, 412}, {545, 470}, {534, 522}, {520, 542}, {470, 570}, {400, 561}, {330, 524},
		{318, 516}, {317, 430}, {300, 410}, {180, 400}}
	neck     = []point{{318, 425}, {540, 425}, {536, 540}, {550, 600}, {600, 660}, {300, 660}, {320, 600}, {326, 540}}
	body     = smooth([]point{{330, 566}, {250, 598}, {130, 640}, {20, 700}, {-60, 900}, {-60, 1180}, {960, 1180}, {960, 900}, {880, 700}, {770, 640}, {640, 598}, {546, 566}, {510, 606}, {440, 622}, {370, 606}})
	shirt    = []point{{334, 556}, {544, 556}, {450, 800}, {436, 800}}
	vOpening = []point{{336, 552}, {540, 552}, {440, 720}}
	lapelL   = []point{{326, 556}, {262, 594}, {330, 720}, {302, 740}, {438, 960}, {442, 890}, {346, 596}}
	lapelR   = []point{{552, 556}, {616, 594}, {550, 720}, {578, 740}, {442, 960}, {440, 890}, {530, 596}}
	longHair = smooth([]point{{225, 240}, {205, 400}, {200, 560}, {215, 720}, {262, 760}, {330, 720}, {340, 420}, {540, 420}, {552, 720}, {622, 760}, {668, 720}, {682, 560}, {676, 400}, {655, 240}})
)

type point [2]float64

// smooth rounds the corners of an outline (Chaikin's corner cutting).
func smooth(outline []point) []point {
	for range 3 {
		var finer []point
		for i, a := range outline {
			b := outline[(i+1)%len(outline)]
			finer = append(finer, point{.75*a[0] + .25*b[0], .75*a[1] + .25*b[1]}, point{.25*a[0] + .75*b[0], .25*a[1] + .75*b[1]})
		}
		outline = finer
	}
	return outline
}

// draw composes the person from the photograph's head, white around it in the
// source, and drawn hair, neck and clothes.
func (l look) draw(source image.Image) *image.RGBA {
	head := tinted(source, l)
	out := image.NewRGBA(image.Rect(0, 0, canvasWidth, canvasHeight))
	draw.Draw(out, out.Rect, image.NewUniform(l.Background), image.Point{}, draw.Src)
	if l.Long {
		paint(out, longHair, shade(l.Hair, .8))
	}
	skin := shade(head.RGBAAt(400, 480), .97)
	paint(out, neck, shade(skin, .96))
	paint(out, body, l.Clothes)
	switch l.Collar {
	case vNeck:
		paint(out, vOpening, shade(skin, .98))
	case lapels:
		paint(out, shirt, l.Shirt)
		paint(out, lapelL, shade(l.Clothes, .85))
		paint(out, lapelR, shade(l.Clothes, .78))
	}
	draw.DrawMask(out, out.Rect, head, image.Point{}, headMask(source), image.Point{}, draw.Over)
	if l.Glasses {
		glasses(out)
	}
	return l.shaped(out)
}

// shaped changes the proportions, and which side is which.
func (l look) shaped(m *image.RGBA) *image.RGBA {
	w := int(float64(canvasWidth) * l.Width)
	out := image.NewRGBA(m.Rect)
	draw.Draw(out, out.Rect, image.NewUniform(l.Background), image.Point{}, draw.Src)
	x := (canvasWidth - w) / 2
	xdraw.CatmullRom.Scale(out, image.Rect(x, 0, x+w, canvasHeight), m, m.Rect, xdraw.Src, nil)
	if !l.Mirrored {
		return out
	}
	for y := range canvasHeight {
		for x := range canvasWidth / 2 {
			a, b := out.RGBAAt(x, y), out.RGBAAt(canvasWidth-1-x, y)
			out.SetRGBA(x, y, b)
			out.SetRGBA(canvasWidth-1-x, y, a)
		}
	}
	return out
}

// tinted gives hair and face their colours. What is hair is decided by place,
// softly, since the fringe is ragged.
func tinted(source image.Image, l look) *image.RGBA {
	out := image.NewRGBA(source.Bounds())
	face := blurred(mask(out.Rect, faceOutline), 6)
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			r16, g16, b16, _ := source.At(x, y).RGBA()
			r, g, b := float64(r16>>8), float64(g16>>8), float64(b16>>8)
			luma := .299*r + .587*g + .114*b
			f := float64(face.AlphaAt(x, y).A) / 255
			k := math.Min(luma/150, 1.35)
			mix := func(photo, hair float64) uint8 { return uint8(math.Min(math.Max(photo*f+hair*k*(1-f), 0), 255)) }
			out.SetRGBA(x, y, color.RGBA{
				mix(r*l.Skin*(1+l.Warmth/2), float64(l.Hair.R)),
				mix(g*l.Skin, float64(l.Hair.G)),
				mix(b*l.Skin*(1-l.Warmth), float64(l.Hair.B)), 255})
		}
	}
	return out
}

// headMask is the head without the white around it.
func headMask(source image.Image) *image.Alpha {
	m := mask(image.Rect(0, 0, canvasWidth, canvasHeight), headOutline)
	face := mask(m.Rect, faceOutline)
	for y := range canvasHeight {
		for x := range canvasWidth {
			if i := m.PixOffset(x, y); m.Pix[i] > 0 && face.Pix[i] == 0 {
				r, g, b, _ := source.At(x, y).RGBA()
				least := float64(min(r, g, b)>>8) / 255
				m.Pix[i] = uint8(255 * math.Min(1, math.Max(0, (.93-least)/.12)))
			}
		}
	}
	return blurred(m, 1)
}

func glasses(out *image.RGBA) {
	frame := color.RGBA{30, 28, 32, 255}
	for _, eye := range []point{{370, 303}, {505, 309}} {
		var ring []point
		for i := range 65 {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / 64)
			ring = append(ring, point{eye[0] + 56*cos, eye[1] + 42*sin})
		}
		for i := range 65 {
			sin, cos := math.Sincos(-2 * math.Pi * float64(i) / 64)
			ring = append(ring, point{eye[0] + 51*cos, eye[1] + 37*sin})
		}
		paint(out, ring, frame)
	}
	paint(out, []point{{426, 298}, {449, 300}, {449, 306}, {426, 304}}, frame)
}

func shade(c color.RGBA, by float64) color.RGBA {
	part := func(v uint8) uint8 { return uint8(math.Min(255, float64(v)*by)) }
	return color.RGBA{part(c.R), part(c.G), part(c.B), 255}
}

func paint(out *image.RGBA, outline []point, c color.RGBA) {
	draw.DrawMask(out, out.Rect, image.NewUniform(c), image.Point{}, mask(out.Rect, outline), image.Point{}, draw.Over)
}

func mask(size image.Rectangle, outline []point) *image.Alpha {
	r := vector.NewRasterizer(size.Dx(), size.Dy())
	for i, p := range outline {
		if i == 0 {
			r.MoveTo(float32(p[0]), float32(p[1]))
		} else {
			r.LineTo(float32(p[0]), float32(p[1]))
		}
	}
	r.ClosePath()
	m := image.NewAlpha(size)
	r.Draw(m, size, image.Opaque, image.Point{})
	return m
}

// blurred is a box blur in both directions.
func blurred(m *image.Alpha, radius int) *image.Alpha {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	pass := func(from *image.Alpha, dx, dy int) *image.Alpha {
		to := image.NewAlpha(m.Rect)
		for y := range h {
			for x := range w {
				sum := 0
				for d := -radius; d <= radius; d++ {
					sum += int(from.Pix[min(max(y+d*dy, 0), h-1)*from.Stride+min(max(x+d*dx, 0), w-1)])
				}
				to.Pix[y*to.Stride+x] = uint8(sum / (2*radius + 1))
			}
		}
		return to
	}
	return pass(pass(m, 1, 0), 0, 1)
}
