package safehttp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"code.dny.dev/ssrf"
)

const secret = "unguessable-path"

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/" + secret
}

func open() *Client { return New(Config{AllowPrivate: true}) }

func TestFetchReturnsBodyTypeAndHash(t *testing.T) {
	t.Parallel()
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/jpeg") // a lie
		w.Write([]byte("%PDF-1.4 receipt"))
	})
	f, err := open().Fetch(t.Context(), address, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if string(f.Body) != "%PDF-1.4 receipt" || f.ContentType != "application/pdf" {
		t.Errorf("got %q of type %s", f.Body, f.ContentType)
	}
	if want := sha256.Sum256([]byte("%PDF-1.4 receipt")); f.SHA256 != hex.EncodeToString(want[:]) {
		t.Errorf("SHA256 = %q", f.SHA256)
	}
}

func TestFetchRefusesAddressesThatAreNotPublic(t *testing.T) {
	t.Parallel()
	reached := false
	loopback := serve(t, func(http.ResponseWriter, *http.Request) { reached = true })
	c := New(Config{})
	for _, address := range []string{
		loopback,
		strings.Replace(loopback, "127.0.0.1", "localhost", 1),
		strings.Replace(loopback, "127.0.0.1", "[::ffff:127.0.0.1]", 1),
		"http://0.0.0.0/", "http://10.1.2.3/", "http://172.16.0.1/", "http://192.168.1.1:8080/",
		"http://100.64.0.1/",                       // carrier-grade NAT
		"http://169.254.169.254/latest/meta-data/", // cloud metadata
		"http://[::1]/", "http://[fd00:ec2::254]/", // loopback, unique local
		"http://[fe80::1]/", "http://[64:ff9b::a00:1]/", // link-local, NAT64 of 10.0.0.1
		"http://[2002:7f00:1::]/", // 6to4 of 127.0.0.1
		"file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "//example.com/", "", "http://",
		"http://user:password@example.com/", "http://exa mple.com/",
	} {
		if _, err := c.Fetch(t.Context(), address, Limits{Timeout: 5 * time.Second}); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v, want ErrForbidden", address, err)
		}
	}
	if reached {
		t.Error("the loopback server was reached")
	}
}

// The guard here allows exactly 127.0.0.1, which plays the public host.
func TestFetchChecksWhereRedirectsLead(t *testing.T) {
	t.Parallel()
	guard := ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(netip.MustParsePrefix("127.0.0.1/32")))
	c := newClient(Config{}, guard.Safe)
	reached := false
	inner := serve(t, func(http.ResponseWriter, *http.Request) { reached = true })
	for _, target := range []string{
		strings.Replace(inner, "127.0.0.1", "127.0.0.2", 1), "http://169.254.169.254/", "file:///etc/passwd",
	} {
		outer := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, http.StatusFound) })
		if _, err := c.Fetch(t.Context(), outer, Limits{Redirects: 3}); !errors.Is(err, ErrForbidden) {
			t.Errorf("redirect to %s: %v, want ErrForbidden", target, err)
		}
	}
	if reached {
		t.Error("the redirect to a forbidden address was followed")
	}
}

func TestFetchFollowsOnlyAsManyRedirectsAsAllowed(t *testing.T) {
	t.Parallel()
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Referer() != "" {
			t.Errorf("the redirected request carries a Referer")
		}
		if rest, ok := strings.CutPrefix(r.URL.Path, "/"+secret); ok && len(rest) < 3 {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
		}
	})
	if _, err := open().Fetch(t.Context(), address, Limits{Redirects: 3}); err != nil {
		t.Errorf("three redirects: %v", err)
	}
	if _, err := open().Fetch(t.Context(), address, Limits{Redirects: 2}); !errors.Is(err, ErrTooManyRedirects) {
		t.Errorf("one redirect too many: %v", err)
	}
}

func TestFetchStopsAtItsLimits(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	announced := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 1001)) })
	streamed := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 11 {
			w.Write(make([]byte, 100))
			w.(http.Flusher).Flush()
		}
	})
	hanging := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	for name, address := range map[string]string{"announced": announced, "streamed": streamed} {
		if _, err := open().Fetch(t.Context(), address, Limits{MaxBytes: 1000}); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v, want ErrTooLarge", name, err)
		}
	}
	if _, err := open().Fetch(t.Context(), hanging, Limits{Timeout: 50 * time.Millisecond}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a server that hangs: %v", err)
	}
}

func TestFetchErrorsDoNotTellTheAddress(t *testing.T) {
	t.Parallel()
	refused := httptest.NewServer(nil)
	refused.Close()
	for name, address := range map[string]string{
		"forbidden": "ftp://example.com/" + secret,
		"refused":   refused.URL + "/" + secret,
		"404":       serve(t, http.NotFound),
		"cut": serve(t, func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}),
		"garbage": serve(t, func(w http.ResponseWriter, r *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Write([]byte("secrets " + r.URL.Path + "\r\n\r\n"))
			conn.Close()
		}),
	} {
		_, err := open().Fetch(t.Context(), address, Limits{})
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
		var outer *url.Error
		if errors.As(err, &outer) {
			t.Errorf("%s: the chain still holds the address", name)
		}
	}
}

func TestFetchReportsTheStatus(t *testing.T) {
	t.Parallel()
	_, err := open().Fetch(t.Context(), serve(t, http.NotFound), Limits{})
	if e, ok := errors.AsType[*StatusError](err); !ok || e.Code != http.StatusNotFound {
		t.Errorf("got %v", err)
	}
}
