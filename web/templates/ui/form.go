package ui

import "github.com/a-h/templ"

// Control is what every labelled control of a form has. The id is Name unless ID is set; the error is read out with the
// control and replaces the hint.
type Control struct {
	ID, Name, Label string
	Hint            string
	Error           string // what is wrong and what to do
	Optional        bool   // says so after the label; everything else is required
	Disabled        bool
	Attrs           templ.Attributes // hx-post, autocomplete, inputmode, maxlength …
}

func (c Control) id() string {
	if c.ID != "" {
		return c.ID
	}
	return c.Name
}

func (c Control) noteID() string { return c.id() + "-note" }

// attrs ties the control to its message.
func (c Control) attrs() templ.Attributes {
	a := templ.Attributes{}
	if c.Error != "" || c.Hint != "" {
		a["aria-describedby"] = c.noteID()
	}
	if c.Error != "" {
		a["aria-invalid"] = "true"
	}
	for name, value := range c.Attrs {
		a[name] = value
	}
	return a
}

// InputView is a line of text, a number, a date, a password …
type InputView struct {
	Control
	Type        string // "text" unless set
	Value       string
	Placeholder string
	Suffix      string // unit behind the field: "mm"
}

func (v InputView) inputType() string {
	if v.Type == "" {
		return "text"
	}
	return v.Type
}

// TextareaView is several lines of text.
type TextareaView struct {
	Control
	Value       string
	Placeholder string
	Rows        int // 3 unless set
}

func (v TextareaView) rows() int {
	if v.Rows == 0 {
		return 3
	}
	return v.Rows
}

// SelectView is a list to choose one from.
type SelectView struct {
	Control
	Value   string // of the chosen option
	Options []Option
	Empty   string // text of a first option without value: 请选择
}

// Option is one choice. Those of the same Group, one after another, stand under its name.
type Option struct {
	Value, Label string
	Group        string
	Disabled     bool
	Icon         string // RadioCards only
	Hint         string // RadioCards and Radios only
}

// group is a run of options under one name, "" for none.
type group struct {
	name    string
	options []Option
}

func groups(options []Option) []group {
	var gs []group
	for _, o := range options {
		if len(gs) == 0 || gs[len(gs)-1].name != o.Group {
			gs = append(gs, group{name: o.Group})
		}
		last := &gs[len(gs)-1]
		last.options = append(last.options, o)
	}
	return gs
}

// CheckboxView is a yes or no.
type CheckboxView struct {
	Control
	Value   string // "1" unless set
	Checked bool
	Toggle  bool // drawn as a switch: takes effect at once
}

func (v CheckboxView) value() string {
	if v.Value == "" {
		return "1"
	}
	return v.Value
}

func (v CheckboxView) class() string {
	if v.Toggle {
		return "toggle toggle-sm"
	}
	return "checkbox checkbox-sm"
}

// RadiosView is a few choices that are all seen.
type RadiosView struct {
	Control
	Value   string
	Options []Option
}
