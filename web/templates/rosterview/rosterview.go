// Package rosterview has the pages of rosters: the list, a roster with its classes and people, the import of a table
// with its preview, one person, and the matching of a batch's photos to the people of its roster.
package rosterview

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

// ListModel is the list of rosters.
type ListModel struct {
	Rows  []RosterRow
	Now   time.Time
	Name  string // as typed, when it was refused
	Error string
}

// RosterRow is a roster in the list.
type RosterRow struct {
	ID, Name string
	People   int64
	Updated  time.Time
}

// Model is the page of a roster.
type Model struct {
	ID, Name string
	Total    int64
	Updated  time.Time
	Now      time.Time
	Waiting  []WaitingImport
	Grades   []Grade
	People   PeopleModel
	Cards    string // where the cards of these people are printed
}

// WaitingImport is an import of the roster that is not finished.
type WaitingImport struct{ ID, Label string }

// Grade is a grade with its classes, for the tree.
type Grade struct {
	Name    string // "" for people without one
	People  int64
	Href    string
	Current bool
	Open    bool // the grade or one of its classes is chosen
	Classes []Class
}

// Class is a class in the tree.
type Class struct {
	Name    string
	People  int64
	Href    string
	Current bool
}

// PeopleModel is a page of the people of a roster.
type PeopleModel struct {
	RosterID string
	Title    string // the class or grade chosen; "" for everybody
	Searched string
	Rows     []PersonRow
	Pager    ui.PagerView
}

// PersonRow is a person in a table. Number is masked.
type PersonRow struct {
	ID, Name, Number, StudentNumber, Grade, Class, Sex string
	Edited                                             bool
}

// ImportModel asks for a table.
type ImportModel struct {
	ID, Name string
	Error    string
}

// Preview is an import from its first byte to its last row.
type Preview struct {
	ID, RosterID, Roster string
	File, Format         string
	State                string // of package roster
	Problem              string // why it failed, in a sentence
	HeaderRow            int
	NoName               bool
	Done, Total          int64
	Added, Changed       int64
	Same, Refused        int64
	Missing              int64
	Columns              []Column
	ColumnsError         string
	Fields               []ui.Option
	Show                 string // the kind that is listed
	Lines                []Line
	Next                 string // address of the rows that follow
}

// Column is a column of the table with what it is taken for.
type Column struct {
	Header  string
	Field   string
	Samples []string
}

// Line is a row of the table, or a person who is missing from it.
type Line struct {
	Row                      int
	Name, Number             string
	StudentNumber, ClassName string
	Notes                    []string // what is wrong, or kept
	Changes                  []Change
}

// Change is a field before and after.
type Change struct{ Label, From, To string }

// Person is the page of one person.
type Person struct {
	ID, RosterID, Roster string
	Name                 string
	Inputs               []ui.InputView
	Edited               []string // the fields set by hand
}

func rosterURL(id string, below ...string) string { return "/rosters/" + id + strings.Join(below, "") }

func importURL(id string, below ...string) string { return "/imports/" + id + strings.Join(below, "") }

func crumbs(ctx context.Context, more ...layout.Crumb) []layout.Crumb {
	return append([]layout.Crumb{{Label: i18n.T(ctx, "roster.title"), Href: "/rosters"}}, more...)
}

func people(ctx context.Context, n int64) string { return i18n.T(ctx, "roster.people_unit", "n", n) }

func orNone(s, none string) string {
	if s == "" {
		return none
	}
	return s
}

// meta are the facts under a roster's name.
func (m Model) meta(ctx context.Context) []string {
	if m.Total == 0 {
		return nil
	}
	classes := 0
	for _, g := range m.Grades {
		classes += len(g.Classes)
	}
	return []string{people(ctx, m.Total), i18n.T(ctx, "roster.classes_unit", "n", classes)}
}

// actions are what can be done on the page of a roster with people.
func (m Model) actions(ctx context.Context) []ui.Btn {
	if m.Total == 0 {
		return nil
	}
	return []ui.Btn{{Label: i18n.T(ctx, "cards.open"), Icon: "id-card", Href: m.Cards}, {Label: i18n.T(ctx, "board.title"), Icon: "layout-grid", Href: rosterURL(m.ID, "/board")}, {Label: i18n.T(ctx, "roster.import"), Icon: "upload", Kind: ui.Primary, Href: rosterURL(m.ID, "/import")}}
}

// running tells that the page has to look again.
func (p Preview) running() bool { return p.State == "checking" || p.State == "applying" }

