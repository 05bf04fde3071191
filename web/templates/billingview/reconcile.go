package billingview

import (
	"context"
	"slices"
	"time"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

// ReconcileID is the part of the reconciliation's page that refreshes itself while
// a run is under way.
const ReconcileID = "reconcile"

// ReconcileModel is a month's reconciliation.
type ReconcileModel struct {
	Start                    time.Time // of the month
	Ended                    bool
	Base, Month, Close, Body string // addresses: this page, the month's overview, the closing, the refreshing part
	Prev, Next               string
	Each                     int64 // points that the provider takes for a receipt
	Run                      *ReconcileRun
	Active                   *ReconcileActive
	Failed                   *ReconcileFailure
	Sums                     ReconcileSums
	Open                     int64
	States                   []ReconcileFilter
	Kinds                    []ReconcileFilter // those there are, with the first for all
	Filtered                 bool
	State, Kind              string // of the filter, "" for all
	KindOpen                 int64  // how many of it are open
	Rows                     []Difference
	Next50                   string // address of the next page
	Reason                   string // as it was typed
	ReasonError              string
	Closed                   bool
}

// ReconcileRun is the newest run that ended well.
type ReconcileRun struct {
	At time.Time
	By string // a name, "" for the nightly one
}

// ReconcileActive is the run that is under way.
type ReconcileActive struct {
	Stage       string // queued, reading, comparing
	Page, Total int64
}

// ReconcileFailure is the newest run, if it failed.
type ReconcileFailure struct {
	Problem string
	Cause   string // catalogue key, or ""
	At      time.Time
}

// ReconcileFilter is one choice of a filter.
type ReconcileFilter struct {
	Name, Href string
	N          int64
	On         bool
}

// ReconcileSums are the sums of the three sides.
type ReconcileSums struct {
	Read                                                int64
	Dated, Later, Uncharged, Earlier, Matched, Rehearse int64
	Receipts, Points, Since                             int64
	Invoices, Drafts, Invoiced                          int64
	InvoicedFen                                         int64
	Stripe                                              bool
	StripeInvoices                                      int64
	StripeFen, PaidFen, RecordedFen                     int64
}

// Difference is a line of the list.
type Difference struct {
	ID, Kind, State     string
	Tenant, OrderNumber string
	Invoice             string // address, "" without one
	Ours, Theirs        *DifferenceSide
	Since               time.Time
	Decisions           []Decision // oldest first
}

// Decision is what a person decided about a difference.
type Decision struct {
	At         time.Time
	Event      string // "accepted" or "reopened"
	By, Reason string
}

// DifferenceSide is what one side says.
type DifferenceSide struct {
	Source, Ref, State, At string
	Receipts, Points, Fen  *int64
}

func (m ReconcileModel) badge(ctx context.Context) *ui.Badge {
	switch {
	case m.Closed:
		return &ui.Badge{Tone: ui.Done, Icon: "lock", Word: i18n.T(ctx, "reconcile.badge.closed")}
	case m.Run == nil:
		return &ui.Badge{Icon: "circle-dashed", Word: i18n.T(ctx, "reconcile.badge.never")}
	case m.Open > 0:
		return &ui.Badge{Tone: ui.Wait, Icon: "circle-alert", Word: i18n.T(ctx, "reconcile.badge.open", "n", m.Open)}
	default:
		return &ui.Badge{Tone: ui.Done, Icon: "circle-check", Word: i18n.T(ctx, "reconcile.badge.agrees")}
	}
}

func (m ReconcileModel) meta(ctx context.Context) []string {
	meta := []string{i18n.Month(ctx, m.Start)}
	if m.Run != nil {
		by := m.Run.By
		if by == "" {
			by = i18n.T(ctx, "reconcile.by_system")
		}
		meta = append(meta, i18n.T(ctx, "reconcile.at", "at", i18n.DateTime(m.Run.At)), by)
	}
	return meta
}

func financeCrumbs(ctx context.Context, start time.Time, href string) []layout.Crumb {
	return []layout.Crumb{{Label: i18n.T(ctx, "billing.finance.title"), Href: "/platform/finance"}, {Label: i18n.Month(ctx, start), Href: href}}
}

// refreshing asks for the part again while a run is under way.
func (m ReconcileModel) refreshing() templ.Attributes {
	if m.Active == nil {
		return nil
	}
	return templ.Attributes{"hx-get": m.Body, "hx-trigger": "every 2s", "hx-ext": "morph", "hx-swap": "morph:outerHTML"}
}

func (a ReconcileActive) progress(ctx context.Context) ui.ProgressView {
	switch a.Stage {
	case "reading":
		return ui.ProgressView{Label: i18n.T(ctx, "reconcile.progress.reading", "page", a.Page, "total", a.Total), Note: " ", Value: a.Page, Max: a.Total}
	case "comparing":
		return ui.ProgressView{Label: i18n.T(ctx, "reconcile.progress.comparing"), Note: " "}
	default:
		return ui.ProgressView{Label: i18n.T(ctx, "reconcile.progress.queued"), Note: " "}
	}
}

func (m ReconcileModel) failure(ctx context.Context) ui.NoteView {
	kept := i18n.T(ctx, "reconcile.failed.none")
	if m.Run != nil {
		kept = i18n.T(ctx, "reconcile.failed.kept")
	}
	title := i18n.T(ctx, "reconcile.problem."+m.Failed.Problem)
	if m.Failed.Cause != "" && i18n.Has(m.Failed.Cause) {
		title += " " + i18n.T(ctx, m.Failed.Cause)
	}
	return ui.NoteView{Tone: ui.Fail, Title: title, Text: i18n.T(ctx, "reconcile.problem_do."+m.Failed.Problem) + " " + kept}
}

// less is a figure that is taken off, with its sign.
func less(n int64) string {
	if n == 0 {
		return "0"
	}
	return i18n.Count(-n)
}

func (m ReconcileModel) providerFacts(ctx context.Context) []ui.Fact {
	s := m.Sums
	facts := []ui.Fact{{Label: i18n.T(ctx, "reconcile.sum.dated"), Value: i18n.Count(s.Dated)}}
	add := func(key string, n int64, text string) {
		if n != 0 {
			facts = append(facts, ui.Fact{Label: i18n.T(ctx, key), Value: text})
		}
	}
	add("reconcile.sum.later", s.Later, less(s.Later))
	add("reconcile.sum.uncharged", s.Uncharged, less(s.Uncharged))
	add("reconcile.sum.earlier", s.Earlier, "+"+i18n.Count(s.Earlier))
	facts = append(facts, ui.Fact{Label: i18n.T(ctx, "reconcile.sum.matched"), Value: i18n.Count(s.Matched)},
		ui.Fact{Label: i18n.T(ctx, "reconcile.sum.points"), Value: i18n.Count(s.Matched * m.Each)})
	add("reconcile.sum.rehearsals", s.Rehearse, i18n.Count(s.Rehearse))
	return facts
}

func (m ReconcileModel) ledgerFacts(ctx context.Context) []ui.Fact {
	s := m.Sums
	facts := []ui.Fact{{Label: i18n.T(ctx, "reconcile.sum.receipts"), Value: i18n.Count(s.Receipts)}, {Label: i18n.T(ctx, "reconcile.sum.points"), Value: i18n.Count(s.Points)}}
	if s.Since > 0 {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "reconcile.sum.since"), Value: i18n.Count(s.Since)})
	}
	facts = append(facts, ui.Fact{Label: i18n.T(ctx, "reconcile.sum.invoiced"), Value: i18n.Count(s.Invoiced)})
	if s.Drafts > 0 {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "reconcile.sum.drafts"), Value: i18n.Count(s.Drafts)})
	}
	return facts
}

