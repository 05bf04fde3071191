package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/providers"
	"huizhi/internal/providers/simulator"
)

// mortal is `web` as a process of its own, which is killed and started again.
type mortal struct {
	t       *testing.T
	binary  string
	env     []string
	addr    string
	process *exec.Cmd
	client  *http.Client
	kills   int
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func buildWeb(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "web")
	out, err := exec.Command("go", "build", "-o", binary, "../cmd/web").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

func (m *mortal) start() {
	m.t.Helper()
	m.process = exec.Command(m.binary)
	m.process.Env = m.env
	m.process.Stderr = testWriter{m.t}
	require.NoError(m.t, m.process.Start())
}

// kill is SIGKILL: no handler runs, no buffer is flushed.
func (m *mortal) kill() {
	require.NoError(m.t, m.process.Process.Signal(syscall.SIGKILL))
	_ = m.process.Wait()
	m.kills++
}

// waitReady until the server answers.
func (m *mortal) waitReady() {
	for range 1200 {
		if res, err := http.Get("http://" + m.addr + "/readyz"); err == nil {
			res.Body.Close()
			return
		}
		time.Sleep(50 * time.Millisecond) // it is being started
	}
}

// ask repeats a request until it is answered, as a person does whose page failed
// to load. The server may be dead at any moment.
func (m *mortal) ask(method, path string, body []byte, header map[string]string) (int, string) {
	m.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		req, err := http.NewRequest(method, "http://"+m.addr+path, bytes.NewReader(body))
		require.NoError(m.t, err)
		for k, v := range header {
			req.Header.Set(k, v)
		}
		res, err := m.client.Do(req)
		if err == nil {
			text, rerr := io.ReadAll(res.Body)
			res.Body.Close()
			if rerr == nil && res.StatusCode < 500 {
				return res.StatusCode, string(text)
			}
			err = fmt.Errorf("HTTP %d, %v: %.300s", res.StatusCode, rerr, text)
		}
		if time.Now().After(deadline) {
			m.t.Fatalf("%s %s: %v", method, path, err)
		}
		time.Sleep(50 * time.Millisecond) // it is being started
	}
}

func (m *mortal) form(path string, values url.Values) (int, string) {
	m.t.Helper()
	return m.ask("POST", path, []byte(values.Encode()), map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
}

// face is a portrait that differs from all others in one corner.
func face(t *testing.T, n int) []byte {
	t.Helper()
	src, err := os.ReadFile("../internal/photos/imaging/testdata/portrait.jpg")
	require.NoError(t, err)
	img, err := jpeg.Decode(bytes.NewReader(src))
	require.NoError(t, err)
	b := img.Bounds()
	own := image.NewRGBA(b)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			own.Set(x, y, img.At(x, y))
		}
	}
	for i := range 8 {
		own.Set(b.Min.X+i, b.Min.Y, color.RGBA{uint8(n * 8), uint8(n), uint8(255 - n), 255})
	}
	var out bytes.Buffer
	require.NoError(t, jpeg.Encode(&out, own, &jpeg.Options{Quality: 92}))
	return out.Bytes()
}

