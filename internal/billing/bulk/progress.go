package bulk

import (
	"context"
	"fmt"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Outcome is an item with whose it is.
type Outcome struct {
	Item       `bun:",extend"`
	TenantName string
	Number     string // of the invoice, "" while it has none
}

// Progress is how far a run has come. Done + Refused + Pending are all that was
// chosen.
type Progress struct {
	Run
	Done, Refused, Pending int
	Refusals               []Outcome // the first refusalsShown
}

// Chosen is the number of invoices of the run.
func (p *Progress) Chosen() int { return p.Done + p.Refused + p.Pending }

// refusalsShown bounds the list of what was refused.
const refusalsShown = 200

// Progress tells how far a run has come; NotFound when there is none with the id.
func (s *Service) Progress(ctx context.Context, _ tenants.Sweep, runID string) (*Progress, error) {
	out := new(Progress)
	err := s.DB.NewSelect().Model(&out.Run).Where("id = ?", runID).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.finance.run_not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the run: %w", err)
	}
	var counts []struct {
		State State
		N     int
	}
	err = s.DB.NewSelect().Model((*Item)(nil)).ColumnExpr("state, COUNT(*) AS n").Where("run_id = ?", runID).GroupExpr("state").Scan(ctx, &counts)
	if err != nil {
		return nil, fmt.Errorf("cannot count what was done: %w", err)
	}
	for _, c := range counts {
		*map[State]*int{Done: &out.Done, Refused: &out.Refused, Pending: &out.Pending}[c.State] = c.N
	}
	err = s.DB.NewSelect().Model(&out.Refusals).ColumnExpr("item.*, tenant.name AS tenant_name, COALESCE(invoice.number, '') AS number").
		Join("JOIN tenants AS tenant ON tenant.id = item.tenant_id").
		Join("LEFT JOIN invoices AS invoice ON invoice.tenant_id = item.tenant_id AND invoice.id = item.invoice_id").
		Where("item.run_id = ? AND item.state = ?", runID, Refused).Order("item.ordinal").Limit(refusalsShown).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list what was refused: %w", err)
	}
	return out, nil
}
