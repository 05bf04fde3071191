package server_test

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

const htmx = "HX-Request"

func TestANewTenantIsTaughtHowToBegin(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")

	home := p.page(p.get("/"), http.StatusOK)
	require.Equal(t, 3, home.Find("main ol > li").Length(), "three steps")
	require.Equal(t, 1, home.Find(`main a.btn-primary[href="/batches/new"]`).Length(), "one main action")

	list := p.page(p.get("/batches"), http.StatusOK)
	require.Contains(t, list.Find("main").Text(), "还没有批次")
}

func TestHomeShowsWhatNeedsAPerson(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	o := p.order(b, "欧阳翀", true)

	home := p.page(p.get("/"), http.StatusOK)
	require.Contains(t, home.Find("main").Text(), "欧阳翀")
	require.NotContains(t, home.Text(), o.IDNumber)
	require.Equal(t, 1, home.Find(`a[href="/batches/`+b.ID+`/review?order=`+o.ID+`"]`).Length(), "an order leads to its review")
	require.Contains(t, home.Find("main").Text(), "三(2)班", "the newest batches")
}

func TestFinanceStartsAtTheBills(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆").member(tenants.RoleFinance)
	res := p.get("/")
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	require.Equal(t, "/billing", res.Header.Get("Location"))
	require.Equal(t, http.StatusForbidden, p.get("/batches").StatusCode)
}

