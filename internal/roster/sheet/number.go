package sheet

import (
	"regexp"
	"strconv"
	"strings"
)

// safeDigits is how many significant digits a spreadsheet keeps of a number.
const safeDigits = 15

var plainNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// number makes a cell of what a workbook stores for a numeric cell: 20260101,
// 2.0260101E7, 4.40305201603120E+17. zeros is how many digits the cell's format
// asks for at least, as 0000 does for 42.
func number(stored string, zeros int) Cell {
	stored = strings.TrimSpace(stored)
	s := stored
	if !plainNumber.MatchString(s) {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return text(stored)
		}
		s = strconv.FormatFloat(v, 'f', -1, 64)
	}
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if len(strings.TrimLeft(whole, "0")) > safeDigits {
		return Cell{Problem: Damaged}
	}
	if strings.Trim(fraction, "0") == "" {
		s, _, _ = strings.Cut(s, ".")
	} else if len(s) > safeDigits { // 0.1 + 0.2 and the like: as many digits as are true
		if v, err := strconv.ParseFloat(s, 64); err == nil {
			s = strconv.FormatFloat(v, 'g', safeDigits, 64)
		}
	}
	if n := zeros - len(s); n > 0 && !strings.ContainsAny(s, "-.") {
		s = strings.Repeat("0", n) + s
	}
	return text(s)
}

// scientific is how a program writes a long number into a text: 4.40305E+17.
var scientific = regexp.MustCompile(`^[0-9](\.[0-9]+)?[eE]\+?(1[5-9]|[2-9][0-9])$`)

// written makes a cell of a field of a text. Programs protect numbers from
// spreadsheets with a tab, an apostrophe or ="…"; those are not part of it.
func written(s string) Cell {
	s = strings.TrimSpace(s)
	if inner, ok := strings.CutPrefix(s, `="`); ok {
		s = strings.TrimSuffix(inner, `"`)
	}
	s = strings.TrimLeft(s, "'`‘’")
	if scientific.MatchString(s) {
		return Cell{Problem: Damaged}
	}
	return text(s)
}
