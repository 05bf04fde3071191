package photos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/tenants"
)

// Awaited is a photo whose order is there before its bytes: a program named the
// address, and Deliver brings the content. The same content may come for several
// orders of a batch, so such pictures are exempt from being kept once.
func Awaited(sc tenants.Scope, batchID string, seq int64, now time.Time) *Picture {
	return &Picture{TenantID: sc.TenantID(), ID: db.NewID(), BatchID: batchID, Seq: seq, Name: fmt.Sprintf("%d", seq),
		State: StateAwaited, Kind: KindPortrait, Fetched: true, CreatedAt: now}
}

// Deliver gives an awaited picture its content, as an upload would: the original
// is sealed under its hash, and the working copy is made to the type of the
// picture's batch. The sender says that it is a portrait, so no engine is asked.
// then runs in the transaction that writes the picture.
//
// What is wrong with the content is an Invalid error, and nothing is kept. A
// picture that has its content already is left alone, and then is not called.
func (s *Service) Deliver(ctx context.Context, sc tenants.Scope, pictureID string, content []byte, then func(ctx context.Context, tx bun.Tx, pic *Picture) error) error {
	pic, err := s.Picture(ctx, sc, pictureID)
	if err != nil || pic.State != StateAwaited {
		return err
	}
	seen, err := s.portrait(ctx, sc, pic, content)
	if err != nil {
		return err
	}
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewUpdate().Model(seen).ExcludeColumn("batch_id", "seq", "name", "pair_key", "fetched", "order_id", "created_at").
			WherePK().Where("state = ?", StateAwaited).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return then(ctx, tx, seen)
	})
	if err != nil {
		return fmt.Errorf("cannot keep the delivered photo: %w", err)
	}
	s.Changed(sc, pic.BatchID)
	return nil
}

// portrait makes everything that is kept of a delivered photo, and returns the
// picture as it will be written.
func (s *Service) portrait(ctx context.Context, sc tenants.Scope, pic *Picture, content []byte) (*Picture, error) {
	info, err := imaging.Inspect(content)
	if err != nil {
		return nil, err
	}
	typeID, err := s.Batches.TypeOf(ctx, sc, pic.BatchID)
	if err != nil {
		return nil, err
	}
	sealed, err := s.Blobs.PutSHA256(ctx, sc.BlobKey("originals"), bytes.NewReader(content), imaging.MaxBytes)
	if err != nil {
		return nil, err
	}
	m, err := s.make(ctx, sealed.Key, looking{})
	seen := &sight{Picture: *pic}
	if err == nil {
		err = s.keep(ctx, sc, seen, m, typeID)
	}
	var e *apperr.Error
	if errors.As(err, &e) && !sealed.Existed {
		err = errors.Join(err, s.Blobs.Delete(ctx, sealed.Key))
	}
	if err != nil {
		return nil, err
	}
	p := &seen.Picture
	p.SHA256, p.Size, p.OriginalKey = sealed.SHA256, int64(len(content)), sealed.Key
	p.Format, p.Width, p.Height, p.TakenAt = string(info.Format), info.Width, info.Height, takenAt(info)
	p.State = StateDone
	return p, nil
}
