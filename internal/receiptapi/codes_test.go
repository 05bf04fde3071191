package receiptapi_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/config"
	"huizhi/internal/dbtest"
	"huizhi/internal/receiptapi"
)

// documented is the document's table of codes, as it stands there.
const documented = `
1001 无效的API密钥
1002 回执类型ID不能为空
1003 证件照URL不能为空
1004 自定义字段不能为空
1005 必填字段不能为空
1006 手机号格式不正确
1007 身份证号格式不正确
1008 无效的回执类型
1009 申请单号不能为空
1010 申请记录不存在
1011 申请单号数组不能为空
1012 单次查询申请单号不能超过100个
1013 账户余额不足
2001 申请提交失败,请稍后重试
2002 系统异常,请稍后重试`

func TestMessagesAreTheDocuments(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(documented), "\n")
	require.Len(t, receiptapi.Messages, len(lines))
	for _, line := range lines {
		number, message, _ := strings.Cut(line, " ")
		var n int
		_, err := fmt.Sscan(number, &n)
		require.NoError(t, err)
		require.Equal(t, message, receiptapi.Messages[n])
	}
}

// refused checks code, message, and that there is nothing else.
func refused(t *testing.T, want int, a object, what ...any) {
	t.Helper()
	require.Equal(t, fmt.Sprint(want), code(a), what...)
	require.Equal(t, receiptapi.Messages[want], a["message"], what...)
	require.Len(t, a, 2, what...)
}

func TestSubmitChecksInTheDocumentsOrder(t *testing.T) {
	t.Parallel()
	o := newSite(t, dbtest.SQLiteURL(t)).newOwner(false)
	city := "广东省,深圳市"
	card := object{"city": city, "customer_id_card": "110101199001011234"} // the document's, with its wrong check digit
	for i, c := range []struct {
		code    int
		changes object
	}{
		{1001, object{"apikey": "hz_nobody"}}, {1001, object{"apikey": nil}}, {1001, object{"apikey": 5}},
		{1001, object{"apikey": "", "receipt_type_id": nil}}, // the key comes first
		{1002, object{"receipt_type_id": nil, "id_photo_url": nil}},
		{1002, object{"receipt_type_id": ""}},
		{1003, object{"id_photo_url": nil, "custom_fields": nil}},
		{1003, object{"id_photo_url": ""}}, {1003, object{"id_photo_url": "  "}}, {1003, object{"id_photo_url": 1}},
		{1004, object{"custom_fields": nil, "receipt_type_id": 99}},
		{1004, object{"custom_fields": object{}}}, {1004, object{"custom_fields": []any{"x"}}}, {1004, object{"custom_fields": "x"}},
		{1008, object{"receipt_type_id": 99, "custom_fields": object{"x": 1}}},
		{1008, object{"receipt_type_id": 0}}, {1008, object{"receipt_type_id": "5"}}, {1008, object{"receipt_type_id": 5.5}}, {1008, object{"receipt_type_id": true}},
		{1005, object{"custom_fields": object{"customer_phone": "1"}}},
		{1005, object{"custom_fields": object{"city": " "}}}, {1005, object{"custom_fields": object{"city": nil}}},
		{1005, object{"receipt_type_id": 5}},
		{1006, object{"custom_fields": object{"city": city, "customer_phone": "12345678901", "customer_id_card": "1"}}},
		{1007, object{"custom_fields": object{"city": city, "customer_id_card": "1"}, "callback_url": "x"}},
		{1007, object{"custom_fields": object{"city": city, "customer_id_card": "110101199013011234"}}},
		{2001, object{"callback_url": "not an address"}}, {2001, object{"callback_url": "ftp://example.com/"}}, {2001, object{"callback_url": 1}},
		{2001, object{"simulate": "true"}}, {2001, object{"simulate": true, "simulate_result": "done"}},
		{2001, object{"custom_fields": object{"city": "a\x00b"}}},
		{2001, object{"custom_fields": object{"city": strings.Repeat("深", 1000)}}},
	} {
		refused(t, c.code, o.post("/submit", o.body(c.changes)), "case %d: %v", i, c.changes)
	}
	for i, changes := range []object{
		{"receipt_type_id": 5, "custom_fields": card}, {"simulate": nil, "simulate_result": "nonsense"}, {"simulate": false}, {"callback_url": ""},
		{"custom_fields": object{"city": "火星省,深圳市", "customer_phone": "13800138000"}}, // fails later, at the provider
		{"custom_fields": object{"city": "广东省，深圳市"}}, {"id_photo_url": "gopher://x"}, {"unknown": []any{1}},
	} {
		require.NotEmpty(t, o.submit(changes), "case %d: %v", i, changes)
	}
}

func TestQueriesRefuseAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	o := newSite(t, dbtest.SQLiteURL(t)).newOwner(false)
	refused(t, 1001, o.get("/query", url.Values{"apikey": {"x"}}))
	refused(t, 1001, o.get("/types", url.Values{"apikey": {""}}))
	refused(t, 1009, o.get("/query", nil))
	refused(t, 1010, o.get("/query", url.Values{"application_no": {"RA20231201143059001"}}))
	refused(t, 1010, o.get("/query", url.Values{"application_no": {"a\x00\xff"}}))
	ask := func(nos any) object { return o.post("/batch_query", object{"apikey": o.key, "application_nos": nos}) }
	for _, nothing := range []any{nil, []string{}, "RA1", object{}, []any{1}} {
		refused(t, 1011, ask(nothing), "%v", nothing)
	}
	refused(t, 1012, ask(make([]string, 101)))
	require.Equal(t, []any{}, ask(make([]string, 100))["data"])
	refused(t, 1001, o.post("/batch_query", object{"application_nos": []string{"RA1"}}))
}

func TestWhatIsNoCallOfTheAPI(t *testing.T) {
	t.Parallel()
	o := newSite(t, dbtest.SQLiteURL(t)).newOwner(false)
	do := func(method, path, contentType string, body io.Reader, status int) object {
		req, err := http.NewRequest(method, o.URL+path, body)
		require.NoError(t, err)
		req.Header.Set("Content-Type", contentType)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		return decode(t, res, status)
	}
	key := "?apikey=" + o.key
	for _, wrong := range []string{"GET /submit", "POST /query", "PUT /submit", "GET /batch_query", "DELETE /types", "POST /applications"} {
		method, path, _ := strings.Cut(wrong, " ")
		refused(t, 2002, do(method, path+key, "application/json", strings.NewReader("{}"), http.StatusMethodNotAllowed), wrong)
	}
	for _, wrong := range []string{"/", "/nothing", "/query/", "/submit/x"} {
		refused(t, 2002, do("GET", wrong+key, "", nil, http.StatusNotFound), wrong)
	}
	body := fmt.Sprintf(`{"apikey":%q}`, o.key)
	for name, c := range map[string][2]string{
		"a form": {"application/x-www-form-urlencoded", "apikey=" + o.key}, "no type": {"", body}, "text": {"text/plain", body},
		"broken": {"application/json", body[:9]}, "an array": {"application/json", "[" + body + "]"}, "nothing": {"application/json", ""},
		"the key in the address": {"application/json", "{}"}, "not UTF-8": {"application/json", "{\"apikey\":\"" + o.key + "\",\"x\":\"\xff\"}"},
	} {
		refused(t, 1001, do("POST", "/submit"+key, c[0], strings.NewReader(c[1]), http.StatusOK), name)
	}
	require.Equal(t, "1002", code(do("POST", "/submit", "application/json; charset=utf-8", strings.NewReader(body), http.StatusOK)))
	huge := bytes.Repeat([]byte(" "), 70<<10)
	refused(t, 2002, do("POST", "/submit", "application/json", bytes.NewReader(append(huge, body...)), http.StatusOK))
}

func TestAKeyThatRunsWildIsHeldBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, dbtest.SQLiteURL(t), func(c *config.Config) { c.APIRate = 1 })
	wild, calm := s.newOwner(false), s.newOwner(false)
	status := func(o *owner) int {
		res, err := http.Get(s.URL + "/types?apikey=" + o.key)
		require.NoError(t, err)
		defer res.Body.Close()
		if res.StatusCode == http.StatusTooManyRequests {
			require.Equal(t, "1", res.Header.Get("Retry-After"))
			refused(t, 2002, decode(t, res, http.StatusTooManyRequests))
		}
		return res.StatusCode
	}
	require.Eventually(t, func() bool { return status(wild) == http.StatusTooManyRequests }, 60*time.Second, time.Millisecond)
	require.Equal(t, http.StatusOK, status(calm), "one key's limit is not another's")
}

func TestARevokedKeyIsNone(t *testing.T) {
	t.Parallel()
	s := newSite(t, dbtest.SQLiteURL(t))
	o := s.newOwner(false)
	require.Equal(t, "0", code(o.get("/types", nil)))
	require.NoError(t, s.Tenants.RevokeAPIKey(t.Context(), o.scope, o.id, "test", s.API.Now()))
	refused(t, 1001, o.get("/types", nil))
}
