package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// serveSimulator runs the command until the test ends, and returns what it prints.
func serveSimulator(t *testing.T, c simulatorCmd) (output *bufio.Reader, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := c.Run(&env{ctx: ctx, out: write})
		write.CloseWithError(io.EOF)
		done <- err
	}()
	t.Cleanup(cancel)
	return bufio.NewReader(read), func() error { cancel(); return <-done }
}

func TestSimulatorRunsAlone(t *testing.T) {
	t.Parallel()
	output, stop := serveSimulator(t, simulatorCmd{Addr: "127.0.0.1:0", APIKey: "k", State: t.TempDir(), Points: 1500, OCRCalls: 1, JSON: true})
	line, err := output.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var where struct {
		URL, Panel string
		Env        map[string]string
	}
	if err := json.Unmarshal(line, &where); err != nil {
		t.Fatal(err)
	}
	code := func(res *http.Response, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var answer struct {
			Code      int
			CodeID    int
			ErrorCode int `json:"error_code"`
		}
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return answer.Code + answer.CodeID + answer.ErrorCode
	}
	e := where.Env
	if got := code(http.Get(e["HUIZHI_CLIPIMG_URL"] + "/types?apikey=" + e["HUIZHI_CLIPIMG_APIKEY"])); got != 0 {
		t.Errorf("clipimg: %d", got)
	}
	if got := code(http.PostForm(e["HUIZHI_PYI_URL"]+"/pyi/76/194", url.Values{"appid": {e["HUIZHI_PYI_APPID"]}})); got != 10002 {
		t.Errorf("pyi: %d", got)
	}
	if got := code(http.PostForm(e["HUIZHI_JUHE_URL"]+"/certificates/queryBase64", url.Values{"key": {e["HUIZHI_JUHE_KEY"]}, "cardType": {"2"}})); got != 215306 {
		t.Errorf("juhe: %d", got)
	}
	body := strings.NewReader(`{"token":"` + e["HUIZHI_XINHUO_TOKEN"] + `","type":"8"}`)
	if got := code(http.Post(e["HUIZHI_XINHUO_URL"]+"/ocr", "application/json", body)); got != 40300 {
		t.Errorf("xinhuo: %d", got)
	}
	res, err := http.Get(where.Panel + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var stats struct {
		Balance   int
		CallsLeft map[string]int `json:"calls_left"`
	}
	if err := json.NewDecoder(res.Body).Decode(&stats); err != nil || stats.Balance != 1500 || stats.CallsLeft["juhe"] != 1 {
		t.Errorf("got %+v, %v", stats, err)
	}
	if err := stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if _, err := http.Get(where.URL); err == nil {
		t.Error("still answering")
	}
}

func TestSimulatorPrintsSettingsToCopy(t *testing.T) {
	t.Parallel()
	output, stop := serveSimulator(t, simulatorCmd{Addr: "127.0.0.1:0", URL: "http://simulator:9090/"})
	found := make(map[string]string)
	for found["HUIZHI_ALLOW_PRIVATE_URLS"] == "" {
		line, err := output.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if setting, ok := strings.CutPrefix(strings.TrimSpace(line), "export "); ok {
			name, value, _ := strings.Cut(setting, "=")
			found[name] = value
		}
	}
	if found["HUIZHI_CLIPIMG_URL"] != "http://simulator:9090/app/receipt_api.php" || found["HUIZHI_JUHE_URL"] != "http://simulator:9090" {
		t.Errorf("got %v", found)
	}
	go io.Copy(io.Discard, output)
	if err := stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

func TestSimulatorSaysWhyItDoesNotStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]simulatorCmd{
		"no address":    {Addr: "nowhere"},
		"no OCR engine": {Addr: "127.0.0.1:0", OCRDir: t.TempDir()},
	} {
		if err := c.Run(&env{ctx: t.Context(), out: io.Discard}); err == nil {
			t.Errorf("%s: started", name)
		}
	}
}
