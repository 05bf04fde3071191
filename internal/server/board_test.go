package server_test

import (
	"archive/zip"
	"bytes"
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"huizhi/internal/classes"
	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/roster"
)

// shown gives somebody of a roster an order with a photo.
func (p *person) shown(x *roster.Roster, who roster.Person) *orders.Order {
	t, ctx := p.site.t, context.Background()
	t.Helper()
	b := p.batch(x.Name)
	require.NoError(t, p.site.Orders.SetRoster(ctx, p.scope, b.ID, x.ID, p.userID))
	o := p.order(b, who.Name, true)
	o, err := p.site.Orders.MatchTo(ctx, p.scope, o.ID, who.ID, p.userID)
	require.NoError(t, err)
	return o
}

// photoExport has the photo of somebody taken out.
func (p *person) photoExport(x *roster.Roster, who roster.Person) *classes.Export {
	t, ctx := p.site.t, context.Background()
	t.Helper()
	p.shown(x, who)
	e, err := p.site.Classes.Start(ctx, p.scope, classes.Request{RosterID: x.ID, Filter: classes.Filter{States: classes.States}, Photos: classes.Finished, Template: "{name}"}, p.userID)
	require.NoError(t, err)
	require.NoError(t, p.site.ExportJobs.Make(ctx, e.Owner, e.ID, db.Now()))
	return e
}

func TestFromTheBoardToTheArchive(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	site := newTestSite(t)
	owner := site.signUp("晨光照相馆")
	x := owner.roster("阳光小学")
	owner.imported(x, "姓名,年级,班级,学号,身份证号\n欧阳翀,三年级,三(2)班,007,110101199001011237\n陈静,三年级,三(2)班,008,\n苏晨,十年级,1班,009,\n")
	people := owner.people(x)
	o := owner.shown(x, people[0])
	base := "/rosters/" + x.ID

	page := owner.page(owner.get(base), http.StatusOK)
	require.NotZero(t, page.Find(`a[href="`+base+`/board"]`).Length(), "the board is linked from the roster")
	page = owner.page(owner.get("/batches/"+o.BatchID), http.StatusOK)
	require.NotZero(t, page.Find(`a[href="`+base+`/board?batch=`+o.BatchID+`"]`).Length(), "and from its batches")

	page = owner.page(owner.get(base+"/board"), http.StatusOK)
	href := base + "/people?class=" + url.QueryEscape("三(2)班") + "&grade=" + url.QueryEscape("三年级") + "&state=review"
	require.Equal(t, "1", page.Find(`.board a[href="`+href+`"]`).Text())

	page = owner.page(owner.get(href), http.StatusOK)
	require.Equal(t, 1, page.Find("#main tbody tr").Length())
	assert.Contains(t, page.Find("#main tbody").Text(), "欧阳翀")
	assert.NotContains(t, page.Find("#main tbody").Text(), "19900101", "the number is masked")
	assert.NotZero(t, page.Find(`#main tbody a[href="/orders/`+o.ID+`"]`).Length())
	assert.Equal(t, http.StatusNotFound, owner.get(base+"/people?state=lost").StatusCode)
	assert.Equal(t, http.StatusNotFound, owner.get(base+"/board?batch="+owner.batch("别的").ID).StatusCode, "a batch that is not the roster's")

	ask := page.Find(`#main tbody a[href^="/orders/`+o.ID+`/retake"]`).AttrOr("href", "")
	next := owner.page(owner.get(ask), http.StatusOK).Find("#retake [name=next]").AttrOr("value", "")
	res := owner.post(ask, url.Values{"reason": {"eyes"}, "next": {next}})
	require.Equal(t, href, res.Header.Get("Location"), "back to the list")
	page = owner.page(owner.get(base+"/retakes"), http.StatusOK)
	assert.Contains(t, page.Find("#main tbody").Text(), "眼睛没睁开")

	form := url.Values{"place": {""}, "state": {"none", "review"}, "photos": {"finished"}, "template": {"{学校}_{班级}_{姓名}"}, "school": {"阳光小学"}, "folders": {"1"}}
	preview := owner.page(owner.get(base+"/exports/preview?"+form.Encode(), "HX-Request", "true"), http.StatusOK)
	assert.Contains(t, preview.Find("#preview").Text(), "三(2)班/阳光小学_三(2)班_欧阳翀.jpg")
	assert.NotContains(t, owner.page(owner.get(base+"/exports"), http.StatusOK).Find("#preview").Text(), "19900101", "numbers are masked here, too")
	assert.Contains(t, preview.Find("#preview").Text(), "2 人没有照片")
	form.Set("template", "{电话}")
	page = owner.page(owner.post(base+"/exports", form), http.StatusUnprocessableEntity)
	assert.Contains(t, page.Find(".field-error").Text(), "电话")
	form.Set("template", "{身份证号}")
	require.Equal(t, http.StatusSeeOther, owner.post(base+"/exports", form).StatusCode)

	page = owner.page(owner.get(base+"/exports"), http.StatusOK)
	assert.Equal(t, "every 1s", page.Find("#exports").AttrOr("hx-trigger", ""), "the list asks for itself while something is made")
	list, err := site.Classes.History(ctx, owner.scope, x.ID)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.NoError(t, site.ExportJobs.Make(ctx, list[0].Owner, list[0].ID, db.Now()))
	part := owner.page(owner.get(base+"/exports/list", "HX-Request", "true"), http.StatusOK)
	assert.Contains(t, part.Text(), "李敏", "who took them out")
	file, header := download(t, owner.get(part.Find(`a[href$="/file"]`).AttrOr("href", "")))
	assert.Equal(t, "application/zip", header.Get("Content-Type"))
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	require.Len(t, archive.File, 2)
	assert.Equal(t, "三(2)班/110101199001011237.jpg", archive.File[0].Name)
	index, _ := download(t, owner.get(part.Find(`a[href$="/index"]`).AttrOr("href", "")))
	book, err := excelize.OpenReader(bytes.NewReader(index))
	require.NoError(t, err)
	defer book.Close()
	rows, err := book.GetRows(book.GetSheetName(0))
	require.NoError(t, err)
	require.Len(t, rows, 4, "everybody who was chosen")
	assert.Equal(t, "没有照片", rows[2][1])
}
