package server_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/stretchr/testify/require"

	"huizhi/internal/config"
	"huizhi/internal/orders"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
)

// brisk lets lost answers be looked for at once.
func brisk(c *config.Config) {
	c.ReconcileQuiet, c.ReconcileEvery = 20*time.Millisecond, 20*time.Millisecond
}

// patient lets them rest for longer than a test takes.
func patient(c *config.Config) { c.ReconcileQuiet = time.Hour }

// work starts the background work of the site.
func (s *testSite) work() {
	s.t.Helper()
	require.NoError(s.t, s.Jobs.Start(context.Background()))
	s.t.Cleanup(func() { _ = s.Jobs.Stop(context.Background()) })
}

// submit confirms an order and hands it to the engine.
func (p *person) submit(o *orders.Order) {
	t := p.site.t
	t.Helper()
	_, err := p.site.Orders.Confirm(context.Background(), p.scope, o.ID, orders.Edit{}, true, p.userID)
	require.NoError(t, err)
	n, err := p.site.Orders.Submit(context.Background(), p.scope, []string{o.ID}, p.userID)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

// await waits until the engine has brought the order to a status.
func (p *person) await(o *orders.Order, st orders.Status) {
	t := p.site.t
	t.Helper()
	require.Eventually(t, func() bool {
		now, err := p.site.Orders.Get(context.Background(), p.scope, o.ID)
		return err == nil && now.Status == st
	}, 20*time.Second, 10*time.Millisecond, "the order never became %s", st)
}

// received waits until the files of the order are with us.
func (p *person) received(o *orders.Order) {
	t := p.site.t
	t.Helper()
	p.await(o, orders.StatusCompleted)
	require.Eventually(t, func() bool {
		all, err := p.site.Orders.Receipts(context.Background(), p.scope, []string{o.ID})
		return err == nil && all[o.ID] != nil && all[o.ID].State == orders.ReceiptStored
	}, 20*time.Second, 10*time.Millisecond, "the receipt never came")
}

func texts(s *goquery.Selection) []string {
	return s.Map(func(_ int, s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") })
}

func titles(doc *goquery.Document) []string { return texts(doc.Find("#order .tl > li > div > span")) }

func TestAnOrderPageTellsEverythingThatHappened(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	site.work()
	p := site.signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	doc := p.page(p.get("/orders/"+o.ID), http.StatusOK)
	require.Equal(t, "欧阳翀", strings.TrimSpace(doc.Find("h1 > span").First().Text()))
	require.Equal(t, "待核对", strings.TrimSpace(doc.Find("h1 .state").Text()))
	review, _ := doc.Find("a.btn-primary").Attr("href")
	require.Equal(t, "/batches/"+o.BatchID+"/review?order="+o.ID, review)
	require.NotContains(t, doc.Text(), "19900101", "the number is masked on the server")

	p.submit(o)
	p.received(o)
	doc = p.page(p.get("/orders/"+o.ID), http.StatusOK)
	require.Equal(t, "已出回执", strings.TrimSpace(doc.Find("h1 .state").Text()))
	said := titles(doc)
	for _, want := range []string{"回执已保存", "已出回执", "扣点", "上游已受理", "发往上游", "提交", "核对完成", "配上证件", "建立订单"} {
		require.Contains(t, said, want)
	}
	require.Contains(t, doc.Find("#order").Text(), "李敏点了“提交”。")
	require.Contains(t, doc.Find(".panel:not(#validity) > .panel-head").First().Text(), "扣 500 点")
	facts := doc.Find("#order dl").First().Text()
	require.Contains(t, facts, "500 点（¥5.00）")
	require.Contains(t, facts, "李敏")
	require.Contains(t, doc.Find("details").Text(), "我们的参考号")
	data, _ := doc.Find("object").Attr("data")
	require.True(t, strings.HasPrefix(data, "/orders/"+o.ID+"/receipt#"), data)
	polls, _ := doc.Find("#order").Attr("hx-trigger")
	require.Empty(t, polls, "a finished order has no news")

	for view, want := range map[string]string{"standard": "/orders/" + o.ID + "/standard-photo", "original": "/pictures/" + o.PhotoID + "/preview.jpg"} {
		part := p.page(p.get("/orders/"+o.ID+"?part=documents&view="+view, "HX-Request", "true"), http.StatusOK)
		src, _ := part.Find("#documents img").Attr("src")
		require.Equal(t, want, src)
	}
	english := p.page(p.get("/orders/"+o.ID, "Accept-Language", "en"), http.StatusOK)
	require.Contains(t, titles(english), "Receipt issued")
}

// An open page asks for news: nothing while nothing happens, the new body once
// something has, and the last answer ends it.
func TestAnOpenOrderPageFollowsTheOrder(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	p.submit(o)
	doc := p.page(p.get("/orders/"+o.ID), http.StatusOK)
	every, _ := doc.Find("#order").Attr("hx-trigger")
	require.Equal(t, "every 5s", every)
	news, _ := doc.Find("#order").Attr("hx-get")
	require.Equal(t, http.StatusNoContent, p.get(news, "HX-Request", "true").StatusCode)

	site.work()
	p.received(o)
	const stopAsking = 286
	body := p.page(p.get(news, "HX-Request", "true"), stopAsking)
	require.Equal(t, "已出回执", strings.TrimSpace(body.Find("h1 .state").Text()))
	require.Empty(t, body.Find("nav").Not("#documents nav").Length(), "the body has no frame")
}

func TestTheWholeNumberIsShownOnRequestAndThatIsOnRecord(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	number := "110101" + "19900101" + "1237"
	shown := func(doc *goquery.Document) string { return doc.Find(".idno").First().Text() }
	require.Equal(t, "110101********1237", shown(p.page(p.get("/orders/"+o.ID), http.StatusOK)))
	part := p.page(p.post("/orders/"+o.ID+"/reveal", nil, "HX-Request", "true"), http.StatusOK)
	require.Equal(t, number, shown(part))
	again, _ := part.Find("[hx-trigger]").Attr("hx-trigger")
	require.Equal(t, "load delay:5m", again, "it hides again")
	require.Equal(t, "110101********1237", shown(p.page(p.get("/orders/"+o.ID+"?part=id", "HX-Request", "true"), http.StatusOK)))
	require.Equal(t, number, shown(p.page(p.post("/orders/"+o.ID+"/reveal", nil), http.StatusOK)), "without a script the page itself shows it")
	require.Equal(t, 2, site.audited(p, "order.reveal", o.ID))
}

// audited counts the entries of the audit trail about an object.
func (s *testSite) audited(p *person, action, object string) int {
	s.t.Helper()
	n, err := s.DB.NewSelect().Model((*tenants.AuditEntry)(nil)).ApplyQueryBuilder(p.scope.Where).
		Where("actor = ? AND action = ? AND object_id = ?", p.userID, action, object).Count(context.Background())
	require.NoError(s.t, err)
	return int(n)
}

func TestAFailedOrderIsCorrectedAndSentAgain(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	site.Simulator.SetFaults(simulator.Faults{List: []simulator.Fault{{Op: simulator.OpWork, Kind: simulator.Fail, Calls: []int{1}, Message: "照片背景不合格"}}})
	site.work()
	p := site.signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	p.submit(o)
	p.await(o, orders.StatusFailed)
	doc := p.page(p.get("/orders/"+o.ID), http.StatusOK)
	require.Contains(t, doc.Find(".note").Text(), "照片背景不合格", "the provider's sentence as it came")
	require.Contains(t, doc.Find(".note").Text(), "没有扣点")
	res := p.post("/orders/"+o.ID+"/correct", nil)
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	require.Equal(t, "/batches/"+o.BatchID+"/review?order="+o.ID, res.Header.Get("Location"))
	require.Equal(t, http.StatusOK, p.get(res.Header.Get("Location")).StatusCode)
	p.submit(o)
	p.received(o)
	doc = p.page(p.get("/orders/"+o.ID), http.StatusOK)
	require.Equal(t, []string{"第 2 次提交", "第 1 次提交", "订单记录"}, texts(doc.Find(".panel-head h3")))
	require.Contains(t, doc.Find("h2 + span").Text(), "2 次提交，1 次扣点")
}

func TestALostAnswerIsInTheLaneUntilItIsFound(t *testing.T) {
	t.Parallel()
	site := newTestSite(t, patient)
	site.Simulator.SetFaults(simulator.Faults{List: []simulator.Fault{
		{Op: simulator.OpSubmit, Kind: simulator.Reset, After: true, Calls: []int{1}},
		{Op: simulator.OpCallback, Kind: simulator.Lost, Rate: 1}, // a callback would have it looked for at once
	}})
	site.work()
	p := site.signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	p.submit(o)
	p.await(o, orders.StatusUnknown)
	for _, path := range []string{"/orders?lane=unknown", "/orders?status=unknown"} {
		doc := p.page(p.get(path), http.StatusOK)
		row := doc.Find("#lanes li").First().Text()
		require.Contains(t, row, "欧阳翀")
		require.Contains(t, row, "没有明确答复")
		require.Contains(t, row, "参考号")
		require.NotEmpty(t, doc.Find("#lanes li time").Text(), "when we look again")
		require.Contains(t, doc.Text(), "不会重复扣费")
		// The provider may still be fetching the photo; then nothing changes any more.
		require.Eventually(t, func() bool {
			news, _ := p.page(p.get(path), http.StatusOK).Find("#lanes").Attr("hx-get")
			return p.get(news, "HX-Request", "true").StatusCode == http.StatusNoContent
		}, 20*time.Second, 50*time.Millisecond, "no news is no content")
	}
	note := p.page(p.get("/orders/"+o.ID), http.StatusOK).Find(".note").Text()
	require.Contains(t, note, "结果未知，正在核对，不会重复扣费")
}

func TestAPersonDecidesWhatSearchesCouldNotSettle(t *testing.T) {
	t.Parallel()
	site := newTestSite(t, brisk)
	site.Simulator.SetFaults(simulator.Faults{List: []simulator.Fault{{Op: simulator.OpSubmit, Kind: simulator.Reset, Rate: 1}}})
	site.Orders.WithoutEcho = true
	site.work()
	p := site.signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	p.submit(o)
	p.await(o, orders.StatusNeedsDecision)
	doc := p.page(p.get("/orders?lane=decision"), http.StatusOK)
	require.Equal(t, []string{"需要决定", "结果未知"}, texts(doc.Find("#lanes section > div .state")))
	dialog := doc.Find("dialog form[action='/orders/" + o.ID + "/decide']")
	name, _ := dialog.Attr("data-confirm-name")
	require.Equal(t, "欧阳翀", name)
	for _, page := range []*goquery.Document{doc, p.page(p.get("/orders/"+o.ID), http.StatusOK)} {
		text := page.Find("main").Text()
		require.Contains(t, text, "没有我们的参考号，认不出这一笔")
		for _, never := range []string{"凭它能在上游查到", "所以先查再说", "参考号 ", "遍没有找到", "继续核对"} {
			require.NotContains(t, text, never, "it was sent without a reference: there is nothing to search for")
		}
	}

	require.Equal(t, http.StatusUnprocessableEntity, p.post("/orders/"+o.ID+"/decide", url.Values{"decision": {"perhaps"}}).StatusCode)
	require.Equal(t, http.StatusSeeOther, p.post("/orders/"+o.ID+"/decide", url.Values{"decision": {"wait"}}).StatusCode)
	p.await(o, orders.StatusNeedsDecision) // looked again, and asks again
	require.Equal(t, http.StatusUnprocessableEntity, p.post("/orders/"+o.ID+"/decide", url.Values{"decision": {"resend"}, "confirm": {"欧阳"}}).StatusCode, "it may cost twice: the name has to be typed")
	require.Equal(t, http.StatusSeeOther, p.post("/orders/"+o.ID+"/decide", url.Values{"decision": {"resend"}, "confirm": {"欧阳翀"}}).StatusCode)
	p.await(o, orders.StatusReady)
	doc = p.page(p.get("/orders/"+o.ID), http.StatusOK)
	require.Contains(t, doc.Find("#order").Text(), "李敏确认上游没有这一笔。")
	require.Contains(t, doc.Find(".panel-head").First().Text(), "没有送到")
	evidence := doc.Find("#order details.fold ol").Text()
	for _, want := range []string{"记下要提交", "提交申请", "没有明确答复"} {
		require.Contains(t, evidence, want)
	}
	require.NotContains(t, evidence, "核对申请列表")
	require.NotContains(t, doc.Find("#order").Text(), "110101199001011237")
	require.Equal(t, http.StatusConflict, p.post("/orders/"+o.ID+"/decide", url.Values{"decision": {"resend"}, "confirm": {"欧阳翀"}}).StatusCode)
}

func TestAnOrderIsCancelledBeforeItIsSent(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	require.Equal(t, 1, p.page(p.get("/orders/"+o.ID), http.StatusOK).Find("dialog#cancel").Length())
	require.Equal(t, http.StatusSeeOther, p.post("/orders/"+o.ID+"/cancel", nil).StatusCode)
	doc := p.page(p.get("/orders/"+o.ID), http.StatusOK)
	require.Equal(t, "已取消", strings.TrimSpace(doc.Find("h1 .state").Text()))
	require.Zero(t, doc.Find("dialog#cancel").Length())
	require.Contains(t, doc.Text(), "李敏取消了订单，没有扣点。")
	require.Equal(t, http.StatusConflict, p.post("/orders/"+o.ID+"/cancel", nil).StatusCode)
}

func TestThePanelStandsBesideTheList(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	panel := "/orders/" + o.ID + "/panel"
	link := p.page(p.get("/orders"), http.StatusOK).Find("tr[data-href] a.row-link")
	href, _ := link.Attr("href")
	require.Equal(t, panel, href)

	// The link is boosted, so that Ctrl still opens a tab.
	doc := p.page(p.get(panel, "HX-Request", "true", "HX-Boosted", "true", "HX-Current-URL", site.URL+"/orders?status=todo"), http.StatusOK)
	require.Equal(t, 1, doc.Find("aside#side[data-side-panel]").Length())
	require.Zero(t, doc.Find("nav").Length(), "no frame")
	back, _ := doc.Find("[data-close-panel]").Attr("href")
	require.Equal(t, "/orders?status=todo", back)
	foreign := p.page(p.get(panel, "HX-Request", "true", "HX-Current-URL", "https://evil.example/x"), http.StatusOK)
	back, _ = foreign.Find("[data-close-panel]").Attr("href")
	require.Equal(t, "/orders", back)

	res := p.get(panel)
	require.Equal(t, http.StatusSeeOther, res.StatusCode, "in a tab of its own it is the page")
	require.Equal(t, "/orders/"+o.ID, res.Header.Get("Location"))
}

func TestTheListIsFilteredByItsAddress(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	empty := p.page(p.get("/orders"), http.StatusOK)
	require.Contains(t, empty.Find("#orders").Text(), "还没有订单")

	one, two := p.batch("三(1)班"), p.batch("三(2)班")
	first := p.order(one, "陈雨桐", true)
	p.order(one, "梁志豪", false)
	p.order(two, "欧阳翀", true)
	_, err := site.Orders.Confirm(context.Background(), p.scope, first.ID, orders.Edit{}, true, p.userID)
	require.NoError(t, err)
	names := func(path string) []string {
		return texts(p.page(p.get(path), http.StatusOK).Find("#orders a.row-link"))
	}
	require.Len(t, names("/orders"), 3)
	require.Equal(t, []string{"陈雨桐"}, names("/orders?status=prepared"))
	require.Equal(t, []string{"陈雨桐"}, names("/orders?status=ready"))
	require.Len(t, names("/orders?status=todo"), 2)
	require.Len(t, names("/orders?batch="+one.ID), 2)
	require.Len(t, names("/orders?exceptions=1"), 1)
	require.Len(t, names("/orders?type=4"), 3)
	require.Empty(t, names("/orders?type=1"))
	require.Len(t, names("/orders?status=nonsense"), 3)

	doc := p.page(p.get("/orders?status=done&type=4"), http.StatusOK)
	require.Contains(t, doc.Find("#orders").Text(), "没有符合条件的订单")
	on := texts(doc.Find(".chip[aria-current]"))
	require.Equal(t, []string{"已出回执"}, on)
	other, _ := doc.Find(".chip:contains('待核对')").Attr("href")
	require.Equal(t, "/orders?status=todo&type=4", other, "a filter keeps the others")
	require.Equal(t, http.StatusNotFound, site.signUp("别家").get("/orders?batch="+one.ID).StatusCode)
}

func TestTheListIsPagedByKey(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	b := p.batch("一年级")
	for range 53 {
		p.order(b, "学生", false)
	}
	doc := p.page(p.get("/orders?batch="+b.ID), http.StatusOK)
	require.Equal(t, 50, doc.Find("#orders tbody tr").Length())
	next, _ := doc.Find("nav a:contains('下一页')").Attr("href")
	require.Contains(t, next, "batch="+b.ID)
	doc = p.page(p.get(next), http.StatusOK)
	require.Equal(t, 3, doc.Find("#orders tbody tr").Length())
	first, _ := doc.Find("nav a:contains('上一页')").Attr("href")
	require.Equal(t, "/orders?batch="+b.ID, first)
}

// People search for names and ID numbers; those are in no address.
func TestSearchingPosts(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	b := p.batch("三(2)班")
	p.order(b, "陈雨桐", true)
	o := p.order(b, "欧阳翀", false)
	found := func(q string) []string {
		return texts(p.page(p.post("/orders/search", url.Values{"q": {q}}, "HX-Request", "true"), http.StatusOK).Find("a.row-link"))
	}
	require.Equal(t, []string{"陈雨桐"}, found("陈"))
	require.Equal(t, []string{"陈雨桐"}, found("11010119900101"))
	require.Len(t, found(strings.ToLower(o.Number)), 1)
	require.Empty(t, found("王"))
	require.Len(t, found(""), 2, "an emptied search is the list")
	doc := p.page(p.post("/orders/search", url.Values{"q": {"王"}}), http.StatusOK)
	require.Contains(t, doc.Find("#orders").Text(), "没有找到")
	value, _ := doc.Find("#orders-q").Attr("value")
	require.Equal(t, "王", value)
	method, _ := doc.Find("aside form[role=search]").Attr("method")
	require.Equal(t, "post", method)
	require.Empty(t, texts(site.signUp("别家").page(site.signUp("另一家").post("/orders/search", url.Values{"q": {"陈"}}), http.StatusOK).Find("a.row-link")))
}
