package financeview

import (
	"context"
	"fmt"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Figures are a month over all tenants, money in fen. PointsFen and MarginFen
// are nil while nobody has said what a point costs.
type Figures struct {
	Receipts, Points          int64
	NetFen, TotalFen, OpenFen int64
	OCRFen                    int64
	PointsFen, MarginFen      *int64
}

// Overview is a month over all tenants.
type Overview struct {
	Start      time.Time
	Ended      bool
	Prev, Next string // "" at the present month
	Now        Figures
	Before     Figures // the month before, whole
	// Days and DaysBefore have the receipts of each day of both months.
	Days, DaysBefore []int64
	Trend            []MonthBar
	Largest          []TenantRow
	Steps            Steps
	Run              string // where a POST makes the drafts, or makes them final
	Export           string // address up to the extension
	Invoices         string // the month's invoices; "&state=…" narrows it
	PointCost        string // where a POST says what a point costs
	Cost             string // what 1,000 points cost, in yuan, as it is typed
	CostFailed       string // what is wrong with what was typed
}

// Steps counts what is left to do.
type Steps struct{ Missing, Behind, Review, Finalize, Send, Pay, Overdue, Closed int64 }

// invoices is how many there are.
func (s Steps) invoices() int64 {
	return s.Review + s.Finalize + s.Send + s.Pay + s.Overdue + s.Closed
}

// MonthBar is a month of the trend.
type MonthBar struct {
	Start            time.Time
	Receipts, NetFen int64
	Href             string
	Current          bool
}

// TenantRow is a tenant with what it is invoiced.
type TenantRow struct {
	Name                      string
	Receipts, NetFen, OpenFen int64
	Href                      string
}

// empty tells that nothing happened in the month.
func (m Overview) empty() bool { return m.Now.Receipts == 0 && m.Steps.invoices()+m.Steps.Missing == 0 }

// steps are the way to a closed month, each with what is left to do there.
func (m Overview) steps(ctx context.Context) []ui.Step {
	s, none := m.Steps, m.Steps.invoices() == 0
	step := func(key, icon, href string, left int64, words string, reached bool) ui.Step {
		out := ui.Step{Label: i18n.T(ctx, "finance.step."+key), Icon: icon, Href: href, Note: words, Tone: ui.Wait}
		switch {
		case left > 0:
			if words == "" {
				out.Note = i18n.T(ctx, "finance.left", "n", left)
			}
		case reached:
			out.Tone, out.Note = ui.Done, ""
		default:
			out.Tone, out.Note = ui.Grey, ""
		}
		return out
	}
	drafts := ""
	switch {
	case s.Missing > 0:
		drafts = i18n.T(ctx, "finance.missing", "n", s.Missing)
	case s.Behind > 0:
		drafts = i18n.T(ctx, "finance.behind", "n", s.Behind)
	}
	overdue := ""
	if s.Overdue > 0 {
		overdue = i18n.T(ctx, "finance.overdue", "n", s.Overdue)
	}
	unsent := s.Review + s.Finalize + s.Send
	return []ui.Step{
		step("draft", "file-text", m.Invoices, s.Missing+s.Behind, drafts, m.Ended && !none),
		step("review", "scan-eye", m.Invoices+"&state=draft", s.Review, "", m.Ended && !none && s.Missing == 0),
		step("finalize", "file-check", m.Invoices+"&state=reviewed", s.Finalize, "", !none && s.Review == 0 && s.Missing == 0),
		step("send", "send", m.Invoices+"&state=finalized", s.Send, "", !none && unsent == 0 && s.Missing == 0),
		step("pay", "coins", m.Invoices+"&state=open", s.Pay+s.Overdue, overdue, !none && unsent+s.Missing == 0),
	}
}

// next is the one main action: the first step that is not done.
func (m Overview) next(ctx context.Context) []ui.Btn {
	s := m.Steps
	link := func(key, state string, n int64) []ui.Btn {
		return []ui.Btn{{Label: i18n.T(ctx, key, "n", n), Kind: ui.Primary, Href: m.Invoices + "&state=" + state}}
	}
	switch {
	case !m.Ended:
		return nil
	case s.Missing+s.Behind > 0:
		return []ui.Btn{{Label: i18n.T(ctx, "finance.next.draft"), Icon: "refresh-cw", Kind: ui.Primary, Type: "submit", Form: "run"}}
	case s.Review > 0:
		return link("finance.next.review", "draft", s.Review)
	case s.Finalize > 0:
		return link("finance.next.finalize", "reviewed", s.Finalize)
	case s.Send > 0:
		return link("finance.next.send", "finalized", s.Send)
	case s.Overdue > 0:
		return link("finance.next.remind", "overdue", s.Overdue)
	default:
		return nil
	}
}

// stats are the big figures, each beside the month before.
func (m Overview) stats(ctx context.Context) []ui.StatView {
	before := func(now, before int64, value string) string {
		if before == 0 && now == 0 || !m.Ended {
			return ""
		}
		text := i18n.T(ctx, "billing.month_before", "value", value)
		if c := change(now, before); c != "" {
			text += i18n.T(ctx, "ui.comma") + c
		}
		return text
	}
	n, b := m.Now, m.Before
	stats := []ui.StatView{
		{Label: i18n.T(ctx, "billing.stat.receipts"), Value: i18n.Count(n.Receipts), Note: before(n.Receipts, b.Receipts, i18n.Count(b.Receipts))},
		{Label: i18n.T(ctx, "billing.finance.revenue"), Value: i18n.Money(n.NetFen), Note: before(n.NetFen, b.NetFen, i18n.Money(b.NetFen)), Href: m.Invoices},
		{Label: i18n.T(ctx, "billing.finance.ocr"), Value: i18n.Money(n.OCRFen), Note: before(n.OCRFen, b.OCRFen, i18n.Money(b.OCRFen))},
	}
	if n.PointsFen == nil {
		return append(stats, ui.StatView{Label: i18n.T(ctx, "billing.stat.points"), Value: i18n.Count(n.Points), Note: i18n.T(ctx, "finance.cost_unknown")})
	}
	stats = append(stats, ui.StatView{Label: i18n.T(ctx, "finance.points_cost"), Value: i18n.Money(*n.PointsFen),
		Note: i18n.T(ctx, "finance.points_at", "points", i18n.Count(n.Points), "price", "¥"+m.Cost)})
	note := ""
	if n.NetFen > 0 {
		note = i18n.T(ctx, "finance.margin_share", "share", percent(*n.MarginFen, n.NetFen))
	}
	return append(stats, ui.StatView{Label: i18n.T(ctx, "finance.margin"), Value: i18n.Money(*n.MarginFen), Note: note})
}

// percent is a part of a whole, which may be less than nothing.
func percent(part, whole int64) string {
	if part < 0 {
		return "−" + i18n.Percent(float64(-part)/float64(whole))
	}
	return i18n.Percent(float64(part) / float64(whole))
}

// days has a bar for each day, the month before as a line.
func (m Overview) days(ctx context.Context) ui.ChartView {
	v := ui.ChartView{Compare: m.DaysBefore, Label: i18n.T(ctx, "finance.days.label", "month", i18n.Month(ctx, m.Start), "total", i18n.Count(m.Now.Receipts))}
	for i, n := range m.Days {
		bar := ui.Bar{Value: n, Tip: i18n.T(ctx, "finance.days.tip", "day", i18n.DateWeekday(ctx, m.Start.AddDate(0, 0, i)), "n", i18n.Count(n))}
		if i == 0 || i%5 == 4 && i < 29 {
			bar.Label = i18n.T(ctx, "billing.chart.day", "day", fmt.Sprint(i+1))
		}
		v.Bars = append(v.Bars, bar)
	}
	return v
}

// trend has a bar for each of twelve months, in yuan.
func (m Overview) trend(ctx context.Context) ui.ChartView {
	v := ui.ChartView{}
	var total int64
	for _, b := range m.Trend {
		total += b.NetFen
		v.Bars = append(v.Bars, ui.Bar{Value: b.NetFen / 100, Label: i18n.T(ctx, "finance.trend.month", "m", fmt.Sprint(int(b.Start.Month()))), Href: b.Href, Current: b.Current,
			Tip: i18n.T(ctx, "finance.trend.tip", "month", i18n.Month(ctx, b.Start), "money", i18n.Money(b.NetFen), "n", i18n.Count(b.Receipts))})
	}
	v.Label = i18n.T(ctx, "finance.trend.label", "total", i18n.Money(total))
	return v
}

func (m Overview) hasBefore() bool { return m.Before.Receipts > 0 }

func (m Overview) daysLegend(ctx context.Context) []string {
	if !m.hasBefore() {
		return []string{i18n.Month(ctx, m.Start)}
	}
	return []string{i18n.Month(ctx, m.Start), i18n.Month(ctx, m.Start.AddDate(0, -1, 0))}
}

// share is a tenant's part of the month's revenue.
func (m Overview) share(r TenantRow) string {
	if m.Now.NetFen <= 0 {
		return ""
	}
	return percent(r.NetFen, m.Now.NetFen)
}

func (m Overview) meta(ctx context.Context) []string {
	out := []string{i18n.T(ctx, "finance.invoices_of", "n", m.Steps.invoices())}
	if m.Now.OpenFen > 0 {
		out = append(out, i18n.T(ctx, "finance.open", "money", i18n.Money(m.Now.OpenFen)))
	}
	return out
}

func (m Overview) emptyView(ctx context.Context) ui.EmptyView {
	title, text := "finance.empty.title", "finance.empty.text"
	if !m.Ended {
		title, text = "billing.empty.title", "finance.empty.running"
	}
	return ui.EmptyView{Title: i18n.T(ctx, title, "month", i18n.Month(ctx, m.Start)), Text: i18n.T(ctx, text),
		Actions: []ui.Btn{{Label: i18n.T(ctx, "billing.prev_month"), Icon: "chevron-left", Href: m.Prev}}}
}
