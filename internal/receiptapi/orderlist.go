package receiptapi

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// OrderLine is an order as scripts compare it with what the provider and the
// clients know. It holds no personal data.
type OrderLine struct {
	ID            string `json:"id"`
	Number        string `json:"number"`
	ApplicationNo string `json:"application_no"` // ours, as the API gives it; "" if no program handed the order in
	UpstreamNo    string `json:"upstream_no"`    // the provider's, of the youngest attempt that has one
	Status        string `json:"status"`
	TypeID        int    `json:"type_id"`
	TypeName      string `json:"type_name"`
	City          string `json:"city"`
	Simulate      bool   `json:"simulate"`
	ChargedPoints int64  `json:"charged_points"`
	Attempts      int64  `json:"attempts"`
}

// EachOrder walks all orders of a tenant, oldest first, in pages of 500.
func EachOrder(ctx context.Context, d bun.IDB, sc tenants.Scope, each func(OrderLine) error) error {
	for after := ""; ; {
		var lines []OrderLine
		err := d.NewSelect().TableExpr("orders AS o").
			ColumnExpr("o.id, o.number, o.status, o.type_id, o.type_name, o.city, o.simulate").
			ColumnExpr("coalesce(app.application_no, '') AS application_no").
			ColumnExpr("coalesce((SELECT a.application_no FROM attempts AS a WHERE a.tenant_id = o.tenant_id AND a.order_id = o.id AND a.application_no IS NOT NULL ORDER BY a.ordinal DESC LIMIT 1), '') AS upstream_no").
			ColumnExpr("(SELECT count(*) FROM attempts AS a WHERE a.tenant_id = o.tenant_id AND a.order_id = o.id) AS attempts").
			ColumnExpr("(SELECT coalesce(sum(c.points), 0) FROM charges AS c JOIN attempts AS a ON a.tenant_id = c.tenant_id AND a.id = c.attempt_id WHERE a.tenant_id = o.tenant_id AND a.order_id = o.id) AS charged_points").
			Join("LEFT JOIN api_applications AS app ON app.tenant_id = o.tenant_id AND app.order_id = o.id").
			Where("o.tenant_id = ? AND o.id > ?", sc.TenantID(), after).Order("o.id").Limit(500).Scan(ctx, &lines)
		if err != nil {
			return fmt.Errorf("cannot list the orders: %w", err)
		}
		for _, line := range lines {
			if err := each(line); err != nil {
				return err
			}
			after = line.ID
		}
		if len(lines) < 500 {
			return nil
		}
	}
}
