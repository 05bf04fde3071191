package receiptapi

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/i18n"
	"huizhi/internal/orders"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// completedMessage is what the document says of a completed application.
const completedMessage = "办理完成"

// step is a move of an application.
type step struct {
	status     providers.Status
	message    string
	imageCode  string
	resultFile string
	photoFile  string
	worked     *time.Time // when work on it had begun at the latest; nil: it has not
	end        *time.Time // nil unless the status is final
}

// Follow makes the engine's moves the application's, in the engine's transaction.
// Orders that no program handed in have no application, and nothing happens.
//
// A completed order is submitted for the client until its files are here: what
// completed means to a client is that it can fetch them.
func (s *Service) Follow(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *orders.Order, r *orders.Receipt) error {
	now := s.Now()
	to := step{worked: &now}
	switch o.Status {
	case orders.StatusProcessing:
		to.status = providers.StatusProcessing
	case orders.StatusSubmitted:
		to.status = providers.StatusSubmitted
	case orders.StatusCompleted:
		to.status = providers.StatusSubmitted
		if r != nil && r.State != orders.ReceiptFetching {
			to = step{status: providers.StatusCompleted, message: completedMessage, imageCode: o.ImageCode, resultFile: receiptName(r), worked: &now, end: &now}
			if r.PhotoURL != "" {
				to.photoFile = photoName(r)
			}
		}
	case orders.StatusFailed:
		to.status, to.message, to.end = providers.StatusFailed, sentence(ctx, o.Message), &now
	case orders.StatusRejected:
		to = step{status: providers.StatusFailed, message: sentence(ctx, o.Message), end: &now}
	case orders.StatusCancelled:
		to = step{status: providers.StatusFailed, message: sentence(ctx, "receiptapi.cancelled"), end: &now}
	default:
		return nil
	}
	return s.advance(ctx, tx, sc, o.ID, to)
}

// sentence is a message for the client: Chinese, whether it is a key of ours or the
// provider's own words.
func sentence(ctx context.Context, message string) string {
	switch {
	case message == "":
		message = "receiptapi.failed"
		fallthrough
	case i18n.Has(message):
		return i18n.T(i18n.WithLang(ctx, i18n.ZH), message)
	}
	return message
}

// advance writes a move, unless the application has ended, and at the end enqueues
// the callback. Running it twice changes nothing the second time.
func (s *Service) advance(ctx context.Context, tx bun.Tx, sc tenants.Scope, orderID string, to step) error {
	a := new(Application)
	res, err := tx.NewUpdate().Model(a).
		Set("status = ?, message = ?, image_code = ?, result_file = ?, photo_file = ?", to.status, to.message, to.imageCode, to.resultFile, to.photoFile).
		Set("process_at = COALESCE(process_at, ?), completed_at = ?", to.worked, to.end).
		ApplyQueryBuilder(sc.Where).Where("order_id = ? AND completed_at IS NULL", orderID).Returning("id, callback_url").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot move the application of order %s: %w", orderID, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if to.end == nil || a.CallbackURL == "" {
		return nil
	}
	return s.Jobs.EnqueueTx(ctx, tx, callbackArgs{Tenant: sc.TenantID(), Application: a.ID})
}
