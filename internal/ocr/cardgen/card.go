package cardgen

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"

	xdraw "golang.org/x/image/draw"
)

// The size of a card in pixels at 300 dpi: 85.6 x 54 mm.
const (
	cardWidth  = 1011
	cardHeight = 638
)

var (
	black     = color.RGBA{18, 18, 18, 255}
	labelBlue = color.RGBA{58, 120, 170, 255}
	backInk   = color.RGBA{40, 60, 80, 255}
)

// Generator draws cards. The same random source gives the same pictures.
type Generator struct {
	fonts  *Fonts
	random *rand.Rand
}

// New returns a Generator.
func New(fonts *Fonts, random *rand.Rand) *Generator { return &Generator{fonts, random} }

// printer is a canvas with the fonts of one card at their sizes.
type printer struct {
	canvas
	fonts *Fonts
	font  *opentype.Font
	faces map[faceKey]font.Face
}

type faceKey struct {
	font *opentype.Font
	size float64
}

// ErrNoFont means that no font at hand can draw the card.
var ErrNoFont = errors.New("cardgen: no font has all characters of the card; install fonts-noto-cjk")

// newPrinter chooses among the fonts that have all characters.
func (g *Generator) newPrinter(all string) (*printer, error) {
	var able []*opentype.Font
	for _, f := range g.fonts.Text {
		if covers(f, all) {
			able = append(able, f)
		}
	}
	if len(able) == 0 {
		return nil, ErrNoFont
	}
	return &printer{
		canvas: canvas{RGBA: image.NewRGBA(image.Rect(0, 0, cardWidth, cardHeight))},
		fonts:  g.fonts, font: pick(g.random, able), faces: map[faceKey]font.Face{},
	}, nil
}

func (p *printer) face(f *opentype.Font, size float64) font.Face {
	key := faceKey{f, size}
	if p.faces[key] == nil {
		face, err := face(f, size)
		if err != nil && p.err == nil {
			p.err = err
		}
		p.faces[key] = face
	}
	return p.faces[key]
}

// Front draws the side with the name. Without a portrait it draws a figure.
func (g *Generator) Front(person Person, portrait image.Image) (image.Image, error) {
	p, err := g.newPrinter(person.Name + person.Ethnicity + person.Address + person.IDNumber)
	if err != nil {
		return nil, err
	}
	p.waves(color.RGBA{226, 238, 243, 255}, color.RGBA{240, 236, 232, 255}, color.RGBA{205, 225, 233, 255}, 6*g.random.Float64())
	const labelX, valueX = 72, 184
	label, value := p.face(p.font, 30), p.face(p.font, 34)
	if p.err != nil {
		return nil, p.err
	}
	nameSize := 39.0
	if len([]rune(person.Name)) > 5 {
		nameSize = 34
	}
	p.text(labelX, 72, "姓名", label, labelBlue, 8)
	p.text(valueX, 64, person.Name, p.face(p.font, nameSize), black, 4)
	p.text(labelX, 146, "性别", label, labelBlue, 8)
	p.text(valueX, 143, person.Sex, value, black, 0)
	p.text(300, 146, "民族", label, labelBlue, 8)
	p.text(400, 143, person.Ethnicity, value, black, 3)
	birth, err := time.Parse(time.DateOnly, person.BirthDate)
	if err != nil {
		return nil, err
	}
	monthX := 316.0
	if birth.Month() < 10 {
		monthX = 324
	}
	p.text(labelX, 220, "出生", label, labelBlue, 8)
	p.text(valueX, 217, fmt.Sprint(birth.Year()), value, black, 0)
	p.text(276, 220, "年", label, labelBlue, 0)
	p.text(monthX, 217, fmt.Sprint(int(birth.Month())), value, black, 0)
	p.text(366, 220, "月", label, labelBlue, 0)
	p.text(410, 217, fmt.Sprint(birth.Day()), value, black, 0)
	p.text(456, 220, "日", label, labelBlue, 0)
	p.text(labelX, 294, "住址", label, labelBlue, 8)
	for i, line := range wrap(person.Address, value, 2, 412) {
		p.text(valueX, 290+50*float64(i), line, value, black, 2)
	}
	p.text(labelX, 540, "公民身份号码", label, labelBlue, 2)
	digits := p.face(p.fonts.Digits, 40)
	p.text(342, 534, person.IDNumber, digits, black, (560-width(person.IDNumber, digits, 0))/17)

	frame := image.Rect(634, 78, 934, 470)
	if portrait == nil {
		portrait = g.figure(frame.Dx(), frame.Dy())
	}
	xdraw.CatmullRom.Scale(p, frame, portrait, portrait.Bounds(), xdraw.Over, nil)
	p.roundCorners(35)
	return p.RGBA, p.err
}

