package server_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/db"
	"huizhi/internal/orders"
)

// collecting is a batch with an open collection of two classes, and the addresses of
// their links.
func (p *person) collecting() (b *orders.Batch, first, second string) {
	t := p.site.t
	t.Helper()
	ctx := context.Background()
	names := p.roster("莲花小学")
	p.imported(names, "班级,姓名,身份证号\n一班,陈雨桐,110101201603070015\n二班,刘思佳,110101201603070023\n")
	b = p.batch("三年级")
	require.NoError(t, p.site.Orders.SetRoster(ctx, p.scope, b.ID, names.ID, p.userID))
	res := p.post("/batches/"+b.ID+"/collection", url.Values{"organiser": {"莲花小学"}, "contact": {"张老师"}, "tries": {"3"}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	links, err := p.site.Collect.Links(ctx, p.scope, b.ID)
	require.NoError(t, err)
	for i := range links {
		switch links[i].Class {
		case "一班":
			first = "/c/" + p.site.Collect.Token(&links[i])
		case "二班":
			second = "/c/" + p.site.Collect.Token(&links[i])
		}
	}
	return b, first, second
}

// sendPhoto posts a portrait as a browser without a script does.
func (p *person) sendPhoto(link string, content []byte) *http.Response {
	t := p.site.t
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("photo", "IMG_0001.jpg")
	require.NoError(t, err)
	_, err = part.Write(content)
	require.NoError(t, err)
	require.NoError(t, form.Close())
	return p.do("POST", link+"/photo", &body, "Content-Type", form.FormDataContentType())
}

func samplePortrait(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("../demo/assets/portraits/04-00.jpg")
	require.NoError(t, err)
	return data
}

var (
	isChen  = url.Values{"name": {"陈雨桐"}, "number": {"0015"}}
	agreeds = url.Values{"agreed": {"1"}, "guardian": {"陈美玲"}, "relation": {"mother"}}
)

// A parent without a script and without an account: who, consent, photo, result.
func TestAParentSendsAPhoto(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	staff := site.signUp("晨光照相馆")
	b, link, other := staff.collecting()
	parent := site.visitor()

	page := parent.page(parent.get(link), http.StatusOK)
	require.Equal(t, 1, page.Find("#who [name=name]").Length())
	require.NotContains(t, page.Text(), "陈")
	require.Equal(t, http.StatusSeeOther, parent.post(link+"/who", isChen).StatusCode)
	res := parent.get(link)
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	require.Contains(t, res.Header.Get("X-Robots-Tag"), "noindex")
	page = parent.page(res, http.StatusOK)
	require.Contains(t, page.Text(), "陈**")
	require.NotContains(t, page.Text(), "雨桐")

	require.Equal(t, http.StatusConflict, parent.sendPhoto(link, samplePortrait(t)).StatusCode, "not before the consent")
	page = parent.page(parent.post(link+"/consent", url.Values{"agreed": {"1"}}), http.StatusUnprocessableEntity)
	require.NotZero(t, page.Find("#guardian-note").Length())
	require.Equal(t, http.StatusSeeOther, parent.post(link+"/consent", agreeds).StatusCode)
	page = parent.page(parent.sendPhoto(link, []byte("no picture")), http.StatusUnprocessableEntity)
	require.NotZero(t, page.Find("#wrong").Length())
	require.Equal(t, http.StatusSeeOther, parent.sendPhoto(link, samplePortrait(t)).StatusCode)
	page = parent.page(parent.get(link), http.StatusOK)
	require.Equal(t, 1, page.Find("#result[data-phase=checking]").Length())
	photo, _ := page.Find("#result img").Attr("src")
	require.Equal(t, http.StatusOK, parent.get(photo).StatusCode)

	require.Equal(t, 1, parent.page(parent.get(other), http.StatusOK).Find("#who").Length(), "to another link the browser is nobody")
	for name, p := range map[string]*person{"a stranger": site.visitor(), "staff without a proof": staff} {
		require.Equal(t, http.StatusNotFound, p.get(photo).StatusCode, name)
		require.Equal(t, 1, p.page(p.get(link), http.StatusOK).Find("#who").Length(), name)
		require.Equal(t, http.StatusUnauthorized, p.sendPhoto(link, samplePortrait(t)).StatusCode, name)
	}

	page = staff.page(staff.get("/batches/"+b.ID+"/collection?show=all"), http.StatusOK)
	row := page.Find("tr[data-person]").First()
	require.Contains(t, row.Text(), "陈美玲")
	ask, _ := row.Find("a[href$='/retake']").Attr("href")
	page = staff.page(staff.post(ask, url.Values{}), http.StatusUnprocessableEntity)
	require.NotZero(t, page.Find("#reason-note").Length())
	require.Contains(t, page.Find("#consent").Text(), "撤回同意", "what was agreed to, word by word")
	require.Equal(t, http.StatusSeeOther, staff.post(ask, url.Values{"reason": {"glasses"}, "note": {"请摘眼镜"}}).StatusCode)
	page = parent.page(parent.get(link), http.StatusOK)
	require.Equal(t, 1, page.Find("#result[data-phase=again]").Length())
	require.Contains(t, page.Find("#reasons").Text(), "请摘眼镜")

	order := strings.TrimSuffix(ask, "/retake")
	require.Contains(t, staff.page(staff.get(order), http.StatusOK).Text(), "陈美玲", "the consent stands on the order")
	require.Equal(t, http.StatusSeeOther, parent.post(link+"/leave", nil).StatusCode)
	require.Equal(t, 1, parent.page(parent.get(link), http.StatusOK).Find("#who").Length())
}

// The answer to a wrong number, an unknown name and a child of another class is one
// page, byte for byte but for the name that was typed.
func TestALinkTellsNobodyWhoIsOnTheList(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	_, link, _ := site.signUp("晨光照相馆").collecting()
	answer := func(name, number string) string {
		res := site.visitor().post(link+"/who", url.Values{"name": {name}, "number": {number}})
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode)
		require.Empty(t, res.Cookies())
		return strings.ReplaceAll(string(body), name, "?")
	}
	wrong := answer("陈雨桐", "9999")
	require.Equal(t, wrong, answer("没有人", "9999"))
	require.Equal(t, wrong, answer("刘思佳", "0023"))

	// The sixth answer about one name waits, for whoever is on the list and for
	// whoever is not.
	for _, name := range []string{"陈雨桐", "没有人"} {
		for range 4 {
			answer(name, "9999")
		}
		page := site.visitor().page(site.visitor().post(link+"/who", url.Values{"name": {name}, "number": {"0015"}}), http.StatusTooManyRequests)
		require.Equal(t, 1, page.Find("#who #wrong").Length(), "the page says to wait")
	}
}

func TestALinkThatEndedSaysWhatToDo(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	staff := site.signUp("晨光照相馆")
	b, link, other := staff.collecting()
	late := site.visitor()
	require.Equal(t, http.StatusSeeOther, late.post(link+"/who", isChen).StatusCode)
	end := "/batches/" + b.ID + "/collection/end"
	require.Equal(t, http.StatusSeeOther, staff.post(end, url.Values{"reach": {"class"}, "class": {"一班"}, "do": {"close"}}).StatusCode)

	for _, p := range []*person{late, site.visitor()} {
		page := p.page(p.get(link), http.StatusGone)
		require.Contains(t, page.Text(), "张老师")
		require.Zero(t, page.Find("form").Length())
	}
	require.Equal(t, http.StatusSeeOther, late.post(link+"/who", isChen).StatusCode, "back to the page that says so")
	require.Equal(t, http.StatusOK, site.visitor().get(other).StatusCode, "the other class goes on")
	require.Equal(t, http.StatusNotFound, site.visitor().get("/c/AAAAAAAAAAAAAAAAAAAAAAAAAAA").StatusCode)

	require.Equal(t, http.StatusSeeOther, staff.post(end, url.Values{"reach": {"class"}, "class": {"一班"}, "do": {"open"}}).StatusCode)
	require.Equal(t, http.StatusOK, site.visitor().get(link).StatusCode)
	require.Equal(t, http.StatusSeeOther, staff.post(end, url.Values{"reach": {"all"}, "until": {"2020-01-01T08:00"}}).StatusCode)
	for _, path := range []string{link, other} {
		require.Equal(t, http.StatusGone, site.visitor().get(path).StatusCode)
	}
	require.Equal(t, http.StatusUnprocessableEntity, staff.post(end, url.Values{"reach": {"all"}, "until": {"tomorrow"}}).StatusCode)
}

func TestWhatAVisitorSendsIsBounded(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	_, link, _ := site.signUp("晨光照相馆").collecting()
	parent := site.visitor()
	require.Equal(t, http.StatusRequestEntityTooLarge, parent.post(link+"/who", url.Values{"name": {strings.Repeat("长", 10_000)}}).StatusCode)
	require.Equal(t, http.StatusSeeOther, parent.post(link+"/who", isChen).StatusCode)
	require.Equal(t, http.StatusSeeOther, parent.post(link+"/consent", agreeds).StatusCode)
	huge := append(samplePortrait(t), make([]byte, 26<<20)...)
	res := parent.do("POST", link+"/photo", bytes.NewReader(huge), "Content-Type", "application/octet-stream")
	require.Contains(t, []int{http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity}, res.StatusCode)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), "reason")
}

