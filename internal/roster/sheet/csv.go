package sheet

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// Bounds of one record of a text.
const (
	maxLine   = 1 << 20
	maxSpread = 8 // lines that one quoted field may go over
)

// lineReader splits a text into records (RFC 4180). encoding/csv is not used: a
// quotation mark that is never closed, as inches and nicknames bring them, makes
// it take all the rest of the file for one field. Here such a mark is a mark.
type lineReader struct {
	in        *bufio.Reader
	separator rune
	waiting   []string // lines read ahead for a field that did not end
	records   int
}

func (l *lineReader) rows(yield func(Row, error) bool) {
	for {
		line, err := l.line()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			if l.records++; l.records > MaxRows {
				err = errTooManyRows()
			}
		}
		if err != nil {
			yield(Row{}, err)
			return
		}
		cells, err := l.record(line)
		if err != nil {
			yield(Row{}, err)
			return
		}
		if anything(cells) && !yield(Row{l.records, cells}, nil) {
			return
		}
	}
}

// line is the next line without its end. A last line without one counts.
func (l *lineReader) line() (string, error) {
	if len(l.waiting) > 0 {
		line := l.waiting[0]
		l.waiting = l.waiting[1:]
		return line, nil
	}
	var b strings.Builder
	for {
		part, err := l.in.ReadSlice('\n')
		if b.Len()+len(part) > maxLine {
			return "", errBroken(errors.New("sheet: a line without end"))
		}
		b.Write(part)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && b.Len() > 0, err == nil:
			return trimNewline(validText(b.String())), nil
		}
		return "", err
	}
}

// record splits a line; a quoted field may go on in the next lines.
func (l *lineReader) record(line string) ([]Cell, error) {
	joined := line
	var ahead []string
	for {
		cells, closed := split(joined, l.separator, true)
		if closed {
			return cells, nil
		}
		next, err := l.line()
		if err == nil && len(ahead) < maxSpread && len(joined) < maxLine {
			ahead = append(ahead, next)
			joined += "\n" + next
			continue
		}
		if err == nil {
			ahead = append(ahead, next)
		} else if !errors.Is(err, io.EOF) {
			return nil, err
		}
		l.waiting = append(ahead, l.waiting...)
		cells, _ = split(line, l.separator, false)
		return cells, nil
	}
}

// split cuts a record into fields. closed is false when it ends inside of a
// quoted field. Without quoting, quotation marks are characters like others.
func split(line string, separator rune, quoting bool) (cells []Cell, closed bool) {
	sep := string(separator)
	for {
		if trimmed := strings.TrimLeft(line, " "); quoting && strings.HasPrefix(trimmed, `"`) {
			value, rest, ok := quoted(trimmed[1:])
			if !ok {
				return nil, false
			}
			after, tail, more := strings.Cut(rest, sep)
			if len(cells) < MaxColumns {
				cells = append(cells, written(value+after))
			}
			if !more {
				return cells, true
			}
			line = tail
			continue
		}
		field, tail, more := strings.Cut(line, sep)
		if len(cells) < MaxColumns {
			cells = append(cells, written(field))
		}
		if !more {
			return cells, true
		}
		line = tail
	}
}

// quoted reads a field up to its closing mark; "" in it is one mark.
func quoted(s string) (value, rest string, closed bool) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			return "", "", false
		}
		b.WriteString(s[:i])
		if s = s[i+1:]; !strings.HasPrefix(s, `"`) {
			return b.String(), s, true
		}
		b.WriteByte('"')
		s = s[1:]
	}
}
