package server

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/internal/ocr"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/uploadview"
)

func (s *Server) uploadRoutes() []route {
	work := can(tenants.CanWork)
	return []route{
		{"POST /batches/{batch}/files", work, s.uploadFiles},
		{"POST /batches/{batch}/files/check", work, s.checkFiles},
		{"GET /batches/{batch}/files/balance", work, s.uploadBalance},
		{"GET /batches/{batch}/refusals", work, s.refusals},
		{"GET /batches/{batch}/refusals.csv", work, s.refusalsCSV},
		{"GET /pictures/{picture}/{file}", work, s.pictureFile},
		{"GET /readings/{reading}/{file}", work, s.cropFile},
	}
}

// fileNameHeader carries the percent-encoded name of the one file in the body.
// It is not in the address, because file names hold people's names and addresses
// end up in logs.
const fileNameHeader = "X-File-Name"

// fileAnswer is what the uploader learns of one file. An empty outcome in the
// answer to a check means: send it.
type fileAnswer struct {
	Outcome photos.Outcome `json:"outcome"`
	Reason  string         `json:"reason,omitempty"` // a sentence, in the user's language
	// New tells that this request recorded it: it is one more in the balance.
	New bool `json:"new,omitempty"`
}

func answerFor(r *http.Request, up *photos.Upload) fileAnswer {
	if up == nil {
		return fileAnswer{}
	}
	return fileAnswer{Outcome: up.Outcome, Reason: reasonOf(r, up), New: up.New}
}

func reasonOf(r *http.Request, up *photos.Upload) string {
	if up.ReasonKey == "" {
		return ""
	}
	return i18n.T(r.Context(), up.ReasonKey, up.ReasonArgs...)
}

// uploadFiles takes one file as the raw body (from the uploader), or a form with
// any number of them (from a browser without script). It answers after the
// outcome is committed. The body is never in memory.
func (s *Server) uploadFiles(w http.ResponseWriter, r *http.Request) error {
	if err := s.requireBatch(r); err != nil {
		return err
	}
	body := &patientBody{ReadCloser: r.Body, control: http.NewResponseController(w)}
	r.Body = body
	defer body.extendWrite()
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "multipart/form-data" {
		return s.uploadForm(w, r)
	}
	name, err := url.PathUnescape(r.Header.Get(fileNameHeader))
	if err != nil || name == "" {
		return apperr.New(apperr.Invalid, "error.upload.no_name")
	}
	up, err := s.Photos.Store(r.Context(), identity(r).Scope(), r.PathValue("batch"), name, r.Body)
	if err != nil {
		return err
	}
	return writeJSON(w, answerFor(r, up))
}

// requireBatch comes before anything is said about the request itself: about a
// foreign batch there is nothing to say.
func (s *Server) requireBatch(r *http.Request) error {
	_, err := s.Orders.TypeOf(r.Context(), identity(r).Scope(), r.PathValue("batch"))
	return err
}

func (s *Server) uploadForm(w http.ResponseWriter, r *http.Request) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return apperr.New(apperr.Invalid, "error.upload.broken_off").Wrap(err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return redirect(w, r, "/batches/"+url.PathEscape(r.PathValue("batch")))
		}
		if err != nil {
			return apperr.New(apperr.Invalid, "error.upload.broken_off").Wrap(err)
		}
		if part.FileName() == "" {
			continue // a file field that was left empty
		}
		if _, err := s.Photos.Store(r.Context(), identity(r).Scope(), r.PathValue("batch"), part.FileName(), part); err != nil {
			return err
		}
	}
}

// patience is how long an upload may stand still before its connection is given
// up. A slow one is no problem as long as bytes come.
const patience = 60 * time.Second

// patientBody moves the connection's deadline on while bytes come.
type patientBody struct {
	io.ReadCloser
	control *http.ResponseController
	moved   time.Time
}

func (b *patientBody) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(b.moved) > time.Second {
		// A connection without deadlines has nothing to be moved.
		if err := b.control.SetReadDeadline(now.Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return 0, err
		}
		b.extendWrite()
		b.moved = now
	}
	return b.ReadCloser.Read(p)
}

func (b *patientBody) extendWrite() {
	_ = b.control.SetWriteDeadline(time.Now().Add(patience))
}

