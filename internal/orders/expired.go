package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/photos"
	"huizhi/internal/tenants"
)

// ExpiredScans lists up to limit pictures of ID documents that nobody needs any
// more: those of orders that ended before a time, and those that came before it and
// belong to no order. Only their tenants and ids are filled in. A failed order has
// not ended: it may be corrected. A picture is older than the last change of its
// order, so its own age narrows the search to what the index pictures_scans has.
func (s *Service) ExpiredScans(ctx context.Context, _ tenants.Sweep, before time.Time, limit int) ([]photos.Picture, error) {
	var pics []photos.Picture
	err := s.DB.NewSelect().Model(&pics).Column("pic.tenant_id", "pic.id").
		Join("LEFT JOIN orders AS o ON o.tenant_id = pic.tenant_id AND o.id = pic.order_id").
		Where("pic.kind IN (?)", bun.List([]photos.Kind{photos.KindCardFront, photos.KindCardBack, photos.KindCardBoth})).
		Where("pic.original_key <> '' AND pic.created_at < ?", before).
		WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where("o.id IS NULL AND pic.created_at < ?", before).
				WhereOr("o.status IN (?) AND o.updated_at < ?", bun.List([]Status{StatusCompleted, StatusCancelled}), before)
		}).Order("pic.created_at", "pic.tenant_id", "pic.id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the expired pictures: %w", err)
	}
	return pics, nil
}
