package ocreval_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/draw"

	"huizhi/internal/ocr"
	"huizhi/internal/ocr/cardgen"
	"huizhi/internal/ocr/local"
	"huizhi/internal/ocr/ocreval"
)

// TestMain lets the test binary be the engine's process.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "ocr-child" {
		if err := local.Serve(os.Stdin, os.Stdout, os.Args[2]); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// engine is the installed one. Without it the test is skipped, but for where
// that would hide that it was never measured.
func engine(t testing.TB) *local.Reader {
	t.Helper()
	dir := os.Getenv("HUIZHI_OCR_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "build", "ocr", "assets")
	}
	r := local.New(local.Config{Dir: dir, Exec: []string{os.Args[0], "ocr-child"}})
	if err := r.Health(t.Context()); err != nil {
		if os.Getenv("CI") == "true" || os.Getenv("HUIZHI_REQUIRE_OCR") == "1" {
			t.Fatalf("the OCR engine must be installed here (make ocr): %v", err)
		}
		t.Skipf("OCR NOT TESTED: the engine is not installed (make ocr): %v", err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// Costs are printed and not demanded: other programs share the machine. Tests
// with the engine do not run in parallel, for the costs to be its own.
func TestTheEngineMeetsItsGoalsOnFixturesAndFreshCards(t *testing.T) {
	reader := engine(t)
	fonts, err := cardgen.SystemFonts()
	if err != nil {
		t.Fatal(err)
	}
	fresh := t.TempDir()
	today := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	if err := cardgen.New(fonts, rand.New(rand.NewPCG(3, 1))).WriteSet(fresh, 4, today); err != nil {
		t.Fatal(err)
	}
	report, err := ocreval.Run(t.Context(), reader, filepath.Join("..", "testdata", "cards"), fresh)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.Print(&out, true); err != nil {
		t.Fatal(err)
	}
	goals := report.Goals()
	if err := ocreval.PrintGoals(&out, append(goals, report.CostGoals()...)); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	for _, g := range ocreval.Missed(goals) {
		t.Errorf("%s: want %s, got %s", g.Name, g.Want, g.Got)
	}
}

func TestReportsKeepValuesToThemselvesUnlessAsked(t *testing.T) {
	t.Parallel()
	report := &ocreval.Report{Results: []ocreval.Result{{Case: ocreval.Case{
		File: "a.jpg", Side: "front", Variant: "scan", NameKind: cardgen.Common,
		Truth: ocreval.Truth{Name: "赵涵平", Number: "350203199001028138"},
	}}}}
	var discreet, open bytes.Buffer
	if err := report.Print(&discreet, false); err != nil {
		t.Fatal(err)
	}
	if err := report.Print(&open, true); err != nil {
		t.Fatal(err)
	}
	if s := discreet.String(); strings.Contains(s, "赵涵平") || strings.Contains(s, "350203199001028138") {
		t.Errorf("printed values:\n%s", s)
	}
	if !strings.Contains(open.String(), "赵涵平") {
		t.Errorf("did not print values:\n%s", open.String())
	}
}

// BenchmarkCards reads the fixtures with the engine and, where it is installed,
// with Tesseract, and prints both.
func BenchmarkCards(b *testing.B) {
	ours := engine(b)
	dir := filepath.Join("..", "testdata", "cards")
	for b.Loop() {
		report, err := ocreval.Run(b.Context(), ours, dir)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(report.Wall(.5).Milliseconds()), "p50-ms/card")
		b.ReportMetric(float64(report.Wall(.95).Milliseconds()), "p95-ms/card")
		b.ReportMetric(float64(report.CPUPerCard().Milliseconds()), "cpu-ms/card")
		b.ReportMetric(float64(report.PeakRSS>>20), "rss-MB")
		tesseract := ocreval.Tesseract{}
		if err := tesseract.Health(b.Context()); err != nil {
			b.Logf("no comparison: %v", err)
			continue
		}
		other, err := ocreval.Run(b.Context(), tesseract, dir)
		if err != nil {
			b.Fatal(err)
		}
		var out bytes.Buffer
		if err := ocreval.Compare(&out, report, other); err != nil {
			b.Fatal(err)
		}
		b.Log("\n" + out.String())
	}
}

// A card photographed from afar with a camera of 12 megapixels.
func TestASmallCardInALargePhotoIsRead(t *testing.T) {
	reader := engine(t)
	fonts, err := cardgen.EmbeddedFonts()
	if err != nil {
		t.Fatal(err)
	}
	g := cardgen.New(fonts, rand.New(rand.NewPCG(5, 1)))
	person := cardgen.NewPerson(rand.New(rand.NewPCG(5, 2)), time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC))
	card, err := g.Front(person, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, share := range []float64{.2, .3, .5, .9} {
		photo := image.NewRGBA(image.Rect(0, 0, 4000, 3000))
		draw.Draw(photo, photo.Rect, image.NewUniform(color.Gray{110}), image.Point{}, draw.Src)
		width := int(4000 * share)
		place := image.Rect(300, 200, 300+width, 200+width*54/86)
		draw.CatmullRom.Scale(photo, place, card, card.Bounds(), draw.Over, nil)
		var file bytes.Buffer
		if err := jpeg.Encode(&file, photo, nil); err != nil {
			t.Fatal(err)
		}
		reading, err := reader.Read(t.Context(), ocr.Request{Image: file.Bytes()})
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[ocr.FieldName]string{ocr.Name: person.Name, ocr.IDNumber: person.IDNumber, ocr.Address: person.Address} {
			if got := reading.Fields[name].Value; got != want {
				t.Errorf("card of %.0f%% of the width: %s: got %q, want %q", 100*share, name, got, want)
			}
		}
		t.Logf("%.0f%%: %s", 100*share, reading.Took)
	}
}
