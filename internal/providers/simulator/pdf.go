package simulator

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"fmt"
	"image/color"
	"math"
	"sync"
	"time"
	"unicode/utf16"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// sheet is a PDF of one page. It is written directly, because a PDF library takes the font apart for every document,
// some 9 ms each; done once, a receipt takes a fraction of a millisecond, and a simulator on the same machine does not
// disturb what is measured beside it. Lengths are millimetres from the upper left corner, font sizes are points.
type sheet struct {
	width, height float64
	face          *typeface
	content       bytes.Buffer // drawing operators
	photo         []byte       // a JPEG
	photoSize     photoSize
}

const pointsPerMM = 72 / 25.4

func newSheet(width, height float64) *sheet {
	return &sheet{width: width, height: height, face: loadTypeface()}
}

// draw appends drawing operators. Their numbers are points from the lower left corner.
func (s *sheet) draw(format string, args ...any) { fmt.Fprintf(&s.content, format+"\n", args...) }

func (s *sheet) x(mm float64) float64 { return mm * pointsPerMM }
func (s *sheet) y(mm float64) float64 { return (s.height - mm) * pointsPerMM }

func (s *sheet) text(x, y, size float64, c color.Color, text string) {
	s.rotatedText(x, y, size, 0, c, text)
}

// centred draws text in the middle of the page.
func (s *sheet) centred(y, size float64, c color.Color, text string) {
	s.text((s.width-s.face.width(text, size))/2, y, size, c, text)
}

// rotatedText draws text that rises by an angle in degrees.
func (s *sheet) rotatedText(x, y, size, angle float64, c color.Color, text string) {
	sin, cos := math.Sincos(angle * math.Pi / 180)
	s.draw("BT %s rg /F %.1f Tf %.4f %.4f %.4f %.4f %.2f %.2f Tm <%x> Tj ET",
		operands(c), size, cos, sin, -sin, cos, s.x(x), s.y(y), s.face.encode(text))
}

func (s *sheet) line(x1, y1, x2, y2 float64, c color.Color) {
	s.draw("%s RG 0.5 w %.2f %.2f m %.2f %.2f l S", operands(c), s.x(x1), s.y(y1), s.x(x2), s.y(y2))
}

func (s *sheet) bar(x, y, width, height float64, c color.Color) {
	s.draw("%s rg %.3f %.3f %.3f %.3f re f", operands(c), s.x(x), s.y(y+height), width*pointsPerMM, height*pointsPerMM)
}

// image places the page's only picture, an RGB JPEG.
func (s *sheet) image(x, y, width, height float64, jpeg []byte, size photoSize) {
	s.photo, s.photoSize = jpeg, size
	s.draw("q %.2f 0 0 %.2f %.2f %.2f cm /P Do Q", width*pointsPerMM, height*pointsPerMM, s.x(x), s.y(y+height))
}

func operands(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("%.3f %.3f %.3f", float64(r)/0xFFFF, float64(g)/0xFFFF, float64(b)/0xFFFF)
}

// pdf returns the document. The same sheet gives the same bytes.
func (s *sheet) pdf(title string, created time.Time) []byte {
	var out bytes.Buffer
	var offsets []int
	object := func(dictionary string, stream []byte) {
		offsets = append(offsets, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n", len(offsets))
		if stream == nil {
			fmt.Fprintf(&out, "<< %s >>\nendobj\n", dictionary)
			return
		}
		fmt.Fprintf(&out, "<< %s /Length %d >>\nstream\n", dictionary, len(stream))
		out.Write(stream)
		out.WriteString("\nendstream\nendobj\n")
	}
	out.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	object("/Type /Catalog /Pages 2 0 R", nil)
	object("/Type /Pages /Kids [3 0 R] /Count 1", nil)
	object(fmt.Sprintf("/Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Contents 4 0 R "+
		"/Resources << /Font << /F 6 0 R >> /XObject << /P 5 0 R >> >>", s.width*pointsPerMM, s.height*pointsPerMM), nil)
	object("/Filter /FlateDecode", deflate(s.content.Bytes()))
	object(fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 "+
		"/Filter /DCTDecode", s.photoSize.width, s.photoSize.height), s.photo)
	object("/Type /Font /Subtype /Type0 /BaseFont /NotoSansSC /Encoding /Identity-H /DescendantFonts [7 0 R] /ToUnicode 8 0 R", nil)
	object("/Type /Font /Subtype /CIDFontType2 /BaseFont /NotoSansSC /CIDToGIDMap /Identity /FontDescriptor 9 0 R "+
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /W [0 ["+s.face.widths+"]]", nil)
	object("/Filter /FlateDecode", s.face.toUnicode)
	object("/Type /FontDescriptor /FontName /NotoSansSC /Flags 4 /ItalicAngle 0 /StemV 80 /FontFile2 10 0 R "+s.face.metrics, nil)
	object(fmt.Sprintf("/Filter /FlateDecode /Length1 %d", len(receiptFont)), s.face.program)
	object(fmt.Sprintf("/Title <%s> /CreationDate (D:%sZ)", utf16Hex("\ufeff"+title), created.UTC().Format("20060102150405")), nil)

	start := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, len(offsets), start)
	return out.Bytes()
}

