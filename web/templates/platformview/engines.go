package platformview

import (
	"context"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Engine reads documents. The figures are those of a day.
type Engine struct {
	Name     string
	Remote   bool
	Calls    int64
	Answered int64 // with a reading, or with a fault of the picture's
	Lost     int64 // whether they were charged is not known
	CostFen  int64
	Median   time.Duration
	Reason   string    // of the last of its failures in a row: "quota"; "" if it works
	Until    time.Time // it rests until then; zero if it does not
}

func engineBadge(ctx context.Context, e Engine) ui.Badge {
	switch {
	case e.Reason == "quota" || e.Reason == "account":
		return ui.Badge{Tone: ui.Fail, Icon: "circle-x", Word: i18n.T(ctx, "ocrroute.state.act")}
	case !e.Until.IsZero():
		return ui.Badge{Tone: ui.Wait, Icon: "pause", Word: i18n.T(ctx, "ocrroute.state.resting", "time", i18n.Time(e.Until))}
	default:
		return ui.Badge{Tone: ui.Done, Icon: "check", Word: i18n.T(ctx, "ocrroute.state.ready")}
	}
}
