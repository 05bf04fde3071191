// Package app wires everything together. It is the only package that knows
// everything; cmd/web and the end-to-end tests use it.
package app

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/time/rate"

	"huizhi/internal/auth"
	"huizhi/internal/billing"
	"huizhi/internal/billing/bulk"
	"huizhi/internal/billing/exports"
	"huizhi/internal/billing/fapiao"
	"huizhi/internal/billing/reconcile"
	"huizhi/internal/billing/stripe"
	"huizhi/internal/billing/voucher"
	"huizhi/internal/blob"
	"huizhi/internal/classes"
	"huizhi/internal/collect"
	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/demo"
	"huizhi/internal/exportjobs"
	"huizhi/internal/jobs"
	"huizhi/internal/ocr"
	"huizhi/internal/ocr/local"
	"huizhi/internal/ocr/routing"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/providers"
	"huizhi/internal/providers/clipimg"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/receiptapi"
	"huizhi/internal/roster"
	"huizhi/internal/safehttp"
	"huizhi/internal/server"
	"huizhi/internal/tenants"
	"huizhi/web/templates/authview"
)

// OCRWorker is the hidden subcommand that is the OCR engine's child process.
const OCRWorker = "ocr-worker"

// Option changes how the application is put together; for tests.
type Option func(*options)

type options struct {
	simulator  simulator.Config
	ocrCommand []string
	reader     ocr.Reader
	orders     func(*orders.Config)
}

// WithSimulator starts the built-in simulator with this configuration.
func WithSimulator(c simulator.Config) Option { return func(o *options) { o.simulator = c } }

// WithOCRCommand says how the OCR child is started; a test binary is not `web`.
func WithOCRCommand(argv ...string) Option { return func(o *options) { o.ocrCommand = argv } }

// WithReader puts another OCR engine in.
func WithReader(r ocr.Reader) Option { return func(o *options) { o.reader = r } }

// WithOrders tunes the engine's times.
func WithOrders(change func(*orders.Config)) Option { return func(o *options) { o.orders = change } }

// App is the whole program but for its command line.
type App struct {
	Config      *config.Config
	Log         *slog.Logger
	DB          *db.DB
	Blobs       *blob.Store
	Jobs        *jobs.Queue
	Auth        *auth.Service
	Sessions    *auth.SessionStore
	Tenants     *tenants.Service
	Photos      *photos.Service
	Orders      *orders.Service
	Rosters     *roster.Service
	Classes     *classes.Service
	Collect     *collect.Service
	Billing     *billing.Service
	Stripe      *stripe.Service // nil without a key
	Exports     *exports.Service
	ExportJobs  *exportjobs.Service
	Vouchers    *voucher.Service
	Fapiao      *fapiao.Service
	Bulk        *bulk.Service
	Reconcile   *reconcile.Service
	API         *receiptapi.Service
	OCR         ocr.Reader // the local engine
	Recognition *routing.Router
	Simulator   *simulator.Server // nil with a real provider

	listener net.Listener
	http     *http.Server
	closers  []func() error
}

// New opens the database, brings its schema up to date, and makes the services.
// Nothing runs yet. Close must be called, also after an error.
func New(ctx context.Context, c *config.Config, log *slog.Logger, opts ...Option) (*App, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program's file: %w", err)
	}
	o := options{ocrCommand: []string{exe, OCRWorker}}
	for _, opt := range opts {
		opt(&o)
	}
	a := &App{Config: c, Log: log}
	if err := a.open(ctx, &o); err != nil {
		a.Close(ctx)
		return nil, err
	}
	return a, nil
}

