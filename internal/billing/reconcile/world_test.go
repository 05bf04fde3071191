package reconcile_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/billing"
	"huizhi/internal/billing/reconcile"
	"huizhi/internal/billing/stripe"
	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/providers"
	"huizhi/internal/providers/clipimg"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
)

// world is a month's money with everything real around it: a database, the ledger,
// and the provider's simulator on a socket behind a front that can misbehave.
type world struct {
	t        *testing.T
	d        *db.DB
	billing  *billing.Service
	orders   *orders.Service
	client   *clipimg.Client
	sim      *simulator.Server
	stripe   *remotes
	tenant   string
	sc       tenants.Scope
	batch    string
	photo    string
	clock    atomic.Pointer[time.Time]
	answer   atomic.Pointer[func(w http.ResponseWriter, r *http.Request, next http.Handler)]
	lists    atomic.Int64 // pages of applications that were asked for
	month    billing.Month
	sequence int
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t, d: d, billing: billing.NewService(d), tenant: db.NewID(), batch: db.NewID(), photo: db.NewID()}
	require.NoError(t, billing.Protect(ctx, d))
	w.at(db.Now())
	w.month = billing.MonthOf(w.now())
	var err error
	w.sim, err = simulator.Start(ctx, simulator.Config{Pace: simulator.PaceOf(6 * time.Millisecond)})
	require.NoError(t, err)
	t.Cleanup(func() { w.sim.Close() })
	target, err := url.Parse(w.sim.URL())
	require.NoError(t, err)
	host := &url.URL{Scheme: target.Scheme, Host: target.Host}
	next := httputil.NewSingleHostReverseProxy(host)
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") != "" {
			w.lists.Add(1)
		}
		if f := w.answer.Load(); f != nil {
			(*f)(rw, r, next)
			return
		}
		next.ServeHTTP(rw, r)
	}))
	t.Cleanup(front.Close)
	w.client, err = clipimg.New(clipimg.Config{BaseURL: front.URL + target.Path, APIKey: simulator.DefaultAPIKey})
	require.NoError(t, err)
	w.orders = orders.New(orders.Config{DB: d, Provider: w.client, Account: "simulator", Log: slog.New(slog.DiscardHandler), BreakerAfter: 1000})

	w.sc = tenants.ForTenant(w.tenant)
	w.insert("tenants", map[string]any{"id": w.tenant, "name": "晨光照相馆", "kind": "store", "created_at": w.month.Start().AddDate(-1, 0, 0).UTC()})
	w.insert("batches", map[string]any{"tenant_id": w.tenant, "id": w.batch, "name": "三(2)班", "type_id": 1, "type_name": "居住证",
		"city": "广东省,深圳市", "simulate": false, "pending_pictures": 0, "next_seq": 2, "created_by": "test", "created_at": w.now()})
	w.insert("pictures", map[string]any{"tenant_id": w.tenant, "id": w.photo, "batch_id": w.batch, "seq": 1, "name": "a.jpg", "pair_key": "a",
		"sha256": "x", "size": 1, "original_key": "x", "state": "ready", "kind": "portrait", "problem_key": "", "format": "jpeg",
		"width": 1, "height": 1, "working_key": "", "preview_key": "", "thumb_key": "", "created_at": w.now()})
	return w
}

func (w *world) now() time.Time { return *w.clock.Load() }
func (w *world) at(t time.Time) { w.clock.Store(&t) }
func (w *world) afterMonth()    { w.at(w.month.End().AddDate(0, 0, 1).UTC()) }
func (w *world) misbehave(f misdeed) {
	w.answer.Store((*func(http.ResponseWriter, *http.Request, http.Handler))(&f))
}
func (w *world) behave()              { w.answer.Store(nil) }
func (w *world) ctx() context.Context { return context.Background() }

// misdeed answers for the provider.
type misdeed func(w http.ResponseWriter, r *http.Request, next http.Handler)

// service is a process of its own on the same database.
func (w *world) service() *reconcile.Service {
	c := reconcile.Config{DB: w.d, Billing: w.billing, Applications: sent{w.orders}, Log: slog.New(slog.DiscardHandler), Now: w.now, Waits: []time.Duration{}}
	if w.stripe != nil {
		c.Stripe = w.stripe
	}
	return reconcile.New(c)
}

// sent ties reconciling to the order engine, as the program does.
type sent struct{ *orders.Service }

func (s sent) Page(ctx context.Context, page int) (providers.Page, error) {
	return s.ApplicationPage(ctx, page)
}

func (s sent) Sent(ctx context.Context, sweep tenants.Sweep, numbers, references []string) ([]reconcile.Attempt, error) {
	list, err := s.SentAttempts(ctx, sweep, numbers, references)
	return converted(list), err
}

func (s sent) Unsettled(ctx context.Context, sweep tenants.Sweep, from, end time.Time) ([]reconcile.Attempt, error) {
	list, err := s.UnsettledAttempts(ctx, sweep, from, end)
	return converted(list), err
}

func converted(list []orders.SentAttempt) (out []reconcile.Attempt) {
	for _, a := range list {
		out = append(out, reconcile.Attempt(a))
	}
	return out
}

// remotes are the invoices at a Stripe account.
type remotes struct {
	list []stripe.Remote
	err  error
}

