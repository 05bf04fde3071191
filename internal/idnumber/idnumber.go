// Package idnumber reads citizen identification numbers of the People's
// Republic of China (GB 11643-1999): six digits of region, eight of birth date,
// three of sequence (odd for men) and a check character by ISO 7064 MOD 11-2.
//
// Errors never contain the number, so that they may be logged.
package idnumber

import (
	"errors"
	"strings"
	"time"
	"unicode"
)

// Length is the number of characters of an identification number.
const Length = 18

// Reasons why a number is refused. Parse reports the first that applies, in
// this order.
var (
	ErrEmpty      = errors.New("idnumber: empty")
	ErrLength     = errors.New("idnumber: not 18 characters")
	ErrCharacters = errors.New("idnumber: characters other than 17 digits and a final digit or X")
	ErrBirthDate  = errors.New("idnumber: no such birth date")
	ErrCheckDigit = errors.New("idnumber: wrong check digit")
)

// Sex is the sex that a number states by the parity of its 17th digit.
type Sex int

// The two values of the 17th digit's parity.
const (
	Female Sex = iota
	Male
)

// Info is what a number says about its owner.
type Info struct {
	Region  string    // six digits, as of the time of the number's issue; may since be abolished
	Birth   time.Time // midnight UTC
	Sex     Sex
	CheckOK bool
}

// Normalize makes a number as people type or engines read it comparable:
// full-width characters become half-width, x becomes X, white space goes.
func Normalize(s string) string {
	return strings.ToUpper(halfWidth(s))
}

func halfWidth(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - '！' + '!'
		case unicode.IsSpace(r):
			return -1
		}
		return r
	}, s)
}

// Parse reads a normalized number. With ErrCheckDigit the other fields of the
// Info are nevertheless filled, as they are what the number says.
func Parse(s string) (Info, error) {
	var info Info
	switch {
	case s == "":
		return info, ErrEmpty
	case len(s) != Length:
		return info, ErrLength
	case !wellFormed(s):
		return info, ErrCharacters
	}
	birth, err := time.Parse("20060102", s[6:14])
	if err != nil || birth.Year() < 1850 {
		return info, ErrBirthDate
	}
	info = Info{Region: s[:6], Birth: birth, Sex: Sex((s[16] - '0') % 2), CheckOK: CheckDigit(s[:17]) == s[17]}
	if !info.CheckOK {
		return info, ErrCheckDigit
	}
	return info, nil
}

// Valid reports whether Parse finds no fault.
func Valid(s string) bool {
	_, err := Parse(s)
	return err == nil
}

// CheckDigit returns the last character that belongs to the first 17 digits.
func CheckDigit(first17 string) byte {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += int(first17[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

func wellFormed(s string) bool {
	for i := range Length {
		digit := s[i] >= '0' && s[i] <= '9'
		if !digit && (i != Length-1 || s[i] != 'X') {
			return false
		}
	}
	return true
}

// KnownProvince reports whether the region belongs to a province of GB/T 2260,
// Taiwan (71), the residents of Hong Kong, Macao and Taiwan (81, 82, 83), or a
// foreigner's permanent residence card (9 and a province). It is no ground for
// refusing a number, and counties are not looked up at all: abolished codes
// remain on the cards of those born under them, and no public list is complete.
func (i Info) KnownProvince() bool {
	if strings.HasPrefix(i.Region, "9") {
		return strings.Contains("123456", i.Region[1:2])
	}
	return len(i.Region) == 6 && strings.Contains(provinces, " "+i.Region[:2]+" ")
}

const provinces = " 11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46" +
	" 50 51 52 53 54 61 62 63 64 65 71 81 82 83 "

// Mask hides the birth date and sequence: 440305********0013. What is not 18
// characters long is hidden altogether.
func Mask(s string) string {
	if len(s) != Length {
		return strings.Repeat("*", len([]rune(s)))
	}
	return s[:6] + "********" + s[14:]
}

// Group sets the number in the groups in which people compare it: region,
// birth date, the rest. Other lengths are returned as they are.
func Group(s string) string {
	if len(s) != Length {
		return s
	}
	return s[:6] + " " + s[6:14] + " " + s[14:]
}
