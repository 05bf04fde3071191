package ppocr

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const (
	// detectionSide is the longest side of the picture given to the detector,
	// a multiple of 32. More costs much and finds no more on cards: 960 takes
	// twice the time, 640 begins to lose the small print.
	detectionSide = 736
	lineHeight    = 48 // that the recogniser and the classifier expect
	maxLineWidth  = 3200
	// classifierWidth is the fixed width of the classifier's input.
	classifierWidth = 192
)

// engine runs the three networks. It is safe for concurrent use.
type engine struct {
	detector, classifier, recogniser *model

	id         string
	characters []string // by the recogniser's class; 0 is the blank
	buffers    sync.Pool
}

// openEngine verifies and loads the directory.
func openEngine(dir string, threads int) (*engine, error) {
	id, err := verify(dir)
	if err != nil {
		return nil, err
	}
	characters, err := readDictionary(filepath.Join(dir, dictionaryFile))
	if err != nil {
		return nil, err
	}
	library, err := filepath.Abs(filepath.Join(dir, runtimeFile))
	if err != nil {
		return nil, err
	}
	if err := loadLibrary(library); err != nil {
		return nil, err
	}
	e := &engine{id: id, characters: characters}
	for _, part := range []struct {
		model   **model
		file    string
		threads int
	}{
		{&e.detector, detectorFile, threads},
		{&e.classifier, classifierFile, 1},
		{&e.recogniser, recogniserFile, 1}, // lines are read side by side instead
	} {
		if *part.model, err = openModel(filepath.Join(dir, part.file), part.threads); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", part.file, err), e.close())
		}
	}
	return e, nil
}

// readDictionary returns the characters by class: the blank, the lines of the
// file, and the space, which PaddleOCR appends.
func readDictionary(path string) ([]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	text := strings.TrimSuffix(strings.ReplaceAll(string(b), "\r", ""), "\n")
	return append(append([]string{""}, strings.Split(text, "\n")...), " "), nil
}

func (e *engine) close() error {
	var errs []error
	for _, m := range []*model{e.detector, e.classifier, e.recogniser} {
		if m != nil {
			errs = append(errs, m.close())
		}
	}
	return errors.Join(errs...)
}

// withBuffer lends n floats of any content.
func (e *engine) withBuffer(n int, use func([]float32) error) error {
	b, _ := e.buffers.Get().(*[]float32)
	if b == nil || cap(*b) < n {
		fresh := make([]float32, n)
		b = &fresh
	}
	defer e.buffers.Put(b)
	return use((*b)[:n])
}

// detect finds the boxes of the lines, from top to bottom.
func (e *engine) detect(r *raster) ([]box, error) {
	scale := min(1, detectionSide/float64(max(r.width, r.height)))
	fit := func(n int) int { return max(32, int(math.Round(float64(n)*scale/32))*32) }
	width, height := fit(r.width), fit(r.height)
	var boxes []box
	err := e.withBuffer(3*width*height, func(planes []float32) error {
		r.resize(planes, width, height, forDetection)
		return e.detector.run(planes, height, width, func(probability []float32, _ []int64) {
			boxes = textBoxes(probability, width, height)
		})
	})
	for i, b := range boxes {
		boxes[i] = b.scaled(float64(r.width)/float64(width), float64(r.height)/float64(height))
	}
	return boxes, err
}

// upsideDown is the probability that a line is.
func (e *engine) upsideDown(r *raster, q quad) (p float64, err error) {
	width := min(widthFor(q, 1), classifierWidth)
	err = e.withBuffer(3*lineHeight*classifierWidth, func(planes []float32) error {
		r.line(planes, q, width, lineHeight, classifierWidth)
		return e.classifier.run(planes, lineHeight, classifierWidth, func(output []float32, _ []int64) {
			p = float64(output[1])
		})
	})
	return p, err
}

// recognise reads the line in a quad, drawn out sideways by a factor.
func (e *engine) recognise(r *raster, q quad, stretch float64) (line, error) {
	width := widthFor(q, stretch)
	padded := (width + 15) / 16 * 16
	l := line{quad: q}
	err := e.withBuffer(3*lineHeight*padded, func(planes []float32) error {
		r.line(planes, q, width, lineHeight, padded)
		return e.recogniser.run(planes, lineHeight, padded, func(output []float32, shape []int64) {
			l.glyphs = e.decode(output, int(shape[1]), int(shape[2]), float64(padded)/float64(width))
		})
	})
	return l, err
}

// widthFor keeps the proportions of a quad that becomes lineHeight high.
func widthFor(q quad, stretch float64) int {
	width := int(math.Ceil(lineHeight * stretch * q.width() / max(1, q.height())))
	return min(max(width, 8), maxLineWidth)
}
