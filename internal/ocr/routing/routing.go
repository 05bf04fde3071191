// Package routing decides which engine reads a picture, and sees to it that no answer is paid for twice.
//
//	routing.go   the way of a picture through the engines
//	policy.go    what a tenant wants: order, cap, second opinions, consent
//	claim.go     paid calls: claimed before, settled after, remembered by the picture's SHA-256
//	merge.go     two readings of one document
//	health.go    engines that fail rest for a while
//	overview.go  what the pages show
//	raw.go       raw answers, sealed, and how they and all else is forgotten
//	sweep.go     calls whose process died, raw answers whose time is up
//
// The local engine is free and its readings are recorded with what the caller writes. A paid engine is asked only
// after a row in ocr_answers says so, within the tenant's daily cap; the row then holds the answer. Another engine is
// asked when the first one is at fault, never because the picture is: some charge for failing on it. Pictures that have
// to leave this system wait in a queue of the caller's, see ErrRemote.
package routing

import (
	"cmp"
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/ocr"
	"huizhi/internal/tenants"
)

// Engine is a reader with its price.
type Engine struct {
	ocr.Reader
	PriceFen int64 // what a charged call costs the operator
}

func (e *Engine) paid() bool { return e.Capabilities().Remote }

// Costs keeps the books of what paid calls cost the operator.
type Costs interface {
	// RecordOCRCall is called in the transaction that settles a call, once for each.
	RecordOCRCall(ctx context.Context, tx bun.Tx, sc tenants.Scope, call *Call) error
}

// Config is what the router is made of.
type Config struct {
	DB    *db.DB
	Blobs *blob.Store
	// Engines are those there are. The first one is the local engine, which is what a tenant without a policy has.
	Engines []Engine
	// DailyCapFen is the most that one tenant can spend in a day of Shanghai.
	DailyCapFen int64
	Costs       Costs // needed with paid engines
	// RawKeep is how long raw answers are kept; 0: not at all.
	RawKeep time.Duration
	// Seal encrypts them. Without it none are kept.
	Seal cipher.AEAD
	Log  *slog.Logger
	Now  func() time.Time // db.Now
}

// Router reads pictures for tenants. It is safe for concurrent use.
type Router struct {
	Config
	policies *recent[string, *Policy]                  // by tenant
	states   *recent[struct{}, map[string]engineState] // all of them
}

// New makes the router.
func New(c Config) *Router {
	if c.Now == nil {
		c.Now = db.Now
	}
	return &Router{Config: c, policies: newRecent[string, *Policy](), states: newRecent[struct{}, map[string]engineState]()}
}

func (r *Router) engine(name string) *Engine {
	for i := range r.Engines {
		if r.Engines[i].Name() == name {
			return &r.Engines[i]
		}
	}
	return nil
}

// Request is a picture to read.
type Request struct {
	PictureID string // for the record
	SHA256    string // of the original, by which answers are remembered
	Image     []byte // the file for the engine, not necessarily the original
	// Likely is the document that the picture's shape suggests, for engines that must be told; empty if none.
	Likely ocr.DocType
	// Remote allows that the picture leaves this system now.
	Remote bool
	// Anew: a person wants another reading, by the local engine, or by the one they chose knowing its price. No other is
	// asked.
	Anew bool
	By   string
}

// Result is a reading and where it came from.
type Result struct {
	*ocr.Reading                          // its Crops are in the blob store
	Crops        map[ocr.FieldName]string // blob keys of small JPEGs
	Source       string                   // the engine's name
	Second       string                   // that of the engine which gave a second opinion, "" if none did
	CallID       string                   // of Source

	unrecorded *record
}

// ErrRemote says that the picture would have to leave this system, which Request.Remote did not allow. Ask again from
// where waiting hurts nobody.
var ErrRemote = errors.New("the picture is for a remote engine")

// Reasons not to ask an engine. Nothing was sent, and another engine may be asked.
var (
	errCannot  = apperr.New(apperr.Invalid, "error.ocr_unsupported")
	errConsent = apperr.New(apperr.Conflict, "error.ocrroute.consent")
	errResting = apperr.New(apperr.Unavailable, "error.ocrroute.resting")
	errCapped  = apperr.New(apperr.TooMany, "error.ocrroute.capped")
	// errLost: the engine was asked about this very picture, and the answer was lost. It may have been charged, so
	// that only a person may ask again.
	errLost = apperr.New(apperr.Unavailable, "error.ocrroute.lost")
)