// The process is killed again and again, at random moments, while somebody
// uploads, confirms and submits; the provider loses answers meanwhile. In the end
// everything that was acknowledged is there, every order is completed, and nothing
// was submitted or charged twice.
func TestKilledAtRandomPointsNothingIsLostOrPaidTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, databaseURL string) {
		people := 16
		if text := os.Getenv("HUIZHI_CHAOS_PEOPLE"); text != "" {
			var err error
			people, err = strconv.Atoi(text)
			require.NoError(t, err)
		}
		ctx := context.Background()
		sim, err := simulator.Start(ctx, simulator.Config{
			Pace:            simulator.Pace{Pending: 100 * time.Millisecond, Processing: 300 * time.Millisecond, Submitted: 300 * time.Millisecond},
			CallbackRetries: []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second},
			Faults: simulator.Faults{Seed: 7, List: []simulator.Fault{
				{Op: simulator.OpSubmit, Kind: simulator.Delay, Rate: 0.7, Delay: 150 * time.Millisecond},
				{Op: simulator.OpSubmit, Kind: simulator.Reset, After: true, Rate: 0.1},
			}},
		})
		require.NoError(t, err)
		t.Cleanup(func() { sim.Close() })
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		dir, addr := t.TempDir(), freeAddr(t)
		m := &mortal{t: t, binary: buildWeb(t), addr: addr,
			client: &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
			env: append(os.Environ(), "HUIZHI_ADDR="+addr, "HUIZHI_BASE_URL=http://"+addr, "HUIZHI_DATA_DIR="+dir, "HUIZHI_DATABASE_URL="+databaseURL,
				"HUIZHI_CLIPIMG_URL="+sim.URL(), "HUIZHI_CLIPIMG_APIKEY="+simulator.DefaultAPIKey, "HUIZHI_ALLOW_PRIVATE_URLS=true",
				"HUIZHI_POLL_SCHEDULE=300ms,600ms,1s", "HUIZHI_RECONCILE_QUIET=700ms", "HUIZHI_RECONCILE_EVERY=500ms", "HUIZHI_JOB_RESCUE=3s", "HUIZHI_SUBMIT_TIMEOUT=3s", "HUIZHI_OCR_DIR="+dir+"/none")}
		m.start()
		t.Cleanup(func() { m.process.Process.Kill() })

		// Death comes at a random moment within a second and a half of being ready:
		// four times while files come in and are looked at, then six times while
		// orders are confirmed, sent and followed.
		random := rand.New(rand.NewPCG(42, 1))
		dying := make(chan struct{})
		die := func(times int) {
			go func() {
				for range times {
					m.waitReady()
					time.Sleep(time.Duration(random.Int64N(int64(1500 * time.Millisecond))))
					m.kill()
					m.start()
				}
				dying <- struct{}{}
			}()
		}
		die(4)

		email := db.NewID() + "@example.com"
		signUp := url.Values{"tenant_name": {"晨光照相馆"}, "kind": {"store"}, "name": {"李敏"}, "email": {email}, "password": {"correct horse"}}
		if code, _ := m.form("/signup", signUp); code == http.StatusUnprocessableEntity { // the answer to the first try was lost
			code, body := m.form("/signin", url.Values{"email": {email}, "password": {"correct horse"}})
			require.Equal(t, http.StatusSeeOther, code, body)
		}
		batch := m.newBatch()
		for i := range people {
			code, body := m.ask("POST", "/batches/"+batch+"/files", face(t, i), map[string]string{
				"Content-Type": "application/octet-stream", "X-File-Name": url.PathEscape(fmt.Sprintf("同学%s.jpg", string(rune('甲'+i))))})
			require.Equal(t, http.StatusOK, code, body)
			require.Contains(t, body, `"stored"`)
		}
		<-dying
		d, err := db.Open(ctx, databaseURL) // to look and to count; the work is done by the process
		require.NoError(t, err)
		defer d.Close()
		all := func(what string, done func(list []orders.Order) bool) []orders.Order {
			var list []orders.Order
			for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
				list = nil
				err := d.NewSelect().Model(&list).Order("seq").Scan(ctx)
				if err == nil && len(list) == people && done(list) {
					return list
				}
				if time.Now().After(deadline) {
					counts := map[orders.Status]int{}
					for _, o := range list {
						counts[o.Status]++
					}
					t.Fatalf("not so: %s; %d killed, %d orders: %v, %v", what, m.kills, len(list), counts, err)
				}
			}
		}
		list := all("every portrait is an order in review", func(list []orders.Order) bool { return every(list, orders.StatusReview, orders.StatusReady) })
		die(6)
		for _, o := range list {
			code, body := m.form("/orders/"+o.ID+"/confirm", url.Values{"version": {fmt.Sprint(o.Version)}, "force": {"1"}})
			require.Contains(t, []int{http.StatusSeeOther, http.StatusConflict}, code, body) // conflict: the answer to the first try was lost
		}
		all("every order is ready", func(list []orders.Order) bool { return every(list, orders.StatusReady) })
		for range 2 { // pressing twice
			code, body := m.form("/batches/"+batch+"/submit", url.Values{"count": {fmt.Sprint(people)}})
			require.Equal(t, http.StatusSeeOther, code, body)
		}

		<-dying
		// An order fails when the provider cannot fetch its photo, because we are dead
		// at that moment and it asks once. That costs nothing.
		list = all("every order is at its end", func(list []orders.Order) bool { return every(list, orders.StatusCompleted, orders.StatusFailed) })
		completed := 0
		for _, o := range list {
			if o.Status == orders.StatusCompleted {
				completed++
			}
		}
		require.Greater(t, completed, people/2)
		require.Eventually(t, func() bool {
			n, err := d.NewSelect().Model((*orders.Receipt)(nil)).Where("state = ?", orders.ReceiptStored).Count(ctx)
			return err == nil && n == int64(completed)
		}, 60*time.Second, 100*time.Millisecond, "every receipt is kept")
		require.Equal(t, 10, m.kills)
		requireNothingLostOrTwice(t, d, sim, dir, people, completed)
	})
}

