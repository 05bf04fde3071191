package errorview_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"huizhi/internal/i18n"
	"huizhi/web/templates/errorview"
	"huizhi/web/templates/layout"
)

func TestEveryFailureSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, status := range []int{
		http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge,
		http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable,
	} {
		for _, lang := range i18n.Languages() {
			var b strings.Builder
			m := errorview.Model{Status: status, Message: "发生了什么", RequestID: "0192f3a4"}
			if err := errorview.Page(layout.Chrome{}, m).Render(i18n.WithLang(context.Background(), lang), &b); err != nil {
				t.Fatal(err)
			}
			html := b.String()
			if !strings.Contains(html, "发生了什么") || !strings.Contains(html, "0192f3a4") || !strings.Contains(html, `href="/signin"`) {
				t.Errorf("%d %s: message, reference or way out is missing", status, lang)
			}
			if strings.Contains(html, i18n.MissingMark) {
				t.Errorf("%d %s: a text is missing", status, lang)
			}
		}
	}
}
