package orders

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Filter narrows a list of orders; zero values do not.
type Filter struct {
	BatchID    string
	Statuses   []Status
	TypeID     int
	Text       string // start of a name, of an ID number, or of an order number
	Exceptions bool   // only those with something to look at
	Photo      bool   // only those with a doubt about the photo
}

func (f Filter) apply(q *bun.SelectQuery) *bun.SelectQuery {
	if f.BatchID != "" {
		q = q.Where("o.batch_id = ?", f.BatchID)
	}
	if len(f.Statuses) > 0 {
		q = q.Where("o.status IN (?)", bun.List(f.Statuses))
	}
	if f.TypeID != 0 {
		q = q.Where("o.type_id = ?", f.TypeID)
	}
	if f.Exceptions {
		q = q.Where("o.exceptions > 0")
	}
	if f.Photo {
		q = q.Where(photoProblem)
	}
	if t := strings.TrimSpace(f.Text); t != "" {
		// Ranges, not LIKE: they use the index on both databases.
		end := t + "\U0010FFFF"
		upper := strings.ToUpper(t)
		q = q.WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where("o.name >= ? AND o.name < ?", t, end).
				WhereOr("o.id_number >= ? AND o.id_number < ?", upper, upper+"\U0010FFFF").
				WhereOr("o.number >= ? AND o.number < ?", upper, upper+"\U0010FFFF")
		})
	}
	return q
}

// List returns `limit` orders, newest first, after the id `before` ("" for the
// first page). What a list does not show (the fields read from the card and
// those its type requires) is not loaded: decoding it cost as much as the query.
func (s *Service) List(ctx context.Context, sc tenants.Scope, f Filter, before string, limit int) ([]Order, error) {
	var list []Order
	q := s.DB.NewSelect().Model(&list).ExcludeColumn("fields", "required_fields").
		ApplyQueryBuilder(sc.Where).Apply(f.apply).Order("o.id DESC").Limit(int64(limit))
	if before != "" {
		q = q.Where("o.id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the orders: %w", err)
	}
	return list, nil
}

// ReviewList returns orders of a batch with those that need a person first:
// most exceptions, then by place. It pages by offset: a batch is bounded, and
// its order changes under the reader's hands.
func (s *Service) ReviewList(ctx context.Context, sc tenants.Scope, f Filter, offset, limit int) ([]Order, error) {
	var list []Order
	err := s.DB.NewSelect().Model(&list).ApplyQueryBuilder(sc.Where).Apply(f.apply).
		OrderExpr("CASE WHEN o.status IN (?) THEN 0 WHEN o.status IN (?) THEN 1 ELSE 2 END",
			bun.List([]Status{StatusReview, StatusFailed, StatusRejected, StatusNeedsDecision, StatusUnknown}),
			bun.List([]Status{StatusDraft, StatusRecognizing, StatusReady})).
		Order("o.exceptions DESC", "o.seq").Offset(int64(offset)).Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the orders of the batch: %w", err)
	}
	return list, nil
}

// Lanes counts the orders whose outcome is not known, and those that need a
// decision; two short index ranges.
func (s *Service) Lanes(ctx context.Context, sc tenants.Scope) (unknown, decision int, err error) {
	var rows []Status
	err = s.DB.NewSelect().Model((*Order)(nil)).Column("status").ApplyQueryBuilder(sc.Where).
		Where("status IN (?)", bun.List([]Status{StatusUnknown, StatusNeedsDecision})).Limit(1000).Scan(ctx, &rows)
	if err != nil {
		return 0, 0, fmt.Errorf("cannot count the lanes: %w", err)
	}
	for _, st := range rows {
		if st == StatusUnknown {
			unknown++
		} else {
			decision++
		}
	}
	return unknown, decision, nil
}

// Get loads one order.
func (s *Service) Get(ctx context.Context, sc tenants.Scope, id string) (*Order, error) {
	o := new(Order)
	err := s.DB.NewSelect().Model(o).ApplyQueryBuilder(sc.Where).Where("o.id = ?", id).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.order.not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load order %s: %w", id, err)
	}
	return o, nil
}

// History is everything that happened to an order.
type History struct {
	Attempts []Attempt // newest first
	Events   []Event   // oldest first
	Receipt  *Receipt  // of the completed attempt, or nil
}

// History loads the timeline of an order: three queries, whatever its length.
func (s *Service) History(ctx context.Context, sc tenants.Scope, orderID string) (*History, error) {
	h := new(History)
	if err := s.DB.NewSelect().Model(&h.Attempts).ApplyQueryBuilder(sc.Where).Where("a.order_id = ?", orderID).Order("a.ordinal DESC").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the attempts: %w", err)
	}
	if err := s.DB.NewSelect().Model(&h.Events).ApplyQueryBuilder(sc.Where).Where("e.order_id = ?", orderID).Order("e.id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the events: %w", err)
	}
	receipts, err := s.Receipts(ctx, sc, []string{orderID})
	h.Receipt = receipts[orderID]
	return h, err
}

// Receipts loads the receipts of orders, by order id.
func (s *Service) Receipts(ctx context.Context, sc tenants.Scope, orderIDs []string) (map[string]*Receipt, error) {
	out := map[string]*Receipt{}
	if len(orderIDs) == 0 {
		return out, nil
	}
	var rows []*Receipt
	err := s.DB.NewSelect().Model(&rows).ApplyQueryBuilder(sc.Where).Where("order_id IN (?)", bun.List(orderIDs)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the receipts: %w", err)
	}
	for _, r := range rows {
		out[r.OrderID] = r
	}
	return out, nil
}

// Completed walks the completed orders of a batch in their places, 200 at a
// time, with their stored receipts.
func (s *Service) Completed(ctx context.Context, sc tenants.Scope, batchID string, each func(*Order, *Receipt) error) error {
	for after := int64(-1); ; {
		var list []Order
		err := s.DB.NewSelect().Model(&list).ApplyQueryBuilder(sc.Where).
			Where("o.batch_id = ? AND o.status = ? AND o.seq > ?", batchID, StatusCompleted, after).Order("o.seq").Limit(200).Scan(ctx)
		if err != nil {
			return fmt.Errorf("cannot list the completed orders: %w", err)
		}
		if len(list) == 0 {
			return nil
		}
		ids := make([]string, len(list))
		for i, o := range list {
			ids[i] = o.ID
		}
		receipts, err := s.Receipts(ctx, sc, ids)
		if err != nil {
			return err
		}
		for i := range list {
			after = list[i].Seq
			if r := receipts[list[i].ID]; r != nil && r.State == ReceiptStored {
				if err := each(&list[i], r); err != nil {
					return err
				}
			}
		}
	}
}

// Reveal notes that somebody looked at the whole ID number.
func (s *Service) Reveal(ctx context.Context, sc tenants.Scope, orderID, actor string) (*Order, error) {
	o, err := s.Get(ctx, sc, orderID)
	if err != nil {
		return nil, err
	}
	return o, tenants.Audit(ctx, s.DB, sc, actor, "order.reveal", "order", o.ID, s.now())
}
