package e2e

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"golang.org/x/image/draw"

	"huizhi/internal/auth"
	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/photos/specs"
	"huizhi/internal/providers"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
)

// benchSite is a site with somebody signed in over HTTP.
type benchSite struct {
	*site
	b      *testing.B
	client *http.Client
	sc     tenants.Scope
	user   string
}

func newBenchSite(b *testing.B, databaseURL string, change func(*config.Config)) *benchSite {
	b.Helper()
	s := &benchSite{site: startSite(b, databaseURL, change), b: b}
	jar, err := cookiejar.New(nil)
	require.NoError(b, err)
	s.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	id, err := s.Auth.SignUp(context.Background(), auth.SignUp{TenantName: "晨光照相馆", Kind: tenants.KindStore, Name: "李敏", Email: "a@example.com", Password: "correct horse"}, db.Now())
	require.NoError(b, err)
	s.sc, s.user = id.Scope(), id.User.ID
	res, err := s.client.PostForm(s.URL+"/signin", url.Values{"email": {"a@example.com"}, "password": {"correct horse"}})
	require.NoError(b, err)
	res.Body.Close()
	require.Equal(b, http.StatusSeeOther, res.StatusCode)
	return s
}

func (s *benchSite) batch() *orders.Batch {
	s.b.Helper()
	batch, err := s.Orders.CreateBatch(context.Background(), s.sc, orders.NewBatch{Name: "三(2)班", TypeID: 4, City: "广东省,深圳市"}, s.user)
	require.NoError(s.b, err)
	return batch
}

// insertReady inserts orders that are ready, with the pictures they need.
func (s *benchSite) insertReady(batch *orders.Batch, n int) {
	s.b.Helper()
	ctx := context.Background()
	src, err := os.ReadFile("../internal/photos/imaging/testdata/portrait.jpg")
	require.NoError(s.b, err)
	pic, err := imaging.Open(src)
	require.NoError(s.b, err)
	view, err := pic.View()
	require.NoError(s.b, err)
	copied, err := view.WorkingCopy(specs.For(4))
	require.NoError(s.b, err)
	key := s.sc.BlobKey("bench/working.jpg")
	require.NoError(s.b, s.Blobs.Put(ctx, key, copied.JPEG, "image/jpeg"))
	now := db.Now()
	for start := 0; start < n; start += 500 {
		var pics []photos.Picture
		var list []orders.Order
		for i := start; i < min(start+500, n); i++ {
			id := db.NewID()
			pics = append(pics, photos.Picture{TenantID: s.sc.TenantID(), ID: id, BatchID: batch.ID, Seq: int64(i), Name: fmt.Sprint(i), SHA256: id,
				State: photos.StateDone, Kind: photos.KindPortrait, WorkingKey: key, ThumbKey: key, PreviewKey: key, OriginalKey: key, CreatedAt: now})
			list = append(list, orders.Order{TenantID: s.sc.TenantID(), ID: db.NewID(), BatchID: batch.ID, Number: fmt.Sprintf("HZ-%s-%06d", batch.ID[30:], i), Status: orders.StatusReady,
				Seq: int64(i), TypeID: 4, TypeName: batch.TypeName, City: batch.City, PhotoID: id, Name: fmt.Sprintf("同学%d", i), IDNumber: "110101199001011237",
				Fields: ocr.Fields{ocr.Name: {Value: fmt.Sprintf("同学%d", i)}}, Version: 1, CreatedAt: now, UpdatedAt: now})
		}
		err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			if _, err := tx.NewInsert().Model(&pics).Exec(ctx); err != nil {
				return err
			}
			_, err := tx.NewInsert().Model(&list).Exec(ctx)
			return err
		})
		require.NoError(s.b, err)
	}
}

// largePhoto is a 12-megapixel JPEG with a face, as a phone takes it.
func largePhoto(b *testing.B, n int) []byte {
	b.Helper()
	src, err := os.ReadFile("../internal/photos/imaging/testdata/portrait.jpg")
	require.NoError(b, err)
	small, err := jpeg.Decode(bytes.NewReader(src))
	require.NoError(b, err)
	large := image.NewRGBA(image.Rect(0, 0, 3024, 4032))
	draw.ApproxBiLinear.Scale(large, large.Bounds(), small, small.Bounds(), draw.Src, nil)
	noise := rand.New(rand.NewPCG(uint64(n), 1))
	for i := 0; i < len(large.Pix); i += 4 { // as a sensor has, so that the file is of a real size
		large.Pix[i+1] = uint8(max(0, min(255, int(large.Pix[i+1])+noise.IntN(9)-4)))
	}
	var out bytes.Buffer
	require.NoError(b, jpeg.Encode(&out, large, &jpeg.Options{Quality: 90}))
	return out.Bytes()
}

