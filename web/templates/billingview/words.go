package billingview

import (
	"context"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

// actions is the one main action of a month: to its invoice, or to make it.
func (m MonthModel) actions(ctx context.Context) []ui.Btn {
	switch {
	case m.Invoice != "":
		return []ui.Btn{{Label: i18n.T(ctx, "billing.to_invoice"), Icon: "receipt-text", Kind: ui.Primary, Href: m.Invoice}}
	case m.Draft != "":
		return []ui.Btn{{Label: i18n.T(ctx, "billing.make_draft"), Icon: "receipt-text", Kind: ui.Primary, Type: "submit", Form: "draft"}}
	default:
		return nil
	}
}

// crumbs lead the platform's staff back to all tenants.
func (m MonthModel) crumbs(ctx context.Context) []layout.Crumb {
	if m.TenantName == "" {
		return nil
	}
	return []layout.Crumb{{Label: i18n.T(ctx, "billing.finance.title"), Href: "/platform/finance"}}
}

func (m MonthModel) invoices() string {
	if m.Invoices != "" {
		return m.Invoices
	}
	return "/billing/invoices"
}

func (m MonthModel) emptyActions(ctx context.Context) []ui.Btn {
	if m.Batches == "" {
		return nil
	}
	return []ui.Btn{{Label: i18n.T(ctx, "billing.to_batches"), Href: m.Batches}}
}

func (m MonthModel) hasBefore() bool {
	for _, n := range m.DaysBefore {
		if n > 0 {
			return true
		}
	}
	return false
}

// numberNote stands where the number of an invoice will be, once it has one.
func numberNote(ctx context.Context, r Row) string {
	switch {
	case r.Running:
		return i18n.T(ctx, "billing.number.running")
	case r.State == "" || r.State == "draft":
		return i18n.T(ctx, "billing.number.none")
	default:
		return ""
	}
}

func (m LedgerModel) pagerText(ctx context.Context) string {
	if m.Total < 0 {
		return ""
	}
	return i18n.T(ctx, "billing.ledger.total", "n", m.Total)
}

// swapLedger makes a link swap the ledger alone, and keep its address.
func swapLedger() templ.Attributes {
	return templ.Attributes{"hx-boost": "true", "hx-target": "#" + LedgerID, "hx-select": "#" + LedgerID,
		"hx-swap": "outerHTML show:#" + LedgerID + ":top"}
}

func ledgerLink(c ui.Chip) ui.Chip {
	c.Attrs = swapLedger()
	return c
}

// swapLine makes a link swap one line of the invoice, and keep its address.
func swapLine(l Line, href string) templ.Attributes {
	return templ.Attributes{"hx-get": href, "hx-target": "#" + LineID(l.Ordinal), "hx-swap": "outerHTML", "hx-push-url": "true"}
}

func toggleWord(ctx context.Context, l Line) string {
	if l.Open {
		return i18n.T(ctx, "billing.line.close", "type", l.TypeName)
	}
	return i18n.T(ctx, "billing.line.show", "type", l.TypeName)
}

func (m InvoiceModel) title(ctx context.Context) string {
	return i18n.T(ctx, "billing.invoice.title", "month", i18n.Month(ctx, m.Start))
}

func (m InvoiceModel) badge(ctx context.Context) *ui.Badge {
	b := ui.InvoiceBadge(ctx, m.State)
	return &b
}

func (m InvoiceModel) meta(ctx context.Context) []string {
	meta := []string{i18n.T(ctx, "billing.invoice.for", "tenant", m.TenantName)}
	if m.Number != "" {
		return append(meta, m.Number, i18n.T(ctx, "billing.invoice.due", "day", m.DueDay))
	}
	meta = append(meta, i18n.T(ctx, "billing.invoice.no_number"))
	return append(meta, i18n.T(ctx, "billing.invoice.counted", "at", i18n.Day(ctx, m.Updated)+" "+i18n.Time(m.Updated)))
}

func (m InvoiceModel) crumbs(ctx context.Context) []layout.Crumb {
	if m.Actions != nil {
		return []layout.Crumb{{Label: i18n.T(ctx, "billing.finance.title"), Href: m.Month}}
	}
	return []layout.Crumb{{Label: i18n.T(ctx, "billing.title"), Href: "/billing"}, {Label: i18n.Month(ctx, m.Start), Href: m.Month}}
}

// behind says that the ledger has grown since the invoice was built.
func (m InvoiceModel) behind(ctx context.Context) ui.NoteView {
	n := ui.NoteView{Tone: ui.Wait, Title: i18n.T(ctx, "billing.behind.title", "n", m.unbilled())}
	if m.Draft == "" {
		n.Text = i18n.T(ctx, "billing.behind.issued")
		return n
	}
	n.Text = i18n.T(ctx, "billing.behind.draft")
	n.Action = ui.Btn{Label: i18n.T(ctx, "billing.rebuild"), Type: "submit", Form: "draft", Small: true}
	return n
}

// amounts are the figures above what is due.
func (m InvoiceModel) amounts(ctx context.Context) []ui.Fact {
	facts := []ui.Fact{
		{Label: i18n.T(ctx, "billing.stat.receipts"), Value: i18n.Count(m.Total.Receipts)},
		{Label: i18n.T(ctx, "billing.stat.points"), Value: i18n.Count(m.Total.Points)},
	}
	for _, t := range m.Taxes {
		if t.BP > 0 {
			facts = append(facts, ui.Fact{Label: i18n.T(ctx, "billing.net"), Value: i18n.Money(t.NetFen)},
				ui.Fact{Label: i18n.T(ctx, "billing.tax", "rate", t.rate()), Value: i18n.Money(t.TaxFen)})
		}
	}
	return facts
}

type check struct {
	ok   bool
	text string
}

func (m InvoiceModel) checks(ctx context.Context) []check {
	points := i18n.Count(m.Total.Points)
	if m.Each > 0 {
		points += " = " + i18n.Count(m.Total.Receipts) + " × " + i18n.Count(m.Each)
	}
	return []check{
		{m.Ledger.Receipts == m.Total.Receipts, i18n.T(ctx, "billing.check.ledger", "ledger", i18n.Count(m.Ledger.Receipts), "invoice", i18n.Count(m.Total.Receipts))},
		{m.Ledger.Points == m.Total.Points, i18n.T(ctx, "billing.check.points", "points", points)},
		{m.LinesFen == m.AmountFen, i18n.T(ctx, "billing.check.lines", "difference", i18n.Amount(m.AmountFen-m.LinesFen))},
	}
}

// orHash keeps a disabled link a link.
func orHash(href string) string {
	if href == "" {
		return "#"
	}
	return href
}
