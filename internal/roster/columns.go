package roster

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"huizhi/internal/idnumber"
	"huizhi/internal/roster/sheet"
)

// Column is a column of a table that is being imported.
type Column struct {
	Header  string   `json:"header"`          // as the table calls it; "" if it does not
	Field   Field    `json:"field,omitempty"` // what it is taken for; "" is left out
	Samples []string `json:"samples"`         // the first values
}

// layout is how a table is to be read.
type layout struct {
	header  int // number of the last row that is no data; 0 if there is none
	columns []Column
}

// lookAhead is how many rows are looked at to find out the layout.
const lookAhead = 60

// headerWithin is how far down a header may stand: titles and notes come before.
const headerWithin = 12

// words are the headers by which columns are known, without white space and
// punctuation, in the order in which one is preferred to another.
var words = map[Field][]string{
	Name:          {"姓名", "学生姓名", "考生姓名", "员工姓名", "名字", "name", "fullname", "studentname"},
	IDNumber:      {"身份证号", "身份证号码", "身份证件号", "身份证件号码", "公民身份号码", "居民身份证号", "身份证", "学生身份证号", "证件号码", "证件号", "idnumber", "idno", "idcard", "idcardnumber"},
	StudentNumber: {"学号", "学籍号", "全国学籍号", "全国学籍号码", "学生编号", "考生号", "考号", "准考证号", "工号", "编号", "studentnumber", "studentno", "studentid", "number"},
	Grade:         {"年级", "所在年级", "年级名称", "届别", "grade", "year"},
	Class:         {"班级", "所在班级", "班级名称", "班", "行政班", "班号", "部门", "class", "classname"},
	Sex:           {"性别", "sex", "gender"},
}

var wordField = func() map[string]Field {
	m := map[string]Field{}
	for f, list := range words {
		for _, w := range list {
			m[w] = f
		}
	}
	return m
}()

var inBrackets = regexp.MustCompile(`[（(【\[].*?[)）】\]]`)

