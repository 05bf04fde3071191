// Package paper writes A4 documents as PDF, with Chinese text: the embedded font
// is cut down to the characters that are used, so files stay small. The same
// content gives the same bytes.
package paper

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"huizhi/internal/fonts"
)

const (
	margin    = 18.0 // millimetres
	rowHeight = 7.0
)

// Width is what a row has on a page, in millimetres.
const Width = 210 - 2*margin

// Doc is a document being written. What fails is reported by Output.
type Doc struct{ pdf *fpdf.Fpdf }

// Col is a column of a row; its width is in millimetres.
type Col struct {
	Width float64
	Right bool // for figures
}

// drawable puts what the font has in the place of what it has not: without it, a
// negative amount would lose its sign.
var drawable = strings.NewReplacer("\u2212", "-")

// New begins a document; made is the time that the file says it was made.
func New(made time.Time) *Doc {
	p := fpdf.New("P", "mm", "A4", "")
	p.SetMargins(margin, margin, margin)
	p.SetAutoPageBreak(true, margin+6)
	p.SetCatalogSort(true)
	p.SetCreationDate(made.UTC())
	p.SetModificationDate(made.UTC())
	p.AddUTF8FontFromBytes("sans", "", fonts.NotoSansSC())
	return &Doc{p}
}

// Page begins a new page. The foot stands below it and those after it, with
// their number.
func (d *Doc) Page(foot string) {
	d.pdf.AddPage() // ends the page before with the foot of that one
	d.pdf.SetFooterFunc(func() {
		d.pdf.SetY(-margin)
		d.pdf.SetFont("sans", "", 8)
		d.faint(func() { d.pdf.CellFormat(0, 5, foot+"  "+strconv.Itoa(d.pdf.PageNo()), "", 0, "C", false, 0, "") })
	})
}

// Text writes a paragraph of a size in points.
func (d *Doc) Text(size float64, text string) {
	d.pdf.SetFont("sans", "", size)
	d.pdf.MultiCell(0, size*0.55, drawable.Replace(text), "", "L", false)
}

// Note writes a small grey paragraph.
func (d *Doc) Note(text string) { d.faint(func() { d.Text(8, text) }) }

func (d *Doc) faint(write func()) {
	d.pdf.SetTextColor(100, 100, 100)
	write()
	d.pdf.SetTextColor(0, 0, 0)
}

// Space leaves millimetres empty.
func (d *Doc) Space(height float64) { d.pdf.Ln(height) }

// Row writes cells with a border on the sides named: "T", "B", "". A text that
// does not fit is cut, not printed over the next.
func (d *Doc) Row(border string, cols []Col, cells ...string) {
	d.pdf.SetFont("sans", "", 9)
	for i, text := range cells {
		text = drawable.Replace(text)
		align := "L"
		if cols[i].Right {
			align = "R"
		}
		for d.pdf.GetStringWidth(text) > cols[i].Width-2 && text != "" {
			runes := []rune(text)
			text = string(runes[:len(runes)-1])
		}
		d.pdf.CellFormat(cols[i].Width, rowHeight, text, border, 0, align, false, 0, "")
	}
	d.pdf.Ln(rowHeight)
}

// Output writes the file.
func (d *Doc) Output(w io.Writer) error {
	if err := d.pdf.Output(w); err != nil {
		return fmt.Errorf("cannot make the PDF: %w", err)
	}
	return nil
}
