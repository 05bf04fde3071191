package server

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/receipts"
	"huizhi/internal/tenants"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/orderview"
)

func (s *Server) receiptRoutes() []route {
	work := can(tenants.CanWork)
	return []route{
		{"GET /orders/{order}/receipt", work, s.receiptFile},
		{"GET /orders/{order}/standard-photo", work, s.standardPhoto},
		{"POST /orders/{order}/receipt/fetch", work, s.fetchReceipt},
		{"GET /batches/{batch}/receipts.zip", work, s.batchOutput(archiveOutput)},
		{"GET /batches/{batch}/receipts.pdf", work, s.batchOutput(printOutput)},
		{"GET /batches/{batch}/receipts.xlsx", work, s.batchOutput(indexOutput)},
	}
}

// receiptFile serves the receipt as it was received.
func (s *Server) receiptFile(w http.ResponseWriter, r *http.Request) error {
	return s.serveReceipt(w, r, "receipts.file.receipt", func(e receipts.Entry) receipts.File { return e.Receipt })
}

// standardPhoto serves the photo that the provider made for the authority.
func (s *Server) standardPhoto(w http.ResponseWriter, r *http.Request) error {
	return s.serveReceipt(w, r, "receipts.file.photo", func(e receipts.Entry) receipts.File { return e.Photo })
}

// Files from the provider may not do anything in our pages. Browsers refuse to
// show a PDF in a sandbox, so a PDF gets no sandbox: its viewer isolates it.
const (
	picturePolicy = "default-src 'none'; sandbox; frame-ancestors 'self'"
	pdfPolicy     = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
)

func (s *Server) serveReceipt(w http.ResponseWriter, r *http.Request, kindKey string, which func(receipts.Entry) receipts.File) error {
	ctx, sc := r.Context(), identity(r).Scope()
	o, err := s.Orders.Get(ctx, sc, r.PathValue("order"))
	if err != nil {
		return err
	}
	all, err := s.Orders.Receipts(ctx, sc, []string{o.ID})
	if err != nil {
		return err
	}
	none := apperr.New(apperr.NotFound, "error.receipt.no_file")
	got := all[o.ID]
	if got == nil || got.State != orders.ReceiptStored {
		return none
	}
	entry := receiptEntry(o, got)
	file := which(entry)
	if file.Key == "" {
		return none
	}
	content, err := s.Orders.Blobs.NewReader(ctx, file.Key)
	if err != nil {
		return err
	}
	h, disposition := w.Header(), "inline"
	if r.URL.Query().Get("download") == "1" {
		disposition = "attachment"
	}
	name := receipts.SingleName(i18n.T(ctx, kindKey), entry, file.Type)
	h.Set("Content-Disposition", contentDisposition(disposition, o.Number+path.Ext(name), name))
	h.Set("Content-Security-Policy", picturePolicy)
	if file.Type == "application/pdf" {
		h.Set("Content-Security-Policy", pdfPolicy)
	}
	return serveFile(w, r, &photos.File{Reader: content, ContentType: file.Type, ETag: `"` + path.Base(file.Key) + `"`})
}

// contentDisposition names a file: plain for old programs, and in UTF-8 after
// RFC 5987.
func contentDisposition(disposition, plain, name string) string {
	_, encoded, _ := strings.Cut(mime.FormatMediaType("x", map[string]string{"filename": name}), ";")
	if plain == name {
		return disposition + ";" + encoded
	}
	return disposition + `; filename="` + plain + `";` + encoded
}

// fetchReceipt starts fetching the files of an order again after it was given up.
func (s *Server) fetchReceipt(w http.ResponseWriter, r *http.Request) error {
	order := r.PathValue("order")
	if err := s.Orders.RetryReceipt(r.Context(), identity(r).Scope(), order); err != nil {
		return err
	}
	return redirect(w, r, orderURL(order))
}

// output is one way to hand out the receipts of a batch.
type output struct {
	kindKey, extension, contentType, action string
	write                                   func(context.Context, io.Writer, receipts.Batch) error
}

var (
	archiveOutput = output{"receipts.file.receipts", ".zip", "application/zip", "receipts.export_zip", receipts.WriteArchive}
	printOutput   = output{"receipts.file.print", ".pdf", "application/pdf", "receipts.export_pdf", receipts.WritePrint}
	indexOutput   = output{"receipts.file.index", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"receipts.export_xlsx", receipts.WriteIndex}
)

// errFound ends a walk that has seen enough.
var errFound = errors.New("found")

// batchOutput streams an output. It holds personal data, so who took it is on
// record before the first byte goes out.
func (s *Server) batchOutput(o output) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, id := r.Context(), identity(r)
		b, err := s.Orders.Batch(ctx, id.Scope(), r.PathValue("batch"))
		if err != nil {
			return err
		}
		err = s.Orders.Completed(ctx, id.Scope(), b.ID, func(*orders.Order, *orders.Receipt) error { return errFound })
		if err == nil {
			return s.render(w, r, http.StatusNotFound, orderview.NoReceiptsPage(s.chrome(r, layout.NavBatches), b.Name, "/batches/"+url.PathEscape(b.ID)))
		}
		if !errors.Is(err, errFound) {
			return err
		}
		if err := tenants.Audit(ctx, s.Orders.DB, id.Scope(), id.User.ID, o.action, "batch", b.ID, time.Now().UTC()); err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", o.contentType)
		h.Set("Content-Disposition", contentDisposition("attachment", "receipts"+o.extension,
			receipts.ExportName(i18n.T(ctx, o.kindKey), b.Name, o.extension)))
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusOK) // from here on a failure can only break off
		out := &steadyWriter{w: w, control: http.NewResponseController(w)}
		if err := o.write(ctx, out, s.outputBatch(ctx, id.Scope(), b)); err != nil {
			out.breakOff()
			return err
		}
		return nil
	}
}

func (s *Server) outputBatch(ctx context.Context, sc tenants.Scope, b *orders.Batch) receipts.Batch {
	return receipts.Batch{
		Each: func(visit func(receipts.Entry) error) error {
			return s.Orders.Completed(ctx, sc, b.ID, func(o *orders.Order, got *orders.Receipt) error {
				return visit(receiptEntry(o, got))
			})
		},
		Open: func(ctx context.Context, key string) (io.ReadSeekCloser, error) {
			return s.Orders.Blobs.NewReader(ctx, key)
		},
	}
}

func receiptEntry(o *orders.Order, r *orders.Receipt) receipts.Entry {
	e := receipts.Entry{
		Seq: o.Seq, Number: o.Number, Name: o.Name, IDNumber: o.IDNumber, TypeName: o.TypeName, City: o.City, ImageCode: r.ImageCode,
		Receipt: receipts.File{Key: r.ResultKey, Type: r.ResultType}, Photo: receipts.File{Key: r.PhotoKey, Type: r.PhotoType},
	}
	if o.CompletedAt != nil {
		e.CompletedAt = *o.CompletedAt
	}
	return e
}

// steadyWriter moves the connection's deadline on while bytes go out: a large
// batch on a slow line is no problem, a stalled reader is given up.
type steadyWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	moved   time.Time
}

func (s *steadyWriter) Write(p []byte) (int, error) {
	if now := time.Now(); now.Sub(s.moved) > time.Second {
		_ = s.control.SetWriteDeadline(now.Add(patience)) // without a connection there is none
		s.moved = now
	}
	return s.w.Write(p)
}

// breakOff cuts the connection, so that the browser sees a broken download and not
// a complete file with its end missing.
func (s *steadyWriter) breakOff() { _ = s.control.SetWriteDeadline(time.Unix(1, 0)) }
