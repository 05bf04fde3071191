package orders

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// BatchesByID loads batches by id, for the names beside a page of orders; those
// that the tenant does not have are absent.
func (s *Service) BatchesByID(ctx context.Context, sc tenants.Scope, ids ...string) (map[string]*Batch, error) {
	out := make(map[string]*Batch, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	var rows []*Batch
	if err := s.DB.NewSelect().Model(&rows).ApplyQueryBuilder(sc.Where).Where("batch.id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the batches: %w", err)
	}
	for _, b := range rows {
		out[b.ID] = b
	}
	return out, nil
}

// LiveAttempts loads the live attempts of orders, by order id; orders without one
// are absent.
func (s *Service) LiveAttempts(ctx context.Context, sc tenants.Scope, orderIDs ...string) (map[string]*Attempt, error) {
	out := make(map[string]*Attempt, len(orderIDs))
	if len(orderIDs) == 0 {
		return out, nil
	}
	var rows []*Attempt
	err := s.DB.NewSelect().Model(&rows).ApplyQueryBuilder(sc.Where).Where("a.live AND a.order_id IN (?)", bun.List(orderIDs)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the live attempts: %w", err)
	}
	for _, a := range rows {
		out[a.OrderID] = a
	}
	return out, nil
}

// CleanScansNeeded searches without our reference prove that there is no
// application.
const CleanScansNeeded = cleanScansNeeded
