package simulator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"huizhi/internal/providers/simulator"
)

// The tests of this package speak plain HTTP, as the document has it: a client of ours would share our mistakes.

const quick = 10 * time.Millisecond

func start(t *testing.T, cfg simulator.Config) *simulator.Server {
	t.Helper()
	if cfg.Pace == (simulator.Pace{}) {
		cfg.Pace = simulator.Pace{Pending: quick, Processing: quick, Submitted: quick}
	}
	s, err := simulator.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// body is a submit that succeeds, with some members replaced; a nil value removes the member.
func body(change map[string]any) map[string]any {
	b := map[string]any{
		"apikey": simulator.DefaultAPIKey, "receipt_type_id": 1, "id_photo_url": "http://127.0.0.1:1/photo.jpg",
		"custom_fields": map[string]any{"city": "广东省,深圳市"},
	}
	for name, value := range change {
		b[name] = value
		if value == nil {
			delete(b, name)
		}
	}
	return b
}

type reply struct {
	Code    int
	Message string
	Data    json.RawMessage
}

func post(t *testing.T, s *simulator.Server, path string, body any) reply {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(s.URL()+path, "application/json", bytes.NewReader(encoded))
	return read(t, res, err)
}

func get(t *testing.T, s *simulator.Server, path string) reply {
	t.Helper()
	res, err := http.Get(s.URL() + path)
	return read(t, res, err)
}

func read(t *testing.T, res *http.Response, err error) reply {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var r reply
	if err := json.NewDecoder(res.Body).Decode(&r); err != nil {
		t.Fatalf("HTTP %d: %v", res.StatusCode, err)
	}
	return r
}

func submit(t *testing.T, s *simulator.Server, change map[string]any) string {
	t.Helper()
	r := post(t, s, "/submit", body(change))
	var d struct {
		No string `json:"application_no"`
	}
	if err := json.Unmarshal(r.Data, &d); err != nil || r.Code != 0 || d.No == "" {
		t.Fatalf("submit: %+v", r)
	}
	return d.No
}

func query(t *testing.T, s *simulator.Server, no string) map[string]any {
	t.Helper()
	r := get(t, s, "/query?apikey="+simulator.DefaultAPIKey+"&application_no="+no)
	var d map[string]any
	if err := json.Unmarshal(r.Data, &d); err != nil || r.Code != 0 {
		t.Fatalf("query: %+v", r)
	}
	return d
}

// waitFor queries until the application has one of the states.
func waitFor(t *testing.T, s *simulator.Server, no string, states ...string) map[string]any {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		d := query(t, s, no)
		if slices.Contains(states, d["status"].(string)) {
			return d
		}
		if time.Now().After(deadline) {
			t.Fatalf("still %v", d["status"])
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// document returns a sample of the document.
func document(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var sample map[string]any
	if err := json.Unmarshal(text, &sample); err != nil {
		t.Fatal(err)
	}
	return sample
}

func sameMembers(t *testing.T, what string, got, want map[string]any) {
	t.Helper()
	g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))
	if !slices.Equal(g, w) {
		t.Errorf("%s has the members %v, the document %v", what, g, w)
	}
}

func TestSubmitChecksInTheDocumentsOrder(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{Points: 499})
	fields := func(pairs ...any) map[string]any {
		f := map[string]any{"city": "广东省,深圳市"}
		for i := 0; i < len(pairs); i += 2 {
			f[pairs[i].(string)] = pairs[i+1]
		}
		return map[string]any{"custom_fields": f}
	}
	for _, c := range []struct {
		name   string
		change map[string]any
		code   int
	}{
		{"everything wrong", map[string]any{"apikey": "?", "receipt_type_id": nil, "id_photo_url": "", "custom_fields": nil}, 1001},
		{"no key", map[string]any{"apikey": nil}, 1001},
		{"no type, photo, fields", map[string]any{"receipt_type_id": nil, "id_photo_url": "", "custom_fields": nil}, 1002},
		{"empty type", map[string]any{"receipt_type_id": ""}, 1002},
		{"null type", map[string]any{"receipt_type_id": json.RawMessage("null")}, 1002},
		{"no photo, no fields", map[string]any{"id_photo_url": nil, "custom_fields": nil}, 1003},
		{"no fields, unknown type", map[string]any{"custom_fields": nil, "receipt_type_id": 99}, 1004},
		{"empty fields", map[string]any{"custom_fields": map[string]any{}}, 1004},
		{"fields as a list", map[string]any{"custom_fields": []any{}}, 1004},
		{"unknown type, no city", map[string]any{"receipt_type_id": 16, "custom_fields": map[string]any{"x": "y"}}, 1008},
		{"type 0", map[string]any{"receipt_type_id": 0}, 1008},
		{"type as a string", map[string]any{"receipt_type_id": "5"}, 1008},
		{"type as a fraction", map[string]any{"receipt_type_id": json.RawMessage("5.0")}, 1008},
		{"empty city, bad phone", fields("city", " ", "customer_phone", "12"), 1005},
		{"null city", fields("city", nil), 1005},
		{"driver without ID number", map[string]any{"receipt_type_id": 5}, 1005},
		{"bad phone, bad ID number", fields("customer_phone", "12345678901", "customer_id_card", "1"), 1006},
		{"short ID number", fields("customer_id_card", "11010119900101123"), 1007},
		{"ID number of no date", fields("customer_id_card", "110101199002301234"), 1007},
		{"simulate is no boolean", map[string]any{"simulate": "yes"}, 2001},
		{"unknown simulate_result", map[string]any{"simulate": true, "simulate_result": "done"}, 2001},
		{"callback is no address", map[string]any{"callback_url": "ftp://x/"}, 2001},
		{"no points", nil, 1013},
		{"no points, sample ID number with wrong check digit", fields("customer_id_card", "110101199001011234"), 1013},
		{"simulate_result without simulate", map[string]any{"simulate_result": "done"}, 1013},
		{"simulated without points", map[string]any{"simulate": true}, 0},
		{"simulated, wrong city", map[string]any{"simulate": true, "custom_fields": map[string]any{"city": "湖南省,长沙市"}}, 0},
	} {
		if got := post(t, s, "/submit", body(c.change)); got.Code != c.code {
			t.Errorf("%s: %d %s, want %d", c.name, got.Code, got.Message, c.code)
		}
	}
}

