package photos

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/tenants"
)

// Shown is a file that a clerk takes of the customer at the counter.
type Shown struct {
	BatchID    string
	CustomerID string
	Expected   Kind // one of HandKinds
	Name       string
}

// TakeShown takes in one picture of the customer at a counter, as Store does: it
// is looked at in the background. A file that is no usable picture is an Invalid
// error. The customer's picture with the same content is returned as it is, so
// that a broken-off upload can be sent again.
func (s *Service) TakeShown(ctx context.Context, sc tenants.Scope, in Shown, r io.Reader) (*Picture, error) {
	if _, err := s.Batches.TypeOf(ctx, sc, in.BatchID); err != nil {
		return nil, err
	}
	up := newUpload(sc, in.BatchID, in.Name)
	pic := &Picture{TenantID: sc.TenantID(), ID: db.NewID(), BatchID: in.BatchID, Name: up.Name, State: StateNew, Kind: KindUnknown,
		CreatedAt: up.CreatedAt, CustomerID: &in.CustomerID, Expected: in.Expected}
	if err := s.keepOriginal(ctx, sc, pic, r); err != nil {
		return nil, err
	}
	up.Name = cleanName(in.CustomerID + "/" + up.Name) // the same file of two customers is two uploads
	up.SHA256, up.Size = pic.SHA256, pic.Size
	_, err := s.record(ctx, sc, up, func(ctx context.Context, tx bun.Tx) error {
		return s.addPicture(ctx, tx, sc, up, pic)
	})
	if err != nil {
		return nil, err
	}
	kept := new(Picture)
	if err := s.DB.NewSelect().Model(kept).ApplyQueryBuilder(sc.Where).Apply(pic.sameOfCustomer).Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot find the customer's picture: %w", err)
	}
	return kept, nil
}

// sameOfCustomer matches the customer's picture with the same content.
func (p *Picture) sameOfCustomer(q *bun.SelectQuery) *bun.SelectQuery {
	return q.Where("customer_id = ? AND sha256 = ?", p.CustomerID, p.SHA256)
}

// keepOriginal keeps the file of a picture and says in it what the file is.
func (s *Service) keepOriginal(ctx context.Context, sc tenants.Scope, pic *Picture, r io.Reader) error {
	body, head, err := peek(r)
	if err != nil {
		return err
	}
	if !imaging.Sniff(head).Decodable() {
		return apperr.New(apperr.Invalid, "error.file.not_image")
	}
	kept, err := s.Blobs.PutSHA256(ctx, sc.BlobKey("originals"), body, imaging.MaxBytes)
	if errors.Is(err, blob.ErrTooLarge) {
		return apperr.New(apperr.Invalid, "error.file.too_large", "limit", imaging.MaxBytes>>20)
	}
	if err != nil {
		return err
	}
	info, err := s.inspect(ctx, kept.Key)
	if err != nil {
		return err
	}
	pic.SHA256, pic.Size, pic.OriginalKey = kept.SHA256, kept.Size, kept.Key
	pic.Format, pic.Width, pic.Height, pic.TakenAt = string(info.Format), info.Width, info.Height, takenAt(info)
	return nil
}

// expect takes the clerk's word for a picture that says nothing against it: a card
// that no engine can read is a card to be typed off, a face in an odd frame a
// portrait. What plainly shows something else stays that, for the clerk to be told.
func (s *sight) expect(as Kind, m *made) {
	plainly := s.reading != nil || m.kind == KindPortrait
	if plainly || s.Kind == as {
		return
	}
	s.Kind = as
	switch {
	case as == KindPortrait:
		s.problem("")
	case s.result != nil: // an engine has looked
		s.problem("counter.problem.unreadable")
	}
}
