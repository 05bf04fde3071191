package orderview

import (
	"context"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// panelLink opens the order beside the list. It is a boosted link and not a
// plain request, so that Ctrl and the middle button still open a new tab.
var panelLink = templ.Attributes{"hx-boost": "true", "hx-target": "#side", "hx-swap": "outerHTML", "hx-push-url": "false"}

func columns(ctx context.Context) []ui.Col {
	return []ui.Col{
		{Label: i18n.T(ctx, "orders.column.photo"), Hidden: true, Class: "w-16"},
		{Label: i18n.T(ctx, "orders.column.subject")},
		{Label: i18n.T(ctx, "orders.column.type")},
		{Label: i18n.T(ctx, "orders.column.batch"), Class: "@max-[56rem]:hidden"},
		{Label: i18n.T(ctx, "orders.column.number"), Class: "@max-[72rem]:hidden"},
		{Label: i18n.T(ctx, "orders.column.money"), Num: true},
		{Label: i18n.T(ctx, "orders.column.status")},
		{Label: i18n.T(ctx, "orders.column.updated"), Num: true},
	}
}

// chips are the groups of states, then the conditions that hold besides.
func (m ListModel) chips(ctx context.Context) []ui.Chip {
	chips := []ui.Chip{{Label: i18n.T(ctx, "orders.filter.all"), Href: m.Query.withStatus("").URL(), On: m.Query.Status == ""}}
	for _, g := range m.Groups {
		chips = append(chips, ui.Chip{Label: i18n.T(ctx, "orders.filter."+g), Href: m.Query.withStatus(g).URL(), On: m.Query.Status == g})
	}
	if !m.grouped() {
		chips = append(chips, ui.Chip{Label: i18n.T(ctx, "orders.status."+m.Query.Status), Href: m.Query.withStatus("").URL(), On: true, Remove: true})
	}
	chips = append(chips, ui.Chip{Label: i18n.T(ctx, "orders.filter.exceptions"), Href: m.Query.withExceptions(!m.Query.Exceptions).URL(),
		On: m.Query.Exceptions, Remove: m.Query.Exceptions, Add: !m.Query.Exceptions})
	if m.Query.Batch != "" {
		chips = append(chips, ui.Chip{Label: i18n.T(ctx, "orders.filter.batch", "name", m.BatchName), Href: m.Query.withoutBatch().URL(), On: true, Remove: true})
	}
	return chips
}

func (m ListModel) typeLabel(ctx context.Context) string {
	if name := m.typeName(); name != "" {
		return name
	}
	return i18n.T(ctx, "orders.filter.type")
}

func (m ListModel) pageText(ctx context.Context) string {
	if m.Searched != "" && m.More {
		return i18n.T(ctx, "orders.page.first", "n", len(m.Rows))
	}
	return i18n.T(ctx, "orders.page", "n", len(m.Rows))
}
