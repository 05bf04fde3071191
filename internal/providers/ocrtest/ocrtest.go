// Package ocrtest helps to test the clients of the OCR services: a service that records what it is sent and answers what
// it was told, and pictures to send.
package ocrtest

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Request is what was sent.
type Request struct {
	Method, Path, Query, ContentType string
	Body                             []byte
}

// Answer is what to answer.
type Answer struct {
	Status int // 0 means 200
	Header http.Header
	Body   []byte
	Cut    bool // the connection is cut in place of an answer
}

// Service is a service on a loopback socket.
type Service struct {
	URL     string
	mu      sync.Mutex
	got     []Request
	answers []Answer
}

// Serve starts a service that gives the answers in turn, the last one for ever.
func Serve(t testing.TB, answers ...Answer) *Service {
	t.Helper()
	s := &Service{answers: answers}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	answer := s.record(Request{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Content-Type"), body})
	if answer.Cut {
		panic(http.ErrAbortHandler)
	}
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	if answer.Status != 0 {
		w.WriteHeader(answer.Status)
	}
	_, _ = w.Write(answer.Body) // the client may have gone
}

func (s *Service) record(r Request) Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, r)
	answer := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	return answer
}

// Requests are those recorded so far.
func (s *Service) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.got...)
}

// Golden reads a file of testdata.
func Golden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return b
}

// Picture is a JPEG that compresses badly: noise.
func Picture(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, noise(width, height), &jpeg.Options{Quality: 95}))
	return b.Bytes()
}

// PNG is a picture of the other common format.
func PNG(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, noise(width, height)))
	return b.Bytes()
}

func noise(width, height int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	random := rand.New(rand.NewPCG(1, 2))
	for y := range height {
		for x := range width {
			v := random.Uint32()
			img.SetRGBA(x, y, color.RGBA{uint8(v), uint8(v >> 8), uint8(v >> 16), 255})
		}
	}
	return img
}

// Size of a JPEG or PNG, which it must be.
func Size(t testing.TB, file []byte) (width, height int) {
	t.Helper()
	config, _, err := image.DecodeConfig(bytes.NewReader(file))
	require.NoError(t, err)
	return config.Width, config.Height
}