// Read has a picture read by the tenant's engines in their order, and a doubtful ID card by a second one. The result
// is to be given to Record. An error is ErrRemote, ocr.ErrBusy if the same picture is being read elsewhere, or that of
// the engine asked first.
func (r *Router) Read(ctx context.Context, sc tenants.Scope, q Request) (*Result, error) {
	known, err := r.answers(ctx, sc, q.SHA256)
	if err != nil {
		return nil, err
	}
	p, err := r.recentPolicy(ctx, sc)
	if err != nil {
		return nil, err
	}
	t := &turn{Router: r, sc: sc, request: q, policy: p, known: known}
	if q.Anew {
		e := r.engine(cmp.Or(q.By, r.Engines[0].Name()))
		if e == nil {
			return nil, apperr.New(apperr.NotFound, "error.ocrroute.engine")
		}
		return t.ask(ctx, e, ocr.Unknown, ByHand)
	}
	order := r.order(p, ocr.Unknown)
	first, rest, err := t.first(ctx, order)
	if err != nil || !p.SecondOpinion || !r.doubtful(first.Reading) {
		return first, err
	}
	second, err := t.second(ctx, rest, first)
	if errors.Is(err, ErrRemote) || errors.Is(err, ocr.ErrBusy) {
		// This reading is taken from the cache next time.
		return nil, errors.Join(err, r.recordNow(ctx, sc, first))
	}
	if second != nil {
		first = r.merged(first, second)
	}
	return first, nil
}

// recentPolicy is Policy without a query for most pictures: claims look at the policy itself.
func (r *Router) recentPolicy(ctx context.Context, sc tenants.Scope) (*Policy, error) {
	if len(r.Engines) == 1 {
		return r.defaultPolicy(sc), nil
	}
	return r.policies.get(sc.TenantID(), r.Now(), func() (*Policy, error) { return r.Policy(ctx, sc) })
}

// order are the engines of the policy that there are.
func (r *Router) order(p *Policy, t ocr.DocType) []*Engine {
	var order []*Engine
	for _, name := range p.For(t) {
		if e := r.engine(name); e != nil {
			order = append(order, e)
		}
	}
	return order
}

// turn is the way of one picture.
type turn struct {
	*Router
	sc      tenants.Scope
	request Request
	policy  *Policy
	known   map[answerKey]*answer
}

type answerKey struct {
	engine  string
	docType ocr.DocType
}

// first asks one engine after the other until one has read the picture or found fault with it. It also returns the
// engines that were not asked.
func (t *turn) first(ctx context.Context, order []*Engine) (*Result, []*Engine, error) {
	var failed error
	for i, e := range order {
		result, err := t.ask(ctx, e, ocr.Unknown, First)
		if err == nil {
			return result, order[i+1:], nil
		}
		if ctx.Err() != nil || !mayAskAnother(err) {
			return nil, nil, err
		}
		if failed == nil || errors.Is(failed, errCannot) {
			failed = err
		}
		t.Log.WarnContext(ctx, "an OCR engine did not read a picture", "engine", e.Name(), "picture", t.request.PictureID, "error", err)
	}
	if failed == nil {
		failed = ocr.ErrUnavailable
	}
	return nil, nil, failed
}

// second asks the next engine that can be asked, once. No opinion is no error.
func (t *turn) second(ctx context.Context, rest []*Engine, first *Result) (*Result, error) {
	if own := t.policy.For(first.Type); t.policy.HasOwn(first.Type) {
		// What the picture shows is known by now, and so whom to ask about it.
		rest = nil
		for _, name := range own {
			if e := t.engine(name); e != nil && name != first.Source {
				rest = append(rest, e)
			}
		}
	}
	for _, e := range rest {
		second, err := t.ask(ctx, e, first.Type, Second)
		switch {
		case err == nil, errors.Is(err, ErrRemote), errors.Is(err, ocr.ErrBusy):
			return second, err
		case !wasNotAsked(err):
			t.Log.InfoContext(ctx, "no second opinion", "engine", e.Name(), "picture", t.request.PictureID, "error", err)
			return nil, nil
		}
	}
	return nil, nil
}

