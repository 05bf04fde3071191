// Package pyi is the simulated OCR provider with the path /pyi/76/194: MD5-signed forms, ID cards only. It is written
// from the provider's document, and shares no code with the client.
//
// Where the document is silent or contradicts itself, these are the readings it takes:
//
//   - Only a POST of an urlencoded form is read; parameters in the URL are not. Order of checks: path (10020 below
//     /pyi/76/, else 10009), method (10019), unknown or repeated parameters (10015), 10001, 10002, 10017, 10004, 10005,
//     10003, rate (HTTP 429), format, side and picture (10019 with the reason), 10018.
//   - Signed is every parameter but sign that is not the empty string, as its value is before it is form-encoded. The
//     sign is in lower case.
//   - time may be missing or empty; otherwise it is in whole seconds, at most 600 s off. The answer repeats it.
//   - The 4 MB are 4×2^20 characters of base64 after form-encoding once; of a file at an address, before that.
//   - Charged is every 10000, thus also a picture without a card. retdata is an object then, and [] with an error.
//   - image_status is reversed_side only if a side was asked for and the other one came; it is read all the same.
//   - XML has the root element <root>.
package pyi

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/providers/simulator/account"
	"huizhi/internal/providers/simulator/cards"
	"huizhi/internal/providers/simulator/wire"
)

// Path is the address of the only service there is; everything below Root is this provider's.
const (
	Path = "/pyi/76/194"
	Root = "/pyi/"
)

const (
	maxImage  = 4 << 20 // characters
	maxURL    = 1024    // bytes
	minSide   = 15      // pixels, of the shorter side
	maxSide   = 4096    // pixels, of the longer side
	timeShift = 10 * time.Minute
	maxBody   = 8 << 20
)

// Config is what the provider needs. All fields but Fetch must be set.
type Config struct {
	AppID, Secret string
	Account       *account.Account
	Desk          *cards.Desk
	Faults        *wire.Injector
	// Fetch gets a picture of at most so many bytes from an http or https address. Nil means that addresses cannot be
	// reached.
	Fetch func(ctx context.Context, address string, maxBytes int64) ([]byte, error)
	Now   func() time.Time
}

type api struct{ Config }

// Handler returns the provider's side of the connection.
func Handler(c Config) http.Handler { return &api{c} }

// request is a call after its form was read.
type request struct {
	method, path, remote string
	form                 url.Values
	damaged, tooLong     bool
	now                  time.Time
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := wire.Body(r, maxBody)
	if err != nil {
		return // the client went away while it was sending
	}
	q := request{method: r.Method, path: r.URL.Path, remote: r.RemoteAddr, tooLong: len(body) > maxBody, now: a.Now()}
	kind, parameters, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/x-www-form-urlencoded" && !q.tooLong {
		q.form, err = url.ParseQuery(string(body))
		q.damaged = err != nil
		if !strings.EqualFold(parameters["charset"], "utf-8") {
			a.Account.Warn("pyi.charset")
		}
	}
	a.Faults.Serve(w, r, wire.Call{
		Op: wire.OpPyi, Failure: 10021, Quota: 10018,
		Refuse:  func(code int) wire.Answer { return q.refuse(code, "") },
		Process: func() wire.Answer { return a.process(r.Context(), q) },
	})
}

// process checks a call in the order given in the package comment, and reads the card.
func (a *api) process(ctx context.Context, q request) wire.Answer {
	code, info := a.check(q)
	if code == 0 && !a.Account.Allow() {
		return wire.TooManyRequests()
	}
	var image []byte
	if code == 0 {
		image, info = a.image(ctx, q.form)
		if info != "" {
			code = 10019
		}
	}
	if code == 0 && !a.Account.Reserve() {
		code = 10018
	}
	if code != 0 {
		a.Account.Answered(code)
		return q.refuse(code, info)
	}
	if q.form.Get("format") == "" {
		a.Account.Warn("pyi.format")
	}
	want := sides[q.form.Get("id_card_side")]
	card, err := a.Desk.Look(ctx, image, want)
	a.Account.Settle(err == nil)
	if err != nil {
		a.Account.Answered(10021)
		return q.refuse(10021, "")
	}
	a.Account.Answered(10000)
	return q.success(card.Side(want), want)
}

