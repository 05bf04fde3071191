package photos

import (
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// Words that say which side of what a file shows, and nothing about whom. Longer
// words come first: alternatives are tried in order.
var (
	chineseSideWords = regexp.MustCompile(`居民身份证|身份证|证件照片|证件照|证件|国徽面|人像面|头像面|国徽|人像|头像|正反面|正面|反面|背面|照片|相片|扫描件|复印件`)
	latinSideWords   = regexp.MustCompile(`(^|[^a-z])(?:id[ _-]?card|id[ _-]?photo|id|front|back|both|photos?|portraits?|face|scan|copy|side)([^a-z]|$)`)
)

// counters are what cameras and people add to tell pictures of one person apart:
// " (1)", "_2", " - 副本". After a mere separator only 1 to 3 count, which is a
// portrait and two sides; a higher number is likely a pupil's.
var counters = regexp.MustCompile(`(?:\s*\(\d{1,2}\)|[ _-]+[1-3]|[ _-]*副本)$`)

var fillers = regexp.MustCompile(`[\s_\-—·.,、()\[\]【】]+`)

// PairKey is what the files of one person have in common: folder and file name
// without the ending and without words for sides, folded to half-width lower
// case. "2班/李雷_正面.JPG", "2班/李雷（照片）.png" and "2班/身份证/李雷.jpg" share
// "2班/李雷". Where the name says nothing else ("李雷/正面.jpg"), the folder stands
// for the person: "李雷/". It is empty for a name that says nothing at all.
//
// Several portraits may have the same key; it is then no proof of anything.
func PairKey(name string) string {
	name = strings.ToLower(width.Fold.String(norm.NFC.String(name)))
	segments := strings.Split(strings.ReplaceAll(name, `\`, "/"), "/")
	last := len(segments) - 1
	stem := segments[last]
	if i := strings.LastIndexByte(stem, '.'); i > 0 && len(stem)-i <= 5 {
		stem = stem[:i]
	}
	key := ""
	for _, folder := range segments[:last] {
		if folder = tidy(withoutSideWords(folder)); folder != "" {
			key += folder + "/"
		}
	}
	for {
		shorter := counters.ReplaceAllString(strings.TrimSpace(withoutSideWords(stem)), "")
		if shorter == stem {
			return key + tidy(stem)
		}
		stem = shorter
	}
}

// withoutSideWords needs several passes: the separator between two Latin words
// belongs to the first match.
func withoutSideWords(s string) string {
	for {
		shorter := latinSideWords.ReplaceAllString(chineseSideWords.ReplaceAllString(s, " "), "$1 $2")
		if shorter == s {
			return s
		}
		s = shorter
	}
}

func tidy(s string) string { return strings.TrimSpace(fillers.ReplaceAllString(s, " ")) }
