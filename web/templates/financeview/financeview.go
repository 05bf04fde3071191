// Package financeview has the pages on which the platform's finance staff close
// a month: its overview, the invoices of all tenants and what is done to many of
// them at once, who owes how much for how long, and bank transfers with the
// invoices they pay. They name tenants, order and invoice numbers, and no person.
package financeview

import (
	"context"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Addresses of the pages.
const (
	OverviewURL    = "/platform/finance"
	InvoicesURL    = "/platform/invoices"
	AgeingURL      = "/platform/ageing"
	RemittancesURL = "/platform/remittances"
)

// tabs are the pages of the area.
func tabs(ctx context.Context, current string) []ui.Tab {
	var out []ui.Tab
	for _, t := range []struct{ key, href string }{
		{"finance.tab.overview", OverviewURL}, {"finance.tab.invoices", InvoicesURL},
		{"finance.tab.ageing", AgeingURL}, {"finance.tab.remittances", RemittancesURL},
	} {
		out = append(out, ui.Tab{Label: i18n.T(ctx, t.key), Href: t.href, Current: t.href == current})
	}
	return out
}

// change is how much more or less than before: "+12.3%", "" when there is
// nothing to compare with.
func change(now, before int64) string {
	if before <= 0 {
		return ""
	}
	share := float64(now-before) / float64(before)
	if share < 0 {
		return "−" + i18n.Percent(-share)
	}
	return "+" + i18n.Percent(share)
}
