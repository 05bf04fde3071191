package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
)

// setDesk chooses the residence permit in Shenzhen for the person's counter.
func (p *person) setDesk() {
	p.site.t.Helper()
	_, err := p.site.Orders.Types(context.Background())
	require.NoError(p.site.t, err)
	res := p.post("/counter/desk", url.Values{"type": {"4"}, "city": {"广东省,深圳市"}})
	require.Equal(p.site.t, http.StatusSeeOther, res.StatusCode)
}

// customer begins with a customer as the page's script does.
func (p *person) customer() string {
	t := p.site.t
	t.Helper()
	res := p.post("/counter/customers", nil)
	require.Equal(t, http.StatusOK, res.StatusCode)
	var answer struct{ ID string }
	require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
	return answer.ID
}

// puts sends a file to a place.
func (p *person) puts(customer, place string, file []byte) (int, string) {
	p.site.t.Helper()
	return status(p.site.t, p.do("POST", "/counter/"+customer+"/places/"+place, bytes.NewReader(file), "Content-Type", "application/octet-stream", "X-File-Name", "image.png"))
}

// seen ends the looking at the picture in a place, as what it is there for.
func (p *person) seen(customer string, at orders.Place, fields ocr.Fields) {
	p.site.t.Helper()
	p.seenAs(customer, at, at.Expects(), fields)
}

// seenAs ends it as something else.
func (p *person) seenAs(customer string, at orders.Place, kind photos.Kind, fields ocr.Fields) {
	t := p.site.t
	t.Helper()
	ctx := context.Background()
	c, err := p.site.Orders.Customer(ctx, p.scope, customer)
	require.NoError(t, err)
	pic, err := p.site.Photos.Picture(ctx, p.scope, *c.At(at))
	require.NoError(t, err)
	require.NoError(t, p.site.Orders.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		pic.State, pic.Kind = photos.StateDone, kind
		pic.WorkingKey, pic.PreviewKey, pic.ThumbKey = pic.OriginalKey, pic.OriginalKey, pic.OriginalKey
		if _, err := tx.NewUpdate().Model(pic).Column("state", "kind", "working_key", "preview_key", "thumb_key").WherePK().Exec(ctx); err != nil {
			return err
		}
		var read *photos.Reading
		if fields != nil {
			read = &photos.Reading{TenantID: pic.TenantID, ID: db.NewID(), PictureID: pic.ID, DocType: ocr.IDCardFront, Fields: fields, CreatedAt: db.Now()}
			if _, err := tx.NewInsert().Model(read).Exec(ctx); err != nil {
				return err
			}
		}
		return p.site.Orders.PictureSorted(ctx, tx, p.scope, pic, read)
	}))
}

