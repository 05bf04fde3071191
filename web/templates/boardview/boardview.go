// Package boardview has the pages of a roster's classes: the board, the people behind its cells, the list of photos to
// take again, and the exports of photos.
package boardview

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

// Frame is what all pages of a roster's classes have.
type Frame struct {
	RosterID, Roster string
	BatchID, Batch   string // whose orders alone count; "" for all
}

// State is a column of the board.
type State struct {
	Key  string // none, review, ready, progress, receipt, failed, expiring
	Tone ui.Tone
	Icon string
}

// States are the columns, in the order in which the cells come.
var States = []State{
	{"none", ui.Grey, "circle-dashed"}, {"review", ui.Wait, "circle-alert"}, {"ready", ui.Grey, "check"}, {"progress", ui.Run, "loader-circle"},
	{"receipt", ui.Done, "circle-check"}, {"failed", ui.Fail, "circle-x"}, {"expiring", ui.Wait, "clock-alert"},
}

func (s State) word(ctx context.Context) string { return i18n.T(ctx, "board.state."+s.Key) }

func (s State) badge(ctx context.Context) ui.Badge {
	return ui.Badge{Tone: s.Tone, Icon: s.Icon, Word: s.word(ctx), Plain: true}
}

// stateOf finds a state by its key.
func stateOf(key string) State {
	for _, s := range States {
		if s.Key == key {
			return s
		}
	}
	return State{Key: key}
}

// Place is a grade or class as the address names it; nil is all.
type Place struct{ Grade, Class *string }

func (p Place) query() url.Values {
	q := url.Values{}
	if p.Grade != nil {
		q.Set("grade", *p.Grade)
	}
	if p.Class != nil {
		q.Set("class", *p.Class)
	}
	return q
}

// label is how people call it.
func (p Place) label(ctx context.Context) string {
	switch {
	case p.Class != nil && *p.Class == "":
		return i18n.T(ctx, "roster.no_class")
	case p.Class != nil && p.Grade != nil && !strings.HasPrefix(*p.Class, *p.Grade):
		return *p.Grade + " " + *p.Class
	case p.Class != nil:
		return *p.Class
	case p.Grade != nil && *p.Grade == "":
		return i18n.T(ctx, "roster.no_grade")
	case p.Grade != nil:
		return *p.Grade
	default:
		return i18n.T(ctx, "roster.all")
	}
}

// url is an address below the roster, with the batch.
func (f Frame) url(below string, q url.Values) string {
	u := "/rosters/" + url.PathEscape(f.RosterID) + below
	if q == nil {
		q = url.Values{}
	}
	if f.BatchID != "" {
		q.Set("batch", f.BatchID)
	}
	if len(q) == 0 {
		return u
	}
	return u + "?" + q.Encode()
}

func (f Frame) head(ctx context.Context, title string) layout.Head {
	return layout.Head{Title: title, Crumbs: []layout.Crumb{{Label: i18n.T(ctx, "roster.title"), Href: "/rosters"}, {Label: f.Roster, Href: "/rosters/" + url.PathEscape(f.RosterID)}}}
}

func (f Frame) tabs(ctx context.Context, current string) []ui.Tab {
	var out []ui.Tab
	for _, t := range []string{"board", "retakes", "exports"} {
		out = append(out, ui.Tab{Label: i18n.T(ctx, "board.tab."+t), Href: f.url("/"+t, nil), Current: t == current})
	}
	return out
}

// meta says which batch alone counts.
func (f Frame) meta(ctx context.Context, more ...string) []string {
	out := []string{f.Roster}
	if f.Batch != "" {
		out = append(out, i18n.T(ctx, "board.only_batch", "batch", f.Batch))
	}
	return append(out, more...)
}

// Board is the page of the board.
type Board struct {
	Frame
	Batches []Choice
	Total   Row
	Grades  []Grade
}

// Choice is a batch to narrow the board to.
type Choice struct {
	ID, Name string
	Test     bool
}

// Grade is a grade with its classes.
type Grade struct {
	Row
	Classes []Row
}

// Row is a line of figures, in the order of States.
type Row struct {
	Place
	People int64
	Cells  [7]int64
}

// share is a part of the row's people in percent.
func (r Row) share(i int) string { return i18n.Percent(float64(r.Cells[i]) / float64(r.People)) }

// heat is how strong the colour of a cell is, by its share.
func (r Row) heat(i int) string {
	step := 1
	if r.People > 0 {
		step = 1 + int(min(3, r.Cells[i]*4/r.People))
	}
	return "heat heat-" + States[i].Key + " heat-" + strconv.Itoa(step)
}