func (p Preview) writes() int64 { return p.Added + p.Changed }

func (p Preview) name(ctx context.Context) string {
	return orNone(p.File, i18n.T(ctx, "roster.pasted"))
}

func (p Preview) meta(ctx context.Context) []string {
	out := []string{p.Roster, p.Format}
	if p.State != "checked" {
		return out
	}
	if p.HeaderRow > 0 {
		out = append(out, i18n.T(ctx, "roster.header_row", "n", p.HeaderRow))
	} else {
		out = append(out, i18n.T(ctx, "roster.no_header"))
	}
	return append(out, i18n.T(ctx, "roster.rows_unit", "n", p.Added+p.Changed+p.Same+p.Refused))
}

// actions are what can be done with a checked import.
func (p Preview) actions(ctx context.Context) []ui.Btn {
	if p.State != "checked" {
		return nil
	}
	out := []ui.Btn{{Label: i18n.T(ctx, "roster.drop"), Type: "submit", Form: "drop"}}
	if p.writes() > 0 {
		out = append(out, ui.Btn{Label: i18n.T(ctx, "roster.apply", "n", p.writes()), Kind: ui.Primary, Type: "submit", Form: "apply"})
	}
	return out
}

// chips choose the kind of rows that is listed.
func (p Preview) chips(ctx context.Context) []ui.Chip {
	var out []ui.Chip
	for _, k := range []struct {
		kind string
		n    int64
	}{{"refused", p.Refused}, {"changed", p.Changed}, {"added", p.Added}, {"missing", p.Missing}, {"same", p.Same}} {
		if k.n == 0 {
			continue
		}
		out = append(out, ui.Chip{Label: i18n.T(ctx, "roster.kind."+k.kind), Count: i18n.Count(k.n), Href: importURL(p.ID, "?show=", k.kind), On: p.Show == k.kind})
	}
	return out
}

// note says what becomes of the listed rows.
func (p Preview) note(ctx context.Context) string {
	switch p.Show {
	case "refused":
		return i18n.T(ctx, "roster.refused.note")
	case "missing":
		return i18n.T(ctx, "roster.missing.note")
	}
	return ""
}

func (p Preview) progress(ctx context.Context) ui.ProgressView {
	v := ui.ProgressView{Label: i18n.T(ctx, "roster."+p.State), Value: p.Done, Max: p.Total}
	if p.Total > 0 {
		v.Note = i18n.Percent(float64(p.Done) / float64(p.Total))
	}
	return v
}

func (c Column) title(ctx context.Context, i int) string {
	return orNone(c.Header, i18n.T(ctx, "roster.columns.nameless", "n", i+1))
}

func (c Column) samples(ctx context.Context) string {
	return strings.Join(c.Samples, i18n.T(ctx, "ui.comma"))
}

func columnControl(ctx context.Context, c Column, i int) ui.Control {
	return ui.Control{ID: "column-" + strconv.Itoa(i), Name: "field", Label: c.title(ctx, i)}
}

// lineColumns are the heads of the table of a kind.
func (p Preview) lineColumns(ctx context.Context) []ui.Col {
	cols := []ui.Col{{Label: i18n.T(ctx, "roster.row"), Num: true, Class: "w-16"}, {Label: i18n.T(ctx, "roster.field.name")}, {Label: i18n.T(ctx, "roster.field.id_number")},
		{Label: i18n.T(ctx, "roster.field.student_number")}, {Label: i18n.T(ctx, "roster.field.class")}}
	switch p.Show {
	case "refused":
		cols = append(cols, ui.Col{Label: i18n.T(ctx, "roster.problem")})
	case "changed":
		cols = append(cols, ui.Col{Label: i18n.T(ctx, "roster.changes")})
	case "missing":
		cols = cols[1:]
	}
	return cols
}

func peopleColumns(ctx context.Context) []ui.Col {
	return []ui.Col{{Label: i18n.T(ctx, "roster.field.name")}, {Label: i18n.T(ctx, "roster.field.id_number")}, {Label: i18n.T(ctx, "roster.field.student_number")},
		{Label: i18n.T(ctx, "roster.field.grade")}, {Label: i18n.T(ctx, "roster.field.class")}, {Label: i18n.T(ctx, "roster.field.sex")}}
}

var searchAttrs = templ.Attributes{"autocomplete": "off"}

func (p Person) hand(ctx context.Context) string {
	return i18n.T(ctx, "roster.edit.hand", "fields", strings.Join(p.Edited, i18n.T(ctx, "ui.comma")))
}
