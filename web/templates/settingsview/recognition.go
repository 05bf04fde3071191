package settingsview

import (
	"context"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// RecognitionModel is the page of the engines that read documents.
type RecognitionModel struct {
	Engines   []Engine // in their order, then those that are off
	Document  string   // that the order is for; "" for all without one of their own
	Documents []string // that there are
	Own       bool     // the document has an order of its own
	Second    bool     // doubtful readings get a second opinion
	Cap       string   // the tenant's own, in yuan as typed; "" for the platform's
	CapError  string
	CapFen    int64 // that holds
	LimitFen  int64 // the platform's
	SpentFen  int64 // today
	Error     string
	// Consent is asked for when an engine is reached over plain HTTP.
	Insecure    bool
	ConsentedBy string // a name
	ConsentedAt time.Time
}

// Engine is one of them.
type Engine struct {
	Name     string // "juhe"
	State    string // "ready", "resting", "unavailable", "insecure"
	Reason   string // why it rests: "quota"
	Until    time.Time
	Remote   bool
	Insecure bool
	Reads    bool // the document
	Place    int  // from 1; 0: off
	Last     bool // the last of those that are on
	PriceFen int64
	Calls    int64 // today
	CostFen  int64
}

// EngineName is what people call an engine.
func EngineName(ctx context.Context, name string) string {
	if key := "ocrroute.engine." + name; i18n.Has(key) {
		return i18n.T(ctx, key)
	}
	return name
}

func engineBadge(ctx context.Context, e Engine) ui.Badge {
	switch {
	case e.Place > 0 && e.State == "insecure":
		return ui.Badge{Tone: ui.Wait, Icon: "circle-alert", Word: i18n.T(ctx, "ocrroute.state.insecure")}
	case e.Place == 0:
		return ui.Badge{Icon: "ban", Word: i18n.T(ctx, "ocrroute.state.off")}
	case e.State == "resting":
		return ui.Badge{Tone: ui.Wait, Icon: "pause", Word: i18n.T(ctx, "ocrroute.state.resting", "time", i18n.Time(e.Until))}
	case e.State == "unavailable":
		return ui.Badge{Tone: ui.Fail, Icon: "circle-x", Word: i18n.T(ctx, "ocrroute.state.unavailable")}
	default:
		return ui.Badge{Tone: ui.Done, Icon: "check", Word: i18n.T(ctx, "ocrroute.state.ready")}
	}
}

// where says where the engine is, and whether pictures travel there encrypted.
func where(ctx context.Context, e Engine) string {
	switch {
	case !e.Remote:
		return i18n.T(ctx, "ocrroute.where.local")
	case e.Insecure:
		return i18n.T(ctx, "ocrroute.where.insecure")
	case !e.Reads:
		return i18n.T(ctx, "ocrroute.where.other")
	default:
		return i18n.T(ctx, "ocrroute.where.remote")
	}
}

func (m RecognitionModel) documentOptions(ctx context.Context) []ui.Option {
	options := []ui.Option{{Value: "", Label: i18n.T(ctx, "ocrroute.document.any")}}
	for _, d := range m.Documents {
		options = append(options, ui.Option{Value: d, Label: i18n.T(ctx, "ocr.type."+d)})
	}
	return options
}

// paid tells whether there is anything to decide.
func (m RecognitionModel) paid() bool {
	for _, e := range m.Engines {
		if e.Remote {
			return true
		}
	}
	return false
}
