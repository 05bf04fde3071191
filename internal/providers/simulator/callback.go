package simulator

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"huizhi/internal/providers/simulator/wire"
)

// callback is the body of a notification.
type callback struct {
	No               string   `json:"application_no"`
	Status           string   `json:"status"`
	StandardPhotoURL optional `json:"standard_photo_url"`
	ResultURL        optional `json:"result_url"`
	Message          optional `json:"result_message"`
	ImageCode        optional `json:"image_code"`
	CompleteTime     optional `json:"complete_time"`
	Timestamp        string   `json:"timestamp"`
}

func newCallbackClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.MaxIdleConnsPerHost = 8
	transport.MaxConnsPerHost = 8
	return &http.Client{
		Transport:     transport,
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// notify sends the callback of a final application until it is acknowledged or all repetitions are used up. Tries made
// before a restart count.
func (s *Server) notify(a application) {
	if a.CallbackURL == "" || a.CallbackDone {
		return
	}
	faults, late := s.callbackFaults(a)
	if a.CallbackTries == 0 && late > 0 {
		s.faults.Happened(OpCallback)
		if !s.sleep(late) {
			return
		}
	}
	body := callback{
		No: a.No, Status: a.Status, Message: optional(a.Message), ImageCode: optional(a.ImageCode),
		CompleteTime: localTime(a.CompleteTime),
	}
	body.StandardPhotoURL, body.ResultURL = s.files(&a)
	for try := a.CallbackTries; try <= len(s.cfg.CallbackRetries); try++ {
		if try > 0 && !s.sleep(s.cfg.CallbackRetries[try-1]) {
			return
		}
		if faults[Lost] {
			s.faults.Happened(OpCallback)
		}
		acknowledged := faults[Lost] || s.post(a.CallbackURL, body)
		if s.ctx.Err() != nil {
			return // not a fair try
		}
		s.update(a.No, func(a *application, _ time.Time) { a.CallbackTries, a.CallbackDone = try+1, acknowledged })
		if acknowledged {
			if faults[Duplicate] {
				s.faults.Happened(OpCallback)
				s.post(a.CallbackURL, body)
			}
			return
		}
	}
}

// announceTooSoon sends the callbacks that should not exist, when processing begins.
func (s *Server) announceTooSoon(a application) {
	if a.CallbackURL == "" {
		return
	}
	faults, _ := s.callbackFaults(a)
	now := time.Now()
	if faults[Early] {
		s.faults.Happened(OpCallback)
		s.post(a.CallbackURL, callback{No: a.No, Status: statusCompleted, Message: "办理完成", CompleteTime: localTime(now)})
	}
	if faults[Forged] {
		s.faults.Happened(OpCallback)
		s.post(a.CallbackURL, callback{
			No: a.No, Status: statusFailed, Message: "办理失败", CompleteTime: localTime(now),
			StandardPhotoURL: "http://forged.invalid/photo.jpg", ResultURL: "http://forged.invalid/receipt.pdf",
		})
	}
}

// callbackFaults returns the kinds of callback faults for an application, and by how much its callback is late.
func (s *Server) callbackFaults(a application) (kinds map[Kind]bool, late time.Duration) {
	kinds = make(map[Kind]bool)
	for _, f := range s.faults.Applying(OpCallback, a.Seq) {
		kinds[f.Kind] = true
		if f.Kind == Late {
			late += f.Delay
		}
	}
	return kinds, late
}

// post sends one callback and reports whether it was acknowledged, which only HTTP 200 does.
func (s *Server) post(address string, body callback) bool {
	body.Timestamp = time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, address, bytes.NewReader(wire.Encode(body)))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	s.count(func(st *Stats) { st.CallbacksSent++ })
	res, err := s.callbacks.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	if res.StatusCode != http.StatusOK {
		return false
	}
	s.count(func(st *Stats) { st.CallbacksAcks++ })
	return true
}

func (s *Server) count(add func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.stats)
}
