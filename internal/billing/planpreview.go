package billing

import (
	"context"
	"fmt"

	"huizhi/internal/tenants"
)

// TenantPreview is a tenant's month at the prices of the book and at others.
type TenantPreview struct {
	TenantID, Name string
	Preview
}

// previewTenants bounds the work of a preview: it counts the months of so many.
const previewTenants = 20

// followersOf lists who pays by the plan at the end of a month, the tenants with
// the most receipts in it first.
const followersOf = `
SELECT tenant.id, tenant.name, (SELECT COUNT(*) FROM charges AS charge WHERE charge.tenant_id = tenant.id AND charge.month = ?0) AS receipts
FROM tenants AS tenant
WHERE COALESCE((SELECT price.plan FROM tenant_prices AS price
  WHERE price.tenant_id = tenant.id AND ?1 BETWEEN price.from_day AND price.until_day), ?2) = ?3
ORDER BY receipts DESC, tenant.id`

// PreviewPlan counts the month as if the terms had held on all its days for the
// tenants that pay by the plan. Of those with receipts in the month it counts the
// 20 with the most; followers is how many there are, others included.
func (s *Service) PreviewPlan(ctx context.Context, _ tenants.Sweep, plan string, month Month, terms Terms) (list []TenantPreview, followers int, err error) {
	if err := terms.Check(); err != nil {
		return nil, 0, err
	}
	var rows []struct {
		ID, Name string
		Receipts int64
	}
	if err := s.db.NewRaw(followersOf, month, lastDay(month), StandardPlan, plan).Scan(ctx, &rows); err != nil {
		return nil, 0, fmt.Errorf("cannot find who pays by the plan: %w", err)
	}
	for _, r := range rows {
		if r.Receipts == 0 || len(list) == previewTenants {
			break
		}
		p, err := s.Preview(ctx, tenants.ForTenant(r.ID), month, terms)
		if err != nil {
			return nil, 0, err
		}
		list = append(list, TenantPreview{r.ID, r.Name, *p})
	}
	return list, len(rows), nil
}
