package orders_test

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
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/auth"
	"huizhi/internal/billing"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/jobs"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/providers/clipimg"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/safehttp"
	"huizhi/internal/tenants"
)

// world is the engine with everything real around it: a database, a blob store,
// jobs, the simulator on a socket, and our own server for photos and callbacks.
type world struct {
	t     testing.TB
	db    *db.DB
	svc   *orders.Service
	sim   *simulator.Server
	queue *jobs.Queue
	blobs *blob.Store
	sc    tenants.Scope
	web   *httptest.Server
	user  string
	// hidden photos cannot be fetched: so many requests for one, or all if it is negative, are cut off.
	hidden *atomic.Int64
}

type ledger struct{}

func (ledger) ChargeReceipt(ctx context.Context, tx bun.Tx, sc tenants.Scope, c orders.ChargedReceipt) error {
	_, err := billing.Record(ctx, tx, sc, billing.NewCharge(c))
	return err
}

func (ledger) Points(ctx context.Context, d bun.IDB, sweep tenants.Sweep, from, before time.Time) (int64, error) {
	return billing.Points(ctx, d, sweep, from, before)
}

func (ledger) NoteFailure(ctx context.Context, tx bun.Tx, sc tenants.Scope, c orders.ChargedReceipt, outcome orders.AttemptStatus) error {
	return billing.RecordFree(ctx, tx, sc, billing.NewFree{AttemptID: c.AttemptID, OrderID: c.OrderID, OrderNumber: c.OrderNumber, TypeID: c.TypeID,
		TypeName: c.TypeName, City: c.City, BatchID: c.BatchID, BatchName: c.BatchName, Outcome: string(outcome), At: c.At})
}

func newWorld(t testing.TB, d *db.DB, sim simulator.Config, tune ...func(*orders.Config)) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t, db: d, hidden: new(atomic.Int64)}
	var err error
	w.blobs, err = blob.Open(ctx, "mem://")
	require.NoError(t, err)
	w.queue, err = jobs.Open(ctx, d, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	if sim.Pace == (simulator.Pace{}) {
		sim.Pace = simulator.Pace{Pending: 20 * time.Millisecond, Processing: 30 * time.Millisecond, Submitted: 30 * time.Millisecond}
	}
	sim.CallbackRetries = []time.Duration{10 * time.Millisecond, 10 * time.Millisecond, 10 * time.Millisecond}
	w.sim, err = simulator.Start(ctx, sim)
	require.NoError(t, err)
	t.Cleanup(func() { w.sim.Close() })
	client, err := clipimg.New(clipimg.Config{BaseURL: w.sim.URL(), APIKey: simulator.DefaultAPIKey})
	require.NoError(t, err)
	files := safehttp.New(safehttp.Config{AllowPrivate: true})
	config := orders.Config{
		DB: d, Blobs: w.blobs, Jobs: w.queue, Provider: client, Account: "simulator", Ledger: ledger{},
		Fetch: func(ctx context.Context, url string) (orders.File, error) {
			f, err := files.Fetch(ctx, url, safehttp.Limits{})
			return orders.File{Data: f.Body, Type: f.ContentType, SHA256: f.SHA256}, err
		},
		BaseURL: func() string { return w.web.URL }, Log: slog.New(slog.DiscardHandler),
		PollSchedule: []time.Duration{150 * time.Millisecond, 300 * time.Millisecond}, SubmitTimeout: 2 * time.Second,
		Quiet: 100 * time.Millisecond, ScanEvery: 100 * time.Millisecond, GatherFor: 30 * time.Millisecond,
		ThrottledWait: 50 * time.Millisecond, NotSentWait: 50 * time.Millisecond, AccountWait: 200 * time.Millisecond, ProbeEvery: 50 * time.Millisecond, SweepEvery: 50 * time.Millisecond,
	}
	for _, f := range tune {
		f(&config)
	}
	w.svc = orders.New(config)
	w.svc.Register(w.queue)
	w.web = httptest.NewServer(http.HandlerFunc(w.answer))
	t.Cleanup(w.web.Close)
	id, err := auth.NewService(d).SignUp(ctx, auth.SignUp{TenantName: "晨光照相馆", Kind: tenants.KindStore, Name: "李敏",
		Email: db.NewID() + "@example.com", Password: "correct horse"}, db.Now())
	require.NoError(t, err)
	w.sc, w.user = id.Scope(), id.User.ID
	return w
}

