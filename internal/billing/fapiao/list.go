package fapiao

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/tenants"
)

// Listed is a fapiao with the invoice it is for.
type Listed struct {
	Fapiao     `bun:",extend"`
	Invoice    string        // number
	Month      billing.Month // of the invoice
	TenantName string
}

// listSize is how many a list shows; older ones are in the exports.
const listSize = 200

func (s *Service) list(ctx context.Context, narrow func(*bun.SelectQuery) *bun.SelectQuery) ([]Listed, error) {
	var out []Listed
	err := s.DB.NewSelect().Model(&out).
		ColumnExpr("fapiao.*, invoice.number AS invoice, invoice.month AS month, tenant.name AS tenant_name").
		Join("JOIN invoices AS invoice ON invoice.tenant_id = fapiao.tenant_id AND invoice.id = fapiao.invoice_id").
		Join("JOIN tenants AS tenant ON tenant.id = fapiao.tenant_id").
		Apply(narrow).Order("fapiao.id DESC").Limit(listSize).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the fapiaos: %w", err)
	}
	return out, nil
}

// List lists the tenant's, the newest first.
func (s *Service) List(ctx context.Context, sc tenants.Scope) ([]Listed, error) {
	return s.list(ctx, func(q *bun.SelectQuery) *bun.SelectQuery { return q.ApplyQueryBuilder(sc.Where) })
}

// All lists those of all tenants in a state, or in any for "", the newest first.
func (s *Service) All(ctx context.Context, _ tenants.Sweep, state State) ([]Listed, error) {
	return s.list(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		if state != "" {
			q.Where("fapiao.state = ?", state)
		}
		return q
	})
}

// Counts are how many there are in each state, over all tenants.
func (s *Service) Counts(ctx context.Context, _ tenants.Sweep) (map[State]int, error) {
	var rows []struct {
		State State
		N     int
	}
	err := s.DB.NewSelect().Model((*Fapiao)(nil)).ColumnExpr("state, COUNT(*) AS n").Group("state").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("cannot count the fapiaos: %w", err)
	}
	out := map[State]int{}
	for _, r := range rows {
		out[r.State] = r.N
	}
	return out, nil
}

// Waiting is how many requests wait for the platform's finance staff.
func (s *Service) Waiting(ctx context.Context, _ tenants.Sweep) (int, error) {
	n, err := s.DB.NewSelect().Model((*Fapiao)(nil)).Where("state = ?", Requested).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("cannot count the fapiaos that were asked for: %w", err)
	}
	return int(n), nil
}

// Get loads one; NotFound if the tenant has none with the id.
func (s *Service) Get(ctx context.Context, sc tenants.Scope, id string) (*Listed, error) {
	list, err := s.list(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.ApplyQueryBuilder(sc.Where).Where("fapiao.id = ?", id)
	})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, apperr.New(apperr.NotFound, "error.fapiao.none")
	}
	return &list[0], nil
}

func ofInvoice(ctx context.Context, tx bun.IDB, sc tenants.Scope, invoiceID string) ([]Fapiao, error) {
	var out []Fapiao
	if err := tx.NewSelect().Model(&out).ApplyQueryBuilder(sc.Where).Where("invoice_id = ?", invoiceID).Order("id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the fapiaos of the invoice: %w", err)
	}
	return out, nil
}

// Open is an invoice for which fapiaos can still be asked, or of which more is on
// fapiaos than is due (RestFen negative).
type Open struct {
	Invoice billing.Invoice
	RestFen int64
}

// Opens lists the tenant's invoices with a rest, the newest first.
func (s *Service) Opens(ctx context.Context, sc tenants.Scope) ([]Open, error) {
	invoices, err := s.Billing.Invoices(ctx, sc)
	if err != nil {
		return nil, err
	}
	var all []Fapiao
	if err := s.DB.NewSelect().Model(&all).ApplyQueryBuilder(sc.Where).Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the fapiaos: %w", err)
	}
	of := map[string][]Fapiao{}
	for _, f := range all {
		of[f.InvoiceID] = append(of[f.InvoiceID], f)
	}
	var out []Open
	for _, inv := range invoices {
		if rest := restOf(&inv, of[inv.ID]); rest != 0 {
			out = append(out, Open{inv, rest})
		}
	}
	return out, nil
}

// Rest is what can still be asked for of one invoice.
func (s *Service) Rest(ctx context.Context, sc tenants.Scope, invoiceID string) (int64, error) {
	inv, err := s.Billing.Invoice(ctx, sc, invoiceID)
	if err != nil {
		return 0, err
	}
	of, err := ofInvoice(ctx, s.DB, sc, invoiceID)
	return restOf(&inv.Invoice, of), err
}
