package sheet

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"huizhi/internal/apperr"
)

// openText opens a text with one row a line.
func openText(f io.ReaderAt, size int64, head []byte) (*Table, error) {
	format, err := encodingOf(io.NewSectionReader(f, 0, size), head)
	if err != nil {
		return nil, err
	}
	first, err := io.ReadAll(io.LimitReader(decoded(io.NewSectionReader(f, 0, size), format), 64<<10))
	if err != nil {
		return nil, errBroken(err)
	}
	read := &counter{r: io.NewSectionReader(f, 0, size), max: MaxBytes}
	lines := &lineReader{in: bufio.NewReaderSize(decoded(read, format), 64<<10), separator: separatorOf(string(first))}
	return &Table{Format: format, Total: size, read: read, rows: lines.rows}, nil
}

// encodingOf tells the encoding by a mark at the beginning, or else by whether all
// of the text is valid UTF-8: hardly any Chinese text in GB18030 is.
func encodingOf(r io.Reader, head []byte) (Format, error) {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return UTF16, nil
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return "", apperr.New(apperr.Invalid, "error.roster.not_a_table")
	}
	_, err := io.Copy(io.Discard, transform.NewReader(r, encoding.UTF8Validator))
	if errors.Is(err, encoding.ErrInvalidUTF8) {
		return GB18030, nil
	}
	return UTF8, err
}

func decoded(r io.Reader, format Format) io.Reader {
	switch format {
	case UTF16:
		return transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder())
	case GB18030:
		return transform.NewReader(r, simplifiedchinese.GB18030.NewDecoder())
	}
	return transform.NewReader(r, unicode.UTF8BOM.NewDecoder())
}

// separatorOf is the separator that the first lines agree on best; cells copied
// from a spreadsheet are separated by tabs.
func separatorOf(head string) rune {
	lines := strings.SplitN(head, "\n", 21)
	if len(lines) > 1 {
		lines = lines[:len(lines)-1] // the last may be cut off
	}
	best, most := ',', 0
	for _, sep := range []rune{'\t', ',', ';', '|', '，'} {
		n := 0
		for _, line := range lines {
			n += min(strings.Count(line, string(sep)), 30)
		}
		if n > most {
			best, most = sep, n
		}
	}
	return best
}

// trimNewline cuts what ends a line.
func trimNewline(s string) string { return strings.TrimRight(s, "\r\n") }

// validText is s without what no encoding has, so that a database takes it.
func validText(s string) string {
	if utf8.ValidString(s) && !strings.ContainsRune(s, 0) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