// answer is what the provider sees of us.
func (w *world) answer(rw http.ResponseWriter, r *http.Request) {
	if token, ok := strings.CutPrefix(r.URL.Path, "/p/"); ok {
		if left := w.hidden.Load(); left != 0 {
			w.hidden.Store(max(left-1, -1))
			panic(http.ErrAbortHandler)
		}
		photo, err := w.svc.PhotoForProvider(r.Context(), strings.TrimSuffix(token, ".jpg"))
		if err != nil {
			http.NotFound(rw, r)
			return
		}
		defer photo.Close()
		io.Copy(rw, photo)
		return
	}
	parts := strings.Split(r.URL.Path, "/")
	body, _ := io.ReadAll(r.Body)
	if err := w.svc.Callback(r.Context(), parts[len(parts)-1], body); err != nil {
		http.NotFound(rw, r)
	}
}

func (w *world) start() {
	w.t.Helper()
	require.NoError(w.t, w.queue.Start(context.Background()))
	w.t.Cleanup(func() { require.NoError(w.t, w.queue.Stop(context.Background())) })
}

// batch makes a batch of n orders that are ready to be submitted.
func (w *world) batch(n int, in orders.NewBatch) *orders.Batch {
	w.t.Helper()
	ctx := context.Background()
	if in.TypeID == 0 {
		in.TypeID = 4
	}
	in.City = "广东省,深圳市"
	b, err := w.svc.CreateBatch(ctx, w.sc, in, w.user)
	require.NoError(w.t, err)
	for i := range n {
		w.order(b, i)
	}
	return b
}

func (w *world) order(b *orders.Batch, i int) string {
	w.t.Helper()
	ctx := context.Background()
	key := w.sc.BlobKey(fmt.Sprintf("working/%s-%d.jpg", b.ID, i))
	require.NoError(w.t, w.blobs.Put(ctx, key, portrait(i), "image/jpeg"))
	pic := &photos.Picture{TenantID: w.sc.TenantID(), ID: db.NewID(), BatchID: b.ID, Seq: int64(i + 1), Name: fmt.Sprintf("%d.jpg", i),
		SHA256: fmt.Sprintf("%s-%d", b.ID, i), State: photos.StateDone, Kind: photos.KindPortrait, WorkingKey: key, CreatedAt: db.Now()}
	err := w.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := w.svc.PictureStored(ctx, tx, w.sc, b.ID); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(pic).Exec(ctx); err != nil {
			return err
		}
		return w.svc.PictureSorted(ctx, tx, w.sc, pic, nil)
	})
	require.NoError(w.t, err)
	list, err := w.svc.List(ctx, w.sc, orders.Filter{BatchID: b.ID}, "", 1)
	require.NoError(w.t, err)
	o := list[0]
	fields := map[ocr.FieldName]string{ocr.Name: "陈雨桐", ocr.IDNumber: "110101199001011237"}
	_, err = w.svc.Confirm(ctx, w.sc, o.ID, orders.Edit{Version: o.Version, Fields: fields}, false, w.user)
	require.NoError(w.t, err)
	return o.ID
}

var portraits sync.Map

func portrait(i int) []byte {
	if b, ok := portraits.Load(i % 4); ok {
		return b.([]byte)
	}
	img := image.NewRGBA(image.Rect(0, 0, 358, 441))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(110, 80, 250, 300), image.NewUniform(color.RGBA{200, uint8(150 + i%4), 120, 255}), image.Point{}, draw.Src)
	var buf bytes.Buffer
	_ = jpeg.Encode(&buf, img, nil)
	portraits.Store(i%4, buf.Bytes())
	return buf.Bytes()
}

