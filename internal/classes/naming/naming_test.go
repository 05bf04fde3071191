package naming_test

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/classes/naming"
)

var pupil = map[naming.Field]string{naming.IDNumber: "44030520160312001X", naming.Name: "欧阳翀", naming.StudentNumber: "007", naming.Class: "三(2)班", naming.School: "启明小学"}

func TestTemplatesInBothLanguages(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"{id_number}.jpg":      "44030520160312001X",
		"{身份证号}":               "44030520160312001X",
		"{ID number}":          "44030520160312001X",
		"{学校}_{班级}_{姓名}":       "启明小学_三(2)班_欧阳翀",
		"{student_number}":     "007",
		"2026 {name} <新>/{学号}": "2026 欧阳翀 新007",
		"../{name}":            "欧阳翀",
		"CON.{student_number}": "_CON.007",
	} {
		parsed, err := naming.Parse(template)
		require.NoError(t, err, template)
		name, missing := parsed.Name(pupil)
		assert.Equal(t, want, name, template)
		assert.Empty(t, missing)
	}
}

func TestAWrongTemplateSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for template, key := range map[string]string{
		"": "error.naming.empty", "photo": "error.naming.empty", "{": "error.naming.braces", "{name": "error.naming.braces", "name}": "error.naming.braces",
		"{{name}}": "error.naming.braces", "{phone}": "error.naming.unknown", strings.Repeat("长", 121): "error.naming.long",
	} {
		_, err := naming.Parse(template)
		var e *apperr.Error
		require.ErrorAs(t, err, &e, template)
		assert.Equal(t, key, e.Key, template)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	parsed, err := naming.Parse("{class}_{image_code}_{id_number}_{image_code}")
	require.NoError(t, err)
	name, missing := parsed.Name(map[naming.Field]string{naming.Class: "一班", naming.IDNumber: " / "})
	assert.Empty(t, name)
	assert.Equal(t, []naming.Field{naming.ImageCode, naming.IDNumber}, missing)

	long, missing := parsed.Name(map[naming.Field]string{naming.Class: strings.Repeat("班", 70), naming.IDNumber: "1", naming.ImageCode: "2"})
	assert.Empty(t, long, "a name that is cut would be another's")
	assert.Empty(t, missing)
}

func TestEqualNamesAreKeptApart(t *testing.T) {
	t.Parallel()
	var n naming.Names
	take := func(folder, name string) string { p, _ := n.Take(folder, name, ".jpg"); return p }
	assert.Equal(t, "一班/Li Lei.jpg", take("一班", "Li Lei"))
	assert.Equal(t, "一班/LI LEI_2.jpg", take("一班", "LI LEI"), "file systems do not tell them apart")
	assert.Equal(t, "一班/Li Lei_2_2.jpg", take("一班", "Li Lei_2"))
	assert.Equal(t, "一班/li lei_3.jpg", take("一班", "li lei"))
	assert.Equal(t, "二班/Li Lei.jpg", take("二班", "Li Lei"), "another folder")
}

// Whatever is in a template and in the values: a name stays in its folder, no two are
// alike, and the digits of the values are all in it.
func FuzzName(f *testing.F) {
	f.Add("{id_number}", "44030520160312001X", "欧阳翀", "..")
	f.Add("{学校}_{班级}_{姓名}", "", "../../etc/passwd", "a/b")
	f.Add(`..\{name}{id_number}`, "0", "\u202egpj.exe", "NUL")
	f.Add("{name}.{name}", "1", " . ", "三(2)班")
	f.Fuzz(func(t *testing.T, template, number, name, class string) {
		parsed, err := naming.Parse(template)
		if err != nil {
			return
		}
		values := map[naming.Field]string{naming.IDNumber: number, naming.Name: name, naming.Class: class, naming.School: class}
		got, missing := parsed.Name(values)
		if len(missing) > 0 || got == "" {
			return
		}
		var names naming.Names
		first, again := names.Take(naming.Folder(class, "_"), got, ".jpg")
		second, _ := names.Take(naming.Folder(class, "_"), got, ".jpg")
		assert.False(t, again)
		assert.NotEqual(t, strings.ToLower(first), strings.ToLower(second))
		for _, path := range []string{first, second} {
			assert.True(t, filepath.IsLocal(path) && utf8.ValidString(path), "%q", path)
			assert.Equal(t, 1, strings.Count(path, "/"))
			assert.NotContains(t, path, `\`)
			for _, part := range strings.Split(path, "/") {
				assert.LessOrEqual(t, len(part), 255)
			}
		}
		for _, field := range parsed.Fields() {
			assert.Contains(t, digits(got), digits(values[field]))
		}
	})
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
