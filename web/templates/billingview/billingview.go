// Package billingview has the pages about money: the usage of a month with its
// ledger, the list of invoices, and one invoice whose lines open into receipts.
// They show order numbers and never a person, so that finance staff can use them.
package billingview

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Ids of the parts that are swapped alone.
const (
	LedgerID = "ledger"
	lineID   = "line-" // followed by the ordinal
)

// LineID is the id of a line of an invoice.
func LineID(ordinal int) string { return fmt.Sprint(lineID, ordinal) }

// Sum is a number of receipts, the points they cost and their price in fen.
type Sum struct{ Receipts, Points, Fen int64 }

// MonthModel is the usage of one month.
type MonthModel struct {
	Start  time.Time // first moment of the month
	Before time.Time // first moment of the month before
	Until  time.Time // the figures are counted up to here
	Ended  bool
	Prev   string // address of the month before, "" at the first
	Next   string // address of the month after, "" at the present one
	Months []MonthLink
	Total  Sum
	Same   Sum   // the month before up to the same time
	Each   int64 // points of each receipt, 0 when they differ

	Days       []Day
	DaysSoFar  int     // how many of them have begun
	DaysBefore []int64 // receipts on the days of the month before

	Kinds    []Kind
	Rest     int // kinds that are not listed
	RestSum  Sum
	KindsURL string // the page with all kinds

	Overview []Row
	Ledger   LedgerModel
	// Invoice is the page of the month's invoice; Draft is where a POST makes it
	// when there is none yet, "" when there is nothing to bill.
	Invoice, Draft string
	TenantName     string // for the platform's staff, else ""
	Invoices       string // the list of its invoices
	Batches        string // where work begins, "" for those who bill only

	ReceiptPoints, ReceiptFen int64    // what a receipt costs
	Price                     []string // what the tenant pays today, in words
	Wallet                    *Wallet  // nil without one
}

// MonthLink is a month to switch to.
type MonthLink struct {
	Start   time.Time
	Href    string
	Current bool
}

// Day is a bar of the chart.
type Day struct {
	Start    time.Time
	Receipts int64
	Fen      int64
	Href     string
	Current  bool // the ledger shows this day
}

// Kind is what one type in one city came to.
type Kind struct {
	TypeName, City string
	UnitFen        int64
	Receipts, Fen  int64
	Href           string // its entries in the ledger
	Current        bool
}

// Row is a month in a list of months or invoices.
type Row struct {
	Start   time.Time
	Sum     Sum
	State   string    // of the invoice, "" when there is none
	Updated time.Time // when the invoice was last built
	Running bool      // the month is not over
	Href    string
}

// LedgerModel is a page of the ledger.
type LedgerModel struct {
	Entries      []Entry
	Newer, Older string // addresses of the pages around
	Total        int64  // entries of the month that the filter lets through, -1 when not known
	Filtered     bool
	Day          time.Time // filter, zero for all
	TypeName     string    // filter, "" for all
	City         string
	All          string // address without a filter
}

// Entry is a charge.
type Entry struct {
	OrderNumber    string
	Order          string // page of the order, "" for those who may not see it
	At             time.Time
	TypeName, City string
	BatchName      string
	Points, Fen    int64
	Trace          string // the way of the charge to its money
	Line           string // the line that bills it, "" while it is on none
	LineNumber     int
}

// InvoicesModel is the list of invoices.
type InvoicesModel struct{ Rows []Row }

// InvoiceModel is one invoice.
type InvoiceModel struct {
	State            string
	TenantName       string
	Start            time.Time // of the month
	Running          bool      // the month is not over
	Created, Updated time.Time
	Total            Sum
	Taxes            []Tax
	AmountFen        int64 // what the lines add up to, without taxes that are added
	Lines            []Line
	Each             int64 // points of each receipt, 0 when they differ
	Ledger           Sum   // the month in the ledger
	LinesFen         int64 // what the lines add up to
	Month            string
	Usage            string // of the tenant in the month, for the platform's staff
	Draft            string // where a POST builds it again, "" when it is no draft
	CSV, XLSX, PDF   string // "" where it is not offered
	Number, DueDay   string // of an invoice that is final
	OpenFen          int64
	Payments         []Payment
	Credits          []Credit
	Changes          []Change // from the draft before
	Actions          *Actions // nil for those who only look
	Online           *Online  // nil when it is not at Stripe
}

func (m InvoiceModel) unbilled() int64 { return m.Ledger.Receipts - m.Total.Receipts }

// Tax is the part of an invoice with one tax rate, given in basis points.
type Tax struct{ BP, NetFen, TaxFen int64 }

func (t Tax) rate() string { return strconv.FormatFloat(float64(t.BP)/100, 'f', -1, 64) + "%" }

// Line is a line of an invoice. An open one shows a page of its receipts.
type Line struct {
	Ordinal       int
	TypeName      string
	Receipts, Fen int64
	UnitFen       int64
	Toggle        string // address that opens or closes it
	Open          bool
	Entries       []Entry
	First, Next   string // addresses of its first and next page, "" when this is it
}

// City shortens "广东省,深圳市" to 深圳市; the province is in the full name.
func city(full string) string { return full[strings.LastIndex(full, ",")+1:] }

