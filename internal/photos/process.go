package photos

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/ocr/routing"
	"huizhi/internal/tenants"
)

// process looks at a stored picture and sorts it, once. It may be cut off
// anywhere and run again: until its last transaction only files are made, and
// those are named by their content.
func (s *Service) process(ctx context.Context, j processPicture) error {
	err := s.sort(ctx, j.TenantID, j.PictureID, looking{})
	if !errors.Is(err, routing.ErrRemote) {
		return err
	}
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		return s.Jobs.EnqueueTx(ctx, tx, readRemotely{j.TenantID, j.PictureID})
	})
}

// processRemote is process where waiting for others hurts nobody.
func (s *Service) processRemote(ctx context.Context, j readRemotely) error {
	return s.sort(ctx, j.TenantID, j.PictureID, looking{remote: true})
}

func (s *Service) sort(ctx context.Context, tenantID, pictureID string, how looking) error {
	sc := tenants.ForTenant(tenantID)
	pic, err := s.Picture(ctx, sc, pictureID)
	if apperr.KindOf(err) == apperr.NotFound {
		return nil // erased meanwhile
	}
	if err != nil {
		return err
	}
	if pic.State != StateNew {
		return nil
	}
	seen, err := s.look(ctx, sc, pic, how)
	if err != nil {
		return err
	}
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		ended, err := s.write(ctx, tx, seen, StateNew)
		if err != nil || !ended {
			return err
		}
		return s.Batches.PictureSorted(ctx, tx, sc, &seen.Picture, seen.reading)
	})
	if err != nil {
		return fmt.Errorf("cannot sort the picture: %w", err)
	}
	s.Changed(sc, pic.BatchID)
	return nil
}

// Reread has a sorted picture read anew, even if it was taken for a portrait: by
// the local engine, or by the one that a person named knowing its price. It
// returns the picture as it is now and the new reading, if it is a card; what that
// means for an order is the caller's matter. A picture that an order uses stays
// what it is. An engine that is not available is an error here, and nothing
// changes.
func (s *Service) Reread(ctx context.Context, sc tenants.Scope, pictureID, engine string) (*Picture, *Reading, error) {
	pic, err := s.Picture(ctx, sc, pictureID)
	if err != nil {
		return nil, nil, err
	}
	if pic.State == StateNew {
		return nil, nil, apperr.New(apperr.Conflict, "error.upload.still_reading")
	}
	how := looking{remote: true, anew: true, by: engine}
	if pic.OrderID != nil { // what it is has been settled
		how.as = pic.Kind
	}
	seen, err := s.look(ctx, sc, pic, how)
	if err != nil {
		return nil, nil, err
	}
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := s.write(ctx, tx, seen, StateDone, StateFailed)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("cannot keep the new reading: %w", err)
	}
	s.Changed(sc, pic.BatchID)
	return &seen.Picture, seen.reading, nil
}

// write stores what was seen if the picture is still in one of the states.
func (s *Service) write(ctx context.Context, tx bun.Tx, seen *sight, from ...State) (bool, error) {
	res, err := tx.NewUpdate().Model(&seen.Picture).
		Column("state", "kind", "problem_key", "problem_args", "working_key", "preview_key", "thumb_key", "findings", "marker").
		WherePK().Where("state IN (?)", bun.List(from)).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("cannot update the picture: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	if err := s.OCR.Record(ctx, tx, seen.result); err != nil {
		return false, err
	}
	if seen.reading == nil {
		return true, nil
	}
	seen.reading.ID, seen.reading.CreatedAt = db.NewID(), db.Now()
	if _, err := tx.NewInsert().Model(seen.reading).Exec(ctx); err != nil {
		return false, fmt.Errorf("cannot insert the reading: %w", err)
	}
	return true, nil
}