// typeface is a TrueType font with what a PDF holds of it, ready to be copied.
type typeface struct {
	glyphs             map[rune]sfnt.GlyphIndex
	advances           []int  // by glyph, in thousandths of the size
	widths, metrics    string // parts of font dictionaries
	program, toUnicode []byte // compressed streams
}

// loadTypeface prepares receiptFont, once. It panics if the embedded file is no font.
var loadTypeface = sync.OnceValue(func() *typeface {
	parsed, err := sfnt.Parse(receiptFont)
	if err != nil {
		panic(err)
	}
	const em = 1000
	var buf sfnt.Buffer
	face := &typeface{glyphs: make(map[rune]sfnt.GlyphIndex), program: deflate(receiptFont)}
	for glyph := range parsed.NumGlyphs() {
		advance, err := parsed.GlyphAdvance(&buf, sfnt.GlyphIndex(glyph), fixed.I(em), font.HintingNone)
		if err != nil {
			panic(err)
		}
		face.advances = append(face.advances, advance.Round())
		face.widths += fmt.Sprintf("%d ", advance.Round())
	}
	var characters bytes.Buffer
	for r := ' '; r <= 0xFFFF; r++ {
		if glyph, err := parsed.GlyphIndex(&buf, r); err == nil && glyph != 0 {
			face.glyphs[r] = glyph
			// One block per character: longer blocks may hold a hundred at most.
			fmt.Fprintf(&characters, "1 beginbfchar <%04x> <%s> endbfchar\n", glyph, utf16Hex(string(r)))
		}
	}
	face.toUnicode = deflate(fmt.Appendf(nil, "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"+
		"/CMapName /Identity-UCS def /CMapType 2 def\n1 begincodespacerange <0000> <ffff> endcodespacerange\n"+
		"%sendcmap CMapName currentdict /CMap defineresource pop end end", characters.String()))
	m, err := parsed.Metrics(&buf, fixed.I(em), font.HintingNone)
	if err != nil {
		panic(err)
	}
	box, err := parsed.Bounds(&buf, fixed.I(em), font.HintingNone)
	if err != nil {
		panic(err)
	}
	face.metrics = fmt.Sprintf("/Ascent %d /Descent %d /CapHeight %d /FontBBox [%d %d %d %d]", m.Ascent.Round(), -m.Descent.Round(),
		m.CapHeight.Round(), box.Min.X.Floor(), -box.Max.Y.Ceil(), box.Max.X.Ceil(), -box.Min.Y.Floor())
	return face
})

// encode returns the glyph numbers of a text, two bytes each. Characters that the font lacks become its empty box.
func (f *typeface) encode(text string) []byte {
	var encoded []byte
	for _, r := range text {
		glyph := f.glyphs[r]
		encoded = append(encoded, byte(glyph>>8), byte(glyph))
	}
	return encoded
}

// width returns the length of a text in millimetres.
func (f *typeface) width(text string, size float64) float64 {
	sum := 0
	for _, r := range text {
		sum += f.advances[f.glyphs[r]]
	}
	return float64(sum) / 1000 * size / pointsPerMM
}

// utf16Hex writes text as PDF wants it in dictionaries and character maps.
func utf16Hex(text string) string {
	var encoded []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		encoded = append(encoded, byte(unit>>8), byte(unit))
	}
	return hex.EncodeToString(encoded)
}

func deflate(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data) // to memory
	w.Close()
	return b.Bytes()
}
