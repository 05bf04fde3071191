// Package roster keeps the people whom a school or company names before their
// photos are taken, and takes in the tables in which it names them.
//
//	roster.go    rosters and the service
//	people.go    the people of a roster: tree, list, search, edits by hand
//	values.go    what a roster says of a person, and the checks of it
//	columns.go   what the columns of a table are
//	imports.go   a file is kept, its columns are chosen, it is applied or dropped
//	check.go     the rows of a file are compared with the roster
//	apply.go     what was agreed to is written
//	template.go  the table to fill in
//
// An import never deletes: who is not in the file stays, and is listed. What a
// person set by hand is not changed by it. A number that a spreadsheet has
// damaged is refused and never guessed; see package sheet.
package roster

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/jobs"
	"huizhi/internal/tenants"
)

// Config is what the service needs.
type Config struct {
	DB    *db.DB
	Blobs *blob.Store
	Jobs  jobs.Enqueuer
	// Changed is called in the transaction that has changed the people of a
	// roster. May be nil.
	Changed func(ctx context.Context, tx bun.Tx, sc tenants.Scope, rosterID string) error
	// InUse tells that something of the tenant's hangs on a person, who then cannot
	// be deleted. May be nil.
	InUse func(ctx context.Context, tx bun.IDB, sc tenants.Scope, personID string) (bool, error)
	Now   func() time.Time // nil: the clock
}

// Service owns rosters, people and imports.
type Service struct{ Config }

// New makes the service.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = db.Now
	}
	if c.Changed == nil {
		c.Changed = func(context.Context, bun.Tx, tenants.Scope, string) error { return nil }
	}
	return &Service{c}
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// Create makes an empty roster.
func (s *Service) Create(ctx context.Context, sc tenants.Scope, name, actor string) (*Roster, error) {
	name, err := checkName(name)
	if err != nil {
		return nil, err
	}
	now := s.now()
	r := &Roster{TenantID: sc.TenantID(), ID: db.NewID(), Name: name, Version: 1, CreatedBy: actor, CreatedAt: now, UpdatedAt: now}
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
			return fmt.Errorf("cannot create the roster: %w", err)
		}
		return tenants.Audit(ctx, tx, sc, actor, "roster.create", "roster", r.ID, now)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", apperr.Field("name", "error.roster.name_required")
	case utf8.RuneCountInString(name) > 60:
		return "", apperr.Field("name", "error.roster.name_long", "max", 60)
	}
	return name, nil
}

// Rename gives a roster another name. Imports that are under way go on.
func (s *Service) Rename(ctx context.Context, sc tenants.Scope, id, name, actor string) error {
	name, err := checkName(name)
	if err != nil {
		return err
	}
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewUpdate().Model((*Roster)(nil)).Set("name = ?", name).ApplyQueryBuilder(sc.Where).Where("id = ?", id).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot rename the roster: %w", err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return apperr.New(apperr.NotFound, "error.roster.not_found")
		}
		return tenants.Audit(ctx, tx, sc, actor, "roster.rename", "roster", id, s.now())
	})
}

// Get loads a roster.
func (s *Service) Get(ctx context.Context, sc tenants.Scope, id string) (*Roster, error) {
	return Find(ctx, s.DB, sc, id)
}

// Find is Get for callers inside a transaction.
func Find(ctx context.Context, tx bun.IDB, sc tenants.Scope, id string) (*Roster, error) {
	r := new(Roster)
	err := tx.NewSelect().Model(r).ApplyQueryBuilder(sc.Where).Where("id = ?", id).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.roster.not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load roster %s: %w", id, err)
	}
	return r, nil
}

// List lists the tenant's rosters, the newest first, at most maxRosters.
func (s *Service) List(ctx context.Context, sc tenants.Scope) ([]Roster, error) {
	var list []Roster
	err := s.DB.NewSelect().Model(&list).ApplyQueryBuilder(sc.Where).Order("id DESC").Limit(maxRosters).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the rosters: %w", err)
	}
	return list, nil
}

// maxRosters bounds the list of rosters; a photographer's schools of some years.
const maxRosters = 500

// change locks a roster, so that its people are changed by one at a time, and runs
// fn, which returns by how many people the roster grew.
func (s *Service) change(ctx context.Context, sc tenants.Scope, rosterID string, fn func(context.Context, bun.Tx) (int64, error)) error {
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewUpdate().Model((*Roster)(nil)).Set("version = version + 1, updated_at = ?", s.now()).
			ApplyQueryBuilder(sc.Where).Where("id = ?", rosterID).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot lock the roster: %w", err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return apperr.New(apperr.NotFound, "error.roster.not_found")
		}
		grown, err := fn(ctx, tx)
		if err != nil || grown == 0 {
			return err
		}
		_, err = tx.NewUpdate().Model((*Roster)(nil)).Set("people = people + ?", grown).
			ApplyQueryBuilder(sc.Where).Where("id = ?", rosterID).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot count the people: %w", err)
		}
		return nil
	})
}
