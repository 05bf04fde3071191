package server_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

func TestARecordSaysWhoIsAtItAndCanBeTakenOver(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	colleague := p.member(tenants.RoleOperator)
	record := "/batches/" + o.BatchID + "/review?order=" + o.ID
	p.page(p.get(record), http.StatusOK)

	page := colleague.page(colleague.get(record), http.StatusOK)
	require.Contains(t, page.Find("[data-held]").Text(), "李敏 正在看这一条")
	require.Equal(t, 1, page.Find(`input[name="name"][disabled]`).Length())
	grid := colleague.page(colleague.get("/batches/"+o.BatchID+"/review/grid"), http.StatusOK)
	require.Contains(t, grid.Find("#row-"+o.ID).Text(), "李敏 正在看这一条")
	require.Equal(t, http.StatusSeeOther, colleague.get("/batches/"+o.BatchID+"/review").StatusCode, "nothing is left for her")

	taken := colleague.page(colleague.post("/orders/"+o.ID+"/takeover", nil, htmx, "true"), http.StatusOK)
	require.Zero(t, taken.Find("[data-held]").Length())
	held := p.page(p.post("/orders/"+o.ID+"/hold", nil, htmx, "true"), http.StatusOK)
	require.Contains(t, held.Text(), "周岚 正在看这一条")
	res := p.post("/orders/"+o.ID+"/confirm", url.Values{"view": {"record"}, "version": version(o), "name": {"欧阳宇"}}, htmx, "true")
	refused := p.page(res, http.StatusConflict)
	require.Contains(t, refused.Find("[data-field-block=name]").Text(), "您刚才填的", "what was typed is not lost")
	require.Equal(t, "欧阳宇", refused.Find(`#takeover input[name="name"]`).AttrOr("value", ""))
	require.Equal(t, orders.StatusReview, p.stored(o.ID).Status)
}

func TestTheNextRecordIsSentAheadAndLoggedOnce(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	one, two := p.order(b, "欧阳翀", true), p.order(b, "陈雨桐", true)
	page := p.page(p.get("/batches/"+b.ID+"/review"), http.StatusOK)
	place := page.Find(`input[name="place"]`).AttrOr("value", "")
	ahead := p.page(p.get("/batches/"+b.ID+"/review/upcoming?place="+place, htmx, "true"), http.StatusOK)
	require.Equal(t, two.ID, ahead.Find("form[data-record]").AttrOr("data-order", ""))
	res := p.post("/orders/"+one.ID+"/confirm", url.Values{"view": {"record"}, "next": {two.ID}, "place": {place}}, htmx, "true")
	require.Equal(t, two.ID, p.page(res, http.StatusOK).Find("form[data-record]").AttrOr("data-order", ""))
	n, err := p.site.DB.NewSelect().Model((*tenants.AuditEntry)(nil)).Where("action = 'order.reveal' AND object_id = ?", two.ID).Count(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	require.Equal(t, http.StatusNoContent, p.get("/batches/"+b.ID+"/review/upcoming?place="+place, htmx, "true").StatusCode)
}

func TestUndoAnswersAStaleTab(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	one := p.order(b, "欧阳翀", true)
	p.order(b, "陈雨桐", true)
	p.page(p.get("/batches/"+b.ID+"/review?order="+one.ID), http.StatusOK)
	next := p.page(p.post("/orders/"+one.ID+"/confirm", url.Values{"view": {"record"}}, htmx, "true"), http.StatusOK)
	require.Equal(t, "/orders/"+one.ID+"/undo", next.Find("form[data-undo]").AttrOr("action", ""))
	back := p.page(p.post("/orders/"+one.ID+"/undo", nil, htmx, "true"), http.StatusOK)
	require.Equal(t, one.ID, back.Find("form[data-record]").AttrOr("data-order", ""))

	p.page(p.post("/orders/"+one.ID+"/confirm", url.Values{"view": {"record"}}, htmx, "true"), http.StatusOK)
	_, err := p.site.Orders.Submit(t.Context(), p.scope, []string{one.ID}, p.userID)
	require.NoError(t, err)
	stale := p.page(p.post("/orders/"+one.ID+"/undo", nil, htmx, "true"), http.StatusConflict)
	require.Contains(t, stale.Text(), "已经提交，不能撤销")
	require.Equal(t, orders.StatusQueued, p.stored(one.ID).Status)
}

func TestTheRostersValueStandsBesideTheOneThatWasRead(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "罗静雯", true)
	fields := ocr.Fields{}
	for name, f := range o.Fields {
		fields[name] = f
	}
	fields[ocr.Name] = ocr.Field{Value: "罗静雯", Confidence: .99, Flags: ocr.Flags{ocr.RosterDiffers}, Candidates: []string{"罗静文"}}
	_, err := p.site.DB.NewUpdate().Model((*orders.Order)(nil)).Set("fields = ?", fields).Where("id = ?", o.ID).Exec(t.Context())
	require.NoError(t, err)
	for lang, says := range map[string]string{"zh-CN": "名单里不一样，请对照图片", "en": "The roster"} {
		page := p.page(p.get("/batches/"+o.BatchID+"/review?order="+o.ID, "Accept-Language", lang), http.StatusOK)
		name := page.Find("[data-field-block=name]")
		require.Contains(t, name.Text(), says)
		require.Equal(t, "雯", name.Find("mark").First().Text())
		require.Equal(t, "文", name.Find("mark").Last().Text())
		require.Equal(t, "罗静文", name.Find("[data-candidate]").AttrOr("data-candidate", ""))
		require.Equal(t, "2", name.Find("input").AttrOr("data-caret", ""))
	}
}
