package ui

import "github.com/a-h/templ"

// TableView is a list of many things. Rows are its children, as <tr>, usually built with Row.
type TableView struct {
	ID    string
	Label string // what the table lists, for screen readers
	Cols  []Col
	// Select adds the column with checkboxes; each row begins with SelectCell. The table and its BulkBar must be in one
	// form, inside Selection.
	Select bool
	// Links makes rows open what they are about; each row has data-href.
	Links bool
	// Cards makes a card of each row on phones. Cells say what they are by class: cell-photo, cell-title, cell-state,
	// cell-meta (a line below), cell-hide (not shown).
	Cards bool
	// Sticky keeps the head in view while the page scrolls.
	Sticky bool
	Attrs  templ.Attributes // on <tbody>: hx-ext, sse-connect …
}

func (v TableView) class() string {
	c := "table"
	if v.Links {
		c += " table-rows-link"
	}
	if v.Cards {
		c += " table-cards"
	}
	return c
}

// Col is the head of a column.
type Col struct {
	Label string
	Num   bool   // right-aligned figures; its cells have class "num"
	Class string // widths, and from which page width on it is shown
	// Sort is where pressing the head leads; Dir is "ascending" or "descending" on the column the list is sorted by.
	Sort string
	Dir  string
	// Hidden keeps the label for screen readers only.
	Hidden bool
}

func (c Col) sortIcon() string {
	switch c.Dir {
	case "ascending":
		return "arrow-up"
	case "descending":
		return "arrow-down"
	default:
		return "chevrons-up-down"
	}
}

// RowView is a row of a table.
type RowView struct {
	ID       string
	Href     string // what the row opens
	Selected bool   // its side panel is open
	Class    string
	Attrs    templ.Attributes
}

func (v RowView) attrs() templ.Attributes {
	a := templ.Attributes{}
	for name, value := range v.Attrs {
		a[name] = value
	}
	if v.ID != "" {
		a["id"] = v.ID
	}
	if v.Href != "" {
		a["data-href"] = v.Href
	}
	if v.Selected {
		a["aria-selected"] = "true"
	}
	if v.Class != "" {
		a["class"] = v.Class
	}
	return a
}

func bulkType(b Btn) string {
	if b.Dialog != "" || b.Type == "button" {
		return "button"
	}
	return "submit"
}
