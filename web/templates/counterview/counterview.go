// Package counterview has the pages of the counter: the one screen on which a clerk serves one customer, the slip that
// the customer takes along, and the page on the customer's own phone that the slip leads to.
//
// The screen is one body that comes anew whenever something changed (see web/src/counter.ts); only what the clerk is
// typing, and what is still on its way up, belongs to the browser.
package counterview

import (
	"context"
	"strings"
	"time"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/batchview"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/reviewview"
	"huizhi/web/templates/ui"
)

// Model is the screen.
type Model struct {
	Desk      Desk
	Set       bool   // the desk was set up once
	Customer  string // id; "" while nothing was taken of the next one
	Own       bool   // the customer's type and city are those of the desk
	Type      string
	City      string
	Simulate  bool
	Places    []Place
	Verdict   Verdict
	Photo     reviewview.Photo
	Form      Form
	Done      *Slip // what was submitted; nil before
	OrderHref string
	State     ui.Badge // of a submitted order
	Problem   string   // why it needs a person again, in plain words
	FixHref   string
	Receipt   string // address of the receipt once it is there
	Visits    []Visit
	Waiting   int // customers who have not been submitted
}

// Desk is what the counter is set to, and what it can be set to.
type Desk struct {
	TypeID    string
	Simulate  bool
	Simulated bool // everything is a rehearsal anyway
	Types     []ui.Option
	Cities    batchview.CitiesModel
}

// Place is where a picture is dropped.
type Place struct {
	Name     string // "photo", "front", "back"
	Key      string // that opens its picker
	Label    string
	Hint     string // while it is empty
	Optional bool
	Picture  string // address, "" while there is none
	Reading  bool
	Tone     ui.Tone
	Status   string // in a few words: 已读出
	Problem  string // what is wrong and what to do
	Right    string // label of the button that puts the picture where it belongs, or ""
	Insist   string // label of the button that says it is what the place is for, or ""
}

// Verdict is the check of the photo in plain words.
type Verdict struct {
	Tone   ui.Tone
	Title  string
	Advice []string
}

// Form is the customer's fields and the one button.
type Form struct {
	Customer string
	Version  int64
	Name     string
	Groups   []reviewview.Group
	Reading  bool // a card is being read: its fields are on their way
	Editable bool
	Ordered  bool // there is an order, which has room for what the provider asks for besides
	Refusal  reviewview.Refusal
	Conflict bool
	Problem  string // why it was not submitted
	Derived  string // what the number says by itself
	Points   int64
	Fen      int64
	Rehearse bool
	Usual    string
	Waits    string // why it cannot be submitted yet; "" if it can
	Short    *ui.NoteView
	Low      *ui.NoteView
	Usable   templ.Component // says that the person has a usable receipt already; nil if not
	Paused   bool            // nothing is sent at the moment: it will wait
}

// Visit is a customer in the line at the bottom.
type Visit struct {
	ID      string
	Order   string // id, "" before there is one
	Name    string // masked
	Thumb   string
	At      time.Time
	Badge   ui.Badge
	Current bool
	Waiting bool
	Trouble bool   // came back from the provider: needs a person
	Receipt string // address, once it is there
}

func (v Visit) href() string { return "/counter?customer=" + v.ID }

// Slip is what the customer takes along.
type Slip struct {
	Customer string
	Shop     string
	Name     string // masked
	Order    string
	Type     string
	City     string
	At       time.Time
	Clerk    string
	Simulate bool
	Address  string // of the customer's own page
	Usual    string
}

// Follow is the customer's own page.
type Follow struct {
	Token    string
	Shop     string
	Name     string // masked
	Order    string
	Type     string
	City     string
	Simulate bool
	Steps    []Step
	Title    string // where it stands, in a sentence
	Text     string
	Tone     ui.Tone
	Open     bool // something may still change
	Receipt  bool
	Photo    bool
	Until    time.Time // the address is good until then; zero while it is open
	Usual    string
}

// Step is one of the way of an order.
type Step struct {
	Label   string
	At      time.Time
	Done    bool
	Current bool
	Failed  bool
}

func address(customer, below string) string { return "/counter/" + customer + below }

func (m Model) place(name string) Place {
	for _, p := range m.Places {
		if p.Name == name {
			return p
		}
	}
	return Place{}
}

func cityName(city string) string {
	_, name, ok := strings.Cut(city, ",")
	if !ok {
		return city
	}
	return name
}

func placeIcon(name string) string {
	if name == "photo" {
		return "square-user"
	}
	return "id-card"
}

func submitLabel(ctx context.Context, f Form) string {
	if f.Rehearse {
		return i18n.T(ctx, "counter.submit.rehearse")
	}
	return i18n.T(ctx, "counter.submit", "points", i18n.Points(ctx, f.Points), "money", i18n.Money(f.Fen))
}

func placeState(p Place) string {
	switch {
	case p.Reading:
		return "reading"
	case p.Problem != "":
		return "problem"
	case p.Picture != "":
		return "full"
	default:
		return "empty"
	}
}

func head(ctx context.Context) layout.Head {
	key := func(keys, does string) layout.Key {
		return layout.Key{Keys: keys, Does: i18n.T(ctx, "counter.key."+does)}
	}
	return layout.Head{Title: i18n.T(ctx, "counter.title"), Keys: []layout.Key{
		key("Ctrl Enter", "submit"), key("1 2 3", "pick"), key("Ctrl V", "paste"), key("C", "camera"), key("W", "right"),
		key("Esc", "next"), key("Z", "back"), key("P", "print"), key("S", "slip"), key("T", "desk"), key("M", "mute"),
	}}
}

// printAttrs make a link print what it leads to; customer is named when that is the receipt.
func printAttrs(key, customer string) templ.Attributes {
	a := templ.Attributes{"target": "_blank", "rel": "noopener", "data-print": true, "data-key": key}
	if customer != "" {
		a["data-print-receipt"] = customer
	}
	return a
}

// texts are the words that the script of the page needs.
func texts(ctx context.Context) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"sending", "offline", "failed", "signed_out", "ready", "trouble", "left", "not_image", "too_large", "no_camera"} {
		out[name] = i18n.T(ctx, "counter.script."+name)
	}
	return out
}
