package ui

import "github.com/a-h/templ"

// Kind is how much a button asks for attention.
type Kind string

// The kinds of buttons. A page has at most one Primary; Danger is outlined in red, never filled.
const (
	Plain   Kind = ""
	Primary Kind = "primary"
	Quiet   Kind = "quiet"
	Danger  Kind = "danger"
)

// Btn is a button, or a link that looks like one when Href is set.
type Btn struct {
	Label string
	Kind  Kind
	Icon  string // before the label
	After string // icon after the label
	Key   string // the key that presses it, shown in a Kbd: "G"
	Href  string // makes it a link
	// Type, Name, Value and Form are those of <button>; Type is "button" unless set ("submit").
	Type, Name, Value, Form string
	Dialog                  string // id of the Dialog it opens
	Close                   bool   // closes the Dialog around it
	Small                   bool   // 32 px high, for toolbars and rows
	Square                  bool   // only the icon is seen; Label is read out
	Disabled                bool
	Title                   string // tooltip: why it is disabled, what it logs
	Class                   string
	Attrs                   templ.Attributes // hx-post and the like
}

func (b Btn) class() string {
	c := "btn"
	switch b.Kind {
	case Primary:
		c += " btn-primary"
	case Quiet:
		c += " btn-quiet"
	case Danger:
		c += " btn-danger"
	default:
		c += " btn-plain"
	}
	if b.Small {
		c += " btn-sm"
	}
	if b.Square {
		c += " btn-square"
	}
	if b.Disabled && b.Href != "" {
		c += " btn-disabled"
	}
	if b.Class != "" {
		c += " " + b.Class
	}
	return c
}

// attrs gathers what is set only sometimes, so that the markup stays free of empty attributes.
func (b Btn) attrs() templ.Attributes {
	a := templ.Attributes{}
	set := func(name, value string) {
		if value != "" {
			a[name] = value
		}
	}
	set("name", b.Name)
	set("value", b.Value)
	set("form", b.Form)
	set("title", b.Title)
	set("data-dialog", b.Dialog)
	set("data-key", b.Key)
	if b.Dialog != "" {
		a["aria-haspopup"] = "dialog"
	}
	if b.Close {
		a["data-close"] = true
	}
	if b.Square {
		a["aria-label"] = b.Label
		set("title", b.Label)
		set("title", b.Title)
	}
	for name, value := range b.Attrs {
		a[name] = value
	}
	return a
}

func (b Btn) buttonType() string {
	if b.Type == "" {
		return "button"
	}
	return b.Type
}
