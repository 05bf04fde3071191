package billing

import (
	"context"
	"io"
	"strconv"

	"huizhi/internal/billing/paper"
	"huizhi/internal/i18n"
)

// pdf is a PDF of invoices being written.
type pdf struct {
	*paper.Doc
	ctx context.Context
}

// writePDF writes the invoices one after the other, each from a new page on. The
// same invoices give the same bytes.
func writePDF(ctx context.Context, docs []Document, w io.Writer) error {
	p := &pdf{paper.New(docs[0].UpdatedAt), ctx}
	for _, d := range docs {
		p.invoice(&d)
	}
	return p.Output(w)
}

func (p *pdf) t(key string, args ...any) string { return i18n.T(p.ctx, key, args...) }

func (p *pdf) invoice(d *Document) {
	number := d.number(p.ctx)
	p.Page(number)
	p.Text(20, p.t("billing.invoice.title", "month", i18n.Month(p.ctx, d.Month.Start())))
	p.Space(2)
	p.Text(10, p.t("billing.pdf.number", "number", number))
	p.Text(10, p.t("billing.invoice.for", "tenant", d.Tenant.Name))
	if d.FinalizedAt != nil {
		p.Text(10, p.t("billing.pdf.dates", "issued", dayOf(*d.FinalizedAt), "due", d.DueDay))
	}
	p.Text(10, p.t("billing.pdf.state", "state", p.t("ui.invoice."+string(d.State))))
	p.Space(5)
	p.lines(d)
	p.totals(d)
	p.history(d)
	p.Space(6)
	p.Note(p.t("billing.not_fapiao"))
}

var (
	pdfColumns = []paper.Col{{Width: 84}, {Width: 26, Right: true}, {Width: 30, Right: true}, {Width: 34, Right: true}}
	pdfSums    = []paper.Col{{Width: 140}, {Width: 34, Right: true}}
)

func (p *pdf) lines(d *Document) {
	p.Row("B", pdfColumns, p.t("billing.col.item"), p.t("billing.col.count"), p.t("billing.col.unit"), p.t("billing.col.amount"))
	for _, l := range d.Lines {
		p.Row("", pdfColumns, LineName(p.ctx, d.Month, &l), i18n.Count(l.Receipts), i18n.Amount(l.UnitFen), i18n.Amount(l.AmountFen))
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
	sum := func(border, label string, fen int64) { p.Row(border, pdfSums, label, i18n.Amount(fen)) }
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
	p.Space(4)
	for _, x := range d.Payments {
		p.Row("", pdfSums, p.t("billing.paid."+x.Method, "day", x.PaidDay, "reference", x.Reference), i18n.Amount(x.Fen))
	}
	for _, c := range d.Credits {
		p.Row("", pdfSums, p.t("billing.pdf.credit", "number", c.Number, "reason", c.Reason), i18n.Amount(-c.TotalFen))
	}
}
