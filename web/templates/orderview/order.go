package orderview

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Views of an order's documents.
const (
	ViewReceipt  = "receipt"
	ViewStandard = "standard"
	ViewOriginal = "original"
)

// OrderModel is an order with everything that happened to it.
type OrderModel struct {
	Row
	Revealed    string // the whole ID number, right after somebody asked for it
	ImageCode   string
	Message     string  // the provider's sentence, as it came
	MessageKey  string  // or the key of ours
	Further     []Value // what the provider asked for besides city and number
	Points      int64   // charged
	Submitter   string
	Took        time.Duration // from the first submit to the receipt
	Usual       string        // how long it takes usually, while it is under way
	CreatedAt   time.Time
	SubmittedAt time.Time
	Attempts    []Attempt // newest first
	Events      []Event   // of the order itself, newest first
	Receipt     *Receipt
	Validity    templ.Component // how long the receipt can be used
	Program     *Program        // nil unless a program handed it in
	View        string
	Lane        *LaneRow // while the outcome is not known
	NoEcho      bool
	Cancellable bool
	Retakable   bool   // another photo can be asked for
	Consent     string // who agreed that the photo is used, and when; "" if nobody was asked
	Reviewable  bool   // waits for a person in review
	ReviewPath  string
	// Live pages look for news: Seen is what this page shows, so that the server
	// can say that there are none.
	Live bool
	Seen string
	Now  time.Time
}

// Value is a value with the provider's word for it.
type Value struct{ Label, Value string }

// Attempt is one submission.
type Attempt struct {
	Ordinal       int
	Status        string
	Live          bool
	Points        int64
	Reference     string // "" if none was sent
	ApplicationNo string
	PhotoFetches  int
	Queries       int
	Scans         int
	CleanScans    int
	Events        []Event // newest first
	Evidence      *Evidence
}

// Event is a line of the history.
type Event struct {
	ID      string
	Kind    string
	At      time.Time
	Actor   string // a member's name, or empty for the system and the provider
	Detail  map[string]string
	N       int  // how often in a row
	Program bool // the actor is one
	// Unmarked: the attempt was sent without a reference of ours.
	Unmarked bool
	Again    bool // the system submits again by itself: the attempt before was proved absent
}

// Receipt is what was received.
type Receipt struct {
	State      string // fetching, stored, failed
	Type       string // of the receipt file
	Size       int64
	SHA256     string
	HasPhoto   bool
	PhotoSize  int64
	PhotoSHA   string
	ReceivedAt time.Time
}

func (r *Receipt) stored() bool { return r != nil && r.State == "stored" }

func (m OrderModel) partURL(part string) string {
	return m.Path() + "?" + url.Values{"part": {part}, "view": {m.View}, "seen": {m.Seen}}.Encode()
}

func (m OrderModel) viewURL(view string) string { return m.Path() + "?view=" + view }

func (m OrderModel) documentURL(view string) string {
	return m.Path() + "?part=documents&view=" + view
}

// plainViewer asks the browser's PDF viewer for the page and nothing around it.
const plainViewer = "#toolbar=0&navpanes=0&view=FitH"

func (m OrderModel) receiptURL() string  { return m.Path() + "/receipt" }
func (m OrderModel) standardURL() string { return m.Path() + "/standard-photo" }

// correctable orders came back: correct them and send them again.
func (m OrderModel) correctable() bool { return m.Status == "failed" || m.Status == "rejected" }

func (m OrderModel) undecided() bool { return m.Status == "needs_decision" }

// badge turns while the order is under way.
func (m OrderModel) badge(ctx context.Context) ui.Badge { return rowBadge(ctx, m.Row) }

func rowBadge(ctx context.Context, r Row) ui.Badge {
	b := ui.OrderBadge(ctx, r.Status)
	switch r.Status {
	case "accepted", "processing", "submitted":
		b.Live = true
	}
	return b
}

// sentence is why the order came back.
func (m OrderModel) sentence(ctx context.Context) string {
	if m.MessageKey != "" {
		return i18n.T(ctx, m.MessageKey)
	}
	return m.Message
}

