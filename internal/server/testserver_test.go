package server_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/app"
	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
)

// testSite is the whole application on SQLite behind an HTTP listener, with the
// background work off: what a test wants done, it does.
type testSite struct {
	*app.App
	t      *testing.T
	URL    string
	engine *reader
}

// person is a signed-in browser without a script.
type person struct {
	*http.Client
	site   *testSite
	scope  tenants.Scope
	userID string
}

// reader is an OCR engine that says what it was told to say; one that was told
// nothing is not installed.
type reader struct{ answer atomic.Pointer[ocr.Reading] }

func (*reader) Name() string                   { return "told" }
func (*reader) Capabilities() ocr.Capabilities { return ocr.Capabilities{} }
func (*reader) Close() error                   { return nil }

func (r *reader) Health(context.Context) error {
	if r.answer.Load() == nil {
		return ocr.ErrUnavailable
	}
	return nil
}

func (r *reader) Read(ctx context.Context, _ ocr.Request) (*ocr.Reading, error) {
	if err := r.Health(ctx); err != nil {
		return nil, err
	}
	return r.answer.Load(), nil
}

func newTestSite(t *testing.T, change ...func(*config.Config)) *testSite {
	t.Helper()
	dir := t.TempDir()
	c := &config.Config{Addr: "127.0.0.1:0", DataDir: dir, DatabaseURL: dbtest.SQLiteURL(t), BlobURL: "file://" + filepath.Join(dir, "blobs"),
		AutoMigrate: true, LogFormat: "text", AllowPrivateURLs: true, PollSchedule: []time.Duration{time.Second}, SimulatorPace: 60 * time.Millisecond}
	for _, f := range change {
		f(c)
	}
	engine := new(reader)
	a, err := app.New(context.Background(), c, slog.New(slog.DiscardHandler), app.WithReader(engine),
		app.WithSimulator(simulator.Config{CallbackRetries: []time.Duration{}}),
		app.WithOrders(func(o *orders.Config) { o.GatherFor, o.SweepEvery = 20*time.Millisecond, 100*time.Millisecond }))
	require.NoError(t, err)
	t.Cleanup(func() { a.Close(context.Background()) })
	s := &testSite{App: a, t: t, engine: engine}
	front := httptest.NewServer(a.Handler())
	t.Cleanup(func() { front.CloseClientConnections(); front.Close() })
	s.URL = front.URL
	c.BaseURL = front.URL
	return s
}

// signUp makes a tenant and signs its owner in.
func (s *testSite) signUp(name string) *person {
	s.t.Helper()
	p := s.visitor()
	email := db.NewID() + "@example.com"
	res := p.post("/signup", url.Values{"tenant_name": {name}, "kind": {"store"}, "name": {"李敏"}, "email": {email}, "password": {"correct horse"}})
	require.Equal(s.t, http.StatusSeeOther, res.StatusCode)
	id, err := s.Auth.SignIn(context.Background(), email, "correct horse", "test", db.Now())
	require.NoError(s.t, err)
	p.scope, p.userID = id.Scope(), id.User.ID
	return p
}