func (a *App) open(ctx context.Context, o *options) error {
	c := a.Config
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("cannot make the data folder: %w", err)
	}
	key, err := c.Key()
	if err != nil {
		return err
	}
	if a.DB, err = OpenDatabase(ctx, c); err != nil {
		return err
	}
	a.closers = append(a.closers, a.DB.Close)
	if path := a.DB.SQLitePath(); path != "" {
		unlock, err := lockFile(path + ".lock")
		if err != nil {
			return err
		}
		a.closers = append(a.closers, unlock)
	}
	if a.Blobs, err = blob.Open(ctx, c.BlobURL); err != nil {
		return err
	}
	a.closers = append(a.closers, a.Blobs.Close)
	if a.Jobs, err = jobs.Open(ctx, a.DB, a.Log); err != nil {
		return err
	}
	if c.JobRescue > 0 {
		a.Jobs.RescueAfter = c.JobRescue
	}
	provider, account, err := a.openProvider(ctx, o)
	if err != nil {
		return err
	}
	if a.OCR = o.reader; a.OCR == nil {
		a.OCR = local.New(local.Config{Dir: c.OCRDir, Exec: o.ocrCommand, Logger: a.Log})
	}
	a.closers = append(a.closers, a.OCR.Close)

	a.Auth = auth.NewService(a.DB)
	a.Sessions = auth.NewSessionStore(a.DB, key, len(c.BaseURL) > 8 && c.BaseURL[:8] == "https://")
	a.Tenants = tenants.NewService(a.DB)
	a.Billing = billing.NewService(a.DB)
	a.Stripe = newStripe(c, a.DB, a.Jobs, a.Billing)
	a.openDocuments()
	a.Bulk = bulk.New(bulk.Config{DB: a.DB, Jobs: a.Jobs, Billing: a.Billing})

	var srv *server.Server
	changed := func(sc tenants.Scope, batchID string) {
		if srv != nil {
			srv.BatchChanged(sc, batchID)
		}
	}
	files := safehttp.New(safehttp.Config{AllowPrivate: c.AllowPrivateURLs || c.Simulated(), UserAgent: "huizhi"})
	oc := orders.Config{
		DB: a.DB, Blobs: a.Blobs, Jobs: a.Jobs, Provider: provider, Account: account, Ledger: ledger{}, Funds: funds{a.Billing},
		Fetch: func(ctx context.Context, url string) (orders.File, error) {
			f, err := files.Fetch(ctx, url, safehttp.Limits{Redirects: 3})
			return orders.File{Data: f.Body, Type: f.ContentType, SHA256: f.SHA256}, err
		},
		BaseURL: a.URL, Changed: changed, Log: a.Log, PollSchedule: c.PollSchedule,
		Followed: func(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *orders.Order, r *orders.Receipt) error {
			return a.API.Follow(ctx, tx, sc, o, r)
		},
		PollSlowAfter: c.PollSlowAfter, PollSlow: c.PollSlow, PollJitter: c.PollJitter, PhotoFor: c.PhotoFor,
		SubmitTimeout: c.SubmitTimeout, Concurrency: c.ClipImgConcurrency, Rate: c.ClipImgRate,
		Quiet: c.ReconcileQuiet, ScanEvery: c.ReconcileEvery, WithoutEcho: c.ClipImgNoReference, WarnDays: c.BalanceWarnDays,
	}
	if o.orders != nil {
		o.orders(&oc)
	}
	a.Orders = orders.New(oc)
	a.Reconcile = newReconcile(a.DB, a.Billing, a.Orders, a.Stripe, a.Log)
	if a.Recognition, err = a.openRecognition(); err != nil {
		return err
	}
	a.Photos = photos.New(photos.Config{DB: a.DB, Blobs: a.Blobs, Jobs: a.Jobs, OCR: a.Recognition, Batches: a.Orders, Changed: changed, Log: a.Log})

	a.Rosters = roster.New(roster.Config{DB: a.DB, Blobs: a.Blobs, Jobs: a.Jobs, Changed: a.Orders.RosterChanged, InUse: personInUse})
	a.Classes = classes.New(classes.Config{DB: a.DB, Rosters: a.Rosters, Photos: a.Photos, Exports: a.ExportJobs})

	linkKey, err := hkdf.Key(sha256.New, key, nil, "huizhi collection links", 32)
	if err != nil {
		return fmt.Errorf("cannot derive a key: %w", err)
	}
	a.Collect = collect.New(collect.Config{DB: a.DB, Key: linkKey, Auth: a.Auth, Orders: a.Orders, Photos: a.Photos, Rosters: a.Rosters, Changed: changed, Log: a.Log})

	a.API = receiptapi.New(receiptapi.Config{
		DB: a.DB, Blobs: a.Blobs, Jobs: a.Jobs, Tenants: a.Tenants, Orders: a.Orders, Photos: a.Photos, BaseURL: a.URL, Log: a.Log,
		Web:           safehttp.New(safehttp.Config{AllowPrivate: c.AllowPrivateURLs, UserAgent: "huizhi"}),
		CallbackWaits: c.APICallbackWaits, PhotoWaits: c.APIPhotoWaits, Rate: rate.Limit(c.APIRate), Burst: 5 * c.APIRate,
	})

	a.Orders.Register(a.Jobs)
	a.Photos.Register(a.Jobs)
	a.Rosters.Register(a.Jobs)
	a.API.Register(a.Jobs)
	a.Recognition.Register(a.Jobs)
	a.ExportJobs.Register(a.Jobs)
	a.Bulk.Register(a.Jobs)
	a.Reconcile.Register(a.Jobs)
	if a.Stripe != nil {
		a.Stripe.Register(a.Jobs)
		a.Jobs.AddLoop("open at Stripe", time.Hour, func(ctx context.Context) (time.Duration, error) {
			return 0, a.Stripe.Refresh(ctx, tenants.AllTenants("payments whose webhooks were lost"), db.Now())
		})
	}
	a.Jobs.AddLoop("old scans", time.Hour, func(ctx context.Context) (time.Duration, error) {
		return 0, a.EraseOldScans(ctx, db.Now())
	})
	a.Jobs.AddLoop("photos not taken", time.Hour, func(ctx context.Context) (time.Duration, error) {
		return 0, a.Collect.Leftovers(ctx, tenants.AllTenants("photos that were sent and not taken are erased"))
	})
	a.Jobs.AddLoop("invoice drafts", time.Hour, func(ctx context.Context) (time.Duration, error) {
		return 0, a.Billing.EnsureDrafts(ctx, db.Now())
	})
	a.Jobs.AddLoop("ledger seals", time.Hour, func(ctx context.Context) (time.Duration, error) {
		return 0, a.Billing.SealDays(ctx, db.Now())
	})
	a.Jobs.AddLoop("invoices overdue", time.Hour, func(ctx context.Context) (time.Duration, error) {
		return 0, a.Billing.FallDue(ctx, db.Now())
	})
	a.Jobs.AddLoop("sessions", time.Hour, func(ctx context.Context) (time.Duration, error) {
		return 0, a.Sessions.Sweep(ctx, db.Now())
	})

	sc := server.Config{
		Auth: a.Auth, Sessions: a.Sessions, Tenants: a.Tenants, Photos: a.Photos, Orders: a.Orders, Rosters: a.Rosters, Classes: a.Classes, Collect: a.Collect, Billing: a.Billing, Bulk: a.Bulk, Stripe: a.Stripe, Reconcile: a.Reconcile, Exports: a.Exports, Vouchers: a.Vouchers, Fapiao: a.Fapiao, API: a.API, Recognition: a.Recognition, Blobs: a.Blobs, BaseURL: a.URL,
		Log: a.Log, Simulated: c.Simulated(), OCRReady: func() error { return a.OCR.Health(context.Background()) },
		Ready: func(r *http.Request) error { return a.DB.PingContext(r.Context()) },
	}
	if c.Demo {
		sc.Demo = []authview.DemoLogin{{Email: DemoEmail, Password: DemoPassword, As: authview.AsOwner},
			{Email: demo.FinanceEmail, Password: DemoPassword, As: authview.AsFinance},
			{Email: demo.OperatorEmail, Password: DemoPassword, As: authview.AsOperator}}
		sc.Sample = sampleZIP
	}
	srv = server.New(sc)
	a.http = &http.Server{
		Handler: srv.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(a.Log.Handler(), slog.LevelWarn),
	}
	return nil
}

