package cardgen

import (
	"errors"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"huizhi/internal/ocr"
	"huizhi/internal/ocr/ocreval"
)

var today = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

func generator(t *testing.T, seed uint64) *Generator {
	t.Helper()
	fonts, err := EmbeddedFonts()
	if err != nil {
		t.Fatal(err)
	}
	return New(fonts, rand.New(rand.NewPCG(seed, 1)))
}

func TestPeopleHaveFaultlessCards(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	kinds := map[string]int{}
	for range 2000 {
		p := NewPerson(random, today)
		kinds[p.NameKind]++
		fields := ocr.Fields{}
		for name, value := range map[ocr.FieldName]string{
			ocr.Name: p.Name, ocr.Sex: p.Sex, ocr.Ethnicity: p.Ethnicity, ocr.BirthDate: p.BirthDate,
			ocr.Address: p.Address, ocr.IDNumber: p.IDNumber,
			ocr.Authority: p.Authority, ocr.ValidFrom: p.ValidFrom, ocr.ValidUntil: p.ValidUntil,
		} {
			fields[name] = ocr.Field{Value: value, Confidence: 1}
		}
		for name, f := range ocr.Check(fields, today) {
			f.Flags = slices.DeleteFunc(f.Flags, func(flag ocr.Flag) bool {
				return flag == ocr.Expired || flag == ocr.RareCharacter && p.NameKind == Rare
			})
			if len(f.Flags) > 0 {
				t.Fatalf("%s %q: %v", name, f.Value, f.Flags)
			}
		}
	}
	for _, kind := range []string{Common, Dotted, Rare} {
		if kinds[kind] < 50 {
			t.Errorf("%d names of kind %s", kinds[kind], kind)
		}
	}
}

func TestEqualSeedsGiveEqualPictures(t *testing.T) {
	t.Parallel()
	draw := func() image.Image {
		g := generator(t, 7)
		_, front, _, err := g.newCard(today)
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := g.Apply(Scan, front)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	a, b := draw().(*image.RGBA), draw().(*image.RGBA)
	if !slices.Equal(a.Pix, b.Pix) {
		t.Error("they differ")
	}
}

func TestACardShowsThePortraitGiven(t *testing.T) {
	t.Parallel()
	g := generator(t, 2)
	p := NewPerson(g.random, today)
	p.Name = "王小明"
	portrait := image.NewRGBA(image.Rect(0, 0, 3, 4))
	for i := range portrait.Pix {
		portrait.Pix[i] = []uint8{255, 0, 255, 255}[i%4]
	}
	m, err := g.Front(p, portrait)
	if err != nil {
		t.Fatal(err)
	}
	if r, green, b, _ := m.At(780, 270).RGBA(); r != 0xffff || green != 0 || b != 0xffff {
		t.Errorf("in the middle of the frame: %v", m.At(780, 270))
	}
}

func TestNamesThatNoFontHasAreRefused(t *testing.T) {
	t.Parallel()
	g := generator(t, 3)
	p := NewPerson(g.random, today)
	p.Name = "王\U0002B5AF" // of Unicode 5.2, far beyond the embedded font
	if _, err := g.Front(p, nil); !errors.Is(err, ErrNoFont) {
		t.Errorf("got %v", err)
	}
}

func TestHomographyMapsTheCorners(t *testing.T) {
	t.Parallel()
	q := [4]corner{{10, 20}, {310, 5}, {330, 220}, {-5, 190}}
	toCard := homography(q, 100, 60)
	for i, want := range [4]corner{{0, 0}, {100, 0}, {100, 60}, {0, 60}} {
		u, v := toCard(q[i].x, q[i].y)
		if math.Hypot(u-want.x, v-want.y) > 1e-6 {
			t.Errorf("corner %d: got %.3f, %.3f, want %v", i, u, v, want)
		}
	}
}

func TestBlursKeepTheBrightness(t *testing.T) {
	t.Parallel()
	for name, blur := range map[string]func(*photo){
		"blur":  func(p *photo) { p.blur(1.5) },
		"smear": func(p *photo) { p.smear(7, 1) },
	} {
		p := newPhoto(21, 21, flat(0))
		p.pix[3*(10*21+10)] = 1000
		blur(p)
		var sum float32
		for _, v := range p.pix {
			sum += v
		}
		if math.Abs(float64(sum)-1000) > .1 {
			t.Errorf("%s: %v of 1000 left", name, sum)
		}
		if p.pix[3*(10*21+10)] > 500 {
			t.Errorf("%s: the point is still one", name)
		}
	}
}

func TestTurnedIsClockwise(t *testing.T) {
	t.Parallel()
	m := image.NewRGBA(image.Rect(0, 0, 3, 2))
	m.SetRGBA(0, 0, color.RGBA{255, 0, 0, 255})
	got := turned(m, 1)
	if got.Bounds().Size() != image.Pt(2, 3) || got.RGBAAt(1, 0).R != 255 {
		t.Errorf("%v, top right %v", got.Bounds(), got.RGBAAt(1, 0))
	}
}

func TestASetCanBeEvaluated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := generator(t, 4).WriteSet(dir, 1, today); err != nil {
		t.Fatal(err)
	}
	cases, err := ocreval.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) != 9 { // two sides four times, and a copy of both
		t.Errorf("%d pictures", len(cases))
	}
	for _, c := range cases {
		if (c.Truth.Number != "") != (c.Side != "back") || (c.Truth.Validity != "") != (c.Side != "front") {
			t.Errorf("%s: truth %+v", c.File, c.Truth)
		}
	}
}
