// Package table writes tables that spreadsheets open: CSV and XLSX, row by row,
// so that memory does not grow with their length.
//
// A cell is one of
//
//	string     a text, whatever it begins with or looks like; never a formula
//	int64      a count
//	Fen        money, a number of yuan with two decimals
//	Digits     the same, in a cell that stays text when somebody edits it: an ID number
//	Code       letters and digits that a program reads, an account's "1122": text, and
//	           without the marks that Text puts on what people may open in Excel
//	Day        a day, "2026-11-20"
//	time.Time  a moment, on the clock of Asia/Shanghai
//	nil        nothing
//
// and anything else is an error.
package table

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"huizhi/internal/i18n"
)

// Fen is money in a cell.
type Fen int64

// Digits is a text that a spreadsheet must never take for a number.
type Digits string

// Code is a text of letters, digits, dots, hyphens and underscores that begins
// with a letter or digit; any other is written as a text.
type Code string

func (c Code) plain() bool {
	for i, r := range c {
		digit := r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		if !digit && (i == 0 || r != '.' && r != '-' && r != '_') {
			return false
		}
	}
	return true
}

// Day is a calendar day in a cell, "2026-11-20".
type Day string

// Column is the head of a column; Width is in characters, for formats that have
// widths.
type Column struct {
	Name  string
	Width float64
}

// Writer takes the rows of one table. A table that is not closed is not whole.
type Writer interface {
	Row(cells ...any) error
	Close() error
}

type csvTable struct {
	out  *csv.Writer
	text []string
}

// CSV begins a table as UTF-8 with a byte order mark and CRLF, so that Excel
// reads the Chinese, and with every text guarded by Text.
func CSV(w io.Writer, columns []Column) (Writer, error) {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return nil, err
	}
	t := &csvTable{out: csv.NewWriter(w)}
	t.out.UseCRLF = true
	heads := make([]any, len(columns))
	for i, c := range columns {
		heads[i] = c.Name
	}
	return t, t.Row(heads...)
}

func (t *csvTable) Row(cells ...any) error {
	t.text = t.text[:0]
	for _, cell := range cells {
		var text string
		switch v := cell.(type) {
		case nil:
		case string:
			text = Text(v)
		case Digits:
			text = Text(string(v))
		case Code:
			if text = string(v); !v.plain() {
				text = Text(text)
			}
		case int64:
			text = strconv.FormatInt(v, 10)
		case Fen:
			text = Yuan(v)
		case Day:
			text = string(v)
		case time.Time:
			text = i18n.DateTime(v)
		default:
			return fmt.Errorf("table: a cell cannot be a %T", cell)
		}
		t.text = append(t.text, text)
	}
	return t.out.Write(t.text)
}

func (t *csvTable) Close() error {
	t.out.Flush()
	return t.out.Error()
}

type xlsxTable struct {
	file                  *excelize.File
	sheet                 *excelize.StreamWriter
	to                    io.Writer
	count, money, day, at int
	digits                int
	next                  int
	cells                 []any
}

// XLSX begins a workbook of one sheet with a frozen head. Rows beyond a few
// megabytes go to a temporary file; nothing reaches w before Close.
func XLSX(w io.Writer, sheet string, columns []Column) (Writer, error) {
	t := &xlsxTable{file: excelize.NewFile(), to: w, next: 1}
	if err := t.begin(sheet, columns); err != nil {
		_ = t.file.Close()
		return nil, fmt.Errorf("cannot begin the workbook: %w", err)
	}
	return t, nil
}

func (t *xlsxTable) begin(sheet string, columns []Column) error {
	if err := t.file.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	const thousands, twoDecimals, text = 3, 4, 49 // number formats that every Excel has: #,##0, #,##0.00 and @
	date, dateTime, head := "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", 0
	for _, s := range []struct {
		id    *int
		style excelize.Style
	}{
		{&t.count, excelize.Style{NumFmt: thousands}},
		{&t.money, excelize.Style{NumFmt: twoDecimals}},
		{&t.digits, excelize.Style{NumFmt: text}},
		{&t.day, excelize.Style{CustomNumFmt: &date}},
		{&t.at, excelize.Style{CustomNumFmt: &dateTime}},
		{&head, excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"EEF0F3"}},
			Border: []excelize.Border{{Type: "bottom", Color: "8E929A", Style: 1}}}},
	} {
		var err error
		if *s.id, err = t.file.NewStyle(&s.style); err != nil {
			return err
		}
	}
	var err error
	if t.sheet, err = t.file.NewStreamWriter(sheet); err != nil {
		return err
	}
	heads := make([]any, len(columns))
	for i, c := range columns {
		if err := t.sheet.SetColWidth(i+1, i+1, c.Width); err != nil {
			return err
		}
		heads[i] = excelize.Cell{StyleID: head, Value: c.Name}
	}
	err = t.sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
	if err != nil {
		return err
	}
	return t.set(heads)
}

func (t *xlsxTable) set(cells []any) error {
	at := "A" + strconv.Itoa(t.next)
	t.next++
	return t.sheet.SetRow(at, cells)
}

func (t *xlsxTable) Row(cells ...any) error {
	t.cells = t.cells[:0]
	for _, cell := range cells {
		var out any
		switch v := cell.(type) {
		case nil, string:
			out = v
		case Digits:
			out = excelize.Cell{StyleID: t.digits, Value: string(v)}
		case Code:
			out = string(v)
		case int64:
			out = excelize.Cell{StyleID: t.count, Value: v}
		case Fen:
			out = excelize.Cell{StyleID: t.money, Value: float64(v) / 100}
		case Day:
			day, err := time.Parse(time.DateOnly, string(v))
			if err != nil {
				return fmt.Errorf("table: %q is no day", v)
			}
			out = excelize.Cell{StyleID: t.day, Value: day}
		case time.Time:
			_, offset := v.In(i18n.Zone()).Zone() // Excel has no time zones
			out = excelize.Cell{StyleID: t.at, Value: v.UTC().Add(time.Duration(offset) * time.Second)}
		default:
			return fmt.Errorf("table: a cell cannot be a %T", cell)
		}
		t.cells = append(t.cells, out)
	}
	return t.set(t.cells)
}

func (t *xlsxTable) Close() error {
	defer t.file.Close()
	if err := t.sheet.Flush(); err != nil {
		return fmt.Errorf("cannot finish the sheet: %w", err)
	}
	if _, err := t.file.WriteTo(t.to); err != nil {
		return fmt.Errorf("cannot write the workbook: %w", err)
	}
	return nil
}
