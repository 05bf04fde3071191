package server_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/roster"
	"huizhi/internal/roster/sheet"
)

// roster makes an empty roster.
func (p *person) roster(name string) *roster.Roster {
	t := p.site.t
	t.Helper()
	x, err := p.site.Rosters.Create(context.Background(), p.scope, name, p.userID)
	require.NoError(t, err)
	return x
}

// imported takes a table into a roster.
func (p *person) imported(x *roster.Roster, table string) *roster.Import {
	t, ctx := p.site.t, context.Background()
	t.Helper()
	im, err := p.site.Rosters.Start(ctx, p.scope, x.ID, "名单.csv", strings.NewReader(table), p.userID)
	require.NoError(t, err)
	require.NoError(t, p.site.Rosters.Check(ctx, p.scope, im.ID))
	require.NoError(t, p.site.Rosters.Agree(ctx, p.scope, im.ID, p.userID))
	require.NoError(t, p.site.Rosters.Apply(ctx, p.scope, im.ID))
	return im
}

// people are those of a roster, in its order.
func (p *person) people(x *roster.Roster) []roster.Person {
	t := p.site.t
	t.Helper()
	list, err := p.site.Rosters.People(context.Background(), p.scope, x.ID, roster.Filter{}, "", 1000)
	require.NoError(t, err)
	return list
}

// sendTable sends a form with one file, or with fields alone when name is empty.
func (p *person) sendTable(path, field, name, content string) *http.Response {
	t := p.site.t
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormField(field)
	if name != "" {
		part, err = form.CreateFormFile(field, name)
	}
	require.NoError(t, err)
	_, err = part.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, form.Close())
	return p.do("POST", path, &body, "Content-Type", form.FormDataContentType())
}

// A school makes a roster, looks at what a table would do, and takes it in;
// without a script.
func TestARosterFromATable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	site := newTestSite(t)
	p := site.signUp("阳光小学")
	require.Contains(t, p.page(p.get("/rosters"), http.StatusOK).Text(), "还没有名单")
	p.page(p.post("/rosters", url.Values{"name": {" "}}), http.StatusUnprocessableEntity)
	res := p.post("/rosters", url.Values{"name": {"2026 秋"}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	page := res.Header.Get("Location")
	require.NotZero(t, p.page(p.get(page), http.StatusOK).Find(`form[enctype="multipart/form-data"]`).Length(), "an empty roster asks for a table")

	p.page(p.sendTable(page+"/imports", "cells", "", ""), http.StatusUnprocessableEntity)
	res = p.sendTable(page+"/imports", "file", "三年级.csv", "姓名,身份证号,学号,年级,班级\n李雷,110101199001011237,20260001,三年级,2班\n韩梅梅,1.10101199001011E+17,20260002,三年级,2班\n王芳,,20260003,四年级,1班\n")
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	preview := res.Header.Get("Location")
	require.NotZero(t, p.page(p.get(preview), http.StatusOK).Find("#preview[hx-get] progress").Length(), "while it is read, the page looks again")
	id := strings.TrimPrefix(preview, "/imports/")
	require.NoError(t, site.Rosters.Check(ctx, p.scope, id))
	doc := p.page(p.get(preview), http.StatusOK)
	require.Contains(t, doc.Find("table").Text(), "韩梅梅", "what is refused comes first")
	require.Contains(t, doc.Find("table").Text(), "Excel")
	require.Equal(t, 5, doc.Find("#columns select").Length())
	require.NotContains(t, doc.Text(), "110101199001011237", "ID numbers are masked")
	require.Contains(t, p.page(p.get(preview+"?show=added"), http.StatusOK).Find("table").Text(), "王芳")

	p.page(p.post(preview+"/columns", url.Values{"field": {"name", "name", "", "", ""}}), http.StatusUnprocessableEntity)
	require.Equal(t, http.StatusSeeOther, p.post(preview+"/columns", url.Values{"field": {"name", "id_number", "student_number", "grade", "class"}}).StatusCode)
	require.NoError(t, site.Rosters.Check(ctx, p.scope, id))
	require.Equal(t, http.StatusSeeOther, p.post(preview+"/apply", nil).StatusCode)
	require.NoError(t, site.Rosters.Apply(ctx, p.scope, id))
	require.Contains(t, p.page(p.get(preview), http.StatusOK).Find("#preview").Text(), "新增 2 人")

	doc = p.page(p.get(page), http.StatusOK)
	require.Equal(t, 2, doc.Find("#people tbody tr").Length())
	class, _ := doc.Find(`nav a[href*="grade="]`).First().Attr("href")
	require.Contains(t, p.page(p.get(class), http.StatusOK).Find("#people").Text(), "李雷")
	require.NotContains(t, p.page(p.get(class), http.StatusOK).Find("#people").Text(), "王芳")
	found := p.page(p.post(page+"/search", url.Values{"q": {"王"}}), http.StatusOK).Find("#people tbody tr")
	require.Equal(t, 1, found.Length())

	who, _ := found.Find("a").Attr("href")
	p.page(p.post(who, url.Values{"name": {""}}), http.StatusUnprocessableEntity)
	require.Equal(t, http.StatusSeeOther, p.post(who, url.Values{"name": {"王方"}, "student_number": {"20260003"}, "grade": {"四年级"}, "class": {"1班"}}).StatusCode)
	require.Contains(t, p.page(p.get(who), http.StatusOK).Text(), "手工改过：姓名")
}

func TestPastedCellsAndTheTemplate(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("阳光小学")
	x := p.roster("2026 秋")
	res := p.sendTable("/rosters/"+x.ID+"/imports", "cells", "", "姓名\t班级\n李雷\t一班\n")
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	im := strings.TrimPrefix(res.Header.Get("Location"), "/imports/")
	require.NoError(t, site.Rosters.Check(context.Background(), p.scope, im))
	require.Contains(t, p.page(p.get("/imports/"+im), http.StatusOK).Find("h1").Text(), "粘贴")
	require.Equal(t, http.StatusSeeOther, p.post("/imports/"+im+"/drop", nil).StatusCode)
	require.Equal(t, http.StatusConflict, p.post("/imports/"+im+"/apply", nil).StatusCode)

	_, book := status(t, p.get("/rosters/template.xlsx"))
	table, err := sheet.Open(strings.NewReader(book), int64(len(book)))
	require.NoError(t, err)
	for row, err := range table.Rows() {
		require.NoError(t, err)
		require.Equal(t, "姓名", row.Cells[0].Text)
	}
}
