package routing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/ocr"
	"huizhi/internal/tenants"
)

const (
	// callTimeout bounds a paid call: three of them and a local reading fit into a job.
	callTimeout = 35 * time.Second
	// lease is how long a claim without an outcome is taken for one under way: a call and what is done with its answer.
	lease = 2 * callTimeout
)

// errReplayed is the cause of a failure that is remembered because it was paid for.
var errReplayed = errors.New("it was asked about this picture before")

// use is what the engine said; both nil when it may be asked.
func (a *answer) use(now time.Time) (*Result, error) {
	switch {
	case a.Outcome == OutcomePending && now.Before(*a.LeaseUntil):
		return nil, ocr.ErrBusy
	case a.Reading != nil:
		return &Result{Reading: a.Reading, Crops: a.Crops, Source: a.Engine, CallID: a.CallID}, nil
	case a.Outcome == OutcomePending || a.Outcome == OutcomeLost:
		return nil, errLost
	default:
		return nil, &ocr.ProviderError{Engine: a.Engine, Outcome: a.Outcome, Err: errReplayed}
	}
}

// answers is everything that was said about a file.
func (r *Router) answers(ctx context.Context, sc tenants.Scope, sha256 string) (map[answerKey]*answer, error) {
	var rows []*answer
	err := r.DB.NewSelect().Model(&rows).ApplyQueryBuilder(sc.Where).Where("sha256 = ?", sha256).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot look for earlier readings: %w", err)
	}
	known := make(map[answerKey]*answer, len(rows))
	for _, a := range rows {
		known[answerKey{a.Engine, a.DocType}] = a
	}
	return known, nil
}

func putAnswer(ctx context.Context, tx bun.IDB, a *answer) error {
	_, err := tx.NewInsert().Model(a).On("CONFLICT (tenant_id, sha256, engine, doc_type) DO UPDATE").
		Set("call_id = EXCLUDED.call_id, outcome = EXCLUDED.outcome, lease_until = EXCLUDED.lease_until").
		Set("reading = EXCLUDED.reading, crops = EXCLUDED.crops").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot keep what the OCR engine said: %w", err)
	}
	return nil
}

// claimed is a paid call that may be made.
type claimed struct {
	call   *Call
	answer *answer
	before *answer // what was known of the picture and is asked again, or nil
	state  engineState
}

// readThere asks a paid engine, unless another job did so meanwhile.
func (t *turn) readThere(ctx context.Context, e *Engine, docType ocr.DocType, why Purpose, state engineState) (*Result, error) {
	c, err := t.claim(ctx, e, docType, why, state)
	if err != nil {
		return nil, err
	}
	if c.call == nil {
		return c.before.use(t.Now())
	}
	start := time.Now()
	bounded, cancel := context.WithTimeout(ctx, callTimeout)
	reading, err := e.Read(bounded, ocr.Request{Image: t.request.Image, Document: docType, Reference: c.call.ID})
	cancel()
	// What was paid for is kept even if the caller has gone.
	return t.settle(context.WithoutCancel(ctx), c, reading, err, time.Since(start))
}

// claim takes the right to ask a paid engine about a picture: within the policy of this moment, the day's cap and the
// engine's rest. The policy's row is locked, so that claims of a tenant are one at a time and two cannot both be the
// last within the cap. Without a call in the result, somebody else was faster.
func (t *turn) claim(ctx context.Context, e *Engine, docType ocr.DocType, why Purpose, state engineState) (c claimed, err error) {
	call := t.newCall(e, docType, why)
	until := call.At.Add(lease)
	call.Charge, call.LeaseUntil = ocr.MaybeCharged, &until
	pending := &answer{
		TenantID: call.TenantID, SHA256: t.request.SHA256, Engine: call.Engine, DocType: docType, CallID: call.ID,
		Outcome: OutcomePending, LeaseUntil: &until,
	}
	err = t.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		c = claimed{state: state}
		p, err := t.loadPolicy(ctx, tx, t.sc, db.ForUpdate(tx))
		if err != nil {
			return err
		}
		if !slices.Contains(p.For(docType), e.Name()) && !slices.Contains(p.For(AnyDocument), e.Name()) {
			return errCannot
		}
		if e.Capabilities().Insecure && !p.Consented() {
			return errConsent
		}
		if c.before, err = t.answerTo(ctx, tx, pending); err != nil {
			return err
		}
		if c.before != nil {
			_, err := c.before.use(call.At)
			if why != ByHand || errors.Is(err, ocr.ErrBusy) {
				return nil
			}
			pending.Reading, pending.Crops = c.before.Reading, c.before.Crops // until there is another
		}
		spent, err := spentOn(ctx, tx, t.sc, call.Day)
		if err != nil {
			return err
		}
		if spent+call.PriceFen > t.cap(p) {
			return errCapped
		}
		if err := takeTurn(ctx, tx, state, call.At, why); err != nil {
			return err
		}
		if err := t.insertCall(ctx, tx, call); err != nil {
			return err
		}
		c.call, c.answer = call, pending
		return putAnswer(ctx, tx, pending)
	})
	return c, err
}

