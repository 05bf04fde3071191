package orders

import (
	"context"
	"fmt"

	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/jobs"
	"huizhi/internal/tenants"
)

// receiveArgs fetches the result files of a completed attempt.
type receiveArgs struct {
	Tenant  string `json:"tenant"`
	Attempt string `json:"attempt"`
}

func (receiveArgs) Kind() string { return "receive" }
func (receiveArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueResults, MaxAttempts: 6}
}

// workReceive fetches, checks and keeps the files: how long the provider keeps
// them is not documented. Running it twice stores the same bytes again.
func (s *Service) workReceive(ctx context.Context, args receiveArgs) error {
	sc := tenants.ForTenant(args.Tenant)
	r := new(Receipt)
	err := s.DB.NewSelect().Model(r).ApplyQueryBuilder(sc.Where).Where("attempt_id = ?", args.Attempt).Scan(ctx)
	if err != nil {
		return fmt.Errorf("cannot load the receipt of attempt %s: %w", args.Attempt, err)
	}
	if r.State == ReceiptStored {
		return nil
	}
	if err := s.fetchFiles(ctx, sc, r); err != nil {
		if !jobs.LastTry(ctx) {
			return err
		}
		s.Log.ErrorContext(ctx, "giving up fetching the receipt", "attempt", r.AttemptID, "error", err)
		return s.finishReceipt(ctx, sc, r, ReceiptFailed, EventFetchFailed)
	}
	return s.finishReceipt(ctx, sc, r, ReceiptStored, EventReceived)
}

// acceptedTypes are what a receipt and a standard photo may be. The document
// shows a PDF but promises no format.
var acceptedTypes = map[string]string{"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}

func (s *Service) fetchFiles(ctx context.Context, sc tenants.Scope, r *Receipt) error {
	result, key, err := s.fetchFile(ctx, sc, r.ResultURL)
	if err != nil {
		return fmt.Errorf("cannot fetch the receipt file: %w", err)
	}
	r.ResultKey, r.ResultType, r.ResultSHA256, r.ResultSize = key, result.Type, result.SHA256, int64(len(result.Data))
	if r.PhotoURL == "" {
		return nil // not every type has one
	}
	photo, key, err := s.fetchFile(ctx, sc, r.PhotoURL)
	if err != nil {
		return fmt.Errorf("cannot fetch the standard photo: %w", err)
	}
	if photo.Type == "application/pdf" {
		return fmt.Errorf("the standard photo is a PDF")
	}
	r.PhotoKey, r.PhotoType, r.PhotoSHA256, r.PhotoSize = key, photo.Type, photo.SHA256, int64(len(photo.Data))
	return nil
}

func (s *Service) fetchFile(ctx context.Context, sc tenants.Scope, url string) (File, string, error) {
	f, err := s.Fetch(ctx, url)
	if err != nil {
		return f, "", err
	}
	if acceptedTypes[f.Type] == "" {
		return f, "", fmt.Errorf("unexpected content type %s", f.Type)
	}
	key := sc.BlobKey("receipts/" + f.SHA256[:2] + "/" + f.SHA256 + acceptedTypes[f.Type])
	return f, key, s.Blobs.Put(ctx, key, f.Data, f.Type)
}

func (s *Service) finishReceipt(ctx context.Context, sc tenants.Scope, r *Receipt, state ReceiptState, event EventKind) error {
	var batchID string
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		now := s.now()
		r.State = state
		if state == ReceiptStored {
			r.FetchedAt, r.ErrorKey = &now, ""
		} else {
			r.ErrorKey = "orders.receipt.fetch_failed"
		}
		res, err := tx.NewUpdate().Model(r).ApplyQueryBuilder(sc.Where).
			Where("attempt_id = ? AND state <> ?", r.AttemptID, ReceiptStored).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot save the receipt: %w", err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return nil // another run was faster
		}
		o, err := getOrder(ctx, tx, sc, r.OrderID)
		if err != nil {
			return err
		}
		batchID = o.BatchID
		if err := s.followed(ctx, tx, sc, o, r); err != nil {
			return err
		}
		return record(ctx, tx, sc, r.OrderID, &r.AttemptID, event, ActorSystem, map[string]string{"sha256": r.ResultSHA256}, now)
	})
	if err == nil && batchID != "" {
		s.changed(sc, batchID)
	}
	return err
}

// RetryReceipt fetches the files of an order again after it was given up.
func (s *Service) RetryReceipt(ctx context.Context, sc tenants.Scope, orderID string) error {
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		r := new(Receipt)
		err := tx.NewSelect().Model(r).ApplyQueryBuilder(sc.Where).Where("order_id = ? AND state = ?", orderID, ReceiptFailed).
			Order("created_at DESC").Limit(1).Scan(ctx)
		if db.IsNoRows(err) {
			return apperr.New(apperr.NotFound, "error.receipt.not_found")
		}
		if err != nil {
			return fmt.Errorf("cannot load the receipt: %w", err)
		}
		_, err = tx.NewUpdate().Model((*Receipt)(nil)).Set("state = ?", ReceiptFetching).
			ApplyQueryBuilder(sc.Where).Where("attempt_id = ?", r.AttemptID).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot mark the receipt: %w", err)
		}
		return s.Jobs.EnqueueTx(ctx, tx, receiveArgs{Tenant: sc.TenantID(), Attempt: r.AttemptID})
	})
}