// submitted takes a customer up to the slip and returns the token on it.
func (p *person) submitted() (customer, token string) {
	t := p.site.t
	t.Helper()
	customer = p.customer()
	code, body := p.puts(customer, "photo", drawn())
	require.Equal(t, http.StatusOK, code, body)
	p.seen(customer, orders.PlacePhoto, nil)
	res := p.post("/counter/"+customer+"/submit", url.Values{"name": {"欧阳翀"}, "id_number": {"110101199001011237"}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	v, err := p.site.Orders.Visit(context.Background(), p.scope, customer)
	require.NoError(t, err)
	return customer, *v.Token
}

func TestTheCounterAsksOnceWhatIsAppliedFor(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	clerk := site.signUp("晨光照相馆")
	_, err := site.Orders.Types(context.Background())
	require.NoError(t, err)
	page := clerk.page(clerk.get("/counter"), http.StatusOK)
	require.Equal(t, 1, page.Find(`form[action="/counter/desk"] select[name=city]`).Length())
	require.Zero(t, page.Find("#place-photo").Length())
	page = clerk.page(clerk.post("/counter/desk", url.Values{"type": {"4"}, "city": {"北京市,北京市"}}), http.StatusUnprocessableEntity)
	require.NotEmpty(t, page.Find("#city-note").Text())
	clerk.setDesk()
	page = clerk.page(clerk.get("/counter"), http.StatusOK)
	require.Contains(t, page.Find("header").Text(), "深圳市")
	require.Equal(t, 3, page.Find("[data-place]").Length())
	require.Equal(t, 1, page.Find("[data-submit][disabled]").Length(), "there is nothing to submit")
	colleague := clerk.member("operator")
	require.Equal(t, 1, colleague.page(colleague.get("/counter"), http.StatusOK).Find(`form[action="/counter/desk"] select[name=city]`).Length(), "everybody has their own")
}

func TestACustomerIsServedInOneGo(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	clerk := site.signUp("晨光照相馆")
	clerk.setDesk()
	customer := clerk.customer()
	code, _ := clerk.puts(customer, "photo", drawn())
	require.Equal(t, http.StatusOK, code)
	code, _ = clerk.puts(customer, "photo", drawn())
	require.Equal(t, http.StatusOK, code, "sent again after the net was lost")
	code, body := clerk.puts(customer, "front", drawn())
	require.Equal(t, http.StatusConflict, code)
	require.Contains(t, body, "同一张图")
	code, body = clerk.puts(customer, "front", []byte("%PDF-1.7 no picture"))
	require.Equal(t, http.StatusUnprocessableEntity, code)
	require.Contains(t, body, "error")
	code, _ = clerk.puts(customer, "elsewhere", drawn())
	require.Equal(t, http.StatusNotFound, code)

	page := clerk.page(clerk.get("/counter?customer="+customer), http.StatusOK)
	require.Equal(t, "reading", page.Find("#place-photo").AttrOr("data-state", ""))
	require.Equal(t, 1, page.Find("[data-submit][disabled]").Length(), "the photo is being looked at")
	clerk.seen(customer, orders.PlacePhoto, nil)

	form := url.Values{"name": {"欧阳翀"}, "id_number": {"110101199001011234"}}
	page = clerk.page(clerk.post("/counter/"+customer+"/submit", form), http.StatusUnprocessableEntity)
	require.Contains(t, page.Find("[data-refusal]").Text(), "校验")
	require.Equal(t, "110101199001011234", page.Find("#f-id_number").AttrOr("value", ""), "what was typed is still there")
	form.Set("id_number", "110101199001011237")
	res := clerk.post("/counter/"+customer+"/submit", form)
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	require.Equal(t, http.StatusSeeOther, clerk.post("/counter/"+customer+"/submit", form).StatusCode, "a second press gets the slip, too")
	page = clerk.page(clerk.get(res.Header.Get("Location")), http.StatusOK)
	require.Equal(t, 1, page.Find(".qr").Length())
	require.Contains(t, page.Find("[data-visits]").Text(), "欧*翀")
	slip := clerk.page(clerk.get("/counter/"+customer+"/slip"), http.StatusOK)
	require.Contains(t, slip.Text(), "晨光照相馆")
	require.NotContains(t, slip.Text(), "欧阳翀")
}

// A portrait in the card's place is told, and put right by a press or by the
// clerk's word.
func TestAMisplacedPictureIsTold(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	clerk := site.signUp("晨光照相馆")
	clerk.setDesk()
	misplaced := func() (customer string) {
		customer = clerk.customer()
		code, body := clerk.puts(customer, "front", drawn())
		require.Equal(t, http.StatusOK, code, body)
		clerk.seenAs(customer, orders.PlaceFront, photos.KindPortrait, nil)
		page := clerk.page(clerk.get("/counter?customer="+customer), http.StatusOK)
		require.Contains(t, page.Find("#place-front").Text(), "这张是人像照片")
		require.Equal(t, 1, page.Find("[data-submit][disabled]").Length())
		return customer
	}
	customer := misplaced()
	require.Equal(t, http.StatusSeeOther, clerk.post("/counter/"+customer+"/places/front/right", nil).StatusCode)
	page := clerk.page(clerk.get("/counter?customer="+customer), http.StatusOK)
	require.Equal(t, "full", page.Find("#place-photo").AttrOr("data-state", ""))
	require.Equal(t, "empty", page.Find("#place-front").AttrOr("data-state", ""))
	require.Zero(t, page.Find("[data-submit][disabled]").Length())

	customer = misplaced()
	require.Equal(t, http.StatusSeeOther, clerk.post("/counter/"+customer+"/places/front/insist", nil).StatusCode)
	c, err := site.Orders.Customer(context.Background(), clerk.scope, customer)
	require.NoError(t, err)
	pic, err := site.Photos.Picture(context.Background(), clerk.scope, *c.FrontID)
	require.NoError(t, err)
	require.Equal(t, photos.KindCardFront, pic.Kind)
}

// Who noticed the wrong city late goes on with the same pictures.
func TestACustomerIsChangedToAnotherType(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	clerk := site.signUp("晨光照相馆")
	clerk.setDesk()
	customer := clerk.customer()
	code, _ := clerk.puts(customer, "photo", drawn())
	require.Equal(t, http.StatusOK, code)
	clerk.seen(customer, orders.PlacePhoto, nil)
	require.Equal(t, http.StatusSeeOther, clerk.post("/counter/"+customer+"/fields", url.Values{"name": {"欧阳翀"}}).StatusCode)
	types, err := site.Orders.Types(context.Background())
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, clerk.post("/counter/desk", url.Values{"type": {"1"}, "city": {"广东省,广州市"}}).StatusCode, types[0].Name)
	page := clerk.page(clerk.get("/counter?customer="+customer), http.StatusOK)
	require.Contains(t, page.Find("header").Text(), "深圳市", "this customer stays with theirs")
	res := clerk.post("/counter/"+customer+"/again", nil)
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	page = clerk.page(clerk.get(res.Header.Get("Location")), http.StatusOK)
	require.Contains(t, page.Find("header").Text(), "广州市")
	require.Equal(t, "欧阳翀", page.Find("#f-name").AttrOr("value", ""))
	require.Equal(t, "reading", page.Find("#place-photo").AttrOr("data-state", ""))
	require.Equal(t, 1, page.Find("[data-visit]").Length(), "the first attempt is gone")
}

// The customer's page shows where the order stands to whoever has its address, and
// says nothing to others.
func TestTheCustomersOwnPage(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	clerk := site.signUp("晨光照相馆")
	clerk.setDesk()
	customer, token := clerk.submitted()
	phone := site.visitor()
	res := phone.get("/f/"+token, "Accept-Language", "en")
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"} {
		require.Contains(t, res.Header.Get(name), want)
	}
	page := phone.page(res, http.StatusOK)
	require.Contains(t, page.Find("h1").Text(), "Received")
	for _, secret := range []string{"欧阳翀", "110101199001011237"} {
		html, _ := page.Html()
		require.NotContains(t, html, secret)
	}
	require.Contains(t, phone.page(phone.get("/f/"+token, "Accept-Language", "zh-CN"), http.StatusOK).Find("h1").Text(), "已受理")
	require.Equal(t, http.StatusNotFound, phone.get("/f/"+token+"/receipt").StatusCode, "there is none yet")

	v, err := site.Orders.Visit(context.Background(), clerk.scope, customer)
	require.NoError(t, err)
	failed := func(message string) string {
		_, err := site.Orders.DB.NewUpdate().Model((*orders.Order)(nil)).Set("status = ?, message = ?", orders.StatusFailed, message).Where("id = ?", v.Order.ID).Exec(context.Background())
		require.NoError(t, err)
		return phone.page(phone.get("/f/"+token, "Accept-Language", "zh-CN"), http.StatusOK).Find("#follow").Text()
	}
	text := failed("照片不合格")
	require.Contains(t, text, "请再来店里一趟")
	require.Contains(t, text, "照片不合格")
	require.Contains(t, clerk.page(clerk.get("/counter?customer="+customer), http.StatusOK).Find("#counter").Text(), "照片不合格")
}

