package clipimg_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"

	"huizhi/internal/providers"
	"huizhi/internal/providers/clipimg"
)

// key is the API key of the document's samples.
const key = "your-api-key"

func newClient(t testing.TB, baseURL string) *clipimg.Client {
	t.Helper()
	c, err := clipimg.New(clipimg.Config{BaseURL: baseURL, APIKey: key, UserAgent: "huizhi-test"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// golden returns a client of a server that answers with one file and expects exactly one request: method, path, and
// the query or the body, which is a file too.
func golden(t *testing.T, method, path string, query url.Values, bodyFile, answerFile string) *clipimg.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method || r.URL.Path != "/app/receipt_api.php"+path {
			t.Errorf("request %s %s", r.Method, r.URL.Path)
		}
		if r.UserAgent() != "huizhi-test" {
			t.Errorf("user agent %q", r.UserAgent())
		}
		if query == nil {
			query = url.Values{}
		}
		if !reflect.DeepEqual(r.URL.Query(), query) {
			t.Errorf("query %v, want %v", r.URL.Query(), query)
		}
		body, _ := io.ReadAll(r.Body)
		if bodyFile == "" {
			if len(body) > 0 {
				t.Errorf("unexpected body")
			}
		} else {
			if r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("content type %q", r.Header.Get("Content-Type"))
			}
			var got, want any
			if json.Unmarshal(body, &got) != nil || json.Unmarshal(file(t, bodyFile), &want) != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("body %s, want %s", body, file(t, bodyFile))
			}
		}
		w.Write(file(t, answerFile))
	}))
	t.Cleanup(server.Close)
	return newClient(t, server.URL+"/app/receipt_api.php")
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Error(err)
	}
	return content
}

// answering returns a client of a server that gives one answer to everything.
func answering(t testing.TB, status int, body string) *clipimg.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return newClient(t, server.URL)
}

// completed is the application of the document's samples.
var completed = providers.Result{
	ApplicationNo: "RA20231201143059001", TypeName: "机动车驾驶证数字相片",
	CustomFields: map[string]string{"city": "广东省,深圳市", "customer_id_card": "110101199001011234"},
	Status:       providers.StatusCompleted, StandardPhotoURL: "http://example.com/standard_photo.jpg",
	ResultURL: "http://example.com/result.pdf", Message: "办理完成", ImageCode: "IMG20231201001",
	SubmitTime: "2023-12-01 14:30:59", ProcessTime: "2023-12-01 14:32:10", CompleteTime: "2023-12-01 14:38:26",
}

func TestTypes(t *testing.T) {
	t.Parallel()
	types, err := golden(t, "GET", "/types", url.Values{"apikey": {key}}, "", "types-answer.json").Types(t.Context())
	if err != nil || len(types) != 2 {
		t.Fatalf("%d types, %v", len(types), err)
	}
	identity, driver := types[0], types[1]
	if identity.ID != 1 || identity.Name != "第二代居民身份证数字相片" || identity.SortOrder != 1 || len(identity.Cities()) != 22 {
		t.Errorf("got %+v", identity)
	}
	if !identity.Offers("青海省,青海市") || driver.Offers("青海省,青海市") || !driver.Offers("广东省,云浮市") {
		t.Error("the cities are mixed up")
	}
	if !driver.Requires("customer_id_card") || identity.Requires("customer_id_card") {
		t.Error("the required fields are mixed up")
	}
	if g := driver.Guide["customer_id_card"]; g.Label != "身份证号" || g.Description == "" || g.Cities != nil {
		t.Errorf("guide %+v", g)
	}
}

func TestSubmit(t *testing.T) {
	t.Parallel()
	c := golden(t, "POST", "/submit", nil, "submit-request.json", "submit-answer.json")
	no, err := c.Submit(t.Context(), providers.Application{
		TypeID: 5, PhotoURL: "http://example.com/photo.jpg?a=1&b=<2>", CallbackURL: "http://your-domain.com/callback",
		CustomFields: map[string]string{"city": "广东省,深圳市", "customer_id_card": "110101199001011234", providers.ReferenceField: "r-1"},
		Simulate:     true, SimulateResult: providers.StatusCompleted,
	})
	if err != nil || no != "RA20231201143059001" {
		t.Errorf("%q, %v", no, err)
	}
}

