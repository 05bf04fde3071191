package photos

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/tenants"
)

// findMarkers looks at the previews of what is neither a portrait nor a document.
// A card with a person in the picture became a portrait, and stays one.
func (s *Service) findMarkers(ctx context.Context, j FindMarkers) error {
	sc := tenants.ForTenant(j.TenantID)
	if marked, err := s.Batches.Marked(ctx, sc, j.BatchID); err != nil || !marked {
		return err
	}
	var pics []Picture
	err := s.DB.NewSelect().Model(&pics).Column("tenant_id", "id", "preview_key").ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND state = ? AND kind = ? AND order_id IS NULL AND preview_key <> ''", j.BatchID, StateDone, KindOther).Order("seq").Scan(ctx)
	if err != nil {
		return fmt.Errorf("cannot list the pictures to look at again: %w", err)
	}
	var found []Picture
	for _, p := range pics {
		is, err := s.lookForMarker(ctx, &p)
		if err != nil {
			return err
		}
		if is {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil
	}
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for i := range found {
			_, err := tx.NewUpdate().Model(&found[i]).Column("kind", "marker", "problem_key", "problem_args").WherePK().
				Where("kind = ? AND order_id IS NULL", KindOther).Exec(ctx)
			if err != nil {
				return fmt.Errorf("cannot note a card: %w", err)
			}
		}
		return s.Batches.MarkersFound(ctx, tx, sc, j.BatchID)
	})
	if err == nil {
		s.Changed(sc, j.BatchID)
	}
	return err
}

// lookForMarker makes the picture a marker if it is one.
func (s *Service) lookForMarker(ctx context.Context, p *Picture) (is bool, err error) {
	err = s.pool.Do(ctx, func() error {
		data, err := s.Blobs.Get(ctx, p.PreviewKey)
		if err != nil {
			return err
		}
		preview, err := imaging.Open(data)
		if err != nil {
			return err
		}
		img, err := preview.Decode(1)
		if err != nil {
			return err
		}
		p.Marker, is = markerIn(img)
		return nil
	})
	var e *apperr.Error
	if errors.Is(err, blob.ErrNotFound) || errors.As(err, &e) && e.Kind == apperr.Invalid {
		return false, nil // erased meanwhile, or nothing that can be looked at
	}
	if is {
		if p.Kind = KindMarker; p.Marker == "" {
			p.ProblemKey = "upload.problem.marker_unread"
		}
	}
	return is, err
}
