package orders

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// Funds are what orders need of the tenants' wallets: an order that is queued for
// the provider holds what its receipt will cost. Its charge and the note of its
// failure (see Ledger) end the hold; only what ends otherwise is released here. An
// order keeps its hold while it is sent again as another attempt.
type Funds interface {
	// Limited tells that the tenant's money has an end, so that what is queued
	// together has to be paid for together.
	Limited(ctx context.Context, sc tenants.Scope) (bool, error)
	// Hold sets money aside for the purchases, for all or, as a Conflict, for none.
	// One that holds already is left as it is.
	Hold(ctx context.Context, tx bun.Tx, sc tenants.Scope, list []Purchase, now time.Time) error
	// Fits counts how many of the purchases, from the first on, Hold would take until
	// the transaction ends.
	Fits(ctx context.Context, tx bun.Tx, sc tenants.Scope, list []Purchase, now time.Time) (int, error)
	// Release gives back what the order holds, if it does.
	Release(ctx context.Context, tx bun.Tx, sc tenants.Scope, orderID, number string, now time.Time) error
}

// Purchase is an order that may end in a charge.
type Purchase struct {
	OrderID string
	Number  string
	TypeID  int
	Points  int64
}

// purchases are those of the orders that can cost something: rehearsals cannot.
func purchases(list []Order) []Purchase {
	var out []Purchase
	for i := range list {
		if o := &list[i]; !o.Simulate {
			out = append(out, Purchase{OrderID: o.ID, Number: o.Number, TypeID: o.TypeID, Points: providers.PointsPerReceipt})
		}
	}
	return out
}

// hold sets money aside for the orders.
func (s *Service) hold(ctx context.Context, tx bun.Tx, sc tenants.Scope, list []Order, now time.Time) error {
	if bought := purchases(list); s.Funds != nil && len(bought) > 0 {
		return s.Funds.Hold(ctx, tx, sc, bought, now)
	}
	return nil
}

// release gives back what an order holds that ends without the provider.
func (s *Service) release(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, now time.Time) error {
	if s.Funds == nil || o.Simulate {
		return nil
	}
	return s.Funds.Release(ctx, tx, sc, o.ID, o.Number, now)
}

// queuedAtOnce is how many orders of a batch are queued in one transaction.
const queuedAtOnce = 200

// portion is how many of a batch's orders are queued in one transaction; 0 is all
// of them, because a part of what was asked for must not spend the rest of the
// money alone.
func (s *Service) portion(ctx context.Context, sc tenants.Scope) (int64, error) {
	if s.Funds == nil {
		return queuedAtOnce, nil
	}
	limited, err := s.Funds.Limited(ctx, sc)
	if limited {
		return 0, err
	}
	return queuedAtOnce, err
}

// Affordable counts how many of the orders that a program hands in, from the first
// on, the tenant can pay for. Those may be given to TakeIn in the same transaction,
// which holds the money.
func (s *Service) Affordable(ctx context.Context, tx bun.Tx, sc tenants.Scope, in []Incoming) (int, error) {
	if s.Funds == nil {
		return len(in), nil
	}
	var bought []Purchase
	place := make([]int, 0, len(in)) // of each purchase among the orders
	for i := range in {
		if !in[i].Simulate {
			bought, place = append(bought, Purchase{TypeID: in[i].Type.ID, Points: providers.PointsPerReceipt}), append(place, i)
		}
	}
	if len(bought) == 0 {
		return len(in), nil
	}
	n, err := s.Funds.Fits(ctx, tx, sc, bought, s.now())
	if err != nil || n == len(bought) {
		return len(in), err
	}
	return place[n], nil
}
