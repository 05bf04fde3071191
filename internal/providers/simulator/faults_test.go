package simulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"huizhi/internal/providers/providertest"
	"huizhi/internal/providers/simulator"
)

func TestFaultsOnTheWire(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault  simulator.Fault
		status int    // 0: no answer
		body   string // what it contains
	}{
		{simulator.Fault{Kind: simulator.Reset}, 0, ""},
		{simulator.Fault{Kind: simulator.Cut}, http.StatusOK, `{"code":`},
		{simulator.Fault{Kind: simulator.Truncated}, http.StatusOK, `{"code":`},
		{simulator.Fault{Kind: simulator.Empty}, http.StatusOK, ""},
		{simulator.Fault{Kind: simulator.HTML}, http.StatusOK, "<html>"},
		{simulator.Fault{Kind: simulator.ServerError}, http.StatusInternalServerError, "<html>"},
		{simulator.Fault{Kind: simulator.Throttle}, http.StatusTooManyRequests, "429"},
		{simulator.Fault{Kind: simulator.Code, Code: 2001}, http.StatusOK, `{"code":2001,"message":"申请提交失败,请稍后重试"}`},
		{simulator.Fault{Kind: simulator.Code, Code: 1013}, http.StatusOK, `{"code":1013,"message":"账户余额不足"}`},
	} {
		for _, after := range []bool{false, true} {
			c.fault.Op, c.fault.After, c.fault.Calls = simulator.OpSubmit, after, []int{1}
			s := start(t, simulator.Config{Faults: simulator.Faults{List: []simulator.Fault{c.fault}}})
			status, text, err := rawSubmit(t, s)
			if status != c.status || !strings.Contains(text, c.body) {
				t.Errorf("%s: HTTP %d, %q, %v", c.fault.Kind, status, text, err)
			}
			if broken := c.fault.Kind == simulator.Reset || c.fault.Kind == simulator.Cut; broken != (err != nil) {
				t.Errorf("%s: error %v", c.fault.Kind, err)
			}
			if json.Valid([]byte(text)) != (c.fault.Kind == simulator.Code) {
				t.Errorf("%s: %q", c.fault.Kind, text)
			}
			if n := len(s.Applications()); (n == 1) != after {
				t.Errorf("%s, after %v: %d applications", c.fault.Kind, after, n)
			}
			submit(t, s, nil) // the second call is not affected
		}
	}
}

// rawSubmit sends a submit on a connection of its own and returns all that came back.
func rawSubmit(t *testing.T, s *simulator.Server) (status int, text string, err error) {
	t.Helper()
	encoded, err := json.Marshal(body(nil))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Post(s.URL()+"/submit", "application/json", bytes.NewReader(encoded))
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	return res.StatusCode, string(content), err
}

func TestDelayAddsToOtherFaults(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	s.SetFaults(simulator.Faults{List: []simulator.Fault{
		{Op: simulator.OpTypes, Kind: simulator.Delay, Delay: 30 * time.Millisecond, Rate: 1},
		{Op: simulator.OpTypes, Kind: simulator.Delay, Delay: 20 * time.Millisecond, Calls: []int{1}},
		{Op: simulator.OpTypes, Kind: simulator.Code, Code: 2002, Calls: []int{1}},
	}})
	begin := time.Now()
	if got := get(t, s, "/types?apikey="+simulator.DefaultAPIKey); got.Code != 2002 || time.Since(begin) < 50*time.Millisecond {
		t.Errorf("code %d after %v", got.Code, time.Since(begin))
	}
}

func TestFaultsDependOnTheSeedAndTheCallAlone(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) (codes []int) {
		s := start(t, simulator.Config{})
		s.SetFaults(simulator.Faults{Seed: seed, List: []simulator.Fault{{Op: simulator.OpTypes, Kind: simulator.Code, Code: 2002, Rate: 0.3}}})
		for range 200 {
			codes = append(codes, get(t, s, "/types?apikey="+simulator.DefaultAPIKey).Code)
		}
		hits := len(slices.DeleteFunc(slices.Clone(codes), func(c int) bool { return c == 0 }))
		if hits < 40 || hits > 80 {
			t.Errorf("seed %d: %d of 200 calls failed at a rate of 0.3", seed, hits)
		}
		if st := s.Stats(); st.Calls[simulator.OpTypes] != 200 || st.Faults[simulator.OpTypes] != hits {
			t.Errorf("seed %d: %+v", seed, st)
		}
		return codes
	}
	first := run(1)
	if !slices.Equal(first, run(1)) {
		t.Error("the same seed gives other faults")
	}
	if slices.Equal(first, run(2)) {
		t.Error("another seed gives the same faults")
	}
}

