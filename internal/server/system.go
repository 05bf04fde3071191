package server

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/storybook"
)

func (s *Server) systemRoutes() []route {
	return []route{
		{"GET /healthz", anyone, s.healthz},
		{"GET /readyz", anyone, s.readyz},
		{"GET /lang", anyone, s.setLanguage},
		{"GET /theme", anyone, s.setTheme},
		{"GET /sample.zip", member, s.sample},
		{"GET /storybook", anyone, s.storybook},
	}
}

// healthz: the process runs.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) error {
	_, err := w.Write([]byte("ok\n"))
	return err
}

// readyz: the process can do its work.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) error {
	if err := s.Ready(r); err != nil {
		return apperr.New(apperr.Unavailable, "error.not_ready").Wrap(err)
	}
	return s.healthz(w, r)
}

// setLanguage keeps the language in a cookie and goes back to the page. It is a
// link, so that it works everywhere; it changes nothing but a preference.
func (s *Server) setLanguage(w http.ResponseWriter, r *http.Request) error {
	lang, ok := i18n.Parse(r.FormValue("to"))
	if !ok {
		return apperr.Field("to", "error.language")
	}
	keep(w, r, langCookie, string(lang), true)
	return redirect(w, r, ownPath(r.FormValue("next")))
}

// setTheme keeps the theme likewise. The script writes the cookie too.
func (s *Server) setTheme(w http.ResponseWriter, r *http.Request) error {
	switch theme := r.FormValue("to"); theme {
	case layout.Light, layout.Dark, layout.System:
		keep(w, r, layout.ThemeCookie, theme, false)
		return redirect(w, r, ownPath(r.FormValue("next")))
	}
	return apperr.Field("to", "error.theme")
}

// sample is the ZIP of invented people for a first try, in demo mode.
func (s *Server) sample(w http.ResponseWriter, r *http.Request) error {
	if len(s.Sample) == 0 {
		return apperr.New(apperr.NotFound, "error.not_found")
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="huizhi-sample.zip"; filename*=UTF-8''`+url.PathEscape("回执示例照片.zip"))
	_, err := w.Write(s.Sample)
	return err
}

// storybook shows every component in every state, to developers: in demo mode.
func (s *Server) storybook(w http.ResponseWriter, r *http.Request) error {
	if len(s.Demo) == 0 {
		return apperr.New(apperr.NotFound, "error.not_found")
	}
	return s.render(w, r, http.StatusOK, storybook.Page(s.plainChrome(r)))
}

// keep sets a preference cookie for a year.
func keep(w http.ResponseWriter, r *http.Request, name, value string, httpOnly bool) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
		HttpOnly: httpOnly, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode})
}

// ownPath returns next if it is a path of this site, else the home page: a link
// to our sign-in must not lead on to somebody else's.
func ownPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n") {
		return "/"
	}
	return next
}