func TestABatchIsMadeForATypeAndACityItOffers(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")

	form := p.page(p.get("/batches/new"), http.StatusOK)
	require.Greater(t, form.Find(`input[name="type"]`).Length(), 10)
	require.Greater(t, form.Find(`select[name="city"] optgroup`).Length(), 0, "cities stand under their province")

	res := p.post("/batches", url.Values{"type": {"4"}, "city": {"火星省,火星市"}, "name": {"三(2)班"}})
	refused := p.page(res, http.StatusUnprocessableEntity)
	require.Equal(t, 1, refused.Find(`select[name="city"][aria-invalid]`).Length())
	require.Equal(t, "三(2)班", refused.Find(`input[name="name"]`).AttrOr("value", ""), "what was typed is kept")
	require.Equal(t, 1, refused.Find(`input[name="type"][value="4"][checked]`).Length())

	res = p.post("/batches", url.Values{"type": {"4"}, "city": {"广东省,深圳市"}, "name": {"三(2)班"}, "simulate": {"1"}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	page := p.page(p.get(res.Header.Get("Location")), http.StatusOK)
	require.Contains(t, page.Find("h1").Text(), "三(2)班")
	require.Contains(t, page.Find("h1").Text(), "演练")

	again := p.page(p.get("/batches/new"), http.StatusOK)
	require.Equal(t, "广东省,深圳市", again.Find(`select[name="city"] option[selected]`).AttrOr("value", ""), "the next one begins like the last")
}

func TestCitiesFollowTheType(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	part := p.page(p.get("/batches/cities?type=4&city="+url.QueryEscape("广东省,深圳市"), htmx, "true"), http.StatusOK)
	require.Equal(t, 0, part.Find("nav").Length(), "only the field")
	require.Equal(t, "广东省,深圳市", part.Find("option[selected]").AttrOr("value", ""))
	require.Equal(t, http.StatusUnprocessableEntity, p.get("/batches/cities?type=999").StatusCode)
}

func TestBatchesArePagedByKey(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	for i := range 51 {
		p.batch("批次 " + strconv.Itoa(i))
	}
	first := p.page(p.get("/batches"), http.StatusOK)
	require.Equal(t, 50, first.Find("tbody tr").Length())
	require.NotContains(t, first.Find("tbody").Text(), "批次 0")
	next, ok := first.Find(`main nav a[href*="before="]`).Attr("href")
	require.True(t, ok)
	second := p.page(p.get(next), http.StatusOK)
	require.Equal(t, 1, second.Find("tbody tr").Length())
	require.Contains(t, second.Find("tbody").Text(), "批次 0")
}

func TestThePageOfABatchAndItsTableAreOnePartial(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	o := p.order(b, "欧阳翀", true)
	p.order(b, "陈雨桐", false)

	page := p.page(p.get("/batches/"+b.ID), http.StatusOK)
	require.Equal(t, 2, page.Find("#orders tbody tr").Length())
	require.Equal(t, 5, page.Find(".stp a").Length(), "steps are links")
	require.NotContains(t, page.Text(), o.IDNumber)
	require.Contains(t, page.Find("#orders").Text(), "********", "numbers are masked")
	require.Equal(t, 1, page.Find("main .btn-primary:not(.md\\:hidden)").Length(), "one main action")

	part := p.page(p.get("/batches/"+b.ID, htmx, "true"), http.StatusOK)
	require.Equal(t, 0, part.Find("nav.stp").Length())
	whole, err := page.Find("#orders").Html()
	require.NoError(t, err)
	alone, err := part.Find("#orders").Html()
	require.NoError(t, err)
	require.Equal(t, whole, alone)
}

func TestOrdersAreFilteredByAddress(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	ready := p.order(b, "欧阳翀", true)
	p.order(b, "陈雨桐", false)
	_, err := p.site.Orders.Confirm(context.Background(), p.scope, ready.ID, orders.Edit{}, false, p.userID)
	require.NoError(t, err)

	page := p.page(p.get("/batches/"+b.ID+"?show=ready"), http.StatusOK)
	require.Equal(t, 1, page.Find("#orders tbody tr").Length())
	require.Contains(t, page.Find("#orders tbody").Text(), "欧阳翀")
	require.Contains(t, page.Find(`#orders [aria-current="true"]`).Text(), "已就绪")
	none := p.page(p.get("/batches/"+b.ID+"?show=failed"), http.StatusOK)
	require.Equal(t, 0, none.Find("#orders tbody tr").Length())
}

func TestTheNumberInAListIsMaskedInItsPictureToo(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	p.order(b, "欧阳翀", true)
	page := p.page(p.get("/batches/"+b.ID), http.StatusOK)
	src, ok := page.Find("#orders img.crop").Attr("src")
	require.True(t, ok)
	require.True(t, strings.HasSuffix(src, "/id_number_masked.jpg"), src)
	res := p.get(src)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "image/jpeg", res.Header.Get("Content-Type"))
}

func TestSubmittingAsksFirstAndChargesNoMoreThanWasShown(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	p.order(b, "李雷", true)
	p.order(b, "陈雨桐", true)
	res := p.post("/batches/"+b.ID+"/confirm-clean", nil)
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	told := p.page(p.get(res.Header.Get("Location")), http.StatusOK)
	require.Contains(t, told.Find("#toasts").Text(), "已确认 2 个")
	require.NotContains(t, p.page(p.get(res.Header.Get("Location")), http.StatusOK).Find("#toasts").Text(), "已确认", "told once")

	ask := p.page(p.get("/batches/"+b.ID+"/submit", htmx, "true"), http.StatusOK)
	require.Equal(t, 1, ask.Find("dialog[data-open]").Length())
	require.Contains(t, ask.Text(), "1,000 点")
	require.Contains(t, ask.Text(), "¥10.00")
	without := p.page(p.get("/batches/"+b.ID+"/submit"), http.StatusOK)
	require.Equal(t, 1, without.Find(`form[action="/batches/`+b.ID+`/submit"]`).Length(), "a page without script asks the same")

	changed := p.page(p.post("/batches/"+b.ID+"/submit", url.Values{"count": {"1"}}), http.StatusConflict)
	require.Contains(t, changed.Text(), "可提交的数量变了")
	counts, err := p.site.Orders.Counts(context.Background(), p.scope, b.ID)
	require.NoError(t, err)
	require.EqualValues(t, 2, counts[orders.StatusReady], "nothing was submitted")

	res = p.post("/batches/"+b.ID+"/submit", url.Values{"count": {"2"}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	counts, err = p.site.Orders.Counts(context.Background(), p.scope, b.ID)
	require.NoError(t, err)
	require.EqualValues(t, 2, counts[orders.StatusQueued])
}

func TestChosenOrdersAreDoneEachOnItsOwn(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	one, two := p.order(b, "欧阳翀", true), p.order(b, "陈雨桐", true)
	res := p.post("/batches/"+b.ID+"/orders", url.Values{"do": {"cancel"}, "id": {one.ID, "no-such-order", two.ID}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	counts, err := p.site.Orders.Counts(context.Background(), p.scope, b.ID)
	require.NoError(t, err)
	require.EqualValues(t, 2, counts[orders.StatusCancelled])
	require.Equal(t, http.StatusUnprocessableEntity, p.post("/batches/"+b.ID+"/orders", url.Values{"do": {"explode"}, "id": {one.ID}}).StatusCode)
}

func TestACardThatBelongsToNobodyIsGivenToAnOrder(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	with, without := p.order(b, "欧阳翀", true), p.order(b, "陈雨桐", false)
	res := p.post("/orders/"+with.ID+"/unpair", nil)
	require.Equal(t, http.StatusSeeOther, res.StatusCode)

	page := p.page(p.get("/batches/"+b.ID), http.StatusOK)
	tray := page.Find(`#tray form[action$="/pair"]`)
	require.Equal(t, 1, tray.Length())
	require.Contains(t, page.Find("#tray").Text(), "欧阳翀", "what was read says whose it may be")
	res = p.post(tray.AttrOr("action", ""), url.Values{"card": {*with.FrontID}, "order": {without.ID}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	o, err := p.site.Orders.Get(context.Background(), p.scope, without.ID)
	require.NoError(t, err)
	require.Equal(t, *with.FrontID, *o.FrontID)
	require.Equal(t, 0, p.page(p.get("/batches/"+b.ID), http.StatusOK).Find("#tray").Length())
}

func TestAnOpenPageHearsOfChanges(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	o := p.order(b, "欧阳翀", true)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", p.site.URL+"/batches/"+b.ID+"/events", nil)
	require.NoError(t, err)
	res, err := p.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))

	events := make(chan string, 100)
	go func() {
		defer close(events)
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			events <- lines.Text()
		}
	}()
	await := func(what string) {
		t.Helper()
		for line := range events {
			if strings.Contains(line, what) {
				return
			}
		}
		t.Fatalf("the stream ended without %q", what)
	}
	await("核对 1 个")
	_, err = p.site.Orders.Confirm(context.Background(), p.scope, o.ID, orders.Edit{}, false, p.userID)
	require.NoError(t, err)
	await("提交 1 个回执")
	await("event: rows")
}

func TestAnOrderThatIsStillReadIsLeftOut(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	o := p.order(b, "李雷", true)
	_, err := p.site.DB.NewUpdate().Model((*orders.Order)(nil)).Set("status = ?", orders.StatusRecognizing).Where("id = ?", o.ID).Exec(context.Background())
	require.NoError(t, err)
	res := p.post("/batches/"+b.ID+"/orders", url.Values{"do": {"confirm"}, "id": {o.ID}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode, "the others would go on")
	require.Equal(t, http.StatusConflict, p.post("/orders/"+o.ID+"/confirm", nil).StatusCode)
}
