package validityview

import (
	"context"

	"huizhi/internal/i18n"
)

func emptyTitle(ctx context.Context, m ListModel) string {
	if m.Searched != "" {
		return i18n.T(ctx, "orders.search.none")
	}
	return i18n.T(ctx, "validity.none")
}

func photoWords(ctx context.Context, r Rule) string {
	if r.Strict {
		return i18n.T(ctx, "validity.rule.photo_strict", "n", r.Months)
	}
	return i18n.T(ctx, "validity.rule.photo", "n", r.Months)
}
