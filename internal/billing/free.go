package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// FreeEntry is an attempt that ended without a receipt, and so cost nothing. The
// ledger keeps it visible.
type FreeEntry struct {
	bun.BaseModel `bun:"table:free_entries,alias:free"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	AttemptID     string // unique: an attempt ends once
	OrderID       string
	OrderNumber   string
	TypeID        int
	TypeName      string
	City          string
	BatchID       string
	BatchName     string
	Outcome       string // "failed" by the provider's work, "rejected" at once
	At            time.Time
	Month         Month
	Day           string
}

// NewFree is what the caller knows about an attempt that has failed.
type NewFree struct {
	AttemptID   string
	OrderID     string
	OrderNumber string
	TypeID      int
	TypeName    string
	City        string
	BatchID     string
	BatchName   string
	Outcome     string
	At          time.Time // by our clock
}

// RecordFree writes the entry of a failed attempt in the transaction that marks
// it failed. A second one for the attempt changes nothing. Like Record it is
// ErrSealed for a day that has been sealed. What the order holds in the tenant's
// wallet is released.
func RecordFree(ctx context.Context, tx bun.Tx, sc tenants.Scope, f NewFree) error {
	if err := openDay(ctx, tx, sc, f.At); err != nil {
		return err
	}
	row := &FreeEntry{
		TenantID: sc.TenantID(), ID: db.NewID(), AttemptID: f.AttemptID, OrderID: f.OrderID, OrderNumber: f.OrderNumber,
		TypeID: f.TypeID, TypeName: f.TypeName, City: f.City, BatchID: f.BatchID, BatchName: f.BatchName, Outcome: f.Outcome,
		At: f.At.UTC(), Month: MonthOf(f.At), Day: dayOf(f.At),
	}
	res, err := tx.NewInsert().Model(row).On("CONFLICT (tenant_id, attempt_id) DO NOTHING").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot record the failed attempt: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err // what the order holds by now is for another attempt
	}
	return Release(ctx, tx, sc, f.OrderID, f.OrderNumber, f.At)
}
