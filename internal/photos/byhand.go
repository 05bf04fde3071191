package photos

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// HandKinds are what a person can say a picture is.
var HandKinds = []Kind{KindPortrait, KindCardFront, KindCardBack}

// SortAgain sorts a picture that no order uses once more: as what a person says
// it is, or, with KindUnknown, as what the local engine finds on reading it anew. An
// engine that is not available is an error only in the second case; then nothing
// changes.
func (s *Service) SortAgain(ctx context.Context, sc tenants.Scope, pictureID string, as Kind) (*Picture, error) {
	pic, err := s.Picture(ctx, sc, pictureID)
	if err != nil {
		return nil, err
	}
	how := looking{remote: true, as: as}
	switch {
	case as == KindUnknown:
		how = looking{anew: true}
	case !slices.Contains(HandKinds, as):
		return nil, apperr.Field("as", "error.upload.kind")
	}
	if pic.State == StateNew {
		return nil, apperr.New(apperr.Conflict, "error.upload.still_reading")
	}
	if pic.OrderID != nil {
		return nil, apperr.New(apperr.Conflict, "error.upload.in_use")
	}
	seen, err := s.look(ctx, sc, pic, how)
	if err != nil {
		return nil, err
	}
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := s.write(ctx, tx, seen, StateDone, StateFailed); err != nil {
			return err
		}
		return s.Batches.PictureResorted(ctx, tx, sc, &seen.Picture, seen.reading)
	})
	if err != nil {
		return nil, fmt.Errorf("cannot sort the picture again: %w", err)
	}
	s.Changed(sc, pic.BatchID)
	return &seen.Picture, nil
}

// maxUnsorted bounds the list of what a person has to sort; what is beyond it
// comes up when these are done.
const maxUnsorted = 100

// Unsorted lists the pictures of a batch that are neither a portrait nor a card
// as far as anybody knows, by their place.
func (s *Service) Unsorted(ctx context.Context, sc tenants.Scope, batchID string) ([]Picture, error) {
	var pics []Picture
	err := s.DB.NewSelect().Model(&pics).ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND order_id IS NULL AND (state = ? OR (state = ? AND (kind = ? OR kind = ? AND marker = '')))", batchID, StateFailed, StateDone, KindOther, KindMarker).
		Order("seq").Limit(maxUnsorted).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the unsorted pictures: %w", err)
	}
	return pics, nil
}

// TakePortrait takes in a photo that a person brings in the place of another one,
// and makes its files at once: it is a portrait because they say so. It stands
// where the replaced one stood in the batch; giving it to the order is the
// caller's matter. A file that is no usable picture is an Invalid error. Content
// that the batch has already is not kept twice: it is returned if it is free, or
// if it is the order's own, and a Conflict otherwise.
func (s *Service) TakePortrait(ctx context.Context, sc tenants.Scope, replaced *Picture, name string, r io.Reader) (*Picture, error) {
	up := newUpload(sc, replaced.BatchID, name)
	pic := &Picture{TenantID: sc.TenantID(), ID: db.NewID(), BatchID: replaced.BatchID, Seq: replaced.Seq, Name: up.Name, PairKey: replaced.PairKey,
		CreatedAt: up.CreatedAt, CustomerID: replaced.CustomerID}
	if err := s.keepOriginal(ctx, sc, pic, r); err != nil {
		return nil, err
	}
	up.SHA256, up.Size = pic.SHA256, pic.Size
	seen, err := s.look(ctx, sc, pic, looking{as: KindPortrait})
	if err != nil {
		return nil, err
	}
	if seen.State == StateFailed {
		return nil, apperr.New(apperr.Invalid, seen.ProblemKey, seen.ProblemArgs...)
	}
	_, err = s.record(ctx, sc, up, func(ctx context.Context, tx bun.Tx) error {
		same := new(Picture)
		err := tx.NewSelect().Model(same).Column("name").ApplyQueryBuilder(sc.Where).Where("batch_id = ? AND sha256 = ?", up.BatchID, up.SHA256).Limit(1).Scan(ctx)
		if err == nil {
			up.duplicateOf(same.Name)
			return nil
		}
		if !db.IsNoRows(err) {
			return fmt.Errorf("cannot look for the same content: %w", err)
		}
		up.Outcome = OutcomeStored
		_, err = tx.NewInsert().Model(&seen.Picture).Exec(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.portraitOf(ctx, sc, up, replaced.OrderID)
}

// portraitOf finds the batch's portrait with the upload's content, free or the
// order's own.
func (s *Service) portraitOf(ctx context.Context, sc tenants.Scope, up *Upload, orderID *string) (*Picture, error) {
	pic := new(Picture)
	err := s.DB.NewSelect().Model(pic).ApplyQueryBuilder(sc.Where).Where("batch_id = ? AND sha256 = ?", up.BatchID, up.SHA256).Limit(1).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot find the photo: %w", err)
	}
	own := pic.OrderID == nil || orderID != nil && *pic.OrderID == *orderID
	if pic.Kind != KindPortrait || pic.State != StateDone || !own {
		return nil, apperr.New(apperr.Conflict, "error.order.photo_used", "file", pic.Name)
	}
	return pic, nil
}
