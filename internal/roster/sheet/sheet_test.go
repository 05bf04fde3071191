package sheet

import (
	"archive/zip"
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"huizhi/internal/apperr"
)

// rowsOf reads a file as "3: a|b"; a problem stands as <damaged>.
func rowsOf(t testing.TB, data []byte) (*Table, []string) {
	t.Helper()
	table, err := Open(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	var out []string
	for row, err := range table.Rows() {
		require.NoError(t, err)
		var cells []string
		for _, c := range row.Cells {
			if c.Problem != "" {
				require.Empty(t, c.Text)
				cells = append(cells, "<"+string(c.Problem)+">")
			} else {
				cells = append(cells, c.Text)
			}
		}
		out = append(out, fmt.Sprintf("%d: %s", row.Number, strings.Join(cells, "|")))
	}
	return table, out
}

// workbookOf makes an XLSX.
func workbookOf(t testing.TB, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var buf bytes.Buffer
	require.NoError(t, f.Write(&buf))
	return buf.Bytes()
}

func TestWorkbook(t *testing.T) {
	t.Parallel()
	data := workbookOf(t, func(f *excelize.File) {
		zeros, err := f.NewStyle(&excelize.Style{CustomNumFmt: new("000000")})
		require.NoError(t, err)
		set := func(cell string, v any) { require.NoError(t, f.SetCellValue("Sheet1", cell, v)) }
		set("A1", "姓名")
		set("B1", "身份证号")
		set("A3", "  李雷\u00a0")
		set("B3", "110101201503070017")
		set("C3", 20260101)
		set("D3", true)
		set("A4", "韩梅梅")
		set("B4", 110101201503070017) // typed into a numeric cell
		set("C4", 42)
		require.NoError(t, f.SetCellStyle("Sheet1", "C4", "C4", zeros))
		set("D4", 1.5)
		require.NoError(t, f.SetCellRichText("Sheet1", "E4", []excelize.RichTextRun{{Text: "三"}, {Text: "(2)班"}}))
		require.NoError(t, f.SetCellFormula("Sheet1", "F4", "1+1"))
	})
	table, rows := rowsOf(t, data)
	require.Equal(t, XLSX, table.Format)
	require.Equal(t, "Sheet1", table.Name)
	require.Equal(t, []string{
		"1: 姓名|身份证号",
		"3: 李雷|110101201503070017|20260101|1",
		"4: 韩梅梅|<damaged>|000042|1.5|三(2)班|<formula>",
	}, rows)
}

func TestMergedCellsHaveWhatTheFirstHas(t *testing.T) {
	t.Parallel()
	data := workbookOf(t, func(f *excelize.File) {
		for cell, v := range map[string]string{"A1": "名单", "A2": "三(2)班", "B2": "李雷", "B3": "韩梅梅", "B4": "王芳"} {
			require.NoError(t, f.SetCellValue("Sheet1", cell, v))
		}
		require.NoError(t, f.MergeCell("Sheet1", "A2", "A3"))
		require.NoError(t, f.MergeCell("Sheet1", "A1", "B1"))
	})
	_, rows := rowsOf(t, data)
	require.Equal(t, []string{"1: 名单|名单", "2: 三(2)班|李雷", "3: 三(2)班|韩梅梅", "4: |王芳"}, rows)
}

func TestTheFirstVisibleSheetIsRead(t *testing.T) {
	t.Parallel()
	data := workbookOf(t, func(f *excelize.File) {
		_, err := f.NewSheet("名单")
		require.NoError(t, err)
		require.NoError(t, f.SetCellValue("Sheet1", "A1", "hidden"))
		require.NoError(t, f.SetCellValue("名单", "A1", "shown"))
		f.SetActiveSheet(1)
		require.NoError(t, f.SetSheetVisible("Sheet1", false))
	})
	table, rows := rowsOf(t, data)
	require.Equal(t, "名单", table.Name)
	require.Equal(t, []string{"1: shown"}, rows)
}

// What programs other than excelize write into a sheet.
func TestCellsOfOtherPrograms(t *testing.T) {
	t.Parallel()
	data := zipped(t, map[string]string{
		"xl/workbook.xml":            `<workbook xmlns:r="u"><sheets><sheet name="S" sheetId="1" r:id="rId9"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId9" Target="/xl/worksheets/s.xml"/></Relationships>`,
		"xl/sharedStrings.xml":       `<sst><si><t>李雷</t><rPh><t>リライ</t></rPh></si></sst>`,
		"xl/worksheets/s.xml": `<worksheet><sheetData><row>` +
			`<c t="s"><v>0</v></c><c t="inlineStr"><is><t>三(2)班</t></is></c><c t="str"><f>A1&amp;"x"</f><v>李雷x</v></c>` +
			`<c t="e"><v>#REF!</v></c><c><v>4.40305201603120E+17</v></c><c><v>2.0260101E7</v></c><c><v>0.30000000000000004</v></c><c><f>1+1</f><v>2</v></c><c t="s"><v>7</v></c>` +
			`</row></sheetData></worksheet>`,
	})
	_, rows := rowsOf(t, data)
	require.Equal(t, []string{"1: 李雷|三(2)班|李雷x|<formula>|<damaged>|20260101|0.3|2|<unreadable>"}, rows)
}

func zipped(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for name, body := range files {
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = w.Write([]byte(body))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return buf.Bytes()
}

func TestTexts(t *testing.T) {
	t.Parallel()
	const table = "姓名,学号\r\n李雷,\"20,26\"\r\n\r\n\"韩\"\"梅\"\"梅\",7\r\n"
	want := []string{"1: 姓名|学号", "2: 李雷|20,26", `4: 韩"梅"梅|7`}
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(table)
	require.NoError(t, err)
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(strings.ReplaceAll(table, ",学号", "\t学号"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		data   string
		format Format
		want   []string
	}{
		"UTF-8":                         {table, UTF8, want},
		"UTF-8 with a byte order mark":  {"\ufeff" + table, UTF8, want},
		"GB18030":                       {gbk, GB18030, want},
		"UTF-16":                        {utf16, UTF16, []string{"1: 姓名\t学号", "2: 李雷|20,26", `4: 韩"梅"梅|7`}},
		"cells copied from a sheet":     {"姓名\t学号\n李雷\t007\n", UTF8, []string{"1: 姓名|学号", "2: 李雷|007"}},
		"semicolons":                    {"姓名;学号\n李雷;7", UTF8, []string{"1: 姓名|学号", "2: 李雷|7"}},
		"a number shown as a power":     {"a,4.40305E+17\n", UTF8, []string{"1: a|<damaged>"}},
		"digits protected by a program": {"\t110101201503070017,'0042,\"=\"\"007\"\"\"\n", UTF8, []string{"1: 110101201503070017|0042|007"}},
		"a field of several lines":      {"a,\"b\nc\",d\ne,f,g\n", UTF8, []string{"1: a|b\nc|d", "2: e|f|g"}},
		"a mark that is never closed":   {"a,\"b\nc,d\n", UTF8, []string{`1: a|"b`, "2: c|d"}},
		"an enormous field":             {"a," + strings.Repeat("x", 600) + "\n", UTF8, []string{"1: a|<long>"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, rows := rowsOf(t, []byte(c.data))
			require.Equal(t, c.format, table.Format)
			require.Equal(t, c.want, rows)
		})
	}
}

func TestAMarkThatIsNeverClosedLosesNoRow(t *testing.T) {
	t.Parallel()
	_, rows := rowsOf(t, []byte("a,\"b\n"+strings.Repeat("c,d\n", 100)))
	require.Len(t, rows, 101)
}

func TestWhatIsNoTableIsRefusedWithAReason(t *testing.T) {
	t.Parallel()
	for key, data := range map[string]string{
		"error.roster.empty_file":  " \n ",
		"error.roster.old_excel":   "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
		"error.roster.html":        "\ufeff\n<html><table><tr><td>李雷",
		"error.roster.not_a_table": "\x7fELF\x00\x00",
		"error.roster.broken_file": "PK\x03\x04broken",
	} {
		_, err := Open(strings.NewReader(data), int64(len(data)))
		var e *apperr.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, key, e.Key)
	}
	other := zipped(t, map[string]string{"word/document.xml": "<x/>"})
	_, err := Open(bytes.NewReader(other), int64(len(other)))
	require.ErrorContains(t, err, "error.roster.not_a_table")
}

func TestAHundredColumnsAreRead(t *testing.T) {
	t.Parallel()
	data := workbookOf(t, func(f *excelize.File) {
		row := make([]any, 300)
		for i := range row {
			row[i] = fmt.Sprint("c", i)
		}
		require.NoError(t, f.SetSheetRow("Sheet1", "A1", &row))
	})
	_, rows := rowsOf(t, data)
	require.Equal(t, MaxColumns-1, strings.Count(rows[0], "|"))
}

func TestTooManyRowsAreRefused(t *testing.T) {
	t.Parallel()
	data := []byte(strings.Repeat("a\n", MaxRows+1))
	table, err := Open(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	n := 0
	for _, err = range table.Rows() {
		n++
	}
	require.ErrorContains(t, err, "error.roster.too_many_rows")
	require.Equal(t, MaxRows+1, n)
}

// Whatever digits are written as text come back, in every format; a number of a
// numeric cell comes back or is called damaged.
func TestNoDigitIsLost(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	var texts []string
	for range 300 {
		b := make([]byte, 1+rng.IntN(24))
		for i := range b {
			b[i] = byte('0' + rng.IntN(10))
		}
		texts = append(texts, string(b))
	}
	var numbers []int64
	for range 300 {
		numbers = append(numbers, rng.Int64N(1<<(1+rng.IntN(62))))
	}
	book := workbookOf(t, func(f *excelize.File) {
		for i, s := range texts {
			require.NoError(t, f.SetCellStr("Sheet1", fmt.Sprint("A", i+1), s))
			require.NoError(t, f.SetCellInt("Sheet1", fmt.Sprint("B", i+1), numbers[i]))
		}
	})
	table, err := Open(bytes.NewReader(book), int64(len(book)))
	require.NoError(t, err)
	i := 0
	for row, err := range table.Rows() {
		require.NoError(t, err)
		require.Equal(t, texts[i], row.Cells[0].Text)
		if c := row.Cells[1]; len(fmt.Sprint(numbers[i])) > safeDigits {
			require.Equal(t, Damaged, c.Problem)
		} else {
			require.Equal(t, fmt.Sprint(numbers[i]), c.Text)
		}
		i++
	}
	require.Len(t, texts, i)
	_, rows := rowsOf(t, []byte(strings.Join(texts, "\n")))
	for i, s := range texts {
		require.Equal(t, fmt.Sprintf("%d: %s", i+1, s), rows[i])
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("姓名,学号\n李雷,\"7\n"))
	f.Add([]byte("\xff\xfea\x00\t\x00"))
	f.Add(workbookOf(f, func(x *excelize.File) {
		_ = x.SetCellValue("Sheet1", "A1", "李雷")
		_ = x.MergeCell("Sheet1", "A1", "B2")
	}))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		last := 0
		for row, err := range table.Rows() {
			if err != nil {
				return
			}
			if row.Number <= last || len(row.Cells) > MaxColumns || !anything(row.Cells) {
				t.Fatalf("row %d after %d with %d cells", row.Number, last, len(row.Cells))
			}
			last = row.Number
		}
	})
}

// FuzzSheet varies what is inside of a workbook, which FuzzOpen hardly reaches.
func FuzzSheet(f *testing.F) {
	f.Add(`<row r="2"><c r="B2" t="s"><v>0</v></c></row><mergeCell ref="A1:B9"/>`, `<si><t>x</t></si>`)
	f.Fuzz(func(t *testing.T, sheet, texts string) {
		data := zipped(t, map[string]string{
			"xl/workbook.xml":            `<workbook xmlns:r="u"><sheets><sheet name="S" r:id="r"/></sheets></workbook>`,
			"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="r" Target="s.xml"/></Relationships>`,
			"xl/s.xml":                   sheet, "xl/sharedStrings.xml": texts,
		})
		table, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		for row, err := range table.Rows() {
			if err == nil && len(row.Cells) > MaxColumns {
				t.Fatal("too many cells")
			}
		}
	})
}
