package wire_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"huizhi/internal/providers/simulator/wire"
)

// serve runs an injector in front of calls that are all answered alike, and returns its address.
func serve(t *testing.T, in *wire.Injector, a wire.Answer) (url string, processed func() int) {
	t.Helper()
	n := make(chan int, 1)
	n <- 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.Serve(w, r, wire.Call{
			Op: wire.OpQuery, Failure: 2, Quota: 3,
			Process: func() wire.Answer { n <- <-n + 1; return a },
			Refuse:  func(code int) wire.Answer { return wire.JSON(wire.Object{{Name: "code", Value: code}}) },
		})
	}))
	t.Cleanup(server.Close)
	return server.URL, func() int { defer func() { n <- 0 }(); return <-n }
}

func get(t *testing.T, url string) (status int, body string, err error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	return res.StatusCode, string(content), err
}

const right = `{"code":0,"data":{"list":[{"no":"RA1","n":1.50},"x"],"total":50,"none":null},"ok":true}`

func TestEveryFaultOfACall(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault     wire.Fault
		status    int
		body      string
		broken    bool
		processed int
	}{
		{wire.Fault{Kind: wire.Delay, Delay: time.Millisecond}, 200, right, false, 1},
		{wire.Fault{Kind: wire.Delay, Delay: time.Millisecond, After: true}, 200, right, false, 1},
		{wire.Fault{Kind: wire.Reset}, 0, "", true, 0},
		{wire.Fault{Kind: wire.Reset, After: true}, 0, "", true, 1},
		{wire.Fault{Kind: wire.Cut}, 200, `{"cod`, true, 0},
		{wire.Fault{Kind: wire.Cut, After: true}, 200, right[:len(right)/2], true, 1},
		{wire.Fault{Kind: wire.Truncated, After: true}, 200, right[:len(right)/2], false, 1},
		{wire.Fault{Kind: wire.Malformed, After: true}, 200, right[:len(right)-1] + ",}", false, 1},
		{wire.Fault{Kind: wire.Empty}, 200, "", false, 0},
		{wire.Fault{Kind: wire.HTML}, 200, "<!DOCTYPE html><html><head><title>系统维护中</title></head><body><h1>系统维护中</h1></body></html>", false, 0},
		{wire.Fault{Kind: wire.ServerError, After: true}, 500, "<!DOCTYPE html><html><head><title>500 Internal Server Error</title></head><body><h1>500 Internal Server Error</h1></body></html>", false, 1},
		{wire.Fault{Kind: wire.Throttle}, 429, "<!DOCTYPE html><html><head><title>429 Too Many Requests</title></head><body><h1>429 Too Many Requests</h1></body></html>", false, 0},
		{wire.Fault{Kind: wire.Code, Code: 7}, 200, `{"code":7}`, false, 0},
		{wire.Fault{Kind: wire.Quota}, 200, `{"code":3}`, false, 0},
		{wire.Fault{Kind: wire.StringNumbers}, 200, `{"code":"0","data":{"list":[{"n":"1.50","no":"RA1"},"x"],"none":null,"total":"50"},"ok":true}`, false, 1},
		{wire.Fault{Kind: wire.NullList}, 200, `{"code":0,"data":{"list":null,"none":null,"total":50},"ok":true}`, false, 1},
		{wire.Fault{Kind: wire.MissingData}, 200, `{"code":0,"ok":true}`, false, 1},
		{wire.Fault{Kind: wire.ObjectForArray}, 200, `{"code":0,"data":{"list":{"0":{"n":1.50,"no":"RA1"},"1":"x"},"none":null,"total":50},"ok":true}`, false, 1},
	} {
		c.fault.Op, c.fault.Calls = wire.OpQuery, []int{1}
		if err := c.fault.Check(); err != nil {
			t.Errorf("%s: %v", c.fault.Kind, err)
		}
		in := new(wire.Injector)
		in.Set(wire.Faults{List: []wire.Fault{c.fault}})
		url, processed := serve(t, in, wire.Answer{Type: wire.TypeJSON, Body: []byte(right)})
		status, body, err := get(t, url)
		if status != c.status || body != c.body || (err != nil) != c.broken {
			t.Errorf("%s, after %v: HTTP %d, %q, %v", c.fault.Kind, c.fault.After, status, body, err)
		}
		if n := processed(); n != c.processed {
			t.Errorf("%s, after %v: processed %d times", c.fault.Kind, c.fault.After, n)
		}
		if _, body, _ := get(t, url); body != right {
			t.Errorf("%s: the second call is affected", c.fault.Kind)
		}
		if calls, faults := in.Counts(); calls[wire.OpQuery] != 2 || faults[wire.OpQuery] != 1 {
			t.Errorf("%s: %d calls, %d faults", c.fault.Kind, calls[wire.OpQuery], faults[wire.OpQuery])
		}
	}
}

