package routing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/ocr"
	"huizhi/internal/tenants"
)

// AnyDocument is the order of engines for every document type without one of its own.
const AnyDocument ocr.DocType = ""

// Policy is what a tenant wants. A tenant without a row has the default: the local engine and nothing else.
type Policy struct {
	bun.BaseModel `bun:"table:ocr_policies,alias:policy"`
	TenantID      string `bun:",pk"`
	// Engines are the engines to ask, in order, by document type.
	Engines       map[ocr.DocType][]string `bun:"type:jsonb"`
	SecondOpinion bool
	// DailyCapFen is the most to spend in a day of Shanghai; nil: as much as the operator allows.
	DailyCapFen *int64
	// ConsentedBy is the user who agreed that pictures travel unencrypted, "" if nobody did.
	ConsentedBy string
	ConsentedAt *time.Time
	UpdatedAt   time.Time
}

// For lists the engines to ask about a document type.
func (p *Policy) For(t ocr.DocType) []string {
	if t == ocr.Unknown {
		t = AnyDocument
	}
	if own, ok := p.Engines[t]; ok {
		return own
	}
	return p.Engines[AnyDocument]
}

// HasOwn tells whether the type has an order of its own.
func (p *Policy) HasOwn(t ocr.DocType) bool { _, ok := p.Engines[t]; return ok }

// Consented tells whether pictures may travel unencrypted.
func (p *Policy) Consented() bool { return p.ConsentedAt != nil }

// cap is the most the tenant may spend in a day, in fen.
func (r *Router) cap(p *Policy) int64 {
	if p.DailyCapFen != nil {
		return min(*p.DailyCapFen, r.DailyCapFen)
	}
	return r.DailyCapFen
}

func (r *Router) defaultPolicy(sc tenants.Scope) *Policy {
	return &Policy{TenantID: sc.TenantID(), Engines: map[ocr.DocType][]string{AnyDocument: {r.Engines[0].Name()}}, SecondOpinion: true}
}

// Policy is the tenant's policy.
func (r *Router) Policy(ctx context.Context, sc tenants.Scope) (*Policy, error) {
	return r.loadPolicy(ctx, r.DB, sc)
}

// loadPolicy is Policy for callers in a transaction, which may lock the row.
func (r *Router) loadPolicy(ctx context.Context, tx bun.IDB, sc tenants.Scope, lock ...func(*bun.SelectQuery) *bun.SelectQuery) (*Policy, error) {
	p := new(Policy)
	err := tx.NewSelect().Model(p).ApplyQueryBuilder(sc.Where).Apply(lock...).Scan(ctx)
	if db.IsNoRows(err) {
		return r.defaultPolicy(sc), nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the OCR policy: %w", err)
	}
	return p, nil
}

// Turn puts an engine at the end of a document type's order, or takes it out.
func (r *Router) Turn(ctx context.Context, sc tenants.Scope, t ocr.DocType, engine string, on bool, actor string) error {
	e := r.engine(engine)
	if e == nil {
		return apperr.New(apperr.NotFound, "error.ocrroute.engine")
	}
	action := "ocr.engine_off"
	if on {
		action = "ocr.engine_on"
	}
	return r.change(ctx, sc, action, engine, actor, func(p *Policy) error {
		if on && e.Capabilities().Insecure && !p.Consented() {
			return apperr.New(apperr.Conflict, "error.ocrroute.consent")
		}
		order := slices.DeleteFunc(slices.Clone(p.For(t)), func(n string) bool { return n == engine })
		if on {
			order = append(order, engine)
		}
		if len(order) == 0 {
			return apperr.New(apperr.Conflict, "error.ocrroute.last")
		}
		p.Engines[t] = order
		return nil
	})
}

// Move lets an engine change places with the one before or after it.
func (r *Router) Move(ctx context.Context, sc tenants.Scope, t ocr.DocType, engine string, up bool, actor string) error {
	return r.change(ctx, sc, "ocr.order", engine, actor, func(p *Policy) error {
		order := slices.Clone(p.For(t))
		i := slices.Index(order, engine)
		if i < 0 {
			return apperr.New(apperr.NotFound, "error.ocrroute.engine")
		}
		j := i + 1
		if up {
			j = i - 1
		}
		if j >= 0 && j < len(order) {
			order[i], order[j] = order[j], order[i]
		}
		p.Engines[t] = order
		return nil
	})
}

// FollowAny drops a document type's own order.
func (r *Router) FollowAny(ctx context.Context, sc tenants.Scope, t ocr.DocType, actor string) error {
	return r.change(ctx, sc, "ocr.order", string(t), actor, func(p *Policy) error {
		if t != AnyDocument {
			delete(p.Engines, t)
		}
		return nil
	})
}

// SetLimits sets the daily cap, nil for the operator's, and whether doubtful readings get a second opinion.
func (r *Router) SetLimits(ctx context.Context, sc tenants.Scope, capFen *int64, second bool, actor string) error {
	if capFen != nil && (*capFen < 0 || *capFen > r.DailyCapFen) {
		return apperr.Field("cap", "error.ocrroute.cap")
	}
	return r.change(ctx, sc, "ocr.limits", "", actor, func(p *Policy) error {
		p.DailyCapFen, p.SecondOpinion = capFen, second
		return nil
	})
}

// Consent records that the tenant agrees that pictures of ID cards travel unencrypted to the engines that know no
// better, or that it does so no longer. The audit trail keeps both.
func (r *Router) Consent(ctx context.Context, sc tenants.Scope, given bool, actor string) error {
	action := "ocr.consent_withdrawn"
	if given {
		action = "ocr.consent"
	}
	return r.change(ctx, sc, action, "", actor, func(p *Policy) error {
		switch {
		case !given:
			p.ConsentedBy, p.ConsentedAt = "", nil
		case !p.Consented():
			now := r.Now()
			p.ConsentedBy, p.ConsentedAt = actor, &now
		}
		return nil
	})
}

// change loads the policy for changing, making it if there is none, and keeps what fn does to it.
func (r *Router) change(ctx context.Context, sc tenants.Scope, action, object, actor string, fn func(*Policy) error) error {
	err := r.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		fresh := r.defaultPolicy(sc)
		fresh.UpdatedAt = r.Now()
		if _, err := tx.NewInsert().Model(fresh).On("CONFLICT (tenant_id) DO NOTHING").Exec(ctx); err != nil {
			return fmt.Errorf("cannot make the OCR policy: %w", err)
		}
		p, err := r.loadPolicy(ctx, tx, sc, db.ForUpdate(tx))
		if err != nil {
			return err
		}
		if err := fn(p); err != nil {
			return err
		}
		p.UpdatedAt = r.Now()
		if _, err := tx.NewUpdate().Model(p).WherePK().Exec(ctx); err != nil {
			return fmt.Errorf("cannot keep the OCR policy: %w", err)
		}
		return tenants.Audit(ctx, tx, sc, actor, action, "ocr_engine", object, r.Now())
	})
	r.policies.forget(sc.TenantID())
	return err
}
