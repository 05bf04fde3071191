package reviewview

import (
	"context"
	"slices"
	"strconv"
	"time"

	"huizhi/internal/i18n"
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

// differences are the positions in b, in characters, at which it is not as a. Of
// values of one length they are compared place by place, else by what they have
// in common, so that a missing character does not shift the rest.
func differences(a, b string) []int {
	x, y := []rune(a), []rune(b)
	var at []int
	if len(x) == len(y) {
		for i := range y {
			if x[i] != y[i] {
				at = append(at, i)
			}
		}
		return at
	}
	// common[i][j] is the length of the longest common subsequence of x[i:] and y[j:].
	common := make([][]int, len(x)+1)
	for i := range common {
		common[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			common[i][j] = max(common[i+1][j], common[i][j+1])
			if x[i] == y[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	for i, j := 0, 0; j < len(y); {
		switch {
		case i < len(x) && x[i] == y[j]:
			i, j = i+1, j+1
		case i < len(x) && common[i+1][j] >= common[i][j+1]:
			i++
		default:
			at = append(at, j)
			j++
		}
	}
	return at
}

// altKey is the key that takes the i-th other value of a field, "" beyond the digits.
func altKey(i int) string {
	if i > 8 {
		return ""
	}
	return "Alt " + strconv.Itoa(i+1)
}

// paceText is a mean time of 4.1 s.
func paceText(ctx context.Context, d time.Duration) string {
	return i18n.T(ctx, "review.seconds", "s", strconv.FormatFloat(d.Seconds(), 'f', 1, 64))
}

// leftText is about how long the rest will take.
func leftText(ctx context.Context, m Record) string {
	left := m.Pace * time.Duration(m.Left)
	if left < 90*time.Second {
		return i18n.T(ctx, "review.left.seconds", "n", int(left.Seconds()+.5))
	}
	return i18n.T(ctx, "review.left.minutes", "n", int(left.Minutes()+.5))
}

// totalText is how many there are, 10,000+ when nobody counted further.
func totalText(m Record) string {
	if m.More {
		return i18n.Count(m.Total) + "+"
	}
	return i18n.Count(m.Total)
}
