package billing

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// Books says whose invoices are meant: one tenant's or, for the platform's
// finance staff, everybody's. Like a Scope it comes only from a right to them,
// and its zero value panics.
type Books struct {
	tenant string
	all    bool
}

// BooksOf are the books of one tenant.
func BooksOf(sc tenants.Scope) Books { return Books{tenant: sc.TenantID()} }

// AllBooks are the books of all tenants.
func AllBooks(tenants.Sweep) Books { return Books{all: true} }

// Platform is the owner of what belongs to the platform's staff and no tenant.
const Platform = "platform"

// Owner is the tenant's id, or Platform.
func (b Books) Owner() string {
	if b.all {
		return Platform
	}
	return tenants.ForTenant(b.tenant).TenantID()
}

// BlobKey puts a name into the owner's part of the blob store.
func (b Books) BlobKey(name string) string {
	if b.all {
		return Platform + "/" + name
	}
	return tenants.ForTenant(b.tenant).BlobKey(name)
}

func (b Books) where(q bun.QueryBuilder) bun.QueryBuilder {
	if b.all {
		return q
	}
	return tenants.ForTenant(b.tenant).Where(q)
}

// Span is a run of months, both ends in it.
type Span struct{ From, Until Month }

// YearOf is the span of a calendar year.
func YearOf(year int) Span {
	return Span{Month(fmt.Sprintf("%04d-01", year)), Month(fmt.Sprintf("%04d-12", year))}
}

// Months is how many there are, 0 for a span that runs backwards.
func (s Span) Months() (n int) {
	for m := s.From; m <= s.Until; m = m.Add(1) {
		n++
	}
	return n
}

// String writes a span: "2026-11", or "2026-01_2026-12".
func (s Span) String() string {
	if s.From == s.Until {
		return string(s.From)
	}
	return string(s.From) + "_" + string(s.Until)
}

// invoicePage is how many invoices EachInvoice reads at a time.
const invoicePage = 200

// EachInvoice visits the invoices of the span that are not void, with their
// lines: by month, within it by tenant, a page in memory at a time.
func (s *Service) EachInvoice(ctx context.Context, books Books, span Span, visit func(*Detail, string) error) error {
	month, tenant := Month(""), ""
	for {
		var page []Invoice
		err := s.db.NewSelect().Model(&page).ApplyQueryBuilder(books.where).
			Where("month BETWEEN ? AND ? AND state <> ?", span.From, span.Until, StateVoid).
			Where("month > ? OR (month = ? AND tenant_id > ?)", month, month, tenant). // one a month and tenant is not void
			Order("month", "tenant_id").Limit(invoicePage).Scan(ctx)
		if err != nil {
			return fmt.Errorf("cannot list the invoices of %s: %w", span, err)
		}
		names, err := s.namesOf(ctx, page)
		if err != nil {
			return err
		}
		lines, err := linesOfAll(ctx, s.db, page)
		if err != nil {
			return err
		}
		for _, inv := range page {
			month, tenant = inv.Month, inv.TenantID
			if err := visit(&Detail{Invoice: inv, Lines: lines[inv.ID]}, names[inv.TenantID]); err != nil {
				return err
			}
		}
		if len(page) < invoicePage {
			return nil
		}
	}
}

// namesOf are the names of the invoices' tenants by id.
func (s *Service) namesOf(ctx context.Context, of []Invoice) (map[string]string, error) {
	names := map[string]string{}
	if len(of) == 0 {
		return names, nil
	}
	ids := make([]string, len(of))
	for i := range of {
		ids[i] = of[i].TenantID
	}
	var rows []struct{ ID, Name string }
	if err := s.db.NewSelect().Table("tenants").Column("id", "name").Where("id IN (?)", bun.List(ids)).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("cannot name the tenants: %w", err)
	}
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, nil
}

// EachReceipt visits every charge on the invoice, line by line, a page in memory
// at a time. A draft that is behind the ledger is Conflict at the end.
func (s *Service) EachReceipt(ctx context.Context, inv *Detail, visit func(Entry) error) error {
	return s.eachEntry(ctx, tenants.ForTenant(inv.TenantID), inv, visit)
}

// Size is how many invoices, lines and receipts the span's invoices have that
// are not void.
type Size struct{ Invoices, Lines, Receipts int64 }

// Size counts the span.
func (s *Service) Size(ctx context.Context, books Books, span Span) (n Size, err error) {
	in := func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.ApplyQueryBuilder(books.where).Where("?TableAlias.month BETWEEN ? AND ? AND ?TableAlias.state <> ?", span.From, span.Until, StateVoid)
	}
	err = in(s.db.NewSelect().Model((*Invoice)(nil)).ColumnExpr("COUNT(*), COALESCE(SUM(receipts), 0)")).Scan(ctx, &n.Invoices, &n.Receipts)
	if err == nil {
		err = in(s.db.NewSelect().Model((*Invoice)(nil)).ColumnExpr("COUNT(*)").
			Join("JOIN invoice_lines AS line ON line.tenant_id = invoice.tenant_id AND line.invoice_id = invoice.id")).Scan(ctx, &n.Lines)
	}
	if err != nil {
		return n, fmt.Errorf("cannot count the invoices of %s: %w", span, err)
	}
	return n, nil
}

// Invoiced lists those who have an invoice with a number for the month or one
// before it, by age.
func (s *Service) Invoiced(ctx context.Context, books Books, until Month) ([]tenants.Scope, error) {
	var ids []string
	err := s.db.NewSelect().Model((*Invoice)(nil)).ColumnExpr("DISTINCT tenant_id").ApplyQueryBuilder(books.where).
		Where("month <= ? AND number IS NOT NULL", until).Order("tenant_id").Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("cannot list the invoiced tenants: %w", err)
	}
	out := make([]tenants.Scope, len(ids))
	for i, id := range ids {
		out[i] = tenants.ForTenant(id)
	}
	return out, nil
}

// TenantNames are the names of those whose books they are, by id.
func (s *Service) TenantNames(ctx context.Context, books Books) (map[string]string, error) {
	var rows []struct{ ID, Name string }
	q := s.db.NewSelect().Table("tenants").Column("id", "name")
	if !books.all {
		q.Where("id = ?", books.Owner())
	}
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("cannot name the tenants: %w", err)
	}
	names := make(map[string]string, len(rows))
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return names, nil
}