// sides are the values of id_card_side. The reader is asked for a front when no side is given.
var sides = map[string]cards.Kind{"": "", "front": cards.IDFront, "back": cards.IDBack}

var parameters = []string{"appid", "format", "id_card_side", "sign", "time", "url_image"}

// check returns the code of the first rule that the call breaks, and for 10019 the reason, or 0.
func (a *api) check(q request) (code int, info string) {
	switch {
	case q.path != Path && strings.HasPrefix(q.path, "/pyi/76/"):
		return 10020, ""
	case q.path != Path:
		return 10009, ""
	case q.method != http.MethodPost:
		return 10019, "请使用POST方式请求"
	case q.tooLong:
		return 10019, "图片大小不能超过4M"
	case q.damaged:
		return 10019, "请求参数编码错误"
	}
	for name, values := range q.form {
		if len(values) > 1 || !slices.Contains(parameters, name) {
			return 10015, ""
		}
	}
	switch {
	case q.form.Get("appid") == "":
		return 10001, ""
	case q.form.Get("sign") == "":
		return 10002, ""
	}
	if stamp := q.form.Get("time"); stamp != "" {
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			return 10017, ""
		}
		if shift := q.now.Unix() - seconds; shift > int64(timeShift/time.Second) || -shift > int64(timeShift/time.Second) {
			return 10004, ""
		}
	}
	switch format, side := q.form.Get("format"), q.form.Get("id_card_side"); {
	case q.form.Get("appid") != a.AppID:
		return 10005, ""
	case q.form.Get("sign") != Sign(q.form, a.Secret):
		return 10003, ""
	case !slices.Contains([]string{"", "json", "xml"}, format):
		return 10019, "format只支持json,xml"
	case side != "" && sides[side] == "":
		return 10019, "id_card_side只支持front,back"
	}
	return 0, ""
}

// Sign returns the signature of a form: MD5 over the sorted names and values of all parameters but sign that are not
// empty, and the secret.
func Sign(form url.Values, secret string) string {
	var text strings.Builder
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if value := form.Get(name); value != "" && name != "sign" {
			text.WriteString(name + value)
		}
	}
	sum := md5.Sum([]byte(text.String() + secret))
	return hex.EncodeToString(sum[:])
}

// image returns the picture of a call, or what is wrong with it.
func (a *api) image(ctx context.Context, form url.Values) (image []byte, problem string) {
	text := form.Get("url_image")
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		if len(text) > maxURL {
			return nil, "图片URL长度不能超过1024字节"
		}
		if a.Fetch == nil {
			return nil, "图片下载失败"
		}
		file, err := a.Fetch(ctx, text, maxImage/4*3)
		if err != nil {
			return nil, "图片下载失败"
		}
		return file, pictureProblem(file)
	}
	switch {
	case text == "":
		return nil, "url_image不能为空"
	case len(text)+2*strings.Count(text, "+")+2*strings.Count(text, "/")+2*strings.Count(text, "=") > maxImage:
		return nil, "图片大小不能超过4M"
	}
	file, err := cards.Decode(text)
	if err != nil {
		return nil, "图片base64格式错误"
	}
	return file, pictureProblem(file)
}

func pictureProblem(file []byte) string {
	p, err := cards.Inspect(file)
	switch {
	case err != nil || !slices.Contains([]string{"jpeg", "png", "bmp"}, p.Format):
		return "图片格式错误,支持jpg/jpeg/png/bmp格式"
	case min(p.Width, p.Height) < minSide || max(p.Width, p.Height) > maxSide:
		return "图片尺寸错误,最短边至少15px,最长边最大4096px"
	}
	return ""
}

// host is an address without its port.
func host(remote string) string {
	h, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return h
}
