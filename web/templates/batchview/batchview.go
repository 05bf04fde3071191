// Package batchview has the pages of batches: the list, the form of a new one, and the page of one batch from its first
// file to its last receipt.
//
// What moves on the page of a batch is its own component, rendered with the page and sent again while it changes: Head
// (name, cost, main action) and Progress (steps, receipts) by server-sent events, Orders (filters and table) fetched by
// htmx when the stream says that rows changed.
package batchview

import (
	"context"
	"time"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Row is a batch in a list.
type Row struct {
	Href, Name string
	Type, City string
	Orders     int64
	Shares     []ui.Share
	Badge      ui.Badge
	At         time.Time
	Simulate   bool
}

// ListModel is the list of batches.
type ListModel struct {
	Rows      []Row
	First     string // address of the first page, when this is a later one
	Next      string // address of the next page
	Now       time.Time
	SampleURL string // a ZIP to try with, or ""
}

// NewModel is the form of a new batch.
type NewModel struct {
	Types     []Type
	TypeID    string
	Cities    CitiesModel
	Name      string
	NameHint  string // the name an empty field gets
	Simulate  bool
	Simulated bool // the simulator serves: rehearsing changes nothing
	Rosters   []ui.Option
	RosterID  string
	Errors    map[string]string // translated, by field name: type, city, name, roster
}

// Type is a receipt type to choose.
type Type struct{ ID, Name, Note string }

// CitiesModel is the choice of a city, which depends on the type.
type CitiesModel struct {
	Value   string
	Options []ui.Option // by province
	Error   string
}

// Model is the page of a batch.
type Model struct {
	Summary Summary
	Orders  OrdersModel
	Upload  templ.Component
	Roster  templ.Component // the batch's roster, or the question for it
}

// Summary is what the head of the page and its steps say; it changes while the page is open.
type Summary struct {
	ID, Name   string
	Type, City string
	CreatedAt  time.Time
	Simulate   bool
	Total      int64 // orders that were not cancelled
	Stored     int64 // pictures kept
	Sorted     int64 // of these, those that were looked at
	Waiting    int64 // in review
	Ready      int64
	Running    int64 // with the provider, or on the way there
	Unknown    int64 // outcome not known, or a decision needed
	Done       int64
	Failed     int64 // failed or rejected
	Points     int64 // of submitting what is ready
	Fen        int64
	Usual      string // how long a receipt takes; "" when none is under way
}

// OrdersModel is the filtered table of a batch's orders.
type OrdersModel struct {
	BatchID string
	Chips   []ui.Chip
	Rows    []OrderRow
	Clean   int64 // in review without an exception: can be confirmed at once
	Self    string
	Pager   ui.PagerView
	Tray    TrayModel
	Empty   bool // the batch has no orders
	Stored  bool // but it has pictures
	Sorting bool // which are being looked at
}

// OrderRow is an order in the table.
type OrderRow struct {
	ID, Href    string
	Photo       string // address of the thumbnail, or ""
	Name        string
	NameDoubt   bool
	Paired      string   // how the card was found
	Number      string   // masked
	Crop        string   // address of the masked picture of the number, or ""
	Reading     bool     // its card is still being read
	Doubts      []string // about what was read
	PhotoDoubts []string
	Badge       ui.Badge
}

// TrayModel is the cards that belong to nobody yet.
type TrayModel struct {
	BatchID  string
	Cards    []Card
	Orders   []ui.Option // those that lack a card
	Unsorted []Picture
}

// Picture is one of which nobody knows yet what it is.
type Picture struct {
	ID, Photo string
	File      string // as uploaded
	Problem   string // what is the matter, in a sentence
	Broken    bool   // cannot be opened: there is nothing to say about it
}

// Card is a picture of an ID card that no order uses.
type Card struct {
	ID, Photo string
	File      string // as uploaded
	Name      string // as read, or ""
	Number    string // as read, masked, or ""
	Side      string
}

// SubmitModel asks before money is spent.
type SubmitModel struct {
	BatchID, Name string
	Count         int64
	Points, Fen   int64
	Left          int64 // in review: not submitted
	Simulate      bool
	Usual         string          // how long a receipt takes
	Changed       bool            // the count changed since the question was asked
	Short         *ui.NoteView    // the wallet does not pay for them; nil when it does
	Low           *ui.NoteView    // it does, and runs out
	Usable        templ.Component // who has a usable receipt already; nil for nobody
	Others        int64           // the orders of those who have none
	Leave         []string        // the orders of the rest
	OthersShort   bool            // the wallet does not even pay for the others
	Open          bool
}

// LeaveUsable is the value of the field "leave" that submits only the orders of those who have no usable receipt.
const LeaveUsable = "usable"

// submit is the main button: without those who have a usable receipt, if there are any.
func (m SubmitModel) submit(ctx context.Context) ui.Btn {
	if m.Usable == nil {
		return ui.Btn{Label: i18n.T(ctx, "batches.submit", "n", m.Count), Kind: ui.Primary, Type: "submit", Disabled: m.Count == 0 || m.Short != nil}
	}
	return ui.Btn{Label: i18n.T(ctx, "validity.submit.others", "n", m.Others), Kind: ui.Primary, Type: "submit", Name: "leave", Value: LeaveUsable, Disabled: m.Others == 0 || m.OthersShort}
}

// allTheSame submits all, also those who have a usable receipt.
func (m SubmitModel) allTheSame(ctx context.Context) ui.Btn {
	if m.Usable == nil {
		return ui.Btn{}
	}
	return ui.Btn{Label: i18n.T(ctx, "validity.submit.all", "n", m.Count), Type: "submit", Disabled: m.Short != nil}
}

// sortURL takes what a person says a picture is.
func sortURL(pictureID string) string { return "/pictures/" + pictureID + "/sort" }

// sortButtons are what a picture can be.
func sortButtons(ctx context.Context) []ui.Btn {
	var out []ui.Btn
	for _, kind := range []string{"portrait", "card_front", "card_back"} {
		out = append(out, ui.Btn{Label: i18n.T(ctx, "batches.sort."+kind), Small: true, Type: "submit", Name: "as", Value: kind})
	}
	return out
}

// url is the address of the batch or of something below it.
func url(id, below string) string { return "/batches/" + id + below }

// cost is the text beside the main action.
func (s Summary) cost(ctx context.Context) string {
	switch {
	case s.Ready == 0:
		return ""
	case s.Simulate:
		return i18n.T(ctx, "batches.quote.free", "points", i18n.Points(ctx, s.Points), "money", i18n.Money(s.Fen))
	default:
		return i18n.T(ctx, "batches.quote", "points", i18n.Points(ctx, s.Points), "money", i18n.Money(s.Fen))
	}
}

// Steps are links to the parts of the page.
func (s Summary) steps(ctx context.Context) []ui.Step {
	n := func(key string, n int64) string { return i18n.T(ctx, key, "n", n) }
	upload := ui.Step{Label: i18n.T(ctx, "batches.step.upload"), Note: n("batches.step.upload.note", s.Stored), Icon: "upload", Href: url(s.ID, "#upload")}
	read := ui.Step{Label: i18n.T(ctx, "batches.step.read"), Note: i18n.Count(s.Sorted) + " / " + i18n.Count(s.Stored), Icon: "scan-text", Href: url(s.ID, "?show=reading#orders")}
	review := ui.Step{Label: i18n.T(ctx, "batches.step.review"), Note: n("batches.step.review.note", s.Waiting), Icon: "scan-eye", Href: url(s.ID, "/review/grid")}
	submit := ui.Step{Label: i18n.T(ctx, "batches.step.submit"), Note: n("batches.step.submit.note", s.Ready), Icon: "send-horizontal", Href: url(s.ID, "?show=ready#orders")}
	receipt := ui.Step{Label: i18n.T(ctx, "batches.step.receipt"), Note: i18n.Count(s.Done) + " / " + i18n.Count(s.Total), Icon: "file-check", Href: url(s.ID, "?show=done#orders")}

	if s.Stored > 0 {
		upload.Tone = ui.Done
	}
	if s.Sorted < s.Stored {
		read.Tone = ui.Run
	} else if s.Stored > 0 {
		read.Tone = ui.Done
	}
	if s.Waiting > 0 {
		review.Tone = ui.Wait
	} else if s.Total > 0 && s.Sorted == s.Stored {
		review.Tone = ui.Done
	}
	sent := s.Running + s.Unknown + s.Done + s.Failed
	if s.Running > 0 {
		submit.Tone, submit.Note = ui.Run, n("batches.step.submit.running", s.Running)
	} else if sent > 0 && s.Ready == 0 {
		submit.Tone, submit.Note = ui.Done, i18n.Count(sent)
	}
	if s.Done > 0 && s.Done == s.Total {
		receipt.Tone = ui.Done
	}
	switch {
	case s.Stored == 0, s.Sorted == s.Stored && s.Total == 0:
		upload.Current = true
	case s.Sorted < s.Stored:
		read.Current = true
	case s.Waiting > 0:
		review.Current = true
	case s.Ready > 0 || s.Running > 0 && s.Done == 0:
		submit.Current = true
	default:
		receipt.Current = true
	}
	return []ui.Step{upload, read, review, submit, receipt}
}

// actions of the head: one is the main one, the next step of this batch.
func (s Summary) actions(ctx context.Context) []ui.Btn {
	var all []ui.Btn
	if s.Waiting > 0 {
		// On a phone one at a time is all there is room for.
		label := i18n.T(ctx, "batches.review", "n", s.Waiting)
		all = append(all, ui.Btn{Label: label, Href: url(s.ID, "/review"), Class: "md:hidden"},
			ui.Btn{Label: label, Key: "G", Href: url(s.ID, "/review/grid"), Class: "max-md:hidden"})
	}
	if s.Ready > 0 {
		all = append(all, ui.Btn{Label: i18n.T(ctx, "batches.submit", "n", s.Ready), Kind: ui.Primary, Href: url(s.ID, "/submit"),
			Attrs: templ.Attributes{"hx-get": url(s.ID, "/submit"), "hx-target": "#dialogs", "aria-haspopup": "dialog"}})
	} else if s.Done > 0 && s.Waiting == 0 {
		all = append(all, ui.Btn{Label: i18n.T(ctx, "batches.download"), Kind: ui.Primary, Icon: "download", Href: url(s.ID, "/receipts.zip")})
	}
	if s.Ready == 0 { // then what is left to do is the main thing
		for i := range all {
			all[i].Kind = ui.Primary
		}
	}
	return all
}

// shares divide the orders for the bar of the receipts.
func (s Summary) shares(ctx context.Context) []ui.Share {
	return []ui.Share{
		{N: int(s.Done), Tone: ui.Done, Label: i18n.T(ctx, "orders.status.completed")},
		{N: int(s.Running), Tone: ui.Run, Label: i18n.T(ctx, "orders.status.processing")},
		{N: int(s.Unknown), Tone: ui.Wait, Label: i18n.T(ctx, "orders.status.unknown")},
		{N: int(s.Failed), Tone: ui.Fail, Label: i18n.T(ctx, "orders.status.failed")},
		{N: int(s.Total - s.Done - s.Running - s.Unknown - s.Failed), Tone: ui.Grey, Label: i18n.T(ctx, "batches.not_submitted")},
	}
}

// sent tells that something of the batch went to the provider.
func (s Summary) sent() bool { return s.Running+s.Unknown+s.Done+s.Failed > 0 }
