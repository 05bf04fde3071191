package wire

import (
	"bytes"
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Injector counts what the simulator does and makes it go wrong by the rules. The zero value has none.
type Injector struct {
	mu     sync.Mutex
	faults Faults
	since  map[Op]int // calls since the faults were set
	calls  map[Op]int
	done   map[Op]int
}

// Set replaces the rules. Counting of calls for Fault.Calls starts again.
func (in *Injector) Set(f Faults) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.faults = Faults{Seed: f.Seed, List: slices.Clone(f.List)}
	in.since = nil
}

// Faults returns the rules.
func (in *Injector) Faults() Faults {
	in.mu.Lock()
	defer in.mu.Unlock()
	return Faults{Seed: in.faults.Seed, List: slices.Clone(in.faults.List)}
}

// Counts returns how many calls there were by operation, refused and faulty ones included, and how many faults were
// injected.
func (in *Injector) Counts() (calls, faults map[Op]int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	calls, faults = make(map[Op]int), make(map[Op]int)
	maps.Copy(calls, in.calls)
	maps.Copy(faults, in.done)
	return calls, faults
}

// Applying returns the faults for the n-th application of OpWork or OpCallback, without counting anything.
func (in *Injector) Applying(op Op, n int) []Fault {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.faults.applying(op, n)
}

// Happened counts a fault that the caller has made happen.
func (in *Injector) Happened(op Op) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.count(op, 1)
}

// count adds n faults. The caller holds in.mu.
func (in *Injector) count(op Op, n int) {
	if in.done == nil {
		in.done = make(map[Op]int)
	}
	in.done[op] += n
}

// next counts a call of op and returns the faults that apply to it.
func (in *Injector) next(op Op) []Fault {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.since == nil {
		in.since = make(map[Op]int)
	}
	if in.calls == nil {
		in.calls = make(map[Op]int)
	}
	in.calls[op]++
	in.since[op]++
	applying := in.faults.applying(op, in.since[op])
	in.count(op, len(applying))
	return applying
}

// Call is one request whose body has been read.
type Call struct {
	Op      Op
	Process func() Answer
	Refuse  func(code int) Answer // the format's answer with an error code
	Failure int                   // the format's code for an internal error
	Quota   int                   // its code for a balance or quota that is used up
}

// Serve answers a call, rightly or wrongly.
func (in *Injector) Serve(w http.ResponseWriter, r *http.Request, c Call) {
	var before, after time.Duration
	var fault *Fault
	for _, f := range in.next(c.Op) {
		switch {
		case f.Kind == Delay && f.After:
			after += f.Delay
		case f.Kind == Delay:
			before += f.Delay
		case fault == nil:
			fault = &f
		}
	}
	wait(r.Context(), before)
	var a Answer
	if fault == nil || fault.processes() {
		a = c.Process()
		wait(r.Context(), after)
	} else {
		a = c.Refuse(c.Failure)
	}
	if fault == nil {
		a.write(w)
		return
	}
	fault.inject(w, a, c)
}

func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// inject misbehaves instead of giving the answer. Faults that show a part of the answer show it of this one.
func (f Fault) inject(w http.ResponseWriter, a Answer, c Call) {
	switch f.Kind {
	case Reset:
		reset(w, nil)
		return
	case Cut:
		reset(w, slices.Concat([]byte("HTTP/1.1 200 OK\r\nContent-Type: "+a.Type+"\r\nContent-Length: "+
			strconv.Itoa(len(a.Body))+"\r\n\r\n"), a.Body[:len(a.Body)/2]))
		return
	case Truncated:
		a.Body = a.Body[:len(a.Body)/2]
	case Malformed:
		a.Body = malformed(a.Body)
	case Empty:
		a.Body = nil
	case HTML:
		a = page(http.StatusOK, "系统维护中")
	case ServerError:
		a = page(http.StatusInternalServerError, "500 Internal Server Error")
	case Throttle:
		a = TooManyRequests()
	case Code:
		a = c.Refuse(f.Code)
	case Quota:
		a = c.Refuse(c.Quota)
	case StringNumbers, NullList, MissingData, ObjectForArray, ExtraFields:
		if strings.HasPrefix(a.Type, "application/json") {
			a.Body = reshape(a.Body, f.Kind)
		}
	default:
		panic("simulator: " + string(f.Kind) + " is no fault of a call")
	}
	if a.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	a.write(w)
}

// malformed puts a comma before the last brace, as in the documents' own samples; of XML it takes the last character.
func malformed(body []byte) []byte {
	if last, ok := bytes.CutSuffix(body, []byte("}")); ok {
		return append(slices.Clone(last), ",}"...)
	}
	return body[:max(0, len(body)-1)]
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
