package reviewview

import (
	"context"
	"strings"

	"huizhi/internal/i18n"
)

// Room around the photo for the figures, in its pixels.
const (
	roomSide   = 92.0
	roomTop    = 34.0
	roomBottom = 36.0
	tick       = 3.0
	offset     = 14.0 // of a dimension line from the edge
)

func (p Photo) viewBox() string {
	w, h := float64(p.Width), float64(p.Height)
	return strings.Join([]string{num(-roomSide), num(-roomTop), num(w + 2*roomSide), num(h + roomTop + roomBottom)}, " ")
}

func (p Photo) hairLine() string {
	return "M-10 " + num(p.TopMargin) + "H" + num(float64(p.Width)+10)
}

func (p Photo) eyeLine() string {
	y := float64(p.Height) - p.EyesToBottom
	return "M-10 " + num(y) + "H" + num(float64(p.Width)+10)
}

func (p Photo) middleLine() string {
	return "M" + num(float64(p.Width)/2) + " 0V" + num(float64(p.Height))
}

// dim is a dimension line with its figures.
type dim struct {
	x1, y1, x2, y2 float64
	anchor         string
	doubt          bool
	texts          []dimText
}

type dimText struct {
	x, y float64
	text string
}

func (d dim) class() string {
	if d.doubt {
		return "stroke-warning fill-warning"
	}
	return "stroke-accent fill-accent"
}

// path is the line and its two ends.
func (d dim) path() string {
	if d.x1 == d.x2 {
		x, a, b := num(d.x1), num(d.x1-tick), num(2*tick)
		return "M" + x + " " + num(d.y1) + "V" + num(d.y2) + "M" + a + " " + num(d.y1) + "h" + b + "M" + a + " " + num(d.y2) + "h" + b
	}
	y, a, b := num(d.y1), num(d.y1-tick), num(2*tick)
	return "M" + num(d.x1) + " " + y + "H" + num(d.x2) + "M" + num(d.x1) + " " + a + "v" + b + "M" + num(d.x2) + " " + a + "v" + b
}

// doubt tells whether the rule that a line shows was not met.
func (p Photo) doubt(measure string) bool {
	for _, r := range p.Rules {
		if r.Measure == measure && !r.OK {
			return true
		}
	}
	return false
}

// dimensions are the size of the photo, the free space above the hair, the eyes above the lower edge, and the width of
// the face. Where the face is from side to side was not measured: its line stands in the middle.
func (p Photo) dimensions() []dim {
	w, h := float64(p.Width), float64(p.Height)
	eyes := h - p.EyesToBottom
	left, right := (w-p.FaceWidth)/2, (w+p.FaceWidth)/2
	return []dim{
		{x1: 0, y1: -offset, x2: w, y2: -offset, anchor: "middle", texts: []dimText{{w / 2, -offset - 6, px(w) + ", " + p.mm(w)}}},
		{x1: -offset, y1: 0, x2: -offset, y2: p.TopMargin, anchor: "end", doubt: p.doubt("top"), texts: []dimText{{-offset - 8, p.TopMargin/2 + 4, px(p.TopMargin)}, {-offset - 8, p.TopMargin/2 + 18, p.mm(p.TopMargin)}}},
		{x1: w + offset, y1: eyes, x2: w + offset, y2: h, anchor: "start", doubt: p.doubt("eyes"), texts: []dimText{{w + offset + 8, (eyes + h) / 2, px(p.EyesToBottom)}, {w + offset + 8, (eyes+h)/2 + 14, p.mm(p.EyesToBottom)}}},
		{x1: left, y1: h + offset, x2: right, y2: h + offset, anchor: "middle", doubt: p.doubt("face"), texts: []dimText{{w / 2, h + offset + 18, px(p.FaceWidth) + ", " + p.mm(p.FaceWidth)}}},
	}
}

func measuredText(ctx context.Context, p Photo) string {
	if !p.hasFace() {
		return i18n.T(ctx, "review.photo")
	}
	return i18n.T(ctx, "review.measured", "top", px(p.TopMargin), "face", px(p.FaceWidth), "eyes", px(p.EyesToBottom))
}

func recordTitle(ctx context.Context, m Record) string {
	return i18n.T(ctx, "review.title") + " " + i18n.Count(m.Position) + " / " + totalText(m)
}

// navClass hides a neighbour that there is not, and the word on phones.
const navClass = "[&.btn-disabled]:invisible max-lg:[&.btn-disabled]:hidden max-lg:px-3! max-lg:text-[0px]!"

func selected(on bool) string {
	if on {
		return "true"
	}
	return "false"
}

func neighbour(m Record, id string) string {
	if id == "" {
		return "#"
	}
	return recordURL(m.Batch.ID, id)
}

func confirmLabel(ctx context.Context, m Record) string {
	if m.Next == "" {
		return i18n.T(ctx, "review.confirm")
	}
	return i18n.T(ctx, "review.confirm_next")
}
