package ppocr

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// output is what a recogniser would return: for each step the probabilities of
// blank, 甲, 乙 and 丙.
func output(steps ...[4]float32) (flat []float32, n int) {
	for _, s := range steps {
		flat = append(flat, s[:]...)
	}
	return flat, len(steps)
}

func TestDecodeMergesRepetitionsAndDropsBlanks(t *testing.T) {
	t.Parallel()
	e := &engine{characters: []string{"", "甲", "乙", "丙"}}
	flat, n := output(
		[4]float32{.9, .1, 0, 0},
		[4]float32{.2, .7, .1, 0},   // 甲
		[4]float32{0, .9, .06, .04}, // the same, more clearly
		[4]float32{.8, .2, 0, 0},
		[4]float32{.1, .9, 0, 0}, // 甲 once more
		[4]float32{0, 0, .6, .4}, // 乙, at once
		[4]float32{1, 0, 0, 0},
		[4]float32{1, 0, 0, 0},
	)
	l := line{glyphs: e.decode(flat, n, 4, 1)}
	if l.text() != "甲甲乙" {
		t.Fatalf("got %s", l.text())
	}
	if g := l.glyphs[0]; g.probability < .89 || !slices.Equal(g.others, []rune{'乙', '丙'}) || g.at != 1.5/8 {
		t.Errorf("first: %+v", g)
	}
	if g := l.glyphs[2]; !slices.Equal(g.others, []rune{'丙'}) {
		t.Errorf("last: %+v", g)
	}
}

func TestDecodeMeasuresPlacesWithoutThePadding(t *testing.T) {
	t.Parallel()
	e := &engine{characters: []string{"", "甲"}}
	glyphs := e.decode([]float32{1, 0, 0, 1, 1, 0, 1, 0}, 4, 2, 2)
	if len(glyphs) != 1 || glyphs[0].at != .75 {
		t.Errorf("got %+v", glyphs)
	}
}

func TestDecodeOfNothingIsNothing(t *testing.T) {
	t.Parallel()
	e := &engine{characters: []string{"", "甲"}}
	if glyphs := e.decode(nil, 0, 2, 1); len(glyphs) != 0 {
		t.Errorf("got %+v", glyphs)
	}
	if c := (line{}).confidence(); c != 0 {
		t.Errorf("confidence %v", c)
	}
}

func TestReadDictionaryAddsBlankAndSpace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), dictionaryFile)
	if err := os.WriteFile(path, []byte("甲\r\n乙\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readDictionary(path)
	if err != nil || !slices.Equal(got, []string{"", "甲", "乙", " "}) {
		t.Errorf("got %q, %v", got, err)
	}
}