func (m ReconcileModel) stripeFacts(ctx context.Context) []ui.Fact {
	s := m.Sums
	facts := []ui.Fact{{Label: i18n.T(ctx, "reconcile.sum.total"), Value: i18n.Money(s.InvoicedFen)}}
	if s.Stripe {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "reconcile.sum.stripe_total"), Value: i18n.Money(s.StripeFen)},
			ui.Fact{Label: i18n.T(ctx, "reconcile.sum.stripe_paid"), Value: i18n.Money(s.PaidFen)},
			ui.Fact{Label: i18n.T(ctx, "reconcile.sum.recorded"), Value: i18n.Money(s.RecordedFen)})
	}
	return facts
}

func (m ReconcileModel) providerCheck(ctx context.Context) check {
	off := m.Sums.Matched - (m.Sums.Receipts - m.Sums.Since)
	if off == 0 && m.Sums.Uncharged == 0 {
		return check{true, i18n.T(ctx, "reconcile.check.agrees")}
	}
	if off == 0 {
		off = m.Sums.Uncharged
	}
	return check{false, i18n.T(ctx, "reconcile.check.differs", "n", off)}
}

func (m ReconcileModel) invoicesCheck(ctx context.Context) check {
	switch off := m.Sums.Receipts - m.Sums.Invoiced; {
	case off == 0:
		return check{true, i18n.T(ctx, "reconcile.check.invoices")}
	case off > 0:
		return check{false, i18n.T(ctx, "reconcile.check.not_invoiced", "n", off)}
	default:
		return check{false, i18n.T(ctx, "reconcile.check.over_invoiced", "n", -off)}
	}
}

func (m ReconcileModel) stripeCheck(ctx context.Context) check {
	if off := m.Sums.PaidFen - m.Sums.RecordedFen; off != 0 {
		return check{false, i18n.T(ctx, "reconcile.check.stripe_differs", "money", i18n.Money(off))}
	}
	return check{true, i18n.T(ctx, "reconcile.check.stripe")}
}

