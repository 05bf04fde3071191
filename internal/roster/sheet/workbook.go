package sheet

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"huizhi/internal/apperr"
)

// Bounds of what comes out of a workbook, which is compressed.
const (
	maxSheet  = 1 << 30
	maxTexts  = 256 << 20
	maxPart   = 16 << 20
	maxMerges = 20_000
)

// workbook is an open XLSX.
type workbook struct {
	files map[string]*zip.File
	texts []string       // shared between the cells
	zeros map[string]int // by style: the digits that its format asks for at least
}

func openWorkbook(f io.ReaderAt, size int64) (*workbook, error) {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, errBroken(err)
	}
	wb := &workbook{files: make(map[string]*zip.File, len(z.File))}
	for _, file := range z.File {
		wb.files[strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(file.Name, `\`, "/")), "/")] = file
	}
	if wb.files["xl/workbook.xml"] == nil {
		return nil, apperr.New(apperr.Invalid, "error.roster.not_a_table")
	}
	return wb, nil
}

// decode reads a small part into v; a missing part leaves v as it is.
func (wb *workbook) decode(name string, v any) error {
	file := wb.files[name]
	if file == nil {
		return nil
	}
	in, err := file.Open()
	if err != nil {
		return errBroken(err)
	}
	defer in.Close()
	if err := xml.NewDecoder(&counter{r: in, max: maxPart}).Decode(v); err != nil {
		return errBroken(err)
	}
	return nil
}

// firstSheet is the first sheet that is not hidden.
func (wb *workbook) firstSheet() (name string, file *zip.File, err error) {
	var book struct {
		Sheets []struct {
			Name  string `xml:"name,attr"`
			State string `xml:"state,attr"`
			// The relationship's namespace differs between the two editions of the
			// format; the local name does not.
			Attrs []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
	}
	var rels struct {
		List []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if err := wb.decode("xl/workbook.xml", &book); err != nil {
		return "", nil, err
	}
	if err := wb.decode("xl/_rels/workbook.xml.rels", &rels); err != nil {
		return "", nil, err
	}
	for _, s := range book.Sheets {
		if s.State == "hidden" || s.State == "veryHidden" {
			continue
		}
		i := slices.IndexFunc(s.Attrs, func(a xml.Attr) bool { return a.Name.Local == "id" })
		for _, r := range rels.List {
			if i < 0 || r.ID != s.Attrs[i].Value {
				continue
			}
			target := path.Join("xl", r.Target)
			if strings.HasPrefix(r.Target, "/") {
				target = strings.TrimPrefix(path.Clean(r.Target), "/")
			}
			if file := wb.files[target]; file != nil {
				return s.Name, file, nil
			}
		}
	}
	return "", nil, apperr.New(apperr.Invalid, "error.roster.not_a_table")
}

// loadTexts reads the table of shared texts. Runs of one text are joined, what
// tells its pronunciation is left out.
func (wb *workbook) loadTexts() error {
	file := wb.files["xl/sharedStrings.xml"]
	if file == nil {
		return nil
	}
	in, err := file.Open()
	if err != nil {
		return errBroken(err)
	}
	defer in.Close()
	d := xml.NewDecoder(&counter{r: in, max: maxTexts})
	var one strings.Builder
	inside, phonetic := false, 0
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errBroken(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "si":
				one.Reset()
			case "rPh":
				phonetic++
			case "t":
				inside = phonetic == 0
			}
		case xml.CharData:
			if inside && one.Len() <= maxCell {
				one.Write(t)
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "rPh":
				phonetic--
			case "t":
				inside = false
			case "si":
				wb.texts = append(wb.texts, one.String())
			}
		}
	}
}

// loadFormats finds the styles that show a number with leading zeros.
func (wb *workbook) loadFormats() error {
	var styles struct {
		Formats []struct {
			ID   string `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			Format string `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	if err := wb.decode("xl/styles.xml", &styles); err != nil {
		return err
	}
	zeros := map[string]int{}
	for _, f := range styles.Formats {
		if f.Code != "" && strings.Trim(f.Code, "0") == "" {
			zeros[f.ID] = min(len(f.Code), safeDigits)
		}
	}
	wb.zeros = map[string]int{}
	for i, c := range styles.Cells {
		if n := zeros[c.Format]; n > 0 {
			wb.zeros[strconv.Itoa(i)] = n
		}
	}
	return nil
}

// area is a merged range; all bounds count, from 0 for columns, 1 for rows.
type area struct{ left, top, right, bottom int }

// merges fills merged ranges: each of their cells has what the first has.
type merges struct {
	areas []area // by top
	open  []filling
}

type filling struct {
	area
	cell Cell
}

// apply fills the ranges that reach into the row.
func (m *merges) apply(row int, cells *[]Cell) {
	m.open = slices.DeleteFunc(m.open, func(f filling) bool { return f.bottom < row })
	for len(m.areas) > 0 && m.areas[0].top <= row {
		a := m.areas[0]
		m.areas = m.areas[1:]
		if a.top == row && a.left < len(*cells) && !(*cells)[a.left].Empty() {
			m.open = append(m.open, filling{a, (*cells)[a.left]})
		}
	}
	for _, f := range m.open {
		for len(*cells) <= f.right {
			*cells = append(*cells, Cell{})
		}
		for c := f.left; c <= f.right; c++ {
			(*cells)[c] = f.cell
		}
	}
}

// findMerges looks for <mergeCell ref="A3:A40"/>. They stand behind the rows, so
// the sheet is passed over once before it is read; without decoding its XML, that
// takes a tenth of the time.
func findMerges(file *zip.File) (merges, error) {
	in, err := file.Open()
	if err != nil {
		return merges{}, errBroken(err)
	}
	defer in.Close()
	var m merges
	scan := bufio.NewScanner(&counter{r: in, max: maxSheet})
	scan.Buffer(make([]byte, 64<<10), 1<<20)
	scan.Split(untilTagEnd)
	for scan.Scan() && len(m.areas) < maxMerges {
		tag := scan.Bytes()
		i := bytes.LastIndexByte(tag, '<')
		if i < 0 || !bytes.Contains(tag[i:], []byte("mergeCell ")) {
			continue
		}
		_, ref, _ := bytes.Cut(tag[i:], []byte(`ref="`))
		ref, _, _ = bytes.Cut(ref, []byte(`"`))
		if a, ok := parseArea(string(ref)); ok {
			m.areas = append(m.areas, a)
		}
	}
	if err := scan.Err(); err != nil {
		return merges{}, errBroken(err)
	}
	slices.SortStableFunc(m.areas, func(a, b area) int { return a.top - b.top })
	return m, nil
}

// untilTagEnd splits at '>' and keeps no more of a long text than fits.
func untilTagEnd(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '>'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF || len(data) > 512<<10 {
		return len(data), nil, nil
	}
	return 0, nil, nil
}

func parseArea(ref string) (area, bool) {
	from, to, ok := strings.Cut(ref, ":")
	if !ok {
		return area{}, false
	}
	var a area
	var err1, err2 error
	a.left, a.top, err1 = place(from)
	a.right, a.bottom, err2 = place(to)
	a.right = min(a.right, MaxColumns-1)
	return a, err1 == nil && err2 == nil && a.left <= a.right && a.top <= a.bottom
}

func place(name string) (column, row int, err error) {
	if column, err = columnOf(name); err != nil {
		return 0, 0, err
	}
	row, err = strconv.Atoi(strings.TrimLeft(strings.ToUpper(name), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	return column, row, err
}
