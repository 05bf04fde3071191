package ui

// Tone is what a colour means.
type Tone string

// The tones: grey is not begun or over without result, blue in progress, amber needs a person, green done, red failed,
// violet test mode.
const (
	Grey Tone = ""
	Run  Tone = "run"
	Wait Tone = "wait"
	Done Tone = "done"
	Fail Tone = "fail"
	Test Tone = "test"
)

// class colours a state, a note or a toast.
func (t Tone) class() string {
	if t == Grey {
		return ""
	}
	return "s-" + string(t)
}

// text colours an icon alone.
func (t Tone) text() string {
	switch t {
	case Run:
		return "text-info"
	case Wait:
		return "text-warning"
	case Done:
		return "text-success"
	case Fail:
		return "text-error"
	case Test:
		return "text-test"
	default:
		return "text-subtle"
	}
}

// fill colours a part of a bar or chart.
func (t Tone) fill() string {
	if t == Grey || t == Test {
		return "fill-rest"
	}
	return "fill-" + string(t)
}

// icon is the usual one of a tone, for notes and toasts that name none.
func (t Tone) icon() string {
	switch t {
	case Run:
		return "loader-circle"
	case Wait:
		return "circle-alert"
	case Done:
		return "circle-check"
	case Fail:
		return "circle-x"
	case Test:
		return "flask-conical"
	default:
		return "info"
	}
}
