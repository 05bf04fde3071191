// Package static serves the built assets: the style sheet, the script and the icons. They are embedded, and their
// addresses carry a hash of their content, so that browsers keep them for a year and never show a stale one.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed dist
var dist embed.FS

// Prefix is where Handler is to be mounted: mux.Handle("GET "+static.Prefix, static.Handler()).
const Prefix = "/static/"

// asset is one file, kept in memory with its hash. gzipped is made at the first request that wants it.
type asset struct {
	name    string
	content []byte
	hash    string // first 12 hex digits of the SHA-256
	gzipped func() []byte
}

var assets = func() map[string]*asset {
	files, err := load(dist)
	if err != nil {
		panic(err) // impossible: the files are embedded
	}
	return files
}()

func load(files fs.FS) (map[string]*asset, error) {
	byName := map[string]*asset{}
	err := fs.WalkDir(files, "dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		a := &asset{name: strings.TrimPrefix(name, "dist/"), content: content, hash: hex.EncodeToString(sum[:6])}
		a.gzipped = sync.OnceValue(a.gzip)
		byName[a.name] = a
		return nil
	})
	return byName, err
}

func (a *asset) gzip() []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // impossible: the level is a constant of the package
	}
	w.Write(a.content) //nolint:errcheck // a bytes.Buffer takes everything
	w.Close()          //nolint:errcheck // as above
	return b.Bytes()
}

// URL is the address of a built file: URL("app.css") is "/static/app.css?v=3f2a1b9c04de". A file that does not exist is
// a mistake in a template and panics.
func URL(name string) string {
	a, ok := assets[name]
	if !ok {
		panic("static: no file " + name)
	}
	return Prefix + name + "?v=" + a.hash
}

// File is the content of a built file, nil when there is none of that name.
func File(name string) []byte {
	if a, ok := assets[name]; ok {
		return a.content
	}
	return nil
}

// Handler serves the files under Prefix. A request with the right hash may be kept for ever; one without is revalidated.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := assets[strings.TrimPrefix(r.URL.Path, Prefix)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", mime.TypeByExtension(path.Ext(a.name)))
		h.Set("Vary", "Accept-Encoding")
		h.Set("ETag", `"`+a.hash+`"`)
		h.Set("Cache-Control", "no-cache")
		if r.URL.Query().Get("v") == a.hash {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		content := a.content
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && len(content) > 1024 {
			h.Set("Content-Encoding", "gzip")
			h.Set("ETag", `"`+a.hash+`-gz"`)
			content = a.gzipped()
		}
		http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(content))
	})
}
