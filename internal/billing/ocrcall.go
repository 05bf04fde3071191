package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// OCRCall is one call of an OCR provider, with what it charged us. Tenants do
// not pay for it by the call; it is a cost of the platform.
type OCRCall struct {
	bun.BaseModel `bun:"table:ocr_calls,alias:call"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	ReadingID     string // unique for each provider
	Provider      string // "local", "pyi", "juhe", "xinhuo"
	Document      string // kind of document, "id_card_front"
	Outcome       string // "read", "not_document", "blurred", "failed", "unreachable", ...
	CostFen       int64  // what the provider charged us
	At            time.Time
	Month         Month
	Day           string
}

// NewOCRCall is what the caller knows about a call.
type NewOCRCall struct {
	ReadingID string // of the reading that the call was made for; once for each provider
	Provider  string
	Document  string
	Outcome   string
	CostFen   int64
	At        time.Time // when the answer came, by our clock
}

// RecordOCRCall writes a call in the transaction that keeps its reading. The same
// call again changes nothing. It is ErrSealed for a day that has been sealed:
// the caller tries again by a later clock.
func RecordOCRCall(ctx context.Context, tx bun.Tx, sc tenants.Scope, c NewOCRCall) error {
	if c.CostFen < 0 || c.Provider == "" || c.ReadingID == "" {
		return fmt.Errorf("an OCR call of provider %q for %d fen", c.Provider, c.CostFen)
	}
	if err := openDay(ctx, tx, sc, c.At); err != nil {
		return err
	}
	row := &OCRCall{TenantID: sc.TenantID(), ID: db.NewID(), ReadingID: c.ReadingID, Provider: c.Provider, Document: c.Document,
		Outcome: c.Outcome, CostFen: c.CostFen, At: c.At.UTC(), Month: MonthOf(c.At), Day: dayOf(c.At)}
	if _, err := tx.NewInsert().Model(row).On("CONFLICT (tenant_id, provider, reading_id) DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("cannot record the OCR call: %w", err)
	}
	return nil
}
