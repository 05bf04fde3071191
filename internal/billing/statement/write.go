package statement

import (
	"context"
	"io"

	"huizhi/internal/billing"
	"huizhi/internal/billing/paper"
	"huizhi/internal/billing/table"
	"huizhi/internal/i18n"
)

// Columns are the heads of a statement as a table.
func Columns(ctx context.Context) []table.Column {
	t := func(name string, width float64) table.Column {
		return table.Column{Name: i18n.T(ctx, "statement.col."+name), Width: width}
	}
	return []table.Column{t("tenant", 20), t("day", 12), t("kind", 14), t("number", 18), t("invoice", 18), t("text", 32), t("more", 14), t("less", 14), t("balance", 14)}
}

// Rows writes the statement as rows of such a table: the opening balance, the
// entries, and the closing balance.
func (s *Statement) Rows(ctx context.Context, put func(...any) error) error {
	edge := func(key string, day table.Day, fen int64) error {
		return put(s.Tenant.Name, day, i18n.T(ctx, key), nil, nil, nil, nil, nil, table.Fen(fen))
	}
	if err := edge("statement.opening", table.Day(s.Span.From.Start().Format(dayLayout)), s.OpeningFen); err != nil {
		return err
	}
	for _, e := range s.Entries {
		var more, less any
		if e.Fen >= 0 {
			more = table.Fen(e.Fen)
		} else {
			less = table.Fen(-e.Fen)
		}
		err := put(s.Tenant.Name, table.Day(e.Day), kindName(ctx, e.Kind), e.Number, e.Invoice, text(ctx, e), more, less, table.Fen(e.BalanceFen))
		if err != nil {
			return err
		}
	}
	return edge("statement.closing", table.Day(s.Span.Until.End().AddDate(0, 0, -1).Format(dayLayout)), s.ClosingFen)
}

const dayLayout = "2006-01-02"

func kindName(ctx context.Context, k billing.MovementKind) string {
	return i18n.T(ctx, "statement.kind."+string(k))
}

// text says what the entry is about: the month that was invoiced, why something
// was credited, by which remittance it was paid.
func text(ctx context.Context, e Entry) string {
	if e.Kind == billing.MovedInvoice || e.Kind == billing.MovedVoid {
		return i18n.T(ctx, "billing.invoice.title", "month", i18n.Month(ctx, e.Month.Start()))
	}
	return e.Reference
}

var (
	entryCols = []paper.Col{{Width: 22}, {Width: 22}, {Width: 34}, {Width: 36}, {Width: 20, Right: true}, {Width: 20, Right: true}, {Width: 20, Right: true}}
	signCols  = []paper.Col{{Width: 87}, {Width: 87}}
	sumCols   = []paper.Col{{Width: 154}, {Width: 20, Right: true}}
)

// Page adds the statement to a document, from a new page on.
func (s *Statement) Page(ctx context.Context, d *paper.Doc) {
	t := func(key string, args ...any) string { return i18n.T(ctx, key, args...) }
	from, until := s.Span.From.Start(), s.Span.Until.End().AddDate(0, 0, -1)
	d.Page(t("statement.foot", "tenant", s.Tenant.Name, "span", s.Span.String()))
	d.Text(20, t("statement.title"))
	d.Space(2)
	d.Text(10, t("statement.for", "tenant", s.Tenant.Name))
	d.Text(10, t("statement.span", "from", from.Format(dayLayout), "until", until.Format(dayLayout)))
	d.Text(10, t("statement.made", "at", i18n.DateTime(s.MadeAt)))
	d.Space(5)
	d.Row("B", entryCols, t("statement.col.day"), t("statement.col.kind"), t("statement.col.number"), t("statement.col.text"),
		t("statement.col.more"), t("statement.col.less"), t("statement.col.balance"))
	d.Row("", entryCols, from.Format(dayLayout), t("statement.opening"), "", "", "", "", i18n.Amount(s.OpeningFen))
	for _, e := range s.Entries {
		more, less := i18n.Amount(e.Fen), ""
		if e.Fen < 0 {
			more, less = "", i18n.Amount(-e.Fen)
		}
		d.Row("", entryCols, e.Day, kindName(ctx, e.Kind), e.Number, text(ctx, e), more, less, i18n.Amount(e.BalanceFen))
	}
	border := "T"
	for _, sum := range []struct {
		key string
		fen int64
	}{{"opening", s.OpeningFen}, {"invoiced", s.InvoicedFen}, {"credited", -s.CreditedFen}, {"paid", -s.PaidFen}} {
		d.Row(border, sumCols, t("statement."+sum.key), i18n.Amount(sum.fen))
		border = ""
	}
	d.Row("T", sumCols, t("statement.closing_by", "day", until.Format(dayLayout)), i18n.Amount(s.ClosingFen))
	d.Space(6)
	d.Row("", signCols, t("statement.sign.us"), t("statement.sign.you"))
	d.Row("B", signCols, "", "")
	d.Space(6)
	d.Note(t("statement.note"))
}

// WritePDF writes one statement as a file.
func (s *Statement) WritePDF(ctx context.Context, w io.Writer) error {
	d := paper.New(s.MadeAt)
	s.Page(ctx, d)
	return d.Output(w)
}
