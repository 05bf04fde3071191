// Package ocreval measures an OCR engine on pictures of ID cards whose truth is
// known: how many fields are right, whether the doubts it raises are the right
// ones, and what it costs. Run it on consented scans of your own to know what
// to expect; the cards that the tests use are synthetic and therefore easier.
package ocreval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"huizhi/internal/ocr"
)

// Case is one picture and its truth, an entry of meta.json in the directory of
// the pictures.
type Case struct {
	File    string `json:"file"`
	Side    string `json:"side"`    // front, back or both
	Variant string `json:"variant"` // how the picture was taken, such as scan or phone
	Truth   Truth  `json:"gt"`
	// NameKind groups names by difficulty; those of Ordinary kinds are what an
	// engine must get right, the others what it must at least doubt.
	NameKind string `json:"name_kind"`
}

// Truth is what is printed on the card; what is not on the side is empty.
type Truth struct {
	Name      string `json:"name,omitempty"`
	Sex       string `json:"sex,omitempty"`
	Ethnicity string `json:"nation,omitempty"`
	Birth     string `json:"birth,omitempty"` // YYYY-MM-DD
	Address   string `json:"address,omitempty"`
	Number    string `json:"id,omitempty"`
	Authority string `json:"authority,omitempty"`
	Validity  string `json:"valid,omitempty"` // as printed: 2015.02.03-2035.02.03 or 2015.02.03-长期
}

// Ordinary are the kinds of names that consist of everyday characters.
var Ordinary = []string{"common", "dot"}

func (t Truth) fields() map[ocr.FieldName]string {
	from, until, _ := strings.Cut(t.Validity, "-")
	all := map[ocr.FieldName]string{
		ocr.Name: t.Name, ocr.Sex: t.Sex, ocr.Ethnicity: t.Ethnicity, ocr.BirthDate: t.Birth,
		ocr.Address: t.Address, ocr.IDNumber: t.Number, ocr.Authority: t.Authority,
		ocr.ValidFrom:  strings.ReplaceAll(from, ".", "-"),
		ocr.ValidUntil: strings.ReplaceAll(until, ".", "-"),
	}
	maps.DeleteFunc(all, func(_ ocr.FieldName, v string) bool { return v == "" })
	return all
}

// Result is what came of one picture.
type Result struct {
	Case    Case
	Reading *ocr.Reading // nil with Err
	Err     error
	Wall    time.Duration
}

// Report is what came of all.
type Report struct {
	Engine  string
	Results []Result
	CPU     time.Duration // of this process and its children, 0 where it cannot be measured
	PeakRSS int64         // bytes, of the largest of them
}

// Load reads the cases of a directory.
func Load(dir string) ([]Case, error) {
	b, err := os.ReadFile(filepath.Join(dir, "meta.json"))
	if err != nil {
		return nil, err
	}
	var cases []Case
	if err := json.Unmarshal(b, &cases); err != nil {
		return nil, fmt.Errorf("%s/meta.json: %w", dir, err)
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("%s/meta.json: no pictures", dir)
	}
	return cases, nil
}

// Run reads all pictures of directories, one after the other. Pictures that
// cannot be read are mistakes in the report; an error means that there is no
// report.
func Run(ctx context.Context, reader ocr.Reader, dirs ...string) (*Report, error) {
	report := &Report{}
	for i, dir := range dirs {
		cases, err := Load(dir)
		if err != nil {
			return nil, err
		}
		if i == 0 { // loading the engine is not part of reading
			if _, err := readFile(ctx, reader, filepath.Join(dir, cases[0].File)); err != nil {
				return nil, err
			}
		}
		before := usage()
		for _, c := range cases {
			start := time.Now()
			reading, err := readFile(ctx, reader, filepath.Join(dir, c.File))
			if ctx.Err() != nil || errors.Is(err, os.ErrNotExist) || errors.Is(err, ocr.ErrUnavailable) {
				return nil, err
			}
			report.Results = append(report.Results, Result{c, reading, err, time.Since(start)})
			if err == nil {
				report.Engine = reading.Engine
			}
		}
		after := usage()
		report.CPU += after.cpu - before.cpu
		report.PeakRSS = max(report.PeakRSS, after.peakRSS)
	}
	return report, nil
}

