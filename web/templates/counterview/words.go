package counterview

import (
	"strings"

	"github.com/a-h/templ"

	"huizhi/web/templates/reviewview"
	"huizhi/web/templates/ui"
)

func statusIcon(p Place) string {
	switch {
	case p.Reading:
		return "scan-text"
	case p.Tone == ui.Wait:
		return "circle-alert"
	case p.Tone == ui.Fail:
		return "circle-x"
	default:
		return "check"
	}
}

func verdictIcon(t ui.Tone) string {
	switch t {
	case ui.Fail:
		return "circle-x"
	case ui.Wait:
		return "circle-alert"
	case ui.Run:
		return "scan-face"
	default:
		return "circle-check"
	}
}

func nextKind(m Model) ui.Kind {
	if m.Done != nil {
		return ui.Primary
	}
	return ui.Plain
}

func (d Desk) typeName() string {
	for _, t := range d.Types {
		if t.Value == d.TypeID {
			return t.Label
		}
	}
	return ""
}

// nextPlace is the first place without a picture, "" when the two needed ones have one.
func (m Model) nextPlace() string {
	for _, p := range m.Places {
		if !p.Optional && p.Picture == "" && !p.Reading {
			return p.Name
		}
	}
	return ""
}

func cameraKey(next bool) templ.Attributes {
	if !next {
		return nil
	}
	return templ.Attributes{"data-key": "C"}
}

// folded tells that the place of an optional picture takes no room until there is one.
func (p Place) folded() bool { return p.Optional && p.Picture == "" && !p.Reading }

func shownClass(p Place) string {
	switch {
	case p.folded():
		return "hidden"
	case p.Optional:
		return "grid min-h-20"
	default:
		return "grid max-lg:min-h-24"
	}
}

// hasCrop tells the fields that can be compared with a piece of the card; the short ones are read with the number.
func hasCrop(f reviewview.Field) bool {
	return f.Name == "name" || f.Name == "id_number" || f.Name == "address"
}

// further tells the fields that the provider asks for besides those of the card.
func further(f reviewview.Field) bool { return strings.HasPrefix(f.Name, "custom.") }

// cropRoom keeps the height of a crop; addresses have two lines.
func cropRoom(f reviewview.Field) string {
	if f.Name == "address" {
		return "h-11"
	}
	return "h-7"
}

func groupColumns(g reviewview.Group) string {
	switch {
	case g.Title == "" && len(g.Fields) == 3:
		return "grid-cols-3"
	case g.Title != "" && len(g.Fields) > 1:
		return "md:grid-cols-2"
	default:
		return ""
	}
}

// toneClass gives icons inside the colour of the tone.
func toneClass(t ui.Tone) string {
	if t == ui.Grey {
		return ""
	}
	return "s-" + string(t)
}