// onBothB runs a benchmark on both databases.
func onBothB(b *testing.B, run func(b *testing.B, databaseURL string)) {
	b.Run("sqlite", func(b *testing.B) { run(b, "sqlite:"+filepath.Join(b.TempDir(), "bench.db")) })
	b.Run("postgres", func(b *testing.B) { run(b, dbtest.PostgresURL(b)) })
}

// Upload through HTTP until the working copy is there, against vipsthumbnail
// decoding and resizing the same 12-megapixel files. Aim: at least 0.5.
func BenchmarkUploadToWorkingCopy(b *testing.B) {
	const n = 24
	dir := b.TempDir()
	files := make([][]byte, n)
	for i := range files {
		files[i] = largePhoto(b, i)
		require.NoError(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.jpg", i)), files[i], 0o644))
	}
	for b.Loop() {
		s := newBenchSite(b, "sqlite:"+filepath.Join(b.TempDir(), "bench.db"), nil)
		batch := s.batch()
		start := time.Now()
		var wg sync.WaitGroup
		work := make(chan int)
		for range 4 {
			wg.Go(func() {
				for i := range work {
					req, err := http.NewRequest("POST", s.URL+"/batches/"+batch.ID+"/files", bytes.NewReader(files[i]))
					if err != nil {
						b.Error(err)
						return
					}
					req.Header.Set("Content-Type", "application/octet-stream")
					req.Header.Set("X-File-Name", fmt.Sprintf("%d.jpg", i))
					res, err := s.client.Do(req)
					if err != nil {
						b.Error(err)
						return
					}
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
			})
		}
		for i := range n {
			work <- i
		}
		close(work)
		wg.Wait()
		waitFor(b, func() bool {
			done, err := s.DB.NewSelect().Model((*photos.Picture)(nil)).Where("working_key <> ''").Count(context.Background())
			return err == nil && done == n
		})
		ours := float64(n) / time.Since(start).Seconds()

		start = time.Now()
		args := []string{"--size", "358x441", "-o", filepath.Join(b.TempDir(), "%s.jpg[Q=92]")}
		for i := range n {
			args = append(args, filepath.Join(dir, fmt.Sprintf("%d.jpg", i)))
		}
		out, err := exec.Command("vipsthumbnail", args...).CombinedOutput()
		require.NoError(b, err, "%s", out)
		theirs := float64(n) / time.Since(start).Seconds()
		b.ReportMetric(ours, "photos/s")
		b.ReportMetric(theirs, "vips_photos/s")
		b.ReportMetric(ours/theirs, "ratio_to_vips")
	}
}

// 10,000 orders from submit to completed against the simulator, whose every
// answer takes 20 ms; once with its callbacks and once without. Aims: at most
// 1.02 submits and 0.1 queries an order, and memory that does not grow with the
// orders. HUIZHI_BENCH_ORDERS sets another number.
func BenchmarkSubmitToCompleted(b *testing.B) {
	n := 10_000
	if text := os.Getenv("HUIZHI_BENCH_ORDERS"); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	for _, callbacks := range []bool{true, false} {
		b.Run(map[bool]string{true: "callbacks", false: "callbacks_lost"}[callbacks], func(b *testing.B) {
			onBothB(b, func(b *testing.B, databaseURL string) {
				for b.Loop() {
					submitToCompleted(b, databaseURL, n, callbacks)
				}
			})
		})
	}
}

func submitToCompleted(b *testing.B, databaseURL string, n int, callbacks bool) {
	ctx := context.Background()
	s := newBenchSite(b, databaseURL, func(c *config.Config) {
		c.SimulatorPace, c.PollSchedule = 3*time.Second, []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute}
		c.PollJitter = 0.1
	})
	var faults simulator.Faults
	for _, op := range []simulator.Op{simulator.OpSubmit, simulator.OpQuery, simulator.OpBatchQuery, simulator.OpApplications, simulator.OpTypes} {
		faults.List = append(faults.List, simulator.Fault{Op: op, Kind: simulator.Delay, Rate: 1, Delay: 20 * time.Millisecond})
	}
	if !callbacks {
		faults.List = append(faults.List, simulator.Fault{Op: simulator.OpCallback, Kind: simulator.Lost, Rate: 1})
	}
	batch := s.batch()
	s.insertReady(batch, n)
	s.Simulator.SetFaults(faults)
	completed := func() int {
		c, err := s.Orders.Counts(ctx, s.sc, batch.ID)
		require.NoError(b, err)
		return int(c[orders.StatusCompleted])
	}
	start := time.Now()
	submitted, err := s.Orders.SubmitBatch(ctx, s.sc, batch.ID, s.user)
	require.NoError(b, err)
	require.Equal(b, n, submitted)
	waitFor(b, func() bool { return completed() >= n/4 })
	early := heapMB()
	waitFor(b, func() bool { return completed() == n })
	took := time.Since(start)
	late := heapMB()

	calls := s.Simulator.Stats().Calls
	queries := calls[simulator.OpQuery] + calls[simulator.OpBatchQuery] + calls[simulator.OpApplications]
	b.ReportMetric(float64(n)/took.Seconds(), "orders/s")
	b.ReportMetric(float64(calls[simulator.OpSubmit])/float64(n), "submits/order")
	b.ReportMetric(float64(queries)/float64(n), "queries/order")
	b.ReportMetric(s.lag(99).Seconds(), "p99_lag_s")
	b.ReportMetric(early, "heap_quarter_MB")
	b.ReportMetric(late, "heap_end_MB")
}

// lag is how long after the provider had completed an application we had, as a
// percentile of all.
func (s *benchSite) lag(percent int) time.Duration {
	s.b.Helper()
	var attempts []orders.Attempt
	err := s.DB.NewSelect().Model(&attempts).Column("reference", "finished_at").Where("a.tenant_id = ? AND a.status = ?", s.sc.TenantID(), orders.AttemptCompleted).Scan(context.Background())
	require.NoError(s.b, err)
	ours := make(map[string]time.Time, len(attempts))
	for _, a := range attempts {
		ours[a.Reference] = *a.FinishedAt
	}
	var lags []time.Duration
	for _, a := range s.Simulator.Applications() {
		if at, ok := ours[a.CustomFields[providers.ReferenceField]]; ok {
			lags = append(lags, at.Sub(a.CompleteTime))
		}
	}
	slices.Sort(lags)
	return lags[(len(lags)*percent+99)/100-1]
}

// heapMB is what is in use after a collection; the simulator, which lives in the
// same process and keeps every application, is part of it.
func heapMB() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse) / (1 << 20)
}

