package server_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/orders"
)

func TestCardsArePrintedClassByClass(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	r := p.roster("2026 秋")
	p.imported(r, "姓名,身份证号,年级,班级\n李雷,110101199001011237,三年级,1班\n韩梅梅,,三年级,1班\n王芳,,三年级,2班\n")
	require.Equal(t, 1, p.page(p.get("/rosters/"+r.ID), http.StatusOK).Find(`a[href="/rosters/`+r.ID+`/cards"]`).Length())

	all := p.page(p.get("/rosters/"+r.ID+"/cards"), http.StatusOK)
	require.Equal(t, 2, all.Find(".card-sheet").Length(), "a class begins a sheet")
	require.Equal(t, 3, all.Find(".person-card svg").Length())
	html, err := all.Html()
	require.NoError(t, err)
	require.NotContains(t, html, "110101199001011237")

	q := url.Values{"grade": {"三年级"}, "class": {"2班"}}.Encode()
	one := p.page(p.get("/rosters/"+r.ID+"/cards?"+q), http.StatusOK)
	require.Equal(t, "王芳", one.Find(".person-card-name").Text())
	require.Equal(t, http.StatusSeeOther, p.get("/rosters/"+r.ID+"/cards?class=none").StatusCode)
}

func TestAPersonWithoutOrdersCanBeDeleted(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	r := p.roster("2026 秋")
	p.imported(r, "姓名,班级\n李雷,1班\n韩梅梅,1班\n")
	free, busy := p.people(r)[0], p.people(r)[1]
	b := p.batch("一班")
	o := p.order(b, "韩梅梅", false)
	_, err := site.DB.NewUpdate().Model((*orders.Order)(nil)).Set("person_id = ?", busy.ID).Where("id = ?", o.ID).Exec(context.Background())
	require.NoError(t, err)

	require.Equal(t, http.StatusUnprocessableEntity, p.post("/people/"+free.ID+"/delete", nil).StatusCode, "the name is to be typed")
	require.Equal(t, http.StatusConflict, p.post("/people/"+busy.ID+"/delete", url.Values{"confirm": {busy.Name}}).StatusCode)
	require.Len(t, p.people(r), 2)
	require.Equal(t, http.StatusSeeOther, p.post("/people/"+free.ID+"/delete", url.Values{"confirm": {free.Name}}).StatusCode)
	require.Len(t, p.people(r), 1)
	after, err := site.Rosters.Get(context.Background(), p.scope, r.ID)
	require.NoError(t, err)
	require.EqualValues(t, 1, after.People)
}

func TestARosterIsRenamed(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	r := p.roster("2026 秋")
	require.Equal(t, http.StatusSeeOther, p.post("/rosters/"+r.ID+"/name", url.Values{"name": {"阳光小学"}}).StatusCode)
	require.Contains(t, p.page(p.get("/rosters/"+r.ID), http.StatusOK).Find("h1").Text(), "阳光小学")
	require.Equal(t, http.StatusUnprocessableEntity, p.post("/rosters/"+r.ID+"/name", url.Values{"name": {" "}}).StatusCode)
}
