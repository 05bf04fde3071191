package ocreval

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/ocr"
	"huizhi/internal/ocr/idcard"
)

// Tesseract is the open-source engine that is a package of every distribution
// (Debian: tesseract-ocr, tesseract-ocr-chi-sim), with the same parser behind
// it: what to compare with.
type Tesseract struct{}

var _ ocr.Reader = Tesseract{}

// Name implements ocr.Reader.
func (Tesseract) Name() string { return "tesseract" }

// Close implements ocr.Reader.
func (Tesseract) Close() error { return nil }

// Health implements ocr.Reader.
func (Tesseract) Health(ctx context.Context) error {
	languages, err := exec.CommandContext(ctx, "tesseract", "--list-langs").Output()
	if err != nil {
		return fmt.Errorf("%w: %w", ocr.ErrUnavailable, err)
	}
	if !bytes.Contains(languages, []byte("chi_sim")) {
		return fmt.Errorf("%w: tesseract has no chi_sim", ocr.ErrUnavailable)
	}
	return nil
}

// Capabilities implements ocr.Reader.
func (Tesseract) Capabilities() ocr.Capabilities { return idcard.Capabilities() }

// Read implements ocr.Reader. Sparse text (mode 11) is what works best on cards.
func (Tesseract) Read(ctx context.Context, request ocr.Request) (*ocr.Reading, error) {
	start := time.Now()
	command := exec.CommandContext(ctx, "tesseract", "-", "-", "-l", "chi_sim+eng", "--psm", "11", "--dpi", "300", "tsv")
	command.Stdin = bytes.NewReader(request.Image)
	table, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: tesseract: %w", ocr.ErrUnreadable, err)
	}
	lines := tesseractLines(table)
	card := idcard.Parse(lines)
	return &ocr.Reading{
		Type: card.Type, Fields: ocr.Check(card.Fields, start), TextLines: len(lines), Took: time.Since(start), Engine: "tesseract",
	}, nil
}

// tesseractLines makes a line of each word in Tesseract's table of level, page,
// block, paragraph, line, word, left, top, width, height, confidence and text.
func tesseractLines(table []byte) []idcard.Line {
	var lines []idcard.Line
	rows := bufio.NewScanner(bytes.NewReader(table))
	for rows.Scan() {
		fields := strings.Split(rows.Text(), "\t")
		if len(fields) < 12 || fields[0] != "5" || strings.TrimSpace(fields[11]) == "" {
			continue
		}
		number := func(i int) float64 {
			v, _ := strconv.ParseFloat(fields[i], 64)
			return v
		}
		x, y, width, height, confidence := number(6), number(7), number(8), number(9), number(10)/100
		if confidence < .2 || height < 8 || height > 150 {
			continue
		}
		l := idcard.Line{Box: idcard.Box{X0: x, Y0: y - .15*height, X1: x + width, Y1: y + 1.15*height}}
		runes := []rune(fields[11])
		for i, r := range runes {
			l.Glyphs = append(l.Glyphs, idcard.Glyph{
				Char: r, X: x + width*(float64(i)+.5)/float64(len(runes)), Probability: confidence,
			})
		}
		lines = append(lines, l)
	}
	return lines
}
