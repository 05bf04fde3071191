package table

import (
	"fmt"
	"strings"
	"time"
)

// Text guards a text against the spreadsheet that opens a CSV file. One that
// would run as a formula gets an apostrophe before it (OWASP, "CSV Injection",
// with the full-width signs that Chinese editions also take); one that would be
// turned into a number or a date, and so lose digits or zeros, gets a tab after
// it, as the statements of Chinese payment services do.
func Text(s string) string {
	if s == "" {
		return s
	}
	if strings.ContainsAny(firstRune(s), "=+-@\t\r\n＝＋－＠") {
		return "'" + s
	}
	if looksNumeric(s) {
		return s + "\t"
	}
	return s
}

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

// looksNumeric tells that a spreadsheet might take the text for a number, an
// amount, a percentage, a date or a time: it has a digit, and besides digits
// only what those are written with. It is cautious: a tab too many does no harm.
func looksNumeric(s string) bool {
	hasDigit := false
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			hasDigit = true
		case strings.ContainsRune(".,:/-+ %eE¥$年月日时分秒", r):
		default:
			return isDate(s)
		}
	}
	return hasDigit
}

// isDate knows the dates that Excel reads with the name of a month.
func isDate(s string) bool {
	if len(s) > len("September 30") || strings.IndexByte("0123456789JFMASONDjfmasond", s[0]) < 0 { // most texts
		return false
	}
	for _, layout := range []string{"Jan-06", "Jan-2", "2-Jan", "2-Jan-06", "2 Jan", "Jan 2", "2 January", "January 2", "January-06"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

// Yuan writes fen as a plain decimal: 12480.00, -0.50.
func Yuan(fen Fen) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100)
}
