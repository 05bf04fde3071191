package layout_test

import (
	"context"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/layout"
)

func page(t *testing.T, lang i18n.Language, c layout.Chrome) *goquery.Document {
	t.Helper()
	return document(t, lang, layout.Page(c, layout.Head{Title: "批次"}))
}

func document(t *testing.T, lang i18n.Language, c templ.Component) *goquery.Document {
	t.Helper()
	var b strings.Builder
	if err := c.Render(i18n.WithLang(context.Background(), lang), &b); err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func links(doc *goquery.Document) string {
	var hrefs []string
	doc.Find("aside nav a").Each(func(_ int, s *goquery.Selection) { hrefs = append(hrefs, s.AttrOr("href", "")) })
	return strings.Join(hrefs, " ")
}

func TestNavigationShowsWhatTheRoleMayUse(t *testing.T) {
	t.Parallel()
	owner := page(t, i18n.ZH, layout.Chrome{CanWork: true, CanBill: true, CanManage: true})
	if got := links(owner); got != "/ /counter /batches /orders /receipts/validity /rosters /billing /billing/exports /billing/fapiao /settings" {
		t.Errorf("owner: %s", got)
	}
	finance := page(t, i18n.ZH, layout.Chrome{CanBill: true})
	if got := links(finance); got != "/ /billing /billing/exports /billing/fapiao" {
		t.Errorf("finance: %s", got)
	}
	if finance.Find("[data-search]").Length() != 0 {
		t.Error("finance can search people")
	}
}

func TestCurrentRowAndCounts(t *testing.T) {
	t.Parallel()
	doc := page(t, i18n.ZH, layout.Chrome{CanWork: true, Nav: layout.NavBatches, Counts: map[string]int{layout.NavBatches: 7, layout.NavUnknown: 2}})
	if got := doc.Find(`aside nav a[aria-current="page"]`).AttrOr("href", ""); got != "/batches" {
		t.Errorf("current %q", got)
	}
	if got := links(doc); !strings.Contains(got, "/orders?status=unknown") {
		t.Errorf("no row for unknown outcomes: %s", got)
	}
}

func TestSimulatorIsSaidOnEveryPage(t *testing.T) {
	t.Parallel()
	c := layout.Chrome{Simulator: true}
	if !strings.Contains(page(t, i18n.ZH, c).Find(".banner").Text(), "演练环境") {
		t.Error("nothing says so")
	}
	if page(t, i18n.ZH, layout.Chrome{}).Find(".banner").Length() != 0 {
		t.Error("said without reason")
	}
}

func TestThemeIsRenderedByTheServer(t *testing.T) {
	t.Parallel()
	for theme, want := range map[string]string{layout.Dark: "huizhi-dark", layout.Light: "huizhi", layout.System: "", "": "", "x": ""} {
		if got := page(t, i18n.ZH, layout.Chrome{Theme: theme}).Find("html").AttrOr("data-theme", ""); got != want {
			t.Errorf("%q: %q, want %q", theme, got, want)
		}
	}
}

func TestLanguageSwitchComesBackToThePage(t *testing.T) {
	t.Parallel()
	doc := page(t, i18n.EN, layout.Chrome{Path: "/orders?status=failed&city=深圳"})
	if got := doc.Find("html").AttrOr("lang", ""); got != "en" {
		t.Errorf("lang %q", got)
	}
	want := "/lang?next=%2Forders%3Fstatus%3Dfailed%26city%3D%E6%B7%B1%E5%9C%B3&to=zh-CN"
	if got := doc.Find("a[data-language]").First().AttrOr("href", ""); got != want {
		t.Errorf("got %s", got)
	}
}

func TestSignOutIsAForm(t *testing.T) {
	t.Parallel()
	doc := page(t, i18n.ZH, layout.Chrome{})
	if doc.Find(`form[method="post"][action="/signout"] button`).Length() == 0 {
		t.Error("no form")
	}
}
