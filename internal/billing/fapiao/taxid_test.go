package fapiao

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTaxpayersNumbers(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"91350100M000100Y43":    "", // the example of GB 32100-2015, annex A
		"91350100m000100y43":    "",
		"9135 0100-M000100Y43":  "",
		"91350100M000100Y4Z":    "error.fapiao.tax_id_check",
		"91350100M000100Y34":    "error.fapiao.tax_id_check", // two characters swapped
		"9135010OM000100Y43":    "error.fapiao.tax_id_check", // O is no character of it
		"440301123456789":       "",
		"44030112345678912345":  "",
		"44030112345678":        "error.fapiao.tax_id",
		"440301123456789123456": "error.fapiao.tax_id",
		"44030112345678＊":       "error.fapiao.tax_id",
		"":                      "error.fapiao.tax_id",
	} {
		assert.Equal(t, want, taxIDProblem(cleanTaxID(id)), "%q", id)
	}
}

// FuzzTaxID: any text is judged, and a code with one digit changed is refused.
func FuzzTaxID(f *testing.F) {
	f.Add("91350100M000100Y43")
	f.Add("  \u3000")
	f.Fuzz(func(t *testing.T, s string) {
		id := cleanTaxID(s)
		if taxIDProblem(id) != "" || len(id) != 18 {
			return
		}
		for i := range id {
			other := strings.IndexByte(codeAlphabet, id[i]) + 1
			changed := id[:i] + string(codeAlphabet[other%31]) + id[i+1:]
			if taxIDProblem(changed) == "" {
				t.Errorf("%s and %s are both right", id, changed)
			}
		}
	})
}