// Back draws the side with the authority.
func (g *Generator) Back(person Person) (image.Image, error) {
	p, err := g.newPrinter(person.Authority + person.printedTerm())
	if err != nil {
		return nil, err
	}
	p.waves(color.RGBA{238, 230, 226, 255}, color.RGBA{228, 238, 240, 255}, color.RGBA{226, 214, 212, 255}, 6*g.random.Float64())
	red, gold := color.RGBA{200, 60, 50, 255}, color.RGBA{240, 200, 80, 255}
	p.ellipse(red, 62, 50, 212, 200)
	p.star(gold, 137, 128, 48)
	p.text(300, 62, "中华人民共和国", p.face(p.fonts.Title, 58), black, 22)
	p.text(268, 150, "居民身份证", p.face(p.fonts.Title, 82), black, 48)
	label, value := p.face(p.font, 32), p.face(p.font, 35)
	p.text(208, 456, "签发机关", label, backInk, 2)
	p.text(392, 454, person.Authority, value, black, 2)
	p.text(208, 536, "有效期限", label, backInk, 2)
	p.text(392, 534, person.printedTerm(), value, black, 1)
	p.roundCorners(35)
	return p.RGBA, p.err
}

func (p Person) printedTerm() string {
	return strings.ReplaceAll(p.ValidFrom, "-", ".") + "-" + strings.ReplaceAll(p.ValidUntil, "-", ".")
}

func wrap(s string, f font.Face, spacing, limit float64) []string {
	var lines []string
	var line string
	for _, r := range s {
		if line != "" && width(line+string(r), f, spacing) > limit {
			lines = append(lines, line)
			line = ""
		}
		line += string(r)
	}
	return append(lines, line)
}

// figure is nobody: a head and shoulders of a few shapes.
func (g *Generator) figure(w, h int) image.Image {
	c := canvas{RGBA: image.NewRGBA(image.Rect(0, 0, w, h))}
	x, y := float64(w), float64(h)
	c.polygon(color.RGBA{236, 238, 240, 255}, [2]float64{0, 0}, [2]float64{x, 0}, [2]float64{x, y}, [2]float64{0, y})
	shade := uint8(20 + g.random.IntN(70))
	skin := color.RGBA{uint8(200 + g.random.IntN(30)), 178, 152, 255}
	c.ellipse(color.RGBA{shade, shade, shade, 255}, .05*x, .68*y, .95*x, 1.4*y)
	c.ellipse(skin, .4*x, .5*y, .6*x, .8*y)
	c.ellipse(color.RGBA{30, 26, 26, 255}, .24*x, .12*y, .76*x, .5*y)
	c.ellipse(skin, .27*x, .18*y, .73*x, .66*y)
	for _, eye := range []float64{.4, .6} {
		c.ellipse(color.RGBA{40, 30, 30, 255}, eye*x-8, .38*y, eye*x+8, .38*y+8)
	}
	c.ellipse(color.RGBA{150, 70, 70, 255}, .43*x, .55*y-2, .57*x, .55*y+2)
	return c.RGBA
}
