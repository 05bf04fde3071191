package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
)

// ReplacePhoto gives an order another portrait of its batch, which no other order
// uses, and takes it back to review. The former photo stays in the batch, unused.
func (s *Service) ReplacePhoto(ctx context.Context, sc tenants.Scope, orderID, pictureID, actor string) (*Order, error) {
	return s.changeOwn(ctx, sc, orderID, 0, actor, func(ctx context.Context, tx bun.Tx, o *Order, _ *photos.Check) error {
		if !o.Status.Editable() {
			return apperr.New(apperr.Conflict, "error.order.not_editable")
		}
		if o.PhotoID == pictureID {
			return nil
		}
		pic := new(photos.Picture)
		err := tx.NewSelect().Model(pic).ApplyQueryBuilder(sc.Where).
			Where("id = ? AND batch_id = ? AND kind = ? AND state = ?", pictureID, o.BatchID, photos.KindPortrait, photos.StateDone).Scan(ctx)
		if err != nil {
			return fmt.Errorf("cannot load the new photo: %w", err)
		}
		if pic.OrderID != nil {
			return apperr.New(apperr.Conflict, "error.order.photo_used", "file", pic.Name)
		}
		return s.usePhoto(ctx, tx, sc, o, pic, actor)
	})
}

// usePhoto gives an order a picture that no order uses. Another photo that was
// asked for has come with it.
func (s *Service) usePhoto(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, pic *photos.Picture, actor string) error {
	if err := setOrder(ctx, tx, sc, o.PhotoID, nil); err != nil {
		return err
	}
	if err := setOrder(ctx, tx, sc, pic.ID, &o.ID); err != nil {
		return err
	}
	o.PhotoID, o.RetakeAt = pic.ID, nil
	s.review(o, pic.Check)
	now := s.now()
	if err := s.backToReview(ctx, tx, sc, o, now); err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, nil, EventReplaced, actor, nil, now)
}

// backToReview saves an order, in review if it can go there.
func (s *Service) backToReview(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, now time.Time) error {
	if o.Status != StatusReview && o.Status.CanBecome(StatusReview) {
		return move(ctx, tx, sc, o, StatusReview, now)
	}
	return save(ctx, tx, sc, o, now)
}
