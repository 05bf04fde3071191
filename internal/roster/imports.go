package roster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/jobs"
	"huizhi/internal/roster/sheet"
	"huizhi/internal/tenants"
)

// queueRoster has the jobs of imports, two at a time: a large file of one school
// does not hold up the small one of another.
const queueRoster = "roster"

// checkImport compares the rows of a file with the roster.
type checkImport struct {
	TenantID string `json:"tenant"`
	ImportID string `json:"import"`
}

func (checkImport) Kind() string                 { return "check_roster_import" }
func (checkImport) InsertOpts() river.InsertOpts { return jobOpts }

// applyImport writes what was agreed to.
type applyImport struct {
	TenantID string `json:"tenant"`
	ImportID string `json:"import"`
}

func (applyImport) Kind() string                 { return "apply_roster_import" }
func (applyImport) InsertOpts() river.InsertOpts { return jobOpts }

// jobOpts let a person, who waits for the answer, know soon that it will not come.
var jobOpts = river.InsertOpts{Queue: queueRoster, MaxAttempts: 4}

// Register declares the jobs.
func (s *Service) Register(q *jobs.Queue) {
	q.AddQueue(queueRoster, 2)
	jobs.Handle(q, func(ctx context.Context, j checkImport) error {
		sc := tenants.ForTenant(j.TenantID)
		return s.orFail(ctx, sc, j.ImportID, s.Check(ctx, sc, j.ImportID), "error.internal")
	})
	jobs.Handle(q, func(ctx context.Context, j applyImport) error {
		sc := tenants.ForTenant(j.TenantID)
		return s.orFail(ctx, sc, j.ImportID, s.Apply(ctx, sc, j.ImportID), "error.roster.broken_off")
	})
}

// orFail leaves a state that people see when a job failed for the last time.
func (s *Service) orFail(ctx context.Context, sc tenants.Scope, importID string, err error, key string) error {
	if err == nil || !jobs.LastTry(ctx) {
		return err
	}
	_, failed := s.DB.NewUpdate().Model((*Import)(nil)).Set("state = ?, problem_key = ?, updated_at = ?", Failed, key, s.now()).
		ApplyQueryBuilder(sc.Where).Where("id = ?", importID).Exec(context.WithoutCancel(ctx))
	return errors.Join(err, failed)
}

// Start keeps a file and has it compared with the roster. name is that of the
// file, "" for pasted cells.
func (s *Service) Start(ctx context.Context, sc tenants.Scope, rosterID, name string, r io.Reader, actor string) (*Import, error) {
	if _, err := s.Get(ctx, sc, rosterID); err != nil {
		return nil, err
	}
	im := &Import{TenantID: sc.TenantID(), ID: db.NewID(), RosterID: rosterID, File: fileName(name), State: Checking, CreatedBy: actor, CreatedAt: s.now(), UpdatedAt: s.now()}
	// By import, so that dropping one never takes the bytes of another.
	kept, err := s.Blobs.PutSHA256(ctx, sc.BlobKey("rosters/"+im.ID), r, sheet.MaxBytes)
	if errors.Is(err, blob.ErrTooLarge) {
		return nil, apperr.New(apperr.TooLarge, "error.roster.too_large", "mb", sheet.MaxBytes>>20)
	}
	if err != nil {
		return nil, err
	}
	im.BlobKey, im.Total = kept.Key, max(kept.Size, 1)
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(im).Exec(ctx); err != nil {
			return fmt.Errorf("cannot record the import: %w", err)
		}
		return s.Jobs.EnqueueTx(ctx, tx, checkImport{im.TenantID, im.ID})
	})
	if err != nil {
		return nil, err
	}
	return im, nil
}

// fileName is the name alone, at most 120 bytes of it.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	if name == "." || name == "/" {
		return ""
	}
	for len(name) > 120 {
		name = name[:len(name)-1]
	}
	return strings.ToValidUTF8(name, "")
}

// Import loads an import.
func (s *Service) Import(ctx context.Context, sc tenants.Scope, id string) (*Import, error) {
	return getImport(ctx, s.DB, sc, id)
}

func getImport(ctx context.Context, tx bun.IDB, sc tenants.Scope, id string) (*Import, error) {
	im := new(Import)
	err := tx.NewSelect().Model(im).ApplyQueryBuilder(sc.Where).Where("id = ?", id).Apply(db.ForUpdate(tx)).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.roster.import_not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load import %s: %w", id, err)
	}
	return im, nil
}

// OpenImports lists the imports of a roster that wait or are under way, the newest
// first.
func (s *Service) OpenImports(ctx context.Context, sc tenants.Scope, rosterID string) ([]Import, error) {
	var out []Import
	err := s.DB.NewSelect().Model(&out).ApplyQueryBuilder(sc.Where).Where("roster_id = ?", rosterID).
		Where("state IN (?)", bun.List([]State{Checking, Checked, Applying})).Order("id DESC").Limit(20).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the imports: %w", err)
	}
	return out, nil
}

// Rows lists `limit` rows of a kind that follow the row `after`.
func (s *Service) Rows(ctx context.Context, sc tenants.Scope, importID string, kind Kind, after, limit int) ([]Row, error) {
	var out []Row
	err := s.DB.NewSelect().Model(&out).ApplyQueryBuilder(sc.Where).
		Where("import_id = ? AND kind = ? AND row > ?", importID, kind, after).Order("row").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the rows: %w", err)
	}
	return out, nil
}

