package server_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/db"
	"huizhi/internal/orders"
)

// asksForMore puts a catalogue in which the residence permit asks for a mobile
// number and a district, as the provider might tomorrow.
func (s *testSite) asksForMore() {
	s.t.Helper()
	_, err := s.DB.NewRaw("INSERT INTO catalogue_versions (provider, version, sha256, types, fetched_at, seen_at) VALUES (?, 1, 'more', ?, ?, ?)", s.Orders.Account,
		`[{"ID": 4, "Name": "居住证相片", "RequiredFields": ["city", "customer_phone", "district"], "Guide": {
			"city": {"Label": "办证地区", "Cities": [{"Name": "广东省", "Cities": ["深圳市"]}]},
			"customer_phone": {"Label": "手机号", "Description": "办证人本人的手机号"},
			"district": {"Label": "行政区", "Description": "居住的区", "Values": ["福田区", "南山区"]},
			"remark": {"Label": "备注"}}}]`, db.Now(), db.Now()).Exec(context.Background())
	require.NoError(s.t, err)
}

// A field that the provider asks for is on the form as its catalogue describes
// it, without a line of code about it.
func TestReviewAsksForWhatTheCatalogueAsksFor(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	site.asksForMore()
	p := site.signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "李雷", true)

	record := p.page(p.get("/batches/"+o.BatchID+"/review?order="+o.ID), http.StatusOK)
	require.Contains(t, record.Find("#record").Text(), "办证人本人的手机号")
	phone := record.Find(`input[name="custom.customer_phone"]`)
	require.Equal(t, 1, phone.Length())
	require.Equal(t, "手机号", phone.AttrOr("aria-label", ""))
	require.Equal(t, 1, record.Find(`select[name="custom.district"] option[value="南山区"]`).Length(), "listed values are a choice")
	require.Equal(t, 1, record.Find(`input[name="custom.remark"]`).Length(), "what is optional is on the record")
	grid := p.page(p.get("/batches/"+o.BatchID+"/review/grid"), http.StatusOK)
	require.Equal(t, 1, grid.Find(`form[data-row] input[name="custom.customer_phone"]`).Length())
	require.Zero(t, grid.Find(`[name="custom.remark"]`).Length(), "and not in the grid")

	form := url.Values{"view": {"record"}, "version": version(o), "name": {"李雷"}, "custom.customer_phone": {""}, "custom.district": {"南山区"}, "force": {"1"}}
	refused := p.page(p.post("/orders/"+o.ID+"/confirm", form), http.StatusUnprocessableEntity)
	require.Contains(t, refused.Find(`[data-field-block="custom.customer_phone"] .field-error`).Text(), "手机号")
	require.Equal(t, "南山区", refused.Find(`select[name="custom.district"] option[selected]`).AttrOr("value", ""), "what was chosen is still there")

	form.Set("custom.customer_phone", "12")
	refused = p.page(p.post("/orders/"+o.ID+"/confirm", form), http.StatusUnprocessableEntity)
	require.Equal(t, "12", refused.Find(`input[name="custom.customer_phone"]`).AttrOr("value", ""))
	require.Equal(t, 1, refused.Find(`[data-field-block="custom.customer_phone"] .field-error`).Length(), "no such mobile number")

	form.Set("custom.customer_phone", "13800138000")
	require.Equal(t, http.StatusSeeOther, p.post("/orders/"+o.ID+"/confirm", form).StatusCode)
	confirmed := p.stored(o.ID)
	require.Equal(t, orders.StatusReady, confirmed.Status)
	require.Equal(t, map[string]string{"customer_phone": "13800138000", "district": "南山区"}, confirmed.Custom)

	page := p.page(p.get("/orders/"+o.ID), http.StatusOK)
	require.Contains(t, page.Find("main").Text(), "南山区")
	require.NotContains(t, page.Find("main").Text(), "13800138000", "a number of a person is masked")
}

func TestARowOfTheGridTakesTheFurtherFields(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	site.asksForMore()
	p := site.signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "李雷", true)
	res := p.post("/orders/"+o.ID+"/fields", url.Values{"view": {"row"}, "version": version(o), "custom.district": {"福田区"}}, htmx, "true")
	row := p.page(res, http.StatusOK)
	require.Equal(t, "福田区", row.Find(`select[name="custom.district"] option[selected]`).AttrOr("value", ""))
	require.Contains(t, row.Find("#row-"+o.ID).Text(), "必填", "the mobile number is still missing")
	require.Equal(t, map[string]string{"district": "福田区"}, p.stored(o.ID).Custom)
}