func (w *world) submit(b *orders.Batch) int {
	w.t.Helper()
	n, err := w.svc.SubmitBatch(context.Background(), w.sc, b.ID, w.user)
	require.NoError(w.t, err)
	return n
}

// wait until every order of the batch is in one of the states and its files are here.
func (w *world) wait(b *orders.Batch, states ...orders.Status) {
	w.t.Helper()
	ctx := context.Background()
	var counts orders.Counts
	require.Eventually(w.t, func() bool {
		var err error
		counts, err = w.svc.Counts(ctx, w.sc, b.ID)
		require.NoError(w.t, err)
		fetching, err := w.db.NewSelect().Model((*orders.Receipt)(nil)).Where("state = ?", orders.ReceiptFetching).Count(ctx)
		require.NoError(w.t, err)
		return counts.Of(states...) == counts.Total() && fetching == 0
	}, 60*time.Second, 20*time.Millisecond, "counts: %v", &counts)
}

// requireInvariants checks what must hold whatever went wrong: no order has two
// applications upstream unless the first was proved absent, each completed order
// has one charge and nothing else has any.
func (w *world) requireInvariants(b *orders.Batch) {
	w.t.Helper()
	ctx := context.Background()
	perReference := map[string]int{}
	for _, a := range w.sim.Applications() {
		perReference[a.CustomFields["huizhi_ref"]]++
	}
	for ref, n := range perReference {
		require.Equal(w.t, 1, n, "reference %s was submitted %d times", ref, n)
	}
	list, err := w.svc.List(ctx, w.sc, orders.Filter{BatchID: b.ID}, "", 10_000)
	require.NoError(w.t, err)
	charges := map[string]int{}
	var rows []billing.Charge
	require.NoError(w.t, w.db.NewSelect().Model(&rows).Scan(ctx))
	for _, c := range rows {
		charges[c.OrderID]++
		require.EqualValues(w.t, 500, c.Points)
	}
	for _, o := range list {
		want := 0
		if o.Status == orders.StatusCompleted && !o.Simulate {
			want = 1
		}
		require.Equal(w.t, want, charges[o.ID], "charges of an order that is %s", o.Status)
		h, err := w.svc.History(ctx, w.sc, o.ID)
		require.NoError(w.t, err)
		applications := 0
		for _, a := range h.Attempts {
			applications += perReference[a.Reference]
		}
		require.LessOrEqual(w.t, applications, 1, "an order has two applications upstream")
		if o.Status == orders.StatusCompleted {
			require.NotNil(w.t, h.Receipt)
			require.Equal(w.t, orders.ReceiptStored, h.Receipt.State)
			require.Equal(w.t, "application/pdf", h.Receipt.ResultType)
			require.NotEmpty(w.t, o.ImageCode)
		}
	}
}

func (w *world) events(orderID string) (kinds []orders.EventKind) {
	w.t.Helper()
	h, err := w.svc.History(context.Background(), w.sc, orderID)
	require.NoError(w.t, err)
	for _, e := range h.Events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// told are the calls about an attempt with what they told: "batch_query completed".
func (w *world) told(a orders.Attempt) (calls []string) {
	w.t.Helper()
	e, err := w.svc.Evidence(context.Background(), w.sc, a.ID)
	require.NoError(w.t, err)
	for _, c := range e.Calls {
		calls = append(calls, c.Op+" "+c.Answer)
	}
	return calls
}

func (w *world) only(b *orders.Batch) orders.Order {
	w.t.Helper()
	list, err := w.svc.List(context.Background(), w.sc, orders.Filter{BatchID: b.ID}, "", 10)
	require.NoError(w.t, err)
	require.Len(w.t, list, 1)
	return list[0]
}

func TestOrdersAreSubmittedFollowedAndCharged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{})
		b := w.batch(12, orders.NewBatch{})
		w.start()
		require.Equal(t, 12, w.submit(b))
		require.Zero(t, w.submit(b), "pressing again submits nothing")
		w.wait(b, orders.StatusCompleted)
		w.requireInvariants(b)
		require.Len(t, w.sim.Applications(), 12)
		require.Equal(t, 12, w.sim.Stats().Calls[simulator.OpSubmit])
		require.Equal(t, 10_000_000-12*500, w.sim.Balance(), "the provider took as many points as we charged")
	})
}

