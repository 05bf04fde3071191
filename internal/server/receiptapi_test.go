package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/receiptapi"
	"huizhi/internal/server"
)

// key makes an API key of the person's tenant.
func (p *person) key(test bool) string {
	t := p.site.t
	t.Helper()
	_, secret, err := p.site.Tenants.CreateAPIKey(context.Background(), p.scope, "东门店自助机", test, p.userID, db.Now())
	require.NoError(t, err)
	return secret
}

// apply submits an application with a key and returns its number.
func (p *person) apply(key string) string {
	t := p.site.t
	t.Helper()
	_, body := status(t, p.do("POST", receiptapi.BasePath+"/submit", strings.NewReader(fmt.Sprintf(
		`{"apikey":%q,"receipt_type_id":5,"id_photo_url":"http://photos.invalid/a.jpg","custom_fields":{"city":"广东省,深圳市","customer_id_card":"110101199001011237"}}`, key)), "Content-Type", "application/json"))
	_, rest, found := strings.Cut(body, `"application_no":"`)
	require.True(t, found, "%s", body)
	no, _, _ := strings.Cut(rest, `"`)
	return no
}

// Every route of the API, called with another tenant's key about an application
// that exists, answers as if it did not. A session does not help, nor does a key
// on the pages.
func TestNoKeyReachesAnotherTenantsApplications(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	victim, stranger := site.signUp("受害照相馆"), site.signUp("陌生照相馆")
	no, foreign := victim.apply(victim.key(false)), stranger.key(false)
	var token string
	require.NoError(t, site.DB.NewSelect().Table("api_applications").Column("file_token").Where("application_no = ?", no).Scan(context.Background(), &token))
	require.Len(t, token, 52, "256 bits")

	calls := 0
	for _, rt := range server.RoutingTable() {
		method, pattern, _ := strings.Cut(rt.Pattern, " ")
		if !strings.HasPrefix(pattern, receiptapi.BasePath) {
			continue
		}
		calls++
		ask := func(key string) string {
			var res *http.Response
			if method == "GET" {
				res = stranger.get(pattern + "?" + url.Values{"apikey": {key}, "application_no": {no}}.Encode())
			} else {
				res = stranger.do(method, pattern, strings.NewReader(fmt.Sprintf(`{"apikey":%q,"application_nos":[%q]}`, key, no)), "Content-Type", "application/json")
			}
			code, body := status(t, res)
			require.Equal(t, http.StatusOK, code)
			return body
		}
		body := ask(foreign)
		for _, secret := range []string{no, "110101199001011237", token} {
			require.NotContains(t, body, secret, rt.Pattern)
		}
		require.Contains(t, ask(""), `"code":1001`, "a signed-in browser is no key: %s", rt.Pattern)
	}
	require.Equal(t, 5, calls)
	for _, path := range []string{"/f/" + token + "/receipt.pdf", "/f/" + token + "/", "/f/none/receipt.pdf"} {
		code, _ := status(t, stranger.get(path))
		require.Equal(t, http.StatusNotFound, code, "there is no receipt yet: %s", path)
	}
	code, _ := status(t, site.visitor().get("/orders?apikey="+foreign))
	require.Equal(t, http.StatusSeeOther, code, "a key opens no page")
}

func TestTheKeysPageSaysHowToConnect(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	made := p.page(p.post("/settings/keys", url.Values{"name": {"联调"}, "test": {"1"}}), http.StatusOK)
	require.True(t, strings.HasPrefix(made.Find("#secret code").Text(), "hz_test_"))
	guide := made.Find("#api")
	base := site.URL + receiptapi.BasePath
	copied, _ := guide.Find("[data-copy]").First().Attr("data-copy")
	require.Equal(t, base, copied)
	require.Contains(t, guide.Find("pre").Text(), base+"/submit")
	require.Contains(t, made.Find("tbody .cell-title").Text(), "测试")
	link, _ := guide.Find("a").Attr("href")
	_, text := status(t, site.visitor().get(link))
	require.Contains(t, text, "/batch_query")
}

func TestAProgramsOrderIsSeenLikeAnyOther(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	p.apply(p.key(false))
	list := p.page(p.get("/orders"), http.StatusOK)
	require.Contains(t, list.Find("main").Text(), "API · 东门店自助机")
	href, _ := list.Find("a.row-link").Attr("href")
	page := p.page(p.get(strings.TrimSuffix(href, "/panel")), http.StatusOK)
	require.Contains(t, page.Find("main").Text(), "API · 东门店自助机 提交的申请")
	thumb, _ := list.Find("img.ph").Attr("src")
	res := p.get(thumb)
	require.Equal(t, http.StatusOK, res.StatusCode, "something is shown until the photo is here")
	require.Equal(t, "image/svg+xml", res.Header.Get("Content-Type"))
	p.page(p.get("/batches"), http.StatusOK)
}

// The order's page tells whether the program that handed it in knows how it ended.
func TestTheOrderPageTellsWhatTheProgramWasTold(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	no := p.apply(p.key(false))
	ctx := context.Background()
	var id, order string
	require.NoError(t, site.DB.NewSelect().Table("api_applications").Column("id", "order_id").Where("application_no = ?", no).Scan(ctx, &id, &order))
	log := func(lang string) *goquery.Selection {
		return p.page(p.get("/orders/"+order, "Accept-Language", lang), http.StatusOK).Find("#program")
	}
	set := func(column string, value any) {
		_, err := site.DB.NewUpdate().Table("api_applications").Set("? = ?", bun.Ident(column), value).Where("id = ?", id).Exec(ctx)
		require.NoError(t, err)
	}
	require.Contains(t, log("zh").Text(), no)
	require.Contains(t, log("zh").Text(), "没有提供回调地址")

	set("callback_url", "https://client.example/secret-path")
	require.Contains(t, log("zh").Text(), "办结后发送回调")
	require.Empty(t, log("zh").Find(".state").Text())

	set("completed_at", db.Now())
	try := receiptapi.Callback{TenantID: p.scope.TenantID(), ID: db.NewID(), ApplicationID: id, Ordinal: 1, At: db.Now(), TookMS: 38, HTTPStatus: 503, ProblemKey: "receiptapi.callback.status"}
	_, err := site.DB.NewInsert().Model(&try).Exec(ctx)
	require.NoError(t, err)
	require.Contains(t, log("zh").Find(".state").Text(), "正在回调")
	require.Contains(t, texts(log("zh").Find("li"))[0], "第 1 次 HTTP 503 · 对方返回的不是 HTTP 200 · 38 毫秒")

	set("callback_done", true)
	require.Contains(t, log("zh").Find(".state").Text(), "回调未送达")
	try.ID, try.Ordinal, try.HTTPStatus, try.ProblemKey = db.NewID(), 2, 200, ""
	_, err = site.DB.NewInsert().Model(&try).Exec(ctx)
	require.NoError(t, err)
	english := log("en")
	require.Contains(t, english.Find(".state").Text(), "Callback received")
	require.Contains(t, texts(english.Find("li"))[1], "try 2 HTTP 200 · received · 38 ms")
	require.NotContains(t, english.Text(), "secret-path")
}
