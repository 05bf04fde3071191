package exports

import (
	"context"
	"slices"

	"huizhi/internal/billing"
	"huizhi/internal/billing/table"
	"huizhi/internal/i18n"
)

// row is what the columns show: an invoice with its tenant's name, and the line or
// the receipt of it.
type row struct {
	*billing.Detail
	tenant string
	line   *billing.Line
	entry  *billing.Entry
}

type column struct {
	name  string // catalogue key
	width float64
	value func(context.Context, *row) any
}

var columns = map[string]column{
	"tenant":    {"billing.col.tenant", 20, func(_ context.Context, r *row) any { return r.tenant }},
	"month":     {"billing.col.month", 10, func(_ context.Context, r *row) any { return string(r.Month) }},
	"state":     {"billing.col.state", 12, func(ctx context.Context, r *row) any { return i18n.T(ctx, "ui.invoice."+string(r.State)) }},
	"number":    {"billing.col.number", 18, func(ctx context.Context, r *row) any { return numberOf(ctx, r.Detail) }},
	"finalized": {"exports.col.finalized", 12, func(_ context.Context, r *row) any { return finalDay(r.Detail) }},
	"receipts":  {"billing.stat.receipts", 10, func(_ context.Context, r *row) any { return r.Receipts }},
	"points":    {"billing.col.points", 12, points},
	"net":       {"billing.net", 14, func(_ context.Context, r *row) any { return table.Fen(r.NetFen) }},
	"tax":       {"billing.col.tax", 12, func(_ context.Context, r *row) any { return table.Fen(r.TaxFen) }},
	"total":     {"billing.total", 14, func(_ context.Context, r *row) any { return table.Fen(r.TotalFen) }},
	"paid":      {"billing.col.paid", 14, func(_ context.Context, r *row) any { return table.Fen(r.PaidFen) }},
	"credited":  {"exports.col.credited", 14, func(_ context.Context, r *row) any { return table.Fen(r.CreditedFen) }},
	"open":      {"billing.col.open", 14, func(_ context.Context, r *row) any { return table.Fen(r.OpenFen()) }},
	"due":       {"billing.col.due", 12, func(_ context.Context, r *row) any { return day(r.DueDay) }},
	"item":      {"billing.col.item", 28, func(ctx context.Context, r *row) any { return billing.LineName(ctx, r.Month, r.line) }},
	"count":     {"billing.col.count", 10, func(_ context.Context, r *row) any { return r.line.Receipts }},
	"unit":      {"billing.col.unit", 12, func(_ context.Context, r *row) any { return table.Fen(r.line.UnitFen) }},
	"rate":      {"exports.col.rate", 10, func(_ context.Context, r *row) any { return billing.Rate(r.line.TaxBP) }},
	"amount":    {"billing.col.amount", 14, amount},
	"order":     {"billing.col.order", 18, func(_ context.Context, r *row) any { return r.entry.OrderNumber }},
	"at":        {"billing.col.at", 20, func(_ context.Context, r *row) any { return r.entry.At }},
	"type":      {"billing.col.type", 20, func(_ context.Context, r *row) any { return r.entry.TypeName }},
	"city":      {"billing.col.city", 18, func(_ context.Context, r *row) any { return r.entry.City }},
	"batch":     {"billing.col.batch", 24, func(_ context.Context, r *row) any { return r.entry.BatchName }},
}

var columnsOf = map[Grain][]string{
	Invoices: {"tenant", "number", "month", "state", "finalized", "receipts", "points", "net", "tax", "total", "paid", "credited", "open", "due"},
	Lines:    {"tenant", "number", "month", "state", "item", "count", "unit", "points", "amount", "rate"},
	Receipts: {"tenant", "number", "month", "order", "at", "type", "city", "batch", "points", "amount"},
}

// Columns are the keys of the columns that a grain can have, in their order; none
// for those whose columns are fixed.
func (g Grain) Columns() []string { return columnsOf[g] }

// ColumnName is the head of a column.
func ColumnName(ctx context.Context, key string) string { return i18n.T(ctx, columns[key].name) }

// chosen are the keys of the request's columns, in the grain's order.
func (r Request) chosen() []string {
	if len(r.Columns) == 0 {
		return r.Grain.Columns()
	}
	return slices.DeleteFunc(slices.Clone(r.Grain.Columns()), func(key string) bool { return !slices.Contains(r.Columns, key) })
}

func numberOf(ctx context.Context, inv *billing.Detail) string {
	if inv.Number == nil {
		return i18n.T(ctx, "ui.invoice.draft")
	}
	return *inv.Number
}

func finalDay(inv *billing.Detail) any {
	if inv.FinalizedAt == nil {
		return nil
	}
	return table.Day(billing.DayOf(*inv.FinalizedAt))
}

func day(d string) any {
	if d == "" {
		return nil
	}
	return table.Day(d)
}

func points(_ context.Context, r *row) any {
	switch {
	case r.entry != nil:
		return r.entry.Points
	case r.line != nil:
		return r.line.Points()
	default:
		return r.Points
	}
}

func amount(_ context.Context, r *row) any {
	if r.entry != nil {
		return table.Fen(r.entry.Fen)
	}
	return table.Fen(r.line.AmountFen)
}
