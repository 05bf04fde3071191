package server

import (
	"net/http"
	"strings"
	"time"

	"huizhi/docs"
	"huizhi/internal/photos"
	"huizhi/internal/receiptapi"
)

// apiRoutes are the receipt API for tenants' programs, which bring a key and no
// cookie, and the files that its answers point to, whose addresses are secrets.
func (s *Server) apiRoutes() []route {
	const base = receiptapi.BasePath
	return []route{
		{"POST " + base + "/submit", anyone, s.API.Submit},
		{"GET " + base + "/query", anyone, s.API.Query},
		{"POST " + base + "/batch_query", anyone, s.API.BatchQuery},
		{"GET " + base + "/types", anyone, s.API.Types},
		{"GET " + base + "/applications", anyone, s.API.Applications},
		{"GET " + apiDocsPath, anyone, s.apiDocs},
		{"GET " + receiptapi.FilesPath + "{token}/{file}", anyone, s.API.File},
	}
}

// apiDocsPath is the reference of the API, for those who write its clients.
const apiDocsPath = "/docs/api.md"

func (s *Server) apiDocs(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(docs.API))
	return nil
}

// noPhoto is shown as long as the photo of a program's order has not been fetched.
const noPhoto = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 358 441"><rect width="358" height="441" fill="#e8ebf0"/>` +
	`<g fill="#c3cad5"><ellipse cx="179" cy="190" rx="82" ry="110"/><ellipse cx="179" cy="461" rx="160" ry="130"/></g></svg>`

// showNoPhoto stands in for the thumbnail and the preview of an awaited photo.
func (s *Server) showNoPhoto(w http.ResponseWriter, r *http.Request, v photos.Variant) (shown bool, err error) {
	if v != photos.Thumb && v != photos.Preview {
		return false, nil
	}
	pic, err := s.Photos.Picture(r.Context(), identity(r).Scope(), r.PathValue("picture"))
	if err != nil || pic.State != photos.StateAwaited {
		return false, err
	}
	h := w.Header()
	h.Set("Content-Type", "image/svg+xml")
	h.Set("Cache-Control", "no-store")
	_, err = w.Write([]byte(noPhoto))
	return true, err
}
