// Package classes shows a school where its photos are, class by class, and hands them
// out: the board, the lists behind its cells, the list of photos to take again, and
// archives of photos named as a school's systems want them.
//
//	classes.go  in which state somebody is, and the service
//	board.go    the board: one statement
//	people.go   the people behind a cell
//	retakes.go  whose photo is to be taken again, and why
//	presets.go  what 学籍 and 学信网 ask of a photo
//	plan.go     which photos an export has, and what they are called
//	export.go   an export is asked for, and made in the background
//	index.go    the table that goes with it
//
// Somebody counts once, whatever orders there are: with the newest that is not
// cancelled and not a test. The board of one batch counts the orders of that batch,
// and so shows a test batch as well.
package classes

import (
	"time"

	"huizhi/internal/db"
	"huizhi/internal/exportjobs"
	"huizhi/internal/photos"
	"huizhi/internal/roster"
)

// State is where somebody of a class is on the way to a receipt.
type State string

// The states.
const (
	NoPhoto  State = "none"     // no order
	Review   State = "review"   // waits for a person here
	Ready    State = "ready"    // can be submitted
	Progress State = "progress" // under way, also while the outcome is not known
	Receipt  State = "receipt"
	FailedIt State = "failed"
	Expiring State = "expiring" // has a receipt that is not valid for long, or no more
)

// States lists them in the order of the board.
var States = []State{NoPhoto, Review, Ready, Progress, Receipt, FailedIt, Expiring}

// Soon is how long before its end a receipt is expiring.
const Soon = 14 * 24 * time.Hour

// stateOf is the state of the order o, in SQL; its argument is the moment until which
// a receipt has to be valid not to be expiring.
const stateOf = `CASE WHEN o.status IN ('draft', 'recognizing', 'review') THEN 'review' WHEN o.status = 'ready' THEN 'ready'
 WHEN o.status IN ('failed', 'rejected') THEN 'failed' WHEN o.status = 'completed' AND o.valid_until <= ? THEN 'expiring'
 WHEN o.status = 'completed' THEN 'receipt' ELSE 'progress' END`

// counted is the order with which a person counts, as the end of a subselect in which
// it is o. An order's id tells its age.
func counted(batchID string) string {
	which := "NOT o.simulate"
	if batchID != "" {
		which = "o.batch_id = ?"
	}
	return " FROM orders AS o WHERE o.tenant_id = person.tenant_id AND o.person_id = person.id AND o.status <> 'cancelled' AND " + which + " ORDER BY o.id DESC LIMIT 1"
}

// with adds the batch to the arguments of a statement with counted.
func with(batchID string, args ...any) []any {
	if batchID != "" {
		args = append(args, batchID)
	}
	return args
}

// Config is what the service needs.
type Config struct {
	DB      *db.DB
	Rosters *roster.Service
	Photos  *photos.Service
	Exports *exportjobs.Service
	Now     func() time.Time // nil: the clock
}

// Service shows classes and hands out their photos.
type Service struct{ Config }

// New makes the service and takes over the making of its exports.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = db.Now
	}
	s := &Service{c}
	c.Exports.Handle(Kind, s)
	return s
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
