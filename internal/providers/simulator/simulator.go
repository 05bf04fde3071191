// Package simulator is all four upstream providers on one listener, each speaking its own wire format: for development,
// tests, training and demonstrations. It is written from the providers' documents, and shares no code with the clients.
// This package is the receipt provider ClipImg and what the four have in common; the OCR providers are in pyi, juhe and
// xinhuo below it.
//
// ClipImg behaves like the document where the document is clear. Where it is not, these are the readings it takes:
//
//   - Errors are HTTP 200 with a code. The order of checks of a submit is 1001, 1002, 1003, 1004, 1008, 1005, 1006,
//     1007, then 2001 for options that make no sense, then 1013. The key is in the query of a GET and in the body of a
//     POST; a body that is not sent as application/json is not read, hence 1001. A wrong method or path is HTTP 405 or
//     404 with a body of code 2002. Beyond the account's rate, HTTP 429 is answered.
//   - A receipt_type_id that is not a JSON integer, such as "5" or 5.0, is 1008. Empty custom_fields are 1004.
//   - An ID number is checked for its form and birth date, not for its check digit: the document's own sample is wrong.
//   - A city that the type does not offer is accepted and fails at the end, like a photo that cannot be used: not
//     reachable within 3 redirects and 20 MiB, not JPEG or PNG, smaller than 240 by 320 pixels, or with a ratio of
//     width to height outside 0.6 to 0.9.
//   - Completion deducts 500 points; 1013 looks at the balance alone, which may go below zero when several run at once.
//   - A simulated application jumps from pending to its simulate_result, fetches no photo and costs nothing. If the
//     result is not final, it stays there for ever, without a callback.
//   - Callbacks are sent for completed and failed, and repeated after 1, 2 and 4 s until HTTP 200 is answered.
//   - Times without a zone are UTC+8; a callback's timestamp is true UTC.
//   - batch_query leaves unknown numbers out and keeps the order of the request. applications lists the newest first.
//   - Result files stay valid, without a login, at addresses that cannot be guessed.
//
// Every accepted application is written to a journal before it is answered, so that a killed process loses nothing.
// SetFaults makes the simulator misbehave on purpose; people do so on the panel, see package panel.
package simulator

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"huizhi/internal/providers/simulator/account"
	"huizhi/internal/providers/simulator/cards"
	"huizhi/internal/providers/simulator/panel"
	"huizhi/internal/providers/simulator/wire"
	"huizhi/internal/safehttp"
)

const (
	pointsPerReceipt = 500
	defaultPoints    = 10_000_000
	// basePath makes the base URL look like the real one.
	basePath = "/app/receipt_api.php"
)

// DefaultAPIKey is the key that the simulator accepts unless told otherwise. It is no secret.
const DefaultAPIKey = "simulator"

// Config describes a simulator. The zero value works.
type Config struct {
	// Addr is the address to listen on; empty means a free port of 127.0.0.1. Result addresses contain it: a simulator
	// that keeps state over restarts should keep its address, too.
	Addr string
	// URL is where clients reach it, such as http://simulator:9090; empty means http:// and the address listened on.
	URL    string
	APIKey string // empty means DefaultAPIKey
	// PanelToken opens the panel to other machines; without one it is for this machine only. See package panel.
	PanelToken string
	// StatePath is a directory for the journal and the photos. Empty means that everything is lost with the process.
	StatePath string
	// Points is the account's opening balance; 0 means 10,000,000.
	Points int
	Pace   Pace
	OCR    OCR
	// QPS limits the requests per second of the account, answered by HTTP 429 beyond; 0 means no limit.
	QPS int
	// CallbackRetries are the pauses before a callback is repeated; nil means 1, 2 and 4 s.
	CallbackRetries []time.Duration
	// RefusePrivate makes photo addresses on private networks fail, as they would at a provider on the internet.
	RefusePrivate bool
	Faults        Faults
	Logger        *slog.Logger // nil discards
}

// Pace says how long an application stays in each state on average. Single ones take between half and one and a half
// of it. Zero fields take their default: together 12 s.
type Pace struct {
	Pending, Processing, Submitted time.Duration
}

// PaceOf divides the average time for one receipt into its states: waiting, working, waiting for the authority.
func PaceOf(whole time.Duration) Pace {
	return Pace{Pending: whole / 6, Processing: whole / 3, Submitted: whole / 2}
}

// Server is a running simulator.
type Server struct {
	cfg       Config
	log       *slog.Logger
	base      string // scheme and host
	http      *http.Server
	served    chan struct{} // closed when http has stopped serving
	types     []receiptType
	limit     *rate.Limiter
	photos    *safehttp.Client
	callbacks *http.Client
	slots     chan struct{} // bounds the photos being fetched and decoded at a time
	faults    wire.Injector
	desk      *cards.Desk
	accounts  map[Op]*account.Account // at the OCR providers

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // one per application that is still moving

	mu      sync.Mutex
	store   *store
	apps    map[string]*application // by number
	tokens  map[string]*application // by file token
	order   []*application          // oldest first
	topUps  int
	charged int // points
	stats   Stats

	second   string // the beginning of the newest application number
	inSecond int    // how many were given with it
}

