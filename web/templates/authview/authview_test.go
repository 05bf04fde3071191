package authview_test

import (
	"context"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"huizhi/web/templates/authview"
	"huizhi/web/templates/layout"
)

func render(t *testing.T, c templ.Component) *goquery.Document {
	t.Helper()
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestRefusedSignInKeepsTheAddressAndNotThePassword(t *testing.T) {
	t.Parallel()
	doc := render(t, authview.SignIn(layout.Chrome{}, authview.SignInModel{Email: "a@b.example", Next: "/batches", Error: "邮箱或密码不对。"}))
	form := doc.Find("form#signin")
	if form.Find("[name=email]").AttrOr("value", "") != "a@b.example" || form.Find("[name=next]").AttrOr("value", "") != "/batches" {
		t.Error("what was typed is lost")
	}
	if form.Find("[name=password]").AttrOr("value", "") != "" {
		t.Error("the password came back")
	}
	if !strings.Contains(form.Text(), "邮箱或密码不对。") {
		t.Error("no reason given")
	}
}

func TestDemoSignInIsShownOnlyInDemoMode(t *testing.T) {
	t.Parallel()
	if render(t, authview.SignIn(layout.Chrome{}, authview.SignInModel{})).Find("#demo").Length() != 0 {
		t.Error("shown without demo mode")
	}
	demo := []authview.DemoLogin{{Email: "demo@huizhi.example", Password: "show me around", As: authview.AsOwner}, {Email: "platform@huizhi.example", Password: "show me around", As: authview.AsOperator}}
	text := render(t, authview.SignIn(layout.Chrome{}, authview.SignInModel{Demo: demo})).Find("#demo").Text()
	if !strings.Contains(text, demo[1].Email) || !strings.Contains(text, demo[1].Password) {
		t.Error("not shown in demo mode")
	}
}

func TestSignUpMarksTheFieldsThatWereRefused(t *testing.T) {
	t.Parallel()
	doc := render(t, authview.SignUp(layout.Chrome{}, authview.SignUpModel{Kind: "school", Email: "x", MinPassword: 8, Errors: map[string]string{"email": "请填写完整的邮箱。"}}))
	if doc.Find("[name=email]").AttrOr("aria-invalid", "") != "true" || doc.Find("[name=name]").AttrOr("aria-invalid", "") != "" {
		t.Error("wrong fields marked")
	}
	if doc.Find("[name=kind][checked]").AttrOr("value", "") != "school" {
		t.Error("the kind is lost")
	}
}
