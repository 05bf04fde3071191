package server

import (
	"context"
	"net/http"
	"path"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/internal/orders"
	"huizhi/internal/receipts"
	"huizhi/internal/tenants"
	"huizhi/web/templates/counterview"
	"huizhi/web/templates/ui"
)

// followRoutes are the page that a customer at the counter takes along on a slip.
// Its address is all that it needs, so that address is a secret: random, never
// logged, never indexed, and guessing is slow.
func (s *Server) followRoutes() []route {
	return []route{
		{"GET /f/{token}", anyone, s.follow},
		{"GET /f/{token}/receipt", anyone, s.followReceipt},
		{"GET /f/{token}/photo", anyone, s.followPhoto},
	}
}

// followed is the customer whom the address leads to. Whoever tried too many
// addresses that lead nowhere has to wait.
func (s *Server) followed(w http.ResponseWriter, r *http.Request) (tenants.Scope, *orders.Visit, error) {
	h := w.Header()
	h.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	peer := clientAddress(r)
	if !s.guesses.allowed(peer, time.Now()) {
		return tenants.Scope{}, nil, apperr.New(apperr.TooMany, "follow.error.too_many")
	}
	sc, v, err := s.Orders.Follow(r.Context(), r.PathValue("token"))
	if apperr.KindOf(err) == apperr.NotFound {
		s.guesses.missed(peer, time.Now())
	}
	return sc, v, err
}

func (s *Server) follow(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	sc, v, err := s.followed(w, r)
	if err != nil {
		return err
	}
	t, err := s.Tenants.Get(ctx, sc)
	if err != nil {
		return err
	}
	m := followModel(ctx, v)
	m.Token, m.Shop = r.PathValue("token"), t.Name
	if m.Open {
		if m.Usual, err = s.usualTime(ctx, v.Order.TypeID); err != nil {
			return err
		}
	}
	if isHTMX(r) {
		return s.render(w, r, http.StatusOK, counterview.FollowBody(m))
	}
	return s.render(w, r, http.StatusOK, counterview.FollowPage(s.plainChrome(r), m))
}

// followStages are the stages of an order as its customer sees them, each with the
// states of the order in which it is the present one.
var followStages = []struct {
	name   string
	states []orders.Status
}{
	{"received", []orders.Status{orders.StatusQueued, orders.StatusDispatching}},
	{"working", []orders.Status{orders.StatusAccepted, orders.StatusProcessing, orders.StatusSubmitted, orders.StatusUnknown, orders.StatusNeedsDecision}},
	{"ready", []orders.Status{orders.StatusCompleted}},
}

func followModel(ctx context.Context, v *orders.Visit) counterview.Follow {
	o := v.Order
	m := counterview.Follow{Name: maskMiddle(o.Name), Order: o.Number, Type: o.TypeName, City: o.City, Simulate: o.Simulate, Open: o.Status.Live()}
	say := func(what string, tone ui.Tone) {
		m.Title, m.Text, m.Tone = i18n.T(ctx, "follow.title."+what), i18n.T(ctx, "follow.text."+what), tone
	}
	at := 0
	for i, stage := range followStages {
		for _, st := range stage.states {
			if st == o.Status {
				at = i
			}
		}
	}
	stage, broken := followStages[at].name, false
	switch o.Status {
	case orders.StatusFailed, orders.StatusRejected:
		stage, broken = "come_back", true
		say(stage, ui.Fail)
		m.Text = i18n.T(ctx, "follow.text.come_back", "reason", failureText(ctx, o))
	case orders.StatusReview, orders.StatusReady, orders.StatusRecognizing, orders.StatusDraft:
		m.Open = true
		say("shop", ui.Run)
	case orders.StatusCancelled:
		say("cancelled", ui.Grey)
	case orders.StatusCompleted:
		if received(v) {
			say("ready", ui.Done)
			m.Receipt, m.Photo = true, v.Receipt.PhotoKey != ""
			break
		}
		m.Open = true
		say("fetching", ui.Run)
	default:
		say(stage, ui.Run)
	}
	for i, stage := range followStages {
		step := counterview.Step{Label: i18n.T(ctx, "follow.step."+stage.name), Done: i < at || o.Status == orders.StatusCompleted, Current: i == at && m.Open}
		switch {
		case i == 0:
			step.At, step.Done = *v.EndedAt, true
		case stage.name == "ready" && o.CompletedAt != nil:
			step.At = *o.CompletedAt
		case i == 1 && broken:
			step.Failed = true
		}
		m.Steps = append(m.Steps, step)
	}
	if !m.Open {
		m.Until = orders.FollowedUntil(o)
	}
	return m
}

func (s *Server) followReceipt(w http.ResponseWriter, r *http.Request) error {
	return s.followFile(w, r, "receipts.file.receipt", func(e receipts.Entry) receipts.File { return e.Receipt })
}

func (s *Server) followPhoto(w http.ResponseWriter, r *http.Request) error {
	return s.followFile(w, r, "receipts.file.photo", func(e receipts.Entry) receipts.File { return e.Photo })
}

// followFile serves a file of the receipt under a name without personal data.
func (s *Server) followFile(w http.ResponseWriter, r *http.Request, kindKey string, which func(receipts.Entry) receipts.File) error {
	_, v, err := s.followed(w, r)
	if err != nil {
		return err
	}
	none := apperr.New(apperr.NotFound, "error.receipt.no_file")
	if !received(v) {
		return none
	}
	entry := receiptEntry(v.Order, v.Receipt)
	file := which(entry)
	if file.Key == "" {
		return none
	}
	content, err := s.Orders.Blobs.NewReader(r.Context(), file.Key)
	if err != nil {
		return err
	}
	ending := path.Ext(receipts.SingleName(i18n.T(r.Context(), kindKey), entry, file.Type))
	h := w.Header()
	h.Set("Content-Disposition", contentDisposition("attachment", v.Order.Number+ending, i18n.T(r.Context(), kindKey)+" "+v.Order.Number+ending))
	h.Set("Content-Security-Policy", picturePolicy)
	h.Set("Content-Type", file.Type)
	defer content.Close()
	http.ServeContent(w, r, "", time.Time{}, content)
	return nil
}

// guesses slows down who tries addresses that lead nowhere: a burst per peer, then
// one every few seconds. A token has 160 random bits, so this is for the load.
type guesses struct {
	mu     sync.Mutex
	byPeer map[string]*rate.Limiter
}

const (
	guessBurst = 20
	guessEvery = 5 * time.Second
	// maxPeers bounds the memory; beyond it all are forgiven.
	maxPeers = 10_000
)

func (g *guesses) allowed(peer string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.byPeer[peer]
	return l == nil || l.TokensAt(now) >= 1
}

func (g *guesses) missed(peer string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.byPeer == nil || len(g.byPeer) >= maxPeers {
		g.byPeer = map[string]*rate.Limiter{}
	}
	l := g.byPeer[peer]
	if l == nil {
		l = rate.NewLimiter(rate.Every(guessEvery), guessBurst)
		g.byPeer[peer] = l
	}
	l.AllowN(now, 1)
}