// answerTo loads what is known for the key of a claim; nil if nothing is.
func (r *Router) answerTo(ctx context.Context, tx bun.IDB, key *answer) (*answer, error) {
	a := &answer{TenantID: key.TenantID, SHA256: key.SHA256, Engine: key.Engine, DocType: key.DocType}
	err := tx.NewSelect().Model(a).WherePK().Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot look for an earlier reading: %w", err)
	}
	return a, nil
}

// spentOn is what the tenant's calls of a day cost, those under way and those whose charge is not known included.
func spentOn(ctx context.Context, tx bun.IDB, sc tenants.Scope, day string) (fen int64, err error) {
	err = tx.NewSelect().Model((*Call)(nil)).ColumnExpr("COALESCE(SUM(price_fen), 0)").ApplyQueryBuilder(sc.Where).
		Where("day = ? AND charge IN (?)", day, bun.List([]ocr.Charge{ocr.Charged, ocr.MaybeCharged})).Scan(ctx, &fen)
	if err != nil {
		return 0, fmt.Errorf("cannot add up what OCR cost today: %w", err)
	}
	return fen, nil
}

// settle records the outcome of a claimed call and keeps the answer.
func (t *turn) settle(ctx context.Context, c claimed, reading *ocr.Reading, failed error, took time.Duration) (*Result, error) {
	call := c.call
	raw := call.settle(reading, failed, took)
	var result *Result
	if failed == nil {
		var err error
		if result, err = t.keepCrops(ctx, t.sc, &Result{Reading: reading, Source: call.Engine, CallID: call.ID}); err != nil {
			// Crops are for comparing. Without them it is still the reading that was paid for.
			t.Log.ErrorContext(ctx, "cannot keep the crops of a paid reading", "call", call.ID, "error", err)
			result = &Result{Reading: reading, Source: call.Engine, CallID: call.ID}
		}
	}
	t.keepRaw(ctx, t.sc, call, raw)
	err := t.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewUpdate().Model(call).WherePK().Exec(ctx); err != nil {
			return fmt.Errorf("cannot record the outcome of the OCR call: %w", err)
		}
		if err := t.keepAnswer(ctx, tx, c, result); err != nil {
			return err
		}
		if err := t.Costs.RecordOCRCall(ctx, tx, t.sc, call); err != nil {
			return err
		}
		return t.noteHealth(ctx, tx, call, c.state)
	})
	if err != nil {
		// The claim runs out and counts as lost; the reading at hand is good all the same.
		t.Log.ErrorContext(ctx, "cannot settle an OCR call", "call", call.ID, "error", err)
	}
	t.states.forget(struct{}{})
	return result, failed
}

// keepAnswer replaces the claim by what came of it. A failure that cost nothing is forgotten, so that the engine can be
// asked again.
func (t *turn) keepAnswer(ctx context.Context, tx bun.IDB, c claimed, result *Result) error {
	a := c.answer
	a.LeaseUntil = nil
	switch {
	case result != nil:
		a.Outcome, a.Reading, a.Crops = OutcomeRead, result.Reading, result.Crops
	case c.before != nil:
		a = c.before
		a.LeaseUntil = nil
		if a.Outcome == OutcomePending {
			a.Outcome = OutcomeLost
		}
	case c.call.Charge == ocr.Charged:
		a.Outcome = c.call.Outcome
	case c.call.Charge == ocr.MaybeCharged:
		a.Outcome = OutcomeLost
	default:
		if _, err := tx.NewDelete().Model(a).WherePK().Exec(ctx); err != nil {
			return fmt.Errorf("cannot drop the claim of an OCR call: %w", err)
		}
		return nil
	}
	return putAnswer(ctx, tx, a)
}

// settle fills in how the call ended and returns the raw answer, if there is one.
func (c *Call) settle(reading *ocr.Reading, err error, took time.Duration) ocr.Raw {
	c.LeaseUntil, c.TookMS = nil, took.Milliseconds()
	if err == nil {
		c.Outcome, c.Charge, c.Reference = OutcomeRead, reading.Charge, reading.Reference
		return reading.Raw
	}
	if e := ocr.AsProviderError(err); e != nil {
		c.Outcome, c.Charge, c.Code, c.HTTPStatus, c.Reference = e.Outcome, e.Charge, e.Code, e.HTTPStatus, e.Reference
		return e.Raw
	}
	switch {
	case errors.Is(err, ocr.ErrUnreadable):
		c.Outcome, c.Charge = ocr.OutcomeUnreadable, ocr.NotCharged
	case errors.Is(err, ocr.ErrUnsupported):
		c.Outcome, c.Charge = ocr.OutcomeInput, ocr.NotCharged
	case errors.Is(err, ocr.ErrBusy):
		c.Outcome, c.Charge = ocr.OutcomeThrottled, ocr.NotCharged
	case errors.Is(err, ocr.ErrUnavailable):
		c.Outcome, c.Charge = ocr.OutcomeServer, ocr.NotCharged
	case errors.Is(err, ocr.ErrTimeout):
		c.Outcome = ocr.OutcomeServer
	default: // cut off in the middle: the charge stays as claimed
		c.Outcome = ocr.OutcomeTransport
	}
	return nil
}
