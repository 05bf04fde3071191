package receiptapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/app"
	"huizhi/internal/auth"
	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/receiptapi"
	"huizhi/internal/tenants"
)

// site is the whole application behind a socket, with the simulator as its
// provider, and a client's own server for photos and callbacks.
type site struct {
	*app.App
	t   testing.TB
	URL string // of the API

	client  *httptest.Server
	mu      sync.Mutex
	answers []int // statuses for the next callbacks; 200 when used up
	heard   []heard
}

// heard is a callback as the client's server got it.
type heard struct {
	path string
	raw  string
	body map[string]any
}

// owner is a tenant with a key.
type owner struct {
	*site
	scope tenants.Scope
	id    string // of the key
	key   string
}

// noReader is an OCR engine that is not installed.
type noReader struct{}

func (noReader) Name() string                   { return "none" }
func (noReader) Capabilities() ocr.Capabilities { return ocr.Capabilities{} }
func (noReader) Read(context.Context, ocr.Request) (*ocr.Reading, error) {
	return nil, ocr.ErrUnavailable
}
func (noReader) Health(context.Context) error { return ocr.ErrUnavailable }
func (noReader) Close() error                 { return nil }

// newSite makes a site whose background work is off; start switches it on.
func newSite(t testing.TB, databaseURL string, change ...func(*config.Config)) *site {
	t.Helper()
	dir := t.TempDir()
	c := &config.Config{Addr: "127.0.0.1:0", DataDir: dir, DatabaseURL: databaseURL, BlobURL: "file://" + filepath.Join(dir, "blobs"),
		AutoMigrate: true, LogFormat: "text", AllowPrivateURLs: true, PollSchedule: []time.Duration{200 * time.Millisecond}, SimulatorPace: 60 * time.Millisecond,
		APIPhotoWaits: []time.Duration{10 * time.Millisecond, 10 * time.Millisecond}, APICallbackWaits: []time.Duration{10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond}}
	for _, f := range change {
		f(c)
	}
	a, err := app.New(context.Background(), c, slog.New(slog.DiscardHandler), app.WithReader(noReader{}),
		app.WithSimulator(simulator.Config{CallbackRetries: []time.Duration{}}),
		app.WithOrders(func(o *orders.Config) { o.GatherFor, o.SweepEvery = 20*time.Millisecond, 100*time.Millisecond }))
	require.NoError(t, err)
	t.Cleanup(func() { a.Close(context.Background()) })
	s := &site{App: a, t: t}
	front := httptest.NewServer(a.Handler())
	t.Cleanup(func() { front.CloseClientConnections(); front.Close() })
	c.BaseURL = front.URL
	s.URL = front.URL + receiptapi.BasePath
	s.client = httptest.NewServer(http.HandlerFunc(s.clientServer))
	t.Cleanup(s.client.Close)
	return s
}

// eachSite runs the test on every database.
func eachSite(t *testing.T, test func(t *testing.T, s *site)) {
	t.Parallel()
	for name, fresh := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newSite(t, fresh(t)))
		})
	}
}

func (s *site) start() {
	s.t.Helper()
	require.NoError(s.t, s.Jobs.Start(context.Background()))
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		require.NoError(s.t, s.Jobs.Stop(ctx))
	})
}

// clientServer has photos below /photo/, and takes callbacks everywhere else.
func (s *site) clientServer(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		switch r.URL.Path {
		case "/photo/gone.jpg":
			http.NotFound(w, r)
		case "/photo/busy.jpg":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/photo/text.jpg":
			io.WriteString(w, "no picture at all")
		case "/photo/cut.jpg":
			w.Write(portrait()[:2000])
		case "/photo/loop.jpg":
			http.Redirect(w, r, "/photo/loop.jpg", http.StatusFound)
		default:
			w.Write(portrait())
		}
		return
	}
	raw, _ := io.ReadAll(r.Body)
	var body map[string]any
	_ = json.Unmarshal(raw, &body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, heard{r.URL.Path, string(raw), body})
	if len(s.answers) > 0 {
		if s.answers[0] == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(s.answers[0])
		s.answers = s.answers[1:]
	}
}

