package routing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/ocr"
	"huizhi/internal/tenants"
)

// State says whether an engine can be asked.
type State string

// The states of an engine.
const (
	StateReady       State = "ready"
	StateResting     State = "resting"     // it failed lately
	StateUnavailable State = "unavailable" // not installed
	StateInsecure    State = "insecure"    // the tenant has not agreed that pictures travel unencrypted
)

// Status is an engine as a tenant sees it.
type Status struct {
	Engine   string
	State    State
	Reason   ocr.Outcome // why it rests
	Until    time.Time   // until when
	Remote   bool
	Insecure bool
	Reads    bool  // documents of the type that was asked about
	Place    int   // in the order for that type, from 1; 0: not asked
	PriceFen int64 // of a charged call
	Calls    int64 // of the tenant today
	CostFen  int64 // of those, with those whose charge is not known
}

// Overview is a tenant's policy for a document type and what came of it today.
type Overview struct {
	Policy   *Policy
	Document ocr.DocType
	Engines  []Status // in their order, then those that are not asked
	CapFen   int64    // that holds
	SpentFen int64    // today
}

// Overview shows the tenant's engines for a document type.
func (r *Router) Overview(ctx context.Context, sc tenants.Scope, t ocr.DocType) (*Overview, error) {
	if t != AnyDocument && !t.Known() {
		return nil, apperr.New(apperr.NotFound, "error.ocrroute.document")
	}
	p, err := r.Policy(ctx, sc)
	if err != nil {
		return nil, err
	}
	var today []struct {
		Engine  string
		Calls   int64
		CostFen int64
	}
	err = r.DB.NewSelect().Model((*Call)(nil)).ColumnExpr("engine, COUNT(*) AS calls").
		ColumnExpr("SUM(CASE WHEN charge = ? THEN 0 ELSE price_fen END) AS cost_fen", ocr.NotCharged).
		ApplyQueryBuilder(sc.Where).Where("day = ?", day(r.Now())).Group("engine").Scan(ctx, &today)
	if err != nil {
		return nil, fmt.Errorf("cannot count today's OCR calls: %w", err)
	}
	states, err := r.recentStates(ctx)
	if err != nil {
		return nil, err
	}
	o := &Overview{Policy: p, Document: t, CapFen: r.cap(p)}
	for i := range r.Engines {
		e := &r.Engines[i]
		s := r.status(ctx, e, p, t, states[e.Name()])
		for _, row := range today {
			if row.Engine == s.Engine {
				s.Calls, s.CostFen = row.Calls, row.CostFen
			}
		}
		o.Engines = append(o.Engines, s)
	}
	for _, row := range today {
		o.SpentFen += row.CostFen
	}
	slices.SortStableFunc(o.Engines, func(a, b Status) int {
		return cmp.Compare((a.Place+len(r.Engines))%(len(r.Engines)+1), (b.Place+len(r.Engines))%(len(r.Engines)+1))
	})
	return o, nil
}

func (r *Router) status(ctx context.Context, e *Engine, p *Policy, t ocr.DocType, state engineState) Status {
	caps := e.Capabilities()
	s := Status{
		Engine: e.Name(), State: StateReady, Remote: caps.Remote, Insecure: caps.Insecure, PriceFen: e.PriceFen,
		Reads: t == AnyDocument || caps.Reads(t), Place: slices.Index(p.For(t), e.Name()) + 1,
	}
	switch {
	case caps.Insecure && !p.Consented():
		s.State = StateInsecure
	case state.resting(r.Now()):
		s.State, s.Reason, s.Until = StateResting, state.Reason, *state.RestUntil
	case !caps.Remote && e.Health(ctx) != nil:
		s.State = StateUnavailable
	}
	return s
}

// Documents are the types that an engine reads.
func (r *Router) Documents(engine string) []ocr.DocType {
	if e := r.engine(engine); e != nil {
		return e.Capabilities().Documents
	}
	return nil
}

// Offers lists the paid engines that the tenant has turned on, for a person who wants a card read anew.
func (r *Router) Offers(ctx context.Context, sc tenants.Scope) ([]Status, error) {
	p, err := r.recentPolicy(ctx, sc)
	if err != nil {
		return nil, err
	}
	var offers []Status
	for _, e := range r.order(p, AnyDocument) {
		if e.paid() && (p.Consented() || !e.Capabilities().Insecure) {
			offers = append(offers, r.status(ctx, e, p, AnyDocument, engineState{}))
		}
	}
	return offers, nil
}

// Health is how an engine did lately, for all tenants together.
type Health struct {
	Engine   string
	Remote   bool
	Insecure bool
	PriceFen int64
	Calls    int64
	Answered int64 // with a reading, or with a fault of the picture's
	Lost     int64 // whether they were charged is not known
	Charged  int64
	CostFen  int64 // of the charged
	MedianMS int64
	Failures int64       // in a row, now
	Reason   ocr.Outcome // of the last of them
	Until    *time.Time  // it rests until then
}

// Health shows the operator every engine since a time.
func (r *Router) Health(ctx context.Context, _ tenants.Sweep, since time.Time) ([]Health, error) {
	var rows []struct {
		Engine  string
		Outcome ocr.Outcome
		Charge  ocr.Charge
		N       int64
		Fen     int64
	}
	err := r.DB.NewSelect().Model((*Call)(nil)).ColumnExpr("engine, outcome, charge, COUNT(*) AS n, SUM(price_fen) AS fen").
		Where("at >= ?", since).Group("engine", "outcome", "charge").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("cannot count the OCR calls: %w", err)
	}
	states, err := r.recentStates(ctx)
	if err != nil {
		return nil, err
	}
	var all []Health
	for i := range r.Engines {
		e := &r.Engines[i]
		caps, state := e.Capabilities(), states[e.Name()]
		h := Health{
			Engine: e.Name(), Remote: caps.Remote, Insecure: caps.Insecure, PriceFen: e.PriceFen,
			Failures: state.Failures, Reason: state.Reason,
		}
		if state.resting(r.Now()) {
			h.Until = state.RestUntil
		}
		for _, row := range rows {
			if row.Engine != h.Engine {
				continue
			}
			h.Calls += row.N
			switch {
			case row.Charge == ocr.Charged:
				h.Charged, h.CostFen = h.Charged+row.N, h.CostFen+row.Fen
			case row.Charge == ocr.MaybeCharged && row.Outcome != OutcomePending:
				h.Lost += row.N
			}
			if !row.Outcome.FailsOver() && row.Outcome != OutcomePending && row.Outcome != OutcomeLost {
				h.Answered += row.N
			}
		}
		if h.MedianMS, err = medianMS(ctx, r.DB, h.Engine, since); err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, nil
}

// sampled is of how many calls the median is taken: the youngest.
const sampled = 500

func medianMS(ctx context.Context, tx bun.IDB, engine string, since time.Time) (int64, error) {
	var took []int64
	err := tx.NewSelect().Model((*Call)(nil)).Column("took_ms").
		Where("engine = ? AND at >= ? AND outcome = ?", engine, since, OutcomeRead).Order("at DESC").Limit(sampled).Scan(ctx, &took)
	if err != nil {
		return 0, fmt.Errorf("cannot load how long the OCR engine takes: %w", err)
	}
	if len(took) == 0 {
		return 0, nil
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}
