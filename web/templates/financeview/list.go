package financeview

import (
	"context"
	"net/url"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Query are the conditions of the list, as they stand in the address.
type Query struct {
	Month, State, Tenant, Text string
	DueFrom, DueUntil          string
	By                         string
	Ascending                  bool
	After                      string
}

// ParseQuery reads the conditions. What they mean is the server's to say.
func ParseQuery(v url.Values) Query {
	return Query{Month: v.Get("month"), State: v.Get("state"), Tenant: v.Get("tenant"), Text: v.Get("q"), DueFrom: v.Get("from"), DueUntil: v.Get("until"),
		By: v.Get("by"), Ascending: v.Get("order") == "up", After: v.Get("after")}
}

// values are the conditions as an address has them, without the place in the list.
func (q Query) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"month": q.Month, "state": q.State, "tenant": q.Tenant, "q": q.Text, "from": q.DueFrom, "until": q.DueUntil, "by": q.By, "after": q.After} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Ascending {
		v.Set("order", "up")
	}
	return v
}

// URL is the page of the list with these conditions.
func (q Query) URL() string { return q.under(InvoicesURL) }

func (q Query) under(path string) string {
	if v := q.values(); len(v) > 0 {
		return path + "?" + v.Encode()
	}
	return path
}

// with changes a condition and begins from the first page.
func (q Query) with(change func(*Query)) Query {
	q.After = ""
	change(&q)
	return q
}

// Narrowed tells that not all invoices are asked for.
func (q Query) Narrowed() bool {
	q.By, q.Ascending, q.After = "", false, ""
	return len(q.values()) > 0
}

// InvoiceRow is an invoice in the list.
type InvoiceRow struct {
	Value             string // of its checkbox
	Tenant, Number    string
	Start             time.Time // of the month
	State             string
	Receipts          int64
	TotalFen, OpenFen int64
	DueDay            string // "" before it is final
	LateDays          int    // since the due day, while something is open
	Reminders         int64
	Href              string
}

// InvoiceList is a page of the invoices of all tenants.
type InvoiceList struct {
	Query             Query
	Rows              []InvoiceRow
	Count             int64 // of all that the query lets through
	TotalFen, OpenFen int64
	Next              string // "" at the end
	States            []string
	Months            []time.Time
	TenantName        string // of the condition, "" for all
	// All are the bulk actions that can be done to every invoice that the query
	// lets through, not only to those on the page.
	All []string
}

func (m InvoiceList) chips(ctx context.Context) []ui.Chip {
	chips := []ui.Chip{{Label: i18n.T(ctx, "finance.filter.all"), On: m.Query.State == "", Href: m.Query.with(func(q *Query) { q.State = "" }).URL()}}
	for _, st := range m.States {
		label := i18n.T(ctx, "finance.filter.open")
		if st != "open" {
			label = i18n.T(ctx, "ui.invoice."+st)
		}
		chips = append(chips, ui.Chip{Label: label, On: m.Query.State == st, Href: m.Query.with(func(q *Query) { q.State = st }).URL()})
	}
	return chips
}

// conditions are those that are not chosen by a chip or menu of their own; each
// can be taken away.
func (m InvoiceList) conditions(ctx context.Context) []ui.Chip {
	var chips []ui.Chip
	if m.TenantName != "" {
		chips = append(chips, ui.Chip{Label: m.TenantName, On: true, Remove: true, Href: m.Query.with(func(q *Query) { q.Tenant = "" }).URL()})
	}
	if q := m.Query; q.DueFrom != "" || q.DueUntil != "" {
		label := i18n.T(ctx, "finance.filter.due_until", "day", q.DueUntil)
		switch {
		case q.DueUntil == "":
			label = i18n.T(ctx, "finance.filter.due_from", "day", q.DueFrom)
		case q.DueFrom != "":
			label = i18n.T(ctx, "finance.filter.due", "from", q.DueFrom, "until", q.DueUntil)
		}
		chips = append(chips, ui.Chip{Label: label, On: true, Remove: true, Href: q.with(func(q *Query) { q.DueFrom, q.DueUntil = "", "" }).URL()})
	}
	return chips
}

func (m InvoiceList) monthLabel(ctx context.Context) string {
	if t, err := time.ParseInLocation("2006-01", m.Query.Month, i18n.Zone()); err == nil {
		return i18n.Month(ctx, t)
	}
	return i18n.T(ctx, "finance.filter.all_months")
}

