package reviewview

import (
	"context"

	"huizhi/internal/i18n"
	"huizhi/web/templates/layout"
)

func gridKeys(ctx context.Context) []layout.Key {
	return []layout.Key{
		{Keys: "Enter", Does: i18n.T(ctx, "review.key.confirm")},
		{Keys: "↑ ↓ ← →", Does: i18n.T(ctx, "review.key.cells")},
		{Keys: "F2", Does: i18n.T(ctx, "review.key.edit")},
		{Keys: "Alt 1 … 9", Does: i18n.T(ctx, "review.key.take")},
		{Keys: "Ctrl Enter", Does: i18n.T(ctx, "review.key.open")},
		{Keys: "Ctrl Z", Does: i18n.T(ctx, "review.key.undo")},
		{Keys: "Esc", Does: i18n.T(ctx, "review.key.leave")},
	}
}

func recordKeys(ctx context.Context) []layout.Key {
	return []layout.Key{
		{Keys: "Enter", Does: i18n.T(ctx, "review.key.confirm")},
		{Keys: "← →", Does: i18n.T(ctx, "review.key.neighbours")},
		{Keys: "↑ ↓ Tab", Does: i18n.T(ctx, "review.key.fields")},
		{Keys: "Alt 1 … 9", Does: i18n.T(ctx, "review.key.take")},
		{Keys: "F2", Does: i18n.T(ctx, "review.key.edit")},
		{Keys: "S", Does: i18n.T(ctx, "review.skip")},
		{Keys: "U Ctrl Z", Does: i18n.T(ctx, "review.key.undo")},
		{Keys: "R", Does: i18n.T(ctx, "review.reread")},
		{Keys: "F", Does: i18n.T(ctx, "review.replace")},
		{Keys: "D", Does: i18n.T(ctx, "review.unpair")},
		{Keys: "M", Does: i18n.T(ctx, "review.measure")},
		{Keys: "Ctrl S", Does: i18n.T(ctx, "review.key.save")},
		{Keys: "Esc", Does: i18n.T(ctx, "review.key.leave")},
	}
}
