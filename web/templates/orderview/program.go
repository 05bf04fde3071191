package orderview

import (
	"context"
	"strconv"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Program is what the program that handed an order in was told of its end.
type Program struct {
	ApplicationNo string // as the program knows the order
	Callback      bool   // it gave an address for callbacks
	Ended         bool   // as far as the program is concerned
	Done          bool   // acknowledged, or given up
	Tries         []CallbackTry
}

// CallbackTry is one try of telling it.
type CallbackTry struct {
	At         time.Time
	Took       time.Duration
	HTTPStatus int    // 0: no answer
	ProblemKey string // "": acknowledged
}

// Waiting tells that a callback is on its way.
func (p *Program) Waiting() bool { return p != nil && p.Callback && p.Ended && !p.Done }

// badge is the outcome of the callbacks, if there are to be any.
func (p *Program) badge(ctx context.Context) ui.Badge {
	n := len(p.Tries)
	switch {
	case p.Waiting():
		return ui.Badge{Icon: "loader-circle", Tone: ui.Run, Live: true, Word: i18n.T(ctx, "orders.program.under_way")}
	case n > 0 && p.Tries[n-1].ProblemKey == "":
		return ui.Badge{Icon: "check", Tone: ui.Done, Word: i18n.T(ctx, "orders.program.told")}
	default:
		return ui.Badge{Icon: "circle-alert", Tone: ui.Fail, Word: i18n.T(ctx, "orders.program.given_up")}
	}
}

// sentence stands where there are no tries to list.
func (p *Program) sentence(ctx context.Context) string {
	switch {
	case !p.Callback:
		return i18n.T(ctx, "orders.program.no_callback")
	case !p.Ended:
		return i18n.T(ctx, "orders.program.later")
	}
	return i18n.T(ctx, "orders.program.soon")
}

// result is HTTP 200, or what went wrong.
func (t CallbackTry) result(ctx context.Context) []string {
	parts := []string{i18n.T(ctx, "orders.program.acknowledged")}
	if t.ProblemKey != "" {
		parts[0] = i18n.T(ctx, t.ProblemKey)
	}
	if t.HTTPStatus != 0 {
		parts = append([]string{"HTTP " + strconv.Itoa(t.HTTPStatus)}, parts...)
	}
	return append(parts, took(ctx, t.Took))
}