func every(list []orders.Order, states ...orders.Status) bool {
	for _, o := range list {
		ok := false
		for _, s := range states {
			ok = ok || o.Status == s
		}
		if !ok {
			return false
		}
	}
	return true
}

// newBatch makes the batch; when the answer is lost the list has it.
func (m *mortal) newBatch() string {
	m.t.Helper()
	values := url.Values{"name": {"三(2)班"}, "type": {"4"}, "city": {"广东省,深圳市"}}
	req := func() string {
		r, err := http.NewRequest("POST", "http://"+m.addr+"/batches", strings.NewReader(values.Encode()))
		require.NoError(m.t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := m.client.Do(r)
		if err != nil {
			return ""
		}
		res.Body.Close()
		return strings.TrimPrefix(res.Header.Get("Location"), "/batches/")
	}
	for range 200 {
		if id := req(); len(id) == 36 {
			return id
		}
		time.Sleep(50 * time.Millisecond) // it is being started
	}
	m.t.Fatal("no batch could be made")
	return ""
}

func requireNothingLostOrTwice(t *testing.T, d *db.DB, sim *simulator.Server, dir string, people, completed int) {
	t.Helper()
	ctx := context.Background()
	blobs, err := blob.Open(ctx, "file://"+filepath.Join(dir, "blobs"))
	require.NoError(t, err)
	defer blobs.Close()

	var pictures []photos.Picture
	require.NoError(t, d.NewSelect().Model(&pictures).Scan(ctx))
	require.Len(t, pictures, people)
	for _, p := range pictures {
		data, err := blobs.Get(ctx, p.OriginalKey)
		require.NoError(t, err, "an acknowledged file is lost")
		require.Equal(t, p.SHA256, fmt.Sprintf("%x", sha256.Sum256(data)))
	}

	perReference := map[string]int{}
	for _, a := range sim.Applications() {
		perReference[a.CustomFields[providers.ReferenceField]]++
	}
	var attempts []orders.Attempt
	require.NoError(t, d.NewSelect().Model(&attempts).Scan(ctx))
	perOrder := map[string]int{}
	for _, a := range attempts {
		require.LessOrEqual(t, perReference[a.Reference], 1, "an attempt was submitted twice")
		perOrder[a.OrderID] += perReference[a.Reference]
	}
	for order, n := range perOrder {
		require.Equal(t, 1, n, "order %s has %d applications upstream", order, n)
	}
	require.Len(t, sim.Applications(), people)

	var charges []billing.Charge
	require.NoError(t, d.NewSelect().Model(&charges).Scan(ctx))
	require.Len(t, charges, completed)
	require.Equal(t, 10_000_000-completed*500, sim.Balance())
	var receipts []orders.Receipt
	require.NoError(t, d.NewSelect().Model(&receipts).Scan(ctx))
	for _, r := range receipts {
		data, err := blobs.Get(ctx, r.ResultKey)
		require.NoError(t, err)
		require.Equal(t, r.ResultSHA256, fmt.Sprintf("%x", sha256.Sum256(data)))
	}
}
