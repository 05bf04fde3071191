package server

import (
	"net/http"
	"strconv"
	"strings"

	"huizhi/internal/i18n"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

// flashCookie carries one message over a redirect: a key of the catalogue and a
// number, nothing else, so that there is nothing in it to protect.
const flashCookie = "huizhi_flash"

// flash keeps a message for the next page: what was done, with the count n.
func flash(w http.ResponseWriter, key string, n int) {
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Value: key + ":" + strconv.Itoa(n), Path: "/", MaxAge: 60, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// withFlash puts the message of the last action into the frame, once.
func withFlash(w http.ResponseWriter, r *http.Request, c layout.Chrome) layout.Chrome {
	cookie, err := r.Cookie(flashCookie)
	if err != nil {
		return c
	}
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	key, count, _ := strings.Cut(cookie.Value, ":")
	n, err := strconv.Atoi(count)
	if err != nil || !strings.HasPrefix(key, "batches.done.") && !strings.HasPrefix(key, "review.done.") || !i18n.Has(key) {
		return c
	}
	c.Toasts = append(c.Toasts, ui.Toast{Tone: ui.Done, Title: i18n.T(r.Context(), key, "n", n)})
	return c
}