func TestALostAnswerIsFoundAgainAndNeverSentTwice(t *testing.T) {
	for _, kind := range []simulator.Kind{simulator.Reset, simulator.ServerError, simulator.HTML, simulator.Truncated, simulator.Empty} {
		t.Run(string(kind), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d, simulator.Config{Faults: simulator.Faults{List: []simulator.Fault{
					{Op: simulator.OpSubmit, Kind: kind, After: true, Calls: []int{1}}}}})
				b := w.batch(1, orders.NewBatch{})
				w.start()
				w.submit(b)
				w.wait(b, orders.StatusCompleted)
				w.requireInvariants(b)
				require.Equal(t, 1, w.sim.Stats().Calls[simulator.OpSubmit])
				require.Subset(t, w.events(w.only(b).ID), []orders.EventKind{orders.EventUnknown, orders.EventFound, orders.EventCompleted, orders.EventCharged})
			})
		})
	}
}

func TestTheSearchThatFindsALostApplicationIsEvidence(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{Faults: simulator.Faults{List: []simulator.Fault{
			{Op: simulator.OpSubmit, Kind: simulator.Reset, After: true, Calls: []int{1}},
			{Op: simulator.OpCallback, Kind: simulator.Lost, Rate: 1}}}}) // a callback would name it
		b := w.batch(1, orders.NewBatch{})
		w.submit(b)
		w.start()
		w.wait(b, orders.StatusCompleted)
		require.Contains(t, w.told(w.attempts(b)[0]), "applications found")
	})
}

func TestAnAttemptThatNeverArrivedIsProvedAbsentAndSentAfresh(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{Faults: simulator.Faults{List: []simulator.Fault{
			{Op: simulator.OpSubmit, Kind: simulator.ServerError, Calls: []int{1}}}}})
		b := w.batch(1, orders.NewBatch{})
		w.start()
		w.submit(b)
		w.wait(b, orders.StatusCompleted)
		w.requireInvariants(b)
		o := w.only(b)
		h, err := w.svc.History(context.Background(), w.sc, o.ID)
		require.NoError(t, err)
		require.Len(t, h.Attempts, 2)
		require.Equal(t, orders.AttemptAbsent, h.Attempts[1].Status)
		require.GreaterOrEqual(t, h.Attempts[1].CleanScans, int64(2), "two clean scans before anything is sent again")
		require.NotEqual(t, h.Attempts[0].Reference, h.Attempts[1].Reference)
	})
}

func TestWithoutTheEchoAPersonDecides(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{Faults: simulator.Faults{List: []simulator.Fault{
			{Op: simulator.OpSubmit, Kind: simulator.ServerError, Calls: []int{1}}}}}, func(c *orders.Config) { c.WithoutEcho = true })
		b := w.batch(1, orders.NewBatch{})
		w.start()
		w.submit(b)
		w.wait(b, orders.StatusNeedsDecision)
		o := w.only(b)
		require.NotContains(t, w.events(o.ID), orders.EventScanned, "what cannot be recognised was not searched for")
		require.NoError(t, w.svc.Decide(ctx, w.sc, o.ID, orders.DecideResend, w.user))
		require.Error(t, w.svc.Decide(ctx, w.sc, o.ID, orders.DecideResend, w.user), "the second press comes too late")
		require.Equal(t, 1, w.submit(b))
		w.wait(b, orders.StatusCompleted)
		w.requireInvariants(b)
	})
}

