package reconcile

import (
	"context"
	"fmt"

	"huizhi/internal/billing"
	"huizhi/internal/providers"
)

// Totals are the sums of the sides for one month. They bridge from what the
// provider dates in the month to what the ledger has:
//
//	Dated - Later - Uncharged + Earlier = Matched, which is Ledger.Receipts when nothing differs
type Totals struct {
	Applications int64          `json:"applications"` // in the provider's list, of all months
	Provider     ProviderTotals `json:"provider"`
	Ledger       billing.Sum    `json:"ledger"`   // Fen is 0: the ledger counts points
	SinceRun     int64          `json:"since"`    // charges of the month that came after the run began; in Ledger
	Invoices     InvoiceTotals  `json:"invoices"` // that are final and not void
	Stripe       *StripeTotals  `json:"stripe"`   // nil: without a key, Stripe was left out
}

// ProviderTotals count applications that the provider completed, without
// rehearsals that we know of.
type ProviderTotals struct {
	Dated       int64 `json:"dated"`     // with a time in the month, by the provider's text
	Later       int64 `json:"later"`     // of these: charged in another month by our clock
	Earlier     int64 `json:"earlier"`   // charged in the month, with a time in another
	Uncharged   int64 `json:"uncharged"` // of Dated: not charged at all
	Rehearsals  int64 `json:"rehearsals"`
	NotFinished int64 `json:"not_finished"` // of all months: not completed and not failed
}

// Matched is how many receipts the provider completed and the ledger charged in
// the month.
func (p ProviderTotals) Matched() int64 { return p.Dated - p.Later - p.Uncharged + p.Earlier }

// InvoiceTotals sum the month's invoices up.
type InvoiceTotals struct {
	Count    int64 `json:"count"`
	Drafts   int64 `json:"drafts"` // beside them
	Receipts int64 `json:"receipts"`
	Points   int64 `json:"points"`
	TotalFen int64 `json:"total_fen"`
	PaidFen  int64 `json:"paid_fen"`
}

// StripeTotals sum up what Stripe has of them.
type StripeTotals struct {
	Invoices    int64 `json:"invoices"`
	TotalFen    int64 `json:"total_fen"`
	PaidFen     int64 `json:"paid_fen"`     // through Stripe
	RecordedFen int64 `json:"recorded_fen"` // of that, by our payments
}

// count fills in the sums of the provider and the ledger.
func (c *comparison) count(ctx context.Context) error {
	p := &c.totals.Provider
	month, newest := c.month, c.run.Months[len(c.run.Months)-1]
	dated := "substr(seen.completed, 1, 7) = ?0"
	if month == newest { // what names no month belongs here
		dated = "(substr(seen.completed, 1, 7) = ?0 OR length(seen.completed) < 7)"
	}
	err := c.DB.NewRaw(`SELECT
			COUNT(*) AS applications,
			COALESCE(SUM(CASE WHEN done AND NOT simulate AND dated THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN done AND NOT simulate AND dated AND charged <> '' AND charged <> ?0 THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN done AND NOT simulate AND NOT dated AND charged = ?0 THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN done AND NOT simulate AND dated AND charged = '' THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN done AND simulate AND dated THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN status <> ?1 AND status <> ?2 THEN 1 ELSE 0 END), 0)
		FROM (SELECT seen.status, seen.simulate, seen.status = ?1 AS done, `+dated+` AS dated,
				CASE WHEN seen.application_no = seen.attempt_no THEN COALESCE(charge.month, '') ELSE '' END AS charged
			FROM reconcile_seen AS seen LEFT JOIN charges AS charge ON charge.tenant_id = seen.tenant_id AND charge.attempt_id = seen.attempt_id
			WHERE seen.run_id = ?3) AS list`, month, providers.StatusCompleted, providers.StatusFailed, c.run.ID).
		Scan(ctx, &c.totals.Applications, &p.Dated, &p.Later, &p.Earlier, &p.Uncharged, &p.Rehearsals, &p.NotFinished)
	if err == nil {
		err = c.DB.NewSelect().Model((*billing.Charge)(nil)).
			ColumnExpr("COUNT(*), COALESCE(SUM(charge.points), 0), COALESCE(SUM(CASE WHEN charge.at >= ? THEN 1 ELSE 0 END), 0)", *c.run.StartedAt).
			Where("charge.month = ?", month).Scan(ctx, &c.totals.Ledger.Receipts, &c.totals.Ledger.Points, &c.totals.SinceRun)
	}
	if err != nil {
		return fmt.Errorf("cannot sum %s up: %w", month, err)
	}
	return nil
}
