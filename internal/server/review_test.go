package server_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

// stored loads an order as it is now.
func (p *person) stored(id string) *orders.Order {
	p.site.t.Helper()
	o, err := p.site.Orders.Get(context.Background(), p.scope, id)
	require.NoError(p.site.t, err)
	return o
}

func version(o *orders.Order) []string { return []string{strconv.FormatInt(o.Version, 10)} }

func TestTheGridPutsEachFieldBesideItsPicture(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	clean := p.order(b, "李雷", true)
	doubtful := p.order(b, "欧阳翀", true)

	page := p.page(p.get("/batches/"+b.ID+"/review/grid"), http.StatusOK)
	rows := page.Find("form[data-row]")
	require.Equal(t, 2, rows.Length())
	require.Equal(t, "row-"+doubtful.ID, rows.First().AttrOr("id", ""), "what is doubtful comes first")
	row := page.Find("#row-" + clean.ID)
	require.Equal(t, "李雷", row.Find(`input[name="name"]`).AttrOr("value", ""))
	require.Equal(t, clean.IDNumber, row.Find(`input[name="id_number"]`).AttrOr("value", ""))
	require.Equal(t, 2, row.Find("img.crop").Length())
	require.Contains(t, page.Find("#totals").Text(), "还有 2 个待核对")
}

func TestAChangedFieldIsCheckedAtOnce(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)

	res := p.post("/orders/"+o.ID+"/fields", url.Values{"view": {"row"}, "version": version(o), "name": {"欧阳翀"}, "id_number": {"110101199001011231"}}, htmx, "true")
	row := p.page(res, http.StatusOK)
	require.Equal(t, 0, row.Find("nav").Length(), "the row alone")
	require.Contains(t, row.Find("#row-"+o.ID).Text(), "校验位不符")
	require.NotEmpty(t, row.Find("[data-candidate]").Nodes, "a repair is offered")
	require.Equal(t, "110101199001011231", p.stored(o.ID).IDNumber)
	require.NotEqual(t, version(o)[0], row.Find(`input[name="version"]`).AttrOr("value", ""), "the row carries the new version")

	res = p.post("/orders/"+o.ID+"/fields", url.Values{"view": {"record"}, "name": {"欧阳翔"}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode, "a plain form leads back")
	require.Equal(t, "/batches/"+o.BatchID+"/review?order="+o.ID, res.Header.Get("Location"))
}

func TestAValueThatIsNotTakenSaysWhy(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	long := string(make([]byte, 501))
	for _, view := range []string{"row", "record"} {
		form := url.Values{"view": {view}, "version": version(o), "name": {long}}
		part := p.page(p.post("/orders/"+o.ID+"/fields", form, htmx, "true"), http.StatusUnprocessableEntity)
		require.Equal(t, 1, part.Find(".field-error").Length(), view)
		whole := p.page(p.post("/orders/"+o.ID+"/fields", form), http.StatusUnprocessableEntity)
		require.Equal(t, 1, whole.Find("main .field-error").Length(), view)
	}
	require.Equal(t, "欧阳翀", p.stored(o.ID).Name)
}

func TestSomebodyElseWasFaster(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	_, err := p.site.Orders.EditOrder(context.Background(), p.scope, o.ID, orders.Edit{Fields: map[ocr.FieldName]string{ocr.Name: "欧阳翔"}}, p.userID)
	require.NoError(t, err)

	for _, path := range []string{"fields", "confirm"} {
		for _, view := range []string{"row", "record"} {
			res := p.post("/orders/"+o.ID+"/"+path, url.Values{"view": {view}, "version": version(o), "name": {"欧阳宇"}}, htmx, "true")
			part := p.page(res, http.StatusConflict)
			require.Contains(t, part.Text(), "刚刚有人改过", path+view)
			require.Equal(t, "欧阳翔", part.Find(`input[name="name"]`).AttrOr("value", ""), "the new values are shown")
		}
	}
	require.Equal(t, orders.StatusReview, p.stored(o.ID).Status)
}

func TestEnterConfirmsARow(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	o := p.order(b, "欧阳翀", true)
	p.order(b, "陈雨桐", true)

	res := p.post("/orders/"+o.ID+"/confirm", url.Values{"view": {"row"}, "version": version(o), "name": {"欧阳翔"}}, htmx, "true")
	row := p.page(res, http.StatusOK)
	require.Equal(t, 1, row.Find("#row-"+o.ID+"[data-done]").Length())
	require.Contains(t, row.Find("#totals").Text(), "还有 1 个待核对")
	require.Contains(t, row.Find("#totals").Text(), "500 点（¥5.00）", "the cost follows the work")
	require.Equal(t, orders.StatusReady, p.stored(o.ID).Status)
	require.Equal(t, "欧阳翔", p.stored(o.ID).Name, "the last edit goes with it")
}

