package orders

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
)

// MatchTo makes an order that of a person of the batch's roster, because somebody
// says so. A person who has a photo in the batch gets no second one.
func (s *Service) MatchTo(ctx context.Context, sc tenants.Scope, orderID, personID, actor string) (*Order, error) {
	return s.decideMatch(ctx, sc, orderID, "order.match", actor, func(ctx context.Context, tx bun.Tx, o *Order, b *Batch) (EventKind, error) {
		if o.PersonID != nil && *o.PersonID == personID {
			o.MatchedBy = MatchedByHand
			return EventMatched, nil
		}
		p, err := roster.LoadPerson(ctx, tx, sc, personID)
		if err != nil {
			return "", err
		}
		if b.RosterID == nil || p.RosterID != *b.RosterID {
			return "", apperr.New(apperr.NotFound, "error.roster.person_not_found")
		}
		taken, err := havePhoto(ctx, tx, sc, b.ID, []string{personID})
		if err != nil {
			return "", err
		}
		if taken[personID] {
			return "", apperr.New(apperr.Conflict, "error.match.taken")
		}
		o.PersonID, o.MatchedBy, o.MatchReason = &p.ID, MatchedByHand, ""
		o.Fields = withPerson(o.Fields, p.Values)
		return EventMatched, s.reviewed(ctx, tx, sc, o)
	})
}

// HavePhoto tells which of the people have a photo in the batch.
func (s *Service) HavePhoto(ctx context.Context, sc tenants.Scope, batchID string, personIDs []string) (map[string]bool, error) {
	return havePhoto(ctx, s.DB, sc, batchID, personIDs)
}

// MatchReasonUndone is the reason of an order whose match somebody took back.
const MatchReasonUndone = "undone"

// Unmatch takes a person away from an order, with what the roster gave. It is not
// matched again by itself.
func (s *Service) Unmatch(ctx context.Context, sc tenants.Scope, orderID, actor string) (*Order, error) {
	return s.decideMatch(ctx, sc, orderID, "order.unmatch", actor, func(ctx context.Context, tx bun.Tx, o *Order, _ *Batch) (EventKind, error) {
		if o.PersonID == nil {
			return "", nil
		}
		o.MatchCandidates = []string{*o.PersonID}
		o.PersonID, o.MatchedBy, o.MatchReason = nil, MatchedByHand, MatchReasonUndone
		o.Fields = withoutPerson(o.Fields)
		return EventUnmatched, s.reviewed(ctx, tx, sc, o)
	})
}

// decideMatch lets fn change whose an order is, writes it, and notes who did.
// A confirmed order goes back to review. Kind "" means that nothing is to be done.
func (s *Service) decideMatch(ctx context.Context, sc tenants.Scope, orderID, action, actor string, fn func(context.Context, bun.Tx, *Order, *Batch) (EventKind, error)) (*Order, error) {
	o, err := s.Get(ctx, sc, orderID)
	if err != nil {
		return nil, err
	}
	err = s.inBatch(ctx, sc, o.BatchID, func(ctx context.Context, tx bun.Tx, b *Batch) error {
		if o, err = getOrder(ctx, tx, sc, orderID); err != nil {
			return err
		}
		if !o.Status.Editable() {
			return apperr.New(apperr.Conflict, "error.order.not_editable")
		}
		kind, err := fn(ctx, tx, o, b)
		if err != nil || kind == "" {
			return err
		}
		now := s.now()
		if o.Status != StatusReview && o.Status.CanBecome(StatusReview) {
			err = move(ctx, tx, sc, o, StatusReview, now)
		} else {
			err = save(ctx, tx, sc, o, now)
		}
		if err != nil {
			return err
		}
		if err := record(ctx, tx, sc, o.ID, nil, kind, actor, map[string]string{"by": string(MatchedByHand)}, now); err != nil {
			return err
		}
		return tenants.Audit(ctx, tx, sc, actor, action, "order", o.ID, now)
	})
	if err != nil {
		return nil, err
	}
	s.changed(sc, o.BatchID)
	return o, nil
}

// Matches counts how far a batch and its roster have found each other.
type Matches struct {
	Matched int64 // orders with a person
	Open    int64 // orders without one
	Missing int64 // people of the classes on the photos who have none
}

// Matches counts a batch; all zero for one without a roster.
func (s *Service) Matches(ctx context.Context, sc tenants.Scope, b *Batch) (Matches, error) {
	var m Matches
	if b.RosterID == nil {
		return m, nil
	}
	err := s.DB.NewSelect().Model((*Order)(nil)).ColumnExpr("count(person_id) AS matched").ColumnExpr("count(*) - count(person_id) AS open").
		ApplyQueryBuilder(sc.Where).Where("batch_id = ? AND status <> ?", b.ID, StatusCancelled).Scan(ctx, &m)
	if err != nil {
		return m, fmt.Errorf("cannot count the matches: %w", err)
	}
	n, err := s.DB.NewSelect().Model((*roster.Person)(nil)).Apply(withoutPhoto(sc, b)).Count(ctx)
	if err != nil {
		return m, fmt.Errorf("cannot count the people without a photo: %w", err)
	}
	m.Missing = int64(n)
	return m, nil
}

// MatchList lists `limit` orders of a batch after the place `after`: those with a
// person, or those without.
func (s *Service) MatchList(ctx context.Context, sc tenants.Scope, batchID string, matched bool, after int64, limit int) ([]Order, error) {
	var list []Order
	q := s.DB.NewSelect().Model(&list).ExcludeColumn("required_fields").ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND status <> ? AND seq > ?", batchID, StatusCancelled, after).Order("seq").Limit(int64(limit))
	if matched {
		q = q.Where("person_id IS NOT NULL")
	} else {
		q = q.Where("person_id IS NULL")
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the matches: %w", err)
	}
	return list, nil
}

// withoutPhoto narrows people to those who have no order in the batch. Where the
// batch has photos of some classes, the others of the roster are not meant.
func withoutPhoto(sc tenants.Scope, b *Batch) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.ApplyQueryBuilder(sc.Where).Where("person.roster_id = ?", *b.RosterID).
			Where("NOT EXISTS (SELECT 1 FROM orders AS x WHERE x.tenant_id = person.tenant_id AND x.batch_id = ? AND x.person_id = person.id AND x.status <> ?)", b.ID, StatusCancelled).
			Where("(person.grade, person.class) IN (SELECT p.grade, p.class FROM people AS p JOIN orders AS x ON x.tenant_id = p.tenant_id AND x.person_id = p.id WHERE x.tenant_id = ? AND x.batch_id = ? AND x.status <> ?)",
				sc.TenantID(), b.ID, StatusCancelled)
	}
}

// WithoutPhoto lists people of the classes on the batch's photos who have none, at
// most limit after the person `after`.
func (s *Service) WithoutPhoto(ctx context.Context, sc tenants.Scope, b *Batch, after string, limit int) ([]roster.Person, error) {
	if b.RosterID == nil {
		return nil, nil
	}
	var out []roster.Person
	q := s.DB.NewSelect().Model(&out).Apply(withoutPhoto(sc, b)).Order("person.place", "person.id").Limit(int64(limit))
	if after != "" {
		p, err := roster.LoadPerson(ctx, s.DB, sc, after)
		if err != nil {
			return nil, err
		}
		q = q.Where("(person.place > ? OR person.place = ? AND person.id > ?)", p.Place, p.Place, p.ID)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the people without a photo: %w", err)
	}
	return out, nil
}
