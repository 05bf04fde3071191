// Package juhe is the simulated OCR provider with the paths /certificates/queryBase64 and /certificates/query: 35 types
// of documents. It is written from the provider's document, and shares no code with the client.
//
// Where the document is silent or contradicts itself, these are the readings it takes:
//
//   - queryBase64 reads an urlencoded form, query a multipart one; another kind of body has no picture, hence 215306.
//     The key is taken from the query or the body, everything else from the body.
//   - Order of checks: 215301 for all methods but POST, 10001, 10011 (rate), 215303 (cardType missing, no integer, not
//     listed), 215306 (nothing uploaded), 215302 (more than 3×2^20 characters of base64, or bytes of file), 215307
//     (broken base64 or multipart body), 215304 (the file's extension, or a bank card that is not JPEG), 10012 (quota).
//   - 215305 means that nothing was recognised, and is charged, also for a file that is no picture; 215308 means that
//     the picture shows another kind of document.
//   - The answer is always {error_code, reason, result}; result is an object, and null with an error.
//   - orderid=1 asks for an order number under the same name; a userid is repeated.
//   - The members of result are those of the document's examples, in their order; cards whose type has no example have
//     their registered fields.
package juhe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"huizhi/internal/providers/simulator/account"
	"huizhi/internal/providers/simulator/cards"
	"huizhi/internal/providers/simulator/wire"
)

// The addresses of the two services; everything below Root is this provider's.
const (
	PathBase64 = "/certificates/queryBase64"
	PathFile   = "/certificates/query"
	Root       = "/certificates/"
)

const (
	maxImage = 3 << 20 // characters of base64, or bytes of file
	maxBody  = 16 << 20
)

// Messages are the document's two tables of error codes. 10006 and 10010 are missing there.
var Messages = map[int]string{
	0:      "操作成功",
	215300: "网络错误,请稍后重试",
	215301: "不支持GET请求",
	215302: "上传文件超过最大限制!",
	215303: "cardType error!",
	215304: "file name type error!",
	215305: "识别失败!",
	215306: "图片上传失败",
	215307: "图片上传发生错误",
	215308: "证件类型错误",
	10001:  "错误的请求KEY",
	10002:  "该KEY无请求权限",
	10003:  "KEY过期",
	10004:  "错误的OPENID",
	10005:  "应用未审核超时, 请提交认证",
	10007:  "未知的请求源",
	10008:  "被禁止的IP",
	10009:  "被禁止的KEY",
	10011:  "当前IP请求超过限制",
	10012:  "请求超过次数限制",
	10013:  "测试KEY超过请求限制",
	10014:  "系统内部异常(调用充值类业务时, 请务必联系客服或通过订单查询接口检测订单, 避免造成损失)",
	10020:  "接口维护",
	10021:  "接口停用",
}

// Config is what the provider needs. All fields must be set.
type Config struct {
	Key     string
	Account *account.Account
	Desk    *cards.Desk
	Faults  *wire.Injector
	Now     func() time.Time
}

type api struct {
	Config
	orders atomic.Int64
}

// Handler returns the provider's side of the connection.
func Handler(c Config) http.Handler { return &api{Config: c} }

// request is a call after its body was read.
type request struct {
	method, path string
	query, form  url.Values
	image        []byte // what was uploaded: base64 text, or a file
	uploaded     bool
	broken       bool   // the body is not what its Content-Type says
	fileName     string // of a file
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := wire.Body(r, maxBody)
	if err != nil {
		return // the client went away while it was sending
	}
	if r.URL.Path != PathBase64 && r.URL.Path != PathFile {
		http.NotFound(w, r)
		return
	}
	q := request{method: r.Method, path: r.URL.Path, query: r.URL.Query()}
	q.readBody(r.Header.Get("Content-Type"), body)
	a.Faults.Serve(w, r, wire.Call{
		Op: wire.OpJuhe, Failure: 10014, Quota: 10012, Refuse: refuse,
		Process: func() wire.Answer { return a.process(r.Context(), q) },
	})
}

