package ppocr

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// line is a piece of text and where it stands.
type line struct {
	quad   quad
	glyphs []glyph
}

// glyph is one character that was read.
type glyph struct {
	char        rune
	probability float64
	at          float64 // place of its centre along the line, 0 to 1
	others      []rune  // what else it may be, the likeliest first
	none        float64 // probability of the blank: that it is no character of the dictionary
}

func (l line) confidence() float64 {
	if len(l.glyphs) == 0 {
		return 0
	}
	var sum float64
	for _, g := range l.glyphs {
		sum += g.probability
	}
	return sum / float64(len(l.glyphs))
}

func (l line) text() string {
	runes := make([]rune, len(l.glyphs))
	for i, g := range l.glyphs {
		runes[i] = g.char
	}
	return string(runes)
}

// maxOthers is how many further readings of a character are kept, and
// minOther how probable they must be.
const (
	maxOthers = 4
	minOther  = .005
)

// decode turns the recogniser's output, steps x classes probabilities, into
// characters: the best class of each step, repetitions merged, blanks dropped
// (CTC, Graves et al. 2006). Padding makes the output longer than the line by
// a factor.
func (e *engine) decode(output []float32, steps, classes int, padding float64) []glyph {
	var glyphs []glyph
	var peak []float32 // the row in which the last character is clearest
	before := 0
	for t := range steps {
		row := output[t*classes : (t+1)*classes]
		class := argmax(row)
		if class != 0 && class < len(e.characters) {
			char, _ := utf8.DecodeRuneInString(e.characters[class])
			switch last := len(glyphs) - 1; {
			case class != before:
				e.finish(glyphs, peak)
				at := min(1, (float64(t)+.5)/float64(steps)*padding)
				glyphs = append(glyphs, glyph{char: char, probability: float64(row[class]), at: at})
				peak = row
			case float64(row[class]) > glyphs[last].probability:
				glyphs[last].probability = float64(row[class])
				peak = row
			}
		}
		before = class
	}
	e.finish(glyphs, peak)
	return glyphs
}

// finish adds to the last character what else its clearest step tells.
func (e *engine) finish(glyphs []glyph, peak []float32) {
	if len(glyphs) == 0 {
		return
	}
	last := &glyphs[len(glyphs)-1]
	last.none = float64(peak[0])
	last.others = e.others(peak, last.char)
}

func argmax(row []float32) int {
	best, value := 0, row[0]
	for i, v := range row {
		if v > value {
			best, value = i, v
		}
	}
	return best
}

// others returns the likeliest characters of a step besides the one chosen.
func (e *engine) others(row []float32, chosen rune) []rune {
	var classes []int
	for class, p := range row[:min(len(row), len(e.characters))] {
		if p >= minOther && class != 0 {
			classes = append(classes, class)
		}
	}
	slices.SortFunc(classes, func(a, b int) int { return cmp.Compare(row[b], row[a]) })
	var runes []rune
	for _, class := range classes {
		if r, _ := utf8.DecodeRuneInString(e.characters[class]); r != chosen && len(runes) < maxOthers {
			runes = append(runes, r)
		}
	}
	return runes
}