func (m InvoiceList) columns(ctx context.Context) []ui.Col {
	sorted := func(by, key string) ui.Col {
		c := ui.Col{Label: i18n.T(ctx, key), Num: by == "total" || by == "open"}
		current := m.Query.By == by || m.Query.By == "" && by == "month"
		c.Sort = m.Query.with(func(q *Query) { q.By, q.Ascending = by, current && !q.Ascending }).URL()
		if current {
			c.Dir = "descending"
			if m.Query.Ascending {
				c.Dir = "ascending"
			}
		}
		return c
	}
	return []ui.Col{
		{Label: i18n.T(ctx, "billing.col.tenant")}, {Label: i18n.T(ctx, "billing.col.number")}, sorted("month", "billing.col.month"), {Label: i18n.T(ctx, "billing.col.state")},
		{Label: i18n.T(ctx, "billing.stat.receipts"), Num: true}, sorted("total", "finance.col.total"), sorted("open", "finance.col.open"), sorted("due", "billing.col.due"),
	}
}

// late says how long an invoice has been due, and how often it was reminded of.
func (r InvoiceRow) late(ctx context.Context) string {
	var out string
	if r.LateDays > 0 {
		out = i18n.T(ctx, "finance.late", "n", r.LateDays)
	}
	if r.Reminders > 0 {
		if out != "" {
			out += i18n.T(ctx, "ui.comma")
		}
		out += i18n.T(ctx, "finance.reminded", "n", r.Reminders)
	}
	return out
}

func (m InvoiceList) empty(ctx context.Context) ui.EmptyView {
	if m.Query.Narrowed() {
		return ui.EmptyView{Title: i18n.T(ctx, "finance.none_match"), Text: i18n.T(ctx, "finance.none_match_text"), Actions: []ui.Btn{{Label: i18n.T(ctx, "finance.clear"), Href: InvoicesURL}}}
	}
	return ui.EmptyView{Title: i18n.T(ctx, "billing.finance.none"), Text: i18n.T(ctx, "billing.finance.none_text"), Actions: []ui.Btn{{Label: i18n.T(ctx, "finance.to_overview"), Href: OverviewURL}}}
}

// Bulk is how far a run over many invoices has come.
type Bulk struct {
	Action                         string
	Start                          time.Time // of the month, zero when it is over several
	Chosen, Done, Refused, Pending int
	Finished                       bool
	Left                           time.Duration // 0 when it cannot be said yet
	Refusals                       []Refusal
	Self, Back                     string
}

// Refusal is an invoice that was left as it is, and why.
type Refusal struct{ Tenant, Number, Reason, Href string }

func (b Bulk) title(ctx context.Context) string {
	return i18n.T(ctx, "finance.run."+b.Action, "n", b.Chosen)
}

func (b Bulk) badge(ctx context.Context) *ui.Badge {
	switch {
	case !b.Finished:
		return &ui.Badge{Tone: ui.Run, Icon: "loader-circle", Word: i18n.T(ctx, "finance.run.running"), Live: true}
	case b.Refused > 0:
		return &ui.Badge{Tone: ui.Wait, Icon: "circle-alert", Word: i18n.T(ctx, "finance.run.part")}
	default:
		return &ui.Badge{Tone: ui.Done, Icon: "circle-check", Word: i18n.T(ctx, "finance.run.done")}
	}
}

func (b Bulk) note(ctx context.Context) string {
	text := i18n.T(ctx, "finance.run.progress", "done", b.Done+b.Refused, "n", b.Chosen)
	if b.Left > 0 {
		text += i18n.T(ctx, "ui.comma") + i18n.T(ctx, "finance.run.left", "time", i18n.Duration(ctx, b.Left))
	}
	return text
}

func (m InvoiceList) pager(ctx context.Context) ui.PagerView {
	v := ui.PagerView{Text: i18n.T(ctx, "finance.page", "shown", len(m.Rows), "n", m.Count)}
	if m.Query.After != "" {
		v.Prev = m.Query.with(func(*Query) {}).URL()
	}
	if m.Next != "" {
		v.Next = m.Query.with(func(q *Query) { q.After = m.Next }).URL()
	}
	return v
}
