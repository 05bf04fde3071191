package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Apply writes the rows that were agreed to, chunk by chunk; a written row leaves
// the table of rows, so that a killed process goes on where it was. In the end
// nothing but the import's counts is left of the file.
func (s *Service) Apply(ctx context.Context, sc tenants.Scope, importID string) error {
	im, err := s.Import(ctx, sc, importID)
	if err != nil || im.State != Applying {
		return err
	}
	for more := true; more; {
		err := s.change(ctx, sc, im.RosterID, func(ctx context.Context, tx bun.Tx) (int64, error) {
			n, grown, err := s.applyChunk(ctx, tx, sc, im)
			more = n == chunk
			return grown, err
		})
		if err != nil {
			return err
		}
	}
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		now, err := getImport(ctx, tx, sc, im.ID)
		if err != nil || now.State != Applying {
			return err
		}
		now.State, now.Done = Applied, now.Total
		if err := saveImport(ctx, tx, sc, now, s.now()); err != nil {
			return err
		}
		if err := deleteRows(ctx, tx, sc, im.ID); err != nil {
			return err
		}
		return s.Changed(ctx, tx, sc, im.RosterID)
	})
	if err != nil {
		return err
	}
	return s.Blobs.Delete(ctx, im.BlobKey)
}

// applyChunk writes the next rows and returns how many, and by how many people
// the roster grew.
func (s *Service) applyChunk(ctx context.Context, tx bun.Tx, sc tenants.Scope, im *Import) (n int, grown int64, err error) {
	var rows []Row
	err = tx.NewSelect().Model(&rows).ApplyQueryBuilder(sc.Where).
		Where("import_id = ? AND kind IN (?)", im.ID, bun.List([]Kind{Added, Changed})).Order("row").Limit(chunk).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return 0, 0, err
	}
	numbers := make([]int, len(rows))
	var added []Person
	var changed []string
	now := s.now()
	for i, row := range rows {
		numbers[i] = row.Row
		if row.Kind == Changed {
			changed = append(changed, *row.PersonID)
			continue
		}
		added = append(added, Person{TenantID: sc.TenantID(), ID: db.NewID(), RosterID: im.RosterID, Values: row.Values,
			Place: PlaceOf(row.Values, row.Row), CreatedAt: now, UpdatedAt: now})
	}
	if len(added) > 0 {
		// Somebody whom a person entered by hand since the check is there already.
		res, err := tx.NewInsert().Model(&added).On("CONFLICT DO NOTHING").Exec(ctx)
		if err != nil {
			return 0, 0, errors.New("cannot add the people") // the cause would repeat who they are
		}
		if grown, err = res.RowsAffected(); err != nil {
			return 0, 0, err
		}
	}
	people, err := Load(ctx, tx, sc, changed...)
	if err != nil {
		return 0, 0, err
	}
	for _, row := range rows {
		if row.Kind != Changed || people[*row.PersonID] == nil {
			continue
		}
		if err := s.applyChange(ctx, tx, sc, people[*row.PersonID], row); err != nil {
			return 0, 0, err
		}
	}
	_, err = tx.NewDelete().Model((*Row)(nil)).ApplyQueryBuilder(sc.Where).
		Where("import_id = ? AND row IN (?)", im.ID, bun.List(numbers)).Exec(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("cannot delete the applied rows: %w", err)
	}
	_, err = tx.NewUpdate().Model((*Import)(nil)).Set("done = done + ?, updated_at = ?", len(rows), now).
		ApplyQueryBuilder(sc.Where).Where("id = ?", im.ID).Exec(ctx)
	return len(rows), grown, err
}

// applyChange writes the fields that the row changes, but for those that a person
// has set meanwhile.
func (s *Service) applyChange(ctx context.Context, tx bun.Tx, sc tenants.Scope, p *Person, row Row) error {
	for _, f := range Fields {
		if v := row.Values.Get(f); v != row.Former.Get(f) && !slices.Contains(p.Edited, f) {
			*p.at(f) = v
		}
	}
	if p.Grade != row.Former.Grade || p.Class != row.Former.Class {
		p.Place = PlaceOf(p.Values, row.Row)
	}
	p.UpdatedAt = s.now()
	return updatePerson(ctx, tx, sc, p)
}