// The application is there, but without our reference: that a scan does not find it proves nothing.
func TestWhatWasSentWithoutAReferenceIsNeverProvedAbsent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{Faults: simulator.Faults{List: []simulator.Fault{
			{Op: simulator.OpSubmit, Kind: simulator.Reset, After: true, Calls: []int{1}},
			{Op: simulator.OpCallback, Kind: simulator.Lost, Rate: 1}}}}, func(c *orders.Config) { c.WithoutEcho = true })
		b := w.batch(1, orders.NewBatch{})
		w.submit(b)
		w.svc.WithoutEcho = false // switched on after it was queued
		w.start()
		w.wait(b, orders.StatusNeedsDecision)
		require.Len(t, w.attempts(b), 1, "sent again, it would be paid twice")
	})
}

func TestAnEmptyAccountStopsEverythingAndResumesByItself(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{Points: 400})
		b := w.batch(3, orders.NewBatch{})
		w.start()
		w.submit(b)
		require.Eventually(t, func() bool {
			key, err := w.svc.PausedBy(context.Background())
			return err == nil && key == "provider.1013"
		}, 20*time.Second, 10*time.Millisecond)
		require.Empty(t, w.sim.Applications())
		require.NoError(t, w.sim.AddPoints(10_000))
		w.wait(b, orders.StatusCompleted)
		w.requireInvariants(b)
		for _, o := range []orders.Order{w.first(b)} {
			h, err := w.svc.History(context.Background(), w.sc, o.ID)
			require.NoError(t, err)
			require.Len(t, h.Attempts, 1, "a stop uses up no attempt")
		}
	})
}

func (w *world) first(b *orders.Batch) orders.Order {
	list, err := w.svc.List(context.Background(), w.sc, orders.Filter{BatchID: b.ID}, "", 1)
	require.NoError(w.t, err)
	return list[0]
}

func TestARefusedOrderIsCorrectedAndSentAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{Faults: simulator.Faults{List: []simulator.Fault{
			{Op: simulator.OpSubmit, Kind: simulator.Code, Code: 1007, Calls: []int{1}}}}})
		b := w.batch(1, orders.NewBatch{TypeID: 5})
		w.start()
		w.submit(b)
		w.wait(b, orders.StatusRejected)
		o := w.only(b)
		require.Equal(t, "provider.1007", o.Message)
		o2, err := w.svc.Reopen(ctx, w.sc, o.ID, w.user)
		require.NoError(t, err)
		_, err = w.svc.Confirm(ctx, w.sc, o.ID, orders.Edit{Version: o2.Version}, false, w.user)
		require.NoError(t, err)
		w.submit(b)
		w.wait(b, orders.StatusCompleted)
		w.requireInvariants(b)
		require.Equal(t, "110101199001011237", w.sim.Applications()[0].CustomFields["customer_id_card"], "the driving licence asks for the number")
	})
}

func TestTheIDNumberIsSentOnlyWhereTheTypeAsksForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), simulator.Config{})
	b := w.batch(1, orders.NewBatch{TypeID: 4})
	w.start()
	w.submit(b)
	w.wait(b, orders.StatusCompleted)
	require.NotContains(t, w.sim.Applications()[0].CustomFields, "customer_id_card")
}

func TestAFailedOrderCostsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), simulator.Config{Faults: simulator.Faults{List: []simulator.Fault{
		{Op: simulator.OpWork, Kind: simulator.Fail, Message: "照片背景不是纯白", Calls: []int{1}}}}})
	b := w.batch(1, orders.NewBatch{})
	w.start()
	w.submit(b)
	w.wait(b, orders.StatusFailed)
	w.requireInvariants(b)
	require.Equal(t, "照片背景不是纯白", w.only(b).Message)
}

func TestARehearsalIsNeverCharged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), simulator.Config{})
	b := w.batch(2, orders.NewBatch{Simulate: true})
	w.start()
	w.submit(b)
	w.wait(b, orders.StatusCompleted)
	w.requireInvariants(b)
	require.Equal(t, 10_000_000, w.sim.Balance())
}

