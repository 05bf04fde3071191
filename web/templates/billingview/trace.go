package billingview

import (
	"context"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

// TraceModel is the way of one charge to its money.
type TraceModel struct {
	TenantName string // for staff, else ""
	Entry
	Start time.Time // of the month
	Month string    // its usage
	// Why it costs what it costs.
	Free             bool
	TypeFen          *int64 // the price of its type, when that has one of its own
	FenPer1000Points int64
	Tiers            int
	TaxBP            int64
	TaxIncluded      bool
	// Invoice is "" while the month has none, Line while the charge is on none.
	Invoice, Number, State string
	TotalFen, OpenFen      int64
	Line                   string
	LineNumber             int
	LineReceipts, LineFen  int64
	UnitFen                int64
	Payments               []Payment
	Credits                []Credit
}

// price says how the amount comes about.
func (m TraceModel) price(ctx context.Context) string {
	switch {
	case m.Free:
		return i18n.T(ctx, "billing.trace.free")
	case m.TypeFen != nil:
		return i18n.T(ctx, "billing.trace.type_price", "money", i18n.Money(*m.TypeFen))
	default:
		return i18n.T(ctx, "billing.trace.point_price", "points", i18n.Count(m.Points), "price", i18n.Money(m.FenPer1000Points), "money", i18n.Money(m.Fen))
	}
}

// tax says what of the amount is tax, or is added to it.
func (m TraceModel) tax(ctx context.Context) string {
	rate := Tax{BP: m.TaxBP}.rate()
	switch {
	case m.TaxBP == 0:
		return ""
	case m.TaxIncluded:
		return i18n.T(ctx, "billing.trace.tax_included", "rate", rate)
	default:
		return i18n.T(ctx, "billing.trace.tax_added", "rate", rate)
	}
}

func (m TraceModel) crumbs(ctx context.Context) []layout.Crumb {
	if m.TenantName != "" {
		return []layout.Crumb{{Label: i18n.T(ctx, "billing.finance.title"), Href: "/platform/finance"}, {Label: m.TenantName + " · " + i18n.Month(ctx, m.Start), Href: m.Month}}
	}
	return []layout.Crumb{{Label: i18n.T(ctx, "billing.title"), Href: "/billing"}, {Label: i18n.Month(ctx, m.Start), Href: m.Month}}
}

// events are the stations, from the receipt to the money.
func (m TraceModel) events(ctx context.Context) []station {
	out := []station{
		{EventView: ui.EventView{Icon: "receipt", Tone: ui.Done, Title: i18n.T(ctx, "billing.trace.receipt"), Text: i18n.T(ctx, "billing.trace.receipt_text", "type", m.TypeName, "city", city(m.City), "at", i18n.DateTime(m.At))}, href: m.Order, link: m.OrderNumber},
		{EventView: ui.EventView{Icon: "coins", Tone: ui.Done, Title: i18n.T(ctx, "billing.trace.charge", "points", i18n.Count(m.Points), "money", i18n.Money(m.Fen)), Text: m.price(ctx)}, note: m.tax(ctx)},
	}
	if m.Line == "" {
		return append(out, station{EventView: ui.EventView{Icon: "list", Title: i18n.T(ctx, "billing.trace.no_line"), Text: i18n.T(ctx, "billing.trace.no_line_text")}})
	}
	out = append(out, station{EventView: ui.EventView{Icon: "list", Tone: ui.Done, Title: i18n.T(ctx, "billing.trace.line", "n", m.LineNumber),
		Text: i18n.T(ctx, "billing.trace.line_text", "n", i18n.Count(m.LineReceipts), "unit", i18n.Money(m.UnitFen), "money", i18n.Money(m.LineFen))}, href: m.Line, link: i18n.T(ctx, "billing.trace.to_line")})
	number := m.Number
	if number == "" {
		number = i18n.T(ctx, "billing.number.none")
	}
	out = append(out, station{EventView: ui.EventView{Icon: "receipt-text", Tone: ui.Done, Title: i18n.T(ctx, "billing.trace.invoice", "number", number),
		Text: i18n.T(ctx, "billing.trace.invoice_text", "money", i18n.Money(m.TotalFen), "state", i18n.T(ctx, "ui.invoice."+m.State))}, href: m.Invoice, link: i18n.T(ctx, "billing.to_invoice")})
	for _, c := range m.Credits {
		out = append(out, station{EventView: ui.EventView{Icon: "undo-2", Tone: ui.Wait, Title: i18n.T(ctx, "billing.trace.credit", "number", c.Number, "money", i18n.Money(c.Fen)), Text: c.Reason}})
	}
	for _, p := range m.Payments {
		out = append(out, station{EventView: ui.EventView{Icon: "wallet", Tone: ui.Done, Title: i18n.T(ctx, "billing.trace.payment", "day", p.Day, "money", i18n.Money(p.Fen)), Text: p.Reference}})
	}
	if m.Number != "" && m.OpenFen > 0 {
		out = append(out, station{EventView: ui.EventView{Icon: "clock", Title: i18n.T(ctx, "billing.trace.open", "money", i18n.Money(m.OpenFen)), Text: i18n.T(ctx, "billing.trace.open_text")}})
	}
	return out
}

// station is a step of the way with where it leads.
type station struct {
	ui.EventView
	note, href, link string
}