func TestBodyIsReadOnlyAsJSON(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	encoded, _ := json.Marshal(body(nil))
	for _, c := range []struct {
		kind, text string
		code       int
	}{
		{"application/json; charset=utf-8", string(encoded), 0},
		{"text/plain", string(encoded), 1001},
		{"", string(encoded), 1001},
		{"application/json", string(encoded[:20]), 1001},
		{"application/json", "[]", 1001},
		{"application/x-www-form-urlencoded", "apikey=" + simulator.DefaultAPIKey, 1001},
	} {
		res, err := http.Post(s.URL()+"/submit", c.kind, strings.NewReader(c.text))
		if got := read(t, res, err); got.Code != c.code {
			t.Errorf("%q %.20s: %d, want %d", c.kind, c.text, got.Code, c.code)
		}
	}
}

func TestReadsCheckTheirParameters(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	key := "apikey=" + simulator.DefaultAPIKey
	for path, code := range map[string]int{
		"/types": 1001, "/types?apikey=x": 1001, "/types?" + key: 0,
		"/query?application_no=RA1": 1001, "/query?" + key: 1009, "/query?application_no=RA1&" + key: 1010,
		"/applications": 1001, "/applications?page=x&size=-1&status=?&" + key: 0,
	} {
		if got := get(t, s, path); got.Code != code {
			t.Errorf("%s: %d %s, want %d", path, got.Code, got.Message, code)
		}
	}
	for nos, code := range map[any]int{nil: 1011, "RA1": 1011, 0: 1011, 1: 0, 100: 0, 101: 1012} {
		value := nos
		if n, ok := nos.(int); ok {
			value = slices.Repeat([]string{"RA1"}, n)
		}
		got := post(t, s, "/batch_query", map[string]any{"apikey": simulator.DefaultAPIKey, "application_nos": value})
		if got.Code != code {
			t.Errorf("batch_query of %v: %d, want %d", nos, got.Code, code)
		}
		if code == 0 && string(got.Data) != "[]" {
			t.Errorf("unknown numbers are not left out: %s", got.Data)
		}
	}
}

func TestWrongMethodsAndPaths(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	for path, want := range map[string]int{"/submit": http.StatusMethodNotAllowed, "/nowhere": http.StatusNotFound} {
		res, err := http.Get(s.URL() + path)
		if got := read(t, res, err); got.Code != 2002 || res.StatusCode != want {
			t.Errorf("%s: HTTP %d, code %d", path, res.StatusCode, got.Code)
		}
	}
}

