package orders

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
	"huizhi/internal/validity"
)

// byTable is Order.ValidBy of dates that the table of today gave.
var byTable = strconv.Itoa(validity.Edition)

// ValidByHand is Order.ValidBy of a date that a person read on the receipt. It
// is never reckoned anew.
const ValidByHand = "hand"

// validityPortion bounds how many orders are reckoned in one transaction.
const validityPortion = 500

// Rule is the row of the table of validity that holds for the order's receipt.
func (o *Order) Rule() validity.Rule { return validity.For(o.TypeID, o.TypeName, o.City) }

// reckon says until when the receipt of a completed order can be used; that of a
// rehearsal never can.
func (o *Order) reckon() {
	if o.Simulate || o.CompletedAt == nil {
		return
	}
	until := o.Rule().Until(*o.CompletedAt)
	o.ValidUntil, o.ValidBy = &until, byTable
}

var allCompleted = tenants.AllTenants("the table of validity holds for the receipts of all tenants")

// reckonOld gives the receipts their dates that came before there was a table,
// or under an older edition of it.
func (s *Service) reckonOld(ctx context.Context) (time.Duration, error) {
	n, err := s.reckonSome(ctx, allCompleted)
	if n == validityPortion {
		return time.Millisecond, err
	}
	return 0, err
}

func (s *Service) reckonSome(ctx context.Context, _ tenants.Sweep) (int, error) {
	var old []Order
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		// Two ranges and not "neither of these": the index finds them.
		err := tx.NewSelect().Model(&old).Column("tenant_id", "id", "type_id", "type_name", "city", "simulate", "completed_at").
			Where("o.status = 'completed' AND NOT o.simulate AND o.completed_at IS NOT NULL").
			Where("(o.valid_by < ? OR o.valid_by > ? AND o.valid_by < ?)", byTable, byTable, ValidByHand).
			Limit(validityPortion).Apply(db.SkipLocked(tx)).Scan(ctx)
		if err != nil {
			return fmt.Errorf("cannot find receipts without validity: %w", err)
		}
		for i := range old {
			o := &old[i]
			o.reckon()
			_, err := tx.NewUpdate().Model(o).Column("valid_until", "valid_by").
				ApplyQueryBuilder(tenants.ForTenant(o.TenantID).Where).Where("id = ?", o.ID).Exec(ctx)
			if err != nil {
				return fmt.Errorf("cannot reckon the validity of order %s: %w", o.ID, err)
			}
		}
		return nil
	})
	return len(old), err
}
