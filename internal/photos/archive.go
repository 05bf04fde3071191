package photos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/blob"
	"huizhi/internal/tenants"
)

// Archive is an uploaded ZIP on its way to being unpacked.
type Archive struct {
	bun.BaseModel `bun:"table:archives,alias:archive"`
	TenantID      string `bun:",pk"`
	UploadID      string `bun:",pk"` // the upload it came as, with its name and outcome
	BatchID       string
	Key           string `bun:"blob_key"`
	Entries       int64  // files in it that can be tried; 0 until counted
	Done          int64  // how many of them, from the first, have been tried
	Unpacked      int64  // bytes that came out of those
	Finished      bool
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// storeArchive keeps a ZIP and records it with the job that unpacks it. The same
// ZIP under another name is a duplicate.
func (s *Service) storeArchive(ctx context.Context, sc tenants.Scope, up *Upload, r io.Reader) (*Upload, error) {
	// The bytes are thrown away once unpacked, so they are kept by batch:
	// another batch's copy is not touched.
	kept, err := s.Blobs.PutSHA256(ctx, sc.BlobKey("archives/"+up.BatchID), r, MaxArchiveBytes)
	if errors.Is(err, blob.ErrTooLarge) {
		up.refuseSize(MaxArchiveBytes)
		return s.record(ctx, sc, up, nil)
	}
	if err != nil {
		return nil, err
	}
	up.SHA256, up.Size = kept.SHA256, kept.Size
	return s.record(ctx, sc, up, func(ctx context.Context, tx bun.Tx) error {
		return s.addArchive(ctx, tx, sc, up, kept.Key)
	})
}

func (s *Service) addArchive(ctx context.Context, tx bun.Tx, sc tenants.Scope, up *Upload, key string) error {
	a := &Archive{TenantID: sc.TenantID(), UploadID: up.ID, BatchID: up.BatchID, Key: key, CreatedAt: up.CreatedAt, UpdatedAt: up.CreatedAt}
	res, err := tx.NewInsert().Model(a).On("CONFLICT (tenant_id, batch_id, blob_key) DO NOTHING").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot insert the archive: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 1 {
		up.Outcome = OutcomeArchive
		return s.Jobs.EnqueueTx(ctx, tx, expandZip{sc.TenantID(), up.ID})
	}
	var first string
	err = tx.NewSelect().Model((*Upload)(nil)).Column("upload.name").
		Join("JOIN archives AS archive ON archive.tenant_id = upload.tenant_id AND archive.upload_id = upload.id").
		ApplyQueryBuilder(sc.Where).Where("archive.batch_id = ? AND archive.blob_key = ?", up.BatchID, key).Scan(ctx, &first)
	if err != nil {
		return fmt.Errorf("cannot find the archive with the same content: %w", err)
	}
	up.duplicateOf(first)
	return nil
}
