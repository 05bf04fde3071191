package billing

import (
	"context"
	"fmt"

	"huizhi/internal/tenants"
)

// VerifyMonth is Verify for the days of one month and their place in the chain:
// its cost follows the month, not the age of the ledger.
func (s *Service) VerifyMonth(ctx context.Context, sc tenants.Scope, month Month) ([]Finding, error) {
	return s.verifyDays(ctx, sc, string(month)+"-00", lastDay(month))
}

// LooseEnds is what of a month is not done yet, over all tenants.
type LooseEnds struct {
	Drafts   int64 // invoices without a number
	Unbilled int64 // tenants with charges and no invoice that is not void
	Unsealed int64 // tenants with entries on days that are not sealed
}

// LooseEnds counts them.
func (s *Service) LooseEnds(ctx context.Context, _ tenants.Sweep, month Month) (out LooseEnds, err error) {
	err = s.db.NewSelect().Model((*Invoice)(nil)).ColumnExpr("COUNT(*)").Where("month = ? AND number IS NULL", month).Scan(ctx, &out.Drafts)
	if err == nil {
		err = s.db.NewRaw(`SELECT COUNT(*) FROM tenants AS tenant
			WHERE EXISTS (SELECT 1 FROM charges AS charge WHERE charge.tenant_id = tenant.id AND charge.month = ?0)
			AND NOT EXISTS (SELECT 1 FROM invoices AS invoice WHERE invoice.tenant_id = tenant.id AND invoice.month = ?0 AND invoice.state <> ?1)`,
			month, StateVoid).Scan(ctx, &out.Unbilled)
	}
	if err == nil {
		err = s.db.NewRaw(`SELECT COUNT(*) FROM tenants AS tenant LEFT JOIN ledger_heads AS head ON head.tenant_id = tenant.id
			WHERE COALESCE(head.sealed_through, '') < ?1
			AND (EXISTS (SELECT 1 FROM charges AS entry WHERE entry.tenant_id = tenant.id AND entry.month = ?0 AND entry.day > COALESCE(head.sealed_through, ''))
			OR EXISTS (SELECT 1 FROM free_entries AS entry WHERE entry.tenant_id = tenant.id AND entry.month = ?0 AND entry.day > COALESCE(head.sealed_through, ''))
			OR EXISTS (SELECT 1 FROM ocr_calls AS entry WHERE entry.tenant_id = tenant.id AND entry.month = ?0 AND entry.day > COALESCE(head.sealed_through, '')))`,
			month, lastDay(month)).Scan(ctx, &out.Unsealed)
	}
	if err != nil {
		return out, fmt.Errorf("cannot count what is not done of %s: %w", month, err)
	}
	return out, nil
}
