package collect

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// keepRefused is how long a photo that was not taken can still be handed in.
const keepRefused = 7 * 24 * time.Hour

// Leftovers erases photos that were not taken and whose senders have not come back.
func (s *Service) Leftovers(ctx context.Context, _ tenants.Sweep) error {
	var list []Sending
	err := s.DB.NewSelect().Model(&list).Join("JOIN pictures AS pic ON pic.tenant_id = sending.tenant_id AND pic.id = sending.picture_id").
		Where("sending.outcome IN (?) AND sending.created_at < ? AND pic.original_key <> ''", bun.List([]Outcome{Doubtful, Refused}), s.now().Add(-keepRefused)).
		Limit(500).Scan(ctx)
	if err != nil {
		return fmt.Errorf("cannot look for photos that were not taken: %w", err)
	}
	for i := range list {
		s.forget(ctx, tenants.ForTenant(list[i].TenantID), list[i:i+1])
	}
	return nil
}