// models are all tables, for the check at start.
func models() []any {
	return slices.Concat(tenants.Models, auth.Models, orders.Models, photos.Models, roster.Models, collect.Models, billing.Models, bulk.Models, stripe.Models, reconcile.Models, fapiao.Models, voucher.Models, exports.Models, exportjobs.Models, receiptapi.Models, routing.Models)
}

// OpenDatabase opens the database, migrates it if the settings allow, and
// refuses a schema that does not fit the program.
func OpenDatabase(ctx context.Context, c *config.Config) (*db.DB, error) {
	d, err := db.Open(ctx, c.DatabaseURL)
	if err != nil {
		return nil, err
	}
	if c.AutoMigrate {
		_, err = d.Migrate(ctx)
	} else {
		err = d.CheckMigrated(ctx)
	}
	if err == nil {
		err = d.CheckModels(ctx, models()...)
	}
	if err == nil {
		err = billing.Protect(ctx, d)
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// openProvider makes the client of the receipt provider; without a key, that of
// the built-in simulator, over a real socket all the same.
func (a *App) openProvider(ctx context.Context, o *options) (providers.Receipts, string, error) {
	c := a.Config
	if !c.Simulated() {
		client, err := clipimg.New(clipimg.Config{BaseURL: c.ClipImgURL, APIKey: c.ClipImgAPIKey})
		return client, "clipimg", err
	}
	sim := o.simulator
	if sim.StatePath == "" {
		sim.StatePath = filepath.Join(c.DataDir, "simulator")
	}
	if sim.Pace == (simulator.Pace{}) {
		sim.Pace = simulator.PaceOf(c.SimulatorPace)
	}
	sim.Logger = a.Log
	var err error
	if a.Simulator, err = startSimulator(context.WithoutCancel(ctx), sim); err != nil {
		return nil, "", err
	}
	a.closers = append(a.closers, a.Simulator.Close)
	key := sim.APIKey
	if key == "" {
		key = simulator.DefaultAPIKey
	}
	client, err := clipimg.New(clipimg.Config{BaseURL: a.Simulator.URL(), APIKey: key})
	return client, "simulator", err
}

// startSimulator starts it where it listened the last time, if it can: the
// addresses of its result files hold the port.
func startSimulator(ctx context.Context, sim simulator.Config) (*simulator.Server, error) {
	path := filepath.Join(sim.StatePath, "addr")
	if sim.Addr == "" {
		if addr, err := os.ReadFile(path); err == nil {
			again := sim
			again.Addr = string(addr)
			if s, err := simulator.Start(ctx, again); err == nil {
				return s, nil
			}
		}
	}
	s, err := simulator.Start(ctx, sim)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(s.URL())
	if err == nil {
		err = os.WriteFile(path, []byte(u.Host), 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot note the simulator's address: %w", err), s.Close())
	}
	return s, nil
}

// personInUse tells that an order, or what a guardian agreed to or sent, hangs on a
// person of a roster.
func personInUse(ctx context.Context, tx bun.IDB, sc tenants.Scope, personID string) (bool, error) {
	used, err := orders.PersonInUse(ctx, tx, sc, personID)
	if err != nil || used {
		return used, err
	}
	return collect.PersonInUse(ctx, tx, sc, personID)
}

// ledger lets the order engine charge without knowing billing.
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

// Listen takes the address; URL is known from here on.
func (a *App) Listen() error {
	l, err := net.Listen("tcp", a.Config.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	a.listener = l
	return nil
}

// URL is the address under which people and the provider reach the server.
func (a *App) URL() string {
	if a.Config.BaseURL != "" {
		return a.Config.BaseURL
	}
	if a.listener != nil {
		return "http://" + a.listener.Addr().String()
	}
	return "http://" + a.Config.Addr
}

// Run serves and works until the context ends, then stops gracefully: requests
// and jobs under way may finish.
func (a *App) Run(ctx context.Context) error {
	if a.listener == nil {
		if err := a.Listen(); err != nil {
			return err
		}
	}
	served := make(chan error, 1)
	requests, endRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer endRequests()
	a.http.BaseContext = func(net.Listener) context.Context { return requests }
	go func() { served <- a.http.Serve(a.listener) }()
	if a.Config.Workers {
		if a.DB.SQLitePath() != "" {
			// This process alone works the database: what was being sent when
			// the last one died is unknown now.
			if err := a.Orders.Recover(ctx); err != nil {
				return err
			}
		}
		if err := a.Jobs.Start(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
	a.Log.InfoContext(ctx, "serving", "url", a.URL(), "simulated", a.Config.Simulated())
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	time.AfterFunc(2*time.Second, endRequests) // event streams end, uploads had their chance
	err = errors.Join(err, a.http.Shutdown(grace))
	if a.Config.Workers {
		err = errors.Join(err, a.Jobs.Stop(grace))
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Handler answers the site's requests; for tests that need no socket.
func (a *App) Handler() http.Handler { return a.http.Handler }

// Close releases everything that New and Listen took.
func (a *App) Close(context.Context) error {
	var errs []error
	if a.listener != nil {
		a.listener.Close()
	}
	for _, c := range slices.Backward(a.closers) {
		errs = append(errs, c())
	}
	a.closers = nil
	return errors.Join(errs...)
}