func TestAContradictionNeedsAWordToBeConfirmed(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	form := url.Values{"view": {"record"}, "version": version(o), "id_number": {"110101199001011238"}}

	refused := p.page(p.post("/orders/"+o.ID+"/confirm", form, htmx, "true"), http.StatusUnprocessableEntity)
	require.Contains(t, refused.Find("[data-refusal]").Text(), "校验位不符")
	require.Equal(t, 1, refused.Find(`button[name="force"]`).Length())
	require.Equal(t, "110101199001011238", refused.Find(`input[name="id_number"]`).AttrOr("value", ""), "what was typed is still there")
	require.Equal(t, orders.StatusReview, p.stored(o.ID).Status)

	form.Set("force", "1")
	res := p.post("/orders/"+o.ID+"/confirm", form, htmx, "true")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "/batches/"+o.BatchID+"/review/done", res.Header.Get("HX-Redirect"), "nothing is left to review")
	require.Equal(t, orders.StatusReady, p.stored(o.ID).Status)
}

func TestConfirmingARecordBringsTheNext(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	one, two, three := p.order(b, "欧阳翀", true), p.order(b, "陈雨桐", true), p.order(b, "何嘉怡", true)

	page := p.page(p.get("/batches/"+b.ID+"/review"), http.StatusOK)
	require.Equal(t, one.ID, page.Find("form[data-record]").AttrOr("data-order", ""))
	require.Contains(t, page.Find("header").Text(), "1 / 3")
	require.Equal(t, one.IDNumber, page.Find(`input[name="id_number"]`).AttrOr("value", ""), "the whole number is what review is for")
	next := page.Find(`input[name="next"]`).AttrOr("value", "")
	require.Equal(t, two.ID, next)

	res := p.post("/orders/"+one.ID+"/confirm", url.Values{"view": {"record"}, "version": version(one), "next": {three.ID}}, htmx, "true")
	require.Equal(t, "/batches/"+b.ID+"/review?order="+three.ID, res.Header.Get("HX-Push-Url"), "the one that the page named")
	part := p.page(res, http.StatusOK)
	require.Equal(t, three.ID, part.Find("form[data-record]").AttrOr("data-order", ""))
	require.Contains(t, part.Find("header").Text(), "3 / 3")

	res = p.post("/orders/"+three.ID+"/confirm", url.Values{"view": {"record"}, "next": {""}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	require.Equal(t, "/batches/"+b.ID+"/review?order="+two.ID, res.Header.Get("Location"), "what was skipped comes at the end")
}

func TestACardIsTakenAwayAndGivenBackInReview(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	part := p.page(p.post("/orders/"+o.ID+"/unpair", nil, htmx, "true"), http.StatusOK)
	require.Equal(t, 1, part.Find(`select[name="card"] option`).Length(), "the free card is offered")
	require.Nil(t, p.stored(o.ID).FrontID)
	part = p.page(p.post("/orders/"+o.ID+"/pair", url.Values{"card": {*o.FrontID}}, htmx, "true"), http.StatusOK)
	require.Equal(t, "欧阳翀", part.Find(`input[name="name"]`).AttrOr("value", ""))
	require.Equal(t, orders.PairedByHand, p.stored(o.ID).PairedBy)
}

func TestLookingAtNumbersIsLogged(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	audited := func(action string) int64 {
		n, err := p.site.DB.NewSelect().Model((*tenants.AuditEntry)(nil)).Where("action = ?", action).Count(context.Background())
		require.NoError(t, err)
		return n
	}
	p.page(p.get("/batches/"+o.BatchID+"/review?order="+o.ID), http.StatusOK)
	require.EqualValues(t, 1, audited("order.reveal"))
	p.page(p.get("/batches/"+o.BatchID+"/review/grid"), http.StatusOK)
	require.EqualValues(t, 1, audited("batch.reveal"))
}

func TestARecordOfAnotherBatchIsNotFound(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	other := p.batch("三(3)班")
	require.Equal(t, http.StatusNotFound, p.get("/batches/"+other.ID+"/review?order="+o.ID).StatusCode)
	res := p.get("/batches/" + other.ID + "/review")
	require.Equal(t, http.StatusSeeOther, res.StatusCode, "nothing to review here")
	empty := p.page(p.get(res.Header.Get("Location")), http.StatusOK)
	require.Contains(t, empty.Find("main").Text(), "没有待核对的了")
}
