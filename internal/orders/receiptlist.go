package orders

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
	"huizhi/internal/validity"
)

// SoonDays is how many days before its last one a receipt is said to expire soon.
const SoonDays = 14

// Shelf is a part of the receipts that a tenant holds.
type Shelf string

// The shelves. A renewed receipt needs nobody's attention any more, so it expires
// only on its own shelf.
const (
	ShelfUsable  Shelf = ""
	ShelfSoon    Shelf = "soon" // usable, for at most SoonDays
	ShelfExpired Shelf = "expired"
	ShelfRenewed Shelf = "renewed"
	ShelfAll     Shelf = "all"
)

// Shelves lists the shelves as they stand on the page.
var Shelves = []Shelf{ShelfUsable, ShelfSoon, ShelfExpired, ShelfRenewed, ShelfAll}

// ReceiptCursor is the place of a receipt in a list: when it is used up, and its order.
type ReceiptCursor struct {
	Until time.Time
	ID    string
}

// ReceiptFilter narrows the receipts.
type ReceiptFilter struct {
	Shelf Shelf
	Name  string // the start of a person's name
}

// notRenewed holds for receipts that no other order renews.
const notRenewed = "NOT EXISTS (SELECT 1 FROM orders AS n WHERE n.tenant_id = o.tenant_id AND n.renews_id = o.id AND n.status <> 'cancelled')"

// backwards tells that the shelf shows the latest date first.
func (f ReceiptFilter) backwards() bool { return f.Shelf == ShelfExpired || f.Shelf == ShelfAll }

func (f ReceiptFilter) apply(now time.Time) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		q = q.Where("o.valid_until IS NOT NULL")
		if name := strings.TrimSpace(f.Name); name != "" {
			q = q.Where("o.name >= ? AND o.name < ?", name, name+"\U0010FFFF")
		}
		switch f.Shelf {
		case ShelfUsable:
			q = q.Where("o.valid_until > ?", now)
		case ShelfSoon:
			q = q.Where("o.valid_until > ? AND o.valid_until <= ?", now, validity.InDays(now, SoonDays)).Where(notRenewed)
		case ShelfExpired:
			q = q.Where("o.valid_until <= ?", now).Where(notRenewed)
		case ShelfRenewed:
			q = q.Where("NOT " + notRenewed)
		}
		return q
	}
}

// HeldReceipt is a receipt with the order that renews it, or nil.
type HeldReceipt struct {
	Order
	RenewedBy *Order
}

// HeldReceipts lists `limit` receipts after a place (nil for the first page): those
// that are used up next come first, on the shelves of the past the latest.
func (s *Service) HeldReceipts(ctx context.Context, sc tenants.Scope, f ReceiptFilter, after *ReceiptCursor, limit int) ([]HeldReceipt, error) {
	var list []Order
	q := s.DB.NewSelect().Model(&list).ExcludeColumn("fields", "required_fields", "custom").ApplyQueryBuilder(sc.Where).Apply(f.apply(s.now())).Limit(int64(limit))
	comparison, direction := ">", "ASC"
	if f.backwards() {
		comparison, direction = "<", "DESC"
	}
	if after != nil {
		q = q.Where("(o.valid_until, o.id) "+comparison+" (?, ?)", after.Until.UTC(), after.ID)
	}
	if err := q.OrderExpr("o.valid_until " + direction + ", o.id " + direction).Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the receipts: %w", err)
	}
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	renewals, err := renewalsOf(ctx, s.DB, sc, ids)
	if err != nil {
		return nil, err
	}
	out := make([]HeldReceipt, len(list))
	for i := range list {
		out[i] = HeldReceipt{Order: list[i], RenewedBy: renewals[list[i].ID]}
	}
	return out, nil
}

