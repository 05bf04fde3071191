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

// QueuePlace is where an order stands in the review queue of its batch: by rank, then
// by the place of its photo. The zero QueuePlace is before all.
type QueuePlace struct{ Rank, Seq int64 }

// Place is the order's.
func (o *Order) Place() QueuePlace { return QueuePlace{o.ReviewRank, o.Seq} }

// Place is where the order stood when it was claimed. What is corrected
// meanwhile does not change what comes next.
func (c *Claim) Place() QueuePlace { return QueuePlace{c.ReviewRank, c.Seq} }

// The ranks: 0 with an exception, 1 without one, and rankPerSkip more for each
// time that somebody skipped the order.
const rankPerSkip = 2

// ranked puts what needs a person first. Orders that were skipped stay behind.
func (o *Order) ranked() {
	o.ReviewRank -= o.ReviewRank % rankPerSkip
	if o.Exceptions == 0 {
		o.ReviewRank++
	}
}

// neighbour finds one order of a batch that waits and is with nobody else, as
// `which` says; "" if there is none. Like all below, it is a range of the index
// orders_queue.
func (s *Service) neighbour(ctx context.Context, sc tenants.Scope, batchID string, user string, which func(*bun.SelectQuery) *bun.SelectQuery) (string, error) {
	var ids []string
	err := s.waiting(sc, batchID).Column("o.id").
		Where("NOT EXISTS (SELECT 1 FROM review_claims AS c WHERE c.tenant_id = o.tenant_id AND c.order_id = o.id AND c.user_id <> ? AND c.until > ?)", user, s.now()).
		Apply(which).Limit(1).Scan(ctx, &ids)
	if err != nil {
		return "", fmt.Errorf("cannot find the next to review: %w", err)
	}
	if len(ids) == 0 {
		return "", nil
	}
	return ids[0], nil
}

func (s *Service) waiting(sc tenants.Scope, batchID string) *bun.SelectQuery {
	return s.DB.NewSelect().Model((*Order)(nil)).ApplyQueryBuilder(sc.Where).Where("o.batch_id = ? AND o.status = 'review'", batchID)
}

// Neighbours are the orders before and after a place that the person can go to,
// "" at the ends.
func (s *Service) Neighbours(ctx context.Context, sc tenants.Scope, batchID string, at QueuePlace, user string) (prev, next string, err error) {
	prev, err = s.neighbour(ctx, sc, batchID, user, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("(o.review_rank, o.seq) < (?, ?)", at.Rank, at.Seq).Order("o.review_rank DESC", "o.seq DESC")
	})
	if err == nil {
		next, err = s.neighbour(ctx, sc, batchID, user, func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where("(o.review_rank, o.seq) > (?, ?)", at.Rank, at.Seq).Order("o.review_rank", "o.seq")
		})
	}
	return prev, next, err
}

// MostCounted bounds the counts of a queue: nobody reads more closely, and each
// record shows them.
const MostCounted = 10_000

// Standing is how far the review of a batch is, each count up to MostCounted.
type Standing struct {
	Done    int64 // confirmed record by record
	Before  int64 // waiting, before the order at hand
	Waiting int64
}

// Standing counts from a place in the queue.
func (s *Service) Standing(ctx context.Context, sc tenants.Scope, batchID string, at QueuePlace) (Standing, error) {
	var st Standing
	count := func(n *int64, what string, q *bun.SelectQuery) error {
		k, err := s.DB.NewSelect().TableExpr("(?) AS bounded", q.ColumnExpr("1").Limit(MostCounted)).Count(ctx)
		if err != nil {
			return fmt.Errorf("cannot count %s: %w", what, err)
		}
		*n = int64(k)
		return nil
	}
	err := count(&st.Done, "what is reviewed", s.DB.NewSelect().Model((*Confirmation)(nil)).ApplyQueryBuilder(sc.Where).Where("batch_id = ? AND took_ms IS NOT NULL", batchID))
	if err == nil {
		err = count(&st.Before, "what comes before", s.waiting(sc, batchID).Where("(o.review_rank, o.seq) < (?, ?)", at.Rank, at.Seq))
	}
	if err == nil {
		err = count(&st.Waiting, "what waits", s.waiting(sc, batchID))
	}
	return st, err
}

// QueueList lists the first orders of the queue.
func (s *Service) QueueList(ctx context.Context, sc tenants.Scope, batchID string, limit int) ([]Order, error) {
	var list []Order
	err := s.DB.NewSelect().Model(&list).ApplyQueryBuilder(sc.Where).Where("o.batch_id = ? AND o.status = 'review'", batchID).
		Order("o.review_rank", "o.seq").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list what waits for review: %w", err)
	}
	return list, nil
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
	return s.changeOwn(ctx, sc, orderID, 0, actor, func(ctx context.Context, tx bun.Tx, o *Order, check *photos.Check) error {
		if !o.Status.Editable() {
			return apperr.New(apperr.Conflict, "error.order.not_editable")
		}
		fields, err := readFields(ctx, tx, sc, o)
		if err != nil {
			return err
		}
		if fields == nil {
			return apperr.New(apperr.Conflict, "error.order.no_reading")
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

// readFields is what the youngest readings of the order's cards say; nil if
// there is none.
func readFields(ctx context.Context, tx bun.IDB, sc tenants.Scope, o *Order) (ocr.Fields, error) {
	var cards []photos.Picture
	for _, id := range []*string{o.BackID, o.FrontID} { // the front last: it counts where both have a field
		if id != nil {
			cards = append(cards, photos.Picture{ID: *id})
		}
	}
	readings, err := readingsOf(ctx, tx, sc, cards)
	if err != nil || len(readings) == 0 {
		return nil, err
	}
	fields := ocr.Fields{}
	for _, card := range cards {
		if r := readings[card.ID]; r != nil {
			maps.Copy(fields, r.Fields)
		}
	}
	return fields, nil
}

// RevealBatch notes that somebody looked at the whole ID numbers of a batch.
func (s *Service) RevealBatch(ctx context.Context, sc tenants.Scope, batchID, actor string) error {
	return tenants.Audit(ctx, s.DB, sc, actor, "batch.reveal", "batch", batchID, s.now())
}
