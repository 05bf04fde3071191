package orders

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/personcard"
	"huizhi/internal/photos"
	"huizhi/internal/roster/matching"
	"huizhi/internal/tenants"
)

// haveMarkers tells that cards of people lie among the pictures of a batch.
func haveMarkers(ctx context.Context, tx bun.IDB, sc tenants.Scope, batchID string) (bool, error) {
	there, err := tx.NewSelect().Model((*photos.Picture)(nil)).ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND kind = 'card_marker'", batchID).Exists(ctx) // as in the index
	if err != nil {
		return false, fmt.Errorf("cannot look for cards among the photos: %w", err)
	}
	return there, nil
}

// cardsBefore finds the card before the photo of each order of a batch, by the
// order's id; nothing in a batch without cards.
func (s *Service) cardsBefore(ctx context.Context, sc tenants.Scope, b *Batch) (map[string]matching.Before, error) {
	if there, err := haveMarkers(ctx, s.DB, sc, b.ID); err != nil || !there {
		return nil, err
	}
	var pics []photos.Picture
	err := s.DB.NewSelect().Model(&pics).Column("name", "state", "kind", "order_id", "taken_at", "marker").ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND kind NOT IN (?)", b.ID, bun.List([]photos.Kind{photos.KindCardFront, photos.KindCardBack, photos.KindCardBoth})).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the sequence of the batch: %w", err)
	}
	shots := make([]matching.Shot, len(pics))
	for i, p := range pics {
		shots[i] = shotOf(&p)
	}
	return matching.Cards(shots), nil
}

func shotOf(p *photos.Picture) matching.Shot {
	s := matching.Shot{File: p.Name, Kind: matching.OddShot}
	if p.TakenAt != nil {
		s.Taken = *p.TakenAt
	}
	switch {
	case p.State == photos.StateDone && p.Kind == photos.KindPortrait:
		s.Kind = matching.PhotoShot
		if p.OrderID != nil {
			s.Photo = *p.OrderID
		}
	case p.Kind == photos.KindMarker:
		s.Kind = matching.CardShot
		s.Person, _ = personcard.Person(p.Marker)
	}
	return s
}

// undoCards takes back what a card alone said while pictures of the sequence were
// still on their way, and does not say any more: photos arrive several at a time,
// and a card may come after the photo that follows it. What somebody confirmed or
// decided stays.
func (s *Service) undoCards(ctx context.Context, sc tenants.Scope, b *Batch) error {
	before, err := s.cardsBefore(ctx, sc, b)
	if err != nil || before == nil {
		return err
	}
	return s.inBatch(ctx, sc, b.ID, func(ctx context.Context, tx bun.Tx, _ *Batch) error {
		var list []Order
		err := tx.NewSelect().Model(&list).ApplyQueryBuilder(sc.Where).
			Where("batch_id = ? AND matched_by = ? AND status IN (?)", b.ID, matching.ByCard, bun.List(matchable)).Scan(ctx)
		if err != nil {
			return fmt.Errorf("cannot load what cards say: %w", err)
		}
		list = slices.DeleteFunc(list, func(o Order) bool {
			return o.PersonID == nil || before[o.ID] == matching.Before{Person: *o.PersonID}
		})
		for i := range list {
			if err := s.undoCard(ctx, tx, sc, &list[i], s.now()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) undoCard(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, now time.Time) error {
	o.PersonID, o.MatchedBy, o.MatchReason, o.MatchCandidates = nil, "", "", nil
	o.Fields = withoutPerson(o.Fields)
	if err := s.reviewed(ctx, tx, sc, o); err != nil {
		return err
	}
	if err := save(ctx, tx, sc, o, now); err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, nil, EventUnmatched, ActorSystem, map[string]string{"by": string(matching.ByCard)}, now)
}
