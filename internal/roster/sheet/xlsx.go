package sheet

import (
	"encoding/xml"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
)

// openXLSX opens the first visible sheet of a workbook (ECMA-376).
func openXLSX(f io.ReaderAt, size int64) (*Table, error) {
	wb, err := openWorkbook(f, size)
	if err != nil {
		return nil, err
	}
	name, file, err := wb.firstSheet()
	if err != nil {
		return nil, err
	}
	if err := wb.loadTexts(); err != nil {
		return nil, err
	}
	if err := wb.loadFormats(); err != nil {
		return nil, err
	}
	merges, err := findMerges(file)
	if err != nil {
		return nil, err
	}
	in, err := file.Open()
	if err != nil {
		return nil, errBroken(err)
	}
	read := &counter{r: in, max: maxSheet}
	t := &Table{Format: XLSX, Name: name, Total: int64(file.UncompressedSize64), read: read}
	t.rows = func(yield func(Row, error) bool) {
		defer in.Close()
		d := &sheetReader{wb: wb, xml: xml.NewDecoder(read), merges: merges}
		for row, err := range d.rows() {
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
	return t, nil
}

// sheetReader reads the <row> elements of a sheet.
type sheetReader struct {
	wb     *workbook
	xml    *xml.Decoder
	merges merges
	cells  []Cell
	row    int
}

func (d *sheetReader) rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for {
			token, err := d.xml.RawToken()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Row{}, errBroken(err))
				return
			}
			start, ok := token.(xml.StartElement)
			if !ok || start.Name.Local != "row" {
				continue
			}
			if d.row, err = rowNumber(start, d.row+1); err == nil && d.row > MaxRows {
				err = errTooManyRows()
			}
			if err == nil {
				err = d.readRow()
			}
			if err != nil {
				yield(Row{}, err)
				return
			}
			d.merges.apply(d.row, &d.cells)
			if anything(d.cells) && !yield(Row{d.row, d.cells}, nil) {
				return
			}
		}
	}
}

func rowNumber(start xml.StartElement, next int) (int, error) {
	s := attr(start, "r")
	if s == "" {
		return next, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < next { // rows are in order
		return 0, errBroken(errors.New("sheet: row out of order"))
	}
	return n, nil
}

// readRow reads up to </row>.
func (d *sheetReader) readRow() error {
	d.cells = d.cells[:0]
	column := -1
	for {
		token, err := d.xml.RawToken()
		if err != nil {
			return errBroken(err)
		}
		switch t := token.(type) {
		case xml.EndElement:
			if t.Name.Local == "row" {
				return nil
			}
		case xml.StartElement:
			if t.Name.Local != "c" {
				continue
			}
			column++
			if at := attr(t, "r"); at != "" {
				if column, err = columnOf(at); err != nil {
					return err
				}
			}
			cell, err := d.readCell(t)
			if err != nil {
				return err
			}
			if column >= MaxColumns || cell.Empty() {
				continue
			}
			for len(d.cells) <= column {
				d.cells = append(d.cells, Cell{})
			}
			d.cells[column] = cell
		}
	}
}

// readCell reads up to </c>. The type of a cell is in its t attribute: s is an
// index into the shared texts, str a formula's text, inlineStr a text of its own,
// b a truth value, e an error, and n or nothing a number.
func (d *sheetReader) readCell(start xml.StartElement) (Cell, error) {
	kind, style := attr(start, "t"), attr(start, "s")
	var value strings.Builder
	formula, result, inside, phonetic := false, false, false, 0
	for {
		token, err := d.xml.RawToken()
		if err != nil {
			return Cell{}, errBroken(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "f":
				formula = true
			case "rPh": // how a text is pronounced
				phonetic++
			case "v", "t":
				inside, result = phonetic == 0, true
			}
		case xml.CharData:
			if inside && value.Len() <= maxCell {
				value.Write(t)
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "rPh":
				phonetic--
			case "v", "t":
				inside = false
			case "c":
				if formula && !result {
					kind = "e" // the program that wrote it did not compute it
				}
				return d.cell(kind, style, value.String()), nil
			}
		}
	}
}

func (d *sheetReader) cell(kind, style, value string) Cell {
	switch {
	case kind == "e":
		return Cell{Problem: Formula}
	case value == "":
		return Cell{}
	}
	switch kind {
	case "s":
		i, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil || i < 0 || i >= len(d.wb.texts) {
			return Cell{Problem: Unreadable}
		}
		return text(d.wb.texts[i])
	case "", "n":
		return number(value, d.wb.zeros[style])
	}
	return text(value)
}

// columnOf is the index, from 0, of the column in a cell's name: 1 for B7.
func columnOf(name string) (int, error) {
	n := 0
	for _, r := range strings.ToUpper(name) {
		if r < 'A' || r > 'Z' {
			break
		}
		if n = n*26 + int(r-'A') + 1; n > 16384 { // XFD is the last there is
			break
		}
	}
	if n == 0 || n > 16384 {
		return 0, errBroken(errors.New("sheet: no such column"))
	}
	return n - 1, nil
}

func attr(start xml.StartElement, name string) string {
	for _, a := range start.Attr {
		if a.Name.Local == name && (a.Name.Space == "" || name == "id") {
			return a.Value
		}
	}
	return ""
}
