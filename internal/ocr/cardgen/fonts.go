package cardgen

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"huizhi/internal/fonts"
)

// Fonts are those that cards are printed with.
type Fonts struct {
	Text   []*opentype.Font // sans-serif, for values and labels; one is chosen for each card
	Title  *opentype.Font   // serif, for the back's headings
	Digits *opentype.Font   // for the number; OCR-B on real cards
}

// System paths of Debian's packages fonts-noto-cjk and fonts-ocr-b. In the Noto collections, face 2 is the
// simplified Chinese one.
var (
	textPaths = []fontPath{
		{"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2},
	}
	titlePath  = fontPath{"/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc", 2}
	digitsPath = fontPath{"/usr/share/fonts/opentype/ocr-b/OCRBS.otf", 0} // of OCRB.otf, sfnt cannot draw the 8
)

type fontPath struct {
	path string
	face int // in a collection
}

// SystemFonts uses what is installed of the fonts known to resemble those of
// cards. What is missing is replaced by the embedded font, which lacks the
// rarest characters.
func SystemFonts() (*Fonts, error) {
	embedded, err := opentype.Parse(fonts.NotoSansSC())
	if err != nil {
		return nil, fmt.Errorf("embedded font: %w", err)
	}
	f := &Fonts{}
	for _, p := range textPaths {
		font, err := p.load()
		switch {
		case err == nil:
			f.Text = append(f.Text, font)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	f.Text = append(f.Text, embedded)
	for _, part := range []struct {
		font **opentype.Font
		path fontPath
	}{{&f.Title, titlePath}, {&f.Digits, digitsPath}} {
		*part.font, err = part.path.load()
		if errors.Is(err, fs.ErrNotExist) {
			*part.font, err = f.Text[0], nil
		}
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

// EmbeddedFonts needs nothing of the machine.
func EmbeddedFonts() (*Fonts, error) {
	embedded, err := opentype.Parse(fonts.NotoSansSC())
	if err != nil {
		return nil, fmt.Errorf("embedded font: %w", err)
	}
	return &Fonts{[]*opentype.Font{embedded}, embedded, embedded}, nil
}

func (p fontPath) load() (*opentype.Font, error) {
	b, err := os.ReadFile(p.path)
	if err != nil {
		return nil, err
	}
	collection, err := opentype.ParseCollection(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.path, err)
	}
	f, err := collection.Font(p.face)
	if err != nil {
		return nil, fmt.Errorf("%s: face %d: %w", p.path, p.face, err)
	}
	return f, nil
}

// covers reports whether a font can draw all characters of s.
func covers(f *opentype.Font, s string) bool {
	var buffer sfnt.Buffer
	for _, r := range s {
		glyph, err := f.GlyphIndex(&buffer, r)
		if err != nil || glyph == 0 {
			return false
		}
		if _, err := f.LoadGlyph(&buffer, glyph, fixed.I(40), nil); err != nil {
			return false
		}
	}
	return true
}

// face is a font at a size in pixels.
func face(f *opentype.Font, size float64) (font.Face, error) {
	return opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
}
