// Package validityview has the receipts that a tenant holds, by their last day: the list, the table that the days come
// from, and what an order's page and the question before submitting say of them.
//
// No authority publishes these days, so wherever one is shown, its basis is too: Until carries both, and only its own
// components draw it.
package validityview

import (
	"context"
	"strings"
	"time"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Base is the address of the list.
const Base = "/receipts/validity"

// RulesURL is the address of the table.
const RulesURL = Base + "/rules"

// Until is the last day of a receipt and what it rests on.
type Until struct {
	Day    time.Time // a date
	Left   int       // days on which it can still be used, today included; 0 or less: used up
	Soon   bool      // it can be used, not for long
	ByHand bool      // somebody read the day on the receipt
	Rule   Rule      // the row of the table otherwise
}

// Rule is a row of the table.
type Rule struct {
	Name       string // its anchor
	Documents  string // "身份证、出入境证件", or all
	City       string // "深圳市", or everywhere
	Days       int
	Confidence string // "high", "medium" or "low"
	Note       string
	Sources    []Source
	Reuse      string // other documents that it is said to serve, or ""
	ReuseLevel string // how far that can be believed
	ReuseFrom  []Source
	Months     int  // how old a photo may be that is used again
	Strict     bool // an older one is not allowed
	PhotoFrom  []Source
}

// Source is a page that says so.
type Source struct{ Host, URL, Published, Seen string }

// text is the source in a few words: m.dqbk.net, 2025-01-11.
func (s Source) text(ctx context.Context) string {
	if s.Published == "" {
		return s.Host + i18n.T(ctx, "validity.source.undated", "seen", s.Seen)
	}
	return s.Host + i18n.T(ctx, "validity.source.dated", "day", s.Published)
}

// Basis is what the day rests on, in a sentence, for the tip over it.
func (u Until) Basis(ctx context.Context) string {
	if u.ByHand {
		return i18n.T(ctx, "validity.basis.hand")
	}
	texts := make([]string, len(u.Rule.Sources))
	for i, s := range u.Rule.Sources {
		texts[i] = s.text(ctx)
	}
	return i18n.T(ctx, "validity.basis", "days", u.Rule.Days, "confidence", i18n.T(ctx, "validity.confidence."+u.Rule.Confidence), "sources", strings.Join(texts, i18n.T(ctx, "validity.list_comma")))
}

// badge counts down.
func (u Until) badge(ctx context.Context) ui.Badge {
	switch {
	case u.Left < 0:
		return ui.Badge{Tone: ui.Grey, Icon: "clock-alert", Word: i18n.T(ctx, "validity.expired_for", "n", -u.Left)}
	case u.Left == 0:
		return ui.Badge{Tone: ui.Grey, Icon: "clock-alert", Word: i18n.T(ctx, "validity.expired_today")}
	case u.Left == 1:
		return ui.Badge{Tone: ui.Fail, Icon: "clock-alert", Word: i18n.T(ctx, "validity.last_day")}
	case u.Soon:
		return ui.Badge{Tone: ui.Wait, Icon: "clock", Word: i18n.T(ctx, "validity.left", "n", u.Left)}
	default:
		return ui.Badge{Tone: ui.Done, Icon: "circle-check", Word: i18n.T(ctx, "validity.left", "n", u.Left)}
	}
}

func (u Until) ruleURL() string { return RulesURL + "#" + u.Rule.Name }

// Row is a receipt in the list.
type Row struct {
	ID, Number        string
	Href              string
	Photo             string // address of the thumbnail, or ""
	Name, MaskedID    string
	TypeName, City    string
	Until             Until
	Renewed           string // number of the order that renews it, or ""
	RenewedHref       string
	RenewedBadge      ui.Badge
	CompletedAt       time.Time
	SelectableRenewal bool // it can be chosen for renewal
}

// ListModel is a page of the list.
type ListModel struct {
	Shelf    string
	Searched string // the name that was searched for
	Chips    []ui.Chip
	Rows     []Row
	More     bool
	Pager    ui.PagerView
	Batches  []ui.Option // that a renewal may go into, beside a new one
	Any      bool        // the tenant has receipts at all
}

func (m ListModel) csvURL() string {
	if m.Shelf == "" {
		return Base + ".csv"
	}
	return Base + ".csv?shelf=" + m.Shelf
}

// ResultModel says what became of receipts that were to be renewed.
type ResultModel struct {
	Rows  []ResultRow
	Made  int
	Batch []ui.Btn // the batches that got orders
}

// ResultRow is one of them.
type ResultRow struct {
	Name, Number string
	Href         string // of the order that renews it, or of the former one
	Badge        ui.Badge
	Text         string
}

// PartModel is what an order's page says of its receipt.
type PartModel struct {
	Order       string // id
	Until       Until
	Renewed     string // number of the order that renews it, or ""
	RenewedHref string
	Renews      string // number of the order that this one renews, or ""
	RenewsHref  string
	Has         bool            // the order has a receipt that can be used
	Usable      templ.Component // before it is sent: the person has a usable receipt; nil if not
}

// UsableModel is the warning that people have a usable receipt already.
type UsableModel struct {
	Orders int    // that are to be submitted
	Saves  string // what leaving them out saves
	Rows   []UsableRow
}

// UsableRow is one of them.
type UsableRow struct {
	Name, TypeName, Number string
	Href                   string
	Until                  Until
	Served                 bool // of another type, which is said to serve
}

// usableShown bounds the list in the question.
const usableShown = 5

func (m UsableModel) shown() []UsableRow { return m.Rows[:min(len(m.Rows), usableShown)] }

// until is the latest day of a single receipt, for the title.
func (m UsableModel) title(ctx context.Context) string {
	if len(m.Rows) == 1 && m.Orders <= 1 {
		return i18n.T(ctx, "validity.usable.one", "day", i18n.Date(ctx, m.Rows[0].Until.Day))
	}
	return i18n.T(ctx, "validity.usable.title", "n", len(m.Rows), "of", m.Orders)
}
