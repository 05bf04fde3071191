package billing

import (
	"context"

	"huizhi/internal/tenants"
)

// Count is a month as it would be invoiced.
type Count struct {
	NetFen, TaxFen, TotalFen int64
	Receipts                 int64
	Lines                    []Line
}

// Preview is a month at the prices of the book and at others.
type Preview struct {
	Month     Month
	Now, Then Count
}

// Preview counts the month as if the terms had held on all its days. Nothing is
// written.
func (s *Service) Preview(ctx context.Context, sc tenants.Scope, month Month, terms Terms) (*Preview, error) {
	if err := terms.Check(); err != nil {
		return nil, err
	}
	present, err := loadBook(ctx, s.db, sc)
	if err != nil {
		return nil, err
	}
	other := &book{own: []TenantPrice{{Price: Price{FromDay: FirstDay, UntilDay: LastDay, Terms: terms}}}}
	out := &Preview{Month: month}
	for _, c := range []struct {
		book *book
		into *Count
	}{{present, &out.Now}, {other, &out.Then}} {
		lines, err := countLines(ctx, s.db, sc, c.book, month)
		if err != nil {
			return nil, err
		}
		var inv Invoice
		inv.add(lines)
		*c.into = Count{inv.NetFen, inv.TaxFen, inv.TotalFen, inv.Receipts, lines}
	}
	return out, nil
}
