package boardview

import (
	"context"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

func batchWord(ctx context.Context, batch string) string {
	if batch == "" {
		return i18n.T(ctx, "board.all_batches")
	}
	return batch
}

func testWord(ctx context.Context, test bool) string {
	if test {
		return i18n.T(ctx, "orders.status.test")
	}
	return ""
}

// rowName is a class's name alone: its grade stands above it.
func rowName(ctx context.Context, p Place, class string) string {
	if class == "" {
		p.Grade = nil
	}
	return p.label(ctx)
}

// badge is the state of a person, or more exactly that of the order.
func (p Person) badge(ctx context.Context) ui.Badge {
	switch {
	case p.State == "expiring" || p.Status == "":
		return stateOf(p.State).badge(ctx)
	default:
		b := ui.OrderBadge(ctx, p.Status)
		b.Plain = true
		return b
	}
}

// why says what is wrong with a photo or an order, and who said so.
func (p Person) why(ctx context.Context) []string {
	var out []string
	if p.Asked != "" {
		out = append(out, i18n.T(ctx, "board.asked", "reason", p.Asked))
	}
	if p.Reason != "" {
		out = append(out, p.Reason)
	}
	if p.State == "expiring" && !p.Expires.IsZero() {
		out = append(out, i18n.T(ctx, "board.valid_until", "day", i18n.Day(ctx, p.Expires)))
	}
	return out
}

// text is what the system asks for: 358 × 441 像素 · JPG · 不超过 60 KB.
func (p Preset) text(ctx context.Context) string {
	if p.MinKB > 0 {
		return i18n.T(ctx, "board.preset.range", "width", p.Width, "height", p.Height, "min", p.MinKB, "max", p.MaxKB)
	}
	return i18n.T(ctx, "board.preset.max", "width", p.Width, "height", p.Height, "max", p.MaxKB)
}
