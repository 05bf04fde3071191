package receipts

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// joiner writes one PDF whose pages are those of the files given to it. Objects
// go out as soon as a file is read, renumbered, so that memory holds one file and
// eight bytes for each object written. (pdfcpu's own merge holds all of them.)
//
// Object 1 is the catalog and object 2 the root of the page tree, both written at
// the end; each file's page tree hangs below the root as it is. What does not
// belong to pages (outlines, forms, scripts, metadata) is left behind.
type joiner struct {
	w       io.Writer
	written int64
	offsets []int64 // by object number; 0 for one that is not written
	trees   []types.Object
	pages   int
}

const (
	catalogNumber = 1
	rootNumber    = 2
)

func newJoiner(w io.Writer) (*joiner, error) {
	j := &joiner{w: w, offsets: make([]int64, rootNumber+1)}
	// The second line tells transfer programs that the file is binary.
	return j, j.writef("%%PDF-1.7\n%%\xe2\xe3\xcf\xd3\n")
}

func (j *joiner) writef(format string, args ...any) error {
	n, err := fmt.Fprintf(j.w, format, args...)
	j.written += int64(n)
	return err
}

// withoutConfigDir keeps pdfcpu from making a folder in the user's home.
var withoutConfigDir = sync.OnceFunc(func() { model.ConfigPath = "disable" })

// errUnreadable is in the chain when the file is at fault and nothing of it was
// written; any other error means that the output is broken.
var errUnreadable = errors.New("receipts: the PDF cannot be read")

// add appends the pages of a file.
func (j *joiner) add(r io.ReadSeeker) error {
	src, err := readSource(r)
	if err != nil {
		return err
	}
	c := &carrier{joiner: j, src: src, numbers: map[int]int{}}
	tree := c.reference(src.tree)
	if err := c.writeReached(); err != nil {
		return err
	}
	j.trees = append(j.trees, tree)
	j.pages += src.pages
	return nil
}

// finish writes the page tree's root, the catalog and the cross references.
func (j *joiner) finish() error {
	if err := j.object(rootNumber, types.Dict{"Type": types.Name("Pages"), "Kids": types.Array(j.trees), "Count": types.Integer(j.pages)}); err != nil {
		return err
	}
	if err := j.object(catalogNumber, types.Dict{"Type": types.Name("Catalog"), "Pages": *types.NewIndirectRef(rootNumber, 0)}); err != nil {
		return err
	}
	start := j.written
	var table strings.Builder
	fmt.Fprintf(&table, "xref\n0 %d\n0000000000 65535 f \n", len(j.offsets))
	for _, offset := range j.offsets[1:] {
		if offset == 0 {
			table.WriteString("0000000000 00000 f \n")
		} else {
			fmt.Fprintf(&table, "%010d 00000 n \n", offset)
		}
	}
	return j.writef("%strailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n", table.String(), len(j.offsets), catalogNumber, start)
}

func (j *joiner) object(number int, o types.Object) error {
	j.offsets[number] = j.written
	body := "null"
	if o != nil {
		body = o.PDFString()
	}
	return j.writef("%d 0 obj\n%s\nendobj\n", number, body)
}

func (j *joiner) stream(number int, dict types.Dict, raw []byte) error {
	j.offsets[number] = j.written
	if err := j.writef("%d 0 obj\n%s\nstream\n", number, dict.PDFString()); err != nil {
		return err
	}
	n, err := j.w.Write(raw)
	j.written += int64(n)
	if err != nil {
		return err
	}
	return j.writef("\nendstream\nendobj\n")
}

// source is a PDF file that was read.
type source struct {
	xref  *model.XRefTable
	tree  types.IndirectRef // root of its page tree
	pages int
}

