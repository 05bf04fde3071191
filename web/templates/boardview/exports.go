package boardview

import (
	"context"
	"time"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Exports is the page on which photos are taken out.
type Exports struct {
	Frame
	Form    Form
	Places  []ui.Option
	Photos  []string
	Preset  Preset
	Names   []Placeholder
	Preview Preview
	History History
	Errors  map[string]string
}

// Form is what was filled in.
type Form struct {
	Place    string // of Places
	States   map[string]bool
	Photos   string
	Template string
	School   string
	Folders  bool
}

// Preset is what the chosen system asks of a photo; Width is 0 for photos as they are.
type Preset struct {
	Fixed         bool // its files have one name only
	Width, Height int  // px
	MinKB, MaxKB  int
}

// Placeholder is what a template can name.
type Placeholder struct{ Write, Means string }

// templates are offered to begin with.
func templates(ctx context.Context) []string {
	if i18n.Lang(ctx) == i18n.ZH {
		return []string{"{身份证号}", "{学号}", "{学校}_{班级}_{姓名}", "{班级}_{学号}_{姓名}", "{身份证号}_{姓名}"}
	}
	return []string{"{id_number}", "{student_number}", "{school}_{class}_{name}", "{class}_{student_number}_{name}", "{id_number}_{name}"}
}

func (m Exports) photoOptions(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, p := range m.Photos {
		out = append(out, ui.Option{Value: p, Label: i18n.T(ctx, "board.photos."+p), Hint: i18n.T(ctx, "board.photos."+p+".hint")})
	}
	return out
}

// attrs make the form say at once what it would give.
func (m Exports) attrs() templ.Attributes {
	return templ.Attributes{"hx-get": m.url("/exports/preview", nil), "hx-trigger": "change, input changed delay:300ms from:find input[name=template], input changed delay:300ms from:find input[name=school]", "hx-target": "#preview", "hx-swap": "outerHTML", "hx-sync": "this:replace"}
}

// photosAttrs fetch the form anew with the choice, since a system may leave no choice of names.
func (m Exports) photosAttrs() templ.Attributes {
	return templ.Attributes{"hx-get": m.url("/exports", nil), "hx-include": "#export", "hx-trigger": "change", "hx-select": "#export", "hx-target": "#export", "hx-swap": "outerHTML"}
}

// Preview is what the form would give.
type Preview struct {
	Error   string // instead of all that follows
	People  int64
	Named   int64
	NoPhoto int64
	Left    int64
	Second  int64
	Missing []string // what names lack, with how many people
	Samples []string
	Preset  bool
}

func (p Preview) title(ctx context.Context) string {
	if p.Named == 0 {
		return i18n.T(ctx, "board.preview.none")
	}
	return i18n.T(ctx, "board.preview", "n", i18n.Count(p.Named), "people", i18n.Count(p.People))
}

// notes are what becomes of the others.
func (p Preview) notes(ctx context.Context) []string {
	var out []string
	if p.NoPhoto > 0 {
		out = append(out, i18n.T(ctx, "board.preview.no_photo", "n", i18n.Count(p.NoPhoto)))
	}
	if p.Left > 0 {
		out = append(out, i18n.T(ctx, "board.preview.left", "n", i18n.Count(p.Left)))
	}
	out = append(out, p.Missing...)
	if p.Second > 0 {
		out = append(out, i18n.T(ctx, "board.preview.second", "n", i18n.Count(p.Second)))
	}
	if p.Preset && p.Named > 0 {
		out = append(out, i18n.T(ctx, "board.preview.preset"))
	}
	return out
}

// History is what was taken out before.
type History struct {
	Self string // address of the list alone
	Rows []ExportRow
	Now  time.Time
}

// ExportRow is an export.
type ExportRow struct {
	ID, Title, Scope, Template, Who string
	State                           string
	Done, Total, Left, Size         int64
	Created, Expires                time.Time
	Problem                         string
	File, Index                     string // addresses; "" when there is none
}

func (r ExportRow) going() bool { return r.State == "waiting" || r.State == "running" }

func (h History) attrs() templ.Attributes {
	for _, r := range h.Rows {
		if r.going() {
			return templ.Attributes{"hx-get": h.Self, "hx-trigger": "every 1s", "hx-swap": "outerHTML"}
		}
	}
	return nil
}

func (r ExportRow) badge(ctx context.Context) ui.Badge {
	b := map[string]ui.Badge{
		"waiting": {Tone: ui.Run, Icon: "clock"}, "running": {Tone: ui.Run, Icon: "loader-circle", Live: true},
		"done": {Tone: ui.Done, Icon: "circle-check"}, "failed": {Tone: ui.Fail, Icon: "circle-x"}, "expired": {Tone: ui.Grey, Icon: "ban"},
	}[r.State]
	b.Plain = true
	return b.Worded(i18n.T(ctx, "exports.state."+r.State))
}

// result says how many photos are in the file.
func (r ExportRow) result(ctx context.Context) []string {
	out := []string{i18n.T(ctx, "board.export.photos", "n", i18n.Count(r.Total-r.Left)), i18n.Bytes(r.Size)}
	if r.Left > 0 {
		out = append(out, i18n.T(ctx, "board.export.left", "n", i18n.Count(r.Left)))
	}
	return out
}
