// Package homeview has the first page after sign-in: what needs a person, the newest batches, and the month's figures;
// for a new tenant, how to begin.
package homeview

import (
	"context"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Model is the page.
type Model struct {
	Now       time.Time
	Groups    []Group
	Batches   templ.Component // nil for a tenant without any
	Month     *Month          // nil for those who do not see money
	SampleURL string          // a ZIP to try with, or ""
	Low       *ui.NoteView    // the wallet runs out; nil when it does not
	Expiring  *ui.NoteView    // receipts end soon; nil when none does
}

// Group is orders that need a person for the same reason.
type Group struct {
	Badge ui.Badge
	Count int64
	Meta  string // what we know and do about it
	Link  string
	Href  string
	Items []Item
}

// Item is one of them.
type Item struct {
	Href       string
	Photo      string // address of the thumbnail, or ""
	Name       string
	Type, City string
	Reason     string
	At         time.Time
}

// Month is the running month of account.
type Month struct {
	Title, Href      string
	Receipts, Before int64 // Before: the month before up to the same time
	Points, Fen      int64
	Days             []ui.Bar
}

// change compares with the month before: 比上月同期多 182 个.
func (m Month) change(ctx context.Context) string {
	switch d := m.Receipts - m.Before; {
	case m.Before == 0:
		return ""
	case d > 0:
		return i18n.T(ctx, "home.month.more", "n", d, "share", i18n.Percent(float64(d)/float64(m.Before)))
	case d < 0:
		return i18n.T(ctx, "home.month.less", "n", -d, "share", i18n.Percent(float64(-d)/float64(m.Before)))
	default:
		return i18n.T(ctx, "home.month.same")
	}
}

func (m Month) chart(ctx context.Context) ui.ChartView {
	return ui.ChartView{Label: i18n.T(ctx, "home.month.chart", "n", m.Receipts), Bars: m.Days}
}

// axis names the first day, today and the last one under the chart.
func (m Month) axis() (first, last string) { return "1", strconv.Itoa(len(m.Days)) }

func steps(ctx context.Context) []step {
	return []step{
		{"folder-plus", i18n.T(ctx, "home.start.1"), i18n.T(ctx, "home.start.1.text")},
		{"upload", i18n.T(ctx, "home.start.2"), i18n.T(ctx, "home.start.2.text")},
		{"send-horizontal", i18n.T(ctx, "home.start.3"), i18n.T(ctx, "home.start.3.text")},
	}
}

// step is one of the three that a newcomer takes.
type step struct{ icon, title, text string }

func personOr(ctx context.Context, name string) string {
	if name == "" {
		return i18n.T(ctx, "batches.nameless")
	}
	return name
}
