// Package server is the HTTP side: routes, middleware, and one file of handlers
// per area. Handlers return errors; one place maps them to a status and a page.
package server

import (
	"log/slog"
	"net/http"
	"strings"

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
	"huizhi/internal/ocr/routing"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/receiptapi"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
	"huizhi/web/static"
	"huizhi/web/templates/authview"
)

// Config is what the handlers need.
type Config struct {
	Auth        *auth.Service
	Sessions    *auth.SessionStore
	Tenants     *tenants.Service
	Photos      *photos.Service
	Recognition *routing.Router
	Orders      *orders.Service
	Rosters     *roster.Service
	Classes     *classes.Service
	Collect     *collect.Service
	Billing     *billing.Service
	Bulk        *bulk.Service
	Stripe      *stripe.Service // nil: invoices are paid by bank transfer only
	Exports     *exports.Service
	Vouchers    *voucher.Service
	Fapiao      *fapiao.Service
	Reconcile   *reconcile.Service
	API         *receiptapi.Service
	Blobs       *blob.Store
	Log         *slog.Logger
	// BaseURL is the address that API clients are told.
	BaseURL func() string

	// Ready tells whether the server can do its work (database, blob store).
	Ready func(r *http.Request) error
	// Simulated marks every page: the built-in simulator serves (演练环境).
	Simulated bool
	// OCRReady tells whether the local engine is installed.
	OCRReady func() error
	// Demo are the sign-ins to show on the sign-in page; none outside demo mode.
	Demo []authview.DemoLogin
	// Sample is the ZIP of invented people offered in demo mode, or nil.
	Sample []byte
}

// Server answers the requests.
type Server struct {
	Config
	hub     *hub
	guesses guesses
}

// New makes the handlers.
func New(c Config) *Server { return &Server{Config: c, hub: newHub()} }

// BatchChanged wakes the pages that watch the batch.
func (s *Server) BatchChanged(sc tenants.Scope, batchID string) {
	s.hub.wake(watchKey(sc, batchID))
	s.hub.wake(watchKey(sc, counterWatch))
}

// watchKey names a batch in the hub.
func watchKey(sc tenants.Scope, batchID string) string { return sc.TenantID() + "/" + batchID }

// access says who may call a route.
type access struct {
	public bool // without sign-in
	signed bool // members and staff
	staff  bool // staff instead of members
	can    tenants.Can
}

// anyone needs no sign-in.
var anyone = access{public: true}

// signedIn needs a sign-in, whether of a tenant's member or of the platform's staff.
var signedIn = access{signed: true}

// staff needs a signed-in person of the platform's staff whose role allows it.
// For members of tenants these pages do not exist.
func staff(c tenants.Can) access { return access{staff: true, can: c} }

// can needs a signed-in member whose role allows it.
func can(c tenants.Can) access { return access{can: c} }

// member needs a signed-in member of any role.
var member = access{}

// route is one line of the routing table. The isolation test walks all of them
// as a foreign tenant, so a route that is not here does not exist.
type route struct {
	pattern string // method and path of http.ServeMux
	access  access
	handle  func(http.ResponseWriter, *http.Request) error
}

// routes is the whole table.
func (s *Server) routes() []route {
	var all []route
	for _, area := range [][]route{
		s.systemRoutes(), s.authRoutes(), s.homeRoutes(), s.batchRoutes(), s.rosterRoutes(), s.boardRoutes(), s.uploadRoutes(), s.reviewRoutes(),
		s.orderRoutes(), s.receiptRoutes(), s.validityRoutes(), s.billingRoutes(), s.settingRoutes(), s.recognitionRoutes(), s.providerRoutes(), s.stripeRoutes(), s.platformRoutes(), s.financeRoutes(), s.reconcileRoutes(), s.priceRoutes(), s.walletRoutes(), s.exportRoutes(), s.voucherRoutes(), s.fapiaoRoutes(), s.apiRoutes(),
		s.collectRoutes(), s.visitRoutes(),
		s.counterRoutes(), s.followRoutes(),
	} {
		all = append(all, area...)
	}
	return all
}

// Handler is the whole site.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range s.routes() {
		mux.HandleFunc(rt.pattern, s.serve(rt))
	}
	mux.Handle("GET "+static.Prefix, static.Handler())
	mux.HandleFunc(receiptapi.BasePath+"/", s.serve(route{access: anyone, handle: s.API.Elsewhere}))
	mux.HandleFunc("/", s.serve(route{access: anyone, handle: s.notFound}))

	// The provider's callbacks and fetches come from elsewhere and carry no
	// cookie; everything else that changes something must come from our pages.
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.AddInsecureBypassPattern("POST /callbacks/")
	crossOrigin.AddInsecureBypassPattern("POST /webhooks/")
	crossOrigin.AddInsecureBypassPattern("POST " + receiptapi.BasePath + "/") // its callers have a key and no cookie
	return s.recovered(s.logged(s.headers(crossOrigin.Handler(mux))))
}

// serve wraps a handler: identity, permission, language, error page.
func (s *Server) serve(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		note(r).pattern = rt.pattern
		r = s.withLanguage(r)
		r, err := s.withIdentity(r)
		if err == nil {
			err = s.allowed(r, rt.access)
		}
		if err == nil {
			err = rt.handle(w, r)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	}
}

// isHTMX tells that a partial is wanted, not a page. A boosted link and a
// restored history entry want the page.
func isHTMX(r *http.Request) bool {
	return r.Header.Get("HX-Request") == "true" && r.Header.Get("HX-Boosted") == "" && r.Header.Get("HX-History-Restore-Request") == ""
}

// clientAddress is the peer's address without its port, for throttling.
func clientAddress(r *http.Request) string {
	host := r.RemoteAddr
	if i := strings.LastIndex(host, ":"); i > 0 {
		host = host[:i]
	}
	return host
}