func (q *request) readBody(contentType string, body []byte) {
	kind, parameters, _ := mime.ParseMediaType(contentType)
	switch kind {
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		q.form, q.broken = form, err != nil
		if q.path == PathBase64 {
			q.image, q.uploaded = []byte(form.Get("base64")), form.Get("base64") != ""
		}
	case "multipart/form-data":
		q.broken = q.readParts(body, parameters["boundary"]) != nil
	}
}

// readParts reads a multipart form whose file is called pic.
func (q *request) readParts(body []byte, boundary string) error {
	q.form = make(url.Values)
	for parts := multipart.NewReader(bytes.NewReader(body), boundary); ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		content, err := io.ReadAll(part)
		if part.FormName() == "pic" && part.FileName() != "" && q.path == PathFile {
			q.image, q.uploaded, q.fileName = content, true, part.FileName()
		} else {
			q.form.Add(part.FormName(), string(content))
		}
		if err != nil {
			return err
		}
	}
}

// process checks a call in the order given in the package comment, and reads the card.
func (a *api) process(ctx context.Context, q request) wire.Answer {
	code := a.check(&q)
	if code == 0 && !a.Account.Reserve() {
		code = 10012
	}
	if code != 0 {
		a.Account.Answered(code)
		return refuse(code)
	}
	t := types[q.cardType()]
	card, err := a.look(ctx, q.image, t)
	switch {
	case err != nil:
		code = 10014
	case card.Kind == "":
		code = 215305
	case !slices.Contains(t, card.Kind):
		code = 215308
	}
	a.Account.Settle(code == 0 || code == 215305)
	a.Account.Answered(code)
	if code != 0 {
		return refuse(code)
	}
	return answer(0, a.result(q, card))
}

// look asks the desk for a card of the kinds that a type allows, the first by preference. A file that is no picture
// shows no card.
func (a *api) look(ctx context.Context, image []byte, kinds []cards.Kind) (cards.Card, error) {
	if p, err := cards.Inspect(image); err != nil || !slices.Contains([]string{"jpeg", "png", "bmp"}, p.Format) {
		return cards.Card{}, nil
	}
	c, err := a.Desk.Look(ctx, image, kinds[0])
	return c.Side(kinds[0]), err
}

// cardType returns the type asked for, or 0.
func (q request) cardType() int {
	n, err := strconv.Atoi(q.form.Get("cardType"))
	if err != nil {
		return 0
	}
	return n
}

// check returns the code of the first rule that the call breaks, or 0. Base64 is decoded on the way.
func (a *api) check(q *request) int {
	key := q.query.Get("key")
	if key == "" {
		key = q.form.Get("key")
	}
	switch {
	case q.method != http.MethodPost:
		return 215301
	case key != a.Key:
		return 10001
	case !a.Account.Allow():
		return 10011
	case types[q.cardType()] == nil:
		return 215303
	case !q.uploaded && q.broken:
		return 215307
	case !q.uploaded || len(q.image) == 0:
		return 215306
	case len(q.image) > maxImage:
		return 215302
	case q.broken:
		return 215307
	}
	if q.path == PathBase64 {
		file, err := cards.Decode(string(q.image))
		if err != nil {
			return 215307
		}
		q.image = file
	} else if !slices.Contains([]string{".jpg", ".jpeg", ".png", ".bmp"}, strings.ToLower(path.Ext(q.fileName))) {
		return 215304
	}
	if q.cardType() == bankCard && http.DetectContentType(q.image) != "image/jpeg" {
		return 215304
	}
	return 0
}

func refuse(code int) wire.Answer { return answer(code, nil) }

func answer(code int, result any) wire.Answer {
	return wire.JSON(wire.Object{{Name: "error_code", Value: code}, {Name: "reason", Value: Messages[code]}, {Name: "result", Value: result}})
}
