package matching

import (
	"path"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"

	"huizhi/internal/idnumber"
)

// evidence is what the name of a file says about whom it shows.
type evidence struct {
	folder  string
	numbers []string // ID numbers, whether or not their check digit is right
	codes   []string // what may be a student number
	names   []string // what may be a name, by nameKey
	classes []string // what may be a class, by ClassKey, the most telling first
}

var (
	// sideWords say what a picture shows, and nothing about whom.
	sideWords = regexp.MustCompile(`居民身份证|身份证|证件照片|证件照|证件|免冠|寸照|一寸|二寸|[12]寸|蓝底|白底|红底|照片|相片|头像|人像|正面|反面|背面|副本|微信图片|原图|精修`)
	// classWords are a class within the name of a file.
	classWords = regexp.MustCompile(`(?:(?:[高初大小][一二三四五六]|[一二三四五六七八九十]{1,2}|[0-9]{1,4})(?:年级|级))?[（(]?(?:[高初大小]?[一二三四五六七八九十0-9]{1,4}[ _-]?)?[（(]?[一二三四五六七八九十0-9]{1,3}[)）]?班`)
	// camera begins names that devices give; their numbers count shots.
	camera = regexp.MustCompile(`^(?:img|dsc[fn]?|mg|pic|pxl|dji|scan|photo|mmexport|image|wx|p)$|^(?:img|dsc[fn]?|pxl|dji|mmexport|p)[0-9]+$`)
)

// clue takes apart the name of a file with its folders.
func clue(file string) evidence {
	file = slashed(file)
	stem := path.Base(file)
	if i := strings.LastIndexByte(stem, '.'); i > 0 && len(stem)-i <= 5 {
		stem = stem[:i]
	}
	e := evidence{folder: path.Dir(file)}
	e.findClasses(stem)
	stem = sideWords.ReplaceAllString(classWords.ReplaceAllString(stem, " "), " ")
	e.findNumbers(stem)
	e.findNames(stem)
	return e
}

// slashed is a file's name written one way.
func slashed(file string) string {
	return strings.ReplaceAll(norm.NFC.String(width.Narrow.String(file)), `\`, "/")
}

// clueFolder is the folder of a file.
func clueFolder(file string) string { return path.Dir(slashed(file)) }

func (e *evidence) findClasses(stem string) {
	add := func(s string) {
		if k := ClassKey(s); k != "" && !contains(e.classes, k) {
			e.classes = append(e.classes, k)
		}
	}
	if in := classWords.FindString(stem); in != "" {
		add(in)
	}
	if e.folder == "." {
		return
	}
	segments := strings.Split(e.folder, "/")
	for i := len(segments) - 1; i >= 0; i-- {
		if i > 0 {
			add(segments[i-1] + segments[i])
		}
		add(segments[i])
	}
}

// findNumbers looks at the runs of Latin letters and digits.
func (e *evidence) findNumbers(stem string) {
	tokens := strings.FieldsFunc(strings.ToUpper(stem), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	shots := false
	for _, t := range tokens {
		shots = shots || camera.MatchString(strings.ToLower(t))
	}
	for _, t := range tokens {
		n := strings.TrimPrefix(t, "G") // a pupil's national number is G and the ID number
		if len(n) == idnumber.Length && strings.Trim(n[:17], "0123456789") == "" {
			e.numbers = append(e.numbers, n)
		}
		if counts := strings.Trim(t, "0123456789") == ""; !counts || !shots {
			e.codes = append(e.codes, t)
		}
	}
	if joined := strings.Join(tokens, ""); len(tokens) > 1 && !shots {
		e.codes = append(e.codes, joined) // 2026-001
	}
}

func (e *evidence) findNames(stem string) {
	add := func(s string) {
		if k := nameKey(s); len([]rune(k)) >= 2 && !contains(e.names, k) {
			e.names = append(e.names, k)
		}
	}
	for _, run := range strings.FieldsFunc(stem, func(r rune) bool { return !unicode.Is(unicode.Han, r) && !dot(r) }) {
		add(run)
	}
	add(stem)
}

// nameKey is what the ways of writing one name have in common.
func nameKey(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

func dot(r rune) bool { return strings.ContainsRune("·•・．‧∙⋅", r) }

// codeKey is a student number without what people put between its parts.
func codeKey(s string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, s)
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
