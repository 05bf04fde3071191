package ocreval

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"huizhi/internal/ocr"
)

var allFields = slices.Concat(ocr.FrontFields, ocr.BackFields)

// Print writes tables of accuracy and cost. Values, which are personal data
// unless the cards are synthetic, are printed only if wanted.
func (r *Report) Print(w io.Writer, values bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	variants := r.variants()
	fmt.Fprint(t, "field")
	for _, v := range variants {
		fmt.Fprint(t, "\t", v)
	}
	fmt.Fprintln(t, "\tall")
	row := func(name string, share func(variants ...string) Share) {
		fmt.Fprint(t, name)
		for _, v := range variants {
			fmt.Fprint(t, "\t", share(v))
		}
		all := share()
		fmt.Fprintf(t, "\t%s\t%.1f%%\n", all, 100*all.Rate())
	}
	for _, name := range allFields {
		row(string(name), func(v ...string) Share { return r.Accuracy(name, v...) })
	}
	for _, kind := range r.nameKinds() {
		row("name: "+kind, func(v ...string) Share { return r.Names([]string{kind}, v...) })
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s, %d pictures: CPU %s a picture, wall %s median, %s 95th percentile, peak RSS %d MB\n",
		r.Engine, len(r.Results), r.CPUPerCard().Round(time.Millisecond),
		r.Wall(.5).Round(time.Millisecond), r.Wall(.95).Round(time.Millisecond), r.PeakRSS>>20)
	fmt.Fprintf(w, "names: wrong and flagged %s, right and flagged %s (ordinary), %s (all)\n\n",
		r.WrongNamesDoubted(), r.RightNamesDoubted(Ordinary), r.RightNamesDoubted(r.nameKinds()))
	r.printMistakes(w, values)
	return nil
}

func (r *Report) printMistakes(w io.Writer, values bool) {
	for _, x := range r.Results {
		if x.Err != nil {
			fmt.Fprintf(w, "%s: %v\n", x.Case.File, x.Err)
			continue
		}
		truth := x.Case.Truth.fields()
		for _, name := range allFields {
			want, has := truth[name]
			got := x.value(name)
			switch {
			case !has || x.right(name) && !(name == ocr.Name && x.doubted(name)):
			case values:
				fmt.Fprintf(w, "%s: %s: want %q, got %q %.3f %v\n", x.Case.File, name, want, got.Value, got.Confidence, got.Flags)
			case !x.right(name):
				fmt.Fprintf(w, "%s: %s: wrong, flags %v\n", x.Case.File, name, got.Flags)
			}
		}
	}
}

// PrintGoals writes a line for each goal.
func PrintGoals(w io.Writer, goals []Goal) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, g := range goals {
		verdict := "met"
		if !g.Met {
			verdict = "MISSED"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", g.Name, g.Want, g.Got, verdict)
	}
	return t.Flush()
}

func (r *Report) variants() []string {
	return r.distinct(func(c Case) string { return c.Variant })
}

func (r *Report) nameKinds() []string {
	return r.distinct(func(c Case) string {
		if c.Truth.Name == "" {
			return ""
		}
		return c.NameKind
	})
}

// distinct returns the values in the order in which they first occur.
func (r *Report) distinct(of func(Case) string) []string {
	var all []string
	for _, x := range r.Results {
		if v := of(x.Case); v != "" && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// Compare writes the costs and the accuracy of two engines on the same
// pictures, with how many times as much the second takes.
func Compare(w io.Writer, ours, other *Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\t%s\t%s\tratio\n", ours.Engine, other.Engine)
	cost := func(name string, a, b time.Duration) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%.1f\n", name, a.Round(time.Millisecond), b.Round(time.Millisecond), float64(b)/float64(max(a, 1)))
	}
	cost("wall time, median", ours.Wall(.5), other.Wall(.5))
	cost("wall time, 95th percentile", ours.Wall(.95), other.Wall(.95))
	cost("CPU per picture", ours.CPUPerCard(), other.CPUPerCard())
	for _, name := range allFields {
		a, b := ours.Accuracy(name), other.Accuracy(name)
		fmt.Fprintf(t, "%s right\t%.1f%%\t%.1f%%\n", name, 100*a.Rate(), 100*b.Rate())
	}
	return t.Flush()
}
