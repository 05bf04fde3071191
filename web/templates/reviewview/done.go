package reviewview

import (
	"context"
	"strings"
	"time"

	"huizhi/internal/i18n"
)

// Done is the end of a review.
type Done struct {
	Batch   Batch
	Waiting int64    // that nobody has confirmed
	AtWork  []string // who has how many of them
	Work    []Work
	Last    *Last
}

// Work is what one person did.
type Work struct {
	Name         string
	Own          bool
	Records      int64
	Mean, Median time.Duration
	Corrections  int64
	PointerUses  int64
}

func (m Done) title(ctx context.Context) string {
	if m.Waiting > 0 {
		return i18n.T(ctx, "review.done.waiting", "n", m.Waiting)
	}
	return i18n.T(ctx, "review.none")
}

func (m Done) atWork(ctx context.Context) string {
	return strings.Join(m.AtWork, i18n.T(ctx, "review.and"))
}

func (w Work) who(ctx context.Context) string {
	if w.Own {
		return i18n.T(ctx, "review.done.you", "name", w.Name)
	}
	return w.Name
}