func TestTypesAreTheDocuments(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	var types []map[string]any
	if err := json.Unmarshal(get(t, s, "/types?apikey="+simulator.DefaultAPIKey).Data, &types); err != nil {
		t.Fatal(err)
	}
	if len(types) != 15 {
		t.Fatalf("%d types", len(types))
	}
	sample := document(t, "types.json")["data"].([]any)
	for i, want := range map[int]any{0: sample[0], 4: sample[1]} {
		if !reflect.DeepEqual(types[i], want) {
			t.Errorf("type %d is\n%v\nand in the document\n%v", i+1, types[i], want)
		}
	}
}

func TestAnswersHaveTheDocumentsMembers(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	r := post(t, s, "/submit", body(map[string]any{"simulate": true}))
	var accepted map[string]any
	json.Unmarshal(r.Data, &accepted)
	sample := document(t, "submit.json")["data"].(map[string]any)
	sameMembers(t, "submit", accepted, sample)
	if accepted["message"] != sample["message"] {
		t.Errorf("message %q", accepted["message"])
	}
	no := accepted["application_no"].(string)
	d := waitFor(t, s, no, "completed")
	sameMembers(t, "query", d, document(t, "query.json")["data"].(map[string]any))

	pending := submit(t, s, map[string]any{"simulate": true, "simulate_result": "pending"})
	r = post(t, s, "/batch_query", map[string]any{
		"apikey": simulator.DefaultAPIKey, "application_nos": []string{pending, "RA0", no, pending},
	})
	var rows []map[string]any
	json.Unmarshal(r.Data, &rows)
	if len(rows) != 2 || rows[0]["application_no"] != pending || rows[1]["application_no"] != no {
		t.Fatalf("batch_query: %s", r.Data)
	}
	sameMembers(t, "batch_query", rows[0], document(t, "batch_query.json")["data"].([]any)[1].(map[string]any))
	for _, name := range []string{"standard_photo_url", "result_url", "result_message", "image_code", "process_time", "complete_time"} {
		if value, ok := rows[0][name]; !ok || value != nil {
			t.Errorf("%s of a pending application is %v, want null", name, value)
		}
	}

	r = get(t, s, "/applications?size=1000&apikey="+simulator.DefaultAPIKey)
	var page map[string]any
	json.Unmarshal(r.Data, &page)
	list := document(t, "applications.json")["data"].(map[string]any)
	sameMembers(t, "applications", page, list)
	first := page["list"].([]any)[0].(map[string]any)
	sameMembers(t, "an application in the list", first, list["list"].([]any)[0].(map[string]any))
	if first["application_no"] != pending || page["size"] != 100.0 {
		t.Errorf("the list begins with %v and has size %v: want the newest, and 100", first["application_no"], page["size"])
	}
}

func TestCustomFieldsAreEchoedAsTheyCame(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	sent := map[string]any{"city": "广东省,深圳市", "huizhi_ref": "r-<1>", "number": 5.0, "nested": map[string]any{"a": []any{"b"}}}
	no := submit(t, s, map[string]any{"simulate": true, "custom_fields": sent})
	if got := query(t, s, no)["custom_fields"]; !reflect.DeepEqual(got, any(sent)) {
		t.Errorf("got %v", got)
	}
}

func TestNumbersAreUniqueWithinASecond(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	const total = 1100
	seen := make(map[string]bool)
	for range total {
		seen[submit(t, s, map[string]any{"simulate": true, "simulate_result": "pending"})] = true
	}
	if len(seen) != total {
		t.Errorf("%d numbers for %d applications", len(seen), total)
	}
}

func TestQPSLimitAnswers429(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{QPS: 1})
	limited := false
	for range 3 {
		res, err := http.Get(s.URL() + "/types?apikey=" + simulator.DefaultAPIKey)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		limited = limited || res.StatusCode == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("three requests at once passed a limit of one per second")
	}
}

// serve answers every request in the same way until the test ends, and returns the address.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func TestMessagesAreTheDocuments(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("testdata/codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, simulator.Config{})
	n := 0
	for line := range strings.Lines(string(table)) {
		number, message, _ := strings.Cut(strings.TrimSpace(line), " ")
		code, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		if code == 0 {
			continue // a success has no message
		}
		n++
		s.SetFaults(simulator.Faults{List: []simulator.Fault{{Op: simulator.OpTypes, Kind: simulator.Code, Code: code, Rate: 1}}})
		if got := get(t, s, "/types"); got.Code != code || got.Message != message {
			t.Errorf("%d %s, want %d %s", got.Code, got.Message, code, message)
		}
	}
	if n != 15 {
		t.Errorf("%d codes", n)
	}
}

