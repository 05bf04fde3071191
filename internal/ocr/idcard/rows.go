package idcard

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
)

// row is the lines that stand side by side, as one sequence of glyphs without
// white space, full-width forms of ASCII narrowed.
type row struct {
	lines  []Line
	glyphs []Glyph
	y, h   float64 // mean centre and height
}

func (r row) text() string { return text(r.glyphs) }

func text(glyphs []Glyph) string {
	var b strings.Builder
	for _, g := range glyphs {
		b.WriteRune(g.Char)
	}
	return b.String()
}

// around is the part of the row that the glyphs take up.
func (r row) around(glyphs []Glyph) Box {
	b := Box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, l := range r.lines {
		for _, g := range glyphs {
			if g.X >= l.Box.X0 && g.X <= l.Box.X1 {
				b.Y0, b.Y1 = min(b.Y0, l.Box.Y0), max(b.Y1, l.Box.Y1)
			}
		}
	}
	if math.IsInf(b.Y0, 1) {
		b.Y0, b.Y1 = r.y-r.h/2, r.y+r.h/2
	}
	half := (b.Y1 - b.Y0) / 2
	b.X0, b.X1 = glyphs[0].X-half, glyphs[len(glyphs)-1].X+half
	return b
}

// makeRows groups lines into rows from top to bottom. A line belongs to a row
// when it is level with the member nearest to it, which allows for lines that
// converge in a photograph taken at an angle.
func makeRows(lines []Line) []row {
	lines = withoutSpecks(lines)
	slices.SortStableFunc(lines, func(a, b Line) int { return cmp.Compare(a.Box.centreY(), b.Box.centreY()) })
	var rows []row
	for _, l := range lines {
		joined := false
		for i := len(rows) - 1; i >= max(0, len(rows)-3) && !joined; i-- {
			if joined = rows[i].level(l); joined {
				rows[i].lines = append(rows[i].lines, l)
			}
		}
		if !joined {
			rows = append(rows, row{lines: []Line{l}})
		}
	}
	for i := range rows {
		rows[i].finish()
	}
	rows = slices.DeleteFunc(rows, func(r row) bool { return len(r.glyphs) == 0 })
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.y, b.y) })
	return rows
}

// withoutSpecks drops what is too small to be print of the card.
func withoutSpecks(lines []Line) []Line {
	var heights []float64
	for _, l := range lines {
		heights = append(heights, l.Box.Height())
	}
	if len(heights) == 0 {
		return nil
	}
	least := .45 * median(heights)
	return slices.DeleteFunc(slices.Clone(lines), func(l Line) bool { return l.Box.Height() < least })
}

func (r row) level(l Line) bool {
	var nearest Line
	distance := math.Inf(1)
	for _, m := range r.lines {
		if d := max(0, m.Box.X0-l.Box.X1, l.Box.X0-m.Box.X1); d < distance {
			distance, nearest = d, m
		}
	}
	offset := math.Abs(nearest.Box.centreY() - l.Box.centreY())
	overlap := min(nearest.Box.X1, l.Box.X1) - max(nearest.Box.X0, l.Box.X0)
	return offset < .5*min(nearest.Box.Height(), l.Box.Height())+.02*distance &&
		overlap < .4*min(nearest.Box.Width(), l.Box.Width())
}

func (r *row) finish() {
	slices.SortStableFunc(r.lines, func(a, b Line) int { return cmp.Compare(a.Box.X0, b.Box.X0) })
	n := float64(len(r.lines))
	for _, l := range r.lines {
		r.y += l.Box.centreY() / n
		r.h += l.Box.Height() / n
		for _, g := range l.Glyphs {
			if unicode.IsSpace(g.Char) {
				continue
			}
			if g.Char >= '！' && g.Char <= '～' {
				g.Char += '!' - '！'
			}
			r.glyphs = append(r.glyphs, g)
		}
	}
}

// after returns the glyphs behind the first of the labels that is there.
// Longer labels come first; a label may have lost some of its characters.
func after(glyphs []Glyph, labels ...string) ([]Glyph, bool) {
	for _, label := range labels {
		if i := index(glyphs, label, 0); i >= 0 {
			return glyphs[i:], true
		}
	}
	return nil, false
}

// afterLike is after for one label, of which one character may be misread.
func afterLike(glyphs []Glyph, label string) ([]Glyph, bool) {
	if i := index(glyphs, label, 1); i >= 0 {
		return glyphs[i:], true
	}
	return nil, false
}

// index returns where the first occurrence of a label ends, allowing for
// wrong characters, or -1.
func index(glyphs []Glyph, label string, wrong int) int {
	runes := []rune(label)
	for i := 0; i+len(runes) <= len(glyphs); i++ {
		differ := 0
		for j, r := range runes {
			if glyphs[i+j].Char != r {
				differ++
			}
		}
		if differ <= wrong {
			return i + len(runes)
		}
	}
	return -1
}

func contains(glyphs []Glyph, words ...string) bool {
	_, ok := after(glyphs, words...)
	return ok
}
