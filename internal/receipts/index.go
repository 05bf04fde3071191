package receipts

import (
	"context"
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"

	"huizhi/internal/i18n"
)

// textFormat is Excel's built-in "@": a cell that stays text when it is edited,
// so that an 18-digit number never becomes 4.40305E+17.
const textFormat = 49

// widths of the index's columns, in characters.
var widths = []float64{6, 14, 22, 16, 20, 24, 20, 20, 44, 44, 30}

// WriteIndex writes the index of the batch alone.
func WriteIndex(ctx context.Context, w io.Writer, b Batch) error {
	ix, err := newIndex(ctx)
	if err != nil {
		return err
	}
	defer ix.close()
	if err := b.Each(func(e Entry) error { return ix.add(e, nameOf(e, e.Receipt), nameOf(e, e.Photo), "") }); err != nil {
		return err
	}
	return ix.writeTo(w)
}

func nameOf(e Entry, f File) string {
	if f.Key == "" {
		return ""
	}
	return FileName(e, f.Type)
}

// index is the table of what is in an output. Rows beyond a few megabytes go to a
// temporary file.
type index struct {
	ctx  context.Context
	file *excelize.File
	rows *excelize.StreamWriter
	text int
	next int
}

func newIndex(ctx context.Context) (*index, error) {
	ix := &index{ctx: ctx, file: excelize.NewFile(), next: 1}
	if err := ix.begin(); err != nil {
		ix.close()
		return nil, fmt.Errorf("cannot begin the index: %w", err)
	}
	return ix, nil
}

func (ix *index) begin() error {
	sheet := i18n.T(ix.ctx, "receipts.index")
	if err := ix.file.SetSheetName(ix.file.GetSheetName(0), sheet); err != nil {
		return err
	}
	var err error
	if ix.text, err = ix.file.NewStyle(&excelize.Style{NumFmt: textFormat}); err != nil {
		return err
	}
	bold, err := ix.file.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, NumFmt: textFormat})
	if err != nil {
		return err
	}
	if ix.rows, err = ix.file.NewStreamWriter(sheet); err != nil {
		return err
	}
	for i, width := range widths {
		if err := ix.rows.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
	}
	if err := ix.rows.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	return ix.row(bold, headings(ix.ctx)...)
}

func headings(ctx context.Context) []string {
	return []string{
		i18n.T(ctx, "receipts.col.seq"), i18n.T(ctx, "receipts.col.name"), i18n.T(ctx, "receipts.col.id_number"),
		i18n.T(ctx, "receipts.col.type"), i18n.T(ctx, "receipts.col.city"), i18n.T(ctx, "receipts.col.image_code"),
		i18n.T(ctx, "receipts.col.order"), i18n.T(ctx, "receipts.col.completed"), i18n.T(ctx, "receipts.col.receipt"),
		i18n.T(ctx, "receipts.col.photo"), i18n.T(ctx, "receipts.col.note"),
	}
}

// add appends an entry; note says what is missing.
func (ix *index) add(e Entry, receipt, photo, note string) error {
	return ix.row(ix.text, fmt.Sprint(e.Seq), e.Name, e.IDNumber, e.TypeName, e.City, e.ImageCode, e.Number,
		i18n.DateTime(e.CompletedAt), receipt, photo, note)
}

// row writes texts. A text is never a formula, whatever it begins with.
func (ix *index) row(style int, texts ...string) error {
	cells := make([]any, len(texts))
	for i, t := range texts {
		cells[i] = excelize.Cell{StyleID: style, Value: t}
	}
	cell, err := excelize.CoordinatesToCellName(1, ix.next)
	if err != nil {
		return err
	}
	ix.next++
	return ix.rows.SetRow(cell, cells)
}

func (ix *index) writeTo(w io.Writer) error {
	if err := ix.rows.Flush(); err != nil {
		return fmt.Errorf("cannot finish the index: %w", err)
	}
	if _, err := ix.file.WriteTo(w); err != nil {
		return fmt.Errorf("cannot write the index: %w", err)
	}
	return nil
}

// close removes the temporary file.
func (ix *index) close() { _ = ix.file.Close() }