// missing narrows people to those of the roster whom an import does not have.
func missing(sc tenants.Scope, im *Import) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.ApplyQueryBuilder(sc.Where).Where("person.roster_id = ?", im.RosterID).
			Where("NOT EXISTS (SELECT 1 FROM roster_import_rows AS line WHERE line.tenant_id = person.tenant_id AND line.import_id = ? AND line.person_id = person.id)", im.ID)
	}
}

// Missing lists people of the roster whom the file does not have, at most limit
// after the person `after`. They stay.
func (s *Service) Missing(ctx context.Context, sc tenants.Scope, im *Import, after string, limit int) ([]Person, error) {
	var out []Person
	err := s.DB.NewSelect().Model(&out).Apply(missing(sc, im)).Where("person.id > ?", after).Order("person.id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list who is missing: %w", err)
	}
	return out, nil
}

// SetColumns takes a person's word for what the columns are, remembers it for the
// tenant's next tables, and has the file compared anew. fields has one entry for
// each column, "" for one to leave out.
func (s *Service) SetColumns(ctx context.Context, sc tenants.Scope, importID string, fields []Field) error {
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		im, err := getImport(ctx, tx, sc, importID)
		if err != nil {
			return err
		}
		if im.State != Checked {
			return apperr.New(apperr.Conflict, "error.roster.not_waiting")
		}
		if len(fields) != len(im.Columns) {
			return apperr.New(apperr.Invalid, "error.form")
		}
		seen := map[Field]bool{}
		said := map[string]header{}
		for i, f := range fields {
			if f != "" && !slices.Contains(Fields, f) {
				return apperr.New(apperr.Invalid, "error.form")
			}
			if f != "" && seen[f] {
				return apperr.New(apperr.Invalid, "error.roster.column_twice")
			}
			seen[f] = true
			if key := headerKey(im.Columns[i].Header); key != "" && im.Columns[i].Field != f {
				said[key] = header{TenantID: sc.TenantID(), Header: key, Field: f, UpdatedAt: s.now()}
			}
			im.Columns[i].Field = f
		}
		if len(said) > 0 {
			rows := slices.Collect(maps.Values(said))
			_, err := tx.NewInsert().Model(&rows).On("CONFLICT (tenant_id, header) DO UPDATE").
				Set("field = EXCLUDED.field, updated_at = EXCLUDED.updated_at").Exec(ctx)
			if err != nil {
				return fmt.Errorf("cannot remember the columns: %w", err)
			}
		}
		im.State, im.Done = Checking, 0
		if err := saveImport(ctx, tx, sc, im, s.now()); err != nil {
			return err
		}
		return s.Jobs.EnqueueTx(ctx, tx, checkImport{im.TenantID, im.ID})
	})
}

// Agree has a checked import applied. When the roster was changed since, it is
// compared anew instead and the answer is a Conflict: nobody agrees to what was
// not shown.
func (s *Service) Agree(ctx context.Context, sc tenants.Scope, importID, actor string) error {
	stale := false
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		im, err := getImport(ctx, tx, sc, importID)
		if err != nil {
			return err
		}
		if im.State == Applying || im.State == Applied {
			return nil // pressed twice
		}
		if im.State != Checked || im.Counts.Added+im.Counts.Changed == 0 {
			return apperr.New(apperr.Conflict, "error.roster.not_waiting")
		}
		r, err := Find(ctx, tx, sc, im.RosterID)
		if err != nil {
			return err
		}
		now := s.now()
		im.Done = 0
		if stale = r.Version != im.RosterVersion; stale {
			im.State = Checking
			if err := saveImport(ctx, tx, sc, im, now); err != nil {
				return err
			}
			return s.Jobs.EnqueueTx(ctx, tx, checkImport{im.TenantID, im.ID})
		}
		im.State, im.Total = Applying, im.Counts.Added+im.Counts.Changed
		if err := saveImport(ctx, tx, sc, im, now); err != nil {
			return err
		}
		if err := tenants.Audit(ctx, tx, sc, actor, "roster.import", "roster", im.RosterID, now); err != nil {
			return err
		}
		return s.Jobs.EnqueueTx(ctx, tx, applyImport{im.TenantID, im.ID})
	})
	if err == nil && stale {
		return apperr.New(apperr.Conflict, "error.roster.changed_meanwhile")
	}
	return err
}

// Drop throws an import away that has not been agreed to.
func (s *Service) Drop(ctx context.Context, sc tenants.Scope, importID string) error {
	var im *Import
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var err error
		if im, err = getImport(ctx, tx, sc, importID); err != nil {
			return err
		}
		if im.State == Applying || im.State == Applied {
			return apperr.New(apperr.Conflict, "error.roster.not_waiting")
		}
		im.State = Dropped
		if err := saveImport(ctx, tx, sc, im, s.now()); err != nil {
			return err
		}
		return deleteRows(ctx, tx, sc, im.ID)
	})
	if err != nil {
		return err
	}
	return s.Blobs.Delete(ctx, im.BlobKey)
}

func saveImport(ctx context.Context, tx bun.IDB, sc tenants.Scope, im *Import, now time.Time) error {
	im.UpdatedAt = now
	_, err := tx.NewUpdate().Model(im).ExcludeColumn("tenant_id", "id", "roster_id", "created_at", "created_by").
		ApplyQueryBuilder(sc.Where).Where("id = ?", im.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot save import %s: %w", im.ID, err)
	}
	return nil
}

func deleteRows(ctx context.Context, tx bun.IDB, sc tenants.Scope, importID string) error {
	_, err := tx.NewDelete().Model((*Row)(nil)).ApplyQueryBuilder(sc.Where).Where("import_id = ?", importID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot delete the rows of import %s: %w", importID, err)
	}
	return nil
}
