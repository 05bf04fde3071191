package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/roster/matching"
	"huizhi/internal/tenants"
)

// PlaceOf orders people by grade, class, and as they were imported.
func PlaceOf(v Values, row int) string {
	return fmt.Sprintf("%s/%s/%07d", matching.SortKey(v.Grade), matching.SortKey(v.Class), row)
}

// ClassCount is one of a roster's classes with how many people it has.
type ClassCount struct {
	Grade, Class string
	People       int64
}

// Classes lists the classes of a roster, as people count them.
func (s *Service) Classes(ctx context.Context, sc tenants.Scope, rosterID string) ([]ClassCount, error) {
	var out []ClassCount
	err := s.DB.NewSelect().Model((*Person)(nil)).Column("grade", "class").ColumnExpr("count(*) AS people").
		ApplyQueryBuilder(sc.Where).Where("roster_id = ?", rosterID).Group("grade", "class").
		OrderExpr("min(place)").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("cannot list the classes: %w", err)
	}
	return out, nil
}

// Filter narrows a list of people; zero values do not.
type Filter struct {
	Grade, Class *string // exactly, "" for people without one
	Text         string  // start of a name, an ID number or a student number
}

func (f Filter) apply(q *bun.SelectQuery) *bun.SelectQuery {
	if f.Grade != nil {
		q = q.Where("grade = ?", *f.Grade)
	}
	if f.Class != nil {
		q = q.Where("class = ?", *f.Class)
	}
	if t := strings.TrimSpace(f.Text); t != "" {
		q = q.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
			for _, field := range []Field{Name, IDNumber, StudentNumber} {
				start := Normalize(field, t)
				q = q.WhereOr("? >= ? AND ? < ?", bun.Ident(string(field)), start, bun.Ident(string(field)), start+"\U0010FFFF")
			}
			return q
		})
	}
	return q
}

// People lists `limit` people of a roster in its order, after the person `after`
// ("" for the first page).
func (s *Service) People(ctx context.Context, sc tenants.Scope, rosterID string, f Filter, after string, limit int) ([]Person, error) {
	var out []Person
	q := s.DB.NewSelect().Model(&out).ApplyQueryBuilder(sc.Where).Where("roster_id = ?", rosterID).Apply(f.apply).
		Order("place", "id").Limit(int64(limit))
	if after != "" {
		p, err := s.Person(ctx, sc, after)
		if err != nil {
			return nil, err
		}
		q = q.Where("(place > ? OR place = ? AND id > ?)", p.Place, p.Place, p.ID)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the people: %w", err)
	}
	return out, nil
}

// Person loads one person.
func (s *Service) Person(ctx context.Context, sc tenants.Scope, id string) (*Person, error) {
	return LoadPerson(ctx, s.DB, sc, id)
}

// LoadPerson is Person for callers inside a transaction.
func LoadPerson(ctx context.Context, tx bun.IDB, sc tenants.Scope, id string) (*Person, error) {
	p := new(Person)
	err := tx.NewSelect().Model(p).ApplyQueryBuilder(sc.Where).Where("id = ?", id).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.roster.person_not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the person: %w", err)
	}
	return p, nil
}

// Load loads people by their ids; those that are gone are not in the answer.
func (s *Service) Load(ctx context.Context, sc tenants.Scope, ids ...string) (map[string]*Person, error) {
	return Load(ctx, s.DB, sc, ids...)
}

// Load is Service.Load for callers inside a transaction.
func Load(ctx context.Context, tx bun.IDB, sc tenants.Scope, ids ...string) (map[string]*Person, error) {
	out := make(map[string]*Person, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	var rows []*Person
	err := tx.NewSelect().Model(&rows).ApplyQueryBuilder(sc.Where).Where("id IN (?)", bun.List(ids)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the people: %w", err)
	}
	for _, p := range rows {
		out[p.ID] = p
	}
	return out, nil
}

// ForMatching loads all people of a roster in its order, without what matching
// does not look at.
func ForMatching(ctx context.Context, tx bun.IDB, sc tenants.Scope, rosterID string) ([]matching.Person, error) {
	var out []matching.Person
	err := tx.NewSelect().Model((*Person)(nil)).Column("id", "name", "id_number", "student_number", "grade", "class").
		ApplyQueryBuilder(sc.Where).Where("roster_id = ?", rosterID).Order("place", "id").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("cannot load the people to match: %w", err)
	}
	return out, nil
}

