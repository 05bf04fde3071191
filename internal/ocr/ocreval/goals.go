package ocreval

import (
	"fmt"
	"time"

	"huizhi/internal/ocr"
)

// Goal is a demand on a report.
type Goal struct {
	Name string
	Want string
	Got  string
	Met  bool
}

// Goals compares the report with what the product demands on synthetic cards.
func (r *Report) Goals() []Goal {
	var goals []Goal
	atLeast := func(name string, s Share, want float64) {
		goals = append(goals, Goal{name, fmt.Sprintf(">= %.0f%%", 100*want), fmt.Sprintf("%s (%.1f%%)", s, 100*s.Rate()), s.Rate() >= want})
	}
	atMost := func(name string, s Share, want float64) {
		rate := s.Rate()
		if s.Of == 0 {
			rate = 0
		}
		goals = append(goals, Goal{name, fmt.Sprintf("<= %.0f%%", 100*want), fmt.Sprintf("%s (%.1f%%)", s, 100*rate), rate <= want})
	}
	easy := []string{"scan", "rot", "phone", "copy"}
	atLeast("side recognised", r.Sides(), .99)
	atLeast("ID number, scan and phone", r.Accuracy(ocr.IDNumber, easy...), .99)
	atLeast("ID number, hard", r.Accuracy(ocr.IDNumber, "hard"), .98)
	wrong := r.WrongButValidNumbers()
	goals = append(goals, Goal{"ID numbers wrong without a flag", "0", fmt.Sprint(wrong), wrong == 0})
	atLeast("ordinary names, scan and phone", r.Names(Ordinary, easy...), .98)
	atLeast("ordinary names, hard", r.Names(Ordinary, "hard"), .95)
	atLeast("wrong names flagged", r.WrongNamesDoubted(), .90)
	atMost("right ordinary names flagged", r.RightNamesDoubted(Ordinary), .08)
	atLeast("address, scan and phone", r.Accuracy(ocr.Address, easy...), .97)
	atLeast("address, hard", r.Accuracy(ocr.Address, "hard"), .93)
	atLeast("ethnicity", r.Accuracy(ocr.Ethnicity), .95)
	atLeast("authority", r.Accuracy(ocr.Authority), .98)
	atLeast("valid from", r.Accuracy(ocr.ValidFrom), .98)
	atLeast("valid until", r.Accuracy(ocr.ValidUntil), .98)
	return goals
}

// CostGoals compares what a picture cost with what the product demands of a
// machine with two processors that has nothing else to do.
func (r *Report) CostGoals() []Goal {
	var goals []Goal
	within := func(name string, got, want time.Duration) {
		goals = append(goals, Goal{name, "<= " + want.String(), got.Round(time.Millisecond).String(), got <= want})
	}
	within("wall time, median", r.Wall(.5), 400*time.Millisecond)
	within("wall time, 95th percentile", r.Wall(.95), 800*time.Millisecond)
	if r.CPU > 0 {
		within("CPU per picture", r.CPUPerCard(), 500*time.Millisecond)
	}
	return goals
}

// Missed returns the goals that are not met.
func Missed(goals []Goal) []Goal {
	var missed []Goal
	for _, g := range goals {
		if !g.Met {
			missed = append(missed, g)
		}
	}
	return missed
}