func (m ReconcileModel) agreesText(ctx context.Context) string {
	text := i18n.T(ctx, "reconcile.agrees.text", "at", i18n.DateTime(m.Run.At), "n", m.Sums.Read, "receipts", m.Sums.Receipts, "invoices", m.Sums.Invoices)
	if m.Sums.Stripe {
		return text + " " + i18n.T(ctx, "reconcile.agrees.with_stripe", "n", m.Sums.StripeInvoices)
	}
	return text + " " + i18n.T(ctx, "reconcile.agrees.without_stripe")
}

func (m ReconcileModel) stateChips(ctx context.Context) []ui.Chip {
	var chips []ui.Chip
	for _, f := range m.States {
		label := i18n.T(ctx, "reconcile.filter.current")
		if f.Name != "" {
			label = i18n.T(ctx, "reconcile.state."+f.Name)
		}
		chips = append(chips, ui.Chip{Label: label, Count: i18n.Count(f.N), Href: f.Href, On: f.On})
	}
	return chips
}

func (m ReconcileModel) kindChips(ctx context.Context) []ui.Chip {
	var chips []ui.Chip
	for _, f := range m.Kinds {
		chips = append(chips, ui.Chip{Label: i18n.T(ctx, "reconcile.kind."+f.Name), Count: i18n.Count(f.N), Href: f.Href, On: f.On, Remove: f.On})
	}
	return chips
}

// any tells that a row is in the state.
func (m ReconcileModel) any(state string) bool {
	return slices.ContainsFunc(m.Rows, func(d Difference) bool { return d.State == state })
}

// text is the sentence of a decision.
func (d Decision) text(ctx context.Context) string {
	return i18n.T(ctx, "reconcile.decided."+d.Event, "at", i18n.Day(ctx, d.At)+" "+i18n.Time(d.At), "name", d.By, "reason", d.Reason)
}

func stateBadge(ctx context.Context, state string) ui.Badge {
	b := map[string]ui.Badge{
		"open": {Tone: ui.Wait, Icon: "circle-alert"}, "explained": {Icon: "info"},
		"accepted": {Tone: ui.Run, Icon: "check"}, "gone": {Tone: ui.Done, Icon: "circle-check"},
	}[state]
	b.Word = i18n.T(ctx, "reconcile.state."+state)
	return b
}

// stateWord is how a side's own word for a state is read.
func stateWord(ctx context.Context, s *DifferenceSide) string {
	prefixes := []string{"reconcile.status.", "orders.status.", "ui.invoice."}
	if s.Source == "invoice" || s.Source == "stripe" {
		prefixes = []string{"ui.invoice.", "reconcile.status."}
	}
	for _, p := range prefixes {
		if i18n.Has(p + s.State) {
			return i18n.T(ctx, p+s.State)
		}
	}
	return s.State
}

// figures are what a side says in numbers and words, after its name.
func (s *DifferenceSide) figures(ctx context.Context) (out []string) {
	if s.State != "" {
		out = append(out, stateWord(ctx, s))
	}
	if s.Receipts != nil {
		out = append(out, i18n.T(ctx, "billing.receipts", "n", *s.Receipts))
	}
	if s.Points != nil {
		out = append(out, i18n.Points(ctx, *s.Points))
	}
	if s.Fen != nil {
		out = append(out, i18n.Money(*s.Fen))
	}
	if s.At != "" {
		out = append(out, s.At)
	}
	return out
}

// CloseModel is the checklist of a month.
type CloseModel struct {
	Start       time.Time
	Base, Month string // addresses: this page, the month's overview
	Over        bool
	Conditions  []CloseCondition
	Unmet       int
	Closed      *MonthClosed
	OpenSince   int64 // differences that are open after it was closed
	Reconcile   string
	Reason      string // as it was typed
	ReasonError string
}

// CloseCondition is a line of the checklist.
type CloseCondition struct {
	Name, Href string // where to do it, "" for what comes by itself
	Met        bool
	N          int64
	Day        time.Time // of MonthOver
}

// MonthClosed says who closed the month.
type MonthClosed struct {
	At         time.Time
	By, Reason string
	Unmet      []string // names of conditions
}

func (c CloseCondition) todo(ctx context.Context) string {
	return i18n.T(ctx, "reconcile.todo."+c.Name, "n", c.N, "day", i18n.Day(ctx, c.Day))
}

func (m CloseModel) closedNote(ctx context.Context) ui.NoteView {
	n := ui.NoteView{Tone: ui.Done, Icon: "lock", Title: i18n.T(ctx, "reconcile.close.closed_by", "at", i18n.DateTime(m.Closed.At), "name", m.Closed.By),
		Text: i18n.T(ctx, "reconcile.close.closed_clean")}
	if m.Closed.Reason != "" {
		list := ""
		for i, name := range m.Closed.Unmet {
			if i > 0 {
				list += i18n.T(ctx, "reconcile.close.and")
			}
			list += i18n.T(ctx, "reconcile.condition."+name)
		}
		n.Tone, n.Text = ui.Wait, i18n.T(ctx, "reconcile.close.closed_despite", "list", list, "reason", m.Closed.Reason)
	}
	return n
}
