// Package naming makes the names of files out of a template and what is known of a
// person: "{id_number}" or "{学校}_{班级}_{姓名}". A name can be used on Windows, stays
// below its folder, is unlike every other name, and never holds a part of a value: what
// does not fit is refused, since a number without its last digits is another number.
package naming

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"huizhi/internal/apperr"
)

// Field is something that a template can name.
type Field string

// The fields. Templates may write them in both languages.
const (
	IDNumber      Field = "id_number"
	Name          Field = "name"
	StudentNumber Field = "student_number"
	Grade         Field = "grade"
	Class         Field = "class"
	School        Field = "school"
	ImageCode     Field = "image_code" // 图像号 of the receipt
	Order         Field = "order"      // our order number
)

// Fields lists the fields in the order in which they are offered.
var Fields = []Field{IDNumber, Name, StudentNumber, School, Grade, Class, ImageCode, Order}

// Words are the fields' names in Chinese.
var Words = map[Field]string{IDNumber: "身份证号", Name: "姓名", StudentNumber: "学号", Grade: "年级", Class: "班级", School: "学校", ImageCode: "图像号", Order: "订单号"}

// Limits.
const (
	maxTemplate = 120 // characters
	// maxName leaves room for an ending, for what keeps equal names apart, and for a
	// folder; file systems allow 255 bytes.
	maxName = 180
)

// part is a text or a field.
type part struct {
	text  string
	field Field
}

// Template makes names.
type Template struct{ parts []part }

// Parse reads a template. What is wrong with it is an Invalid error that says what.
func Parse(s string) (Template, error) {
	s = strings.TrimSuffix(strings.TrimSpace(s), ".jpg")
	var t Template
	if len([]rune(s)) > maxTemplate {
		return t, apperr.New(apperr.Invalid, "error.naming.long", "max", maxTemplate)
	}
	named := false
	for s != "" {
		text, rest, open := strings.Cut(s, "{")
		if strings.Contains(text, "}") {
			return t, apperr.New(apperr.Invalid, "error.naming.braces")
		}
		if text = clean(text); text != "" {
			t.parts = append(t.parts, part{text: text})
		}
		if !open {
			break
		}
		word, after, closed := strings.Cut(rest, "}")
		if !closed || strings.Contains(word, "{") {
			return t, apperr.New(apperr.Invalid, "error.naming.braces")
		}
		f, known := field(word)
		if !known {
			return t, apperr.New(apperr.Invalid, "error.naming.unknown", "word", word)
		}
		t.parts, s, named = append(t.parts, part{field: f}), after, true
	}
	if !named {
		return t, apperr.New(apperr.Invalid, "error.naming.empty")
	}
	return t, nil
}

func field(word string) (Field, bool) {
	word = strings.ToLower(strings.TrimSpace(word))
	for _, f := range Fields {
		if word == string(f) || word == Words[f] || word == strings.ReplaceAll(string(f), "_", " ") {
			return f, true
		}
	}
	return "", false
}

// Fields are those that the template names, each once.
func (t Template) Fields() []Field {
	var out []Field
	for _, p := range t.parts {
		if p.field != "" && !slices.Contains(out, p.field) {
			out = append(out, p.field)
		}
	}
	return out
}

// Name is a name without its ending. missing are the fields without a value; then, and
// when the name is too long for a file, there is none.
func (t Template) Name(values map[Field]string) (name string, missing []Field) {
	var b strings.Builder
	for _, p := range t.parts {
		if p.field == "" {
			b.WriteString(p.text)
			continue
		}
		value := clean(values[p.field])
		if strings.TrimSpace(value) == "" && !slices.Contains(missing, p.field) {
			missing = append(missing, p.field)
		}
		b.WriteString(value)
	}
	if len(missing) > 0 {
		return "", missing
	}
	name = usable(b.String())
	if len(name) > maxName {
		return "", nil
	}
	return name, nil
}

// Folder is a text as the name of one folder; other if nothing of it can be used.
func Folder(s, other string) string {
	if s = usable(clean(s)); s == "" || len(s) > maxName {
		return other
	}
	return s
}

// clean drops what Windows does not allow in names and what nobody sees.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"/\|?*`, r) || !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, norm.NFC.String(s))
}

// usable drops dots and spaces at the ends, and marks the names that Windows keeps for
// devices, whatever follows their first dot.
func usable(s string) string {
	s = strings.Trim(s, ". ")
	stem, _, _ := strings.Cut(strings.ToUpper(s), ".")
	stem = strings.TrimSpace(stem)
	device := slices.Contains([]string{"CON", "PRN", "AUX", "NUL"}, stem) ||
		len(stem) == 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")) && stem[3] >= '0' && stem[3] <= '9'
	if device {
		return "_" + s
	}
	return s
}

// Names keeps names apart, as file systems compare them: without regard to case.
type Names struct{ taken map[string]bool }

var folded = cases.Fold()

func key(path string) string { return norm.NFC.String(folded.String(path)) }

// Take returns the path, or where it is taken one with _2, _3 and so on before its
// ending; second tells which.
func (n *Names) Take(folder, name, ending string) (path string, second bool) {
	if n.taken == nil {
		n.taken = map[string]bool{}
	}
	if folder != "" {
		folder += "/"
	}
	path = folder + name + ending
	for i := 2; n.taken[key(path)]; i++ {
		path, second = fmt.Sprintf("%s%s_%d%s", folder, name, i, ending), true
	}
	n.taken[key(path)] = true
	return path, second
}
