package collect

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/orders"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
)

// ClassProgress is how far one class of a batch's roster is.
type ClassProgress struct {
	Grade, Class string
	People       int64
	Sent         int64 // have a photo in the batch, however it came
	Retake       int64 // of these, how many are asked for another one
}

// Missing is how many have none.
func (c ClassProgress) Missing() int64 { return c.People - c.Sent }

// Progress lists the classes of a batch's roster, as people count them.
func (s *Service) Progress(ctx context.Context, sc tenants.Scope, b *orders.Batch) ([]ClassProgress, error) {
	if b.RosterID == nil {
		return nil, nil
	}
	var out []ClassProgress
	err := s.DB.NewSelect().Model((*roster.Person)(nil)).Column("person.grade", "person.class").ColumnExpr("count(*) AS people").
		ColumnExpr("count(o.id) AS sent").ColumnExpr("count(o.retake_at) AS retake").
		Apply(withOrder(b)).ApplyQueryBuilder(sc.Where).Where("person.roster_id = ?", *b.RosterID).
		Group("person.grade", "person.class").OrderExpr("min(person.place)").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("cannot count the photos of the classes: %w", err)
	}
	return out, nil
}

// withOrder joins people with their orders in the batch.
func withOrder(b *orders.Batch) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Join("LEFT JOIN orders AS o ON o.tenant_id = person.tenant_id AND o.batch_id = ? AND o.person_id = person.id AND o.status <> ?", b.ID, orders.StatusCancelled)
	}
}

// Entry is somebody of a batch's roster and how far they are.
type Entry struct {
	roster.Person `bun:",extend"`
	OrderID       string
	Status        orders.Status
	PhotoID       string
	MatchedBy     orders.MatchedBy
	Retake        bool
}

// People lists who is in a class of the batch's roster, or in all (nil), in its
// order, `limit` after the place of the person `after` ("" begins). With open set,
// only those of whom a photo is wanted: they have none, or another one was asked for.
func (s *Service) People(ctx context.Context, sc tenants.Scope, b *orders.Batch, class *ClassProgress, open bool, after *Entry, limit int) ([]Entry, error) {
	if b.RosterID == nil {
		return nil, nil
	}
	var out []Entry
	q := s.DB.NewSelect().Model((*roster.Person)(nil)).ColumnExpr("person.*").
		ColumnExpr("coalesce(o.id, '') AS order_id, coalesce(o.status, '') AS status, coalesce(o.photo_id, '') AS photo_id, coalesce(o.matched_by, '') AS matched_by, o.retake_at IS NOT NULL AS retake").
		Apply(withOrder(b)).ApplyQueryBuilder(sc.Where).Where("person.roster_id = ?", *b.RosterID).
		Order("person.place", "person.id").Limit(int64(limit))
	if class != nil {
		q = q.Where("person.grade = ? AND person.class = ?", class.Grade, class.Class)
	}
	if open {
		q = q.Where("(o.id IS NULL OR o.retake_at IS NOT NULL)")
	}
	if after != nil {
		q = q.Where("(person.place > ? OR person.place = ? AND person.id > ?)", after.Place, after.Place, after.ID)
	}
	if err := q.Scan(ctx, &out); err != nil {
		return nil, fmt.Errorf("cannot list the people of the collection: %w", err)
	}
	return out, nil
}

// Consents are the youngest consents of people in a batch, by person.
func (s *Service) Consents(ctx context.Context, sc tenants.Scope, batchID string, personIDs []string) (map[string]*Consent, error) {
	out := make(map[string]*Consent, len(personIDs))
	if len(personIDs) == 0 {
		return out, nil
	}
	var list []*Consent
	err := s.DB.NewSelect().Model(&list).ExcludeColumn("text").ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND person_id IN (?)", batchID, bun.List(personIDs)).Order("id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the consents: %w", err)
	}
	for _, c := range list {
		out[c.PersonID] = c
	}
	return out, nil
}
