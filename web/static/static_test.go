package static_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"huizhi/web/static"
)

func get(t *testing.T, url string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, url, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	static.Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestHashedAddressIsKeptForEver(t *testing.T) {
	t.Parallel()
	res := get(t, static.URL("app.css"))
	if res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("%s, Cache-Control %q", res.Status, res.Header.Get("Cache-Control"))
	}
	if got := res.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/css") {
		t.Errorf("Content-Type %q", got)
	}
}

func TestOldHashIsNotKept(t *testing.T) {
	t.Parallel()
	if got := get(t, "/static/app.css?v=000000000000").Header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("Cache-Control %q", got)
	}
}

func TestCompressedOnRequest(t *testing.T) {
	t.Parallel()
	res := get(t, static.URL("app.js"), "Accept-Encoding", "gzip, br")
	if res.Header.Get("Content-Encoding") != "gzip" {
		t.Fatal("not compressed")
	}
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil || string(plain) != string(static.File("app.js")) {
		t.Errorf("other content: %v", err)
	}
}

func TestUnchangedFileIsNotSentAgain(t *testing.T) {
	t.Parallel()
	first := get(t, "/static/icons.svg")
	if again := get(t, "/static/icons.svg", "If-None-Match", first.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("%s", again.Status)
	}
}

func TestUnknownFile(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/static/none.css", "/static/", "/static/../static.go"} {
		if res := get(t, path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}
