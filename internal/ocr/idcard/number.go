package idcard

import (
	"regexp"
	"strings"

	"huizhi/internal/idnumber"
	"huizhi/internal/ocr"
)

// digits maps what is read where only digits stand; 0 drops a character.
func digit(r rune) rune {
	switch r {
	case 'O', 'o', 'D', 'Q':
		return '0'
	case 'l', 'I', 'i', '|', '!':
		return '1'
	case 'Z', 'z':
		return '2'
	case 'S', 's':
		return '5'
	case 'b':
		return '6'
	case 'B':
		return '8'
	case 'x', '×', 'х', 'Х', 'K':
		return 'X'
	case '.', ',', '·', '，', '。', '-', ':':
		return 0
	}
	return r
}

func asDigits(glyphs []Glyph) []Glyph {
	var digits []Glyph
	for _, g := range glyphs {
		if g.Char = digit(g.Char); g.Char != 0 {
			digits = append(digits, g)
		}
	}
	return digits
}

var numberLabels = []string{"公民身份号码", "身份号码", "份号码", "号码"}

// number finds the identification number, from the bottom up: the row with a
// valid one, else that with the label, else one that has the form.
func number(rows []row) (v value, at int) {
	for i := len(rows) - 1; i >= 0; i-- {
		digits := numberGlyphs(rows[i])
		for j := 0; j+idnumber.Length <= len(digits); j++ {
			window := digits[j : j+idnumber.Length]
			if idnumber.Valid(text(window)) {
				return valueOf(rows[i], window), i
			}
		}
	}
	for i := len(rows) - 1; i >= 0; i-- {
		digits := numberGlyphs(rows[i])
		_, labelled := after(rows[i].glyphs, numberLabels[:2]...)
		span := likeNumber.FindStringIndex(text(digits))
		if !labelled && (span == nil || len(numericDate.FindAllString(rows[i].text(), 2)) == 2) {
			continue // a validity has as many digits
		}
		if span != nil { // of ASCII characters, but what precedes it may not be
			first := len([]rune(text(digits)[:span[0]]))
			digits = digits[first : first+span[1]-span[0]]
		}
		v = valueOf(rows[i], digits)
		v.field.Candidates = secondChoices(digits)
		return v, i
	}
	return value{}, -1
}

// likeNumber is a number with a character too many or too few.
var likeNumber = regexp.MustCompile(`[0-9]{16,18}[0-9X]`)

func numberGlyphs(r row) []Glyph {
	glyphs := r.glyphs
	if rest, ok := after(glyphs, numberLabels...); ok {
		glyphs = rest
	}
	return asDigits(glyphs)
}

// secondChoices lists the valid numbers that arise when one character is
// replaced by what the engine holds next likely.
func secondChoices(digits []Glyph) []string {
	runes := []rune(text(digits))
	var numbers []string
	for i, g := range digits {
		for _, other := range g.Others {
			runes[i] = digit(other)
			if s := string(runes); idnumber.Valid(s) {
				numbers = append(numbers, s)
			}
		}
		runes[i] = g.Char
	}
	return numbers
}

// fromNumber fills what a valid number says and the print did not yield.
func fromNumber(values map[ocr.FieldName]value) {
	info, err := idnumber.Parse(values[ocr.IDNumber].field.Value)
	if err != nil {
		return
	}
	infer := func(name ocr.FieldName, s string) {
		v := values[name]
		if v.field.Value != "" && (v.field.Value == s || v.field.Confidence >= sureEnough) {
			return // also if it differs: that is for a person to see
		}
		v.field = ocr.Field{Value: s, Confidence: values[ocr.IDNumber].field.Confidence, Flags: ocr.Flags{ocr.Inferred}}
		values[name] = v
	}
	infer(ocr.BirthDate, info.Birth.Format("2006-01-02"))
	infer(ocr.Sex, ocr.SexOf(info))
}

// withoutEdges drops punctuation that specks and borders are read as.
func withoutEdges(glyphs []Glyph) []Glyph {
	const specks = ".·:：,，-—_'’‘|"
	for len(glyphs) > 0 && strings.ContainsRune(specks, glyphs[0].Char) {
		glyphs = glyphs[1:]
	}
	for len(glyphs) > 0 && strings.ContainsRune(specks, glyphs[len(glyphs)-1].Char) {
		glyphs = glyphs[:len(glyphs)-1]
	}
	return glyphs
}
