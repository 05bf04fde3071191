package billing

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/billing/table"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

// AgeBuckets are the last days overdue of the buckets of an ageing list, but for
// the last bucket, which has no end: not due, 1-30, 31-60, 61-90, more.
var AgeBuckets = [...]int{0, 30, 60, 90}

// Aged is what a tenant owes by how long it has been due.
type Aged struct {
	TenantID, TenantName string
	Invoices             int64
	Fen                  [len(AgeBuckets) + 1]int64
	TotalFen             int64
}

// Ageing is what all tenants owe on a day. Rows are the tenants that owe
// something, those with the largest amounts first.
type Ageing struct {
	Day  string
	Rows []Aged
	Sum  Aged
}

// BucketDays are the first and last due day of a bucket on a day, "" for no
// bound.
func BucketDays(bucket int, now time.Time) (from, until string) {
	if bucket > 0 {
		until = dayOf(now.AddDate(0, 0, -AgeBuckets[bucket-1]-1))
	}
	if bucket < len(AgeBuckets) {
		from = dayOf(now.AddDate(0, 0, -AgeBuckets[bucket]))
	}
	return from, until
}

// Ageing adds up what is open over all tenants. What was written off is not.
func (s *Service) Ageing(ctx context.Context, _ tenants.Sweep, now time.Time) (*Ageing, error) {
	out := &Ageing{Day: dayOf(now)}
	sel := s.db.NewSelect().Model((*Invoice)(nil)).ColumnExpr("invoice.tenant_id, tenant.name AS tenant_name, COUNT(*) AS invoices, SUM("+openFen+") AS total_fen").
		Join("JOIN tenants AS tenant ON tenant.id = invoice.tenant_id").
		Where("invoice.state IN (?)", bun.List(OpenStates)).GroupExpr("invoice.tenant_id, tenant.name").
		OrderExpr("total_fen DESC, invoice.tenant_id")
	for i := range out.Sum.Fen {
		from, until := BucketDays(i, now)
		sel.ColumnExpr("SUM(CASE WHEN invoice.due_day >= ? AND invoice.due_day <= ? THEN "+openFen+" ELSE 0 END)", from, cmp.Or(until, LastDay))
	}
	rows, err := sel.Rows(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot add up what is open: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var a Aged
		into := []any{&a.TenantID, &a.TenantName, &a.Invoices, &a.TotalFen}
		for i := range a.Fen {
			into = append(into, &a.Fen[i])
		}
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("cannot read what is open: %w", err)
		}
		out.Rows = append(out.Rows, a)
		out.Sum.Invoices, out.Sum.TotalFen = out.Sum.Invoices+a.Invoices, out.Sum.TotalFen+a.TotalFen
		for i, fen := range a.Fen {
			out.Sum.Fen[i] += fen
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("cannot read what is open: %w", err)
	}
	return out, nil
}

// ExportAgeing writes the list as CSV with a row for each tenant and the sum
// below, in the language of ctx.
func ExportAgeing(ctx context.Context, a *Ageing, w io.Writer) error {
	columns := []table.Column{{Name: i18n.T(ctx, "billing.col.tenant")}, {Name: i18n.T(ctx, "finance.ageing.invoices")}}
	for i := range a.Sum.Fen {
		columns = append(columns, table.Column{Name: i18n.T(ctx, fmt.Sprint("finance.ageing.bucket.", i))})
	}
	out, err := table.CSV(w, append(columns, table.Column{Name: i18n.T(ctx, "finance.ageing.total")}))
	if err != nil {
		return err
	}
	write := func(name string, r *Aged) error {
		cells := []any{name, r.Invoices}
		for _, fen := range r.Fen {
			cells = append(cells, table.Fen(fen))
		}
		return out.Row(append(cells, table.Fen(r.TotalFen))...)
	}
	for i := range a.Rows {
		if err := write(a.Rows[i].TenantName, &a.Rows[i]); err != nil {
			return err
		}
	}
	if err := write(i18n.T(ctx, "billing.total"), &a.Sum); err != nil {
		return err
	}
	return out.Close()
}
