package simulator

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"huizhi/internal/providers/simulator/panel"
	"huizhi/internal/providers/simulator/wire"
)

// messages are the texts of the document's table of error codes.
var messages = map[int]string{
	1001: "无效的API密钥",
	1002: "回执类型ID不能为空",
	1003: "证件照URL不能为空",
	1004: "自定义字段不能为空",
	1005: "必填字段不能为空",
	1006: "手机号格式不正确",
	1007: "身份证号格式不正确",
	1008: "无效的回执类型",
	1009: "申请单号不能为空",
	1010: "申请记录不存在",
	1011: "申请单号数组不能为空",
	1012: "单次查询申请单号不能超过100个",
	1013: "账户余额不足",
	2001: "申请提交失败,请稍后重试",
	2002: "系统异常,请稍后重试",
}

// answer is the body of every JSON answer. A success has data and no message, a refusal the other way round.
type answer struct {
	Code    int    `json:"code"`
	Message string `json:"message,omitempty"`
	Data    any    `json:"data,omitempty"`
}

func refuse(code int) answer { return answer{Code: code, Message: messages[code]} }

func success(data any) answer { return answer{Data: data} }

// request is a call of the API after its body was read: GETs have a query, POSTs have a body.
type request struct {
	method string
	query  url.Values
	body   map[string]json.RawMessage // nil unless it was a JSON object sent as application/json
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(method string, op Op, handler func(request) answer) {
		mux.HandleFunc(method+" "+basePath+"/"+string(op), s.call(op, handler))
		mux.HandleFunc(basePath+"/"+string(op), func(w http.ResponseWriter, _ *http.Request) {
			write(w, http.StatusMethodNotAllowed, refuse(2002))
		})
	}
	handle(http.MethodGet, OpTypes, s.listTypes)
	handle(http.MethodPost, OpSubmit, s.submit)
	handle(http.MethodGet, OpQuery, s.query)
	handle(http.MethodPost, OpBatchQuery, s.batchQuery)
	handle(http.MethodGet, OpApplications, s.listApplications)
	mux.HandleFunc("GET /files/{token}/photo.jpg", s.standardPhotoFile)
	mux.HandleFunc("GET /files/{token}/receipt.pdf", s.receiptFile)
	s.ocrRoutes(mux)
	mux.Handle(panel.Path, s.panel())
	mux.Handle(panel.Path+"/", s.panel())
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusNotFound, refuse(2002)) })
	return mux
}

// call wraps an operation into what all share: the limit, the faults, the key.
func (s *Server) call(op Op, handler func(request) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		req, err := readRequest(r)
		if err != nil {
			return // the client went away while it was sending
		}
		s.faults.Serve(w, r, wire.Call{
			Op: op, Failure: 2002, Quota: 1013,
			Refuse: func(code int) wire.Answer { return wire.JSON(refuse(code)) },
			Process: func() wire.Answer {
				switch {
				case !s.limit.Allow():
					return wire.TooManyRequests()
				case req.key() != s.cfg.APIKey:
					return wire.JSON(refuse(1001))
				}
				return wire.JSON(handler(req))
			},
		})
	}
}

const maxBody = 1 << 20

// readRequest reads the whole body, so that whatever happens then happens after the request arrived.
func readRequest(r *http.Request) (request, error) {
	body, err := wire.Body(r, maxBody)
	if err != nil {
		return request{}, err
	}
	req := request{method: r.Method, query: r.URL.Query()}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		if json.Unmarshal(body, &req.body) != nil {
			req.body = nil
		}
	}
	return req, nil
}

// key returns the API key: in the query of a GET, in the body of a POST, as in the document's samples.
func (r request) key() string {
	if r.method != http.MethodPost {
		return r.query.Get("apikey")
	}
	return r.text("apikey")
}

// text returns a member of the body if it is a string.
func (r request) text(name string) string {
	var s string
	if json.Unmarshal(r.body[name], &s) != nil {
		return ""
	}
	return strings.TrimSpace(s)
}

func write(w http.ResponseWriter, status int, a answer) {
	w.Header().Set("Content-Type", wire.TypeJSON)
	w.WriteHeader(status)
	w.Write(wire.Encode(a))
}
