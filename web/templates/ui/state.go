package ui

import (
	"context"
	"strings"

	"huizhi/internal/i18n"
)

// Badge is a state: an icon and a word on the tint of its tone.
type Badge struct {
	Tone Tone
	Icon string
	Word string
	// Plain drops the tint, for title lines and dense tables.
	Plain bool
	// Live turns the icon while the thing is moving and the page hears of it.
	Live bool
}

// OrderBadge is the badge of an order status ("needs_decision"), of "photo_problem", or of "test".
func OrderBadge(ctx context.Context, status string) Badge {
	b := badges[status]
	b.Word = i18n.T(ctx, "orders.status."+status)
	return b
}

// InvoiceBadge is the badge of an invoice status: draft, reviewed, finalized, sent, partly_paid,
// overdue, paid, void, uncollectible.
func InvoiceBadge(ctx context.Context, status string) Badge {
	b := invoiceBadges[status]
	b.Word = i18n.T(ctx, "ui.invoice."+status)
	return b
}

// Counted is the badge with a count after its word: 待核对 12.
func (b Badge) Counted(n int) Badge {
	b.Word += " " + i18n.Count(int64(n))
	return b
}

// Worded is the badge with another word: 上传中 62%.
func (b Badge) Worded(word string) Badge {
	b.Word = word
	return b
}

// icon names the badge's icon; one that is not known shows as a plain circle.
func (b Badge) icon() string {
	if b.Icon == "" {
		return "circle"
	}
	return b.Icon
}

func (b Badge) class() string {
	c := []string{"state"}
	if tone := b.Tone.class(); tone != "" {
		c = append(c, tone)
	}
	if b.Plain {
		c = append(c, "state-plain")
	}
	if b.Live {
		c = append(c, "state-live")
	}
	return strings.Join(c, " ")
}

// badges is the order of the colours on screen: ready is grey, because green means that a receipt exists.
var badges = map[string]Badge{
	"draft":          {Tone: Grey, Icon: "circle-dashed"},
	"recognizing":    {Tone: Run, Icon: "scan-text"},
	"review":         {Tone: Wait, Icon: "circle-alert"},
	"photo_problem":  {Tone: Wait, Icon: "scan-face"},
	"ready":          {Tone: Grey, Icon: "check"},
	"queued":         {Tone: Run, Icon: "clock"},
	"dispatching":    {Tone: Run, Icon: "send-horizontal"},
	"accepted":       {Tone: Run, Icon: "loader-circle"},
	"processing":     {Tone: Run, Icon: "loader-circle"},
	"submitted":      {Tone: Run, Icon: "loader-circle"},
	"completed":      {Tone: Done, Icon: "circle-check"},
	"failed":         {Tone: Fail, Icon: "circle-x"},
	"rejected":       {Tone: Fail, Icon: "undo-2"},
	"unknown":        {Tone: Wait, Icon: "circle-question-mark"},
	"needs_decision": {Tone: Wait, Icon: "split"},
	"cancelled":      {Tone: Grey, Icon: "ban"},
	"test":           {Tone: Test, Icon: "flask-conical"},
}

var invoiceBadges = map[string]Badge{
	"draft":         {Tone: Grey, Icon: "circle-dashed"},
	"reviewed":      {Tone: Run, Icon: "check"},
	"finalized":     {Tone: Run, Icon: "file-check"},
	"partly_paid":   {Tone: Wait, Icon: "coins"},
	"uncollectible": {Icon: "ban"},
	"sent":          {Tone: Run, Icon: "send-horizontal"},
	"paid":          {Tone: Done, Icon: "circle-check"},
	"overdue":       {Tone: Fail, Icon: "clock-alert"},
	"void":          {Tone: Grey, Icon: "ban"},
}
