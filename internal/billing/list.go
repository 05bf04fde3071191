package billing

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// Listed is an invoice in the lists of the platform's finance staff.
type Listed struct {
	Invoice    `bun:",extend"`
	TenantName string `bun:",scanonly"`
}

// OpenStates are the states in which something is still to be paid.
var OpenStates = []State{StateFinalized, StateSent, StatePartlyPaid, StateOverdue}

// openFen is OpenFen as the database computes it.
const openFen = "CASE WHEN invoice.number IS NULL OR invoice.state = 'void' THEN 0 ELSE invoice.total_fen - invoice.paid_fen - invoice.credited_fen END"

// SortBy is what a list of invoices is sorted by; the newest id decides between
// equals.
type SortBy string

// The columns to sort by.
const (
	ByMonth SortBy = "month"
	ByTotal SortBy = "total"
	ByOpen  SortBy = "open"
	ByDue   SortBy = "due"
)

var sortKeys = map[SortBy]string{ByMonth: "invoice.month", ByTotal: "invoice.total_fen", ByOpen: "(" + openFen + ")", ByDue: "invoice.due_day"}

// key is the invoice's value in the column, as text.
func (by SortBy) key(inv *Invoice) string {
	switch by {
	case ByTotal:
		return fmt.Sprint(inv.TotalFen)
	case ByOpen:
		return fmt.Sprint(inv.OpenFen())
	case ByDue:
		return inv.DueDay
	default:
		return string(inv.Month)
	}
}

// ListQuery says which invoices of all tenants are wanted, and in what order.
// The zero value is all of them, the newest month first.
type ListQuery struct {
	Month    Month
	States   []State
	TenantID string
	// DueFrom and DueUntil narrow to days, both included; "" for no bound.
	DueFrom, DueUntil string
	Text              string // part of a number or of a tenant's name
	By                SortBy // ByMonth when empty
	Ascending         bool
	After             string // the Next of the page before
}

func (q *ListQuery) by() SortBy {
	if _, known := sortKeys[q.By]; known {
		return q.By
	}
	return ByMonth
}

// ListPage is a page of invoices. Count and the sums are those of all invoices
// that the query lets through, not of the page.
type ListPage struct {
	Rows              []Listed
	Next              string // where the next page begins, "" at the end
	Count             int64
	TotalFen, OpenFen int64
}

// narrow applies the conditions.
func (q *ListQuery) narrow(sel *bun.SelectQuery) *bun.SelectQuery {
	sel.Join("JOIN tenants AS tenant ON tenant.id = invoice.tenant_id")
	if q.Month != "" {
		sel.Where("invoice.month = ?", q.Month)
	}
	if len(q.States) > 0 {
		sel.Where("invoice.state IN (?)", bun.List(q.States))
	}
	if q.TenantID != "" {
		sel.Where("invoice.tenant_id = ?", q.TenantID)
	}
	if q.DueFrom != "" {
		sel.Where("invoice.due_day >= ?", q.DueFrom)
	}
	if q.DueUntil != "" {
		sel.Where("invoice.due_day <= ?", q.DueUntil)
	}
	if text := strings.TrimSpace(q.Text); text != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(text)) + "%"
		sel.Where(`(LOWER(invoice.number) LIKE ? ESCAPE '\' OR LOWER(tenant.name) LIKE ? ESCAPE '\')`, like, like)
	}
	return sel
}

// List reads a page of the invoices of all tenants.
func (s *Service) List(ctx context.Context, _ tenants.Sweep, q ListQuery, size int) (*ListPage, error) {
	out := new(ListPage)
	err := s.db.NewSelect().Model((*Invoice)(nil)).Apply(q.narrow).
		ColumnExpr("COUNT(*), COALESCE(SUM(CASE WHEN invoice.state <> 'void' THEN invoice.total_fen ELSE 0 END), 0), COALESCE(SUM("+openFen+"), 0)").
		Scan(ctx, &out.Count, &out.TotalFen, &out.OpenFen)
	if err != nil {
		return nil, fmt.Errorf("cannot add the invoices up: %w", err)
	}
	by, order, beyond := q.by(), " DESC", "<"
	if q.Ascending {
		order, beyond = " ASC", ">"
	}
	sel := s.db.NewSelect().Model(&out.Rows).ColumnExpr("invoice.*, tenant.name AS tenant_name").Apply(q.narrow).
		OrderExpr(sortKeys[by] + order + ", invoice.id" + order).Limit(int64(size) + 1)
	if key, id, ok := strings.Cut(q.After, "~"); ok {
		bound := any(key)
		if by == ByTotal || by == ByOpen {
			var fen int64
			if _, err := fmt.Sscan(key, &fen); err != nil {
				fen = 0 // an address that was typed: the list from nothing on
			}
			bound = fen
		}
		sel.Where("("+sortKeys[by]+", invoice.id) "+beyond+" (?, ?)", bound, id)
	}
	if err := sel.Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the invoices: %w", err)
	}
	if len(out.Rows) > size {
		out.Rows = out.Rows[:size]
		last := &out.Rows[size-1].Invoice
		out.Next = by.key(last) + "~" + last.ID
	}
	return out, nil
}

// Reminders lists the invoices that are open and due within a week or past it,
// the longest overdue first.
func (s *Service) Reminders(ctx context.Context, _ tenants.Sweep, now time.Time) ([]Invoice, error) {
	var out []Invoice
	err := s.db.NewSelect().Model(&out).
		Where("state IN (?) AND due_day <= ?", bun.List(OpenStates), dayOf(now.AddDate(0, 0, 7))).
		Order("due_day", "number").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the invoices to remind of: %w", err)
	}
	return out, nil
}
