package idnumber

import "strings"

// letters maps what is mistaken for a digit to that digit.
var letters = strings.NewReplacer(
	"O", "0", "o", "0", "D", "0", "Q", "0",
	"I", "1", "l", "1", "i", "1", "|", "1", "!", "1",
	"Z", "2", "z", "2", "A", "4", "S", "5", "s", "5",
	"G", "6", "b", "6", "T", "7", "B", "8", "g", "9", "q", "9",
	"K", "X", "k", "X", "×", "X", "Х", "X", "х", "X",
)

// looksLike lists for each digit those that printers, scanners and people
// mistake it for.
var looksLike = map[byte]string{
	'0': "86", '1': "7", '2': "7", '3': "8", '4': "9", '5': "6",
	'6': "508", '7': "12", '8': "0369", '9': "48",
}

// Repairs lists the valid numbers, of a known province, that differ from an
// invalid s by letters taken for digits, or else by a single digit taken for a
// similar one. With several repairs nothing tells which is right: never choose
// one without further evidence.
func Repairs(s string) []string {
	if s = halfWidth(s); Valid(strings.ToUpper(s)) {
		return nil
	}
	s = strings.ToUpper(letters.Replace(s)) // in this order, as b and B are different digits
	if len(s) != Length {
		return nil
	}
	if plausible(s) {
		return []string{s}
	}
	var found []string
	for i := range Length {
		for _, digit := range []byte(looksLike[s[i]]) {
			if t := s[:i] + string(digit) + s[i+1:]; plausible(t) {
				found = append(found, t)
			}
		}
	}
	return found
}

// Repair returns the only repair of an invalid number, if there is exactly one.
func Repair(s string) (string, bool) {
	if found := Repairs(s); len(found) == 1 {
		return found[0], true
	}
	return "", false
}

func plausible(s string) bool {
	info, err := Parse(s)
	return err == nil && info.KnownProvince()
}
