package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Charge is one entry of the ledger: the points that one completed attempt
// cost. It keeps what a bill needs to say about the order, so that it can be
// read when the order's personal data has long been erased; it holds none.
type Charge struct {
	bun.BaseModel `bun:"table:charges,alias:charge"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	AttemptID     string // unique: an attempt is charged once
	OrderID       string
	OrderNumber   string
	TypeID        int
	TypeName      string
	City          string
	BatchID       string
	BatchName     string
	Points        int64
	At            time.Time
	Month         Month  // of At, in Asia/Shanghai
	Day           string // of At, "2026-11-20", in Asia/Shanghai
}

// NewCharge is what the caller knows about an attempt that has completed.
type NewCharge struct {
	AttemptID   string
	OrderID     string
	OrderNumber string
	TypeID      int
	TypeName    string
	City        string
	BatchID     string
	BatchName   string
	Points      int64
	At          time.Time // when the attempt was found completed, by our clock
}

// Record writes the charge of a completed attempt in the transaction that marks
// it completed, so that neither exists without the other. A second charge for
// the attempt changes nothing and reports created = false; the transaction goes
// on. Simulated and failed attempts are never given to it.
func Record(ctx context.Context, tx bun.Tx, sc tenants.Scope, c NewCharge) (created bool, err error) {
	if c.Points <= 0 {
		return false, fmt.Errorf("a charge of %d points", c.Points)
	}
	row := &Charge{
		TenantID: sc.TenantID(), ID: db.NewID(), AttemptID: c.AttemptID, OrderID: c.OrderID, OrderNumber: c.OrderNumber,
		TypeID: c.TypeID, TypeName: c.TypeName, City: c.City, BatchID: c.BatchID, BatchName: c.BatchName,
		Points: c.Points, At: c.At.UTC(), Month: MonthOf(c.At), Day: dayOf(c.At),
	}
	// Not "insert, and look at the error": on PostgreSQL an error ends the
	// caller's transaction.
	res, err := tx.NewInsert().Model(row).On("CONFLICT (tenant_id, attempt_id) DO NOTHING").Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("cannot record the charge: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("cannot record the charge: %w", err)
	}
	return n == 1, nil
}
