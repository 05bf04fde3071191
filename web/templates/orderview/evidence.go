package orderview

import (
	"context"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Evidence is what is on record about an attempt, masked: it can be shown to the provider.
type Evidence struct {
	Sent  []Value // the request in the provider's own names
	Lines []EvidenceLine
	// ProviderTimes are the provider's texts, whose zone nobody promises: submitted, begun, finished.
	ProviderTimes []string
}

// EvidenceLine is one thing that happened, to the second.
type EvidenceLine struct {
	At   time.Time
	Kind string // intent, call, callback, fetch, scan, end
	// Of a call: what was called, how many applications it was about (of a list: at most), what came of it.
	Op, Outcome, Answer, Message string
	Code, HTTPStatus, Items      int
	Took                         time.Duration
	Detail                       map[string]string // of an event
	Unmarked                     bool              // of an intent: no reference of ours was sent
}

var evidenceIcons = map[string]string{"intent": "file-check", "call": "upload", "callback": "bell", "fetch": "image-down", "scan": "search", "end": "check"}

func (l EvidenceLine) icon() string {
	if l.Kind == "call" && l.Op != "submit" {
		return "refresh-cw"
	}
	return evidenceIcons[l.Kind]
}

// what names the line: 提交请求, 查询（和 38 笔一起）, 回调.
func (l EvidenceLine) what(ctx context.Context) string {
	if l.Kind != "call" {
		return i18n.T(ctx, "orders.evidence.line."+l.Kind)
	}
	op := i18n.T(ctx, "provider.op."+l.Op)
	if l.Op == "batch_query" && l.Items > 1 {
		op += i18n.T(ctx, "orders.evidence.together", "n", l.Items)
	}
	return op
}

// result says what came of it.
func (l EvidenceLine) result(ctx context.Context) string {
	switch l.Kind {
	case "intent":
		if l.Unmarked {
			return i18n.T(ctx, "orders.evidence.intent_plain")
		}
		return i18n.T(ctx, "orders.evidence.intent_text")
	case "callback":
		return i18n.T(ctx, "orders.evidence.callback_text", "claims", claimWord(ctx, l.Detail["claims"]))
	case "fetch":
		return i18n.T(ctx, "orders.evidence.fetch_text")
	case "scan":
		if l.Detail["clean"] == "true" {
			return i18n.T(ctx, "orders.event_text.scanned_clean", "n", l.Detail["scan"])
		}
		return i18n.T(ctx, "orders.event_text.scanned_unclear", "n", l.Detail["scan"])
	case "end":
		return ""
	}
	if key := "orders.evidence.answer." + l.Answer; i18n.Has(key) {
		return i18n.T(ctx, key)
	}
	return statusWord(ctx, l.Answer)
}

// claimWord is what a callback claims; it is not believed, only queried.
func claimWord(ctx context.Context, claims string) string {
	switch claims {
	case "":
		return i18n.T(ctx, "orders.evidence.claims.nothing")
	case "unreadable", "other":
		return i18n.T(ctx, "orders.evidence.claims."+claims)
	default:
		return statusWord(ctx, claims)
	}
}

// technical are the figures of a call: 38 毫秒, HTTP 504, 代码 2002.
func (l EvidenceLine) technical(ctx context.Context) []string {
	if l.Kind != "call" {
		return nil
	}
	parts := []string{took(ctx, l.Took)}
	if l.HTTPStatus != 0 {
		parts = append(parts, "HTTP "+strconv.Itoa(l.HTTPStatus))
	}
	if l.Code != 0 {
		parts = append(parts, i18n.T(ctx, "orders.evidence.code", "n", strconv.Itoa(l.Code)))
	}
	if l.Message != "" {
		parts = append(parts, l.Message)
	}
	return parts
}

// took says how long a call over the network took.
func took(ctx context.Context, d time.Duration) string {
	if d < time.Second {
		return i18n.T(ctx, "orders.evidence.ms", "n", max(1, d.Milliseconds()))
	}
	return i18n.Duration(ctx, d)
}

// bad marks what did not end well.
func (l EvidenceLine) bad() bool {
	return l.Kind == "call" && l.Outcome != "ok"
}

func (e *Evidence) sent() []ui.Fact {
	facts := make([]ui.Fact, len(e.Sent))
	for i, v := range e.Sent {
		facts[i] = ui.Fact{Label: v.Label, Value: v.Value}
	}
	return facts
}

// times are the provider's own words for when; empty ones are left out.
func (e *Evidence) times(ctx context.Context) []ui.Fact {
	keys := []string{"orders.evidence.provider_submitted", "orders.evidence.provider_began", "orders.evidence.provider_done"}
	var facts []ui.Fact
	for i, t := range e.ProviderTimes {
		if strings.TrimSpace(t) != "" {
			facts = append(facts, ui.Fact{Label: i18n.T(ctx, keys[i]), Value: t})
		}
	}
	return facts
}
