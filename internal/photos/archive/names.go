package archive

import (
	"archive/zip"
	"encoding/binary"
	"hash/crc32"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/unicode/norm"
)

// decodeNames returns the names of all entries in Unicode, composed, with forward slashes. A name that says
// its encoding is believed (the UTF-8 flag, Info-ZIP's Unicode path). The others come from one program, so
// they are decided together: Windows writes GBK, macOS writes UTF-8 and does not say so.
func decodeNames(files []*zip.File) []string {
	names := make([]string, len(files))
	var unknown []int
	for i, f := range files {
		if name, ok := declaredName(f); ok {
			names[i] = name
		} else {
			unknown = append(unknown, i)
		}
	}
	raw := make([]string, len(unknown))
	for i, at := range unknown {
		raw[i] = files[at].Name
	}
	for i, name := range guessNames(raw) {
		names[unknown[i]] = name
	}
	for i, name := range names {
		names[i] = norm.NFC.String(strings.ReplaceAll(name, `\`, "/"))
	}
	return names
}

// declaredName returns a name whose encoding is known.
func declaredName(f *zip.File) (string, bool) {
	const utf8Flag, unicodePath = 0x800, 0x7075
	if f.Flags&utf8Flag != 0 && utf8.ValidString(f.Name) {
		return f.Name, true
	}
	for extra := f.Extra; len(extra) >= 4; {
		id, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		extra = extra[4:]
		if n > len(extra) {
			break
		}
		// Version 1, then the CRC of the raw name, which shows that nobody renamed only that one.
		if body := extra[:n]; id == unicodePath && n > 5 && body[0] == 1 &&
			binary.LittleEndian.Uint32(body[1:]) == crc32.ChecksumIEEE([]byte(f.Name)) && utf8.Valid(body[5:]) {
			return string(body[5:]), true
		}
		extra = extra[n:]
	}
	ascii := strings.IndexFunc(f.Name, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
	return f.Name, ascii
}

// guessNames decodes names of one unknown encoding, UTF-8 or GB18030.
func guessNames(raw []string) []string {
	asUTF8, asGB := make([]string, len(raw)), make([]string, len(raw))
	valid := true
	var scoreUTF8, scoreGB plausibility
	for i, name := range raw {
		valid = valid && utf8.ValidString(name)
		asUTF8[i] = strings.ToValidUTF8(name, string(utf8.RuneError))
		decoded, err := simplifiedchinese.GB18030.NewDecoder().String(name)
		if err != nil {
			decoded = asUTF8[i]
		}
		asGB[i] = decoded
		scoreUTF8.add(asUTF8[i])
		scoreGB.add(asGB[i])
	}
	if valid && scoreUTF8.mean() >= scoreGB.mean() {
		return asUTF8
	}
	for i, name := range raw { // a single good name among the others' encoding
		if utf8.ValidString(name) && strings.ContainsRune(asGB[i], utf8.RuneError) {
			asGB[i] = asUTF8[i]
		}
	}
	return asGB
}

// plausibility sums up how much decoded names look like what people call files. Bytes of GBK that happen to
// be valid UTF-8 turn into Cyrillic and Arabic; bytes of UTF-8 read as GBK turn into rare characters.
type plausibility struct {
	sum   float64
	runes int
}

func (p *plausibility) mean() float64 {
	if p.runes == 0 {
		return 0
	}
	return p.sum / float64(p.runes)
}

func (p *plausibility) add(name string) {
	runes := []rune(name)
	latin := func(i int) bool {
		return i >= 0 && i < len(runes) && runes[i] < utf8.RuneSelf && unicode.IsLetter(runes[i])
	}
	for i, r := range runes {
		if r < utf8.RuneSelf {
			continue
		}
		p.runes++
		between := latin(i-1) && latin(i+1)
		switch {
		case unicode.Is(unicode.Han, r):
			weight := hanWeight(r)
			if between { // more likely an accented letter
				weight *= 0.3
			}
			p.sum += weight
		case unicode.Is(unicode.Latin, r) && (latin(i-1) || latin(i+1)):
			p.sum += 0.9
		case r >= 0x3000 && r <= 0x303f, r >= 0xff00 && r <= 0xff5e, r == '·', r == '—', r == '…', r == '“', r == '”':
			p.sum += 0.6
		case unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
			p.sum += 0.4
		}
	}
}

// hanWeight is 1 for the 3755 common characters of GB 2312, less for its others, little for the rest.
func hanWeight(r rune) float64 {
	b, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(string(r)))
	switch {
	case err != nil || len(b) != 2 || b[1] < 0xa1:
		return 0.2
	case 0xb0 <= b[0] && b[0] <= 0xd7:
		return 1
	case 0xd8 <= b[0] && b[0] <= 0xf7:
		return 0.6
	default:
		return 0.2
	}
}

// safeName reports whether a decoded name stays inside the folder it would be unpacked to.
func safeName(name string) bool {
	if name == "" || name[0] == '/' || len(name) >= 2 && name[1] == ':' {
		return false
	}
	for element := range strings.SplitSeq(name, "/") {
		if element == ".." {
			return false
		}
	}
	return strings.IndexFunc(name, unicode.IsControl) < 0
}

// litter reports whether a name is a directory's or of a kind that systems add by themselves.
func litter(name string) bool {
	if strings.HasSuffix(name, "/") {
		return true
	}
	for element := range strings.SplitSeq(path.Dir(name), "/") {
		if element == "__MACOSX" {
			return true
		}
	}
	switch base := path.Base(name); strings.ToLower(base) {
	case ".ds_store", "thumbs.db", "desktop.ini":
		return true
	default:
		return strings.HasPrefix(base, "._")
	}
}
