package orderview

import (
	"context"
	"strings"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// look is how a kind of event is drawn.
type look struct {
	icon string
	tone ui.Tone
}

var looks = map[string]look{
	"created":         {"image-plus", ui.Grey},
	"paired":          {"link", ui.Grey},
	"matched":         {"users", ui.Grey},
	"unmatched":       {"unlink", ui.Grey},
	"edited":          {"pencil", ui.Grey},
	"photo_replaced":  {"image-up", ui.Grey},
	"renewed":         {"refresh-cw", ui.Grey},
	"validity":        {"pencil", ui.Grey},
	"confirmed":       {"check", ui.Grey},
	"reopened":        {"rotate-ccw", ui.Grey},
	"queued":          {"send-horizontal", ui.Grey},
	"dispatched":      {"upload", ui.Grey},
	"accepted":        {"file-check", ui.Grey},
	"rejected":        {"undo-2", ui.Fail},
	"not_sent":        {"cloud-off", ui.Wait},
	"unknown":         {"circle-question-mark", ui.Wait},
	"scanned":         {"search", ui.Grey},
	"found":           {"search-check", ui.Grey},
	"absent":          {"search-x", ui.Grey},
	"needs_decision":  {"split", ui.Wait},
	"decided":         {"user-check", ui.Grey},
	"photo_fetched":   {"image-down", ui.Grey},
	"callback":        {"bell", ui.Grey},
	"upstream_status": {"loader-circle", ui.Run},
	"completed":       {"circle-check", ui.Done},
	"charged":         {"receipt-text", ui.Grey},
	"failed":          {"circle-x", ui.Fail},
	"received":        {"file-down", ui.Done},
	"fetch_failed":    {"file-x", ui.Fail},
	"cancelled":       {"ban", ui.Grey},
	"revealed":        {"eye", ui.Grey},
}

// view words an event.
func (e Event) view(ctx context.Context) ui.EventView {
	l, ok := looks[e.Kind]
	if !ok {
		l.icon = "circle"
	}
	return ui.EventView{Icon: l.icon, Tone: l.tone, Title: e.title(ctx), Text: e.text(ctx), At: e.At}
}

func (e Event) title(ctx context.Context) string {
	title := i18n.T(ctx, "orders.event."+e.Kind)
	if e.Kind == "upstream_status" {
		title = i18n.T(ctx, "orders.event.upstream", "status", statusWord(ctx, e.Detail["status"]))
	}
	if e.N > 1 {
		title = i18n.T(ctx, "orders.event.times", "what", title, "n", e.N)
	}
	return title
}

// text is the sentence below the title. A sentence with "who" begins with the
// member's name.
func (e Event) text(ctx context.Context) string {
	d := e.Detail
	switch e.Kind {
	case "queued":
		switch {
		case e.Again:
			return i18n.T(ctx, "orders.event_text.queued_again")
		case e.Program:
			return i18n.T(ctx, "orders.event_text.queued_program")
		}
		return e.by(ctx, "orders.event_text.queued")
	case "created":
		if e.Program {
			return e.by(ctx, "orders.event_text.created_program")
		}
		if d["renews"] != "" {
			return e.by(ctx, "orders.event_text.created_renewal", "number", d["renews"])
		}
		return i18n.T(ctx, "orders.event_text.created")
	case "paired":
		return i18n.T(ctx, "orders.event_text.paired."+d["by"])
	case "matched":
		if d["by"] == "hand" {
			return e.by(ctx, "orders.event_text.matched.hand")
		}
		return i18n.T(ctx, "orders.event_text.matched."+d["by"])
	case "edited":
		return e.by(ctx, "orders.event_text.edited", "fields", fieldWords(ctx, d["fields"]))
	case "confirmed":
		switch {
		case d["forced"] == "true":
			return e.by(ctx, "orders.event_text.confirmed_forced")
		case d["bulk"] == "true":
			return e.by(ctx, "orders.event_text.confirmed_bulk")
		default:
			return e.by(ctx, "orders.event_text.confirmed")
		}
	case "reopened", "cancelled", "unmatched", "photo_replaced", "revealed":
		return e.by(ctx, "orders.event_text."+e.Kind)
	case "renewed":
		return e.by(ctx, "orders.event_text.renewed", "number", d["number"])
	case "validity":
		return e.by(ctx, "orders.event_text.validity", "day", d["day"])
	case "accepted", "found":
		return i18n.T(ctx, "orders.event_text."+e.Kind, "no", d["application_no"])
	case "rejected", "not_sent":
		return errorWords(ctx, d["error"])
	case "unknown":
		if e.Unmarked {
			return lostWords(ctx, d["error"]) + i18n.T(ctx, "orders.event_text.unknown_plain")
		}
		return lostWords(ctx, d["error"]) + i18n.T(ctx, "orders.event_text.unknown")
	case "scanned":
		if d["clean"] == "true" {
			return i18n.T(ctx, "orders.event_text.scanned_clean", "n", d["scan"])
		}
		return i18n.T(ctx, "orders.event_text.scanned_unclear", "n", d["scan"])
	case "absent":
		if e.Actor != "" {
			return e.by(ctx, "orders.event_text.absent_decided")
		}
		return i18n.T(ctx, "orders.event_text.absent")
	case "decided":
		return e.by(ctx, "orders.event_text.decided."+d["decision"])
	case "upstream_status":
		return upstreamText(ctx, d["status"])
	case "completed":
		if d["image_code"] == "" {
			return i18n.T(ctx, "orders.event_text.completed_plain")
		}
		return i18n.T(ctx, "orders.event_text.completed", "code", d["image_code"])
	case "charged":
		return i18n.T(ctx, "orders.event_text.charged", "points", d["points"])
	case "failed":
		if i18n.Has(d["error"]) {
			return i18n.T(ctx, "orders.event_text.failed_ours", "said", d["message"], "why", i18n.T(ctx, d["error"]))
		}
		if i18n.Has(d["message"]) { // ours; else the provider's words
			return i18n.T(ctx, d["message"])
		}
		return d["message"]
	case "dispatched":
		if e.Unmarked {
			return i18n.T(ctx, "orders.event_text.dispatched_plain")
		}
		return i18n.T(ctx, "orders.event_text.dispatched")
	case "needs_decision":
		if d["cause"] == "no_reference" {
			return i18n.T(ctx, "orders.event_text.needs_decision_plain")
		}
		return i18n.T(ctx, "orders.event_text.needs_decision")
	case "photo_fetched", "callback", "received", "fetch_failed":
		return i18n.T(ctx, "orders.event_text."+e.Kind)
	}
	return ""
}

func (e Event) by(ctx context.Context, key string, args ...any) string {
	who := e.Actor
	if who == "" {
		who = i18n.T(ctx, "orders.actor.system")
	}
	return i18n.T(ctx, key, append(args, "who", who)...)
}

// statusWord is ours for a state of the provider; one that we do not know stays
// as it came.
func statusWord(ctx context.Context, status string) string {
	if key := "orders.upstream." + status; i18n.Has(key) {
		return i18n.T(ctx, key)
	}
	return status
}

func upstreamText(ctx context.Context, status string) string {
	if key := "orders.upstream_text." + status; i18n.Has(key) {
		return i18n.T(ctx, key)
	}
	return ""
}

// errorWords is the sentence for a provider's failure.
func errorWords(ctx context.Context, key string) string {
	if i18n.Has(key) {
		return i18n.T(ctx, key)
	}
	return i18n.T(ctx, "orders.event_text.no_answer")
}

// lostWords says how an answer was lost. What is being done about it belongs to the
// present, not to the history.
func lostWords(ctx context.Context, key string) string {
	switch key {
	case "provider.unknown":
		return i18n.T(ctx, "orders.event_text.no_answer")
	case "provider.interrupted":
		return i18n.T(ctx, "orders.event_text.interrupted")
	}
	return errorWords(ctx, key)
}

// fieldWords names the fields of an edit: 姓名、身份证号.
func fieldWords(ctx context.Context, names string) string {
	var words []string
	for _, name := range strings.Fields(names) {
		word := name
		if key := "orders.field." + name; i18n.Has(key) {
			word = i18n.T(ctx, key)
		}
		words = append(words, word)
	}
	return strings.Join(words, i18n.T(ctx, "orders.list_comma"))
}

// known is what we know of an order whose submit had no clear answer.
func (r LaneRow) known(ctx context.Context) string {
	if r.Waited < time.Second {
		return i18n.T(ctx, "orders.lane.broken", "time", i18n.Time(r.SentAt))
	}
	return i18n.T(ctx, "orders.lane.sent", "time", i18n.Time(r.SentAt), "waited", i18n.Duration(ctx, r.Waited))
}

// said is what the provider answered, where it did.
func (r LaneRow) said(ctx context.Context) string {
	switch r.ErrorKey {
	case "", "provider.unknown", "provider.interrupted":
		return ""
	}
	return errorWords(ctx, r.ErrorKey)
}

// doing is what happens without anybody's help.
func (r LaneRow) doing(ctx context.Context) string {
	switch {
	case r.NoEcho:
		return i18n.T(ctx, "orders.lane.no_list")
	case r.Scans == 0:
		return i18n.T(ctx, "orders.lane.waiting", "needed", r.NeededScans)
	case r.CleanScans == 0:
		return i18n.T(ctx, "orders.lane.unclear", "n", r.Scans)
	default:
		return i18n.T(ctx, "orders.lane.clean", "n", r.CleanScans)
	}
}

// undecided is why a person has to decide.
func (r LaneRow) undecided(ctx context.Context) string {
	if r.NoEcho {
		return i18n.T(ctx, "orders.lane.no_echo")
	}
	return i18n.T(ctx, "orders.lane.no_proof", "n", r.Scans)
}

// confirmName is what is typed before an order may be sent once more.
func (r LaneRow) confirmName() string { return r.title() }