// Start opens the listener and resumes what StatePath holds. The simulator runs until ctx ends or Close is called.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	cfg.Addr = cmp.Or(cfg.Addr, "127.0.0.1:0")
	cfg.APIKey = cmp.Or(cfg.APIKey, DefaultAPIKey)
	cfg.Points = cmp.Or(cfg.Points, defaultPoints)
	cfg.Pace.Pending = cmp.Or(cfg.Pace.Pending, 2*time.Second)
	cfg.Pace.Processing = cmp.Or(cfg.Pace.Processing, 4*time.Second)
	cfg.Pace.Submitted = cmp.Or(cfg.Pace.Submitted, 6*time.Second)
	if cfg.CallbackRetries == nil {
		cfg.CallbackRetries = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}
	}
	s := &Server{
		cfg:    cfg,
		log:    cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		types:  catalogue(),
		limit:  rate.NewLimiter(rate.Inf, 0),
		photos: safehttp.New(safehttp.Config{AllowPrivate: !cfg.RefusePrivate, UserAgent: "clipimg-simulator"}),
		slots:  make(chan struct{}, 4),
		apps:   make(map[string]*application),
		tokens: make(map[string]*application),
		served: make(chan struct{}),
	}
	if cfg.QPS > 0 {
		s.limit = rate.NewLimiter(rate.Limit(cfg.QPS), cfg.QPS)
	}
	s.callbacks = newCallbackClient()
	s.faults.Set(cfg.Faults)
	s.openAccounts()
	if err := s.restore(); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("simulator: %w", err), s.store.close())
	}
	s.base = cmp.Or(strings.TrimRight(cfg.URL, "/"), "http://"+listener.Addr().String())
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.http = &http.Server{
		Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return s.ctx },
	}
	for _, a := range s.order {
		s.launch(a.No)
	}
	go func() {
		defer close(s.served)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("simulator stopped serving", "error", err)
		}
	}()
	context.AfterFunc(s.ctx, func() { s.http.Close() })
	return s, nil
}

// restore opens the store and takes over what it holds.
func (s *Server) restore() error {
	st, saved, err := openStore(s.cfg.StatePath)
	if err != nil {
		return err
	}
	s.store, s.topUps = st, saved.topUps
	for _, a := range saved.applications {
		s.add(a)
		if a.Charged {
			s.charged += pointsPerReceipt
		}
	}
	return nil
}

// add makes an application known. The caller holds s.mu, or is Start.
func (s *Server) add(a *application) {
	s.apps[a.No] = a
	s.tokens[a.Token] = a
	s.order = append(s.order, a)
}

// URL is the base URL of the API, to be used like https://www.clipimg.com/app/receipt_api.php.
func (s *Server) URL() string { return URLAt(s.base) }

// URLAt is the base URL of the API of a simulator at an address such as http://127.0.0.1:9090.
func URLAt(address string) string { return address + basePath }

// APIKey is the key that the API accepts.
func (s *Server) APIKey() string { return s.cfg.APIKey }

// PanelURL is the address of the panel for people; see package panel.
func (s *Server) PanelURL() string { return s.base + panel.Path }

// Close stops the simulator. Applications that are under way stay in the state they are in, and go on when a
// simulator is started on the same StatePath.
func (s *Server) Close() error {
	s.mu.Lock() // so that accept launches nothing after this; see there
	s.cancel()
	s.mu.Unlock()
	err := s.http.Close()
	<-s.served
	s.work.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, s.store.close())
}

// Drain waits until no application is moving any more and all callbacks are sent. Nothing may be submitted meanwhile.
func (s *Server) Drain(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Application is what the simulator knows of an application, for assertions and the training panel.
type Application struct {
	No           string
	TypeID       int
	CustomFields map[string]string
	Simulate     bool
	Status       string
	Charged      bool
	SubmitTime   time.Time
	CompleteTime time.Time // zero while it has not ended
}

// Applications returns everything that was ever accepted, oldest first.
func (s *Server) Applications() []Application {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Application, len(s.order))
	for i, a := range s.order {
		all[i] = Application{
			No: a.No, TypeID: a.TypeID, CustomFields: make(map[string]string), Simulate: a.Simulate,
			Status: a.Status, Charged: a.Charged, SubmitTime: a.SubmitTime, CompleteTime: a.CompleteTime,
		}
		for name := range a.Fields {
			all[i].CustomFields[name] = a.Fields.text(name)
		}
	}
	return all
}

// Adopt takes over applications that ended elsewhere, such as the history of a demonstration, so that the list knows
// them. They have no files, and those that completed cost what they cost. A number that is known already stays as it is.
func (s *Server) Adopt(history []Application) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range history {
		if s.apps[h.No] != nil {
			continue
		}
		a := &application{No: h.No, Seq: len(s.order) + 1, Token: rand.Text(), TypeID: h.TypeID, Fields: customFields{}, Simulate: h.Simulate,
			Status: h.Status, Charged: h.Charged, SubmitTime: h.SubmitTime.UTC(), CompleteTime: h.CompleteTime.UTC(), Changed: h.CompleteTime.UTC(), CallbackDone: true}
		for name, value := range h.CustomFields {
			a.Fields[name] = wire.Encode(value)
		}
		if !a.final() {
			return fmt.Errorf("simulator: application %s has not ended", a.No)
		}
		if err := s.store.save(a); err != nil {
			return fmt.Errorf("simulator: %w", err)
		}
		s.add(a)
		if a.Charged {
			s.charged += pointsPerReceipt
		}
	}
	return nil
}

// Balance returns the account's points.
func (s *Server) Balance() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.balance()
}

// balance is Balance for callers that hold s.mu.
func (s *Server) balance() int { return s.cfg.Points + s.topUps - s.charged }

// AddPoints tops the account up; a negative number takes points away.
func (s *Server) AddPoints(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.topUps += n
	return s.store.saveTopUps(s.topUps)
}
