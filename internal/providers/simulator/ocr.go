package simulator

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"huizhi/internal/providers/simulator/account"
	"huizhi/internal/providers/simulator/cards"
	"huizhi/internal/providers/simulator/juhe"
	"huizhi/internal/providers/simulator/pyi"
	"huizhi/internal/providers/simulator/xinhuo"
	"huizhi/internal/safehttp"
)

// What the OCR accounts are called unless told otherwise. None of it is secret.
const (
	DefaultPyiAppID    = "1"
	DefaultPyiSecret   = "0123456789abcdef0123456789abcdef"
	DefaultJuheKey     = "simulator"
	DefaultXinhuoToken = "simulator"
)

// OCR describes the three simulated OCR providers. The zero value works; it sees no card on any picture.
type OCR struct {
	PyiAppID, PyiSecret string // empty means DefaultPyiAppID, DefaultPyiSecret
	JuheKey             string // empty means DefaultJuheKey
	XinhuoToken         string // empty means DefaultXinhuoToken

	// Limits of the accounts, which last until the process ends.
	Pyi, Juhe, Xinhuo account.Config

	// Recognise finds the card on a picture that was not registered. Nil finds none.
	Recognise cards.Reader

	// Now is the time for signatures and order numbers; nil means time.Now.
	Now func() time.Time
}

// RegisterCard says what the picture with a SHA-256, in lower-case hexadecimal, shows to all three OCR providers.
func (s *Server) RegisterCard(imageSHA256 string, c cards.Card) { s.desk.Register(imageSHA256, c) }

// HostURL is the base URL of the three OCR providers, whose documents' paths follow it.
func (s *Server) HostURL() string { return s.base }

// CallsLeft returns how many charged calls the account at an OCR provider may still make, and whether there is a limit.
func (s *Server) CallsLeft(op Op) (calls int, limited bool) { return s.accounts[op].Left() }

// AddCalls tops up the account at OpPyi, OpJuhe or OpXinhuo; a negative number takes calls away. An account without
// a limit gets one.
func (s *Server) AddCalls(op Op, calls int) { s.accounts[op].Add(calls) }

// openAccounts prepares the OCR providers.
func (s *Server) openAccounts() {
	c := &s.cfg.OCR
	c.PyiAppID = cmp.Or(c.PyiAppID, DefaultPyiAppID)
	c.PyiSecret = cmp.Or(c.PyiSecret, DefaultPyiSecret)
	c.JuheKey = cmp.Or(c.JuheKey, DefaultJuheKey)
	c.XinhuoToken = cmp.Or(c.XinhuoToken, DefaultXinhuoToken)
	if c.Now == nil {
		c.Now = time.Now
	}
	s.desk = cards.NewDesk(c.Recognise)
	s.accounts = map[Op]*account.Account{
		OpPyi: account.New(c.Pyi), OpJuhe: account.New(c.Juhe), OpXinhuo: account.New(c.Xinhuo),
	}
}

// ocrRoutes adds the OCR providers under the paths of their documents.
func (s *Server) ocrRoutes(mux *http.ServeMux) {
	c := s.cfg.OCR
	mux.Handle(pyi.Root, pyi.Handler(pyi.Config{
		AppID: c.PyiAppID, Secret: c.PyiSecret, Account: s.accounts[OpPyi], Desk: s.desk, Faults: &s.faults, Now: c.Now,
		Fetch: s.fetchPicture,
	}))
	mux.Handle(juhe.Root, juhe.Handler(juhe.Config{
		Key: c.JuheKey, Account: s.accounts[OpJuhe], Desk: s.desk, Faults: &s.faults, Now: c.Now,
	}))
	x := xinhuo.Handler(xinhuo.Config{
		Token: c.XinhuoToken, Account: s.accounts[OpXinhuo], Desk: s.desk, Faults: &s.faults, Now: c.Now,
	})
	mux.Handle(xinhuo.Path, x)
	mux.Handle(xinhuo.Root, x)
}

// fetchPicture gets a picture from an address given to pyi.
func (s *Server) fetchPicture(ctx context.Context, address string, maxBytes int64) ([]byte, error) {
	f, err := s.photos.Fetch(ctx, address, safehttp.Limits{MaxBytes: maxBytes, Timeout: 15 * time.Second, Redirects: 3})
	return f.Body, err
}

// OCRAccess returns the names and secrets of the OCR accounts that are in force.
func (s *Server) OCRAccess() OCR { return s.cfg.OCR }
