package storybook_test

import (
	"context"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"huizhi/internal/i18n"
	"huizhi/web/static"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/storybook"
)

func render(t *testing.T, lang i18n.Language) (string, *goquery.Document) {
	t.Helper()
	var b strings.Builder
	chrome := layout.Chrome{TenantName: "晨光照相馆", UserName: "李敏", CanWork: true, CanBill: true, CanManage: true, Simulator: true}
	if err := storybook.Page(chrome).Render(i18n.WithLang(context.Background(), lang), &b); err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), doc
}

// The policy of the site allows no inline script or style, so no component may have any.
func TestNothingInline(t *testing.T) {
	t.Parallel()
	_, doc := render(t, i18n.ZH)
	doc.Find("[style], style").Each(func(_ int, s *goquery.Selection) {
		html, _ := goquery.OuterHtml(s)
		t.Errorf("inline style: %.120s", html)
	})
	doc.Find("script").Each(func(_ int, s *goquery.Selection) {
		if _, ok := s.Attr("src"); !ok {
			t.Error("inline script")
		}
	})
	doc.Find("*").Each(func(_ int, s *goquery.Selection) {
		for _, a := range s.Get(0).Attr {
			if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") || strings.HasPrefix(a.Val, "javascript:") {
				t.Errorf("<%s %s=%q>", s.Get(0).Data, a.Key, a.Val)
			}
		}
	})
}

func TestNoTextIsMissing(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		html, _ := render(t, lang)
		if i := strings.Index(html, i18n.MissingMark); i >= 0 {
			t.Errorf("%s: %.60s", lang, html[i:])
		}
	}
}

// A sprite without a symbol draws nothing and says nothing, so it is checked here.
func TestEveryIconExists(t *testing.T) {
	t.Parallel()
	sprite := string(static.File("icons.svg"))
	_, doc := render(t, i18n.ZH)
	doc.Find("use").Each(func(_ int, s *goquery.Selection) {
		_, name, _ := strings.Cut(s.AttrOr("href", ""), "#")
		if !strings.Contains(sprite, `id="`+name+`"`) {
			t.Errorf("icon %q is not in the sprite", name)
		}
	})
}

func TestIDsAreUnique(t *testing.T) {
	t.Parallel()
	_, doc := render(t, i18n.ZH)
	seen := map[string]bool{}
	doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		if seen[id] {
			t.Errorf("two elements have the id %q", id)
		}
		seen[id] = true
	})
}

// What a screen reader needs: names for controls, texts for pictures, labels and messages that point to something.
func TestNamesForThoseWhoDoNotSee(t *testing.T) {
	t.Parallel()
	_, doc := render(t, i18n.ZH)
	has := func(id string) bool { return doc.Find(`[id="`+id+`"]`).Length() > 0 }
	doc.Find("img:not([alt])").Each(func(_ int, s *goquery.Selection) { t.Error("picture without text") })
	doc.Find("button, a[href], summary").Each(func(_ int, s *goquery.Selection) {
		if strings.TrimSpace(s.Text()) == "" && s.AttrOr("aria-label", "") == "" && s.Find("[aria-label]").Length() == 0 {
			html, _ := goquery.OuterHtml(s)
			t.Errorf("without a name: %.160s", html)
		}
	})
	doc.Find("label[for]").Each(func(_ int, s *goquery.Selection) {
		if !has(s.AttrOr("for", "")) {
			t.Errorf("label %q is for nothing", s.Text())
		}
	})
	doc.Find("[aria-describedby]").Each(func(_ int, s *goquery.Selection) {
		if !has(s.AttrOr("aria-describedby", "")) {
			t.Errorf("nothing describes %s", s.AttrOr("id", ""))
		}
	})
	doc.Find("input:not([type=hidden]), select, textarea").Each(func(_ int, s *goquery.Selection) {
		labelled := s.AttrOr("aria-label", "") != "" || s.ParentsFiltered("label").Length() > 0 ||
			doc.Find(`label[for="`+s.AttrOr("id", "?")+`"]`).Length() > 0
		if !labelled {
			t.Errorf("field %q has no label", s.AttrOr("name", ""))
		}
	})
}
