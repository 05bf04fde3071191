package classes

import (
	"context"
	"io"

	"huizhi/internal/billing/table"
	"huizhi/internal/i18n"
)

// index is the table of an export: everybody who was meant, with the file or the reason
// why there is none.
type index struct{ table.Writer }

func newIndex(ctx context.Context, w io.Writer) (index, error) {
	col := func(key string, width float64) table.Column {
		return table.Column{Name: i18n.T(ctx, key), Width: width}
	}
	t, err := table.XLSX(w, i18n.T(ctx, "board.index"), []table.Column{
		col("board.col.file", 44), col("board.col.left", 40), col("roster.field.name", 14), col("roster.field.id_number", 22), col("roster.field.student_number", 18),
		col("roster.field.grade", 12), col("roster.field.class", 14), col("board.col.state", 12), col("board.col.order", 20), col("board.col.image_code", 22),
		col("board.col.bytes", 12), col("board.col.note", 40),
	})
	return index{t}, err
}

// add writes a line; size is that of the file in bytes.
func (ix index) add(ctx context.Context, e *Entry, size int64) error {
	path, bytes := e.Path, any(size)
	if e.Left != "" {
		path, bytes = "", nil
	}
	note := e.Note
	if e.IDNumber != "" && confirmed(e.OrderStatus) && e.OrderIDNumber != "" && e.IDNumber != e.OrderIDNumber {
		e.note(i18n.T(ctx, "board.note.number"))
		note = e.Note
	}
	return ix.Row(path, e.Left, e.Name, table.Digits(e.idNumber()), table.Digits(e.StudentNumber), e.Grade, e.Class,
		i18n.T(ctx, "board.state."+string(e.State)), e.OrderNumber, e.ImageCode, bytes, note)
}
