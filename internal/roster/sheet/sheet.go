// Package sheet reads tables as people send them: XLSX, CSV in any of the
// encodings that Chinese offices produce, and cells copied from a spreadsheet.
//
//	sheet.go     Open finds out what a file is; rows come one by one
//	xlsx.go      the rows of a workbook's first visible sheet
//	workbook.go  the parts of a workbook beside the sheet: texts, formats, merges
//	csv.go       the rows of a text
//	encoding.go  which encoding and which separator a text has
//
// Memory is bounded by what is shared between rows (a workbook's table of texts),
// never by the number of rows.
//
// Above all it never guesses digits. A spreadsheet keeps 15 significant digits of
// a number; an ID number of 18 that was typed into a numeric cell has lost its
// last three, whatever the cell shows. Such a cell is Damaged and has no text.
// excelize is not used for reading, because its reader of rows does not tell the
// type of a cell, and its reader of types holds the whole sheet in memory.
package sheet

import (
	"bytes"
	"io"
	"iter"
	"strings"

	"huizhi/internal/apperr"
)

// Bounds of what is read. They are far above any school's roster.
const (
	MaxBytes   = 64 << 20
	MaxRows    = 100_000
	MaxColumns = 200 // cells beyond are not read
	maxCell    = 500 // bytes of a cell; nothing in a roster is longer
)

// Problem says why a cell has no text that can be relied on.
type Problem string

// The problems of a cell.
const (
	Damaged    Problem = "damaged"    // a number of 16 or more digits: the last ones are lost
	Formula    Problem = "formula"    // a formula that came without its result, or with an error
	Unreadable Problem = "unreadable" // characters that the encoding does not have
	Long       Problem = "long"       // more than maxCell bytes
)

// Cell is one cell. With a Problem, Text is empty.
type Cell struct {
	Text    string // without surrounding white space
	Problem Problem
}

// Empty tells that there is nothing in the cell.
func (c Cell) Empty() bool { return c.Text == "" && c.Problem == "" }

// Row is one row with something in it.
type Row struct {
	Number int // as a spreadsheet numbers it, from 1
	Cells  []Cell
}

// Format is what a table was kept in.
type Format string

// The formats, by the names that people are shown.
const (
	XLSX    Format = "XLSX"
	UTF8    Format = "CSV (UTF-8)"
	UTF16   Format = "CSV (UTF-16)"
	GB18030 Format = "CSV (GB18030)"
)

// Table is an open table. Its rows can be read once.
type Table struct {
	Format Format
	Name   string // of the sheet; "" for texts
	Total  int64  // bytes that reading all rows takes
	read   *counter
	rows   iter.Seq2[Row, error]
}

// Rows yields the rows that have something in them, in order, and ends after the
// first error. The cells are valid until the next row.
func (t *Table) Rows() iter.Seq2[Row, error] { return t.rows }

// Read is how many of Total have been read.
func (t *Table) Read() int64 { return t.read.n }

// Open finds out by its content what a file is. A file that is no table is an
// Invalid error that says what to do.
func Open(f io.ReaderAt, size int64) (*Table, error) {
	if size > MaxBytes {
		return nil, apperr.New(apperr.TooLarge, "error.roster.too_large", "mb", MaxBytes>>20)
	}
	head := make([]byte, min(size, 4096))
	if _, err := f.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case len(bytes.TrimSpace(head)) == 0:
		return nil, apperr.New(apperr.Invalid, "error.roster.empty_file")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return openXLSX(f, size)
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")): // OLE: the format before 2007, or an encrypted workbook
		return nil, apperr.New(apperr.Invalid, "error.roster.old_excel")
	case looksLikeHTML(head): // many school systems call a web page .xls
		return nil, apperr.New(apperr.Invalid, "error.roster.html")
	}
	return openText(f, size, head)
}

func looksLikeHTML(head []byte) bool {
	s := strings.ToLower(string(bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n")))
	for _, tag := range []string{"<html", "<!doctype", "<table", "<meta", "<?xml", "<head", "<style"} {
		if strings.HasPrefix(s, tag) {
			return true
		}
	}
	return false
}

// errTooManyRows ends the reading of a table.
func errTooManyRows() error {
	return apperr.New(apperr.TooLarge, "error.roster.too_many_rows", "n", MaxRows)
}

func errBroken(err error) error {
	return apperr.New(apperr.Invalid, "error.roster.broken_file").Wrap(err)
}

// counter counts what is read through it, and ends what is longer than allowed.
type counter struct {
	r   io.Reader
	n   int64
	max int64
}

func (c *counter) Read(p []byte) (int, error) {
	if c.n > c.max {
		return 0, apperr.New(apperr.TooLarge, "error.roster.too_large", "mb", c.max>>20)
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// text makes a cell of what a person or program wrote.
func text(s string) Cell {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\u00a0", " "))
	switch {
	case len(s) > maxCell:
		return Cell{Problem: Long}
	case strings.ContainsRune(s, '\uFFFD'):
		return Cell{Problem: Unreadable}
	}
	return Cell{Text: s}
}

// anything tells that a row is not empty.
func anything(cells []Cell) bool {
	for _, c := range cells {
		if !c.Empty() {
			return true
		}
	}
	return false
}