func TestSubmitSendsNoOptionsThatWereNotAskedFor(t *testing.T) {
	t.Parallel()
	c := golden(t, "POST", "/submit", nil, "submit-minimal-request.json", "submit-answer.json")
	if _, err := c.Submit(t.Context(), providers.Application{
		TypeID: 1, PhotoURL: "http://example.com/photo.jpg", SimulateResult: providers.StatusFailed,
	}); err != nil {
		t.Error(err)
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	query := url.Values{"apikey": {key}, "application_no": {completed.ApplicationNo}}
	got, err := golden(t, "GET", "/query", query, "", "query-answer.json").Query(t.Context(), completed.ApplicationNo)
	if err != nil || !reflect.DeepEqual(got, completed) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestBatchQuery(t *testing.T) {
	t.Parallel()
	c := golden(t, "POST", "/batch_query", nil, "batch_query-request.json", "batch_query-answer.json")
	got, err := c.BatchQuery(t.Context(), []string{"RA20231201143059001", "RA20231201143059002", "RA20231201143059003"})
	first := completed
	first.StandardPhotoURL, first.ResultURL = "http://example.com/standard_photo1.jpg", "http://example.com/result1.pdf"
	want := []providers.Result{first, {
		ApplicationNo: "RA20231201143059002", TypeName: "第二代居民身份证数字相片",
		CustomFields: map[string]string{"city": "广东省,广州市"}, Status: providers.StatusProcessing,
		SubmitTime: "2023-12-01 15:20:30", ProcessTime: "2023-12-01 15:25:15",
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestApplications(t *testing.T) {
	t.Parallel()
	query := url.Values{"apikey": {key}, "page": {"1"}, "size": {"10"}, "status": {"completed"}}
	c := golden(t, "GET", "/applications", query, "", "applications-answer.json")
	got, err := c.Applications(t.Context(), 1, 10, providers.StatusCompleted)
	listed := completed
	listed.Message, listed.ProcessTime = "", ""
	want := providers.Page{List: []providers.Result{listed}, Total: 50, Page: 1, Size: 10, TotalPages: 5}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for _, c := range []clipimg.Config{
		{}, {BaseURL: "https://www.clipimg.com"}, {APIKey: key, BaseURL: "www.clipimg.com"}, {APIKey: key, BaseURL: "ftp://x/"}, {APIKey: key, BaseURL: "://" + key},
	} {
		if _, err := clipimg.New(c); err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%q: %v", c.BaseURL, err)
		}
	}
	if _, err := clipimg.New(clipimg.Config{APIKey: key}); err != nil {
		t.Errorf("the default address: %v", err)
	}
}

func TestSubmitOutcomes(t *testing.T) {
	t.Parallel()
	const (
		refused   = providers.OutcomeRefused
		account   = providers.OutcomeAccount
		throttled = providers.OutcomeThrottled
		unknown   = providers.OutcomeUnknown
	)
	const accepted = `{"code":0,"data":{"application_no":"RA1"}}`
	for _, c := range []struct {
		status int
		body   string
		want   providers.Outcome
		code   int
	}{
		{200, `{"code":1001,"message":"无效的API密钥"}`, account, 1001},
		{200, `{"code":1013,"message":"账户余额不足"}`, account, 1013},
		{200, `{"code":1002}`, refused, 1002},
		{200, `{"code":1006,"message":"手机号格式不正确"}`, refused, 1006},
		{200, `{"code":"1007","message":"身份证号格式不正确"}`, refused, 1007},
		{200, "\xef\xbb\xbf" + `{"code":1008}`, refused, 1008},
		{401, `{"code":1001}`, account, 1001},
		{400, `{"code":1005}`, refused, 1005},
		{429, `<html>`, throttled, 0},
		{429, `{"code":2002}`, throttled, 2002},
		{200, `{"code":1010}`, unknown, 1010}, // says nothing about a submit
		{200, `{"code":1099}`, unknown, 1099},
		{200, `{"code":2001,"message":"申请提交失败,请稍后重试"}`, unknown, 2001},
		{200, `{"code":2002,"message":"系统异常,请稍后重试"}`, unknown, 2002},
		{500, `{"code":1006}`, unknown, 1006},
		{502, `<html>Bad Gateway</html>`, unknown, 0},
		{503, accepted, unknown, 0},
		{404, accepted, unknown, 0},
		{403, `<html>`, unknown, 0},
		{200, `<html>`, unknown, 0},
		{200, ``, unknown, 0},
		{200, `null`, unknown, 0},
		{200, `[]`, unknown, 0},
		{200, `{}`, unknown, 0},
		{200, `{"code":null}`, unknown, 0},
		{200, `{"code":"ok"}`, unknown, 0},
		{200, accepted[:20], unknown, 0},
		{200, accepted + `x`, unknown, 0},
		{200, `{"code":0}`, unknown, 0},
		{200, `{"code":0,"data":null}`, unknown, 0},
		{200, `{"code":0,"data":[]}`, unknown, 0},
		{200, `{"code":0,"data":{"application_no":null}}`, unknown, 0},
		{200, `{"code":0,"data":{"application_no":""}}`, unknown, 0},
		{200, `{"code":0,"data":"` + strings.Repeat("x", 5<<20) + `"}`, unknown, 0},
	} {
		no, err := answering(t, c.status, c.body).Submit(t.Context(), providers.Application{})
		e, ok := errors.AsType[*providers.Error](err)
		if no != "" || !ok || e.Op != "submit" || e.Outcome != c.want || e.Code != c.code || e.HTTPStatus != c.status {
			t.Errorf("HTTP %d %.60s: %q, %v", c.status, c.body, no, err)
		}
	}
}

func TestMessageOfARefusalIsKept(t *testing.T) {
	t.Parallel()
	_, err := answering(t, 200, `{"code":1006,"message":"手机号格式不正确"}`).Types(t.Context())
	if e, ok := errors.AsType[*providers.Error](err); !ok || e.Message != "手机号格式不正确" || e.Key() != "provider.1006" {
		t.Errorf("got %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the key went to another host")
	}))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{301, 302, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, status))
		t.Cleanup(server.Close)
		_, err := newClient(t, server.URL).Submit(t.Context(), providers.Application{})
		if e, ok := errors.AsType[*providers.Error](err); !ok || e.Outcome != providers.OutcomeUnknown || e.HTTPStatus != status {
			t.Errorf("HTTP %d: %v", status, err)
		}
	}
}

