// Package archive reads the ZIP files that people upload: folders of photos made by Windows, macOS, phones
// and messengers. It decodes Chinese file names whoever wrote them, refuses what is hostile or useless file
// by file with a reason, and holds back bombs by what really comes out, whatever the headers say.
package archive

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"huizhi/internal/apperr"
)

// Limits bounds what one archive may cost. All are enforced while reading.
type Limits struct {
	Files      int   // files, not counting directories and ignored ones
	EntryBytes int64 // unpacked bytes of one file
	TotalBytes int64 // unpacked bytes of all
	Ratio      int64 // unpacked by packed bytes of one file, once it exceeds a megabyte
}

// DefaultLimits fits a school year of photos.
func DefaultLimits() Limits {
	return Limits{Files: 5000, EntryBytes: 60 << 20, TotalBytes: 4 << 30, Ratio: 200}
}

// Entry is a file in the archive.
type Entry struct {
	Name   string // without its folder
	Folder string // separated by "/", "" at the top
	Size   int64  // unpacked bytes as declared, which may be wrong
}

// Refused is a file that was not read, or not to its end, and what the uploader is told about it.
type Refused struct {
	Entry Entry
	Err   *apperr.Error
}

// Report is the balance of an archive: every file in it was read, refused, or is none that anybody meant to
// upload.
type Report struct {
	Read    int       // handed to the callback and read without a refusal
	Refused []Refused // in the archive's order
	Ignored int       // directories and the litter of operating systems
}

// Walk calls fn for each acceptable file in the archive's order with a reader of its content. The reader's
// error is a refusal of this file; fn returns it, or leaves what it stored unused, and Walk goes on to the
// next file. Any other error of fn, of the context or of r ends the walk and is returned.
//
// Errors about the archive as a whole are *apperr.Error with a key below "error.zip."; what was read before
// a limit was hit has been handed out, and the report says how much that is.
func Walk(ctx context.Context, r io.ReaderAt, size int64, limits Limits, fn func(Entry, io.Reader) error) (Report, error) {
	source := &source{r: r, budget: int64(limits.Files)*directoryBytes + 128<<10}
	z, err := zip.NewReader(source, size)
	switch {
	case source.spent:
		return Report{}, tooManyFiles(limits)
	case source.err != nil:
		return Report{}, fmt.Errorf("archive: read: %w", source.err)
	case err != nil && !errors.Is(err, zip.ErrInsecurePath): // names are checked below
		return Report{}, apperr.New(apperr.Invalid, "error.zip.damaged").Wrap(err)
	}
	source.budget = unlimited

	w := walk{ctx: ctx, source: source, limits: limits, left: limits.TotalBytes, fn: fn}
	var files []*zip.File
	names := decodeNames(z.File)
	for i, f := range z.File {
		if litter(names[i]) {
			w.report.Ignored++
			continue
		}
		f.Name = names[i]
		files = append(files, f)
	}
	if len(files) > limits.Files {
		return w.report, tooManyFiles(limits)
	}
	for _, f := range files {
		if err := w.file(f); err != nil {
			return w.report, err
		}
	}
	return w.report, nil
}

func tooManyFiles(l Limits) error {
	return apperr.New(apperr.Invalid, "error.zip.too_many_files", "limit", l.Files)
}

// walk is the state of one Walk.
type walk struct {
	ctx    context.Context
	source *source
	limits Limits
	left   int64 // of TotalBytes
	fn     func(Entry, io.Reader) error
	report Report
}

// file hands out one file or refuses it. Its error ends the walk.
func (w *walk) file(f *zip.File) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	folder, name := path.Split(f.Name)
	entry := Entry{name, strings.Trim(path.Clean("/"+folder), "/"), int64(min(f.UncompressedSize64, 1<<62))}
	refuse := func(err *apperr.Error) error {
		w.report.Refused = append(w.report.Refused, Refused{entry, err})
		return nil
	}
	if err := w.judge(f); err != nil {
		return refuse(err)
	}
	packed, err := f.Open()
	if w.source.err != nil {
		return fmt.Errorf("archive: read: %w", w.source.err)
	}
	if err != nil {
		return refuse(damaged(err))
	}
	defer packed.Close()
	content := &content{walk: w, packed: packed, packedSize: int64(min(f.CompressedSize64, 1<<62))}
	buffered := bufio.NewReader(content)
	if nested(buffered, name) {
		return refuse(apperr.New(apperr.Invalid, "error.zip.nested"))
	}

	err = w.fn(entry, buffered)
	switch {
	case w.source.err != nil:
		return fmt.Errorf("archive: read: %w", w.source.err)
	case content.fatal != nil:
		return content.fatal
	case content.refused != nil:
		return refuse(content.refused)
	case err != nil:
		return err
	}
	w.report.Read++
	return nil
}

