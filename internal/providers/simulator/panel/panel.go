// Package panel is how people make the simulated providers misbehave: a page in Chinese and English to pick a call, a
// fault, how often and how long, with the balances and applications beside it, and the same as JSON for scripts.
//
//	GET  /_panel           the page
//	GET  /_panel/faults    the rules: {"seed": 1, "list": [{"op": "submit", "kind": "reset", "after": true, "rate": 0.1}]}
//	PUT  /_panel/faults    replaces them
//	GET  /_panel/stats     what has happened so far
//	POST /_panel/balance   {"account": "clipimg", "add": 5000}, or pyi, juhe, xinhuo with calls
//
// It is served to this machine only, or with a token to others: in the header "Authorization: Bearer …", or once as
// ?token=… in a browser, which then keeps it as a cookie.
package panel

import (
	"context"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"

	"huizhi/internal/i18n"
	"huizhi/internal/providers/simulator/wire"
)

// Path is where the panel is; everything below it is the panel's.
const Path = "/_panel"

// Config is what the panel shows and changes. All fields but Token must be set.
type Config struct {
	Token     string
	State     func() State
	Stats     func() any // for JSON
	Faults    func() wire.Faults
	SetFaults func(wire.Faults)
	// Add tops up an account: clipimg in points, the others in calls. It returns ErrAccount for any other.
	Add func(account string, n int) error
}

// ErrAccount is returned for an account that there is not.
var ErrAccount = errors.New("no such account: it is one of clipimg, pyi, juhe, xinhuo")

//go:embed panel.css panel.js
var assets embed.FS

type panel struct{ Config }

// Handler returns the panel.
func Handler(c Config) http.Handler {
	p := &panel{c}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path, p.page)
	mux.HandleFunc("GET "+Path+"/live", p.live)
	mux.HandleFunc("GET "+Path+"/faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, p.Faults()) })
	mux.HandleFunc("PUT "+Path+"/faults", p.putFaults)
	mux.HandleFunc("GET "+Path+"/stats", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, p.Stats()) })
	mux.HandleFunc("POST "+Path+"/balance", p.postBalance)
	mux.HandleFunc("POST "+Path+"/faults/add", p.addFault)
	mux.HandleFunc("POST "+Path+"/faults/remove", p.removeFault)
	mux.HandleFunc("POST "+Path+"/faults/clear", p.clearFaults)
	mux.Handle("GET "+Path+"/assets/", http.StripPrefix(Path+"/assets/", http.FileServerFS(assets)))
	return p.guard(http.NewCrossOriginProtection().Handler(mux))
}

const tokenCookie = "simulator_panel"

// guard lets in who may see the panel, and nothing from elsewhere into the page.
func (p *panel) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if token := r.URL.Query().Get("token"); r.Method == http.MethodGet && p.isToken(token) {
			http.SetCookie(w, &http.Cookie{Name: tokenCookie, Value: token, Path: Path, HttpOnly: true, SameSite: http.SameSiteStrictMode})
			http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
			return
		}
		if !p.allowed(r) {
			http.Error(w, "the panel is for this machine only, or needs the panel token", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (p *panel) isToken(s string) bool {
	return p.Token != "" && subtle.ConstantTimeCompare([]byte(s), []byte(p.Token)) == 1
}

func (p *panel) allowed(r *http.Request) bool {
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && p.isToken(bearer) {
		return true
	}
	if cookie, err := r.Cookie(tokenCookie); err == nil && p.isToken(cookie.Value) {
		return true
	}
	// A proxy on this machine speaks for others; and a page elsewhere could reach this machine under a name of its own.
	forwarded := r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != ""
	return !forwarded && local(r.RemoteAddr) && local(r.Host)
}

// local reports whether a host, with or without a port, is this machine.
func local(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// language chooses it by ?lang=, else by the cookie that this leaves behind, else by the browser.
func language(w http.ResponseWriter, r *http.Request) context.Context {
	const cookie = "simulator_panel_lang"
	if lang, ok := i18n.Parse(r.URL.Query().Get("lang")); ok {
		http.SetCookie(w, &http.Cookie{Name: cookie, Value: string(lang), Path: Path, SameSite: http.SameSiteStrictMode, MaxAge: 365 * 86400})
		return i18n.WithLang(r.Context(), lang)
	}
	if c, err := r.Cookie(cookie); err == nil {
		if lang, ok := i18n.Parse(c.Value); ok {
			return i18n.WithLang(r.Context(), lang)
		}
	}
	return i18n.WithLang(r.Context(), i18n.Negotiate(r.Header))
}

// putFaults replaces the rules by those of the body, all or none.
func (p *panel) putFaults(w http.ResponseWriter, r *http.Request) {
	var f wire.Faults
	if !readJSON(w, r, &f) {
		return
	}
	if err := f.Check(); err != nil {
		writeJSON(w, http.StatusUnprocessableEntity, failure{err.Error()})
		return
	}
	p.SetFaults(f)
	writeJSON(w, http.StatusOK, p.Faults())
}

// postBalance tops an account up, from JSON or from the page's form.
func (p *panel) postBalance(w http.ResponseWriter, r *http.Request) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		p.addBalance(w, r)
		return
	}
	var b struct {
		Account string `json:"account"`
		Add     int    `json:"add"`
	}
	if !readJSON(w, r, &b) {
		return
	}
	if err := p.Add(b.Account, b.Add); err != nil {
		writeJSON(w, http.StatusUnprocessableEntity, failure{err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, p.Stats())
}

type failure struct {
	Error string `json:"error"`
}

func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return true
		}
		err = errors.New("something follows the JSON object")
	}
	writeJSON(w, http.StatusBadRequest, failure{err.Error()})
	return false
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", wire.TypeJSON)
	w.WriteHeader(status)
	w.Write(append(wire.Encode(v), '\n'))
}
