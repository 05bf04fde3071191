package billing

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"huizhi/internal/fonts"
	"huizhi/internal/i18n"
)

// A4, in millimetres.
const (
	pdfWidth, pdfHeight = 210.0, 297.0
	pdfMargin           = 18.0
	pdfRow              = 7.0
)

// pdf is a PDF of invoices being written.
type pdf struct {
	*fpdf.Fpdf
	ctx context.Context
}

// writePDF writes the invoices one after the other, each from a new page on. The
// same invoices give the same bytes.
func writePDF(ctx context.Context, docs []Document, w io.Writer) error {
	p := newPDF(ctx, docs[0].UpdatedAt)
	for _, d := range docs {
		p.invoice(&d)
	}
	if err := p.Output(w); err != nil {
		return fmt.Errorf("cannot make the PDF: %w", err)
	}
	return nil
}

func newPDF(ctx context.Context, made time.Time) *pdf {
	p := &pdf{fpdf.New("P", "mm", "A4", ""), ctx}
	p.SetMargins(pdfMargin, pdfMargin, pdfMargin)
	p.SetAutoPageBreak(true, pdfMargin+6)
	p.SetCatalogSort(true)
	p.SetCreationDate(made.UTC())
	p.SetModificationDate(made.UTC())
	p.AddUTF8FontFromBytes("sans", "", fonts.NotoSansSC())
	return p
}

func (p *pdf) t(key string, args ...any) string { return i18n.T(p.ctx, key, args...) }

// text writes a line.
func (p *pdf) text(size float64, text string) {
	p.SetFont("sans", "", size)
	p.MultiCell(0, size*0.55, text, "", "L", false)
}

// row writes cells of the given widths; those that are numbers stand right.
func (p *pdf) row(border string, widths []float64, cells ...string) {
	p.SetFont("sans", "", 9)
	for i, text := range cells {
		align := "L"
		if i > 0 {
			align = "R"
		}
		for p.GetStringWidth(text) > widths[i]-2 && text != "" { // a name that does not fit is cut, not printed over the next
			runes := []rune(text)
			text = string(runes[:len(runes)-1])
		}
		p.CellFormat(widths[i], pdfRow, text, border, 0, align, false, 0, "")
	}
	p.Ln(pdfRow)
}

func (p *pdf) invoice(d *Document) {
	number := d.number(p.ctx)
	p.SetFooterFunc(func() {
		p.SetY(-pdfMargin)
		p.SetFont("sans", "", 8)
		p.SetTextColor(100, 100, 100)
		p.CellFormat(0, 5, number+"  "+strconv.Itoa(p.PageNo()), "", 0, "C", false, 0, "")
		p.SetTextColor(0, 0, 0)
	})
	p.AddPage()
	p.text(20, p.t("billing.invoice.title", "month", i18n.Month(p.ctx, d.Month.Start())))
	p.Ln(2)
	p.text(10, p.t("billing.pdf.number", "number", number))
	p.text(10, p.t("billing.invoice.for", "tenant", d.Tenant.Name))
	if d.FinalizedAt != nil {
		p.text(10, p.t("billing.pdf.dates", "issued", dayOf(*d.FinalizedAt), "due", d.DueDay))
	}
	p.text(10, p.t("billing.pdf.state", "state", p.t("ui.invoice."+string(d.State))))
	p.Ln(5)
	p.lines(d)
	p.totals(d)
	p.history(d)
	p.Ln(6)
	p.SetTextColor(100, 100, 100)
	p.text(8, p.t("billing.not_fapiao"))
	p.SetTextColor(0, 0, 0)
}

var pdfColumns = []float64{84, 26, 30, 34}

func (p *pdf) lines(d *Document) {
	p.row("B", pdfColumns, p.t("billing.col.item"), p.t("billing.col.count"), p.t("billing.col.unit"), p.t("billing.col.amount"))
	for _, l := range d.Lines {
		p.row("", pdfColumns, LineName(p.ctx, d.Month, &l), i18n.Count(l.Receipts), i18n.Amount(l.UnitFen), i18n.Amount(l.AmountFen))
	}
}

// LineName is what a line says it bills: its type, and its days when the price
// changed within the month.
func LineName(ctx context.Context, month Month, l *Line) string {
	if l.Kind == LineMinimum {
		return i18n.T(ctx, "billing.line.minimum")
	}
	if l.FromDay > firstDay(month) || l.UntilDay < lastDay(month) {
		return i18n.T(ctx, "billing.line.days", "type", l.TypeName, "from", l.FromDay[5:], "until", l.UntilDay[5:])
	}
	return l.TypeName
}

func (p *pdf) totals(d *Document) {
	sum := func(border, label string, fen int64) { p.row(border, []float64{140, 34}, label, i18n.Amount(fen)) }
	border := "T"
	for _, t := range d.Taxes {
		if t.BP > 0 {
			sum(border, p.t("billing.net"), t.NetFen)
			sum("", p.t("billing.tax", "rate", Rate(t.BP)), t.TaxFen)
			border = ""
		}
	}
	sum("T", p.t("billing.total"), d.TotalFen)
	if d.Number != nil {
		sum("", p.t("billing.col.open"), d.OpenFen())
	}
}

// Rate writes basis points as per cent: 600 is "6%".
func Rate(bp int64) string { return strconv.FormatFloat(float64(bp)/100, 'f', -1, 64) + "%" }

// history lists what was paid and credited.
func (p *pdf) history(d *Document) {
	if len(d.Payments)+len(d.Credits) == 0 {
		return
	}
	p.Ln(4)
	for _, x := range d.Payments {
		p.row("", []float64{140, 34}, p.t("billing.pdf.payment", "day", x.PaidDay, "reference", x.Reference), i18n.Amount(x.Fen))
	}
	for _, c := range d.Credits {
		p.row("", []float64{140, 34}, p.t("billing.pdf.credit", "number", c.Number, "reason", c.Reason), i18n.Amount(-c.TotalFen))
	}
}