// callbacks are what the client's server got so far.
func (s *site) callbacks() []heard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]heard(nil), s.heard...)
}

func (s *site) photoURL(name string) string { return s.client.URL + "/photo/" + name }

// newOwner makes a tenant with a key.
func (s *site) newOwner(test bool) *owner {
	s.t.Helper()
	id, err := auth.NewService(s.DB).SignUp(context.Background(), auth.SignUp{TenantName: "晨光照相馆", Kind: tenants.KindStore, Name: "李敏",
		Email: db.NewID() + "@example.com", Password: "correct horse"}, db.Now())
	require.NoError(s.t, err)
	return s.newKey(id.Scope(), test)
}

func (s *site) newKey(sc tenants.Scope, test bool) *owner {
	s.t.Helper()
	k, key, err := s.Tenants.CreateAPIKey(context.Background(), sc, "东门店自助机", test, "test", db.Now())
	require.NoError(s.t, err)
	return &owner{s, sc, k.ID, key}
}

type object = map[string]any

// body is a submit that is in order; changes with nil take a member away.
func (o *owner) body(changes object) object {
	b := object{"apikey": o.key, "receipt_type_id": 4, "id_photo_url": o.photoURL("a.jpg"), "custom_fields": object{"city": "广东省,深圳市"}}
	for k, v := range changes {
		if b[k] = v; v == nil {
			delete(b, k)
		}
	}
	return b
}

// post calls an operation and returns the answer; numbers are json.Number.
func (o *owner) post(path string, body any) object {
	o.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(o.t, err)
	res, err := http.Post(o.URL+path, "application/json", bytes.NewReader(raw))
	require.NoError(o.t, err)
	return decode(o.t, res, http.StatusOK)
}

func (o *owner) get(path string, query url.Values) object {
	o.t.Helper()
	q := url.Values{"apikey": {o.key}}
	for k, v := range query {
		q[k] = v
	}
	res, err := http.Get(o.URL + path + "?" + q.Encode())
	require.NoError(o.t, err)
	return decode(o.t, res, http.StatusOK)
}

func decode(t testing.TB, res *http.Response, status int) object {
	t.Helper()
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, status, res.StatusCode, "%s", raw)
	require.Equal(t, "application/json; charset=utf-8", res.Header.Get("Content-Type"))
	var out object
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	require.NoError(t, d.Decode(&out), "%s", raw)
	return out
}

func code(a object) string { return a["code"].(json.Number).String() }

func data(t testing.TB, a object) object {
	t.Helper()
	require.Equal(t, "0", code(a), "%v", a)
	return a["data"].(object)
}

// submit applies and returns the number.
func (o *owner) submit(changes object) string {
	o.t.Helper()
	return data(o.t, o.post("/submit", o.body(changes)))["application_no"].(string)
}

func (o *owner) query(no string) object {
	o.t.Helper()
	return data(o.t, o.get("/query", url.Values{"application_no": {no}}))
}

// await waits until the application is in the state.
func (o *owner) await(no, status string) object {
	o.t.Helper()
	var last object
	require.Eventually(o.t, func() bool {
		last = o.query(no)
		return last["status"] == status
	}, 60*time.Second, 20*time.Millisecond, "application: %v", &last)
	return last
}

// orderOf finds the order of an application.
func (o *owner) orderOf(no string) *orders.Order {
	o.t.Helper()
	ctx := context.Background()
	var id string
	require.NoError(o.t, o.DB.NewSelect().Table("api_applications").Column("order_id").Where("application_no = ?", no).Scan(ctx, &id))
	order, err := o.Orders.Get(ctx, o.scope, id)
	require.NoError(o.t, err)
	return order
}

var portrait = sync.OnceValue(func() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 358, 441))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(110, 80, 250, 300), image.NewUniform(color.RGBA{200, 150, 120, 255}), image.Point{}, draw.Src)
	var buf bytes.Buffer
	_ = jpeg.Encode(&buf, img, nil)
	return buf.Bytes()
})