func kindName(k Kind) string {
	if k.City == "" {
		return k.TypeName
	}
	return k.TypeName + " · " + city(k.City)
}

// change is how much more or less than before, "" when there is nothing to compare with.
func change(now, before int64) string {
	if before == 0 {
		return ""
	}
	share := float64(now-before) / float64(before)
	switch {
	case share < 0:
		return "−" + i18n.Percent(-share)
	default:
		return "+" + i18n.Percent(share)
	}
}

func (m MonthModel) meta(ctx context.Context) []string {
	if m.Ended {
		return []string{m.TenantName, i18n.T(ctx, "billing.whole_month", "month", i18n.Month(ctx, m.Start))}
	}
	return []string{m.TenantName, i18n.T(ctx, "billing.until", "day", i18n.Date(ctx, m.Until), "time", i18n.Time(m.Until))}
}

// stats are the big figures.
func (m MonthModel) stats(ctx context.Context) []ui.StatView {
	compare := "billing.same_time"
	if m.Ended {
		compare = "billing.month_before"
	}
	receipts, money := "", ""
	if m.Same.Receipts > 0 {
		receipts = i18n.T(ctx, compare, "value", i18n.Count(m.Same.Receipts)) + i18n.T(ctx, "ui.comma") + change(m.Total.Receipts, m.Same.Receipts)
		money = i18n.T(ctx, compare, "value", i18n.Money(m.Same.Fen))
	}
	points := ""
	if m.Each > 0 {
		points = i18n.Count(m.Total.Receipts) + " × " + i18n.Count(m.Each)
	}
	average, most := i18n.Count(0), m.busiest()
	if m.DaysSoFar > 0 {
		average = fmt.Sprintf("%.1f", float64(m.Total.Receipts)/float64(m.DaysSoFar))
	}
	return []ui.StatView{
		{Label: i18n.T(ctx, "billing.stat.receipts"), Value: i18n.Count(m.Total.Receipts), Note: receipts, Href: "#" + LedgerID},
		{Label: i18n.T(ctx, "billing.stat.points"), Value: i18n.Count(m.Total.Points), Note: points, Href: "#" + LedgerID},
		{Label: i18n.T(ctx, "billing.stat.amount"), Value: i18n.Money(m.Total.Fen), Note: money, Href: m.Invoice},
		{Label: i18n.T(ctx, "billing.stat.average"), Value: average,
			Note: i18n.T(ctx, "billing.stat.most", "day", i18n.Day(ctx, most.Start), "n", most.Receipts), Href: most.Href},
	}
}

func (m MonthModel) busiest() Day {
	var most Day
	for _, d := range m.Days {
		if d.Receipts > most.Receipts {
			most = d
		}
	}
	return most
}

// chart has a bar for each day, the month before as a line.
func (m MonthModel) chart(ctx context.Context) ui.ChartView {
	most := m.busiest()
	v := ui.ChartView{Compare: m.DaysBefore, Label: i18n.T(ctx, "billing.chart.label", "month", i18n.Month(ctx, m.Start),
		"total", i18n.Count(m.Total.Receipts), "day", i18n.Day(ctx, most.Start), "n", most.Receipts)}
	for i, d := range m.Days {
		bar := ui.Bar{Value: d.Receipts, Current: d.Current,
			Tip: i18n.T(ctx, "billing.chart.tip", "day", i18n.DateWeekday(ctx, d.Start), "n", d.Receipts, "money", i18n.Money(d.Fen))}
		if d.Receipts > 0 {
			bar.Href = d.Href
		}
		if i == 0 || i%5 == 4 && i < 29 || i == len(m.Days)-1 && i >= 27 && i%5 != 0 {
			bar.Label = i18n.T(ctx, "billing.chart.day", "day", fmt.Sprint(i+1))
		}
		v.Bars = append(v.Bars, bar)
	}
	return v
}

// chips are the conditions of the ledger, each of which can be taken away.
func (m LedgerModel) chips(ctx context.Context) []ui.Chip {
	var chips []ui.Chip
	add := func(label string) { chips = append(chips, ui.Chip{Label: label, Href: m.All, On: true, Remove: true}) }
	if !m.Day.IsZero() {
		add(i18n.Day(ctx, m.Day))
	}
	if m.TypeName != "" {
		add(kindName(Kind{TypeName: m.TypeName, City: m.City}))
	}
	return chips
}

// stages are the usual way of an invoice; other states are on the way where they
// branch off.
func (m InvoiceModel) stages(ctx context.Context) []ui.Stage {
	at := map[string]int{"draft": 0, "reviewed": 0, "finalized": 1, "sent": 2, "partly_paid": 2, "overdue": 2, "void": 1, "uncollectible": 2, "paid": 3}[m.State]
	var stages []ui.Stage
	for i, state := range []string{"draft", "finalized", "sent", "paid"} {
		s := ui.Stage{Label: i18n.T(ctx, "ui.invoice."+state), Reached: i <= at, Current: i == at && state != "paid"}
		if i == at {
			s.Label = i18n.T(ctx, "ui.invoice."+m.State)
		}
		if state == "draft" {
			s.Note = i18n.Day(ctx, m.Created) + " " + i18n.Time(m.Created)
		}
		stages = append(stages, s)
	}
	return stages
}
