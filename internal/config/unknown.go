package config

import (
	"cmp"
	"os"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// prefix is that of every variable of ours.
const prefix = "HUIZHI_"

// Unknown is a variable of the environment that looks like a setting and is none: it does nothing.
type Unknown struct {
	Name    string `json:"unknown"`
	Nearest string `json:"nearest"` // the setting that was probably meant; "" if none is near
}

// String says it to a person. The value is not told: it may be a secret.
func (u Unknown) String() string {
	if u.Nearest == "" {
		return u.Name + " is no setting and does nothing"
	}
	return u.Name + " is no setting and does nothing; did you mean " + u.Nearest + "?"
}

// Unknowns lists the variables of the environment that begin like ours and are no settings, sorted.
func Unknowns() []Unknown { return unknowns(env.ToMap(os.Environ())) }

// Variables below these are read by this project's own tests and scripts.
var ofTests = []string{"HUIZHI_TEST_", "HUIZHI_E2E_", "HUIZHI_CHAOS_", "HUIZHI_BENCH_", "HUIZHI_REQUIRE_", "HUIZHI_UPDATE_"}

func unknowns(vars map[string]string) []Unknown {
	known := map[string]bool{}
	for _, s := range new(Config).Settings() {
		known[s.Name], known[s.Name+"_FILE"] = true, true
	}
	var out []Unknown
	for name := range vars {
		ours := strings.HasPrefix(name, prefix) && !slices.ContainsFunc(ofTests, func(p string) bool { return strings.HasPrefix(name, p) })
		if ours && !known[name] {
			out = append(out, Unknown{Name: name, Nearest: nearest(name, known)})
		}
	}
	slices.SortFunc(out, func(a, b Unknown) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// nearest is the known name that the fewest slips of the hand lead from, if they are few for its length: one in three
// letters after the prefix.
func nearest(name string, known map[string]bool) string {
	best, slips := "", len(name)
	for k := range known {
		if d := distance(name, k); d < slips || d == slips && k < best {
			best, slips = k, d
		}
	}
	if slips > max(1, (len(name)-len(prefix))/3) {
		return ""
	}
	return best
}

// distance counts the letters that must be put in, left out, replaced, or swapped with their neighbour, to make b of a
// (Damerau and Levenshtein, each pair swapped once).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			changed := 1
			if a[i-1] == b[j-1] {
				changed = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+changed)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