// mayAskAnother tells errors that lie with the engine from those that lie with the picture.
func mayAskAnother(err error) bool {
	if e := ocr.AsProviderError(err); e != nil {
		return e.Outcome.FailsOver()
	}
	return wasNotAsked(err) || errors.Is(err, ocr.ErrUnavailable) || errors.Is(err, ocr.ErrTimeout)
}

func wasNotAsked(err error) bool {
	for _, reason := range []error{errCannot, errConsent, errResting, errCapped, errLost, ocr.ErrUnsupported} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

// ask has one engine read the picture, or takes what it said before.
func (t *turn) ask(ctx context.Context, e *Engine, docType ocr.DocType, why Purpose) (*Result, error) {
	caps := e.Capabilities()
	if docType == ocr.Unknown && !caps.Reads(ocr.Unknown) && t.request.Likely != "" {
		docType = t.request.Likely
	}
	if !caps.Reads(docType) && len(caps.Documents) > 0 {
		return nil, errCannot
	}
	if known := t.known[answerKey{e.Name(), docType}]; known != nil && why != ByHand {
		if result, err := known.use(t.Now()); result != nil || err != nil {
			return result, err
		}
	}
	if !e.paid() {
		return t.readHere(ctx, e, docType, why)
	}
	if caps.Insecure && !t.policy.Consented() {
		return nil, errConsent
	}
	states, err := t.recentStates(ctx)
	if err != nil {
		return nil, err
	}
	state := states[e.Name()]
	if state.resting(t.Now()) && why != ByHand {
		return nil, errResting
	}
	if !t.request.Remote {
		return nil, ErrRemote
	}
	return t.readThere(ctx, e, docType, why, state)
}

// readHere asks an engine that costs nothing.
func (t *turn) readHere(ctx context.Context, e *Engine, docType ocr.DocType, why Purpose) (*Result, error) {
	call, start := t.newCall(e, docType, why), time.Now()
	reading, err := e.Read(ctx, ocr.Request{Image: t.request.Image, Document: docType})
	call.settle(reading, err, time.Since(start))
	if err != nil {
		if ctx.Err() == nil && !errors.Is(err, ocr.ErrBusy) {
			err = errors.Join(err, t.insertCall(ctx, t.DB, call))
		}
		return nil, err
	}
	result, err := t.keepCrops(ctx, t.sc, &Result{Reading: reading, Source: e.Name(), CallID: call.ID})
	if err != nil {
		return nil, err
	}
	result.unrecorded = &record{call, &answer{
		TenantID: call.TenantID, SHA256: t.request.SHA256, Engine: call.Engine, DocType: docType, CallID: call.ID,
		Outcome: OutcomeRead, Reading: result.Reading, Crops: result.Crops,
	}}
	return result, nil
}

// newCall is a call about to be made.
func (t *turn) newCall(e *Engine, docType ocr.DocType, why Purpose) *Call {
	now := t.Now()
	return &Call{
		TenantID: t.sc.TenantID(), ID: db.NewID(), Engine: e.Name(), DocType: docType, PictureID: t.request.PictureID, Purpose: why,
		Outcome: OutcomePending, PriceFen: e.PriceFen, Day: day(now), At: now,
	}
}

func day(now time.Time) string { return now.In(i18n.Zone()).Format(time.DateOnly) }

// record is what is still to be written of a free call.
type record struct {
	call   *Call
	answer *answer
}

// Record writes what is not recorded of a result yet, in the transaction in which the caller keeps it.
func (r *Router) Record(ctx context.Context, tx bun.IDB, result *Result) error {
	if result == nil || result.unrecorded == nil {
		return nil
	}
	if err := r.insertCall(ctx, tx, result.unrecorded.call); err != nil {
		return err
	}
	return putAnswer(ctx, tx, result.unrecorded.answer)
}

func (r *Router) recordNow(ctx context.Context, sc tenants.Scope, result *Result) error {
	return r.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return r.Record(ctx, tx, result) })
}

func (r *Router) insertCall(ctx context.Context, tx bun.IDB, call *Call) error {
	if _, err := tx.NewInsert().Model(call).Exec(ctx); err != nil {
		return fmt.Errorf("cannot record the OCR call: %w", err)
	}
	return nil
}
