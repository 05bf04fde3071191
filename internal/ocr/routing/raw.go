package routing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/blob"
	"huizhi/internal/ocr"
	"huizhi/internal/tenants"
)

// Raw answers are what a provider sent, byte for byte: for disputes about a charge or a misread field. They hold all of
// a card and often its picture, so they are sealed, and kept for RawKeep only.

func rawKey(sc tenants.Scope, callID string) string { return sc.BlobKey("ocr-raw/" + callID) }

// keepRaw seals a raw answer and notes how long it is kept. A failure costs a dispute, not the reading.
func (r *Router) keepRaw(ctx context.Context, sc tenants.Scope, call *Call, raw ocr.Raw) {
	if r.RawKeep <= 0 || r.Seal == nil || len(raw) == 0 {
		return
	}
	until, key := call.At.Add(r.RawKeep), rawKey(sc, call.ID)
	if err := r.Blobs.Put(ctx, key, r.Seal.Seal(nil, nil, raw, []byte(key)), "application/octet-stream"); err != nil {
		r.Log.ErrorContext(ctx, "cannot keep the raw answer", "call", call.ID, "error", err)
		return
	}
	call.RawUntil = &until
}

// RawAnswer is a provider's answer as it came.
type RawAnswer struct {
	CallID  string
	Engine  string
	At      time.Time
	Outcome ocr.Outcome
	Until   time.Time // when it is deleted
	Raw     ocr.Raw
}

// RawAnswers opens what is still kept of what providers answered about a picture, the oldest first.
func (r *Router) RawAnswers(ctx context.Context, sc tenants.Scope, pictureID string) ([]RawAnswer, error) {
	calls, err := rawCalls(ctx, r.DB, sc, pictureID)
	if err != nil {
		return nil, err
	}
	answers := make([]RawAnswer, 0, len(calls))
	for _, c := range calls {
		key := rawKey(sc, c.ID)
		sealed, err := r.Blobs.Get(ctx, key)
		if errors.Is(err, blob.ErrNotFound) {
			continue // deleted this moment
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read a raw OCR answer: %w", err)
		}
		raw, err := r.Seal.Open(nil, nil, sealed, []byte(key))
		if err != nil {
			return nil, fmt.Errorf("cannot open the raw answer of call %s: it was sealed with another secret key, or is damaged", c.ID)
		}
		answers = append(answers, RawAnswer{CallID: c.ID, Engine: c.Engine, At: c.At, Outcome: c.Outcome, Until: *c.RawUntil, Raw: raw})
	}
	return answers, nil
}

func rawCalls(ctx context.Context, d bun.IDB, sc tenants.Scope, pictureID string) ([]Call, error) {
	var calls []Call
	err := d.NewSelect().Model(&calls).ApplyQueryBuilder(sc.Where).Where("picture_id = ? AND raw_until IS NOT NULL", pictureID).Order("id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot look for raw OCR answers: %w", err)
	}
	return calls, nil
}

// dropRaw deletes a raw answer; doing it again changes nothing.
func (r *Router) dropRaw(ctx context.Context, call *Call) error {
	if err := r.Blobs.Delete(ctx, rawKey(tenants.ForTenant(call.TenantID), call.ID)); err != nil {
		return fmt.Errorf("cannot delete a raw OCR answer: %w", err)
	}
	if _, err := r.DB.NewUpdate().Model(call).Set("raw_until = NULL").WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("cannot note that a raw OCR answer is deleted: %w", err)
	}
	return nil
}

// Forget deletes what engines said about a picture that is being erased: the raw answers of its calls and, if no other
// picture has the same content (sha256 is not empty), what is remembered of that content, with its crops. That calls
// were made and what they cost stays in the books. Doing it again changes nothing.
func (r *Router) Forget(ctx context.Context, sc tenants.Scope, pictureID, sha256 string) error {
	calls, err := rawCalls(ctx, r.DB, sc, pictureID)
	if err != nil {
		return err
	}
	for i := range calls {
		if err := r.dropRaw(ctx, &calls[i]); err != nil {
			return err
		}
	}
	if sha256 == "" {
		return nil
	}
	known, err := r.answers(ctx, sc, sha256)
	if err != nil {
		return err
	}
	for _, a := range known {
		for _, key := range a.Crops {
			if err := r.Blobs.Delete(ctx, key); err != nil {
				return fmt.Errorf("cannot delete a crop: %w", err)
			}
		}
	}
	_, err = r.DB.NewDelete().Model((*answer)(nil)).ApplyQueryBuilder(sc.Where).Where("sha256 = ?", sha256).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot forget what was read: %w", err)
	}
	return nil
}
