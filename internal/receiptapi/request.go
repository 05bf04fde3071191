package receiptapi

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxBody bounds a call. The largest sensible ones, a hundred numbers or a submit
// with long signed addresses, have a few KiB.
const maxBody = 64 << 10

// request is a call after its body was read: a GET has a query, a POST a body.
type request struct {
	query url.Values
	body  map[string]json.RawMessage // nil unless it was a JSON object sent as application/json
}

// readRequest fails when the body is too large or breaks off.
func readRequest(w http.ResponseWriter, r *http.Request) (*request, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return &request{query: r.URL.Query()}, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, err
	}
	return parseBody(r.Header.Get("Content-Type"), body), nil
}

// parseBody takes what is not a JSON object in UTF-8 for a body without members.
func parseBody(contentType string, body []byte) *request {
	r := &request{}
	if kind, _, _ := mime.ParseMediaType(contentType); kind != "application/json" || !utf8.Valid(body) {
		return r
	}
	if json.Unmarshal(body, &r.body) != nil {
		r.body = nil
	}
	return r
}

// key is the API key: in the query of a GET, in the body of a POST, nowhere else.
func (r *request) key() string {
	if r.query != nil {
		return r.query.Get("apikey")
	}
	return r.text("apikey")
}

// text is a member of the body if it is a string, without spaces around it.
func (r *request) text(name string) string {
	var s string
	if json.Unmarshal(r.body[name], &s) != nil {
		return ""
	}
	return strings.TrimSpace(s)
}

// absent tells that a member is missing, null or an empty string.
func (r *request) absent(name string) bool {
	raw := strings.TrimSpace(string(r.body[name]))
	return raw == "" || raw == "null" || raw == `""`
}

// positive is a whole number above 0 of the query, or otherwise.
func (r *request) positive(name string, otherwise int) int {
	n, err := strconv.Atoi(r.query.Get(name))
	if err != nil || n < 1 {
		return otherwise
	}
	return n
}

// fields are the custom fields of a submit.
type fields map[string]json.RawMessage

// text is a field as text: a string without the spaces around it, anything else
// as it is written, null and nothing as "".
func (f fields) text(name string) string {
	raw := f[name]
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) == nil {
		return strings.TrimSpace(s)
	}
	return string(raw)
}