func TestAddressesAreNotGuessed(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	clerk := site.signUp("晨光照相馆")
	clerk.setDesk()
	_, token := clerk.submitted()
	phone := site.visitor()
	tries := 0
	for ; tries < 100; tries++ {
		res := phone.get("/f/" + strings.Repeat("a", 32))
		if res.StatusCode == http.StatusTooManyRequests {
			break
		}
		require.Equal(t, http.StatusNotFound, res.StatusCode)
	}
	require.Less(t, tries, 100)
	require.Equal(t, http.StatusTooManyRequests, phone.get("/f/"+token).StatusCode, "nor does a right one show between wrong ones")
}

// Money that does not last is said before the press, and a press changes nothing.
func TestTheCounterSaysThatTheWalletIsEmpty(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	clerk := site.signUp("晨光照相馆")
	clerk.setDesk()
	require.NoError(t, site.Billing.SetWallet(context.Background(), clerk.scope, billing.WalletSettings{Mode: billing.WalletPrepaid}, clerk.userID, db.Now()))
	customer := clerk.customer()
	code, _ := clerk.puts(customer, "photo", drawn())
	require.Equal(t, http.StatusOK, code)
	clerk.seen(customer, orders.PlacePhoto, nil)
	page := clerk.page(clerk.get("/counter?customer="+customer), http.StatusOK)
	require.Equal(t, 1, page.Find("#wallet-short").Length())
	require.Equal(t, 1, page.Find("[data-submit][disabled]").Length())
	page = clerk.page(clerk.post("/counter/"+customer+"/submit", url.Values{"name": {"欧阳翀"}, "id_number": {"110101199001011237"}}), http.StatusUnprocessableEntity)
	require.NotEmpty(t, page.Find("#problem").Text())
	v, err := site.Orders.Visit(context.Background(), clerk.scope, customer)
	require.NoError(t, err)
	require.Equal(t, orders.StatusReview, v.Order.Status)
	require.Nil(t, v.Token)
}

// Without script the pictures come with one form.
func TestTheCounterWorksWithoutScript(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	clerk := site.signUp("晨光照相馆")
	clerk.setDesk()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("photo", "欧阳翀.jpg")
	require.NoError(t, err)
	_, err = file.Write(drawn())
	require.NoError(t, err)
	require.NoError(t, form.Close())
	res := clerk.do("POST", "/counter/customers", &body, "Content-Type", form.FormDataContentType())
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	page := clerk.page(clerk.get(res.Header.Get("Location")), http.StatusOK)
	require.Equal(t, "reading", page.Find("#place-photo").AttrOr("data-state", ""))
	customer := page.Find("#customer").AttrOr("value", "")
	require.Equal(t, http.StatusSeeOther, clerk.post("/counter/"+customer+"/give-up", nil).StatusCode)
	require.Zero(t, clerk.page(clerk.get("/counter"), http.StatusOK).Find("[data-visit]").Length())
	_, err = site.Orders.SubmitCustomer(context.Background(), clerk.scope, customer, orders.Edit{}, false, clerk.userID)
	require.Equal(t, apperr.Conflict, apperr.KindOf(err))
}
