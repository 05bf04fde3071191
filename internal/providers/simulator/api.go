package simulator

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
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
	query url.Values
	body  map[string]json.RawMessage // nil unless it was a JSON object sent as application/json
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(method string, op Op, handler func(request) answer) {
		mux.HandleFunc(method+" "+basePath+"/"+string(op), s.call(op, handler))
	}
	handle(http.MethodGet, OpTypes, s.listTypes)
	handle(http.MethodPost, OpSubmit, s.submit)
	handle(http.MethodGet, OpQuery, s.query)
	handle(http.MethodPost, OpBatchQuery, s.batchQuery)
	handle(http.MethodGet, OpApplications, s.listApplications)
	for _, op := range []Op{OpTypes, OpSubmit, OpQuery, OpBatchQuery, OpApplications} {
		mux.HandleFunc(basePath+"/"+string(op), func(w http.ResponseWriter, _ *http.Request) {
			write(w, http.StatusMethodNotAllowed, refuse(2002))
		})
	}
	mux.HandleFunc("GET /files/{token}/photo.jpg", s.standardPhotoFile)
	mux.HandleFunc("GET /files/{token}/receipt.pdf", s.receiptFile)
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
		s.mu.Lock()
		faults := s.nextCall(op)
		s.mu.Unlock()
		if !s.limit.Allow() {
			tooManyRequests(w)
			return
		}
		fault, ok := s.delay(r, faults)
		if ok && !fault.After {
			fault.inject(w, refuse(2002))
			return
		}
		result := refuse(1001)
		if req.key() == s.cfg.APIKey {
			result = handler(req)
		}
		if ok {
			fault.inject(w, result)
			return
		}
		write(w, http.StatusOK, result)
	}
}

// delay waits for all delays among the faults, and returns the first other one.
func (s *Server) delay(r *http.Request, faults []Fault) (other Fault, ok bool) {
	for _, f := range faults {
		if f.Kind != Delay {
			if !ok {
				other, ok = f, true
			}
			continue
		}
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
		case <-s.ctx.Done():
		}
	}
	return other, ok
}

// readRequest reads the whole body, so that whatever happens then happens after the request arrived.
func readRequest(r *http.Request) (request, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return request{}, err
	}
	req := request{query: r.URL.Query()}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		if json.Unmarshal(body, &req.body) != nil {
			req.body = nil
		}
	}
	return req, nil
}

// key returns the API key: in the query of a GET, in the body of a POST, as in the document's samples.
func (r request) key() string {
	if r.body == nil {
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

// inject misbehaves instead of giving the answer. Faults that show a part of the answer show it of this one.
func (f Fault) inject(w http.ResponseWriter, a answer) {
	body := encode(a)
	switch f.Kind {
	case Reset:
		reset(w, nil)
	case Cut:
		reset(w, append([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "+
			strconv.Itoa(len(body))+"\r\n\r\n"), body[:len(body)/2]...))
	case Truncated:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Write(body[:len(body)/2])
	case Empty:
		w.WriteHeader(http.StatusOK)
	case HTML:
		page(w, http.StatusOK, "系统维护中")
	case ServerError:
		page(w, http.StatusInternalServerError, "500 Internal Server Error")
	case Throttle:
		tooManyRequests(w)
	case Code:
		write(w, http.StatusOK, refuse(f.Code))
	default:
		panic("simulator: " + string(f.Kind) + " is no fault of a call")
	}
}

// reset sends what is given, then breaks the connection: with nothing sent by a TCP reset, else by its end.
func reset(w http.ResponseWriter, sent []byte) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	if sent != nil {
		conn.Write(sent)
	} else if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
}

func tooManyRequests(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	page(w, http.StatusTooManyRequests, "429 Too Many Requests")
}

func page(w http.ResponseWriter, status int, title string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, "<!DOCTYPE html><html><head><title>"+title+"</title></head><body><h1>"+title+"</h1></body></html>")
}

func write(w http.ResponseWriter, status int, a answer) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(encode(a))
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // answers are made here, of plain types
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