// The page of 50 out of 100,000 orders, as HTML over HTTP, against the bare SQL
// query that finds them. Aim: at most 3 times.
func BenchmarkOrdersPage(b *testing.B) {
	onBothB(b, func(b *testing.B, databaseURL string) {
		s := newBenchSite(b, databaseURL, func(c *config.Config) { c.Workers = false })
		for range 20 {
			s.insertReady(s.batch(), 5000)
		}
		bare := func() {
			rows, err := s.DB.Query("SELECT * FROM orders AS o WHERE o.tenant_id = '" + s.sc.TenantID() + "' ORDER BY o.id DESC LIMIT 50")
			require.NoError(b, err)
			for rows.Next() {
			}
			require.NoError(b, rows.Close())
		}
		page := func() {
			res, err := s.client.Get(s.URL + "/orders")
			require.NoError(b, err)
			n, err := io.Copy(io.Discard, res.Body)
			require.NoError(b, err)
			require.Greater(b, n, int64(20_000))
			res.Body.Close()
		}
		mean := func(f func()) time.Duration {
			f()
			start := time.Now()
			const times = 400
			for range times {
				f()
			}
			return time.Since(start) / times
		}
		for b.Loop() {
			sql, html := mean(bare), mean(page)
			b.ReportMetric(float64(sql.Microseconds()), "sql_us")
			b.ReportMetric(float64(html.Microseconds()), "page_us")
			b.ReportMetric(float64(html)/float64(sql), "ratio_to_sql")
		}
	})
}

// The program as people start it: until /readyz answers (aim: under 1 s), and its
// memory when idle (aim: under 100 MB) and after work.
func BenchmarkProcess(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "web")
	out, err := exec.Command("go", "build", "-tags", "nodynamic", "-o", binary, "../cmd/web").CombinedOutput()
	require.NoError(b, err, "%s", out)
	for b.Loop() {
		dir := b.TempDir()
		addr := freeAddr(b)
		run := func() (*exec.Cmd, time.Duration) {
			p := exec.Command(binary)
			p.Env = append(os.Environ(), "HUIZHI_ADDR="+addr, "HUIZHI_DATA_DIR="+dir, "HUIZHI_OCR_DIR=../build/ocr/assets")
			start := time.Now()
			require.NoError(b, p.Start())
			waitFor(b, func() bool {
				res, err := http.Get("http://" + addr + "/readyz")
				if err != nil {
					return false
				}
				res.Body.Close()
				return res.StatusCode == http.StatusOK
			})
			return p, time.Since(start)
		}
		p, first := run()
		require.NoError(b, p.Process.Signal(os.Interrupt))
		require.NoError(b, p.Wait())
		p, again := run()
		time.Sleep(2 * time.Second) // idle
		b.ReportMetric(float64(first.Milliseconds()), "first_start_ms")
		b.ReportMetric(float64(again.Milliseconds()), "start_ms")
		b.ReportMetric(rssMB(b, p.Process.Pid, "VmRSS"), "idle_MB")
		require.NoError(b, p.Process.Signal(os.Interrupt))
		require.NoError(b, p.Wait())
	}
}

func rssMB(b *testing.B, pid int, field string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			require.NoError(b, err)
			return kb / 1024
		}
	}
	b.Fatalf("no %s", field)
	return 0
}

func waitFor(b *testing.B, done func() bool) {
	b.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatal("it does not come to an end")
		}
	}
}
