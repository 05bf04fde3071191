// Package errorview is what a person sees when a request fails: a page, or for htmx a message beside the page.
package errorview

import (
	"context"
	"net/http"

	"huizhi/internal/i18n"
)

// Model is a failure.
type Model struct {
	Status    int    // HTTP status
	Message   string // what happened, translated
	RequestID string // what the log knows it by
	Signed    bool   // someone is signed in
}

// text is title and advice for a status: what it means and what to do now.
func (m Model) text(ctx context.Context) (title, advice string) {
	switch m.Status {
	case http.StatusNotFound:
		return i18n.T(ctx, "common.error.404"), i18n.T(ctx, "common.error.404.do")
	case http.StatusUnauthorized, http.StatusForbidden:
		return i18n.T(ctx, "common.error.403"), i18n.T(ctx, "common.error.403.do")
	case http.StatusConflict:
		return i18n.T(ctx, "common.error.409"), i18n.T(ctx, "common.error.409.do")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return i18n.T(ctx, "common.error.503"), i18n.T(ctx, "common.error.503.do")
	case http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return i18n.T(ctx, "common.error.422"), i18n.T(ctx, "common.error.422.do")
	default:
		return i18n.T(ctx, "common.error.500"), i18n.T(ctx, "common.error.500.do")
	}
}
