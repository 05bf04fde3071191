package ui

import (
	"context"

	"huizhi/internal/i18n"
)

func cancelWord(ctx context.Context, v DialogView) string {
	if v.Cancel != "" {
		return v.Cancel
	}
	return i18n.T(ctx, "ui.cancel")
}

func closeWord(ctx context.Context, v DialogView) string {
	if v.Cancel != "" {
		return v.Cancel
	}
	return i18n.T(ctx, "ui.close")
}

func undoWord(ctx context.Context, t Toast) string {
	if t.UndoLabel != "" {
		return t.UndoLabel
	}
	return i18n.T(ctx, "ui.undo")
}

// toastRole makes a failure interrupt those who listen.
func toastRole(t Toast) string {
	if t.stays() {
		return "alert"
	}
	return "status"
}
