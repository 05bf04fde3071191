// Package xinhuo is the simulated OCR provider with the path /ocr: JSON with a token, 19 types of documents. It is
// written from the provider's document, and shares no code with the client.
//
// Where the document is silent or contradicts itself, these are the readings it takes:
//
//   - HTTP is always 200. Order of checks: path and method (40003), 40600 (no JSON object), 40100 and 40101 (token
//     empty, unknown), 40018 (rate), 40201 and 40202 (type missing, unknown), 40300 (no image), 40302 (more than
//     10×2^20 bytes), 40303 (PDF, HTML or text), 40301 (no base64, or another format than JPEG, PNG, BMP, TIFF), 40019
//     (total quota).
//   - The type of a request is always "8", the number of the service, which tells the 19 types apart by itself and names
//     the one it found; other values are 40202. A number instead of a string is accepted.
//   - A damaged picture is 40401, one without a card 40400, a card of none of the types 40500. Only 200 is charged.
//   - An ID card's list always has its 11 keys; those of the other side are empty. Registered fields of other cards are
//     passed on by name.
package xinhuo

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"huizhi/internal/providers/simulator/account"
	"huizhi/internal/providers/simulator/cards"
	"huizhi/internal/providers/simulator/wire"
)

// Path is the address of the only service there is; everything below Root is this provider's.
const (
	Path = "/ocr"
	Root = "/ocr/"
)

const (
	maxImage = 10 << 20 // bytes
	maxBody  = 24 << 20
)

// Messages are the document's table of codes, but for 200: its sample writes that in lower case.
var Messages = map[int]string{
	200:   "success",
	500:   "Server error",
	40001: "Access server error",
	40002: "Service temporarily unavailable",
	40003: "Unsupported openapi method",
	40004: "Open api request limit reached",
	40017: "Open api daily request limit reached",
	40018: "Open api qps request limit reached",
	40019: "Open api total request limit reached",
	40020: "Open api daily testing limit reached.",
	40100: "Empty App key or app secret",
	40101: "App does not exist",
	40102: "Invalid app secret",
	40103: "Invalid App",
	40104: "App has expired",
	40105: "Invalid IP source",
	40106: "App does not match service",
	40107: "App has been overdrawn by 5% of the total count. Please use it after recharging.",
	40110: "App key or app secret invalid",
	40200: "Internal error",
	40201: "Not enough param",
	40202: "Service not support",
	40300: "Empty image",
	40301: "Image format error",
	40302: "Image size error",
	40303: "File type unsupport",
	40400: "Recognize error",
	40401: "Image recognize error",
	40500: "Classify failed",
	40600: "Missing request body",
	50001: "Time out",
	90099: "Unknown error",
}

// Config is what the provider needs. All fields must be set.
type Config struct {
	Token   string
	Account *account.Account
	Desk    *cards.Desk
	Faults  *wire.Injector
	Now     func() time.Time
}

type api struct{ Config }

// Handler returns the provider's side of the connection.
func Handler(c Config) http.Handler { return &api{c} }

// request is a call after its body was read.
type request struct {
	method, path string
	body         map[string]json.RawMessage // nil unless it was a JSON object sent as application/json
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := wire.Body(r, maxBody)
	if err != nil {
		return // the client went away while it was sending
	}
	q := request{method: r.Method, path: r.URL.Path}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		if json.Unmarshal(body, &q.body) != nil {
			q.body = nil
		}
	}
	a.Faults.Serve(w, r, wire.Call{
		Op: wire.OpXinhuo, Failure: 500, Quota: 40019, Refuse: refuse,
		Process: func() wire.Answer { return a.process(r.Context(), q) },
	})
}

// text returns a member of the body if it is a string.
func (q request) text(name string) string {
	var s string
	if json.Unmarshal(q.body[name], &s) != nil {
		return ""
	}
	return s
}

// process checks a call in the order given in the package comment, and reads the card.
func (a *api) process(ctx context.Context, q request) wire.Answer {
	start := a.Now()
	code := a.check(q)
	var image []byte
	if code == 0 {
		image, code = a.image(q.text("image"))
	}
	if code == 0 && !a.Account.Reserve() {
		code = 40019
	}
	if code != 0 {
		a.Account.Answered(code)
		return refuse(code)
	}
	card, err := a.Desk.Look(ctx, image, cards.IDFront)
	name := typeOf(card.Kind)
	picture, broken := cards.Inspect(image)
	switch {
	case err != nil:
		code = 500
	case broken != nil:
		code = 40401
	case card.Kind == "":
		code = 40400
	case name == "":
		code = 40500
	default:
		code = 200
	}
	a.Account.Settle(code == 200)
	a.Account.Answered(code)
	if code != 200 {
		return refuse(code)
	}
	return wire.JSON(wire.Object{
		{Name: "cost_time", Value: a.Now().Sub(start).Milliseconds()}, {Name: "result", Value: result(name, image, picture, card)},
		{Name: "code", Value: 200}, {Name: "message", Value: Messages[200]},
	})
}

// check returns the code of the first rule that the call breaks, or 0.
func (a *api) check(q request) int {
	token := q.text("token")
	switch {
	case q.path != Path || q.method != http.MethodPost:
		return 40003
	case q.body == nil:
		return 40600
	case token == "":
		return 40100
	case token != a.Token:
		return 40101
	case !a.Account.Allow():
		return 40018
	}
	name := q.text("type")
	if raw := strings.TrimSpace(string(q.body["type"])); name == "" && raw != "" && raw != "null" && raw != `""` {
		name = raw
		if name == serviceNumber {
			a.Account.Warn("xinhuo.type_number")
		}
	}
	switch name {
	case "":
		return 40201
	case serviceNumber:
		return 0
	}
	return 40202
}

// image decodes the picture of a call, or returns the code for what is wrong with it.
func (a *api) image(text string) ([]byte, int) {
	switch {
	case text == "":
		return nil, 40300
	case base64.StdEncoding.DecodedLen(len(text)) > maxImage+2: // the exact length depends on the padding
		return nil, 40302
	}
	file, err := cards.Decode(text)
	if err != nil {
		return nil, 40301
	}
	kind := http.DetectContentType(file)
	tiff := strings.HasPrefix(string(file), "II*\x00") || strings.HasPrefix(string(file), "MM\x00*")
	switch {
	case len(file) > maxImage:
		return nil, 40302
	case tiff:
		a.Account.Warn("xinhuo.tiff")
	case kind == "application/pdf" || strings.HasPrefix(kind, "text/"):
		return nil, 40303
	case !slices.Contains([]string{"image/jpeg", "image/png", "image/bmp"}, kind):
		return nil, 40301
	}
	return file, 0
}

func refuse(code int) wire.Answer {
	return wire.JSON(wire.Object{{Name: "code", Value: code}, {Name: "message", Value: Messages[code]}})
}