func TestExtraFieldsKeepTheOthers(t *testing.T) {
	t.Parallel()
	in := new(wire.Injector)
	in.Set(wire.Faults{List: []wire.Fault{{Op: wire.OpQuery, Kind: wire.ExtraFields, Rate: 1}}})
	url, _ := serve(t, in, wire.Answer{Type: wire.TypeJSON, Body: []byte(right)})
	_, body, _ := get(t, url)
	var got struct {
		TraceID string `json:"trace_id"`
		Data    struct {
			Total int
			Extra map[string]any
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.TraceID == "" || got.Data.Total != 50 || got.Data.Extra == nil {
		t.Errorf("%s, %v", body, err)
	}
}

func TestShapesLeaveXMLAlone(t *testing.T) {
	t.Parallel()
	in := new(wire.Injector)
	url, _ := serve(t, in, wire.Answer{Type: wire.TypeXML, Body: []byte("<root><n>1</n></root>")})
	for kind, want := range map[wire.Kind]string{wire.NullList: "<root><n>1</n></root>", wire.Malformed: "<root><n>1</n></root"} {
		in.Set(wire.Faults{List: []wire.Fault{{Op: wire.OpQuery, Kind: kind, After: true, Rate: 1}}})
		if _, body, _ := get(t, url); body != want {
			t.Errorf("%s: %q", kind, body)
		}
	}
}

// A cut answer announces its whole length, so that a client can tell.
func TestCutAnswerOnTheSocket(t *testing.T) {
	t.Parallel()
	in := new(wire.Injector)
	in.Set(wire.Faults{List: []wire.Fault{{Op: wire.OpQuery, Kind: wire.Cut, After: true, Rate: 1}}})
	url, _ := serve(t, in, wire.Answer{Type: wire.TypeJSON, Body: []byte(`{"code":0}`)})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	got, err := io.ReadAll(bufio.NewReader(conn))
	want := "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 10\r\n\r\n{\"cod"
	if err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestFaultsTravelAsJSON(t *testing.T) {
	t.Parallel()
	faults := wire.Faults{Seed: 7, List: []wire.Fault{
		{Op: wire.OpSubmit, Kind: wire.Reset, After: true, Rate: .5},
		{Op: wire.OpTypes, Kind: wire.Delay, Calls: []int{1, 2}, Delay: 1500 * time.Millisecond},
		{Op: wire.OpWork, Kind: wire.Fail, Rate: 1, Message: "照片<不>合格"},
	}}
	text := `{"seed":7,"list":[{"op":"submit","kind":"reset","after":true,"rate":0.5},{"op":"types","kind":"delay","calls":[1,2],"delay":"1.5s"},{"op":"work","kind":"fail","rate":1,"message":"照片<不>合格"}]}`
	if got := wire.Encode(faults); string(got) != text {
		t.Errorf("wrote %s", got)
	}
	var back wire.Faults
	if err := json.Unmarshal([]byte(text), &back); err != nil || !reflect.DeepEqual(back, faults) {
		t.Errorf("read %+v, %v", back, err)
	}
	for _, bad := range []string{`{"list":[{"delay":"3"}]}`, `{"list":[3]}`} {
		if json.Unmarshal([]byte(bad), &back) == nil {
			t.Errorf("read %s", bad)
		}
	}
}

func TestSenselessRulesAreNamed(t *testing.T) {
	t.Parallel()
	for _, f := range []wire.Fault{
		{Op: "pay", Kind: wire.Reset, Rate: 1},
		{Op: wire.OpSubmit, Kind: wire.Lost, Rate: 1},
		{Op: wire.OpCallback, Kind: wire.Reset, Rate: 1},
		{Op: wire.OpSubmit, Kind: wire.Reset, Rate: 1.5},
		{Op: wire.OpSubmit, Kind: wire.Reset},
		{Op: wire.OpSubmit, Kind: wire.Reset, Calls: []int{0}},
		{Op: wire.OpSubmit, Kind: wire.Delay, Rate: 1},
		{Op: wire.OpSubmit, Kind: wire.Delay, Rate: 1, Delay: -time.Second},
		{Op: wire.OpCallback, Kind: wire.Late, Rate: 1},
		{Op: wire.OpSubmit, Kind: wire.Code, Rate: 1},
		{Op: wire.OpWork, Kind: wire.Stuck, Rate: 1, Status: "completed"},
	} {
		if (wire.Faults{List: []wire.Fault{f}}).Check() == nil {
			t.Errorf("%+v is taken", f)
		}
	}
	for _, op := range wire.Ops {
		for _, kind := range op.Kinds() {
			if err := (wire.Fault{Op: op, Kind: kind, Rate: 1, Delay: 1, Code: 1, Status: "pending"}).Check(); err != nil {
				t.Errorf("%s %s: %v", op, kind, err)
			}
		}
	}
}

func FuzzFaultJSON(f *testing.F) {
	f.Add(`{"seed":1,"list":[{"op":"submit","kind":"delay","delay":"3s","rate":0.1}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var faults, again wire.Faults
		if json.Unmarshal([]byte(text), &faults) != nil || faults.Check() != nil {
			return
		}
		if err := json.Unmarshal(wire.Encode(faults), &again); err != nil || again.Check() != nil {
			t.Errorf("%+v does not come back: %v", faults, err)
		}
	})
}
