// Package collect lets people without an account send their photo for a batch that
// is tied to a roster: parents, by a link or a QR code.
//
//	collect.go  the service
//	model.go    collections, links, consents, photos that were sent, retakes
//	links.go    staff open, close and prolong links; a token finds its link
//	who.go      who a browser may speak for
//	consent.go  what has to be agreed to before anything is taken
//	send.go     a photo is examined and becomes an order, or comes back
//	standing.go where a person stands, for the page of the parent
//	retake.go   staff ask for another photo
//	progress.go who has sent one and who has not, for staff
//
// A link's token is derived from its id with a key that the database does not hold:
// a stolen backup opens no link. Whoever has a link of a class or of a batch says who
// the child is and proves it; a wrong answer, an unknown person and a child of another
// class get one and the same answer.
package collect

import (
	"context"
	"log/slog"
	"time"

	"huizhi/internal/auth"
	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
)

// Config is what the service needs.
type Config struct {
	DB      *db.DB
	Key     []byte // 32 secret bytes; another key makes all links unknown
	Auth    *auth.Service
	Orders  *orders.Service
	Photos  *photos.Service
	Rosters *roster.Service
	// Changed is called after a commit that changed a batch. May be nil.
	Changed func(sc tenants.Scope, batchID string)
	Log     *slog.Logger
	Now     func() time.Time // nil: the clock
}

// Service owns the collections.
type Service struct{ Config }

// New makes the service.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = db.Now
	}
	if c.Changed == nil {
		c.Changed = func(tenants.Scope, string) {}
	}
	return &Service{c}
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// actor is who sends photos by links: nobody whom we know.
const actor = "link"

// forget erases the files of photos that were not taken and that are not needed any
// more. What fails is only logged: Leftovers does it again.
func (s *Service) forget(ctx context.Context, sc tenants.Scope, list []Sending) {
	for _, x := range list {
		if err := s.Photos.Erase(ctx, sc, x.PictureID); err != nil {
			s.Log.ErrorContext(ctx, "cannot erase a photo that was not taken", "sending", x.ID, "error", err)
		}
	}
}