// domID keeps an attempt's place on a page that refreshes itself.
func (a Attempt) domID() string { return "attempt-" + strconv.Itoa(a.Ordinal) }

func (a Attempt) badge(ctx context.Context) ui.Badge {
	if a.Status == "absent" {
		return ui.Badge{Icon: "search-x", Word: i18n.T(ctx, "orders.attempt.absent")}
	}
	b := ui.OrderBadge(ctx, a.Status)
	b.Live = a.Live && b.Icon == "loader-circle"
	return b
}

func (a Attempt) charge(ctx context.Context) string {
	switch {
	case a.Points > 0:
		return i18n.T(ctx, "orders.attempt.charged", "n", a.Points)
	case a.Live:
		return ""
	default:
		return i18n.T(ctx, "orders.attempt.not_charged")
	}
}

func (m OrderModel) historyMeta(ctx context.Context) string {
	if len(m.Attempts) == 0 {
		return ""
	}
	charged := 0
	for _, a := range m.Attempts {
		if a.Points > 0 {
			charged++
		}
	}
	return i18n.T(ctx, "orders.history.attempts", "n", len(m.Attempts)) + i18n.T(ctx, "ui.comma") +
		i18n.T(ctx, "orders.history.charges", "n", charged)
}

func (m OrderModel) facts(ctx context.Context) []ui.Fact {
	facts := []ui.Fact{
		{Label: i18n.T(ctx, "orders.fact.id_number"), Part: IDNumber(m)},
		{Label: i18n.T(ctx, "orders.fact.image_code"), Part: imageCode(m.ImageCode)},
		{Label: i18n.T(ctx, "orders.fact.cost"), Value: m.cost(ctx)},
		{Label: i18n.T(ctx, "orders.fact.took"), Value: m.tookText(ctx)},
		{Label: i18n.T(ctx, "orders.fact.batch"), Part: ui.Link(m.BatchName, m.batchPath())},
		{Label: i18n.T(ctx, "orders.fact.submitter"), Value: m.Submitter},
		{Label: i18n.T(ctx, "orders.fact.submitted_at"), Part: ui.RelTime(m.SubmittedAt, m.Now)},
		{Label: i18n.T(ctx, "orders.fact.created_at"), Part: ui.RelTime(m.CreatedAt, m.Now)},
	}
	if m.Consent != "" {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "collect.col.consent"), Value: m.Consent})
	}
	for _, v := range m.Further {
		facts = append(facts, ui.Fact{Label: v.Label, Value: v.Value})
	}
	return facts
}

func (m OrderModel) cost(ctx context.Context) string {
	switch {
	case m.Simulate:
		return i18n.T(ctx, "orders.cost.simulated")
	case m.Points == 0:
		return i18n.T(ctx, "orders.cost.none")
	default:
		return i18n.T(ctx, "orders.cost", "n", m.Points, "money", i18n.Money(m.Fen))
	}
}

func (m OrderModel) tookText(ctx context.Context) string {
	if m.Took == 0 {
		return m.Usual
	}
	return i18n.Duration(ctx, m.Took)
}

// fileLine describes the receipt file: PDF · 184 KB.
func (r *Receipt) fileLine() []string {
	_, kind, _ := strings.Cut(r.Type, "/")
	return []string{strings.ToUpper(kind), i18n.Bytes(r.Size)}
}

// facts prove an event; they are folded away below it.
func (a Attempt) facts(ctx context.Context, e Event, r *Receipt) []ui.Fact {
	var facts []ui.Fact
	add := func(key, value string) {
		if value != "" {
			facts = append(facts, ui.Fact{Label: i18n.T(ctx, key), Value: value})
		}
	}
	count := func(key string, n int) {
		if n > 0 {
			add(key, i18n.T(ctx, "orders.evidence.times", "n", n))
		}
	}
	switch e.Kind {
	case "unknown", "needs_decision", "absent":
		add("orders.evidence.reference", a.Reference)
		count("orders.evidence.scans", a.Scans)
		count("orders.evidence.clean_scans", a.CleanScans)
		count("orders.evidence.photo_fetches", a.PhotoFetches)
	case "accepted", "found":
		add("orders.evidence.reference", a.Reference)
		add("orders.evidence.application", a.ApplicationNo)
		count("orders.evidence.scans", a.Scans)
		count("orders.evidence.photo_fetches", a.PhotoFetches)
	case "completed", "failed":
		add("orders.evidence.application", a.ApplicationNo)
		count("orders.evidence.queries", a.Queries)
	case "received":
		if r != nil {
			add("orders.evidence.file", strings.Join(r.fileLine(), " "))
			add("orders.evidence.sha256", r.SHA256)
			add("orders.evidence.photo_sha256", r.PhotoSHA)
		}
	}
	return facts
}

