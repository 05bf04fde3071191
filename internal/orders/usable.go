package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
	"huizhi/internal/validity"
)

// Usable is a receipt that the person of an order has already: of the same type,
// or of one that the table says serves it.
type Usable struct {
	OrderID    string // that is to be paid
	Name       string // of the person
	ReceiptID  string // the completed order
	Number     string // its number
	TypeName   string // its type
	ValidUntil time.Time
	ByHand     bool // the day was read on the receipt
	Same       bool // it is of the very same type
	Rule       validity.Rule
}

// UsableInBatch finds the confirmed orders of a batch whose person has a usable
// receipt already: by the ID number, in the same city. One query, whatever the
// size of the batch.
func (s *Service) UsableInBatch(ctx context.Context, sc tenants.Scope, batchID string) ([]Usable, error) {
	return s.usable(ctx, sc, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("o.batch_id = ? AND o.status = ?", batchID, StatusReady)
	})
}

// UsableFor is UsableInBatch for some orders, whatever their state.
func (s *Service) UsableFor(ctx context.Context, sc tenants.Scope, orderIDs ...string) ([]Usable, error) {
	if len(orderIDs) == 0 {
		return nil, nil
	}
	return s.usable(ctx, sc, func(q *bun.SelectQuery) *bun.SelectQuery { return q.Where("o.id IN (?)", bun.List(orderIDs)) })
}

// usable returns at most one receipt an order: that of the same type before
// others, then the one that lasts longest.
func (s *Service) usable(ctx context.Context, sc tenants.Scope, which func(*bun.SelectQuery) *bun.SelectQuery) ([]Usable, error) {
	now := s.now()
	var rows []struct {
		OrderID, Name, RenewsID string
		WantedType              int
		WantedName              string
		ReceiptID, Number       string
		TypeID                  int
		TypeName, City, ValidBy string
		ValidUntil              time.Time
	}
	q := s.DB.NewSelect().Model((*Order)(nil)).
		ColumnExpr("o.id AS order_id, o.name, coalesce(o.renews_id, '') AS renews_id, o.type_id AS wanted_type, o.type_name AS wanted_name").
		ColumnExpr("r.id AS receipt_id, r.number, r.type_id, r.type_name, r.city, r.valid_by, r.valid_until").
		Join("JOIN orders AS r ON r.tenant_id = o.tenant_id AND r.id_number = o.id_number AND r.city = o.city").
		Where("o.tenant_id = ? AND o.id_number <> '' AND NOT o.simulate", sc.TenantID()).
		Where("r.valid_until > ? AND r.id <> o.id", now).Apply(which).
		OrderExpr("o.seq, o.id, r.valid_until DESC, r.id")
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("cannot look for usable receipts: %w", err)
	}
	var out []Usable
	for _, r := range rows {
		rule, same := validity.For(r.TypeID, r.TypeName, r.City), r.TypeID == r.WantedType
		if !same && !rule.Serves(r.WantedType, r.WantedName) {
			continue
		}
		if r.RenewsID == r.ReceiptID && validity.DaysLeft(r.ValidUntil, now) <= SoonDays {
			continue // somebody renewed it because it ends
		}
		u := Usable{OrderID: r.OrderID, Name: r.Name, ReceiptID: r.ReceiptID, Number: r.Number, TypeName: r.TypeName,
			ValidUntil: r.ValidUntil.UTC(), ByHand: r.ValidBy == ValidByHand, Same: same, Rule: rule}
		if n := len(out); n > 0 && out[n-1].OrderID == u.OrderID {
			if !out[n-1].Same && u.Same {
				out[n-1] = u
			}
			continue
		}
		out = append(out, u)
	}
	return out, nil
}