func (r *remotes) EachInvoice(_ context.Context, _ time.Time, visit func(stripe.Remote) error) error {
	for _, one := range r.list {
		if err := visit(one); err != nil {
			return err
		}
	}
	return r.err
}

func (w *world) insert(table string, row map[string]any) {
	w.t.Helper()
	_, err := w.d.NewInsert().Model(&row).ModelTableExpr(table).Exec(w.ctx())
	require.NoError(w.t, err)
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	_, err := w.d.NewRaw(query, args...).Exec(w.ctx())
	require.NoError(w.t, err)
}

// attempt is one application of ours in our own books.
type attempt struct{ id, order, number, reference, no string }

// sends writes an order with an attempt that has been sent, in a state.
func (w *world) sends(status string, no string) attempt {
	w.t.Helper()
	w.sequence++
	a := attempt{id: db.NewID(), order: db.NewID(), reference: db.NewID(), no: no, number: fmt.Sprintf("HZ-2611-%06d", w.sequence)}
	w.insert("orders", map[string]any{"tenant_id": w.tenant, "id": a.order, "batch_id": w.batch, "number": a.number,
		"status": "completed", "seq": w.sequence, "type_id": 1, "type_name": "居住证", "city": "广东省,深圳市", "simulate": false,
		"photo_id": w.photo, "paired_by": "name", "name": "", "id_number": "", "fields": "{}", "exceptions": 0, "version": 1,
		"message": "", "image_code": "", "created_at": w.now(), "updated_at": w.now()})
	var number any
	if no != "" {
		number = no
	}
	live := status != "completed" && status != "failed" && status != "absent"
	w.insert("attempts", map[string]any{"tenant_id": w.tenant, "id": a.id, "order_id": a.order, "ordinal": 1, "status": status, "live": live, "simulate": false,
		"reference": a.reference, "photo_token": a.id, "callback_token": a.id, "type_id": 1, "custom_fields": "{}", "photo_key": "", "photo_fetches": 0,
		"application_no": number, "provider_status": "", "message": "", "error_key": "", "submitted_by": "test", "created_at": w.now(), "not_before": w.now(),
		"dispatched_at": w.now(), "polls": 0, "clean_scans": 0, "scans": 0})
	return a
}

// applies hands an application in at the provider. It costs nothing there and needs
// no photo, and its list shows it like any other.
func (w *world) applies(reference string, end providers.Status) (no string) {
	w.t.Helper()
	fields := map[string]string{providers.CityField: "广东省,深圳市"}
	if reference != "" {
		fields[providers.ReferenceField] = reference
	}
	no, err := w.client.Submit(w.ctx(), providers.Application{TypeID: 4, PhotoURL: "http://127.0.0.1:1/p.jpg", CustomFields: fields, Simulate: true, SimulateResult: end})
	require.NoError(w.t, err)
	return no
}

// numbered gives the attempt the number of its application.
func (w *world) numbered(a *attempt, no string) {
	w.t.Helper()
	a.no = no
	w.exec("UPDATE attempts SET application_no = ? WHERE id = ?", no, a.id)
}

// charges writes the charge of an attempt.
func (w *world) charges(a attempt, at time.Time) {
	w.t.Helper()
	w.chargesPoints(a, at, providers.PointsPerReceipt)
}

func (w *world) chargesPoints(a attempt, at time.Time, points int64) {
	w.t.Helper()
	err := w.d.RunInTx(w.ctx(), nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := billing.Record(ctx, tx, w.sc, billing.NewCharge{AttemptID: a.id, OrderID: a.order, OrderNumber: a.number, TypeID: 4, TypeName: "居住证",
			City: "广东省,深圳市", BatchID: w.batch, BatchName: "三(2)班", Points: points, At: at})
		return err
	})
	require.NoError(w.t, err)
}

// receipt is the usual case: sent, completed there, charged here.
func (w *world) receipt() attempt {
	w.t.Helper()
	a := w.sends("completed", "")
	w.numbered(&a, w.applies(a.reference, providers.StatusCompleted))
	w.charges(a, w.now())
	return a
}

// settled waits until the provider has finished everything.
func (w *world) settled() {
	w.t.Helper()
	require.NoError(w.t, w.sim.Drain(w.ctx()))
}

// runs compares the month by one process and returns how the run ended.
func (w *world) runs() *reconcile.Run {
	w.t.Helper()
	w.settled()
	w.at(w.now().Add(time.Minute))
	s := w.service()
	run, err := s.Request(w.ctx(), []billing.Month{w.month}, "test")
	require.NoError(w.t, err)
	run, err = s.Await(w.ctx(), run.ID)
	require.NoError(w.t, err)
	return run
}

// compares is runs for one that must end well; it returns what is not gone.
func (w *world) compares() []reconcile.Difference {
	w.t.Helper()
	run := w.runs()
	require.Equal(w.t, reconcile.Done, run.State, "%s %s", run.Problem, run.Cause)
	return w.list(reconcile.Filter{})
}

func (w *world) list(f reconcile.Filter) []reconcile.Difference {
	w.t.Helper()
	list, next, err := w.service().Differences(w.ctx(), w.month, f, "", 1000)
	require.NoError(w.t, err)
	require.Empty(w.t, next)
	return list
}

// kinds are the kinds and states of differences.
func kinds(list []reconcile.Difference) (out []string) {
	for _, d := range list {
		out = append(out, string(d.Kind)+" "+string(d.State))
	}
	return out
}
