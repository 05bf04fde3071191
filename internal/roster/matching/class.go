package matching

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// ClassKey is what the ways of writing one class have in common: 三(2)班, 三年级2班
// and 三年级 with 2班 are all "3.2", 高一（3）班 is "高1.3". A grade alone keeps its
// word, "3级", so that grade three is not class three.
func ClassKey(s string) string {
	s = strings.ToLower(width.Narrow.String(s))
	grade := strings.HasSuffix(s, "级") || strings.HasSuffix(s, "届")
	var b strings.Builder
	var last rune
	for _, part := range parts(s) {
		if part == "" {
			continue
		}
		first := []rune(part)[0]
		if unicode.IsDigit(last) && unicode.IsDigit(first) {
			b.WriteByte('.')
		}
		b.WriteString(part)
		last = first
	}
	if grade && b.Len() > 0 {
		b.WriteString("级")
	}
	return b.String()
}

// SortKey orders names as people count: 二年级 before 十年级, IMG_9 before IMG_10.
func SortKey(s string) string {
	var b strings.Builder
	for _, run := range runs(strings.ToLower(width.Narrow.String(s))) {
		if n := numeral(run); n != "" {
			run = n
		}
		if unicode.IsDigit(rune(run[0])) {
			run = strings.TrimLeft(run, "0")
			const digits = 20
			b.WriteString(strings.Repeat("0", max(0, digits-len(run))))
		}
		b.WriteString(run)
	}
	return b.String()
}

// parts are the runs of a class's name that tell it from others, numerals as
// digits.
func parts(s string) []string {
	var out []string
	for _, run := range runs(s) {
		if n := numeral(run); n != "" {
			out = append(out, n)
			continue
		}
		if unicode.IsDigit([]rune(run)[0]) {
			out = append(out, strings.TrimLeft(run, "0"))
			continue
		}
		for _, word := range []string{"年级", "级", "届", "班", "第"} {
			run = strings.ReplaceAll(run, word, "")
		}
		out = append(out, strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) {
				return r
			}
			return -1
		}, run))
	}
	return out
}

const numerals = "〇一二三四五六七八九"

type kind int

const (
	other kind = iota
	digit
	chinese
)

func kindOf(r rune) kind {
	switch {
	case r >= '0' && r <= '9':
		return digit
	case r == '十' || strings.ContainsRune(numerals, r):
		return chinese
	}
	return other
}

// runs cuts s where digits, Chinese numerals and other characters meet.
func runs(s string) []string {
	var out []string
	var last kind
	start := 0
	for i, r := range s {
		k := kindOf(r)
		if i > start && k != last {
			out = append(out, s[start:i])
			start = i
		}
		last = k
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}

// numeral is a run of Chinese numerals as digits, up to 99: 十二 is "12", 二〇二六
// is "2026". It is "" for other runs.
func numeral(run string) string {
	var b strings.Builder
	rs := []rune(run)
	for i, r := range rs {
		if r != '十' {
			d := strings.IndexRune(numerals, r)
			if d < 0 {
				return ""
			}
			b.WriteByte(byte('0' + d/len("〇")))
			continue
		}
		if i == 0 {
			b.WriteByte('1')
		}
		if i == len(rs)-1 {
			b.WriteByte('0')
		}
	}
	return b.String()
}
