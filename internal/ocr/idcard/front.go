package idcard

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"huizhi/internal/ocr"
)

// front is the rows in which the fields of a front stand; -1 where not found.
type front struct {
	rows                                []row
	name, sex, birth, address, idNumber int
	column                              column // of the values
}

// parseFront returns nil if there is no front, and the range of rows that
// belong to it.
func parseFront(rows []row) (values map[ocr.FieldName]value, first, end int) {
	values = map[ocr.FieldName]value{}
	f := front{rows: rows}
	values[ocr.IDNumber], f.idNumber = number(rows)
	if !f.locate() {
		return nil, 0, 0
	}
	values[ocr.Name] = f.readName()
	values[ocr.Sex] = f.readSex()
	values[ocr.Ethnicity] = f.readEthnicity()
	values[ocr.BirthDate] = f.readBirthDate()
	values[ocr.Address] = f.readAddress()
	fromNumber(values)
	first = len(rows)
	for _, i := range []int{f.name, f.sex, f.birth, f.address, f.idNumber} {
		if i >= 0 {
			first, end = min(first, i), max(end, i+1)
		}
	}
	return values, first, end
}

// locate finds the rows by their labels, and those without by the order on the
// card: name, sex and ethnicity, birth date, address, number. It reports
// whether enough of a front is there.
func (f *front) locate() bool {
	f.name, f.sex, f.birth, f.address = -1, -1, -1, -1
	above := f.rows
	if f.idNumber >= 0 {
		above = f.rows[:f.idNumber]
	}
	found := 0
	first := func(field *int, i int, is bool) {
		if *field < 0 && is {
			*field = i
			found++
		}
	}
	for i, r := range above {
		g := r.glyphs
		first(&f.sex, i, contains(g, "性别", "民族"))
		first(&f.name, i, f.sex < 0 && contains(g, "姓名"))
		first(&f.birth, i, contains(g, "出生") || printedDate.MatchString(text(asDigits(g))))
		begins := g[0].Char == '住' || g[0].Char == '址'
		first(&f.address, i, contains(g, "住址") || f.birth >= 0 && i > f.birth && begins)
	}
	if f.idNumber >= 0 {
		found++
	}
	if found < 2 || f.sex < 0 && f.birth < 0 && f.address < 0 {
		return false
	}
	if f.name < 0 && f.sex > 0 {
		f.name = f.sex - 1
	}
	if f.address < 0 && f.birth >= 0 && f.idNumber > f.birth+1 {
		f.address = f.birth + 1
	}
	if f.address < 0 && f.sex >= 0 && f.idNumber > f.sex+2 {
		f.address = f.sex + 2
	}
	f.findColumn()
	return true
}

// findColumn locates the column of values by characters that are surely their
// first: the sex, the century of birth, and the further lines of the address.
// It separates labels from values better than the text, where they stick
// together ("姓名不").
func (f *front) findColumn() {
	var points []place
	add := func(i int, g Glyph, offset float64) {
		points = append(points, place{g.X + offset*f.rows[i].h, f.rows[i].y})
	}
	if f.sex >= 0 {
		if g, ok := find(f.rows[f.sex].glyphs, "男女"); ok {
			add(f.sex, g, 0)
		}
	}
	if f.birth >= 0 {
		if g, ok := find(f.rows[f.birth].glyphs, "12"); ok {
			add(f.birth, g, .25) // half as wide as a Chinese character
		}
	}
	if f.address >= 0 {
		for i := f.address + 1; i < f.idNumber; i++ {
			add(i, f.rows[i].glyphs[0], 0)
		}
	}
	f.column = newColumn(points)
}

// values returns the glyphs of a row behind its label.
func (f *front) values(i int, labels ...string) []Glyph {
	r := f.rows[i]
	glyphs, ok := after(r.glyphs, labels...)
	if !ok {
		glyphs = r.glyphs
	}
	return slices.DeleteFunc(slices.Clone(glyphs), func(g Glyph) bool { return g.X < f.column.at(r.y)-.5*r.h })
}

const nameDots = "·•.・．"

