package simulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"huizhi/internal/i18n"
	"huizhi/internal/providers/simulator"
)

// visit sends a request to the panel and returns what came, redirects followed.
func visit(t *testing.T, client *http.Client, method, address, contentType, body string, header ...string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(content)
}

const formType = "application/x-www-form-urlencoded"

func TestPanelSetsFaultsByJSON(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	address := s.PanelURL() + "/faults"
	rules := `{"seed":3,"list":[{"op":"submit","kind":"code","after":true,"rate":0.5,"code":2001}]}` + "\n"
	if status, text := visit(t, http.DefaultClient, http.MethodPut, address, "application/json", rules); status != http.StatusOK || text != rules {
		t.Errorf("HTTP %d: %s", status, text)
	}
	if status, text := visit(t, http.DefaultClient, http.MethodGet, address, "", ""); status != http.StatusOK || text != rules {
		t.Errorf("HTTP %d: %s", status, text)
	}
	if got := s.Faults(); got.Seed != 3 || len(got.List) != 1 || got.List[0].Code != 2001 {
		t.Errorf("got %+v", got)
	}
	for body, want := range map[string]int{
		`{"list":[{"op":"submit","kind":"lost","rate":1}]}`: http.StatusUnprocessableEntity,
		`{"list":[{"op":"submit","kind":"cut","rat":1}]}`:   http.StatusBadRequest,
		`{"seed":"x"}`:             http.StatusBadRequest,
		`{"seed":1}{"seed":2}`:     http.StatusBadRequest,
		`{"seed":1,"rules":[]}`:    http.StatusBadRequest,
		strings.Repeat(" ", 2<<20): http.StatusBadRequest,
	} {
		if status, text := visit(t, http.DefaultClient, http.MethodPut, address, "application/json", body); status != want || !strings.Contains(text, `"error"`) {
			t.Errorf("%.50s: HTTP %d: %s", body, status, text)
		}
	}
	if got := s.Faults(); len(got.List) != 1 {
		t.Errorf("a refused rule is in force: %+v", got)
	}
}

func TestPanelShowsStatsAndChangesBalances(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{Points: 100})
	submit(t, s, map[string]any{"simulate": true})
	settle(t, s)
	status, text := visit(t, http.DefaultClient, http.MethodPost, s.PanelURL()+"/balance", "application/json", `{"account":"clipimg","add":900}`)
	if status != http.StatusOK || s.Balance() != 1000 {
		t.Errorf("HTTP %d: %s, balance %d", status, text, s.Balance())
	}
	if status, _ := visit(t, http.DefaultClient, http.MethodPost, s.PanelURL()+"/balance", formType, "account=pyi&add=7"); status != http.StatusOK {
		t.Errorf("HTTP %d", status)
	}
	if status, _ := visit(t, http.DefaultClient, http.MethodPost, s.PanelURL()+"/balance", "application/json", `{"account":"bank","add":1}`); status != http.StatusUnprocessableEntity {
		t.Errorf("an unknown account: HTTP %d", status)
	}
	_, text = visit(t, http.DefaultClient, http.MethodGet, s.PanelURL()+"/stats", "", "")
	var got struct {
		Balance      int
		CallsLeft    map[string]*int `json:"calls_left"`
		Applications map[string]int
		Calls        map[string]int
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Balance != 1000 || got.CallsLeft["pyi"] == nil || *got.CallsLeft["pyi"] != 7 || got.CallsLeft["juhe"] != nil ||
		got.Applications["completed"] != 1 || got.Calls["submit"] != 1 {
		t.Errorf("got %s", text)
	}
}

