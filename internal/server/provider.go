package server

import (
	"io"
	"net/http"
	"strings"
	"time"

	"huizhi/internal/apperr"
)

// maxCallback bounds a callback's body, which is read and thrown away.
const maxCallback = 64 << 10

// providerRoutes are called by the receipt provider, without a cookie. Their
// addresses hold 256 random bits of one attempt.
func (s *Server) providerRoutes() []route {
	return []route{
		{"GET /p/{file}", anyone, s.photoForProvider},
		{"POST /callbacks/{account}/{token}", anyone, s.callback},
	}
}

// photoForProvider gives the working copy of a live attempt's photo.
func (s *Server) photoForProvider(w http.ResponseWriter, r *http.Request) error {
	token, ok := strings.CutSuffix(r.PathValue("file"), ".jpg")
	if !ok {
		return apperr.New(apperr.NotFound, "error.not_found")
	}
	photo, err := s.Orders.PhotoForProvider(r.Context(), token)
	if err != nil {
		return err
	}
	defer photo.Close()
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex")
	http.ServeContent(w, r, "", time.Time{}, photo)
	return nil
}

// callback takes the provider's notice. Its body is not signed: the token says
// which attempt to query soon, and nothing of the body is believed.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCallback))
	if err != nil {
		return apperr.New(apperr.TooLarge, "error.callback.too_large").Wrap(err)
	}
	if err := s.Orders.Callback(r.Context(), r.PathValue("token"), body); err != nil {
		return err
	}
	return s.healthz(w, r)
}