// A search for lost applications concludes from what is not listed, so a gap must be an error.
func TestListsWithGapsAreErrors(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		`null`, `[]`, `{}`, `"x"`, `{"list":null}`, `{"list":[],"total":"many"}`, `{"list":[],"total":3,"page":1,"totalPages":1}`,
		`{"list":[null],"total":1}`, `{"list":["RA1"],"total":1}`, `{"list":{"a":{}},"total":1}`, `{"list":false,"total":1}`,
	} {
		if p, err := answering(t, 200, `{"code":0,"data":`+data+`}`).Applications(t.Context(), 1, 10, ""); err == nil {
			t.Errorf("applications %s: %+v", data, p)
		}
	}
	for _, data := range []string{`false`, `"x"`, `[null]`, `[1]`, `{"a":{}}`} {
		if r, err := answering(t, 200, `{"code":0,"data":`+data+`}`).BatchQuery(t.Context(), []string{"RA1"}); err == nil {
			t.Errorf("batch query %s: %+v", data, r)
		}
	}
	for _, data := range []string{`null`, `[]`, `{}`, `[{}]`, `[{"id":0}]`, `[{"id":"one"}]`} {
		if types, err := answering(t, 200, `{"code":0,"data":`+data+`}`).Types(t.Context()); err == nil {
			t.Errorf("types %s: %+v", data, types)
		}
	}
	for _, data := range []string{`null`, `[]`, `{}`, `{"application_no":"RA2","status":"completed"}`} {
		if r, err := answering(t, 200, `{"code":0,"data":`+data+`}`).Query(t.Context(), "RA1"); err == nil {
			t.Errorf("query %s: %+v", data, r)
		}
	}
}

func TestAnswersOfOtherPlausibleForms(t *testing.T) {
	t.Parallel()
	want := providers.Result{
		ApplicationNo: "7", CustomFields: map[string]string{"city": "广东省,深圳市", "n": "5"}, Status: providers.StatusCompleted,
	}
	const row = `{"application_no":7,"status":" Completed","custom_fields":{"city":"广东省,深圳市","n":5},"result_url":false,"extra":[{}]}`
	for _, row := range []string{
		row,
		strings.Replace(row, `{"city":"广东省,深圳市","n":5}`, `"{\"city\":\"广东省,深圳市\",\"n\":\"5\"}"`, 1),
		strings.Replace(row, `7`, `" 7 "`, 1),
	} {
		row = strings.Replace(row, `false`, `null`, 1)
		for _, data := range []string{`[` + row + `]`, `{"0":` + row + `}`, `{"3":` + row + `,"5":{"application_no":"foreign"}}`, `[` + row + `,` + row + `]`} {
			got, err := answering(t, 200, `{"code":"0","data":`+data+`}`).BatchQuery(t.Context(), []string{"7"})
			if err != nil || !reflect.DeepEqual(got, []providers.Result{want}) {
				t.Errorf("%s: %+v, %v", data, got, err)
			}
		}
		page := `{"code":0,"message":null,"data":{"list":[` + row + `],"total":"1","page":"1","size":"20"},"time":1}`
		got, err := answering(t, 200, page).Applications(t.Context(), 1, 20, "")
		if err != nil || got.Total != 1 || got.TotalPages != 1 || !reflect.DeepEqual(got.List, []providers.Result{want}) {
			t.Errorf("%s: %+v, %v", page, got, err)
		}
	}
	for _, fields := range []string{`[]`, `null`, `""`, `7`} {
		got, err := answering(t, 200, `{"code":0,"data":{"application_no":"7","custom_fields":`+fields+`}}`).Query(t.Context(), "7")
		if err != nil || len(got.CustomFields) != 0 {
			t.Errorf("custom_fields %s: %+v, %v", fields, got, err)
		}
	}
	if got, err := answering(t, 200, `{"code":0,"data":null}`).BatchQuery(t.Context(), []string{"7"}); err != nil || got != nil {
		t.Errorf("nothing found: %v, %v", got, err)
	}
	if got, err := answering(t, 200, `{"code":0,"data":{"list":null,"total":0}}`).Applications(t.Context(), 1, 20, ""); err != nil || got.List != nil {
		t.Errorf("no applications: %v, %v", got, err)
	}
}

func TestTypesOfOtherPlausibleForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ required, guide string }{
		{`["city"]`, `{"custom_fields":{"city":{"allowed_values":[{"province":"广东省","cities":["深圳市"]}]}}}`},
		{`{"0":"city"}`, `{"custom_fields":{"city":{"allowed_values":{"0":{"province":"广东省","cities":{"1":"深圳市"}}}}}}`},
		{`"city"`, `{"custom_fields":{"city":{"allowed_values":{"广东省":["深圳市"]}}},"note":"x"}`},
		{`"[\"city\"]"`, `"{\"custom_fields\":{\"city\":{\"allowed_values\":[{\"province\":\"广东省\",\"cities\":\"深圳市\"}]}}}"`},
	} {
		body := fmt.Sprintf(`{"code":0,"data":[{"id":"2","sort_order":"2"},{"id":"1","name":"x","required_fields":%s,"parameter_guide":%s,"sort_order":1}]}`, c.required, c.guide)
		types, err := answering(t, 200, body).Types(t.Context())
		if err != nil || len(types) != 2 || types[0].ID != 1 {
			t.Errorf("%s: %+v, %v", body, types, err)
			continue
		}
		if got := types[0].Cities(); !types[0].Requires("city") || !reflect.DeepEqual(got, []string{"广东省,深圳市"}) {
			t.Errorf("%s: requires %v, cities %v", body, types[0].RequiredFields, got)
		}
	}
	for _, nothing := range []string{`null`, `[]`, `""`, `{}`, `false`} {
		body := `{"code":0,"data":[{"id":1,"required_fields":` + nothing + `,"parameter_guide":` + nothing + `}]}`
		if types, err := answering(t, 200, body).Types(t.Context()); err != nil || len(types) != 1 || len(types[0].Guide) != 0 {
			t.Errorf("%s: %+v, %v", body, types, err)
		}
	}
}

// FuzzAnswers gives any answer to all calls: none panics, and a success is never empty-handed.
func FuzzAnswers(f *testing.F) {
	for _, name := range []string{"types", "submit", "query", "batch_query", "applications"} {
		f.Add(0, file(f, name+"-answer.json"))
	}
	f.Add(0, []byte(`{"code":"0","data":{"3":{"application_no":7,"custom_fields":"{}"}}}`))
	f.Add(229, []byte(``))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		transport := canned{status: 200 + int(uint(status)%400), body: body}
		client, err := clipimg.New(clipimg.Config{APIKey: key, HTTPClient: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		if no, err := client.Submit(ctx, providers.Application{}); (err == nil) == (no == "") {
			t.Errorf("submit: %q, %v", no, err)
		}
		if r, err := client.Query(ctx, completed.ApplicationNo); err == nil && r.ApplicationNo != completed.ApplicationNo {
			t.Errorf("query: %+v", r)
		}
		if rows, err := client.BatchQuery(ctx, []string{completed.ApplicationNo}); err == nil && len(rows) > 1 {
			t.Errorf("batch query: %+v", rows)
		}
		if types, err := client.Types(ctx); err == nil && len(types) == 0 {
			t.Error("types: an empty catalogue")
		}
		if p, err := client.Applications(ctx, 1, 10, ""); err == nil && p.Total < len(p.List) {
			t.Errorf("applications: %+v", p)
		}
	})
}

// canned is a transport with one answer.
type canned struct {
	status int
	body   []byte
}

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Body: io.NopCloser(bytes.NewReader(c.body)), Header: http.Header{}}, nil
}
