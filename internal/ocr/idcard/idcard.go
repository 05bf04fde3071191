// Package idcard makes fields of the lines of text on a resident identity card
// of the People's Republic of China (second generation, GA 448-2013): front,
// back, or both on one page. It is pure: it knows words and where they stand,
// and neither pictures nor engines.
package idcard

import (
	"unicode/utf8"

	"huizhi/internal/ocr"
)

// Line is a line of text in the frame of the page: x grows in the direction
// of reading, y downwards, both in pixels.
type Line struct {
	Box    Box
	Glyphs []Glyph
}

// Glyph is a character of a line.
type Glyph struct {
	Char        rune
	X           float64 // of its centre
	Probability float64 // that it is Char
	None        float64 // that it is no character the engine knows
	Others      []rune  // what else it may be, the likeliest first
}

// Box is an upright rectangle in the frame of the page.
type Box struct{ X0, Y0, X1, Y1 float64 }

// Height of the box.
func (b Box) Height() float64 { return b.Y1 - b.Y0 }

// Width of the box.
func (b Box) Width() float64 { return b.X1 - b.X0 }

func (b Box) centreY() float64 { return (b.Y0 + b.Y1) / 2 }

func (b Box) union(c Box) Box {
	if b == (Box{}) {
		return c
	}
	return Box{min(b.X0, c.X0), min(b.Y0, c.Y0), max(b.X1, c.X1), max(b.Y1, c.Y1)}
}

// Card is what the lines say. For Unknown there are no fields.
type Card struct {
	Type   ocr.DocType
	Fields ocr.Fields
	Boxes  map[ocr.FieldName]Box // where the values stand, for those that were read from print
}

// Parse finds the fields. They carry the doubts of the engine only; ocr.Check
// adds the others.
func Parse(lines []Line) *Card {
	card := &Card{Type: ocr.Unknown, Fields: ocr.Fields{}, Boxes: map[ocr.FieldName]Box{}}
	rows := makeRows(lines)
	front, first, end := parseFront(rows)
	back := parseBack(rows[end:])
	if back == nil {
		back = parseBack(rows[:first])
	}
	if back != nil {
		card.Type = ocr.IDCardBack
		card.add(ocr.BackFields, back)
	}
	if front != nil {
		card.Type = ocr.IDCardFront
		card.add(ocr.FrontFields, front)
	}
	return card
}

func (c *Card) add(names []ocr.FieldName, values map[ocr.FieldName]value) {
	for _, name := range names {
		v := values[name]
		read := v.field.Value
		v.field.Value = ocr.Normalize(name, read)
		if v.field.Value == read {
			v.field.Uncertain = v.uncertain
		}
		if name != ocr.Name && v.field.Value != "" && v.field.Confidence < sureEnough {
			v.field.Flags = append(v.field.Flags, ocr.LowConfidence)
		}
		c.Fields[name] = v.field
		if v.box != (Box{}) {
			c.Boxes[name] = v.box
		}
	}
}

// sureEnough is the probability of the least certain character from which on
// a value needs no second look. Most right values are far above it.
const sureEnough = .85

// value is a field and where it stands.
type value struct {
	field     ocr.Field
	uncertain []int // places of the characters of which the engine was not sure
	box       Box
}

// valueOf makes a value of glyphs that stand in a row.
func valueOf(r row, glyphs []Glyph) value {
	if len(glyphs) == 0 {
		return value{}
	}
	v := value{field: ocr.Field{Confidence: 1}}
	for i, g := range glyphs {
		v.field.Value += string(g.Char)
		v.field.Confidence = min(v.field.Confidence, g.Probability)
		if g.Probability < sureEnough {
			v.uncertain = append(v.uncertain, i)
		}
	}
	v.box = r.around(glyphs)
	return v
}

// then continues a value in the next row.
func (v value) then(w value) value {
	if v.field.Value == "" {
		return w
	}
	if w.field.Value == "" {
		return v
	}
	for _, i := range w.uncertain {
		v.uncertain = append(v.uncertain, utf8.RuneCountInString(v.field.Value)+i)
	}
	v.field.Value += w.field.Value
	v.field.Confidence = min(v.field.Confidence, w.field.Confidence)
	v.field.Candidates = nil // they were for a part
	for _, flag := range w.field.Flags {
		if !v.field.Has(flag) {
			v.field.Flags = append(v.field.Flags, flag)
		}
	}
	v.box = v.box.union(w.box)
	return v
}

// Capabilities are those of an engine that reads lines for Parse: both sides of
// the resident identity card, told apart by what is printed on them.
func Capabilities() ocr.Capabilities {
	sides := []ocr.DocType{ocr.IDCardFront, ocr.IDCardBack}
	return ocr.Capabilities{Documents: sides, Detects: sides, Confidence: true}
}
