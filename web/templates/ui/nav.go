package ui

import (
	"time"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
)

// Tab is one of several views of the same thing; each has its own address.
type Tab struct {
	Label   string
	Href    string
	Count   string // after the label: "1,284"
	Current bool
	Attrs   templ.Attributes
}

// Chip is a filter above a list; filters live in the address, so each is a link.
type Chip struct {
	Label  string
	Count  string
	Href   string
	On     bool
	Remove bool // a condition that pressing takes away
	Add    bool // an open condition, with a dashed edge
	Attrs  templ.Attributes
}

// Step is one of the steps of a batch: links to parts of the page, not a wizard.
type Step struct {
	Label   string
	Note    string // 41 / 46, 9 待看
	Icon    string
	Tone    Tone // Run and Wait colour the icon, Done shows a tick
	Href    string
	Current bool
	Attrs   templ.Attributes
}

func (s Step) icon() string {
	if s.Tone == Done {
		return "circle-check"
	}
	return s.Icon
}

// Stage is a station on the way of a document: 草稿 → 已开出 → 已发送 → 已收款.
type Stage struct {
	Label   string
	Note    string // when it was reached
	Reached bool
	Current bool // the last one reached, when the way goes on
}

// EventView is an entry of a Timeline.
type EventView struct {
	ID    string // where the page refreshes itself, so that it stays this event; "" for none
	Icon  string
	Tone  Tone
	Title string
	Text  string
	At    time.Time
	// Facts are what proves it, folded away until asked for.
	Facts []Fact
	Open  bool
	Live  bool // still going on
}

// PagerView is the foot of a list that is paged by key: there is a next page or there is not, and no page numbers.
type PagerView struct {
	Text  string // 第 1–50 条，共 1,284 条
	Prev  string // address, empty when there is none
	Next  string
	Attrs templ.Attributes // on both links: hx-get is taken from href when hx-boost is set
}

func eventIcon(v EventView) string {
	c := "size-4 " + v.Tone.text()
	if v.Live {
		c += " icon-live"
	}
	return c
}

// clock is the time of an event to the second; its day is in the title or in the head above.
func clock(t time.Time) string { return t.In(i18n.Zone()).Format("15:04:05") }

// orHash keeps a disabled link a link.
func orHash(href string) string {
	if href == "" {
		return "#"
	}
	return href
}
