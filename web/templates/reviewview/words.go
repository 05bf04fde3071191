package reviewview

import (
	"slices"

	"huizhi/web/templates/ui"
)

func doubtIcon(t ui.Tone) string {
	switch t {
	case ui.Fail:
		return "circle-x"
	case ui.Wait:
		return "circle-alert"
	default:
		return "info"
	}
}

// toneClass colours the edge of a control.
func toneClass(control string, t ui.Tone) string {
	switch t {
	case ui.Fail:
		return control + "-error"
	case ui.Wait:
		return "border-warning!"
	default:
		return ""
	}
}

// choices are the options of a field and, when it is none of them, its value.
func choices(f Field) []string {
	if slices.Contains(f.Options, f.Value) {
		return f.Options
	}
	return append([]string{f.Value}, f.Options...)
}

// differences are the positions in b, in characters, at which it is not as a.
func differences(a, b string) []int {
	x, y := []rune(a), []rune(b)
	var at []int
	for i := range y {
		if i >= len(x) || x[i] != y[i] {
			at = append(at, i)
		}
	}
	return at
}