func readFile(ctx context.Context, reader ocr.Reader, path string) (*ocr.Reading, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return reader.Read(ctx, ocr.Request{Image: b})
}

// value is what was read for a field.
func (r Result) value(name ocr.FieldName) ocr.Field {
	if r.Reading == nil {
		return ocr.Field{}
	}
	return r.Reading.Fields[name]
}

func (r Result) right(name ocr.FieldName) bool {
	return r.value(name).Value == r.Case.Truth.fields()[name]
}

// doubted reports whether a person would be asked to look at the field.
func (r Result) doubted(name ocr.FieldName) bool {
	f := r.value(name)
	return f.Value == "" || f.Worst() >= ocr.Warn
}

func (r Result) sideRight() bool {
	if r.Reading == nil {
		return false
	}
	switch r.Case.Side {
	case "back":
		return r.Reading.Type == ocr.IDCardBack
	default:
		return r.Reading.Type == ocr.IDCardFront
	}
}

// Share is a number of successes among trials.
type Share struct{ Hits, Of int }

// Rate is 1 where there was nothing to try.
func (s Share) Rate() float64 {
	if s.Of == 0 {
		return 1
	}
	return float64(s.Hits) / float64(s.Of)
}

func (s Share) String() string {
	if s.Of == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", s.Hits, s.Of)
}

// share counts over the results that have the field.
func (r *Report) share(name ocr.FieldName, among, hit func(Result) bool) Share {
	var s Share
	for _, result := range r.Results {
		if _, has := result.Case.Truth.fields()[name]; !has || !among(result) {
			continue
		}
		s.Of++
		if hit(result) {
			s.Hits++
		}
	}
	return s
}

// Accuracy is the share of pictures in which a field is exactly right, among
// variants, or all if none are named.
func (r *Report) Accuracy(name ocr.FieldName, variants ...string) Share {
	return r.share(name, inVariants(variants), func(x Result) bool { return x.right(name) })
}

// Names is the accuracy of the names of some kinds.
func (r *Report) Names(kinds []string, variants ...string) Share {
	in := inVariants(variants)
	return r.share(ocr.Name,
		func(x Result) bool { return in(x) && slices.Contains(kinds, x.Case.NameKind) },
		func(x Result) bool { return x.right(ocr.Name) })
}

// WrongNamesDoubted is the share of the wrong names that carry a flag.
func (r *Report) WrongNamesDoubted() Share {
	return r.share(ocr.Name, func(x Result) bool { return !x.right(ocr.Name) },
		func(x Result) bool { return x.doubted(ocr.Name) })
}

// RightNamesDoubted is the share of right names of some kinds that carry a
// flag all the same.
func (r *Report) RightNamesDoubted(kinds []string) Share {
	return r.share(ocr.Name,
		func(x Result) bool { return x.right(ocr.Name) && slices.Contains(kinds, x.Case.NameKind) },
		func(x Result) bool { return x.doubted(ocr.Name) })
}

// WrongButValidNumbers counts the mistakes that no check can catch.
func (r *Report) WrongButValidNumbers() int {
	return r.share(ocr.IDNumber, func(x Result) bool { return !x.right(ocr.IDNumber) },
		func(x Result) bool { return !x.doubted(ocr.IDNumber) }).Hits
}

// Sides is the share of pictures whose type was recognised.
func (r *Report) Sides() Share {
	s := Share{Of: len(r.Results)}
	for _, x := range r.Results {
		if x.sideRight() {
			s.Hits++
		}
	}
	return s
}

// Wall is a quantile, 0 to 1, of the time a picture took.
func (r *Report) Wall(quantile float64) time.Duration {
	if len(r.Results) == 0 {
		return 0
	}
	var times []time.Duration
	for _, x := range r.Results {
		times = append(times, x.Wall)
	}
	slices.Sort(times)
	return times[min(int(quantile*float64(len(times))), len(times)-1)]
}

// CPUPerCard is the mean processor time of a picture.
func (r *Report) CPUPerCard() time.Duration {
	return r.CPU / time.Duration(max(1, len(r.Results)))
}

func inVariants(variants []string) func(Result) bool {
	return func(x Result) bool { return len(variants) == 0 || slices.Contains(variants, x.Case.Variant) }
}