// judge refuses a file by its headers.
func (w *walk) judge(f *zip.File) *apperr.Error {
	const encrypted = 0x1
	switch {
	case !safeName(f.Name) || f.Mode()&fs.ModeType != 0: // a link's content is a path, too
		return apperr.New(apperr.Invalid, "error.zip.unsafe_name")
	case f.Flags&encrypted != 0:
		return apperr.New(apperr.Invalid, "error.zip.encrypted")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return apperr.New(apperr.Invalid, "error.zip.method")
	case f.UncompressedSize64 > uint64(w.limits.EntryBytes):
		return w.entryTooLarge()
	}
	return nil
}

func (w *walk) entryTooLarge() *apperr.Error {
	return apperr.New(apperr.TooLarge, "error.zip.entry_too_large", "limit", w.limits.EntryBytes>>20)
}

func damaged(err error) *apperr.Error {
	return apperr.New(apperr.Invalid, "error.zip.entry_damaged").Wrap(err)
}

// content reads one file and counts what comes out.
type content struct {
	walk       *walk
	packed     io.Reader
	packedSize int64
	size       int64

	refused *apperr.Error // this file goes no further
	fatal   error         // the archive goes no further
}

// ratioFloor is the size from which the compression ratio is looked at: small flat pictures compress well.
const ratioFloor = 1 << 20

func (c *content) Read(p []byte) (int, error) {
	switch {
	case c.fatal != nil:
		return 0, c.fatal
	case c.refused != nil:
		return 0, c.refused
	}
	if err := c.walk.ctx.Err(); err != nil {
		c.fatal = err
		return 0, err
	}
	n, err := c.packed.Read(p)
	c.size += int64(n)
	c.walk.left -= int64(n)
	limits := c.walk.limits
	switch {
	case c.walk.left < 0:
		c.fatal = apperr.New(apperr.TooLarge, "error.zip.too_large", "limit", limits.TotalBytes>>20)
		return 0, c.fatal
	case c.size > limits.EntryBytes:
		c.refused = c.walk.entryTooLarge()
		return 0, c.refused
	case c.size > ratioFloor && c.size/limits.Ratio > c.packedSize:
		c.refused = apperr.New(apperr.Invalid, "error.zip.ratio", "limit", limits.Ratio)
		return 0, c.refused
	case err != nil && err != io.EOF:
		c.refused = damaged(err)
		return n, c.refused
	}
	return n, err
}

// nested reports whether a file is an archive itself. Office documents are ZIP files by format only.
func nested(r *bufio.Reader, name string) bool {
	head, _ := r.Peek(6) // a read error comes back at the next read
	switch strings.ToLower(path.Ext(name)) {
	case ".xlsx", ".docx", ".pptx":
		return false
	}
	for _, magic := range []string{"PK\x03\x04", "PK\x05\x06", "Rar!\x1a\x07", "7z\xbc\xaf\x27\x1c", "\x1f\x8b\x08"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// source tells errors of the storage from errors of the archive, and bounds how much of the file may be
// read as directory.
type source struct {
	r      io.ReaderAt
	budget int64
	spent  bool
	err    error
}

const (
	// directoryBytes is the room for a file's directory record: 46 bytes, a long path and extra fields.
	directoryBytes = 1600
	unlimited      = -1
)

var errDirectory = errors.New("archive: directory too long")

func (s *source) ReadAt(p []byte, at int64) (int, error) {
	if s.budget != unlimited {
		if s.budget < int64(len(p)) {
			s.spent = true
			return 0, errDirectory
		}
		s.budget -= int64(len(p))
	}
	if at < 0 { // a forged offset is the archive's fault
		return 0, io.ErrUnexpectedEOF
	}
	n, err := s.r.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