// view words an event of the attempt, with what proves it.
func (a Attempt) view(ctx context.Context, e Event, r *Receipt) ui.EventView {
	v := e.view(ctx)
	v.ID, v.Facts = "event-"+e.ID, a.facts(ctx, e, r)
	return v
}

// live is what makes the page look for news.
func (m OrderModel) live() templ.Attributes {
	if !m.Live {
		return nil
	}
	return templ.Attributes{"hx-get": m.partURL("body"), "hx-trigger": "every 5s", "hx-ext": "morph", "hx-swap": "morph:outerHTML"}
}

func headBadge(ctx context.Context, m OrderModel) *ui.Badge {
	b := m.badge(ctx)
	return &b
}

func (m OrderModel) tabs(ctx context.Context) []ui.Tab {
	var tabs []ui.Tab
	for _, view := range []string{ViewReceipt, ViewStandard, ViewOriginal} {
		tabs = append(tabs, ui.Tab{Label: i18n.T(ctx, "orders.view."+view), Href: m.viewURL(view), Current: m.View == view,
			Attrs: templ.Attributes{"hx-get": m.documentURL(view), "hx-target": "#documents", "hx-swap": "outerHTML", "hx-push-url": m.viewURL(view)}})
	}
	return tabs
}

// panelButtons lead on; what changes something is on the page.
func (m OrderModel) panelButtons(ctx context.Context) []ui.Btn {
	open := ui.Btn{Label: i18n.T(ctx, "orders.open"), Href: m.Path()}
	switch {
	case m.Receipt.stored():
		return []ui.Btn{{Label: i18n.T(ctx, "orders.download"), Icon: "download", Href: m.receiptURL() + "?download=1"}, open}
	case m.Reviewable:
		return []ui.Btn{{Label: i18n.T(ctx, "orders.review"), Icon: "scan-eye", Href: m.ReviewPath}, open}
	default:
		return []ui.Btn{open}
	}
}

func (m OrderModel) panelFacts(ctx context.Context) []ui.Fact {
	var facts []ui.Fact
	if m.Lane != nil && !m.undecided() {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "orders.lane.next"), Part: ui.DueTime(m.Lane.NextLook, m.Now)})
	}
	if m.Lane != nil && !m.undecided() && !m.Lane.NoEcho {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "orders.evidence.scans"), Value: i18n.T(ctx, "orders.lane.progress", "n", m.Lane.CleanScans, "needed", m.Lane.NeededScans)})
	}
	facts = append(facts, ui.Fact{Label: i18n.T(ctx, "orders.fact.id_number"), Part: IDNumber(m)})
	if m.ImageCode != "" {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "orders.fact.image_code"), Part: imageCode(m.ImageCode)})
	}
	return append(facts,
		ui.Fact{Label: i18n.T(ctx, "orders.fact.batch"), Part: ui.Link(m.BatchName, m.batchPath())},
		ui.Fact{Label: i18n.T(ctx, "orders.fact.cost"), Value: m.cost(ctx)})
}

// recent is the last events of all, the newest first.
func (m OrderModel) recent() []Event {
	var all []Event
	for _, a := range m.Attempts {
		all = append(all, a.Events...)
	}
	all = append(all, m.Events...)
	slices.SortStableFunc(all, func(a, b Event) int { return b.At.Compare(a.At) })
	return all[:min(len(all), 8)]
}