// The key of a POST is in its body only, that of a GET in its query only.
func TestKeyIsReadWhereTheSamplesHaveIt(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	key := "?apikey=" + simulator.DefaultAPIKey
	if got := post(t, s, "/batch_query"+key, map[string]any{"application_nos": []string{"RA1"}}); got.Code != 1001 {
		t.Errorf("key of a POST in the query: %d", got.Code)
	}
	res, err := http.Post(s.URL()+"/submit"+key, "text/plain", strings.NewReader("{}"))
	if got := read(t, res, err); got.Code != 1001 {
		t.Errorf("key of an unread POST in the query: %d", got.Code)
	}
	req, err := http.NewRequest(http.MethodGet, s.URL()+"/types", strings.NewReader(`{"apikey":"`+simulator.DefaultAPIKey+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err = http.DefaultClient.Do(req)
	if got := read(t, res, err); got.Code != 1001 {
		t.Errorf("key of a GET in the body: %d", got.Code)
	}
}

func TestPagesCutTheListNewestFirst(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	var nos []string
	for i := range 25 {
		result := "pending"
		if i%5 == 0 {
			result = "failed"
		}
		nos = append(nos, submit(t, s, map[string]any{"simulate": true, "simulate_result": result}))
	}
	settle(t, s)
	slices.Reverse(nos)
	for query, want := range map[string]struct {
		nos                           []string
		total, page, size, totalPages int
	}{
		"":                             {nos[:20], 25, 1, 20, 2},
		"&page=2":                      {nos[20:], 25, 2, 20, 2},
		"&page=3":                      {nil, 25, 3, 20, 2},
		"&page=2&size=10":              {nos[10:20], 25, 2, 10, 3},
		"&size=101":                    {nos, 25, 1, 100, 1},
		"&page=0&size=0":               {nos[:20], 25, 1, 20, 2},
		"&page=99999999999999999":      {nil, 25, 99999999999999999, 20, 2},
		"&status=failed&size=3":        {[]string{nos[4], nos[9], nos[14]}, 5, 1, 3, 2},
		"&status=failed&page=2&size=3": {[]string{nos[19], nos[24]}, 5, 2, 3, 2},
		"&status=done":                 {nil, 0, 1, 20, 0},
	} {
		var page struct {
			List []struct {
				No string `json:"application_no"`
			}
			Total, Page, Size, TotalPages int
		}
		if err := json.Unmarshal(get(t, s, "/applications?apikey="+simulator.DefaultAPIKey+query).Data, &page); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range page.List {
			got = append(got, a.No)
		}
		if !slices.Equal(got, want.nos) || page.Total != want.total || page.Page != want.page || page.Size != want.size || page.TotalPages != want.totalPages || page.List == nil {
			t.Errorf("%q: %+v, want %+v", query, page, want)
		}
	}
}

func TestOddRequestsAreServedWithAWarning(t *testing.T) {
	t.Parallel()
	s := start(t, simulator.Config{})
	no := submit(t, s, map[string]any{"simulate_result": "completed", "custom_fields": map[string]any{
		"city": "广东省,深圳市", "customer_id_card": "110101199001011234",
	}})
	for range 7 {
		query(t, s, no)
	}
	got := s.Stats().Warnings
	for _, about := range []string{"submit.result_ignored", "submit.check_digit"} {
		if got[about] != 1 {
			t.Errorf("warnings %v", got)
		}
	}
}

// FuzzSubmit: whatever is posted gets an answer with a code of the document.
func FuzzSubmit(f *testing.F) {
	s, err := simulator.Start(f.Context(), simulator.Config{Pace: simulator.Pace{Pending: time.Hour}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	for _, change := range []map[string]any{nil, {"simulate": true}, {"receipt_type_id": "5"}, {"callback_url": "http://[::1"}} {
		encoded, _ := json.Marshal(body(change))
		f.Add(encoded)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		res, err := http.Post(s.URL()+"/submit", "application/json", bytes.NewReader(text))
		if got := read(t, res, err); got.Code != 0 && (got.Code < 1001 || got.Code > 2002 || got.Message == "") {
			t.Errorf("%+v", got)
		}
	})
}