// headerKey is what two headers that mean the same have in common.
func headerKey(header string) string {
	s := strings.ToLower(inBrackets.ReplaceAllString(width.Fold.String(header), ""))
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

// guess finds the header of a table and what its columns are. known is what
// people said before of headers, by headerKey; "" is a column to leave out.
func guess(head []sheet.Row, known map[string]Field) layout {
	first, last := findHeader(head, known)
	var l layout
	columns := 0
	for _, row := range head {
		columns = max(columns, len(row.Cells))
	}
	l.columns = make([]Column, columns)
	if last >= 0 {
		l.header = head[last].Number
		for i := range l.columns {
			for _, row := range head[first : last+1] { // the lower line of a header says more
				if i < len(row.Cells) && row.Cells[i].Text != "" {
					l.columns[i].Header = row.Cells[i].Text
				}
			}
		}
	}
	data := head[last+1:]
	l.sample(data)
	l.byHeader(known)
	l.byContent(data, known)
	l.trim()
	return l
}

// findHeader returns the rows of the header as indexes, -1 if there is none: the
// first row with known words, and the next if it has further ones.
func findHeader(head []sheet.Row, known map[string]Field) (first, last int) {
	for i, row := range head[:min(len(head), headerWithin)] {
		if headerWords(row, known) == 0 || looksLikeData(row) {
			continue
		}
		if i+1 < len(head) && headerWords(head[i+1], known) > 0 && !looksLikeData(head[i+1]) {
			return i, i + 1
		}
		return i, i
	}
	if len(head) > 1 && namesOthers(head) {
		return 0, 0
	}
	return -1, -1
}

// namesOthers tells that the first row, of words nobody knows, is a header all the
// same: it has no digit, and a column below has digits throughout.
func namesOthers(head []sheet.Row) bool {
	filled := 0
	for _, c := range head[0].Cells {
		if strings.ContainsAny(c.Text, "0123456789") || c.Problem != "" {
			return false
		}
		if c.Text != "" {
			filled++
		}
	}
	for i, c := range head[0].Cells {
		if c.Text != "" && filled > 1 && mostly(head[1:], i, func(s string) bool { return strings.ContainsAny(s, "0123456789") }) {
			return true
		}
	}
	return false
}

// headerWords counts the different words of a row that are known as headers.
func headerWords(row sheet.Row, known map[string]Field) int {
	seen := map[string]bool{}
	for _, c := range row.Cells {
		key := headerKey(c.Text)
		_, usual := wordField[key]
		_, told := known[key]
		if key != "" && (usual || told) {
			seen[key] = true
		}
	}
	return len(seen)
}

func looksLikeData(row sheet.Row) bool {
	for _, c := range row.Cells {
		if len(c.Text) >= 6 && strings.Trim(c.Text, "0123456789xX") == "" {
			return true
		}
	}
	return false
}

const samplesShown = 3

func (l *layout) sample(data []sheet.Row) {
	for _, row := range data {
		for i, c := range row.Cells {
			if col := &l.columns[i]; c.Text != "" && len(col.Samples) < samplesShown {
				col.Samples = append(col.Samples, c.Text)
			}
		}
	}
}

// byHeader takes the columns by what people said of their headers before, then by
// the words. Of several columns for one field the best word wins.
func (l *layout) byHeader(known map[string]Field) {
	taken := map[Field]bool{}
	for i := range l.columns {
		if f, ok := known[headerKey(l.columns[i].Header)]; ok && f != "" && !taken[f] {
			l.columns[i].Field, taken[f] = f, true
		}
	}
	for _, f := range Fields {
		for _, w := range words[f] {
			for i := range l.columns {
				key := headerKey(l.columns[i].Header)
				if _, told := known[key]; key == w && !told && !taken[f] && l.columns[i].Field == "" {
					l.columns[i].Field, taken[f] = f, true
				}
			}
		}
	}
}

// byContent takes columns that no header told by what is in them.
func (l *layout) byContent(data []sheet.Row, known map[string]Field) {
	for _, f := range []Field{IDNumber, Sex, Class, Name} {
		if l.has(f) {
			continue
		}
		for i := range l.columns {
			col := &l.columns[i]
			if _, told := known[headerKey(col.Header)]; told && col.Header != "" || col.Field != "" {
				continue
			}
			if mostly(data, i, contents[f]) {
				col.Field = f
				break
			}
		}
	}
}

func (l *layout) has(f Field) bool {
	for _, c := range l.columns {
		if c.Field == f {
			return true
		}
	}
	return false
}

var (
	classLike = regexp.MustCompile(`班$`)
	notNames  = regexp.MustCompile(`[班级校园组区系科省市县]$|^(男|女|是|否|汉族?)$`)
)

// contents tell a field by a value.
var contents = map[Field]func(string) bool{
	IDNumber: func(s string) bool {
		s = idnumber.Normalize(s)
		return len(s) == 18 && strings.Trim(s[:17], "0123456789") == ""
	},
	Sex:   func(s string) bool { return s == "男" || s == "女" },
	Class: classLike.MatchString,
	Name: func(s string) bool {
		n := utf8.RuneCountInString(s)
		return n >= 2 && n <= 4 && strings.IndexFunc(s, func(r rune) bool { return !unicode.Is(unicode.Han, r) }) < 0 && !notNames.MatchString(s)
	},
}

// mostly tells that four in five of a column's values are like it.
func mostly(data []sheet.Row, column int, like func(string) bool) bool {
	n, fit := 0, 0
	for _, row := range data {
		if column >= len(row.Cells) || row.Cells[column].Empty() {
			continue
		}
		c := row.Cells[column]
		n++
		if like(c.Text) {
			fit++
		}
	}
	return n > 0 && fit*5 >= n*4
}

// trim drops the empty columns behind the last that says anything.
func (l *layout) trim() {
	for n := len(l.columns); n > 0; n-- {
		if c := l.columns[n-1]; c.Header != "" || len(c.Samples) > 0 {
			l.columns = l.columns[:n]
			return
		}
	}
	l.columns = nil
}

// read takes a person out of a row. With issues the row is not to be imported.
func read(row sheet.Row, columns []Column) (Values, []Issue) {
	var v Values
	var issues []Issue
	for i, col := range columns {
		if col.Field == "" || i >= len(row.Cells) {
			continue
		}
		c := row.Cells[i]
		if c.Problem != "" {
			issues = append(issues, Issue{Field: col.Field, Key: "roster.issue." + string(c.Problem)})
			continue
		}
		*v.at(col.Field) = Normalize(col.Field, c.Text)
	}
	for _, is := range v.check() {
		if !hasField(issues, is.Field) {
			issues = append(issues, is)
		}
	}
	return v, issues
}

func hasField(issues []Issue, f Field) bool {
	for _, is := range issues {
		if is.Field == f {
			return true
		}
	}
	return false
}
