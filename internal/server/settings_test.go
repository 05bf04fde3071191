package server_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

func TestSettingsShowTheTenantAndItsPrice(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	facts := p.page(p.get("/settings"), http.StatusOK).Find("main").Text()
	for _, want := range []string{"晨光照相馆", "照相馆", "500 点，¥5.00"} {
		require.Contains(t, facts, want)
	}
	english := p.page(p.get("/settings", "Accept-Language", "en"), http.StatusOK).Find("main").Text()
	require.Contains(t, english, "500 points, ¥5.00")
}

func TestAnOwnerAddsMembers(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	email := strings.ToUpper(db.NewID()) + "@example.com"
	form := url.Values{"name": {"周岚"}, "email": {email}, "password": {"correct horse"}, "role": {"operator"}}
	require.Equal(t, http.StatusSeeOther, p.post("/settings/members", form).StatusCode)
	doc := p.page(p.get("/settings/members"), http.StatusOK)
	require.Equal(t, []string{"李敏 您", "周岚"}, texts(doc.Find("tbody .cell-title")))
	require.Contains(t, doc.Find("tbody").Text(), "操作员")

	m := site.visitor()
	require.Equal(t, http.StatusSeeOther, m.post("/signin", url.Values{"email": {email}, "password": {"correct horse"}}).StatusCode)
	require.Equal(t, http.StatusOK, m.get("/orders").StatusCode)
	require.Equal(t, http.StatusForbidden, m.get("/settings/members").StatusCode, "an operator manages nobody")
	require.Equal(t, http.StatusForbidden, m.post("/settings/members", form).StatusCode)

	// Another tenant sees none of it.
	other := site.signUp("别家")
	require.NotContains(t, other.page(other.get("/settings/members"), http.StatusOK).Text(), "周岚")
}

func TestAFaultyMemberFormComesBackWithItsFaults(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	doc := p.page(p.post("/settings/members", url.Values{"name": {""}, "email": {"not an address"}, "password": {"short"}, "role": {"operator"}}), http.StatusUnprocessableEntity)
	for _, field := range []string{"name", "email", "password"} {
		invalid, _ := doc.Find("input[name=" + field + "]").Attr("aria-invalid")
		require.Equal(t, "true", invalid, field)
	}
	kept, _ := doc.Find("input[name=email]").Attr("value")
	require.Equal(t, "not an address", kept)
	given, _ := doc.Find("input[name=password]").Attr("value")
	require.Empty(t, given, "a password is never given back")

	form := url.Values{"name": {"周岚"}, "email": {db.NewID() + "@example.com"}, "password": {"correct horse"}, "role": {"emperor"}}
	doc = p.page(p.post("/settings/members", form), http.StatusUnprocessableEntity)
	require.Contains(t, doc.Find("#new").Text(), "没有这个角色")
	form.Set("role", "finance")
	require.Equal(t, http.StatusSeeOther, p.post("/settings/members", form).StatusCode)
	doc = p.page(p.post("/settings/members", form), http.StatusUnprocessableEntity)
	require.Contains(t, doc.Find("#new").Text(), "这个邮箱已经开通过")
}

func TestAKeyIsShownOnceAndRevoked(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	require.Contains(t, p.page(p.get("/settings/keys"), http.StatusOK).Find("main").Text(), "还没有密钥")

	res := p.post("/settings/keys", url.Values{"name": {"东门店自助机"}})
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	doc := p.page(res, http.StatusOK)
	secret := doc.Find("#secret code").Text()
	copied, _ := doc.Find("#secret [data-copy]").Attr("data-copy")
	require.Equal(t, secret, copied)
	sc, key, err := site.Tenants.Authenticate(ctx, secret, db.Now())
	require.NoError(t, err)
	require.Equal(t, p.scope, sc)

	list := p.page(p.get("/settings/keys"), http.StatusOK)
	require.NotContains(t, list.Text(), secret, "it is shown once")
	require.Contains(t, list.Find("tbody").Text(), key.Prefix)
	require.Contains(t, list.Find("tbody").Text(), "有效")
	revoke, _ := list.Find("dialog form[data-confirm-name='东门店自助机']").Attr("action")

	require.Equal(t, http.StatusNotFound, site.signUp("别家").post(revoke, nil).StatusCode)
	require.Equal(t, http.StatusSeeOther, p.post(revoke, nil).StatusCode)
	_, _, err = site.Tenants.Authenticate(ctx, secret, db.Now())
	require.Error(t, err)
	list = p.page(p.get("/settings/keys"), http.StatusOK)
	require.Contains(t, list.Find("tbody").Text(), "已停用")
	require.Zero(t, list.Find("dialog form").Not("[method=dialog]").Length())
	require.Equal(t, http.StatusForbidden, p.member(tenants.RoleOperator).get("/settings/keys").StatusCode)

	doc = p.page(p.post("/settings/keys", url.Values{"name": {" "}}), http.StatusUnprocessableEntity)
	require.Contains(t, doc.Find(".field-error").Text(), "请给密钥起个名字")
}