// checkFiles answers which picked files have to be sent.
func (s *Server) checkFiles(w http.ResponseWriter, r *http.Request) error {
	if err := s.requireBatch(r); err != nil {
		return err
	}
	var asked struct {
		Files []photos.Candidate `json:"files"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&asked); err != nil {
		return apperr.New(apperr.Invalid, "error.upload.broken_off").Wrap(err)
	}
	known, err := s.Photos.Known(r.Context(), identity(r).Scope(), r.PathValue("batch"), asked.Files)
	if err != nil {
		return err
	}
	answers := make([]fileAnswer, len(known))
	for i, up := range known {
		answers[i] = answerFor(r, up)
	}
	return writeJSON(w, map[string]any{"files": answers})
}

// uploadBalance is the balance, as JSON for the uploader and as the panel's line
// for htmx.
func (s *Server) uploadBalance(w http.ResponseWriter, r *http.Request) error {
	balance, err := s.Photos.Balance(r.Context(), identity(r).Scope(), r.PathValue("batch"))
	if err != nil {
		return err
	}
	if isHTMX(r) {
		return s.render(w, r, http.StatusOK, uploadview.Balance(balanceView(r.PathValue("batch"), balance)))
	}
	return writeJSON(w, balance)
}

func balanceView(batchID string, b photos.Balance) uploadview.BalanceModel {
	return uploadview.BalanceModel{
		BatchID: batchID, Picked: b.Picked, Stored: b.Stored, Duplicate: b.Duplicate, Refused: b.Refused,
		Unpacking: b.Unpacking, Entries: b.Entries,
	}
}

// uploadPanel is the model of the upload part of a batch's page.
func (s *Server) uploadPanel(r *http.Request, batchID string) (uploadview.Model, error) {
	balance, err := s.Photos.Balance(r.Context(), identity(r).Scope(), batchID)
	if err != nil {
		return uploadview.Model{}, err
	}
	return uploadview.Model{Balance: balanceView(batchID, balance), SampleURL: s.sampleURL()}, nil
}

func (s *Server) refusals(w http.ResponseWriter, r *http.Request) error {
	batchID := r.PathValue("batch")
	refused, err := s.Photos.Refusals(r.Context(), identity(r).Scope(), batchID)
	if err != nil {
		return err
	}
	batch, err := s.Orders.Batch(r.Context(), identity(r).Scope(), batchID)
	if err != nil {
		return err
	}
	model := uploadview.RefusalsModel{BatchID: batchID, BatchName: batch.Name}
	for _, up := range refused {
		model.Files = append(model.Files, uploadview.RefusedFile{Name: up.Name, Size: up.Size, Reason: reasonOf(r, &up)})
	}
	return s.render(w, r, http.StatusOK, uploadview.RefusalsPage(s.chrome(r, layout.NavBatches), model))
}

// refusalsCSV is the list for Excel: UTF-8 with a byte order mark, and nothing
// that Excel would take for a formula.
func (s *Server) refusalsCSV(w http.ResponseWriter, r *http.Request) error {
	refused, err := s.Photos.Refusals(r.Context(), identity(r).Scope(), r.PathValue("batch"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", `attachment; filename="refused.csv"`)
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	t := func(key string) string { return i18n.T(r.Context(), key) }
	_ = out.Write([]string{t("upload.column.file"), t("upload.column.bytes"), t("upload.column.reason")})
	for _, up := range refused {
		_ = out.Write([]string{harmlessCell(up.Name), fmt.Sprint(up.Size), harmlessCell(reasonOf(r, &up))})
	}
	out.Flush()
	return out.Error()
}

// harmlessCell keeps a spreadsheet from computing what somebody named a file.
func harmlessCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// pictureFile serves /pictures/{id}/thumb.jpg and the other variants.
func (s *Server) pictureFile(w http.ResponseWriter, r *http.Request) error {
	variant, ok := strings.CutSuffix(r.PathValue("file"), ".jpg")
	if !ok {
		return apperr.New(apperr.NotFound, "error.not_found")
	}
	file, err := s.Photos.Open(r.Context(), identity(r).Scope(), r.PathValue("picture"), photos.Variant(variant))
	if apperr.KindOf(err) == apperr.NotFound {
		if shown, err := s.showNoPhoto(w, r, photos.Variant(variant)); shown || err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	return serveFile(w, r, file)
}

// cropFile serves /readings/{id}/id_number.jpg and the other fields.
func (s *Server) cropFile(w http.ResponseWriter, r *http.Request) error {
	field, ok := strings.CutSuffix(r.PathValue("file"), ".jpg")
	if !ok {
		return apperr.New(apperr.NotFound, "error.not_found")
	}
	file, err := s.Photos.Crop(r.Context(), identity(r).Scope(), r.PathValue("reading"), ocr.FieldName(field))
	if err != nil {
		return err
	}
	return serveFile(w, r, file)
}

// serveFile answers with a person's picture: for this browser only, revalidated
// each time, so that signing out or erasing it takes effect.
func serveFile(w http.ResponseWriter, r *http.Request, file *photos.File) error {
	defer file.Close()
	h := w.Header()
	h.Set("Content-Type", file.ContentType)
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", file.ETag)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	http.ServeContent(w, r, "", time.Time{}, file)
	return nil
}

// writeJSON answers a script of ours.
func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(v)
}
