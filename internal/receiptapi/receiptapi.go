// Package receiptapi serves the ClipImg receipt API (证件照回执自动化办理 API) to
// tenants: a client that was written for ClipImg works with our base URL and key.
//
//	request.go   what a call says: JSON body or query, key
//	submit.go    the checks of /submit in their order
//	accept.go    accepted applications are committed together, then answered
//	intake.go    the photo is fetched, the order goes to the engine
//	follow.go    what the engine does becomes the application's state
//	callback.go  the client is told of the end
//	query.go     /query, /batch_query, /types, /applications
//	answer.go    applications as the document shows them
//	files.go     the receipt and the standard photo, without a login
//	deliveries.go, orderlist.go   what people and scripts look at
//
// An application is an order like any other: a person sees it in the web pages,
// and the engine sends it. What the client sees is kept apart from it, in
// api_applications, so that an answer needs no other table, and so that a final
// state stays final: when a person corrects a failed order and sends it again,
// its receipt is in the web pages, but the client, which was told that it failed
// and may have applied anew, is not told otherwise.
//
// Where the document is silent, the answers follow docs/api.md.
package receiptapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/jobs"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/safehttp"
	"huizhi/internal/tenants"
)

// BasePath is where the API is, as the document has it.
const BasePath = "/app/receipt_api.php"

// Config is what the service needs.
type Config struct {
	DB      *db.DB
	Blobs   *blob.Store
	Jobs    jobs.Enqueuer
	Tenants *tenants.Service
	Orders  *orders.Service
	Photos  *photos.Service
	// Web fetches photos and delivers callbacks. Both addresses were chosen by a
	// client, so private ones are for tests only.
	Web *safehttp.Client
	// BaseURL is where the receipts' addresses begin.
	BaseURL func() string
	Log     *slog.Logger
	Now     func() time.Time // nil: the clock

	Rate          rate.Limit      // calls per second of one key; 0 is 1000, with 5000 at once
	Burst         int             // how many at once
	PhotoWaits    []time.Duration // between the tries of fetching a photo; 2 s, 10 s, 30 s by default
	CallbackWaits []time.Duration // between the tries of a callback; 1, 2, 4 s by default
}

// Service answers the API's calls.
type Service struct {
	Config
	limits limiters
	accept acceptor
}

// defaultRate is generous: it stops a client that runs wild, not one that is busy.
const defaultRate = 1000

// New makes the service.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = db.Now
	}
	if c.Rate == 0 {
		c.Rate, c.Burst = defaultRate, 5*defaultRate
	}
	if c.PhotoWaits == nil {
		c.PhotoWaits = []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second}
	}
	if c.CallbackWaits == nil {
		c.CallbackWaits = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}
	}
	s := &Service{Config: c}
	s.limits = limiters{rate: c.Rate, burst: c.Burst, byKey: map[string]*rate.Limiter{}}
	s.accept.commit = s.commit
	return s
}

// The queues. A slow photo server or a slow client holds up nothing else.
const (
	queuePhotos    = "api_photos"
	queueCallbacks = "api_callbacks"
)

// Register declares the jobs.
func (s *Service) Register(q *jobs.Queue) {
	q.AddQueue(queuePhotos, 8)
	q.AddQueue(queueCallbacks, 16)
	jobs.Handle(q, s.workIntake)
	jobs.Handle(q, s.workCallback)
}

// Messages are the texts of the document's table of codes.
var Messages = map[int]string{
	codeKey: "无效的API密钥", codeNoType: "回执类型ID不能为空", codeNoPhoto: "证件照URL不能为空", codeNoFields: "自定义字段不能为空",
	codeRequired: "必填字段不能为空", codePhone: "手机号格式不正确", codeIDCard: "身份证号格式不正确", codeType: "无效的回执类型",
	codeNoNumber: "申请单号不能为空", codeNotFound: "申请记录不存在", codeNoNumbers: "申请单号数组不能为空",
	codeManyNumbers: "单次查询申请单号不能超过100个", codeBalance: "账户余额不足", codeSubmit: "申请提交失败,请稍后重试", codeSystem: "系统异常,请稍后重试",
}

// The document's codes. codeBalance is given to tenants with a wallet alone: the
// others pay afterwards.
const (
	codeKey         = 1001
	codeNoType      = 1002
	codeNoPhoto     = 1003
	codeNoFields    = 1004
	codeRequired    = 1005
	codePhone       = 1006
	codeIDCard      = 1007
	codeType        = 1008
	codeNoNumber    = 1009
	codeNotFound    = 1010
	codeNoNumbers   = 1011
	codeManyNumbers = 1012
	codeBalance     = 1013
	codeSubmit      = 2001
	codeSystem      = 2002
)

// Call is one operation: what it answers goes out as JSON.
type call func(ctx context.Context, c *caller, r *request) answer

// Submit, Query, BatchQuery, Types and Applications are the API's operations.
func (s *Service) Submit(w http.ResponseWriter, r *http.Request) error {
	return s.serve(w, r, s.submit)
}
func (s *Service) Query(w http.ResponseWriter, r *http.Request) error { return s.serve(w, r, s.query) }
func (s *Service) BatchQuery(w http.ResponseWriter, r *http.Request) error {
	return s.serve(w, r, s.batchQuery)
}
func (s *Service) Types(w http.ResponseWriter, r *http.Request) error { return s.serve(w, r, s.types) }
func (s *Service) Applications(w http.ResponseWriter, r *http.Request) error {
	return s.serve(w, r, s.applications)
}

// Elsewhere answers calls of the API with a wrong method (405) or path (404).
func (s *Service) Elsewhere(w http.ResponseWriter, r *http.Request) error {
	status := http.StatusNotFound
	switch r.URL.Path {
	case BasePath + "/submit", BasePath + "/query", BasePath + "/batch_query", BasePath + "/types", BasePath + "/applications":
		status = http.StatusMethodNotAllowed
	}
	return write(w, status, refuse(codeSystem))
}

// serve wraps an operation into what all share: reading, the key, the limit. A
// failure of ours is code 2002 and is logged by the caller.
func (s *Service) serve(w http.ResponseWriter, r *http.Request, operation call) error {
	req, err := readRequest(w, r)
	if err != nil {
		return write(w, http.StatusOK, refuse(codeSystem))
	}
	ctx, now := r.Context(), s.Now()
	sc, key, err := s.Tenants.Authenticate(ctx, req.key(), now)
	switch {
	case apperr.KindOf(err) == apperr.Unauthenticated:
		return write(w, http.StatusOK, refuse(codeKey))
	case err != nil:
		return s.broken(w, err)
	case !s.limits.allow(key.ID, now):
		w.Header().Set("Retry-After", "1")
		return write(w, http.StatusTooManyRequests, refuse(codeSystem))
	}
	a := operation(ctx, &caller{sc, key}, req)
	if a.err != nil {
		s.Log.ErrorContext(ctx, "API call failed", "key", key.ID, "code", a.Code, "error", a.err)
	}
	return write(w, http.StatusOK, a)
}

func (s *Service) broken(w http.ResponseWriter, err error) error {
	s.Log.Error("API call failed", "error", err)
	return write(w, http.StatusOK, refuse(codeSystem))
}

// caller is whom a key stands for.
type caller struct {
	scope tenants.Scope
	key   *tenants.APIKey
}

// actor names the key in histories and audits.
func (c *caller) actor() string { return tenants.KeyActor(c.key.ID) }
