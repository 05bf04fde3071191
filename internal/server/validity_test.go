package server_test

import (
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/db"
	"huizhi/internal/orders"
)

// receipt makes an order whose receipt came some days ago.
func (p *person) receipt(b *orders.Batch, name string, days int) *orders.Order {
	t := p.site.t
	t.Helper()
	ctx := context.Background()
	o := p.order(b, name, true)
	came := db.Now().AddDate(0, 0, -days)
	_, err := p.site.DB.NewUpdate().Model((*orders.Order)(nil)).
		Set("status = ?, completed_at = ?, valid_until = ?, valid_by = '1'", orders.StatusCompleted, came, o.Rule().Until(came)).Where("id = ?", o.ID).Exec(ctx)
	require.NoError(t, err)
	o, err = p.site.Orders.Get(ctx, p.scope, o.ID)
	require.NoError(t, err)
	return o
}

func TestReceiptsAreListedByTheirLastDay(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	empty := p.page(p.get("/receipts/validity"), http.StatusOK)
	require.Contains(t, empty.Text(), "还没有回执")

	b := p.batch("一班")
	p.receipt(b, "李长久", 1)
	soon := p.receipt(b, "王快到期", 175)
	p.receipt(b, "赵已过期", 300)

	names := func(path string) (list []string) {
		t.Helper()
		for _, n := range p.page(p.get(path), http.StatusOK).Find("#held td.cell-title a").EachIter() {
			list = append(list, n.Text())
		}
		return list
	}
	require.Equal(t, []string{"王快到期", "李长久"}, names("/receipts/validity"))
	require.Equal(t, []string{"王快到期"}, names("/receipts/validity?shelf=soon"))
	require.Equal(t, []string{"赵已过期"}, names("/receipts/validity?shelf=expired"))
	require.Equal(t, []string{"李长久", "王快到期", "赵已过期"}, names("/receipts/validity?shelf=all"))
	require.Empty(t, names("/receipts/validity?shelf=renewed"))

	page := p.page(p.get("/receipts/validity"), http.StatusOK)
	row := page.Find("#r-" + soon.ID)
	require.Contains(t, row.Text(), "还有 5 天")
	require.NotContains(t, row.Text(), soon.IDNumber, "the number is masked")
	tip, _ := row.Find("td.cell-state [title]").Attr("title")
	require.Contains(t, tip, "参考", "a date is advice, and says so")
	require.Contains(t, tip, "m.dqbk.net（2025-01-11）", "with its source and the source's date")
	href, _ := row.Find(`a[href^="/receipts/validity/rules#"]`).Attr("href")
	_, anchor, _ := strings.Cut(href, "#")
	require.Equal(t, 1, p.page(p.get("/receipts/validity/rules"), http.StatusOK).Find("#"+anchor).Length(), "the basis is on the page of the table")

	found := p.page(p.post("/receipts/validity/search", url.Values{"q": {"赵"}}), http.StatusOK)
	require.Equal(t, 1, found.Find("#held td.cell-title").Length())

	home := p.page(p.get("/"), http.StatusOK)
	require.Contains(t, home.Text(), "1 张回执一周内到期")
}

func TestAShelfIsExported(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	o := p.receipt(p.batch("一班"), "=王快到期", 175)
	res := p.get("/receipts/validity.csv?shelf=soon")
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(body), "\ufeff姓名,"))
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(body), "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 2)
	require.Equal(t, "'=王快到期", lines[1][0], "no cell is a formula")
	require.NotContains(t, string(body), o.IDNumber)
	require.Contains(t, lines[1], "5")
	n, err := site.DB.NewSelect().TableExpr("audit_entries").Where("action = 'validity.export_csv'").Count(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 1, n, "who took it is on record")
}

