package photos

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// ErrSameContent says that a batch has a picture with the same content.
var ErrSameContent = errors.New("photos: the batch has this content already")

// Examine looks at a photo that is sent for one person of a batch, and makes
// everything that is kept of it: it is a portrait because the sender says so.
// Nothing is recorded before Add. What is wrong with the content is an Invalid
// error, and nothing is kept.
func (s *Service) Examine(ctx context.Context, sc tenants.Scope, batchID, name string, content []byte) (*Picture, error) {
	name = cleanName(name)
	return s.portrait(ctx, sc, &Picture{TenantID: sc.TenantID(), ID: db.NewID(), BatchID: batchID, Name: name, PairKey: PairKey(name),
		Kind: KindPortrait, CreatedAt: db.Now()}, content)
}

// Add records an examined photo, as one that no order uses. ErrSameContent is
// returned for a photo that the batch has, whoever sent it.
func Add(ctx context.Context, tx bun.IDB, pic *Picture) error {
	// Whatever index says so: the id is new.
	res, err := tx.NewInsert().Model(pic).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot insert the photo: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return ErrSameContent
}
