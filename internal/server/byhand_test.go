package server_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
)

func TestRereadingAsksTheEngineAndDropsWhatWasTyped(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	require.Equal(t, http.StatusSeeOther, p.post("/orders/"+o.ID+"/fields", url.Values{"name": {"错了"}}).StatusCode)
	require.Equal(t, http.StatusServiceUnavailable, p.post("/orders/"+o.ID+"/reread", nil).StatusCode, "no engine is installed")
	require.Equal(t, "错了", p.stored(o.ID).Name, "and nothing is lost by trying")

	site.engine.answer.Store(&ocr.Reading{Type: ocr.IDCardFront, Engine: "told",
		Fields: ocr.Fields{ocr.Name: {Value: "欧阳冲", Confidence: 0.9}, ocr.IDNumber: {Value: "110101199001011237", Confidence: 0.9}}})
	require.Equal(t, http.StatusSeeOther, p.post("/orders/"+o.ID+"/reread", nil).StatusCode)
	require.Equal(t, "欧阳冲", p.stored(o.ID).Name, "what the engine reads now")
}

// photo posts a file as a form does.
func (p *person) photo(path string, content []byte) *http.Response {
	p.site.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("photo", "重拍.jpg")
	require.NoError(p.site.t, err)
	_, err = part.Write(content)
	require.NoError(p.site.t, err)
	require.NoError(p.site.t, form.Close())
	return p.do("POST", path, &body, "Content-Type", form.FormDataContentType())
}

func TestAnOrderGetsAnotherPhoto(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	confirmed := p.post("/orders/"+o.ID+"/confirm", url.Values{"version": version(o), "force": {"1"}})
	require.Equal(t, http.StatusSeeOther, confirmed.StatusCode)
	ask := "/orders/" + o.ID + "/photo"
	require.Equal(t, 1, p.page(p.get(ask), http.StatusOK).Find(`main input[type="file"]`).Length(), "a page without script")
	require.Equal(t, 1, p.page(p.get(ask, htmx, "true"), http.StatusOK).Find(`dialog input[type="file"]`).Length(), "a dialog over the record")

	res := p.photo(ask, drawn())
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	require.Equal(t, "/batches/"+o.BatchID+"/review?order="+o.ID, res.Header.Get("Location"))
	after := p.stored(o.ID)
	require.NotEqual(t, o.PhotoID, after.PhotoID)
	require.Equal(t, orders.StatusReview, after.Status, "somebody has to look at it")
	require.Equal(t, o.FrontID, after.FrontID, "the card stays")

	refused := p.page(p.photo(ask, []byte("no picture")), http.StatusUnprocessableEntity)
	require.Equal(t, 1, refused.Find(".field-error").Length())
	require.Equal(t, after.PhotoID, p.stored(o.ID).PhotoID)
	require.Equal(t, http.StatusUnprocessableEntity, p.photo(ask, nil).StatusCode)
}

func TestAPictureThatWasNotRecognisedIsSortedByOnePress(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	pic := p.picture(b, "IMG_7.jpg", photos.KindOther)
	pic.ProblemKey = "upload.problem.not_recognised"
	require.NoError(t, p.site.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(pic).Exec(ctx)
		return err
	}))
	page := p.page(p.get("/batches/"+b.ID), http.StatusOK)
	tray := page.Find("#unsorted")
	require.Contains(t, tray.Text(), "IMG_7.jpg")
	form := tray.Find(`form:has(button[value="portrait"])`)
	require.Equal(t, 1, form.Length())

	res := p.post(form.AttrOr("action", ""), url.Values{"as": {"portrait"}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	page = p.page(p.get("/batches/"+b.ID), http.StatusOK)
	require.Zero(t, page.Find("#unsorted").Length())
	list, err := p.site.Orders.List(ctx, p.scope, orders.Filter{BatchID: b.ID}, "", 2)
	require.NoError(t, err)
	require.Len(t, list, 1, "a portrait makes an order")
	require.Equal(t, orders.StatusReview, list[0].Status)
	require.Equal(t, http.StatusConflict, p.post(form.AttrOr("action", ""), url.Values{"as": {"card_front"}}).StatusCode, "it belongs to an order now")
}
