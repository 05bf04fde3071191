// Package reviewview has the pages on which a person compares what was read with the pictures: the grid, a row for each
// order, and the record, one order at a time with its photo measured. Both work by keyboard alone, and as plain forms.
//
// A field that changes is posted at once and its row or record comes back, checked anew. Confirming posts what is in
// the fields, too, so nothing depends on the first. web/src/review.ts moves the focus.
package reviewview

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Batch is what the pages say about the batch.
type Batch struct{ ID, Name, Type, City string }

// Kind is how a field is typed in.
type Kind string

// The kinds of fields.
const (
	Text   Kind = "text"
	Number Kind = "number" // an ID number
	Choice Kind = "choice"
	Date   Kind = "date"
)

// Field is a value that was read, beside the piece of the picture it was read from.
type Field struct {
	Name, Label string
	Hint        string // how to fill it in, in the provider's words
	Optional    bool
	Value       string
	Kind        Kind
	Options     []string // of a Choice
	Crop        string   // address of the piece of the picture, or ""
	Doubts      []Doubt
	Uncertain   []int   // places of characters of the value to compare with the picture
	Others      []Other // values to take instead, the likeliest first
	Agreed      string  // says who else has the same value; "" if nobody has
	NoLetters   bool    // Latin letters are no part of it, so that they can be shortcuts
	Error       string  // why the value was not taken
	Post        string  // where it is posted when it changes; "" is the order's own address
}

// Other is a value to take instead, with who says so.
type Other struct{ From, Value string }

// Offer adds another value, unless it is there already.
func (f *Field) Offer(from, value string) {
	if value != f.Value && !slices.ContainsFunc(f.Others, func(o Other) bool { return o.Value == value }) {
		f.Others = append(f.Others, Other{from, value})
	}
}

