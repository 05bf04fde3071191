package server_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/orders"
)

// A batch learns whose photos it has; what nothing tells, a person chooses, and
// takes back.
func TestMatchingPhotosWithARoster(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	site := newTestSite(t)
	p := site.signUp("阳光小学")
	b := p.batch("三年级")
	require.Zero(t, p.page(p.get("/batches/"+b.ID), http.StatusOK).Find("#roster").Length(), "who has no rosters is not asked for one")
	x := p.roster("2026 秋")
	p.imported(x, "姓名,学号,班级\n李雷,20260001,1班\n李雷,20260002,2班\n韩梅梅,20260003,1班\n王芳,20260004,1班\n")
	p.order(b, "韩梅梅", false)
	p.order(b, "李雷", false)
	require.Equal(t, 1, p.page(p.get("/batches/"+b.ID), http.StatusOK).Find("#roster select option[value='"+x.ID+"']").Length())
	require.NotZero(t, p.page(p.get("/batches/new"), http.StatusOK).Find("select[name=roster]").Length())
	require.Equal(t, http.StatusSeeOther, p.post("/batches/"+b.ID+"/roster", url.Values{"roster": {x.ID}}).StatusCode)
	require.NoError(t, site.Orders.MatchBatch(ctx, p.scope, b.ID))

	page := "/batches/" + b.ID + "/matching"
	doc := p.page(p.get(page), http.StatusOK)
	row := doc.Find(`li[id^="m-"]`)
	require.Equal(t, 1, row.Length(), "韩梅梅 has been found")
	require.Contains(t, row.Text(), "名单里有几个人都符合")
	require.Equal(t, 2, row.Find(`form[action$="/match"]`).Length())
	require.Contains(t, p.page(p.get(page+"?show=matched"), http.StatusOK).Find("li").Text(), "按姓名")
	require.Contains(t, p.page(p.get(page+"?show=missing"), http.StatusOK).Find("table").Text(), "王芳")
	order := strings.TrimPrefix(row.AttrOr("id", ""), "m-")

	found := p.page(p.post(page+"/people", url.Values{"order": {order}, "q": {"20260004"}}, "HX-Request", "true"), http.StatusOK)
	require.Contains(t, found.Text(), "王芳")
	found = p.page(p.post(page+"/people", url.Values{"order": {order}, "q": {"韩"}}, "HX-Request", "true"), http.StatusOK)
	require.Zero(t, found.Find("button").Length(), "who has a photo cannot be chosen")
	person := row.Find("input[name=person]").First().AttrOr("value", "")
	chosen := p.page(p.post("/orders/"+order+"/match", url.Values{"person": {person}}, "HX-Request", "true"), http.StatusOK)
	require.Contains(t, chosen.Text(), "手工选定")
	require.NotZero(t, chosen.Find(`form[action$="/unmatch"]`).Length())
	require.Equal(t, http.StatusSeeOther, p.post("/orders/"+order+"/unmatch", nil).StatusCode)
	require.Contains(t, p.page(p.get(page), http.StatusOK).Find("li").Text(), "配对已撤销")
	require.Contains(t, p.page(p.get("/orders/"+order), http.StatusOK).Find(".tl").Text(), "撤销了与名单的配对")
	require.Equal(t, http.StatusConflict, p.post("/batches/"+b.ID+"/roster", url.Values{"roster": {""}}).StatusCode)

	o, err := site.Orders.Get(ctx, p.scope, order)
	require.NoError(t, err)
	require.Equal(t, orders.StatusReview, o.Status)
	require.Contains(t, p.page(p.get("/batches/"+b.ID+"/review?order="+order), http.StatusOK).Text(), "名单里还没有找到是谁")
}
