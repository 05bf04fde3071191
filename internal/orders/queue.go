package orders

import (
	"context"
	"fmt"
	"maps"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/ocr"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
)

// Tally counts what waits for a person in a batch.
type Tally struct {
	Waiting int64 // in review
	Clean   int64 // of these, without an exception
	Photo   int64 // of these, with a doubt about the photo
}

// photoProblem matches orders with a "photo.<rule>" among their exceptions. The
// keys are a short JSON list; its text looks alike on both databases.
const photoProblem = `CAST(o.exception_keys AS TEXT) LIKE '%"photo.%'`

// Tally counts the orders in review in one scan.
func (s *Service) Tally(ctx context.Context, sc tenants.Scope, batchID string) (Tally, error) {
	var t Tally
	err := s.DB.NewSelect().Model((*Order)(nil)).ColumnExpr("count(*) AS waiting").
		ColumnExpr("coalesce(sum(CASE WHEN o.exceptions = 0 THEN 1 ELSE 0 END), 0) AS clean").
		ColumnExpr("coalesce(sum(CASE WHEN "+photoProblem+" THEN 1 ELSE 0 END), 0) AS photo").
		ApplyQueryBuilder(sc.Where).Where("o.batch_id = ? AND o.status = ?", batchID, StatusReview).Scan(ctx, &t)
	if err != nil {
		return t, fmt.Errorf("cannot count what waits for review: %w", err)
	}
	return t, nil
}

// Queue lists the ids of the orders of a batch that wait for a person: those
// with an exception first, each part by place. Correcting one thing of several
// does not move an order, so that previous and next stay where they were.
func (s *Service) Queue(ctx context.Context, sc tenants.Scope, batchID string) ([]string, error) {
	var ids []string
	err := s.DB.NewSelect().Model((*Order)(nil)).Column("o.id").ApplyQueryBuilder(sc.Where).
		Where("o.batch_id = ? AND o.status = ?", batchID, StatusReview).
		OrderExpr("CASE WHEN o.exceptions > 0 THEN 0 ELSE 1 END").Order("o.seq").Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("cannot list what waits for review: %w", err)
	}
	return ids, nil
}

// WithoutCard lists the orders of a batch that still lack the front of a card,
// by place: those a free card can belong to.
func (s *Service) WithoutCard(ctx context.Context, sc tenants.Scope, batchID string, limit int) ([]Order, error) {
	var list []Order
	err := s.DB.NewSelect().Model(&list).ApplyQueryBuilder(sc.Where).Where("o.batch_id = ? AND o.front_id IS NULL", batchID).
		Where("o.status IN (?)", bun.List([]Status{StatusRecognizing, StatusReview, StatusReady, StatusFailed, StatusRejected})).
		Order("o.seq").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the orders without a card: %w", err)
	}
	return list, nil
}

// ReadAgain drops what was typed and takes the youngest readings of the order's
// cards once more.
func (s *Service) ReadAgain(ctx context.Context, sc tenants.Scope, orderID, actor string) (*Order, error) {
	return s.change(ctx, sc, orderID, 0, func(ctx context.Context, tx bun.Tx, o *Order, check *photos.Check) error {
		if !o.Status.Editable() {
			return apperr.New(apperr.Conflict, "error.order.not_editable")
		}
		var cards []photos.Picture
		for _, id := range []*string{o.BackID, o.FrontID} { // the front last: it counts where both have a field
			if id != nil {
				cards = append(cards, photos.Picture{ID: *id})
			}
		}
		readings, err := readingsOf(ctx, tx, sc, cards)
		if err != nil {
			return err
		}
		if len(readings) == 0 {
			return apperr.New(apperr.Conflict, "error.order.no_reading")
		}
		fields := ocr.Fields{}
		for _, card := range cards {
			if r := readings[card.ID]; r != nil {
				maps.Copy(fields, r.Fields)
			}
		}
		o.Fields = fields
		if err := addPerson(ctx, tx, sc, o); err != nil {
			return err
		}
		s.review(o, check)
		now := s.now()
		if o.Status == StatusReview || o.Status == StatusRecognizing {
			err = save(ctx, tx, sc, o, now)
		} else {
			err = move(ctx, tx, sc, o, StatusReview, now)
		}
		if err != nil {
			return err
		}
		return record(ctx, tx, sc, o.ID, nil, EventEdited, actor, map[string]string{"fields": "reread"}, now)
	})
}

// RevealBatch notes that somebody looked at the whole ID numbers of a batch.
func (s *Service) RevealBatch(ctx context.Context, sc tenants.Scope, batchID, actor string) error {
	return tenants.Audit(ctx, s.DB, sc, actor, "batch.reveal", "batch", batchID, s.now())
}
