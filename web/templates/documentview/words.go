package documentview

import (
	"context"
	"strconv"

	"huizhi/internal/i18n"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

func fen(n int64) string { return strconv.FormatInt(n, 10) }

// typed is what was typed into a form that comes back, else its first value.
func typed(sent bool, value, first string) string {
	if sent {
		return value
	}
	return first
}

func when(sent bool, text string) string {
	if !sent {
		return ""
	}
	return text
}

func personValue(person bool) string {
	if person {
		return "1"
	}
	return ""
}

func fapiaoCols(ctx context.Context, staff bool) []ui.Col {
	cols := []ui.Col{{Label: i18n.T(ctx, "fapiao.col.invoice")}, {Label: i18n.T(ctx, "billing.col.state")}}
	if staff {
		cols = []ui.Col{{Label: i18n.T(ctx, "billing.col.tenant")}, {Label: i18n.T(ctx, "billing.col.state")}, {Label: i18n.T(ctx, "fapiao.col.invoice")}}
	}
	cols = append(cols, ui.Col{Label: i18n.T(ctx, "fapiao.kind")}, ui.Col{Label: i18n.T(ctx, "fapiao.number")}, ui.Col{Label: i18n.T(ctx, "billing.col.amount"), Num: true})
	if !staff {
		cols = append(cols, ui.Col{Label: i18n.T(ctx, "fapiao.file"), Hidden: true})
	}
	return cols
}

func staffCrumbs(ctx context.Context) []layout.Crumb {
	return append(crumbs(ctx, true), layout.Crumb{Label: i18n.T(ctx, "fapiao.heading"), Href: "/platform/fapiao"})
}

// facts are what is known of a fapiao.
func (m StaffFapiaoModel) facts(ctx context.Context) []ui.Fact {
	facts := []ui.Fact{
		{Label: i18n.T(ctx, "fapiao.col.invoice"), Part: ui.Link(m.Invoice, m.InvoiceHref)},
		{Label: i18n.T(ctx, "billing.col.month"), Value: i18n.Month(ctx, m.Month)},
		{Label: i18n.T(ctx, "fapiao.requested_at"), Value: i18n.DateTime(m.Requested)},
	}
	for _, f := range []ui.Fact{
		{Label: i18n.T(ctx, "fapiao.note"), Value: m.Note}, {Label: i18n.T(ctx, "fapiao.number"), Value: m.Number},
		{Label: i18n.T(ctx, "fapiao.day"), Value: m.Day}, {Label: i18n.T(ctx, "fapiao.original"), Value: m.Original},
		{Label: i18n.T(ctx, "billing.act.reason"), Value: m.Reason},
	} {
		if f.Value != "" {
			facts = append(facts, f)
		}
	}
	return facts
}
