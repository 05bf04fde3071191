package simulator_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"huizhi/internal/providers/simulator"
)

// receiver collects callbacks and answers them with one status after another, the last one for ever.
type receiver struct {
	url      string
	received chan map[string]any
}

func receive(t *testing.T, statuses ...int) receiver {
	t.Helper()
	r := receiver{received: make(chan map[string]any, 100)}
	var mu sync.Mutex
	r.url = serve(t, func(w http.ResponseWriter, req *http.Request) {
		var c map[string]any
		if err := json.NewDecoder(req.Body).Decode(&c); err != nil || req.Header.Get("Content-Type") != "application/json" {
			t.Errorf("callback is not JSON: %v", err)
		}
		c["method"] = req.Method
		mu.Lock()
		status := statuses[0]
		if len(statuses) > 1 {
			statuses = statuses[1:]
		}
		mu.Unlock()
		if status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		r.received <- c
	})
	return r
}

func (r receiver) next(t *testing.T) map[string]any {
	t.Helper()
	select {
	case c := <-r.received:
		return c
	case <-time.After(10 * time.Second):
		t.Fatal("no callback")
		return nil
	}
}

var quickRetries = []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}

func startWithRetries(t *testing.T, faults ...simulator.Fault) *simulator.Server {
	t.Helper()
	return start(t, simulator.Config{CallbackRetries: quickRetries, Faults: simulator.Faults{List: faults}})
}

// settle waits until everything that the simulator had to do for its applications is done.
func settle(t *testing.T, s *simulator.Server) {
	t.Helper()
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestCallbackTellsTheResult(t *testing.T) {
	t.Parallel()
	r, s := receive(t, http.StatusOK), startWithRetries(t)
	no := submit(t, s, map[string]any{"simulate": true, "callback_url": r.url})
	got := r.next(t)
	if got["method"] != http.MethodPost {
		t.Errorf("method %v", got["method"])
	}
	delete(got, "method")
	sameMembers(t, "callback", got, document(t, "callback.json"))
	d := query(t, s, no)
	for _, name := range []string{"application_no", "status", "standard_photo_url", "result_url", "result_message", "image_code", "complete_time"} {
		if got[name] != d[name] {
			t.Errorf("%s is %v in the callback and %v in the query", name, got[name], d[name])
		}
	}
	sent, err := time.Parse("2006-01-02T15:04:05.000Z", got["timestamp"].(string))
	if err != nil || time.Since(sent).Abs() > time.Minute {
		t.Errorf("timestamp %v is not now, in UTC", got["timestamp"])
	}
	completed, err := time.ParseInLocation(time.DateTime, got["complete_time"].(string), time.FixedZone("", 8*3600))
	if err != nil || time.Since(completed).Abs() > time.Minute {
		t.Errorf("complete_time %v is not now, in UTC+8", got["complete_time"])
	}
}

func TestCallbackOfAFailureHasNulls(t *testing.T) {
	t.Parallel()
	r, s := receive(t, http.StatusOK), startWithRetries(t)
	submit(t, s, map[string]any{"simulate": true, "simulate_result": "failed", "callback_url": r.url})
	got := r.next(t)
	for _, name := range []string{"standard_photo_url", "result_url", "image_code"} {
		if value, ok := got[name]; !ok || value != nil {
			t.Errorf("%s is %v, want null", name, value)
		}
	}
	if got["status"] != "failed" || got["result_message"] == nil {
		t.Errorf("got %v", got)
	}
}

func TestCallbackIsRepeatedUntilHTTP200(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statuses   []int
		sent, acks int
	}{
		"at once":             {[]int{200}, 1, 1},
		"after other answers": {[]int{204, 302, 500, 200}, 4, 1},
		"never":               {[]int{503}, 4, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, s := receive(t, c.statuses...), startWithRetries(t)
			submit(t, s, map[string]any{"simulate": true, "callback_url": r.url})
			settle(t, s)
			if st := s.Stats(); st.CallbacksSent != c.sent || st.CallbacksAcks != c.acks {
				t.Errorf("%d sent, %d acknowledged", st.CallbacksSent, st.CallbacksAcks)
			}
		})
	}
}

func TestNoCallbackBeforeTheEnd(t *testing.T) {
	t.Parallel()
	r, s := receive(t, http.StatusOK), startWithRetries(t)
	for _, result := range []string{"pending", "processing", "submitted"} {
		submit(t, s, map[string]any{"simulate": true, "simulate_result": result, "callback_url": r.url})
	}
	settle(t, s)
	if n := s.Stats().CallbacksSent; n != 0 {
		t.Errorf("%d callbacks", n)
	}
}

func TestCallbackFaults(t *testing.T) {
	t.Parallel()
	for kind, want := range map[simulator.Kind][]string{
		simulator.Lost:      {},
		simulator.Duplicate: {"failed", "failed"},
		simulator.Early:     {"completed", "failed"},
		simulator.Forged:    {"failed", "failed"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := receive(t, http.StatusOK)
			s := startWithRetries(t, simulator.Fault{Op: simulator.OpCallback, Kind: kind, Calls: []int{1}})
			submit(t, s, map[string]any{"callback_url": r.url}) // fails: its photo cannot be fetched
			settle(t, s)
			close(r.received)
			var got []string
			for c := range r.received {
				got = append(got, c["status"].(string))
			}
			if len(got) != len(want) {
				t.Fatalf("got %v, want %v", got, want)
			}
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("got %v, want %v", got, want)
				}
			}
		})
	}
}
