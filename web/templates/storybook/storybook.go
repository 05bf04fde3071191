// Package storybook is a page for developers with every component in every state, in both themes. What is on it is
// invented and not translated; it is the sheet that the look of the product is judged by, and tests render it to hold
// every component to the content security policy.
package storybook

import (
	"context"
	"strconv"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// now is when the sheet was drawn, so that two renderings are the same.
var now = time.Date(2026, 11, 20, 6, 41, 30, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// sheet is one rendering of all components. Its prefix keeps ids apart when there are two on a page.
type sheet struct{ prefix, theme string }

func (s sheet) id(name string) string { return s.prefix + name }

var orderStates = [][]string{
	{"draft", "ready", "cancelled"},
	{"recognizing", "queued", "dispatching", "accepted", "processing", "submitted"},
	{"review", "photo_problem", "unknown", "needs_decision"},
	{"completed", "failed", "rejected", "test"},
}

var invoiceStates = []string{"draft", "reviewed", "finalized", "sent", "partly_paid", "overdue", "paid", "void", "uncollectible"}

// swatch is a colour of the theme.
type swatch struct{ name, class string }

var swatches = []swatch{
	{"base-100", "bg-base-100"}, {"base-200", "bg-base-200"}, {"base-300", "bg-base-300"}, {"line", "bg-line"},
	{"line-strong", "bg-line-strong"}, {"field", "bg-field"}, {"muted", "bg-muted"}, {"base-content", "bg-base-content"},
	{"primary", "bg-primary"}, {"accent", "bg-accent"}, {"info", "bg-info"}, {"warning", "bg-warning"},
	{"success", "bg-success"}, {"error", "bg-error"}, {"test", "bg-test"}, {"selected", "bg-selected"},
}

// row is an invented order.
type row struct {
	name, idNumber, kind, status string
	fen                          int64
	updated                      time.Duration
}

var rows = []row{
	{"陈雨桐", "440305********2045", "居住证 · 深圳市", "completed", 500, time.Minute},
	{"梁志豪", "440306********1130", "居住证 · 深圳市", "processing", 0, 3 * time.Minute},
	{"郑凯文", "440604********253X", "社会保障卡 · 佛山市", "rejected", 0, 26 * time.Minute},
}

var columns = []ui.Col{
	{Label: "办理人"}, {Label: "身份证号"}, {Label: "类型 · 地区"}, {Label: "金额", Num: true, Sort: "#", Dir: "descending"},
	{Label: "状态"}, {Label: "更新", Num: true, Sort: "#"},
}

func steps() []ui.Step {
	return []ui.Step{
		{Label: "上传", Note: "64", Icon: "upload", Tone: ui.Done, Href: "#"},
		{Label: "识别", Note: "41 / 46", Icon: "scan-text", Tone: ui.Run, Href: "#"},
		{Label: "核对", Note: "9 待看", Icon: "scan-eye", Tone: ui.Wait, Href: "#", Current: true},
		{Label: "提交", Note: "29 可提交", Icon: "send-horizontal", Href: "#"},
		{Label: "回执", Note: "0", Icon: "file-check", Href: "#"},
	}
}

var perDay = []int64{29, 61, 58, 71, 66, 74, 38, 33, 69, 70, 80, 77, 72, 53, 40, 83, 91, 92, 79, 48}

var lastMonth = []int64{
	37, 41, 23, 19, 42, 46, 39, 79, 86, 36, 40, 67, 74, 82, 69, 77, 42, 35, 80, 81, 59, 65, 54, 30, 34, 56, 62, 69, 58, 64,
}

func chart(ctx context.Context) ui.ChartView {
	v := ui.ChartView{Label: "11 月每天的回执数。最多 18 日 92 个，最少 1 日 29 个。", Compare: lastMonth}
	for day := range 30 {
		b := ui.Bar{}
		if day == 0 || day%5 == 4 {
			b.Label = strconv.Itoa(day+1) + " 日"
		}
		if day < len(perDay) {
			b.Value = perDay[day]
			b.Tip = "11 月 " + strconv.Itoa(day+1) + " 日，" + i18n.Count(perDay[day]) + " 个，" + i18n.Money(perDay[day]*500)
			b.Current = day == len(perDay)-1
		}
		v.Bars = append(v.Bars, b)
	}
	return v
}

func ptr(b ui.Badge) *ui.Badge { return &b }

const minute, hour = time.Minute, time.Hour

func plain(ctx context.Context, status string) ui.Badge {
	b := ui.OrderBadge(ctx, status)
	b.Plain = true
	b.Live = status == "processing"
	return b
}
