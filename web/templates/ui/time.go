package ui

import (
	"context"
	"time"

	"huizhi/internal/i18n"
)

// dueSoon is how near something is that happens any moment.
const dueSoon = 45 * time.Second

func due(ctx context.Context, t, now time.Time) string {
	if t.Sub(now) < dueSoon {
		return i18n.T(ctx, "common.time.soon")
	}
	return i18n.Relative(ctx, t, now)
}