func TestPanelPageAddsAndRemovesFaults(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	add := func(form string) (int, string) {
		return visit(t, http.DefaultClient, http.MethodPost, s.PanelURL()+"/faults/add?lang=en", formType, form)
	}
	if status, text := add("op=submit&kind=delay&seconds=1.5&percent=25&code=1013&after=on"); status != http.StatusOK || !strings.Contains(text, "1.5 秒") {
		t.Errorf("HTTP %d", status)
	}
	add("op=callback&kind=lost&calls=1%2C+2%E3%80%813&percent=&after=on&status=processing")
	want := []simulator.Fault{
		{Op: simulator.OpSubmit, Kind: simulator.Delay, After: true, Rate: .25, Delay: 1500 * time.Millisecond},
		{Op: simulator.OpCallback, Kind: simulator.Lost, Calls: []int{1, 2, 3}},
	}
	got := s.Faults().List
	if len(got) != 2 || got[0].Delay != want[0].Delay || got[0].Rate != want[0].Rate || got[0].Code != 0 || !got[0].After ||
		len(got[1].Calls) != 3 || got[1].After || got[1].Status != "" {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for form, problem := range map[string]string{
		"op=submit&kind=lost&percent=100":             "no such fault",
		"op=submit&kind=delay&percent=100&seconds=x":  "The time must be",
		"op=submit&kind=reset&percent=101":            "from 0 to 100",
		"op=submit&kind=reset&percent=NaN":            "from 0 to 100",
		"op=submit&kind=reset&percent=":               "Say how often",
		"op=submit&kind=reset&calls=0":                "whole numbers",
		"op=submit&kind=reset&calls=one":              "whole numbers",
		"op=submit&kind=code&percent=5&code=%3Cb%3E":  "Give the code",
		"op=work&kind=stuck&percent=5&status=unknown": "Choose a state",
	} {
		if status, text := add(form); status != http.StatusUnprocessableEntity || !strings.Contains(text, problem) || strings.Contains(text, "<b>") {
			t.Errorf("%s: HTTP %d", form, status)
		}
	}
	rule, err := json.Marshal(got[1])
	if err != nil {
		t.Fatal(err)
	}
	visit(t, http.DefaultClient, http.MethodPost, s.PanelURL()+"/faults/remove", formType, "fault="+url.QueryEscape(string(rule)))
	if got := s.Faults().List; len(got) != 1 || got[0].Kind != simulator.Delay {
		t.Errorf("after removing: %+v", got)
	}
	visit(t, http.DefaultClient, http.MethodPost, s.PanelURL()+"/faults/clear", formType, "")
	if got := s.Faults().List; len(got) != 0 {
		t.Errorf("after clearing: %+v", got)
	}
}

// Both languages are complete for everything that can be shown, and what a client sent is shown as text.
func TestPanelIsCompleteInBothLanguages(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	submit(t, s, map[string]any{"simulate_result": "completed", "custom_fields": map[string]any{"city": "<script>", "customer_id_card": "110101199001011234"}})
	submit(t, s, map[string]any{"simulate": true, "simulate_result": "submitted"})
	settle(t, s)
	var rules simulator.Faults
	for _, op := range []simulator.Op{simulator.OpSubmit, simulator.OpWork, simulator.OpCallback, simulator.OpPyi, simulator.OpJuhe, simulator.OpXinhuo} {
		for _, kind := range op.Kinds() {
			rules.List = append(rules.List, simulator.Fault{Op: op, Kind: kind, After: true, Rate: .5, Calls: []int{9}, Status: "pending", Delay: time.Second})
		}
	}
	s.SetFaults(rules)
	for _, lang := range []string{"zh-CN", "en"} {
		for _, path := range []string{"", "/live"} {
			status, text := visit(t, http.DefaultClient, http.MethodGet, s.PanelURL()+path+"?lang="+lang, "", "")
			if status != http.StatusOK || strings.Contains(text, i18n.MissingMark) || strings.Contains(text, "<script>") || strings.Contains(text, "110101199001011234") {
				t.Errorf("%s %s: HTTP %d, %d bytes", lang, path, status, len(text))
			}
		}
	}
	for _, asset := range []string{"panel.css", "panel.js"} {
		if status, _ := visit(t, http.DefaultClient, http.MethodGet, s.PanelURL()+"/assets/"+asset, "", ""); status != http.StatusOK {
			t.Errorf("%s: HTTP %d", asset, status)
		}
	}
}

func TestPanelIsForThisMachineOrTheToken(t *testing.T) {
	t.Parallel()
	const token = "let-me-in"
	s := start(t, simulator.Config{PanelToken: token})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		header []string
		status int
	}{
		"this machine":               {nil, http.StatusOK},
		"localhost":                  {[]string{"Host", "localhost:9090"}, http.StatusOK},
		"IPv6":                       {[]string{"Host", "[::1]:9090"}, http.StatusOK},
		"through a proxy":            {[]string{"X-Forwarded-For", "203.0.113.5"}, http.StatusForbidden},
		"under another name":         {[]string{"Host", "panel.example.com"}, http.StatusForbidden},
		"another name and a token":   {[]string{"Host", "panel.example.com", "Authorization", "Bearer " + token}, http.StatusOK},
		"another name, wrong token":  {[]string{"Host", "panel.example.com", "Authorization", "Bearer x"}, http.StatusForbidden},
		"another name, wrong cookie": {[]string{"Host", "panel.example.com", "Cookie", "simulator_panel=x"}, http.StatusForbidden},
	} {
		if status, _ := visit(t, http.DefaultClient, http.MethodGet, s.PanelURL()+"/stats", "", "", c.header...); status != c.status {
			t.Errorf("%s: HTTP %d, want %d", name, status, c.status)
		}
	}
	browser := &http.Client{Jar: jar}
	if status, _ := visit(t, browser, http.MethodGet, s.PanelURL()+"?token="+token, "", ""); status != http.StatusOK {
		t.Errorf("with the token: HTTP %d", status)
	}
	if status, _ := visit(t, browser, http.MethodGet, s.PanelURL()+"/stats", "", "", "X-Forwarded-For", "203.0.113.5"); status != http.StatusOK {
		t.Errorf("with the cookie: HTTP %d", status)
	}
}

func TestPanelRefusesFormsFromOtherSites(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	status, _ := visit(t, http.DefaultClient, http.MethodPost, s.PanelURL()+"/faults/add", formType, "op=submit&kind=reset&percent=100",
		"Origin", "https://example.com", "Sec-Fetch-Site", "cross-site")
	if status != http.StatusForbidden || len(s.Faults().List) != 0 {
		t.Errorf("HTTP %d, %d faults", status, len(s.Faults().List))
	}
}
