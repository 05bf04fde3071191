package ui

import "github.com/a-h/templ"

// HeaderView is the head of a page: its title, what it is about, and on the right what can be done. The main action
// comes last.
type HeaderView struct {
	Title   string
	Badge   *Badge   // state of the thing the page shows
	Meta    []string // facts under the title, joined by middle dots
	Note    string   // beside the actions: 预计 14,500 点（¥145.00）
	Actions []Btn
}

// PanelView is the head of a box. A panel without Title has no head.
type PanelView struct {
	ID     string
	Title  string
	Badge  *Badge
	Count  string // after the badge or title
	Meta   string // what the box says in a few words
	Action Btn    // a link or small button on the right; none when it has no Label
	Attrs  templ.Attributes
}

func (v PanelView) hasHead() bool { return v.Title != "" || v.Badge != nil }

// SectionView is the head of a part of a page that has no box of its own around it.
type SectionView struct {
	Title  string
	Badge  *Badge
	Meta   string
	Action Btn
}

// EmptyView fills a place where nothing is yet: why it is empty and what to do next.
type EmptyView struct {
	Title   string
	Text    string
	Actions []Btn
	Bare    bool // without a box, inside a panel
}

// NoteView is a message on the page. Icon is that of the tone unless set.
type NoteView struct {
	ID     string
	Tone   Tone
	Icon   string
	Title  string
	Text   string
	Action Btn
}

func (v NoteView) icon() string {
	if v.Icon != "" {
		return v.Icon
	}
	return v.Tone.icon()
}

// Fact is a label and its value; Part is for values that are not plain text.
type Fact struct {
	Label string
	Value string
	Part  templ.Component
}

// StatView is a big figure with its name and what to compare it with.
type StatView struct {
	Label, Value, Note string
	Href               string // where the figure comes from
}

// ItemView is a row of a Menu. Post makes it a form of its own, for what changes something.
type ItemView struct {
	Label   string
	Icon    string
	Href    string
	Post    string
	Key     string
	Note    string
	Danger  bool // set apart and red
	Dialog  string
	Current bool
	Attrs   templ.Attributes
}

func (v ItemView) class() string {
	c := "menu-i"
	if v.Danger {
		c += " menu-i-danger"
	}
	return c
}

// MenuView is a button that opens a list.
type MenuView struct {
	Button Btn
	Up     bool // opens upwards
	Start  bool // its left edge under the button's, not its right
	Wide   bool
}

func (v MenuView) class() string {
	c := "dropdown menu-d"
	if !v.Start {
		c += " dropdown-end"
	}
	if v.Up {
		c += " dropdown-top"
	}
	return c
}

// face is the button as a <summary>, which cannot be a button itself.
func (v MenuView) face() Btn {
	b := v.Button
	if !b.Square && b.After == "" {
		b.After = "chevron-down"
	}
	return b
}

// statColumns spreads as many figures as there are over a wide page.
func statColumns(n int) string {
	switch {
	case n >= 5:
		return "xl:grid-cols-5"
	case n == 4:
		return "xl:grid-cols-4"
	default:
		return "xl:grid-cols-3"
	}
}