// Reveal notes that somebody looks at a person with the whole ID number.
func (s *Service) Reveal(ctx context.Context, sc tenants.Scope, id, actor string) error {
	return tenants.Audit(ctx, s.DB, sc, actor, "person.reveal", "person", id, s.now())
}

// Edit sets what a person says of somebody of the roster. From then on no import
// changes the fields that differ from before.
func (s *Service) Edit(ctx context.Context, sc tenants.Scope, id string, v Values, actor string) (*Person, error) {
	for _, f := range Fields {
		*v.at(f) = Normalize(f, v.Get(f))
	}
	if err := fieldErrors(v.check()); err != nil {
		return nil, err
	}
	p, err := s.Person(ctx, sc, id)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, sc, p.RosterID, func(ctx context.Context, tx bun.Tx) (int64, error) {
		if p, err = LoadPerson(ctx, tx, sc, id); err != nil {
			return 0, err
		}
		if p.Values == v {
			return 0, nil
		}
		for _, f := range Fields {
			if p.Get(f) != v.Get(f) && !slices.Contains(p.Edited, f) {
				p.Edited = append(p.Edited, f)
			}
		}
		if p.Grade != v.Grade || p.Class != v.Class {
			p.Place = PlaceOf(v, 0)
		}
		p.Values, p.UpdatedAt = v, s.now()
		if err := updatePerson(ctx, tx, sc, p); err != nil {
			return 0, err
		}
		if err := tenants.Audit(ctx, tx, sc, actor, "person.edit", "person", p.ID, p.UpdatedAt); err != nil {
			return 0, err
		}
		return 0, s.Changed(ctx, tx, sc, p.RosterID)
	})
	return p, err
}

// Delete removes somebody from a roster, unless an order or anything else of the
// tenant's hangs on that person: then it is a Conflict, and nothing happens.
func (s *Service) Delete(ctx context.Context, sc tenants.Scope, id, actor string) error {
	p, err := s.Person(ctx, sc, id)
	if err != nil {
		return err
	}
	return s.change(ctx, sc, p.RosterID, func(ctx context.Context, tx bun.Tx) (int64, error) {
		if s.InUse != nil {
			used, err := s.InUse(ctx, tx, sc, id)
			if err != nil {
				return 0, err
			}
			if used {
				return 0, apperr.New(apperr.Conflict, "error.roster.person_in_use")
			}
		}
		res, err := tx.NewDelete().Model((*Person)(nil)).ApplyQueryBuilder(sc.Where).Where("id = ?", id).Exec(ctx)
		if err != nil {
			return 0, fmt.Errorf("cannot delete person %s: %w", id, err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return 0, apperr.New(apperr.NotFound, "error.roster.person_not_found")
		}
		return -1, tenants.Audit(ctx, tx, sc, actor, "person.delete", "person", id, s.now())
	})
}

// errTaken are the numbers that another person of the roster has.
var errTaken = map[Field]error{
	IDNumber:      apperr.Field(string(IDNumber), "roster.issue.number_taken"),
	StudentNumber: apperr.Field(string(StudentNumber), "roster.issue.student_number_taken"),
}

func updatePerson(ctx context.Context, tx bun.Tx, sc tenants.Scope, p *Person) error {
	_, err := tx.NewUpdate().Model(p).ExcludeColumn("tenant_id", "id", "roster_id", "created_at").
		ApplyQueryBuilder(sc.Where).Where("id = ?", p.ID).Exec(ctx)
	switch {
	case db.IsUnique(err, "people_id_number", "people.id_number"):
		return errTaken[IDNumber]
	case db.IsUnique(err, "people_student_number", "people.student_number"):
		return errTaken[StudentNumber]
	case err != nil:
		return errors.New("cannot save the person") // the cause would repeat the numbers
	}
	return nil
}

// fieldErrors are issues as the errors of a form.
func fieldErrors(issues []Issue) error {
	var bad apperr.Fields
	for _, is := range issues {
		bad.Add(string(is.Field), is.Key)
	}
	return bad.Err()
}
