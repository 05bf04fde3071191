package billing

import (
	"context"
	"fmt"
	"slices"
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
// on. Simulated and failed attempts are never given to it. When the day of c.At
// has been sealed in the meantime, it is ErrSealed, and the completion is to be
// tried again by a later clock. What the order holds in the tenant's wallet is
// captured with it.
func Record(ctx context.Context, tx bun.Tx, sc tenants.Scope, c NewCharge) (created bool, err error) {
	if c.Points <= 0 {
		return false, fmt.Errorf("a charge of %d points", c.Points)
	}
	if err := openDay(ctx, tx, sc, c.At); err != nil {
		return false, err
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
	if n == 0 {
		return false, nil
	}
	return true, capture(ctx, tx, sc, row)
}

// Entry is a charge with its price.
type Entry struct {
	Charge
	Fen int64
}

// Filter narrows a page of the ledger. The zero value takes all.
type Filter struct {
	Day    string // "2026-11-20"
	TypeID int
	City   string
}

// Cursor is a place in the ledger: the page of charges recorded before one, or
// after one, by id. The zero value is the newest page.
type Cursor struct{ Before, After string }

// LedgerPage is a page of the ledger, last recorded first. Newer and Older are
// the ids to go on from, "" at the ends.
type LedgerPage struct {
	Entries      []Entry
	Newer, Older string
}

// Ledger reads one page of the month's charges.
func (s *Service) Ledger(ctx context.Context, sc tenants.Scope, month Month, f Filter, at Cursor, size int) (*LedgerPage, error) {
	r, err := newRater(ctx, s.db, sc)
	if err != nil {
		return nil, err
	}
	var charges []Charge
	q := s.db.NewSelect().Model(&charges).ApplyQueryBuilder(sc.Where).Where("charge.month = ?", month)
	if f.Day != "" {
		q.Where("charge.day = ?", f.Day)
	}
	if f.TypeID != 0 {
		q.Where("charge.type_id = ?", f.TypeID)
	}
	if f.City != "" {
		q.Where("charge.city = ?", f.City)
	}
	switch {
	case at.After != "":
		q.Where("charge.id > ?", at.After).Order("charge.id")
	case at.Before != "":
		q.Where("charge.id < ?", at.Before).Order("charge.id DESC")
	default:
		q.Order("charge.id DESC")
	}
	if err := q.Limit(int64(size) + 1).Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the ledger: %w", err)
	}
	more := len(charges) > size
	charges = charges[:min(size, len(charges))]
	newer, older := at.Before != "", more
	if at.After != "" {
		slices.Reverse(charges)
		newer, older = more, true
	}
	page := &LedgerPage{}
	if page.Entries, err = r.entries(ctx, charges); err != nil {
		return nil, err
	}
	if n := len(charges); n > 0 {
		if newer {
			page.Newer = charges[0].ID
		}
		if older {
			page.Older = charges[n-1].ID
		}
	}
	return page, nil
}