// marks are the places of characters of the value that are doubtful or not what
// another value has there.
func (f Field) marks() []int {
	at := slices.Clone(f.Uncertain)
	for _, o := range f.Others {
		if o.Value != "" {
			at = append(at, differences(o.Value, f.Value)...)
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// caret is the character to look at first: one of which the engine was not sure,
// or the first in which the likeliest other value differs.
func (f Field) caret() (int, bool) {
	at := f.Uncertain
	if len(at) == 0 && len(f.Others) > 0 {
		at = differences(f.Others[0].Value, f.Value)
	}
	if len(at) == 0 {
		return 0, false
	}
	return at[0], true
}

// Typed is what somebody filled in that was not taken, to be carried along.
type Typed struct{ Name, Value string }

// Exception is a reason to look, with the field that it is about; the field may
// be none of the record's, for what is to be seen on the pictures.
type Exception struct{ Text, Field string }

// Last is what can be undone, and where.
type Last struct {
	Action string
	Bulk   string // id of many at once
	Text   string
}

// Offer is a paid engine that could read the order's cards again.
type Offer struct {
	Engine, Name string
	Price        string // for all of the cards
}

func (o Offer) dialogID() string { return "reread-" + o.Engine }

// Doubt is a reason to look, in words.
type Doubt struct {
	Text string
	Tone ui.Tone
}

// Tone is the worst of the field's doubts.
func (f Field) tone() ui.Tone {
	if f.Error != "" {
		return ui.Fail
	}
	tone := ui.Grey
	for _, d := range f.Doubts {
		if d.Tone == ui.Fail {
			return ui.Fail
		}
		if d.Tone == ui.Wait {
			tone = ui.Wait
		}
	}
	return tone
}

// Refusal says why a confirmation was not accepted. CanForce offers to confirm all the same.
type Refusal struct {
	Reasons  []string
	CanForce bool
}

// Row is an order in the grid.
type Row struct {
	OrderID  string
	Version  int64
	Photo    string // address of the thumbnail
	Review   string // address of the record
	Name     Field
	Number   Field
	Further  []Field // what the provider asks for besides
	Others   []Doubt // about other fields, the pairing, the photo
	HeldBy   string  // who else is at the order; "" if nobody is
	Badge    ui.Badge
	Done     bool // confirmed: nothing more to do here
	Editable bool
	Refusal  Refusal
	Conflict bool // somebody else changed it; these are the new values
}

// Totals is the line of the grid that follows the work.
type Totals struct {
	BatchID string
	Total   int64
	Waiting int64
	Clean   int64
	Ready   int64
	Points  int64 // of all that can be submitted once the rest is confirmed
	Fen     int64
}

// GridModel is the grid.
type GridModel struct {
	Batch  Batch
	Rows   []Row
	Totals Totals
	Last   *Last
	Next   string // address of the next page, "" when there is none
}

// Record is one order, to be compared field by field.
type Record struct {
	Batch      Batch
	OrderID    string
	OrderHref  string
	Version    int64
	Name       string
	Badge      ui.Badge
	Groups     []Group
	Exceptions []Exception
	ReadBy     []string // names of the engines that read the cards
	Offers     []Offer
	Derived    string // what the number says by itself: 出生 1987 年 9 月 23 日，39 岁
	Photo      Photo
	Front      string // addresses of the pictures of the card, or ""
	Back       string
	Editable   bool
	Waiting    bool    // for review, that is
	Claim      string  // token of the person's claim, "" if they have none
	HeldBy     string  // who else is at it; "" if nobody is
	Typed      []Typed // what was not taken because of that
	Place      string  // in the queue, opaque
	Position   int64   // of this one, counted from 1
	Total      int64
	More       bool  // there are more than Total
	Left       int64 // that wait, this one included
	Pace       time.Duration
	Last       *Last
	Prev       string // ids of the orders before and after, "" at the ends
	Next       string
	Cards      []ui.Option // free cards of the batch, when this order has none
	Refusal    Refusal
	Conflict   bool
}

// Replace asks for another photo of an order.
type Replace struct {
	Batch   Batch
	OrderID string
	Name    string
	Photo   string // address of the present one's thumbnail
	Limit   int64  // bytes
	Error   string // why the last one was not taken
}

// hasCard tells that there is a card to read again or to take away.
func (m Record) hasCard() bool { return m.Editable && (m.Front != "" || m.Back != "") }

// replaceAttrs ask for the photo over the page.
func replaceAttrs(m Record) templ.Attributes {
	return templ.Attributes{"hx-get": orderPost(m.OrderID, "photo"), "hx-target": "#dialogs", "hx-swap": "innerHTML", "aria-haspopup": "dialog"}
}

// Group is the fields that stand side by side.
type Group struct {
	Title  string // "" for what is on the card
	Fields []Field
}

// columns lays the fields side by side; the authority needs more room than the dates.
func (g Group) columns() string {
	switch {
	case len(g.Fields) == 3 && g.Title == "" && g.Fields[0].Kind == Text:
		return "md:grid-cols-[minmax(0,1.5fr)_minmax(0,1fr)_minmax(0,1fr)]"
	case len(g.Fields) == 3:
		return "md:grid-cols-3"
	case g.Title != "" && len(g.Fields) > 1:
		return "md:grid-cols-2"
	default:
		return ""
	}
}

// cropHeight gives a picture of two lines, as addresses have, room for both.
func cropHeight(f Field) string {
	if f.Name == "address" {
		return "max-h-12"
	}
	return "max-h-8"
}

// Photo is the working copy with what was measured on it.
type Photo struct {
	URL               string // "" when there is none
	Width, Height     int    // px
	WidthMM, HeightMM float64
	FaceWidth         float64 // px; this and the next two are 0 when no face was found
	TopMargin         float64
	EyesToBottom      float64
	TopMin, TopMax    float64 // what the type asks for, px; 0 when it asks for nothing
	Rules             []Rule
}

// shown are the rules to read: those not met, and those that the lines on the photo show.
func (p Photo) shown() []Rule {
	var out []Rule
	for _, r := range p.Rules {
		if !r.OK || r.Measure != "" {
			out = append(out, r)
		}
	}
	return out
}

// passed names the other rules, which need no figures.
func (p Photo) passed() []string {
	var out []string
	for _, r := range p.Rules {
		if r.OK && r.Measure == "" {
			out = append(out, r.Label)
		}
	}
	return out
}

// Rule is one thing that was checked on the photo.
type Rule struct {
	Label, Value, Want string
	OK                 bool
	Measure            string // which of the lines on the photo shows it: "top", "face", "eyes", or ""
}

// rowClass lays out a row of the grid and its head.
const rowClass = "grid gap-x-4 gap-y-2 px-4 py-3 items-start grid-cols-[auto_minmax(0,1fr)] lg:grid-cols-[3.25rem_minmax(0,12rem)_minmax(0,18.5rem)_minmax(0,1fr)_6rem]"

// inputClass keeps the space that browsers put between Chinese and digits out of values.
const inputClass = "input h-9 max-lg:h-11 [text-autospace:no-autospace]"

func gridURL(batchID string) string { return "/batches/" + batchID + "/review/grid" }

func recordURL(batchID, orderID string) string {
	if orderID == "" {
		return "/batches/" + batchID + "/review"
	}
	return "/batches/" + batchID + "/review?order=" + orderID
}

func batchURL(batchID string) string { return "/batches/" + batchID }

func orderPost(orderID, what string) string { return "/orders/" + orderID + "/" + what }

func cityName(city string) string { return strings.ReplaceAll(city, ",", " ") }

func views(ctx context.Context, b Batch, grid bool) []ui.Tab {
	return []ui.Tab{
		{Label: i18n.T(ctx, "review.view.grid"), Href: gridURL(b.ID), Current: grid},
		{Label: i18n.T(ctx, "review.view.record"), Href: recordURL(b.ID, ""), Current: !grid},
	}
}

// firstDoubt tells which field of a row wants the eye: the one the focus goes to.
func (r Row) firstDoubt() string {
	if r.Name.tone() == ui.Grey && r.Number.tone() != ui.Grey {
		return r.Number.Name
	}
	return r.Name.Name
}

// fieldAttrs lets a field post itself when it changes. Requests of one form wait for each other, so that each names the
// version that the one before has made.
func fieldAttrs(f Field, orderID string) templ.Attributes {
	to := f.Post
	if to == "" {
		to = orderPost(orderID, "fields")
	}
	a := templ.Attributes{
		"hx-post": to, "hx-trigger": "change", "hx-sync": "closest form:queue last",
		"hx-include": "closest form", "hx-target": "closest form", "hx-swap": "morph:outerHTML",
		"data-cell": true, "autocomplete": "off", "spellcheck": "false", "aria-label": f.Label,
	}
	if f.tone() != ui.Grey {
		a["data-doubtful"] = true
	}
	if f.NoLetters {
		a["data-no-letters"] = true
	}
	if at, ok := f.caret(); ok {
		a["data-caret"] = strconv.Itoa(at)
	}
	if f.Hint != "" {
		a["aria-description"] = f.Hint
	}
	return a
}

func version(n int64) string { return strconv.FormatInt(n, 10) }

// num writes a length for SVG.
func num(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) }

func (p Photo) hasFace() bool { return p.FaceWidth > 0 }

// px and mm write a length on the photo.
func px(f float64) string { return strconv.FormatFloat(math.Round(f), 'f', -1, 64) + " px" }

func (p Photo) mm(f float64) string {
	return strconv.FormatFloat(math.Round(f*p.WidthMM/float64(p.Width)*10)/10, 'f', 1, 64) + " mm"
}

// comparedClass keeps values that stand above each other in line, character by character.
func comparedClass(f Field) string {
	if f.Kind == Number {
		return "whitespace-nowrap tracking-wide tabular-nums [text-autospace:no-autospace]"
	}
	return "[text-autospace:no-autospace]"
}

// swapRecord puts another record in at once: nothing of it moves.
const swapRecord = "innerHTML settle:0ms"

// has tells whether the record has a field of that name.
func (m Record) has(field string) bool {
	return slices.ContainsFunc(m.Groups, func(g Group) bool {
		return slices.ContainsFunc(g.Fields, func(f Field) bool { return f.Name == field })
	})
}

// neighbourAttrs show another record without leaving the page.
func neighbourAttrs(m Record, id, key string) templ.Attributes {
	a := templ.Attributes{"data-key": key}
	if id != "" {
		a["hx-get"], a["hx-target"], a["hx-swap"] = recordURL(m.Batch.ID, id), "#review", swapRecord
	}
	return a
}

func skipAttrs(m Record) templ.Attributes {
	return templ.Attributes{"formaction": orderPost(m.OrderID, "skip"), "hx-post": orderPost(m.OrderID, "skip"), "hx-include": "#record", "hx-sync": "#record:queue last", "hx-target": "#review", "hx-swap": swapRecord}
}
