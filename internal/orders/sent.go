package orders

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/ocr"
	"huizhi/internal/photos"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
)

// OfPerson is the order that a person of a batch's roster has, nil for none.
func OfPerson(ctx context.Context, tx bun.IDB, sc tenants.Scope, batchID, personID string) (*Order, error) {
	o := new(Order)
	err := tx.NewSelect().Model(o).ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND person_id = ? AND status <> ?", batchID, personID, StatusCancelled).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the order of a person: %w", err)
	}
	return o, nil
}

// TakesPhoto tells whether the person of the order may still send another photo:
// nobody has confirmed this one yet.
func (o *Order) TakesPhoto() bool { return o.Status == StatusReview || o.Status == StatusRecognizing }

// TakeSent gives a person of the batch's roster a photo that was sent for them and
// that no order uses: as an order in review with what the roster says, or in the
// place of the photo of the order that they have, as long as nobody has confirmed
// it; then it is a Conflict. The picture is in the database. It is for callers
// inside a transaction, who tell the watchers.
func (s *Service) TakeSent(ctx context.Context, tx bun.Tx, sc tenants.Scope, p *roster.Person, pic *photos.Picture, actor string) (*Order, error) {
	b := new(Batch)
	err := tx.NewSelect().Model(b).ApplyQueryBuilder(sc.Where).Where("id = ?", pic.BatchID).Apply(db.ForUpdate(tx)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the batch: %w", err)
	}
	if b.RosterID == nil || *b.RosterID != p.RosterID {
		return nil, apperr.New(apperr.NotFound, "error.roster.person_not_found")
	}
	o, err := OfPerson(ctx, tx, sc, b.ID, p.ID)
	switch {
	case err != nil:
		return nil, err
	case o == nil:
		return s.sentOrder(ctx, tx, sc, b, p, pic, actor)
	case o.PhotoID == pic.ID:
		return o, nil
	}
	if o, err = getOrder(ctx, tx, sc, o.ID); err != nil {
		return nil, err
	}
	if !o.TakesPhoto() {
		return nil, apperr.New(apperr.Conflict, "error.order.photo_settled")
	}
	return o, s.usePhoto(ctx, tx, sc, o, pic, actor)
}

// sentOrder makes the order of a person. The batch's row is locked.
func (s *Service) sentOrder(ctx context.Context, tx bun.Tx, sc tenants.Scope, b *Batch, p *roster.Person, pic *photos.Picture, actor string) (*Order, error) {
	_, err := tx.NewUpdate().Model(b).Set("next_seq = next_seq + 1").ApplyQueryBuilder(sc.Where).Where("id = ?", b.ID).Returning("next_seq").Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot give the photo its place: %w", err)
	}
	n, err := tenants.NextNumbers(ctx, tx, sc, "order", 1)
	if err != nil {
		return nil, err
	}
	now := s.now()
	o := &Order{TenantID: sc.TenantID(), ID: db.NewID(), BatchID: b.ID, Number: orderNumber(n, now), Status: StatusReview, Seq: b.NextSeq - 1,
		TypeID: b.TypeID, TypeName: b.TypeName, City: b.City, RequiredFields: b.RequiredFields, Simulate: b.Simulate, PhotoID: pic.ID,
		PersonID: &p.ID, MatchedBy: MatchedByLink, Fields: withPerson(ocr.Fields{}, p.Values), Version: 1, CreatedAt: now, UpdatedAt: now}
	s.review(o, pic.Check)
	if _, err := tx.NewInsert().Model(o).Exec(ctx); err != nil {
		return nil, fmt.Errorf("cannot create the order: %w", err)
	}
	_, err = tx.NewUpdate().Model((*photos.Picture)(nil)).Set("order_id = ?, seq = ?", o.ID, o.Seq).ApplyQueryBuilder(sc.Where).Where("id = ?", pic.ID).Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot link the picture: %w", err)
	}
	if err := record(ctx, tx, sc, o.ID, nil, EventCreated, actor, nil, now); err != nil {
		return nil, err
	}
	return o, record(ctx, tx, sc, o.ID, nil, EventMatched, actor, map[string]string{"by": string(MatchedByLink)}, now)
}

// AskRetake says that an order needs another photo, and takes it back to review,
// where it is not confirmed in bulk. then runs in the same transaction. An order
// that is under way or done is a Conflict.
func (s *Service) AskRetake(ctx context.Context, sc tenants.Scope, orderID, actor string, then func(context.Context, bun.Tx, *Order) error) (*Order, error) {
	return s.change(ctx, sc, orderID, 0, func(ctx context.Context, tx bun.Tx, o *Order, check *photos.Check) error {
		if !slices.Contains([]Status{StatusReview, StatusReady, StatusFailed, StatusRejected}, o.Status) {
			return apperr.New(apperr.Conflict, "error.order.not_editable")
		}
		now := s.now()
		o.RetakeAt = &now
		s.review(o, check)
		if err := s.backToReview(ctx, tx, sc, o, now); err != nil {
			return err
		}
		if err := record(ctx, tx, sc, o.ID, nil, EventRetake, actor, nil, now); err != nil {
			return err
		}
		return then(ctx, tx, o)
	})
}
