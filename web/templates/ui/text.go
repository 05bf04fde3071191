package ui

import (
	"context"
	"strings"

	"huizhi/internal/i18n"
)

func splitKeys(keys string) []string { return strings.Fields(keys) }

func copyLabel(ctx context.Context, what string) string { return i18n.T(ctx, "ui.copy", "what", what) }

// present drops the empty strings, so that a caller can list what it may have.
func present(texts []string) []string {
	var out []string
	for _, t := range texts {
		if t != "" {
			out = append(out, t)
		}
	}
	return out
}

// idPart is a group of an ID number; hidden ones were masked by the server with asterisks.
type idPart struct {
	text   string
	hidden bool
}

// idParts cuts an 18-digit number 6-8-4; any other length stays whole.
func idParts(id string) []idPart {
	cuts := []int{0, len(id)}
	if len(id) == 18 {
		cuts = []int{0, 6, 14, 18}
	}
	parts := make([]idPart, 0, 3)
	for i := 0; i+1 < len(cuts); i++ {
		text := id[cuts[i]:cuts[i+1]]
		parts = append(parts, idPart{text, text != "" && strings.Trim(text, "*") == ""})
	}
	return parts
}