func TestReceiptsAreRenewedWithAPress(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	b := p.batch("一班")
	first, second := p.receipt(b, "王快到期", 175), p.receipt(b, "赵已过期", 300)

	res := p.post("/receipts/validity/renew", url.Values{"id": {first.ID, second.ID}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	target := res.Header.Get("Location")
	require.True(t, strings.HasPrefix(target, "/batches/"))
	batch := p.page(p.get(target), http.StatusOK)
	require.Contains(t, batch.Text(), "已建立 2 张续办订单")

	again := p.page(p.post("/orders/"+first.ID+"/renew", nil), http.StatusOK)
	require.Contains(t, again.Text(), "以前已经续办过")

	renewal, err := site.Orders.RenewalOf(ctx, p.scope, first.ID)
	require.NoError(t, err)
	require.NotContains(t, []orders.Status{orders.StatusQueued, orders.StatusDispatching}, renewal.Status, "nothing is submitted by itself")
	former := p.page(p.get("/orders/"+first.ID), http.StatusOK)
	require.Equal(t, 1, former.Find(`#validity a[href="/orders/`+renewal.ID+`"]`).Length(), "the former order names the new one")
	require.Zero(t, former.Find(`form[action$="/renew"]`).Length())
	require.Contains(t, p.page(p.get("/orders/"+renewal.ID), http.StatusOK).Text(), first.Number)
	require.Equal(t, 2, p.page(p.get("/receipts/validity?shelf=renewed"), http.StatusOK).Find("#held td.cell-title").Length())

	other := p.batch("二班") // of the same kind, chosen
	third := p.receipt(b, "钱三", 170)
	res = p.post("/receipts/validity/renew", url.Values{"id": {third.ID}, "batch": {other.ID}})
	require.Equal(t, "/batches/"+other.ID, res.Header.Get("Location"))
}

func TestThePrintedDayIsTakenFromAPerson(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	o := p.receipt(p.batch("一班"), "王快到期", 10)
	printed := o.CompletedAt.AddDate(0, 0, 40).Format(time.DateOnly)
	require.Equal(t, http.StatusSeeOther, p.post("/orders/"+o.ID+"/validity", url.Values{"day": {printed}}).StatusCode)
	part := p.page(p.get("/orders/"+o.ID), http.StatusOK).Find("#validity")
	require.Contains(t, part.Text(), printed)
	require.Contains(t, part.Text(), "印在回执上")
	require.Equal(t, http.StatusUnprocessableEntity, p.post("/orders/"+o.ID+"/validity", url.Values{"day": {"2001-01-01"}}).StatusCode)
	require.Equal(t, http.StatusUnprocessableEntity, p.post("/orders/"+o.ID+"/validity", url.Values{"day": {"soon"}}).StatusCode)
}

// Who has a usable receipt is said before anything is paid; a press leaves them
// out, and another submits all the same.
func TestAUsableReceiptIsPointedOutBeforeSubmitting(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	had := p.receipt(p.batch("春季"), "李雷", 30)
	b := p.batch("秋季")
	ready := func(name, number string) *orders.Order {
		o := p.order(b, name, true)
		_, err := site.DB.NewUpdate().Model((*orders.Order)(nil)).Set("status = ?, id_number = ?", orders.StatusReady, number).Where("id = ?", o.ID).Exec(ctx)
		require.NoError(t, err)
		return o
	}
	same, fresh := ready("李雷", had.IDNumber), ready("韩梅梅", "110101199003070003")

	question := p.page(p.get("/batches/"+b.ID+"/submit"), http.StatusOK)
	require.Contains(t, question.Find("#usable").Text(), "2 张里有 1 张")
	require.Contains(t, question.Find("#usable").Text(), had.Number)
	form := url.Values{}
	for _, in := range question.Find(`form[action$="/submit"] input`).EachIter() {
		form.Set(in.AttrOr("name", ""), in.AttrOr("value", ""))
	}
	form.Set("leave", "usable")
	require.Equal(t, http.StatusSeeOther, p.post("/batches/"+b.ID+"/submit", form).StatusCode)
	statusOf := func(o *orders.Order) orders.Status {
		now, err := site.Orders.Get(ctx, p.scope, o.ID)
		require.NoError(t, err)
		return now.Status
	}
	require.Equal(t, orders.StatusReady, statusOf(same), "was left out")
	require.Equal(t, orders.StatusQueued, statusOf(fresh))

	question = p.page(p.get("/batches/"+b.ID+"/submit"), http.StatusOK)
	_, disabled := question.Find(`button[name="leave"]`).Attr("disabled")
	require.True(t, disabled, "there are no others")
	require.Equal(t, http.StatusSeeOther, p.post("/batches/"+b.ID+"/submit", url.Values{"count": {"1"}}).StatusCode)
	require.Equal(t, orders.StatusQueued, statusOf(same), "a person wanted it all the same")
}
