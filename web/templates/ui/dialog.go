package ui

import "github.com/a-h/templ"

// DialogView is a question or a small form over the page. It is opened by a button with Dialog set to its ID.
type DialogView struct {
	ID    string
	Title string
	Text  string
	// Action makes it a form that posts there; without, it only shows its children.
	Action string
	// Submit is the button that does it and says what it does; Type is set. Cancel is the word of the other one.
	Submit Btn
	// Other is a second way to go on, before Submit in the foot; none without a Label. Name and Value tell which was taken.
	Other  Btn
	Cancel string // "取消" unless set
	// ConfirmName has to be typed before Submit can be pressed; for what cannot be undone.
	ConfirmName string
	// Enctype for forms with files, Attrs for htmx; both on the form.
	Enctype string
	Attrs   templ.Attributes
	Wide    bool
	Open    bool // open from the start: a dialog that was answered with htmx
}

func (v DialogView) titleID() string { return v.ID + "-title" }

func (v DialogView) formAttrs() templ.Attributes {
	a := templ.Attributes{}
	for name, value := range v.Attrs {
		a[name] = value
	}
	if v.ConfirmName != "" {
		a["data-confirm-name"] = v.ConfirmName
	}
	if v.Enctype != "" {
		a["enctype"] = v.Enctype
	}
	return a
}

func (v DialogView) submit() Btn {
	b := v.Submit
	b.Type = "submit"
	if b.Kind == Plain {
		b.Kind = Primary
	}
	return b
}

// SidePanelView is what a list shows of one row, over the list, from the right.
type SidePanelView struct {
	ID    string // "side" unless set; the htmx target of the rows
	Title string // number of the order
	Full  string // address of the whole page
	Close string // address of the list without the panel
	Prev  string
	Next  string
	Foot  []Btn
}

func (v SidePanelView) id() string {
	if v.ID == "" {
		return "side"
	}
	return v.ID
}
