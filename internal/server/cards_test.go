package server_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
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
