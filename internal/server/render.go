package server

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"sync"

	"github.com/a-h/templ"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
	"huizhi/web/templates/errorview"
	"huizhi/web/templates/layout"
)

// pages are the buffers of pages that have been sent: growing a fresh one to a
// list's 100 KB was a quarter of all that a page allocates.
var pages = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keptPage is the largest buffer that is kept.
const keptPage = 1 << 20

// render writes a component, buffered first, so that a failure in the middle
// still gets an error page.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	buf := pages.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= keptPage {
			buf.Reset()
			pages.Put(buf)
		}
	}()
	if err := c.Render(r.Context(), buf); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Add("Vary", "HX-Request")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store") // pages show personal data
	}
	w.WriteHeader(status)
	_, err := buf.WriteTo(w)
	return err
}

// redirect goes to one of our own pages, for a form and for htmx.
func redirect(w http.ResponseWriter, r *http.Request, path string) error {
	if isHTMX(r) {
		w.Header().Set("HX-Redirect", path)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// statusOf is the only map from error kinds to HTTP.
var statusOf = map[apperr.Kind]int{
	apperr.Invalid: http.StatusUnprocessableEntity, apperr.NotFound: http.StatusNotFound, apperr.Conflict: http.StatusConflict,
	apperr.Forbidden: http.StatusForbidden, apperr.Unauthenticated: http.StatusUnauthorized, apperr.TooMany: http.StatusTooManyRequests,
	apperr.TooLarge: http.StatusRequestEntityTooLarge, apperr.Unavailable: http.StatusServiceUnavailable, apperr.Internal: http.StatusInternalServerError,
}

// fail answers with the error page, or for htmx with a message beside the page.
// Internal errors show a request id and nothing else.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	n := note(r)
	n.err = err
	if n.status != 0 || r.Context().Err() != nil {
		return // the answer has begun, or nobody waits for it; the log has the error
	}
	kind, text := apperr.KindOf(err), s.message(r, err)
	if kind == apperr.Unauthenticated && r.Method == http.MethodGet && !isHTMX(r) {
		http.Redirect(w, r, "/signin?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	var page templ.Component
	if isHTMX(r) {
		w.Header().Set("HX-Retarget", "#toasts")
		w.Header().Set("HX-Reswap", "beforeend")
		page = errorview.Toast(text, n.id)
	} else {
		page = errorview.Page(s.plainChrome(r), errorview.Model{Status: statusOf[kind], Message: text, RequestID: n.id, Signed: identity(r) != nil})
	}
	if rerr := s.render(w, r, statusOf[kind], page); rerr != nil {
		s.Log.ErrorContext(r.Context(), "cannot render the error page", "error", rerr)
		http.Error(w, text, statusOf[kind])
	}
}

// message is the sentence for the user.
func (s *Server) message(r *http.Request, err error) string {
	var e *apperr.Error
	if errors.As(err, &e) {
		return i18n.T(r.Context(), e.Key, e.Args...)
	}
	return i18n.T(r.Context(), "error.internal")
}

// fieldErrors translates the failures of a form, by field name.
func fieldErrors(r *http.Request, err error) (map[string]string, bool) {
	fields, ok := apperr.AsFields(err)
	if !ok {
		return nil, false
	}
	out := make(map[string]string, len(fields))
	for _, f := range fields {
		if _, dup := out[f.Field]; !dup {
			out[f.Field] = i18n.T(r.Context(), f.Key, f.Args...)
		}
	}
	return out, true
}

// chrome is the frame around a signed-in page; nav names the current row.
func (s *Server) chrome(r *http.Request, nav string) layout.Chrome {
	c := s.plainChrome(r)
	c.Nav = nav
	id := identity(r)
	if id == nil {
		return c
	}
	if id.Staff != "" {
		c.UserName, c.RoleKey, c.CanWatch = id.User.Name, "role.platform."+string(id.Staff), id.Staff.Allows(tenants.CanWatch)
		c.CanAccount = id.Staff.Allows(tenants.CanAccount)
		if c.CanAccount {
			waiting, err := s.Fapiao.Waiting(r.Context(), tenants.AllTenants(everybody))
			if err != nil { // the page is worth more than a number in its navigation
				s.Log.ErrorContext(r.Context(), "cannot count the fapiaos", "error", err)
			}
			c.Counts = map[string]int{layout.NavFapiao: waiting}
		}
		return c
	}
	c.TenantName, c.UserName = id.Tenant.Name, id.User.Name
	c.TenantKindKey, c.RoleKey = "tenant.kind."+string(id.Tenant.Kind), "role."+string(id.Role)
	c.CanWork, c.CanBill, c.CanManage = id.Role.Allows(tenants.CanWork), id.Role.Allows(tenants.CanBill), id.Role.Allows(tenants.CanManage)
	if c.CanWork {
		unknown, decision, err := s.Orders.Lanes(r.Context(), id.Scope())
		if err != nil { // the page is worth more than a number in its navigation
			s.Log.ErrorContext(r.Context(), "cannot count the lanes", "error", err)
		}
		c.Counts = map[string]int{layout.NavUnknown: unknown, layout.NavDecision: decision}
		c.Paused = s.paused(r, nav)
	}
	return c
}

// paused tells the pages about orders whether anything is submitted at the moment.
func (s *Server) paused(r *http.Request, nav string) bool {
	switch nav {
	case layout.NavHome, layout.NavBatches, layout.NavOrders, layout.NavUnknown, layout.NavDecision:
	default:
		return false
	}
	reason, err := s.Orders.PausedBy(r.Context())
	if err != nil {
		s.Log.ErrorContext(r.Context(), "cannot see whether the account is stopped", "error", err)
	}
	return reason != ""
}

// plainChrome is the frame before sign-in.
func (s *Server) plainChrome(r *http.Request) layout.Chrome {
	c := layout.Chrome{Simulator: s.Simulated, DemoMode: s.Demo != nil, Path: r.URL.RequestURI()}
	if theme, err := r.Cookie(layout.ThemeCookie); err == nil {
		c.Theme = theme.Value
	}
	return c
}

func (s *Server) notFound(http.ResponseWriter, *http.Request) error {
	return apperr.New(apperr.NotFound, "error.not_found")
}