func (f *front) readName() value {
	if f.name < 0 {
		return value{}
	}
	v := f.nameIn(f.name, f.values(f.name, "姓名", "名", "姓"))
	for i := f.name + 1; i < f.sex; i++ { // long names take two lines
		g := f.values(i)
		if len(g) > 0 && math.Abs(g[0].X-f.column.at(f.rows[i].y)) < f.rows[i].h {
			v = v.then(f.nameIn(i, g))
		}
	}
	v.field.Value = strings.Trim(ocr.Normalize(ocr.Name, v.field.Value), "·")
	return v
}

func (f *front) nameIn(i int, glyphs []Glyph) value {
	glyphs = slices.DeleteFunc(glyphs, func(g Glyph) bool {
		return !unicode.Is(unicode.Han, g.Char) && !strings.ContainsRune(nameDots, g.Char)
	})
	r := f.rows[i]
	v := valueOf(r, glyphs)
	if len(glyphs) == 0 {
		return v
	}
	v.box = v.box.union(f.around(r, glyphs))
	v.doubtName(glyphs)
	if max(r.widestGap(glyphs), f.indent(r, glyphs[0])) > maxNameGap {
		v.field.Flags = append(v.field.Flags, ocr.Gap)
	}
	return v
}

// around is the place of a name with what may have been lost of it: from where
// the column begins to where the detector saw the line end.
func (f *front) around(r row, glyphs []Glyph) Box {
	b := r.around(glyphs)
	if left := f.column.at(r.y) - .6*r.h; left > b.X0-2*r.h {
		b.X0 = min(b.X0, left)
	}
	last := glyphs[len(glyphs)-1].X
	for _, l := range r.lines {
		if last >= l.Box.X0 && last <= l.Box.X1 {
			b.X1 = max(b.X1, l.Box.X1)
		}
	}
	return b
}

// A character of a name is doubted below sureOfName, and below nearlySure also
// if the engine holds it possible, by maxNone, that it does not know it. That
// is stricter than sureEnough, as nothing else on the card bears out a name,
// and rare characters are read as similar ones with some certainty: 攽 as 放
// with .95. The values were chosen on 440 synthetic names and keep the doubts
// about right names of everyday characters below 8 in 100.
const (
	sureOfName = .93
	nearlySure = .96
	maxNone    = .012
)

func doubtful(g Glyph) bool {
	return unicode.Is(unicode.Han, g.Char) && // engines are never sure of middle dots
		(g.Probability < sureOfName || g.Probability < nearlySure && g.None > maxNone)
}

// doubtName sets the confidence of a name, and if a character is doubtful
// offers what else it may be.
func (v *value) doubtName(glyphs []Glyph) {
	v.field.Confidence, v.uncertain = 1, nil
	least, doubted := 0, false
	for i, g := range glyphs {
		if unicode.Is(unicode.Han, g.Char) && g.Probability < v.field.Confidence {
			v.field.Confidence, least = g.Probability, i
		}
		if doubtful(g) {
			doubted, v.uncertain = true, append(v.uncertain, i)
		}
	}
	if !doubted {
		return
	}
	v.field.Flags = append(v.field.Flags, ocr.LowConfidence)
	name := []rune(v.field.Value)
	for _, other := range glyphs[least].Others {
		if unicode.Is(unicode.Han, other) {
			name[least] = other
			v.field.Candidates = append(v.field.Candidates, string(name))
		}
	}
}

// maxNameGap is the free space, in line heights, from which on a character is
// likely to be missing. The recogniser drops without a trace what is not in its
// dictionary, but the detector has seen it.
const maxNameGap = .62

// widestGap is the widest free space between the glyphs, and behind them in the
// line that the detector saw.
func (r row) widestGap(glyphs []Glyph) float64 {
	var gap float64
	for i := 1; i < len(glyphs); i++ {
		gap = max(gap, (glyphs[i].X-glyphs[i-1].X)/r.h-1)
	}
	first, last := glyphs[0].X, glyphs[len(glyphs)-1].X
	for _, l := range r.lines {
		if last >= l.Box.X0 && last <= l.Box.X1 {
			gap = max(gap, (l.Box.X1-last)/r.h-.5)
		}
		if first >= l.Box.X0 && first <= l.Box.X1 && l.Glyphs[0].X >= first { // a line without the label
			gap = max(gap, (first-l.Box.X0)/r.h-.5)
		}
	}
	return gap
}