// readSource reads the file and walks its page tree. The reader is not ours and
// the file is not either: a panic in it is the file's fault.
func readSource(r io.ReadSeeker) (src *source, err error) {
	defer func() {
		if v := recover(); v != nil {
			src, err = nil, fmt.Errorf("%w: %v", errUnreadable, v)
		}
	}()
	withoutConfigDir()
	ctx, err := pdfcpu.Read(r, model.NewDefaultConfiguration())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	catalog, err := ctx.Catalog()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	tree := catalog.IndirectRefEntry("Pages")
	if tree == nil {
		return nil, fmt.Errorf("%w: no page tree", errUnreadable)
	}
	src = &source{xref: ctx.XRefTable, tree: *tree}
	if src.pages, err = src.count(*tree, map[int]bool{}); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	if src.pages == 0 {
		return nil, fmt.Errorf("%w: no pages", errUnreadable)
	}
	return src, nil
}

// count counts the pages below a node, trusting no Count. The root loses its
// parent: it gets ours.
func (s *source) count(node types.IndirectRef, seen map[int]bool) (int, error) {
	number := node.ObjectNumber.Value()
	if seen[number] {
		return 0, errors.New("the page tree has a cycle")
	}
	seen[number] = true
	d, err := s.xref.DereferenceDict(node)
	if err != nil {
		return 0, err
	}
	if d == nil {
		return 0, errors.New("a page is missing")
	}
	if t := d.Type(); t != nil && *t == "Page" {
		return 1, nil
	}
	kids, err := s.xref.DereferenceArray(d["Kids"])
	if err != nil {
		return 0, err
	}
	pages := 0
	for _, kid := range kids {
		ref, ok := kid.(types.IndirectRef)
		if !ok {
			return 0, errors.New("a page is not an object")
		}
		n, err := s.count(ref, seen)
		if err != nil {
			return 0, err
		}
		pages += n
	}
	d["Count"] = types.Integer(pages)
	return pages, nil
}

// carrier brings the objects that a file's pages reach into the output.
type carrier struct {
	*joiner
	src     *source
	numbers map[int]int // from the file's numbers to ours
	waiting []int       // the file's numbers, referred to and not yet written
}

// writeReached writes what waits until nothing new is referred to.
func (c *carrier) writeReached() error {
	for len(c.waiting) > 0 {
		old := c.waiting[0]
		c.waiting = c.waiting[1:]
		o, err := c.src.xref.Dereference(*types.NewIndirectRef(old, 0))
		if err != nil {
			o = nil // what cannot be read is null, as PDF has it
		}
		if old == c.src.tree.ObjectNumber.Value() {
			root := o.(types.Dict).Clone().(types.Dict)
			delete(root, "Parent")
			moved := c.renumber(root).(types.Dict)
			moved["Parent"] = *types.NewIndirectRef(rootNumber, 0)
			o = moved
		} else if sd, ok := streamOf(o); ok {
			dict := c.renumber(sd.Dict).(types.Dict)
			dict["Length"] = types.Integer(len(sd.Raw))
			if err := c.stream(c.numbers[old], dict, sd.Raw); err != nil {
				return err
			}
			continue
		} else {
			o = c.renumber(o)
		}
		if err := c.object(c.numbers[old], o); err != nil {
			return err
		}
	}
	return nil
}

func streamOf(o types.Object) (types.StreamDict, bool) {
	switch sd := o.(type) {
	case types.StreamDict:
		return sd, true
	case *types.StreamDict:
		return *sd, true
	}
	return types.StreamDict{}, false
}

// reference is our reference for one of the file's.
func (c *carrier) reference(old types.IndirectRef) types.IndirectRef {
	n := old.ObjectNumber.Value()
	if _, known := c.numbers[n]; !known {
		c.numbers[n] = len(c.offsets)
		c.offsets = append(c.offsets, 0)
		c.waiting = append(c.waiting, n)
	}
	return *types.NewIndirectRef(c.numbers[n], 0)
}

// renumber copies an object with our references in place of the file's.
func (c *carrier) renumber(o types.Object) types.Object {
	switch o := o.(type) {
	case types.IndirectRef:
		return c.reference(o)
	case types.Dict:
		moved := make(types.Dict, len(o))
		for key, value := range o {
			moved[key] = c.renumber(value)
		}
		return moved
	case types.Array:
		moved := make(types.Array, len(o))
		for i, value := range o {
			moved[i] = c.renumber(value)
		}
		return moved
	default:
		return o
	}
}
