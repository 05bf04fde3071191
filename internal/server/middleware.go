package server

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/auth"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
)

// contentSecurityPolicy allows nothing inline and nothing from other hosts.
// data: and blob: pictures are daisyUI's check marks and local previews.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; " +
	"font-src 'self'; connect-src 'self'; worker-src 'self'; object-src 'self'; frame-src 'self'; manifest-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'self'"

func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
		next.ServeHTTP(w, r)
	})
}

// requestNote collects what the log line says about a request. The path is not
// in it, because a path may hold a photo's or a callback's token.
type requestNote struct {
	id      string
	pattern string
	user    string
	status  int
	err     error
}

type noteKey struct{}

// note returns the request's note; handlers outside the chain get a fresh one.
func note(r *http.Request) *requestNote {
	if n, ok := r.Context().Value(noteKey{}).(*requestNote); ok {
		return n
	}
	return new(requestNote)
}

type statusWriter struct {
	http.ResponseWriter
	note *requestNote
}

func (w *statusWriter) WriteHeader(code int) {
	if w.note.status == 0 {
		w.note.status = code
	}
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController reach Flush and the deadlines.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := &requestNote{id: db.NewID()}
		start := time.Now()
		w.Header().Set("X-Request-Id", n.id)
		next.ServeHTTP(&statusWriter{w, n}, r.WithContext(context.WithValue(r.Context(), noteKey{}, n)))
		attrs := []any{"request", n.id, "route", n.pattern, "method", r.Method, "status", n.status, "took", time.Since(start).Round(time.Microsecond)}
		if n.user != "" {
			attrs = append(attrs, "user", n.user)
		}
		switch {
		case n.err != nil && apperr.KindOf(n.err) == apperr.Internal && r.Context().Err() == nil:
			s.Log.ErrorContext(r.Context(), "request failed", append(attrs, "error", n.err)...)
		case n.err != nil:
			s.Log.InfoContext(r.Context(), "request refused", append(attrs, "error", n.err)...)
		default:
			s.Log.DebugContext(r.Context(), "request", attrs...)
		}
	})
}

func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v) // a broken-off stream must look broken off
			}
			s.Log.ErrorContext(r.Context(), "panic", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
			http.Error(w, "500", http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

const (
	sessionCookie = "huizhi_session"
	langCookie    = "huizhi_lang"
)

func (s *Server) withLanguage(r *http.Request) *http.Request {
	lang := i18n.Negotiate(r.Header)
	if c, err := r.Cookie(langCookie); err == nil {
		if l, ok := i18n.Parse(c.Value); ok {
			lang = l
		}
	}
	return r.WithContext(i18n.WithLang(r.Context(), lang))
}

type identityKey struct{}

// identity is who is signed in, or nil.
func identity(r *http.Request) *auth.Identity {
	id, _ := r.Context().Value(identityKey{}).(*auth.Identity)
	return id
}

func (s *Server) withIdentity(r *http.Request) (*http.Request, error) {
	sess, err := s.Sessions.Get(r, sessionCookie)
	if err != nil {
		return r, err
	}
	userID, _ := sess.Values["user_id"].(string)
	tenantID, _ := sess.Values["tenant_id"].(string)
	if userID == "" {
		return r, nil
	}
	id, err := s.Auth.Identify(r.Context(), userID, tenantID)
	if apperr.KindOf(err) == apperr.Unauthenticated {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	note(r).user = userID
	return r.WithContext(context.WithValue(r.Context(), identityKey{}, id)), nil
}

func (s *Server) allowed(r *http.Request, a access) error {
	if a.public {
		return nil
	}
	id := identity(r)
	if id == nil {
		return apperr.New(apperr.Unauthenticated, "error.signin.required")
	}
	switch {
	case a.signed:
		return nil
	case a.staff && id.Staff == "":
		return apperr.New(apperr.NotFound, "error.not_found")
	case a.staff && id.Staff.Allows(a.can):
		return nil
	case !a.staff && id.Staff == "" && (a.can == "" || id.Role.Allows(a.can)):
		return nil
	default:
		return apperr.New(apperr.Forbidden, "error.role")
	}
}
