package receipts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"codeberg.org/go-pdf/fpdf"

	"huizhi/internal/blob"
	"huizhi/internal/fonts"
	"huizhi/internal/i18n"
)

// A4, in millimetres.
const (
	pageWidth, pageHeight = 210.0, 297.0
	pageMargin            = 15.0
)

// WritePrint writes all receipts of the batch as one PDF, in their places, for
// printing. A receipt that is a picture becomes a page; one that cannot be read or
// is not there gets a page that says so, and the rest goes on.
func WritePrint(ctx context.Context, w io.Writer, b Batch) error {
	j, err := newJoiner(w)
	if err != nil {
		return err
	}
	err = b.Each(func(e Entry) error {
		err := b.print(ctx, j, e)
		if errors.Is(err, errUnreadable) || errors.Is(err, blob.ErrNotFound) {
			return j.addMade(notePage(ctx, e))
		}
		return err
	})
	if err != nil {
		return err
	}
	return j.finish()
}

func (b Batch) print(ctx context.Context, j *joiner, e Entry) error {
	f, err := b.Open(ctx, e.Receipt.Key)
	if err != nil {
		return fmt.Errorf("cannot open a receipt: %w", err)
	}
	defer f.Close()
	if e.Receipt.Type == "application/pdf" {
		return j.add(f)
	}
	page, err := picturePage(f, e.Receipt.Type)
	if err != nil {
		return err
	}
	return j.addMade(page)
}

// addMade appends a document that we made ourselves.
func (j *joiner) addMade(doc *fpdf.Fpdf) error {
	var buf bytes.Buffer
	if err := doc.Output(&buf); err != nil {
		return fmt.Errorf("cannot make a page: %w", err)
	}
	return j.add(bytes.NewReader(buf.Bytes()))
}

func newPage() *fpdf.Fpdf {
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetMargins(pageMargin, pageMargin, pageMargin)
	doc.SetAutoPageBreak(false, 0)
	doc.AddPage()
	return doc
}

// picturePage is the picture as large as the page allows.
func picturePage(r io.Reader, contentType string) (*fpdf.Fpdf, error) {
	doc := newPage()
	options := fpdf.ImageOptions{ImageType: map[string]string{"image/jpeg": "JPEG", "image/png": "PNG"}[contentType]}
	info := doc.RegisterImageOptionsReader("receipt", options, r)
	if doc.Err() || info == nil || info.Width() <= 0 || info.Height() <= 0 {
		return nil, fmt.Errorf("%w: %w", errUnreadable, doc.Error())
	}
	scale := min((pageWidth-2*pageMargin)/info.Width(), (pageHeight-2*pageMargin)/info.Height())
	width := info.Width() * scale
	doc.ImageOptions("receipt", (pageWidth-width)/2, pageMargin, width, 0, false, options, 0, "")
	return doc, nil
}

// notePage says which receipt should be here and is not.
func notePage(ctx context.Context, e Entry) *fpdf.Fpdf {
	doc := newPage()
	doc.AddUTF8FontFromBytes("sans", "", fonts.NotoSansSC())
	line := func(size, height float64, text string) {
		doc.SetFont("sans", "", size)
		doc.MultiCell(0, height, text, "", "L", false)
	}
	line(18, 10, i18n.T(ctx, "receipts.unreadable"))
	doc.Ln(4)
	line(12, 7, i18n.T(ctx, "receipts.unreadable.which", "seq", fmt.Sprint(e.Seq), "name", e.Name, "type", e.TypeName))
	line(12, 7, i18n.T(ctx, "receipts.unreadable.order", "number", e.Number))
	line(12, 7, i18n.T(ctx, "receipts.unreadable.image_code", "code", e.ImageCode))
	doc.Ln(4)
	line(12, 7, i18n.T(ctx, "receipts.unreadable.do"))
	return doc
}