// member adds a member of a role to the person's tenant and signs it in.
func (p *person) member(role tenants.Role) *person {
	t := p.site.t
	t.Helper()
	email := db.NewID() + "@example.com"
	u, err := p.site.Auth.CreateMember(context.Background(), p.scope, "周岚", email, "correct horse", role, p.userID, db.Now())
	require.NoError(t, err)
	m := p.site.visitor()
	m.scope, m.userID = p.scope, u.ID
	res := m.post("/signin", url.Values{"email": {email}, "password": {"correct horse"}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	return m
}

// staff makes one of the platform's staff and signs them in.
func (s *testSite) staff(role tenants.StaffRole) *person {
	s.t.Helper()
	email := db.NewID() + "@example.com"
	u, err := s.Auth.CreateStaff(context.Background(), "顾远航", email, "correct horse", role, db.Now())
	require.NoError(s.t, err)
	p := s.visitor()
	p.userID = u.ID
	res := p.post("/signin", url.Values{"email": {email}, "password": {"correct horse"}})
	require.Equal(s.t, http.StatusSeeOther, res.StatusCode)
	return p
}

// visitor has not signed in. Redirects are not followed.
func (s *testSite) visitor() *person {
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	return &person{site: s, Client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (p *person) do(method, path string, body io.Reader, header ...string) *http.Response {
	p.site.t.Helper()
	req, err := http.NewRequest(method, p.site.URL+path, body)
	require.NoError(p.site.t, err)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := p.Do(req)
	require.NoError(p.site.t, err)
	p.site.t.Cleanup(func() { res.Body.Close() })
	return res
}

func (p *person) get(path string, header ...string) *http.Response {
	p.site.t.Helper()
	return p.do("GET", path, nil, header...)
}

// post sends a form, as a page without a script does.
func (p *person) post(path string, form url.Values, header ...string) *http.Response {
	p.site.t.Helper()
	return p.do("POST", path, strings.NewReader(form.Encode()), append(header, "Content-Type", "application/x-www-form-urlencoded")...)
}

// page reads an answer as HTML after checking its status.
func (p *person) page(res *http.Response, status int) *goquery.Document {
	t := p.site.t
	t.Helper()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, status, res.StatusCode, "%s", body)
	require.NotContains(t, string(body), "⟦", "a text is missing")
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
	require.NoError(t, err)
	return doc
}

// batch makes an empty batch (type 4, Shenzhen).
func (p *person) batch(name string) *orders.Batch {
	t := p.site.t
	t.Helper()
	b, err := p.site.Orders.CreateBatch(context.Background(), p.scope, orders.NewBatch{Name: name, TypeID: 4, City: "广东省,深圳市"}, p.userID)
	require.NoError(t, err)
	return b
}

// order makes an order in review from a portrait, with an ID card when card is true.
func (p *person) order(b *orders.Batch, name string, card bool) *orders.Order {
	t := p.site.t
	t.Helper()
	ctx := context.Background()
	n := time.Now().UnixNano()
	portrait := p.picture(b, fmt.Sprintf("%s-%d.jpg", name, n), photos.KindPortrait)
	var front *photos.Picture
	if card {
		front = p.picture(b, fmt.Sprintf("%s-%d_身份证.jpg", name, n), photos.KindCardFront)
	}
	sort := func(pic *photos.Picture, r *photos.Reading) {
		err := p.site.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			if _, err := p.site.Orders.PictureStored(ctx, tx, p.scope, b.ID); err != nil {
				return err
			}
			if _, err := tx.NewInsert().Model(pic).Exec(ctx); err != nil {
				return err
			}
			if r != nil {
				if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
					return err
				}
			}
			return p.site.Orders.PictureSorted(ctx, tx, p.scope, pic, r)
		})
		require.NoError(t, err)
	}
	sort(portrait, nil)
	if front != nil {
		field := func(v string) ocr.Field { return ocr.Field{Value: v, Confidence: 0.99} }
		crop := p.scope.BlobKey("crops/" + front.ID + ".jpg")
		require.NoError(t, p.site.Blobs.Put(ctx, crop, drawn(), "image/jpeg"))
		sort(front, &photos.Reading{TenantID: p.scope.TenantID(), ID: db.NewID(), PictureID: front.ID, Engine: "test", DocType: ocr.IDCardFront,
			Fields: ocr.Fields{ocr.Name: field(name), ocr.IDNumber: field("110101199001011237"), ocr.Sex: field("男"),
				ocr.BirthDate: field("1990-01-01"), ocr.Ethnicity: field("汉"), ocr.Address: field("北京市东城区测试路 1 号")},
			Crops: map[ocr.FieldName]string{ocr.Name: crop, ocr.IDNumber: crop}, TookMS: 300, CreatedAt: db.Now()})
	}
	list, err := p.site.Orders.List(ctx, p.scope, orders.Filter{BatchID: b.ID}, "", 1)
	require.NoError(t, err)
	return &list[0]
}

func (p *person) picture(b *orders.Batch, name string, kind photos.Kind) *photos.Picture {
	t := p.site.t
	t.Helper()
	id := db.NewID()
	key := p.scope.BlobKey("test/" + id + ".jpg")
	require.NoError(t, p.site.Blobs.Put(context.Background(), key, drawn(), "image/jpeg"))
	return &photos.Picture{TenantID: p.scope.TenantID(), ID: id, BatchID: b.ID, Seq: time.Now().UnixNano(), Name: name, PairKey: photos.PairKey(name), SHA256: id,
		OriginalKey: key, State: photos.StateDone, Kind: kind, Format: "JPEG", Width: 358, Height: 441, WorkingKey: key, PreviewKey: key, ThumbKey: key, CreatedAt: db.Now()}
}

var drawing []byte

// drawn is a small JPEG.
func drawn() []byte {
	if drawing == nil {
		img := image.NewRGBA(image.Rect(0, 0, 358, 441))
		draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
		draw.Draw(img, image.Rect(110, 80, 250, 300), image.NewUniform(color.RGBA{200, 150, 120, 255}), image.Point{}, draw.Src)
		var buf bytes.Buffer
		_ = jpeg.Encode(&buf, img, nil)
		drawing = buf.Bytes()
	}
	return drawing
}
