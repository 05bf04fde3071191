package panel

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/i18n"
	"huizhi/internal/providers/simulator/wire"
)

// State is what the page shows. It holds nothing of the people that applications are for.
type State struct {
	URL      string
	Points   int
	Accounts []Account
	Total    int // applications
	ByStatus map[string]int
	Latest   []Application // newest first

	Calls, Faults map[wire.Op]int
	Callbacks     int // sent, repetitions included
	Acknowledged  int
	Warnings      map[string]int
}

// Account is one at an OCR provider.
type Account struct {
	Op       wire.Op
	Left     int // calls, when limited
	Limited  bool
	Charged  int
	Answered int
}

// Application is a line of the list.
type Application struct {
	No, TypeName, City, Status, Message string
	Simulate, Charged                   bool
	Submitted                           time.Time
}

var statuses = []string{"pending", "processing", "submitted", "completed", "failed"}

// stateClass is the colour of a status.
func stateClass(status string) string {
	switch status {
	case "completed":
		return "state done"
	case "failed":
		return "state fail"
	case "processing", "submitted":
		return "state run"
	}
	return "state"
}

// when says how often a rule applies.
func when(ctx context.Context, f wire.Fault) string {
	var parts []string
	if len(f.Calls) > 0 {
		numbers := make([]string, len(f.Calls))
		for i, n := range f.Calls {
			numbers[i] = strconv.Itoa(n)
		}
		parts = append(parts, i18n.T(ctx, "simulator.when.calls", "calls", strings.Join(numbers, ", ")))
	}
	switch {
	case f.Rate == 1:
		parts = append(parts, i18n.T(ctx, "simulator.when.always"))
	case f.Rate > 0:
		parts = append(parts, i18n.T(ctx, "simulator.when.rate", "percent", strconv.FormatFloat(f.Rate*100, 'f', -1, 64)))
	}
	return strings.Join(parts, " · ")
}

// details are the particulars of a rule, in words.
func details(ctx context.Context, f wire.Fault) string {
	var parts []string
	if f.After {
		parts = append(parts, i18n.T(ctx, "simulator.after"))
	}
	if f.Delay > 0 {
		parts = append(parts, i18n.T(ctx, "simulator.seconds", "s", strconv.FormatFloat(f.Delay.Seconds(), 'f', -1, 64)))
	}
	if f.Code != 0 {
		parts = append(parts, fmt.Sprint(f.Code))
	}
	if f.Status != "" {
		parts = append(parts, i18n.T(ctx, "simulator.status."+f.Status))
	}
	if f.Message != "" {
		parts = append(parts, f.Message)
	}
	return strings.Join(parts, " · ")
}

// asText is a rule as JSON, to find it again.
func asText(f wire.Fault) string { return string(wire.Encode(f)) }

func warnings(s State) []string { return slices.Sorted(maps.Keys(s.Warnings)) }

func left(ctx context.Context, a Account) string {
	if !a.Limited {
		return i18n.T(ctx, "simulator.unlimited")
	}
	return i18n.Count(int64(a.Left))
}
