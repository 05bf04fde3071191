package platformview

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// ProviderModel is how the dealings with the provider go, over all tenants.
type ProviderModel struct {
	Account    Account
	Balance    Balance
	Calls      []Calls
	Types      []TypeTime
	Backlog    []Backlog // the longest first
	UnderWay   int64     // accepted by the provider and not ended
	Overdue    int64     // of these, for more than a day
	Unknown    int64
	Decision   int64
	Hours      []Hour
	Refusals   []Refusal      // submits that were refused, the newest first
	Events     []AccountEvent // the newest first
	Engines    []Engine       // that read documents
	CanOperate bool
	Now        time.Time
}

// Account is the state of the upstream account.
type Account struct {
	Name     string
	Circuit  string // closed, half_open, open
	StopKey  string // catalogue key of why nothing is submitted; "" unless open
	Since    time.Time
	Probe    time.Time // when it is tried again
	Probes   int64     // tries since the stop
	Failures int64     // in a row, while closed
}

// Balance is what the account should hold by our reckoning.
type Balance struct {
	Known            bool // somebody has told it once
	Told             int64
	ToldAt           time.Time
	Spent, Left      int64
	Reserved, Queued int64
	PerDay, Days     float64
	Endless, Warn    bool
	Typed, Error     string // of the form, when it was refused
}

// Calls is one operation of the provider over a day.
type Calls struct {
	Op            string
	N, Failed     int64
	Rate          float64 // share of usable answers
	P50, P95, P99 time.Duration
}

// TypeTime is the measured time from submit to receipt of one type.
type TypeTime struct {
	Name     string
	N        int
	P50, P95 time.Duration
}

// Backlog is what a tenant has queued.
type Backlog struct {
	Tenant string
	Queued int64
	Oldest time.Time
}

// Hour is an hour of the charts.
type Hour struct {
	Start                             time.Time
	Calls, Failed, Submits, Completed int64
}

// Refusal is a submit that the provider refused for its input.
type Refusal struct {
	At            time.Time
	Code          int
	Key           string // of our sentence for the code, if there is one
	Message       string // the provider's, masked
	Order, Tenant string
}

// sentence is ours for the code, which says what is done about it; else the provider's.
func (r Refusal) sentence(ctx context.Context) string {
	if i18n.Has(r.Key) {
		return i18n.T(ctx, r.Key)
	}
	return r.Message
}

// AccountEvent is a line of the account's history.
type AccountEvent struct {
	At     time.Time
	Kind   string // stopped, resumed, balance
	Reason string // a catalogue key, or the points told
	Actor  string // a person's name, or "" for the system
}

const bodyURL = "/platform/provider?part=body"

func (a Account) stopped() bool { return a.Circuit == "open" }

// badge is the state in a word.
func (a Account) badge(ctx context.Context) ui.Badge {
	b := ui.Badge{Tone: ui.Done, Icon: "circle-check"}
	switch a.Circuit {
	case "open":
		b = ui.Badge{Tone: ui.Fail, Icon: "circle-x"}
	case "half_open":
		b = ui.Badge{Tone: ui.Wait, Icon: "loader-circle"}
	}
	b.Word = i18n.T(ctx, "platform.circuit."+a.Circuit)
	return b
}

func badgeOf(ctx context.Context, a Account) *ui.Badge {
	b := a.badge(ctx)
	return &b
}

// note says in plain words what the state means and what happens next, where
// there is more to say than that all is well.
func (a Account) note(ctx context.Context) (v ui.NoteView, worth bool) {
	switch {
	case a.Circuit == "half_open":
		return ui.NoteView{Tone: ui.Wait, Title: i18n.T(ctx, "platform.state.half_open"), Text: i18n.T(ctx, "platform.state.half_open_text")}, true
	case a.Failures > 0:
		return ui.NoteView{Tone: ui.Wait, Title: i18n.T(ctx, "platform.state.failing", "n", a.Failures), Text: i18n.T(ctx, "platform.state.failing_text")}, true
	default:
		return ui.NoteView{}, false
	}
}

func (m ProviderModel) queued() (n int64) {
	for _, b := range m.Backlog {
		n += b.Queued
	}
	return n
}

// stats are the figures of the day, the most telling first.
func (m ProviderModel) stats(ctx context.Context) []ui.StatView {
	none := ui.StatView{Value: "–", Note: i18n.T(ctx, "platform.stat.no_calls")}
	rate, latency := none, none
	for _, c := range m.Calls {
		if c.Op == "submit" {
			rate = ui.StatView{Value: i18n.Percent(c.Rate), Note: i18n.T(ctx, "platform.stat.calls", "n", c.N)}
			latency = ui.StatView{Value: millis(ctx, c.P95), Note: i18n.T(ctx, "platform.stat.p50", "time", millis(ctx, c.P50))}
		}
	}
	rate.Label, latency.Label = i18n.T(ctx, "platform.stat.rate"), i18n.T(ctx, "platform.stat.latency")
	underWay := ui.StatView{Label: i18n.T(ctx, "platform.stat.under_way"), Value: i18n.Count(m.UnderWay)}
	if m.Overdue > 0 {
		underWay.Note = i18n.T(ctx, "platform.stat.overdue", "n", m.Overdue)
	}
	unsettled := ui.StatView{Label: i18n.T(ctx, "platform.stat.unknown"), Value: i18n.Count(m.Unknown + m.Decision)}
	if m.Decision > 0 {
		unsettled.Note = i18n.T(ctx, "platform.stat.decision", "n", m.Decision)
	}
	return []ui.StatView{rate, latency, {Label: i18n.T(ctx, "platform.stat.queued"), Value: i18n.Count(m.queued())}, underWay, unsettled}
}

