package billing

import (
	"context"
	"fmt"
	"time"

	"huizhi/internal/tenants"
)

// The kinds of rows of the ledger.
const (
	KindCharge = "charge" // a receipt
	KindFree   = "free"   // an attempt that failed, and cost nothing
	KindOCR    = "ocr"    // a call of an OCR provider, which the platform pays
)

// LedgerRow is an entry of any kind.
type LedgerRow struct {
	ID          string    `json:"id"`
	Kind        string    `json:"kind"`
	At          time.Time `json:"at"`
	Month       Month     `json:"month"` // in Asia/Shanghai
	Day         string    `json:"day"`
	Points      int64     `json:"points"`
	Fen         int64     `json:"fen"` // what the tenant pays, before tax that is not included
	AttemptID   string    `json:"attempt_id,omitempty"`
	OrderID     string    `json:"order_id,omitempty"`
	OrderNumber string    `json:"order_number,omitempty"`
	TypeID      int       `json:"type_id,omitempty"`
	TypeName    string    `json:"type_name,omitempty"`
	City        string    `json:"city,omitempty"`
	BatchName   string    `json:"batch_name,omitempty"`
	Outcome     string    `json:"outcome,omitempty"`  // of what failed, and of OCR calls
	Provider    string    `json:"provider,omitempty"` // of OCR calls
	Document    string    `json:"document,omitempty"`
	CostFen     int64     `json:"cost_fen,omitempty"` // what the provider charged us
}

const history = `
SELECT * FROM (SELECT 'charge' AS kind, id, at, month, day, points, attempt_id, order_id, order_number, type_id, type_name, city, batch_name,
  '' AS outcome, '' AS provider, '' AS document, 0 AS cost_fen FROM charges WHERE tenant_id = ?0 AND id > ?1 ORDER BY id LIMIT ?2) AS c
UNION ALL
SELECT * FROM (SELECT 'free', id, at, month, day, 0, attempt_id, order_id, order_number, type_id, type_name, city, batch_name,
  outcome, '', '', 0 FROM free_entries WHERE tenant_id = ?0 AND id > ?1 ORDER BY id LIMIT ?2) AS f
UNION ALL
SELECT * FROM (SELECT 'ocr', id, at, month, day, 0, '', '', '', 0, '', '', '',
  outcome, provider, document, cost_fen FROM ocr_calls WHERE tenant_id = ?0 AND id > ?1 ORDER BY id LIMIT ?2) AS o
ORDER BY id LIMIT ?2`

// History visits every entry of the tenant's ledger, in the order in which they
// were recorded, a page in memory at a time.
func (s *Service) History(ctx context.Context, sc tenants.Scope, visit func(LedgerRow) error) error {
	r, err := newRater(ctx, s.db, sc)
	if err != nil {
		return err
	}
	for after, more := "", true; more; {
		var page []LedgerRow
		if err := s.db.NewRaw(history, sc.TenantID(), after, exportPage).Scan(ctx, &page); err != nil {
			return fmt.Errorf("cannot read the ledger: %w", err)
		}
		for _, row := range page {
			after, row.At = row.ID, row.At.UTC()
			if row.Kind == KindCharge {
				rated, err := r.of(ctx, row.Month)
				if err != nil {
					return err
				}
				if row.Fen, err = rated.unitFen(&Charge{ID: row.ID, Day: row.Day, TypeID: row.TypeID, Points: row.Points}); err != nil {
					return err
				}
			}
			if err := visit(row); err != nil {
				return err
			}
		}
		more = len(page) == exportPage
	}
	return nil
}
