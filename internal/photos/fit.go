package photos

import (
	"context"
	"errors"
	"fmt"
	"io"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/photos/specs"
)

// Fit makes a copy of a portrait's original to another spec than its type's. Nothing
// is kept. What is wrong with the picture is an apperr.
func (s *Service) Fit(ctx context.Context, pic *Picture, spec specs.Spec) (imaging.WorkingCopy, error) {
	var out imaging.WorkingCopy
	err := s.pool.Do(ctx, func() error {
		r, err := s.Blobs.NewReader(ctx, pic.OriginalKey)
		if errors.Is(err, blob.ErrNotFound) {
			return apperr.New(apperr.NotFound, "error.upload.no_picture")
		}
		if err != nil {
			return fmt.Errorf("cannot open the picture's original: %w", err)
		}
		data, err := io.ReadAll(io.LimitReader(r, imaging.MaxBytes))
		if err = errors.Join(err, r.Close()); err != nil {
			return fmt.Errorf("cannot read the picture's original: %w", err)
		}
		opened, err := imaging.Open(data)
		if err != nil {
			return err
		}
		view, err := opened.View()
		if err != nil {
			return err
		}
		out, err = view.WorkingCopy(spec)
		return err
	})
	return out, err
}