// Staff print a poster for each class, remind those who are missing, and give
// everybody a link of their own.
func TestStaffCollect(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	staff := site.signUp("晨光照相馆")
	bare := staff.batch("没有名单")
	require.Zero(t, staff.page(staff.get("/batches/"+bare.ID+"/collection"), http.StatusOK).Find("#setup").Length(), "first a roster")
	require.Equal(t, http.StatusConflict, staff.post("/batches/"+bare.ID+"/collection", url.Values{"organiser": {"莲花小学"}, "contact": {"张老师"}, "tries": {"3"}}).StatusCode)
	b, link, other := staff.collecting()
	base := "/batches/" + b.ID + "/collection"

	page := staff.page(staff.get(base), http.StatusOK)
	require.Equal(t, 4, page.Find("tr[data-reach]").Length(), "the batch, two classes, and personal ones")
	require.Equal(t, 2, page.Find("tr[data-person]").Length())
	require.Contains(t, page.Find(".note").Text(), site.URL, "no phone reaches a loopback address")
	reminder, _ := page.Find("#people [data-copy]").First().Attr("data-copy")
	require.Contains(t, reminder, "陈雨桐")
	require.NotContains(t, reminder, "0015")

	posters := staff.page(staff.get(base+"/poster?reach=class"), http.StatusOK)
	require.Equal(t, 2, posters.Find("article svg.qr").Length())
	for _, l := range []string{link, other} {
		require.Contains(t, posters.Text(), site.URL+l)
	}
	one := staff.page(staff.get(base+"/poster?reach=class&grade=&class=%E4%B8%80%E7%8F%AD"), http.StatusOK)
	require.Equal(t, 1, one.Find("article").Length())

	require.Equal(t, http.StatusSeeOther, staff.post(base+"/end", url.Values{"reach": {"person"}, "do": {"open"}}).StatusCode)
	csv, err := io.ReadAll(staff.get(base + "/missing.csv").Body)
	require.NoError(t, err)
	rows := strings.Split(strings.TrimSpace(string(csv)), "\r\n")
	require.Len(t, rows, 3)
	own := rows[1][strings.Index(rows[1], "/c/"):]
	page = site.visitor().page(site.visitor().get(own), http.StatusOK)
	require.Zero(t, page.Find("#who [name=name]").Length(), "a personal link asks for the number alone")

	for field, in := range map[string]url.Values{
		"organiser": {"organiser": {" "}, "contact": {"张老师"}, "tries": {"3"}},
		"contact":   {"organiser": {"莲花小学"}, "contact": {""}, "tries": {"3"}},
		"tries":     {"organiser": {"莲花小学"}, "contact": {"张老师"}, "tries": {"many"}},
	} {
		page := staff.page(staff.post(base, in), http.StatusUnprocessableEntity)
		require.NotZero(t, page.Find("#"+field+"-note").Length(), field)
	}
	require.Equal(t, http.StatusUnprocessableEntity, staff.post(base+"/end", url.Values{"reach": {"batch"}, "until": {db.Now().Add(2 * 366 * 24 * time.Hour).Format("2006-01-02T15:04")}}).StatusCode)
	require.Equal(t, http.StatusNotFound, staff.post(base+"/end", url.Values{"reach": {"nobody"}, "do": {"open"}}).StatusCode)
}