func TestApplicationsGetStuckOrFailOnDemand(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	s.SetFaults(simulator.Faults{List: []simulator.Fault{
		{Op: simulator.OpWork, Kind: simulator.Stuck, Status: "processing", Calls: []int{1}},
		{Op: simulator.OpWork, Kind: simulator.Fail, Message: "人像检测未通过", Calls: []int{2}},
	}})
	photo := providertest.ServePhoto(t, 358, 441)
	stuck, failed := submit(t, s, map[string]any{"id_photo_url": photo}), submit(t, s, map[string]any{"id_photo_url": photo})
	fine := submit(t, s, map[string]any{"id_photo_url": photo})
	settle(t, s)
	if d := query(t, s, stuck); d["status"] != "processing" {
		t.Errorf("the first is %v", d["status"])
	}
	if d := query(t, s, failed); d["status"] != "failed" || d["result_message"] != "人像检测未通过" {
		t.Errorf("the second is %v: %v", d["status"], d["result_message"])
	}
	if d := query(t, s, fine); d["status"] != "completed" {
		t.Errorf("the third is %v", d["status"])
	}
}

func TestPrivatePhotoAddressesCanBeRefused(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{RefusePrivate: true})
	d := waitFor(t, s, submit(t, s, map[string]any{"id_photo_url": providertest.ServePhoto(t, 358, 441)}), "completed", "failed")
	if d["status"] != "failed" {
		t.Errorf("a photo on this machine was fetched")
	}
}

func TestCloseIsFinal(t *testing.T) {
	t.Parallel()
	s, err := simulator.Start(t.Context(), simulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	submit(t, s, nil)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(s.URL() + "/types"); err == nil {
		t.Error("still answering")
	}
	if err := s.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("closed twice: %v", err)
	}
}

func TestCallbackMayOvertakeTheAnswer(t *testing.T) {
	t.Parallel()
	r, s := receive(t, http.StatusOK), startWithRetries(t,
		simulator.Fault{Op: simulator.OpSubmit, Kind: simulator.Delay, After: true, Delay: time.Hour, Rate: 1})
	ctx, cancel := context.WithCancel(t.Context())
	encoded, err := json.Marshal(body(map[string]any{"simulate": true, "callback_url": r.url}))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+"/submit", bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	answered := make(chan error, 1)
	go func() {
		_, err := http.DefaultClient.Do(req)
		answered <- err
	}()
	r.next(t)
	cancel()
	if err := <-answered; !errors.Is(err, context.Canceled) {
		t.Errorf("the answer came first: %v", err)
	}
}

func TestLateCallbackWaits(t *testing.T) {
	t.Parallel()
	r, s := receive(t, http.StatusOK), startWithRetries(t,
		simulator.Fault{Op: simulator.OpCallback, Kind: simulator.Late, Delay: time.Hour, Calls: []int{1}},
		simulator.Fault{Op: simulator.OpCallback, Kind: simulator.Late, Delay: time.Millisecond, Calls: []int{2}})
	first := submit(t, s, map[string]any{"simulate": true, "callback_url": r.url})
	waitFor(t, s, first, "completed")
	second := submit(t, s, map[string]any{"simulate": true, "callback_url": r.url})
	if got := r.next(t); got["application_no"] != second {
		t.Errorf("the callback of %v came, want that of the second", got["application_no"])
	}
}

func TestApplicationsGoBackwardOnce(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	s.SetFaults(simulator.Faults{List: []simulator.Fault{{Op: simulator.OpWork, Kind: simulator.Backward, Rate: 1}}})
	no := submit(t, s, map[string]any{"id_photo_url": providertest.ServePhoto(t, 358, 441)})
	waitFor(t, s, no, "completed")
	if st := s.Stats(); st.PhotosFetched != 2 || st.Faults[simulator.OpWork] != 1 {
		t.Errorf("processed %d times, %d faults", st.PhotosFetched, st.Faults[simulator.OpWork])
	}
}

// The true answer in another shape: the request has been processed, whatever After says.
func TestReshapedAnswersAreTrue(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	s.SetFaults(simulator.Faults{List: []simulator.Fault{{Op: simulator.OpSubmit, Kind: simulator.StringNumbers, Rate: 1}}})
	_, text, err := rawSubmit(t, s)
	if err != nil || !strings.Contains(text, `"code":"0"`) || len(s.Applications()) != 1 {
		t.Errorf("%s, %v", text, err)
	}
}
