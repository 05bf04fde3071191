package counterview

import (
	"github.com/a-h/templ"

	"huizhi/web/templates/ui"
)

func followURL(token, below string) string { return "/f/" + token + below }

// followAttrs let the page ask again, slowly.
func followAttrs(m Follow) templ.Attributes {
	if !m.Open {
		return nil
	}
	return templ.Attributes{"hx-get": followURL(m.Token, ""), "hx-trigger": "every 8s", "hx-target": "#follow", "hx-swap": "morph:innerHTML"}
}

func followIcon(m Follow) string {
	switch m.Tone {
	case ui.Done:
		return "circle-check"
	case ui.Fail:
		return "circle-alert"
	case ui.Grey:
		return "ban"
	default:
		return "clock"
	}
}

func stepIcon(s Step) string {
	switch {
	case s.Failed:
		return "circle-alert"
	case s.Done:
		return "circle-check"
	case s.Current:
		return "loader-circle"
	default:
		return "circle-dashed"
	}
}

func stepClass(s Step) string {
	switch {
	case s.Failed:
		return "text-error"
	case s.Done:
		return "text-success"
	case s.Current:
		return "text-info icon-live"
	default:
		return "text-subtle"
	}
}
