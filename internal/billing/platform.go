package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// Listed is an invoice in the list of the platform's finance staff.
type Listed struct {
	Invoice
	TenantName string
}

// MonthSummary is a month over all tenants.
type MonthSummary struct {
	Invoices []Listed // by tenant, void ones included
	Receipts int64    // in the ledger, billed or not
	Points   int64
	OCRFen   int64 // what OCR providers charged us
	// Revenue and what is open are those of the invoices that are not void.
	NetFen, TotalFen, OpenFen int64
}

// Summary sums a month up over all tenants, without naming any person.
func (s *Service) Summary(ctx context.Context, _ tenants.Sweep, month Month) (*MonthSummary, error) {
	out := new(MonthSummary)
	var invoices []Invoice
	if err := s.db.NewSelect().Model(&invoices).Where("month = ?", month).Order("tenant_id", "id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the invoices of the month: %w", err)
	}
	var ids []string
	for _, inv := range invoices {
		ids = append(ids, inv.TenantID)
	}
	names := map[string]string{}
	if len(ids) > 0 {
		var rows []struct{ ID, Name string }
		if err := s.db.NewSelect().Table("tenants").Column("id", "name").Where("id IN (?)", bun.List(ids)).Scan(ctx, &rows); err != nil {
			return nil, fmt.Errorf("cannot name the tenants: %w", err)
		}
		for _, r := range rows {
			names[r.ID] = r.Name
		}
	}
	for _, inv := range invoices {
		out.Invoices = append(out.Invoices, Listed{inv, names[inv.TenantID]})
		if inv.State != StateVoid {
			out.NetFen, out.TotalFen, out.OpenFen = out.NetFen+inv.NetFen, out.TotalFen+inv.TotalFen, out.OpenFen+inv.OpenFen()
		}
	}
	err := s.db.NewSelect().Model((*Charge)(nil)).ColumnExpr("COUNT(*), COALESCE(SUM(charge.points), 0)").
		Where("charge.month = ?", month).Scan(ctx, &out.Receipts, &out.Points)
	if err == nil {
		err = s.db.NewSelect().Model((*OCRCall)(nil)).ColumnExpr("COALESCE(SUM(cost_fen), 0)").Where("month = ?", month).Scan(ctx, &out.OCRFen)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot sum the month up: %w", err)
	}
	return out, nil
}

// Reminders lists the invoices that are open and due within a week or past it,
// the longest overdue first.
func (s *Service) Reminders(ctx context.Context, _ tenants.Sweep, now time.Time) ([]Invoice, error) {
	var out []Invoice
	err := s.db.NewSelect().Model(&out).
		Where("state IN (?) AND due_day <= ?", bun.List([]State{StateFinalized, StateSent, StatePartlyPaid, StateOverdue}), dayOf(now.AddDate(0, 0, 7))).
		Order("due_day", "number").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the invoices to remind of: %w", err)
	}
	return out, nil
}