// EachHeldReceipt walks a filter's receipts in the order of HeldReceipts.
func (s *Service) EachHeldReceipt(ctx context.Context, sc tenants.Scope, f ReceiptFilter, each func(*HeldReceipt) error) error {
	const portion = 500
	var after *ReceiptCursor
	for {
		list, err := s.HeldReceipts(ctx, sc, f, after, portion)
		if err != nil {
			return err
		}
		for i := range list {
			if err := each(&list[i]); err != nil {
				return err
			}
		}
		if len(list) < portion {
			return nil
		}
		last := list[len(list)-1]
		after = &ReceiptCursor{*last.ValidUntil, last.ID}
	}
}

// Expiring counts the receipts that nobody has renewed and that are used up within
// so many days.
func (s *Service) Expiring(ctx context.Context, sc tenants.Scope, days int) (int64, error) {
	now := s.now()
	n, err := s.DB.NewSelect().Model((*Order)(nil)).ApplyQueryBuilder(sc.Where).
		Where("o.valid_until > ? AND o.valid_until <= ?", now, validity.InDays(now, days)).Where(notRenewed).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("cannot count the expiring receipts: %w", err)
	}
	return n, nil
}

// RenewalOf loads the order that renews another; nil if there is none.
func (s *Service) RenewalOf(ctx context.Context, sc tenants.Scope, orderID string) (*Order, error) {
	renewals, err := renewalsOf(ctx, s.DB, sc, []string{orderID})
	return renewals[orderID], err
}

// renewalsOf loads the orders that renew others, by the id of the former one.
func renewalsOf(ctx context.Context, tx bun.IDB, sc tenants.Scope, formerIDs []string) (map[string]*Order, error) {
	out := map[string]*Order{}
	if len(formerIDs) == 0 {
		return out, nil
	}
	var list []*Order
	err := tx.NewSelect().Model(&list).Column("tenant_id", "id", "number", "status", "batch_id", "renews_id").ApplyQueryBuilder(sc.Where).
		Where("o.renews_id IN (?) AND o.status <> 'cancelled'", bun.List(formerIDs)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the renewals: %w", err)
	}
	for _, o := range list {
		out[*o.RenewsID] = o
	}
	return out, nil
}

// CorrectValidity notes the last day that is printed on the receipt; it beats the
// table. day is a date; its time of day does not count.
func (s *Service) CorrectValidity(ctx context.Context, sc tenants.Scope, orderID string, day time.Time, actor string) error {
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		o, err := getOrder(ctx, tx, sc, orderID)
		if err != nil {
			return err
		}
		until, now := validity.EndOf(day), s.now()
		switch {
		case o.ValidUntil == nil:
			return errNoReceipt
		case until.Before(*o.CompletedAt) || until.After(o.CompletedAt.AddDate(10, 0, 0)):
			return errLastDay
		case until.Equal(*o.ValidUntil) && o.ValidBy == ValidByHand:
			return nil
		}
		o.ValidUntil, o.ValidBy = &until, ValidByHand
		if err := save(ctx, tx, sc, o, now); err != nil {
			return err
		}
		if err := record(ctx, tx, sc, o.ID, nil, EventValidity, actor, map[string]string{"day": day.Format(time.DateOnly)}, now); err != nil {
			return err
		}
		return tenants.Audit(ctx, tx, sc, actor, "order.validity", "order", o.ID, now)
	})
}

// ByHand tells that a person read the last day on the receipt.
func (o *Order) ByHand() bool { return o.ValidBy == ValidByHand }

// lockOrders loads orders for changing them, in the order of their ids, so that two
// who lock the same ones never wait for each other.
func lockOrders(ctx context.Context, tx bun.IDB, sc tenants.Scope, ids []string) ([]Order, error) {
	var list []Order
	err := tx.NewSelect().Model(&list).ApplyQueryBuilder(sc.Where).Where("o.id IN (?)", bun.List(ids)).Order("o.id").Apply(db.ForUpdate(tx)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the orders: %w", err)
	}
	return list, nil
}
