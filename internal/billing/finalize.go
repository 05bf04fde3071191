package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

// DueDays is how long a tenant has to pay an invoice.
const DueDays = 30

// Series of numbers. Each begins anew every year.
const (
	seriesInvoice = "INV"
	seriesCredit  = "CN"
)

type numberSeries struct {
	bun.BaseModel `bun:"table:number_series,alias:series"`
	Series        string `bun:",pk"`
	Last          int64
}

// nextNumber gives the next number of the series, "INV2026-000123". The row
// stays locked until the transaction ends, and a rolled back transaction gives
// its number back, so that numbers have no gaps.
func nextNumber(ctx context.Context, tx bun.Tx, prefix string, now time.Time) (string, error) {
	row := &numberSeries{Series: prefix + now.In(i18n.Zone()).Format("2006"), Last: 1}
	_, err := tx.NewInsert().Model(row).On("CONFLICT (series) DO UPDATE").Set("last = series.last + 1").Returning("last").Exec(ctx)
	if err != nil {
		return "", fmt.Errorf("cannot take a number of %s: %w", row.Series, err)
	}
	return fmt.Sprintf("%s-%06d", row.Series, row.Last), nil
}

// Finalize makes the draft of a month that is over final: its days are sealed, so
// that no charge can come any more; it is counted a last time; and it gets its
// number, all in one transaction. Done twice it is the same as once.
//
// A month that is not over, or without a draft, is Invalid. A reviewed draft
// that counts differently now is Conflict, and is a draft again.
func (s *Service) Finalize(ctx context.Context, sc tenants.Scope, month Month, actor string, now time.Time) (Invoice, error) {
	var inv Invoice
	changed := false
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if !month.Ended(now) {
			return apperr.New(apperr.Invalid, "error.billing.not_over", "month", string(month))
		}
		if err := lockLedger(ctx, tx, sc); err != nil {
			return err
		}
		if err := lockPlans(ctx, tx, "pg_advisory_xact_lock_shared"); err != nil {
			return err
		}
		var found bool
		var err error
		if inv, found, err = openInvoice(ctx, tx, sc, month); err != nil {
			return err
		}
		if !found {
			return apperr.New(apperr.Invalid, "error.billing.no_draft", "month", string(month))
		}
		if !inv.Editable() {
			return nil
		}
		reviewed := inv.State == StateReviewed
		if err := sealThrough(ctx, tx, sc, lastDay(month), now); err != nil {
			return err
		}
		if inv, err = draftIn(ctx, tx, sc, month, now); err != nil {
			return err
		}
		if changed = reviewed && inv.State == StateDraft; changed {
			return nil // the draft is kept; the caller is told
		}
		if err := inv.finalize(ctx, tx, sc, actor, now); err != nil {
			return err
		}
		if err := s.settle(ctx, tx, sc, &inv, now); err != nil {
			return err
		}
		return s.changed(ctx, tx, sc, &inv)
	})
	if err == nil && changed {
		err = apperr.New(apperr.Conflict, "error.billing.changed_since")
	}
	return inv, err
}

func (inv *Invoice) finalize(ctx context.Context, tx bun.Tx, sc tenants.Scope, actor string, now time.Time) (err error) {
	if inv.State, err = move(inv.State, eventFinalize); err != nil {
		return err
	}
	number, err := nextNumber(ctx, tx, seriesInvoice, now)
	if err != nil {
		return err
	}
	inv.Number, inv.FinalizedAt, inv.DueDay = &number, &now, dayOf(now.AddDate(0, 0, DueDays))
	if inv.TotalFen == 0 { // free receipts alone: nothing is to be paid
		inv.ClosedAt = &now
		if inv.State, err = move(inv.State, eventSettle); err != nil {
			return err
		}
	}
	if err := inv.save(ctx, tx); err != nil {
		return err
	}
	return tenants.Audit(ctx, tx, sc, actor, "invoice.finalize", "invoice", inv.ID, now)
}