func TestTwoPeoplePressSubmit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{})
		b := w.batch(20, orders.NewBatch{})
		w.start()
		var wg sync.WaitGroup
		var mu sync.Mutex
		total := 0
		for range 8 {
			wg.Go(func() {
				n, err := w.svc.SubmitBatch(context.Background(), w.sc, b.ID, w.user)
				if err != nil {
					return // one of them may lose the race; that is an error, not a second submit
				}
				mu.Lock()
				total += n
				mu.Unlock()
			})
		}
		wg.Wait()
		require.Equal(t, 20, total)
		w.wait(b, orders.StatusCompleted)
		w.requireInvariants(b)
	})
}

func TestCallbacksAreHintsOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{Faults: simulator.Faults{Seed: 1, List: []simulator.Fault{
			{Op: simulator.OpCallback, Kind: simulator.Forged, Rate: 1},
			{Op: simulator.OpCallback, Kind: simulator.Early, Rate: 1},
			{Op: simulator.OpCallback, Kind: simulator.Duplicate, Rate: 1},
		}}})
		b := w.batch(4, orders.NewBatch{})
		w.start()
		w.submit(b)
		w.wait(b, orders.StatusCompleted)
		w.requireInvariants(b)
	})
}

func TestLostCallbacksOnlyCostTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), simulator.Config{Faults: simulator.Faults{List: []simulator.Fault{{Op: simulator.OpCallback, Kind: simulator.Lost, Rate: 1}}}})
	b := w.batch(4, orders.NewBatch{})
	w.start()
	w.submit(b)
	w.wait(b, orders.StatusCompleted)
	w.requireInvariants(b)
}

func TestAPhotoAddressDiesWithItsAttempt(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, dbtest.SQLite(t), simulator.Config{})
	b := w.batch(1, orders.NewBatch{})
	w.submit(b)
	h, err := w.svc.History(ctx, w.sc, w.only(b).ID)
	require.NoError(t, err)
	photo, err := w.svc.PhotoForProvider(ctx, h.Attempts[0].PhotoToken)
	require.NoError(t, err)
	photo.Close()
	w.start()
	w.wait(b, orders.StatusCompleted)
	_, err = w.svc.PhotoForProvider(ctx, h.Attempts[0].PhotoToken)
	require.Error(t, err)
	require.Contains(t, w.events(w.only(b).ID), orders.EventPhotoFetched)
}

// Whatever goes wrong, at any rate, in any order: nothing is paid twice and every
// order comes to its end.
func TestInvariantsHoldUnderRandomFaults(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d, simulator.Config{Faults: simulator.Faults{Seed: seed, List: []simulator.Fault{
					{Op: simulator.OpSubmit, Kind: simulator.Delay, Rate: 0.2, Delay: 20 * time.Millisecond},
					{Op: simulator.OpSubmit, Kind: simulator.Reset, After: true, Rate: 0.12},
					{Op: simulator.OpSubmit, Kind: simulator.Reset, Rate: 0.08},
					{Op: simulator.OpSubmit, Kind: simulator.Throttle, Rate: 0.1},
					{Op: simulator.OpSubmit, Kind: simulator.Code, Code: 2002, After: true, Rate: 0.08},
					{Op: simulator.OpSubmit, Kind: simulator.HTML, Rate: 0.05},
					{Op: simulator.OpBatchQuery, Kind: simulator.ServerError, Rate: 0.2},
					{Op: simulator.OpBatchQuery, Kind: simulator.Truncated, Rate: 0.1},
					{Op: simulator.OpApplications, Kind: simulator.ServerError, Rate: 0.2},
					{Op: simulator.OpCallback, Kind: simulator.Lost, Rate: 0.3},
					{Op: simulator.OpCallback, Kind: simulator.Forged, Rate: 0.3},
					{Op: simulator.OpWork, Kind: simulator.Fail, Rate: 0.1, Message: "照片不合格"},
				}}})
				b := w.batch(30, orders.NewBatch{})
				w.start()
				w.submit(b)
				w.wait(b, orders.StatusCompleted, orders.StatusFailed)
				w.requireInvariants(b)
			})
		})
	}
}