// links are the addresses of a row's cells but for the state, which comes last.
func (b Board) links(p Place) string {
	u := b.url("/people", p.query())
	if strings.Contains(u, "?") {
		return u + "&state="
	}
	return u + "?state="
}

func (b Board) events() string { return b.url("/board/events", nil) }

// People is a page of the people behind a cell.
type People struct {
	Frame
	Place
	State  string // "" for all
	Counts Row    // of the place
	Rows   []Person
	Pager  ui.PagerView
}

func (p People) chips(ctx context.Context) []ui.Chip {
	out := []ui.Chip{{Label: i18n.T(ctx, "roster.all"), Count: i18n.Count(p.Counts.People), On: p.State == "", Href: p.url("/people", p.query())}}
	for i, s := range States {
		if n := p.Counts.Cells[i]; n > 0 || s.Key == p.State {
			q := p.query()
			q.Set("state", s.Key)
			out = append(out, ui.Chip{Label: s.word(ctx), Count: i18n.Count(n), On: p.State == s.Key, Href: p.url("/people", q)})
		}
	}
	return out
}

// places are the conditions of the list that can be taken away.
func (p People) places(ctx context.Context) []ui.Chip {
	without := func(drop ...string) string {
		q := p.query()
		if p.State != "" {
			q.Set("state", p.State)
		}
		for _, k := range drop {
			q.Del(k)
		}
		return p.url("/people", q)
	}
	var out []ui.Chip
	if p.Grade != nil {
		out = append(out, ui.Chip{Label: Place{Grade: p.Grade}.label(ctx), On: true, Remove: true, Href: without("grade", "class")})
	}
	if p.Class != nil {
		out = append(out, ui.Chip{Label: Place{Class: p.Class}.label(ctx), On: true, Remove: true, Href: without("class")})
	}
	if p.BatchID != "" {
		f := p
		f.BatchID = ""
		q := p.query()
		if p.State != "" {
			q.Set("state", p.State)
		}
		out = append(out, ui.Chip{Label: p.Batch, On: true, Remove: true, Href: f.url("/people", q)})
	}
	return out
}

// Person is somebody in a list. Number is masked.
type Person struct {
	ID, Name, Number, StudentNumber string
	Place
	Photo   string // address of the thumbnail
	State   string
	Status  string // of the order, "" without one
	Test    bool
	Order   string // address
	Reason  string // what is wrong, in a sentence
	Asked   string // why somebody asked for another photo; "" if nobody did
	Retake  string // address to ask for one; "" where it is too late
	Expires time.Time
}

func (p Person) href() string {
	if p.Order != "" {
		return p.Order
	}
	return "/people/" + p.ID
}

func personColumns(ctx context.Context, last string) []ui.Col {
	return []ui.Col{{Label: i18n.T(ctx, "board.col.photo"), Hidden: true, Class: "w-14"}, {Label: i18n.T(ctx, "roster.field.name")}, {Label: i18n.T(ctx, "roster.field.id_number")},
		{Label: i18n.T(ctx, "roster.field.student_number")}, {Label: i18n.T(ctx, "roster.field.class")}, {Label: i18n.T(ctx, "board.col.state")}, {Label: last, Hidden: last == ""}}
}

// Retakes is the list of photos to take again.
type Retakes struct {
	Frame
	Place
	Places []ui.Chip
	Groups []RetakeGroup
	People int
	More   bool
	Day    string
}

// RetakeGroup is a class in the list.
type RetakeGroup struct {
	Place
	Rows []Person
}

// exportQuery chooses for the export what the list shows.
func (p People) exportQuery() url.Values {
	q := p.query()
	if p.State != "" {
		q.Set("state", p.State)
	}
	return q
}

// PlaceChip narrows the list of photos to take again to a place; at is the present one.
func PlaceChip(ctx context.Context, f Frame, p, at Place) ui.Chip {
	on := p.Grade == nil && at.Grade == nil || p.Grade != nil && at.Grade != nil && *p.Grade == *at.Grade
	return ui.Chip{Label: p.label(ctx), Href: f.url("/retakes", p.query()), On: on}
}

// PlaceValue is a place in a form.
func PlaceValue(p Place) string { return p.query().Encode() }

// PlaceOption is a place to choose.
func PlaceOption(ctx context.Context, p Place) ui.Option {
	return ui.Option{Value: PlaceValue(p), Label: p.label(ctx)}
}
