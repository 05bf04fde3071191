package receiptapi

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

// FilesPath is where the files of completed applications are: FilesPath + token +
// "/receipt.pdf". The address is the secret and does not expire, as the document's.
const FilesPath = "/f/"

// newToken is 256 random bits.
func newToken() string {
	raw := make([]byte, 32)
	rand.Read(raw)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))
}

// extensions name the kept files; the provider promises no format.
var extensions = map[string]string{"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}

// receiptName and photoName are the last parts of the files' addresses. Of files
// that could not be fetched yet the usual ending is assumed.
func receiptName(r *orders.Receipt) string {
	if ext := extensions[r.ResultType]; ext != "" {
		return "receipt" + ext
	}
	return "receipt.pdf"
}

func photoName(r *orders.Receipt) string {
	if ext := extensions[r.PhotoType]; ext != "" {
		return "photo" + ext
	}
	return "photo.jpg"
}

// File serves a kept file of a completed application.
func (s *Service) File(w http.ResponseWriter, r *http.Request) error {
	key, contentType, err := s.fileOf(r.Context(), r.PathValue("token"), r.PathValue("file"))
	if err != nil {
		return err
	}
	file, err := s.Blobs.NewReader(r.Context(), key)
	if errors.Is(err, blob.ErrNotFound) {
		return errNoFile()
	}
	if err != nil {
		return fmt.Errorf("cannot open a receipt's file: %w", err)
	}
	defer file.Close()
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "private, no-cache")
	h.Set("X-Robots-Tag", "noindex")
	http.ServeContent(w, r, "", time.Time{}, file)
	return nil
}

func errNoFile() error { return apperr.New(apperr.NotFound, "error.not_found") }

// fileOf finds a file by the secret in its address.
func (s *Service) fileOf(ctx context.Context, token, name string) (key, contentType string, err error) {
	if !storable(token) {
		return "", "", errNoFile()
	}
	a := new(Application)
	err = s.DB.NewSelect().Model(a).Where("app.file_token = ?", token).Scan(ctx)
	if db.IsNoRows(err) || err == nil && name != a.ResultFile && name != a.PhotoFile {
		return "", "", errNoFile()
	}
	if err != nil {
		return "", "", fmt.Errorf("cannot look up a file: %w", err)
	}
	receipts, err := s.Orders.Receipts(ctx, tenants.ForTenant(a.TenantID), []string{a.OrderID})
	if err != nil {
		return "", "", err
	}
	receipt := receipts[a.OrderID]
	if receipt == nil || receipt.State != orders.ReceiptStored {
		return "", "", errNoFile() // not fetched yet: a person was asked to try again
	}
	if name == a.PhotoFile {
		key, contentType = receipt.PhotoKey, receipt.PhotoType
	} else {
		key, contentType = receipt.ResultKey, receipt.ResultType
	}
	if key == "" {
		return "", "", errNoFile()
	}
	return key, contentType, nil
}