// indent is by how much farther, in line heights, a name begins from its label
// than the sex from its own.
func (f *front) indent(r row, first Glyph) float64 {
	if f.sex < 0 {
		return 0
	}
	label, ok1 := find(r.glyphs, "名")
	sexLabel, ok2 := find(f.rows[f.sex].glyphs, "别")
	sex, ok3 := find(f.rows[f.sex].glyphs, "男女")
	if !ok1 || !ok2 || !ok3 {
		return 0
	}
	return ((first.X - label.X) - (sex.X - sexLabel.X)) / r.h
}

// find returns the first of the glyphs that is one of a set.
func find(glyphs []Glyph, set string) (Glyph, bool) {
	for _, g := range glyphs {
		if strings.ContainsRune(set, g.Char) {
			return g, true
		}
	}
	return Glyph{}, false
}

func (f *front) readSex() value {
	if f.sex < 0 {
		return value{}
	}
	if g, ok := find(f.rows[f.sex].glyphs, "男女"); ok {
		return valueOf(f.rows[f.sex], []Glyph{g})
	}
	return value{}
}

func (f *front) readEthnicity() value {
	if f.sex < 0 {
		return value{}
	}
	r := f.rows[f.sex]
	glyphs, ok := after(r.glyphs, "民族", "族")
	if !ok {
		return value{}
	}
	v := valueOf(r, withoutEdges(glyphs))
	v.field.Value, v.field.Candidates = nearestEthnicity(v.field.Value)
	return v
}

// nearestEthnicity corrects a lost or a misread character where only one entry
// of the list comes into question; else it returns s and what may be meant.
func nearestEthnicity(s string) (value string, candidates []string) {
	if s == "" || slices.Contains(ocr.Ethnicities, s) {
		return s, nil
	}
	var longest string // as what follows may be noise
	for _, e := range ocr.Ethnicities {
		if strings.HasPrefix(s, e) && len(e) > len(longest) {
			longest = e
		}
	}
	if longest != "" {
		return longest, nil
	}
	for _, e := range ocr.Ethnicities {
		a, b := []rune(e), []rune(s)
		lost := strings.Contains(e, s)
		misread := len(a) >= 2 && len(a) == len(b) && differing(a, b) == 1
		if lost || misread {
			candidates = append(candidates, e)
		}
	}
	if len(candidates) == 1 {
		return candidates[0], nil
	}
	return s, candidates
}

func differing(a, b []rune) int {
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

var printedDate = regexp.MustCompile(`((?:18|19|20)[0-9]{2})年([0-9]{1,2})月([0-9]{1,2})日?`)

func (f *front) readBirthDate() value {
	if f.birth < 0 {
		return value{}
	}
	r := f.rows[f.birth]
	digits := asDigits(r.glyphs)
	s := text(digits)
	span := printedDate.FindStringIndex(s)
	if span == nil {
		return value{}
	}
	first := len([]rune(s[:span[0]]))
	return valueOf(r, digits[first:first+len([]rune(s[span[0]:span[1]]))])
}

func (f *front) readAddress() value {
	if f.address < 0 {
		return value{}
	}
	r := f.rows[f.address]
	glyphs := f.values(f.address, "住址", "址", "住")
	v := valueOf(r, withoutEdges(glyphs))
	left := f.column.at(r.y)
	if len(glyphs) > 0 {
		left = glyphs[0].X
	}
	end := len(f.rows)
	if f.idNumber >= 0 {
		end = f.idNumber
	}
	for i := f.address + 1; i < end; i++ {
		next := f.rows[i]
		if next.y-f.rows[i-1].y > 3*r.h || next.glyphs[0].X < left-2*r.h {
			break
		}
		v = v.then(valueOf(next, withoutEdges(next.glyphs)))
	}
	return v
}
