package photos

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// Erase removes what a picture shows and what was read from it: its files, its
// readings with their crops, and what OCR providers answered. The row stays, without
// files, so that the batch's counts and an order's history still add up. Files are
// named by their content: those of another picture with the same content stay.
// Erasing may be cut off anywhere and done again.
func (s *Service) Erase(ctx context.Context, sc tenants.Scope, pictureID string) error {
	pic, err := s.Picture(ctx, sc, pictureID)
	if err != nil {
		return err
	}
	twins, err := s.DB.NewSelect().Model((*Picture)(nil)).ApplyQueryBuilder(sc.Where).
		Where("sha256 = ? AND id <> ? AND original_key <> ''", pic.SHA256, pic.ID).Count(ctx)
	if err != nil {
		return fmt.Errorf("cannot look for pictures with the same content: %w", err)
	}
	var readings []Reading
	err = s.DB.NewSelect().Model(&readings).Column("crops").ApplyQueryBuilder(sc.Where).Where("picture_id = ?", pic.ID).Scan(ctx)
	if err != nil {
		return fmt.Errorf("cannot load the readings: %w", err)
	}
	content := ""
	if twins == 0 {
		content = pic.SHA256
		keys := []string{pic.OriginalKey, pic.WorkingKey, pic.PreviewKey, pic.ThumbKey}
		for _, r := range readings {
			for _, key := range r.Crops {
				keys = append(keys, key)
			}
		}
		for _, key := range keys {
			if key == "" {
				continue
			}
			if err := s.Blobs.Delete(ctx, key); err != nil {
				return fmt.Errorf("cannot erase a file: %w", err)
			}
		}
	}
	if err := s.OCR.Forget(ctx, sc, pic.ID, content); err != nil {
		return err
	}
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*Reading)(nil)).ApplyQueryBuilder(sc.Where).Where("picture_id = ?", pic.ID).Exec(ctx); err != nil {
			return fmt.Errorf("cannot delete the readings: %w", err)
		}
		_, err := tx.NewUpdate().Model((*Picture)(nil)).Set("original_key = '', working_key = '', preview_key = '', thumb_key = ''").
			ApplyQueryBuilder(sc.Where).Where("id = ?", pic.ID).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot note that the picture is erased: %w", err)
		}
		return nil
	})
}
