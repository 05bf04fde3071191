package collect

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
)

// Phase is where somebody stands, for the page that they see.
type Phase string

// The phases.
const (
	Asking   Phase = "asking"   // nobody has agreed yet
	Taking   Phase = "taking"   // a photo is wanted
	Bettered Phase = "bettered" // the last one was not taken: Last says why
	Again    Phase = "again"    // staff want another one: Retake says why
	Checking Phase = "checking" // it is there, and staff look at it
	Settled  Phase = "settled"  // staff have confirmed it, or the receipt is under way
	Finished Phase = "finished" // the receipt is there
)

// Standing is where a person stands.
type Standing struct {
	Phase   Phase
	Tries   int64 // that there are since a photo was first asked for, or the last time
	Left    int64
	Consent *Consent      // the youngest to the present text; nil if nobody has agreed
	Order   *orders.Order // nil for none
	Last    *Sending      // the youngest since a photo was last asked for
	Retake  *Retake       // the last one, if it is open
}

// Standing tells where a person stands.
func (s *Service) Standing(ctx context.Context, v *Visit, p *roster.Person) (*Standing, error) {
	return s.standing(ctx, s.DB, v, p)
}

func (s *Service) standing(ctx context.Context, tx bun.IDB, v *Visit, p *roster.Person) (*Standing, error) {
	st := &Standing{Tries: v.Collection.Tries}
	var err error
	if st.Consent, err = lastConsent(ctx, tx, v.Scope, v.Batch.ID, p.ID); err != nil {
		return nil, err
	}
	if st.Consent != nil && st.Consent.Version != ConsentVersion {
		st.Consent = nil
	}
	if st.Order, err = orders.OfPerson(ctx, tx, v.Scope, v.Batch.ID, p.ID); err != nil {
		return nil, err
	}
	retake, err := lastRetake(ctx, tx, v.Scope, v.Batch.ID, p.ID)
	if err != nil {
		return nil, err
	}
	var sent []Sending
	q := tx.NewSelect().Model(&sent).ApplyQueryBuilder(v.Scope.Where).Where("batch_id = ? AND person_id = ?", v.Batch.ID, p.ID).Order("id DESC")
	if retake != nil {
		q = q.Where("id > ?", retake.ID)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the photos that were sent: %w", err)
	}
	st.Left = max(0, st.Tries-int64(len(sent)))
	if len(sent) > 0 {
		st.Last = &sent[0]
	}
	if retake != nil && st.Order != nil && st.Order.RetakeAt != nil {
		st.Retake = retake
	}
	st.Phase = st.phase()
	return st, nil
}

func (st *Standing) phase() Phase {
	failed := st.Last != nil && (st.Last.Outcome == Doubtful || st.Last.Outcome == Refused)
	switch o := st.Order; {
	case o != nil && o.Status == orders.StatusCompleted:
		return Finished
	case o != nil && !o.TakesPhoto():
		return Settled
	case o != nil && o.RetakeAt == nil && !failed:
		return Checking
	case st.Consent == nil:
		return Asking
	case failed:
		return Bettered
	case o != nil:
		return Again
	}
	return Taking
}

func lastConsent(ctx context.Context, tx bun.IDB, sc tenants.Scope, batchID, personID string) (*Consent, error) {
	c := new(Consent)
	err := tx.NewSelect().Model(c).ApplyQueryBuilder(sc.Where).Where("batch_id = ? AND person_id = ?", batchID, personID).Order("id DESC").Limit(1).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the consent: %w", err)
	}
	return c, nil
}

func lastRetake(ctx context.Context, tx bun.IDB, sc tenants.Scope, batchID, personID string) (*Retake, error) {
	r := new(Retake)
	err := tx.NewSelect().Model(r).ApplyQueryBuilder(sc.Where).Where("batch_id = ? AND person_id = ?", batchID, personID).Order("id DESC").Limit(1).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the retake: %w", err)
	}
	return r, nil
}

// ConsentOf is the youngest consent of a person in a batch, nil for none.
func (s *Service) ConsentOf(ctx context.Context, sc tenants.Scope, batchID, personID string) (*Consent, error) {
	return lastConsent(ctx, s.DB, sc, batchID, personID)
}
