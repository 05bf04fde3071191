package receiptapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/receiptapi"
)

const (
	benchClients = 32
	benchSubmits = 2000
)

var benchDatabases = map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL}

// hammer calls fn n times from several clients at once; it returns calls per second and
// the time that 99 of 100 calls stay below.
func hammer(clients, n int, fn func()) (perSecond float64, p99 time.Duration) {
	took := make([]time.Duration, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range clients {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				begin := time.Now()
				fn()
				took[i] = time.Since(begin)
			}
		})
	}
	wg.Wait()
	perSecond = float64(n) / time.Since(start).Seconds()
	slices.Sort(took)
	return perSecond, took[n*99/100]
}

// call hands a request to the site's handler, as the socket would.
func (s *site) call(b *testing.B, method, path string, body []byte) []byte {
	r := httptest.NewRequest(method, receiptapi.BasePath+path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK || !bytes.HasPrefix(w.Body.Bytes(), []byte(`{"code":0`)) {
		b.Errorf("HTTP %d: %s", w.Code, w.Body)
	}
	return w.Body.Bytes()
}

func generous(c *config.Config) { c.APIRate = 1_000_000 }

// Submits that are durable when they are answered, beside bare inserts of the same
// rows, one transaction for each, from as many clients.
func BenchmarkSubmit(b *testing.B) {
	for name, fresh := range benchDatabases {
		b.Run(name, func(b *testing.B) {
			s := newSite(b, fresh(b), generous)
			o := s.newOwner(false)
			body, err := json.Marshal(o.body(nil))
			require.NoError(b, err)
			insert := bareInsert(b, o, o.submit(nil))
			hammer(benchClients, 200, func() { s.call(b, "POST", "/submit", body) }) // warm both up
			hammer(benchClients, 200, insert)
			for b.Loop() {
				submits, p99 := hammer(benchClients, benchSubmits, func() { s.call(b, "POST", "/submit", body) })
				inserts, insertP99 := hammer(benchClients, benchSubmits, insert)
				b.ReportMetric(submits, "submits/s")
				b.ReportMetric(float64(p99.Microseconds())/1000, "p99_ms")
				b.ReportMetric(inserts, "bare_inserts/s")
				b.ReportMetric(float64(insertP99.Microseconds())/1000, "bare_p99_ms")
				b.ReportMetric(submits/inserts, "ratio")
			}
		})
	}
}

type idle struct{}

func (idle) Kind() string                 { return "idle" }
func (idle) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: "idle"} }

// bareInsert writes copies of the rows that a submit made, and nothing else.
func bareInsert(b *testing.B, o *owner, no string) func() {
	ctx := context.Background()
	var app receiptapi.Application
	var event orders.Event
	require.NoError(b, o.DB.NewSelect().Model(&app).Where("application_no = ?", no).Scan(ctx))
	order := *o.orderOf(no)
	pic, err := o.Photos.Picture(ctx, o.scope, order.PhotoID)
	require.NoError(b, err)
	require.NoError(b, o.DB.NewSelect().Model(&event).Where("order_id = ?", order.ID).Scan(ctx))
	var n atomic.Int64
	return func() {
		p, ord, e, a := *pic, order, event, app
		p.ID, ord.ID, e.ID, a.ID = db.NewID(), db.NewID(), db.NewID(), db.NewID()
		ord.PhotoID, ord.Number, p.OrderID = p.ID, fmt.Sprint("B", n.Add(1)), &ord.ID
		e.OrderID, a.OrderID, a.ApplicationNo, a.FileToken = ord.ID, ord.ID, a.ID, a.ID
		err := o.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			for _, row := range []any{(*photos.Picture)(&p), &ord, &e, &a} {
				if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
					return err
				}
			}
			return o.Jobs.EnqueueTx(ctx, tx, idle{})
		})
		if err != nil {
			b.Error(err)
		}
	}
}

// A hundred numbers at a time, while 10,000 applications are open.
func BenchmarkBatchQuery(b *testing.B) {
	for name, fresh := range benchDatabases {
		b.Run(name, func(b *testing.B) {
			s := newSite(b, fresh(b), generous)
			o := s.newOwner(false)
			submit, err := json.Marshal(o.body(nil))
			require.NoError(b, err)
			var mu sync.Mutex
			var nos []string
			hammer(benchClients, 10_000, func() {
				var answer struct {
					Data struct {
						No string `json:"application_no"`
					}
				}
				_ = json.Unmarshal(s.call(b, "POST", "/submit", submit), &answer)
				mu.Lock()
				defer mu.Unlock()
				nos = append(nos, answer.Data.No)
			})
			var next atomic.Int64
			for b.Loop() {
				perSecond, p99 := hammer(2, 500, func() {
					at := int(next.Add(1)*100) % len(nos)
					body, _ := json.Marshal(object{"apikey": o.key, "application_nos": nos[at:min(at+100, len(nos))]})
					s.call(b, "POST", "/batch_query", body)
				})
				b.ReportMetric(perSecond, "queries/s")
				b.ReportMetric(float64(p99.Microseconds())/1000, "p99_ms")
			}
		})
	}
}
