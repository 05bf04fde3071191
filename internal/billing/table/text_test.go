package table

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTextIsSafeToOpen(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                   "",
		"居住证":                "居住证",
		"HZ-2611-004812":     "HZ-2611-004812",
		"三(2)班":              "三(2)班",
		"=1+1":               "'=1+1",
		"+86":                "'+86",
		"-1":                 "'-1",
		"@SUM(A1)":           "'@SUM(A1)",
		"\t=1":               "'\t=1",
		"\r=1":               "'\r=1",
		"＝1":                 "'＝1",
		"001":                "001\t",
		"440305201603120017": "440305201603120017\t",
		"1E5":                "1E5\t",
		"3-2":                "3-2\t",
		"2026/11":            "2026/11\t",
		"11月20日":             "11月20日\t",
		"12:30":              "12:30\t",
		"15%":                "15%\t",
		"2-Jan":              "2-Jan\t",
		"jan-2":              "jan-2\t",
	} {
		assert.Equal(t, want, Text(in), "%q", in)
	}
}

// FuzzText: no text comes out that a spreadsheet would run, and none is lost.
func FuzzText(f *testing.F) {
	for _, s := range []string{"=1+1", "＋1", "001", "三(2)班", "", "\xff", "'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := Text(s)
		if out != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(out)[0]) {
			t.Errorf("%q begins like a formula", out)
		}
		if out != s && out != "'"+s && out != s+"\t" {
			t.Errorf("%q became %q", s, out)
		}
	})
}