// latencies are the three figures in a line, for where there is no room for columns.
func (c Calls) latencies(ctx context.Context) []string {
	return []string{"p50 " + millis(ctx, c.P50), "p95 " + millis(ctx, c.P95), "p99 " + millis(ctx, c.P99)}
}

func (t TypeTime) times(ctx context.Context) []string {
	return []string{"p50 " + i18n.Duration(ctx, t.P50), "p95 " + i18n.Duration(ctx, t.P95)}
}

// millis shows a latency: 38 毫秒, 1.2 秒.
func millis(ctx context.Context, d time.Duration) string {
	if d < time.Second {
		return i18n.T(ctx, "platform.ms", "n", max(1, d.Milliseconds()))
	}
	return i18n.Duration(ctx, d)
}

// calls is the chart of the calls, with the failed ones as a line.
func (m ProviderModel) calls(ctx context.Context) ui.ChartView {
	var total, failed int64
	v := ui.ChartView{Height: 130}
	for i, h := range m.Hours {
		total, failed = total+h.Calls, failed+h.Failed
		v.Bars = append(v.Bars, ui.Bar{Label: hourLabel(i, len(m.Hours), h.Start), Value: h.Calls,
			Tip: i18n.T(ctx, "platform.chart.calls_tip", "time", hourText(h.Start), "n", h.Calls, "failed", h.Failed)})
		v.Compare = append(v.Compare, h.Failed)
	}
	v.Label = i18n.T(ctx, "platform.chart.calls_label", "n", total, "failed", failed)
	return v
}

// receipts is the chart of what came back.
func (m ProviderModel) receipts(ctx context.Context) ui.ChartView {
	var total int64
	v := ui.ChartView{Height: 130}
	for i, h := range m.Hours {
		total += h.Completed
		v.Bars = append(v.Bars, ui.Bar{Label: hourLabel(i, len(m.Hours), h.Start), Value: h.Completed,
			Tip: i18n.T(ctx, "platform.chart.receipts_tip", "time", hourText(h.Start), "n", h.Completed)})
	}
	v.Label = i18n.T(ctx, "platform.chart.receipts_label", "n", total)
	return v
}

// hourLabel names every twelfth hour, none at the edges, where it would be cut.
func hourLabel(i, n int, start time.Time) string {
	if (n-1-i)%12 != 6 {
		return ""
	}
	return hourText(start)
}

func hourText(start time.Time) string { return start.In(i18n.Zone()).Format("01-02 15:04") }

// busy are the hours in which anything happened, the newest first, for the table.
func (m ProviderModel) busy() []Hour {
	var out []Hour
	for i := len(m.Hours) - 1; i >= 0; i-- {
		if h := m.Hours[i]; h.Calls+h.Completed > 0 {
			out = append(out, h)
		}
	}
	return out
}

// facts are the balance line by line.
func (b Balance) facts(ctx context.Context, now time.Time) []ui.Fact {
	return []ui.Fact{
		{Label: i18n.T(ctx, "platform.balance.told"), Part: told(b, now)},
		{Label: i18n.T(ctx, "platform.balance.spent"), Value: i18n.Points(ctx, b.Spent)},
		{Label: i18n.T(ctx, "platform.balance.reserved"), Value: i18n.Points(ctx, b.Reserved)},
		{Label: i18n.T(ctx, "platform.balance.queued"), Value: i18n.Points(ctx, b.Queued)},
		{Label: i18n.T(ctx, "platform.balance.pace"), Value: i18n.Points(ctx, int64(b.PerDay))},
	}
}

func (b Balance) days(ctx context.Context) string {
	switch {
	case b.Endless:
		return i18n.T(ctx, "platform.balance.endless")
	case b.Days < 1:
		return i18n.T(ctx, "platform.balance.today")
	default:
		return i18n.T(ctx, "platform.balance.days", "n", int64(b.Days))
	}
}

func (e AccountEvent) view(ctx context.Context) ui.EventView {
	who := e.Actor
	if who == "" {
		who = i18n.T(ctx, "orders.actor.system")
	}
	v := ui.EventView{Title: i18n.T(ctx, "platform.event."+e.Kind), At: e.At}
	switch e.Kind {
	case "stopped":
		v.Icon, v.Tone, v.Text = "circle-x", ui.Fail, reasonText(ctx, e.Reason)
	case "resumed":
		v.Icon, v.Tone, v.Text = "circle-check", ui.Done, i18n.T(ctx, "platform.event.resumed_text", "who", who)
	case "balance":
		points, _ := strconv.ParseInt(e.Reason, 10, 64)
		v.Icon, v.Text = "wallet", i18n.T(ctx, "platform.event.balance_text", "who", who, "points", i18n.Count(points))
	}
	return v
}

func reasonText(ctx context.Context, key string) string {
	if i18n.Has(key) {
		return i18n.T(ctx, key)
	}
	return strings.TrimPrefix(key, "provider.")
}

// polled is what keeps the figures fresh while the page is open.
func polled() templ.Attributes {
	return templ.Attributes{"hx-get": bodyURL, "hx-trigger": "every 15s", "hx-ext": "morph", "hx-swap": "morph:outerHTML"}
}
