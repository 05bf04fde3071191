package orders

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// The provider's operations, as they are named in records of calls.
const (
	opSubmit       = "submit"
	opQuery        = "query"
	opBatchQuery   = "batch_query"
	opTypes        = "types"
	opApplications = "applications"
)

// callsKept is how long records of calls are kept; the attempts' own rows and
// events stay.
const callsKept = 30 * 24 * time.Hour

// Call is the record of one call to the provider: what is known of it, without
// anything that it carried.
type Call struct {
	bun.BaseModel `bun:"table:provider_calls,alias:pc"`
	ID            string `bun:",pk"`
	Account       string
	Op            string
	At            time.Time
	Hour          int64  // of At, in hours since 1970
	TookUs        int64  // microseconds
	Outcome       string // "ok", or a providers.Outcome
	Code          int    // the provider's, 0 for success or none
	HTTPStatus    int    `bun:"http_status"` // of a failed call; 0 without an answer
	Message       string // the provider's, masked
	Items         int    // how many applications it was about
}

// attemptCall says that a call was about an attempt, and what it told.
type attemptCall struct {
	bun.BaseModel `bun:"table:attempt_calls,alias:ac"`
	TenantID      string `bun:",pk"`
	AttemptID     string `bun:",pk"`
	CallID        string `bun:",pk"`
	Answer        string // a status of the provider, one of the answers below, or an outcome
}

// What a call told about an attempt, besides a status.
const (
	answerAccepted = "accepted" // by the submit
	answerMissing  = "missing"  // the query's answer left it out
	answerFound    = "found"    // with our reference
	answerOther    = "other"    // the application asked about carries another reference
)

// outcomeOK is the outcome of a call that succeeded.
const outcomeOK = "ok"

// newCall describes a call that has just ended.
func (s *Service) newCall(op string, items int, start time.Time, callErr error) *Call {
	c := &Call{ID: db.NewID(), Account: s.Account, Op: op, At: start.UTC().Truncate(time.Microsecond), Hour: start.Unix() / 3600,
		TookUs: time.Since(start).Microseconds(), Outcome: outcomeOK, Items: items}
	if callErr != nil {
		c.Outcome = string(providers.OutcomeOf(callErr))
	}
	if e, ok := errors.AsType[*providers.Error](callErr); ok {
		c.Code, c.HTTPStatus, c.Message = e.Code, e.HTTPStatus, mask(e.Message)
	}
	return c
}

func (c *Call) insert(ctx context.Context, tx bun.IDB) error {
	if _, err := tx.NewInsert().Model(c).Exec(ctx); err != nil {
		return fmt.Errorf("cannot record the call: %w", err)
	}
	return nil
}

// link notes that the call was about the attempts.
func link(ctx context.Context, tx bun.IDB, links []attemptCall) error {
	if len(links) == 0 {
		return nil
	}
	if _, err := tx.NewInsert().Model(&links).Exec(ctx); err != nil {
		return fmt.Errorf("cannot record what the call was about: %w", err)
	}
	return nil
}

// noteTold records that a call was about one attempt, unless the call itself
// could not be recorded.
func (s *Service) noteTold(ctx context.Context, a *Attempt, callID, answer string) {
	if callID == "" {
		return
	}
	if err := link(ctx, s.DB, []attemptCall{{TenantID: a.TenantID, AttemptID: a.ID, CallID: callID, Answer: answer}}); err != nil {
		s.Log.ErrorContext(ctx, "cannot note what a call told", "attempt", a.ID, "error", err)
	}
}

// call makes one call that reads: within the account's limits, for at most
// SubmitTimeout, recorded, and counted by the circuit breaker. An error is the
// call's; that the record could not be written is only logged.
func call[T any](ctx context.Context, s *Service, op string, items int, do func(context.Context) (T, error)) (T, error) {
	result, _, err := recorded(ctx, s, op, items, do)
	return result, err
}

// recorded is call for those who also want the record's id; "" if there is none.
func recorded[T any](ctx context.Context, s *Service, op string, items int, do func(context.Context) (T, error)) (result T, id string, err error) {
	if err := s.enter(ctx); err != nil {
		return result, "", err
	}
	defer s.leave()
	if err := s.awaitToken(ctx); err != nil {
		return result, "", err
	}
	callCtx, cancel := context.WithTimeout(ctx, s.SubmitTimeout)
	defer cancel()
	start := time.Now()
	result, err = do(callCtx)
	c := s.newCall(op, items, start, err)
	if ctx.Err() != nil {
		return result, "", err // we ended it ourselves: that says nothing of the provider
	}
	if noteErr := errors.Join(c.insert(ctx, s.DB), s.report(ctx, start, err)); noteErr != nil {
		s.Log.ErrorContext(ctx, "cannot note a call", "op", op, "error", noteErr)
		return result, "", err
	}
	return result, c.ID, err
}

func codeOf(err error) int {
	if e, ok := errors.AsType[*providers.Error](err); ok {
		return e.Code
	}
	return 0
}

// maxMessage bounds a provider's message in our records, in characters.
const maxMessage = 200

var (
	longNumber = regexp.MustCompile(`[0-9][0-9 -]{4,}[0-9Xx]`)
	address    = regexp.MustCompile(`https?://\S+`)
)

// mask takes out of a provider's message what may be personal or secret: long
// numbers, addresses, and the words given. It may quote what was sent.
func mask(message string, words ...string) string {
	for _, w := range words {
		if w != "" {
			message = strings.ReplaceAll(message, w, "***")
		}
	}
	message = longNumber.ReplaceAllString(address.ReplaceAllString(message, "***"), "***")
	if r := []rune(message); len(r) > maxMessage {
		message = string(r[:maxMessage]) + "…"
	}
	return message
}

var allCalls = tenants.AllTenants("records of calls are dropped by their age")

// dropOldCalls keeps the records of calls bounded.
func (s *Service) dropOldCalls(ctx context.Context) (time.Duration, error) {
	return 0, dropCallsBefore(ctx, s.DB, allCalls, s.now().Add(-callsKept))
}

// dropCallsBefore deletes by id, which begins with the time.
func dropCallsBefore(ctx context.Context, d *db.DB, _ tenants.Sweep, before time.Time) error {
	oldest := idAt(before)
	for _, q := range []*bun.DeleteQuery{
		d.NewDelete().Model((*attemptCall)(nil)).Where("call_id < ?", oldest),
		d.NewDelete().Model((*Call)(nil)).Where("id < ?", oldest),
	} {
		if _, err := q.Exec(ctx); err != nil {
			return fmt.Errorf("cannot drop old records of calls: %w", err)
		}
	}
	return nil
}

// idAt is the smallest id of a time: a UUIDv7 begins with 48 bits of milliseconds.
func idAt(t time.Time) string {
	ms := t.UnixMilli()
	return fmt.Sprintf("%08x-%04x-7000-8000-000000000000", ms>>16, ms&0xffff)
}
