package tenants

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
)

// StaffRole is a person's place with those who run the platform. Staff belong to
// no tenant: they see how the provider does, and never a tenant's people.
type StaffRole string

// The roles of staff.
const (
	StaffOperator StaffRole = "operator"
	StaffFinance  StaffRole = "finance"
)

// What staff can be allowed; never granted to a member of a tenant.
const (
	CanWatch   Can = "watch"   // the provider's health and catalogue, over all tenants, without people
	CanAccount Can = "account" // invoices of all tenants, with order numbers and without people
	CanOperate Can = "operate" // pauses and the balance of the upstream account
)

var staffGrants = map[StaffRole]map[Can]bool{
	StaffOperator: {CanWatch: true, CanOperate: true},
	StaffFinance:  {CanWatch: true, CanAccount: true},
}

// Allows tells whether the role may do it.
func (r StaffRole) Allows(c Can) bool { return staffGrants[r][c] }

// staff is a user's place on the platform.
type staff struct {
	bun.BaseModel `bun:"table:platform_staff,alias:staff"`
	UserID        string `bun:",pk"`
	Role          StaffRole
	CreatedAt     time.Time
}

// AddStaff makes a user one of the platform's staff.
func AddStaff(ctx context.Context, tx bun.IDB, userID string, role StaffRole, now time.Time) error {
	if _, ok := staffGrants[role]; !ok {
		return apperr.Field("role", "error.member.role")
	}
	if _, err := tx.NewInsert().Model(&staff{UserID: userID, Role: role, CreatedAt: now}).Exec(ctx); err != nil {
		return fmt.Errorf("cannot add to the staff: %w", err)
	}
	return nil
}

// StaffRoleOf is the user's place on the platform, "" for everybody else.
func StaffRoleOf(ctx context.Context, tx bun.IDB, userID string) (StaffRole, error) {
	s := new(staff)
	err := tx.NewSelect().Model(s).Where("user_id = ?", userID).Scan(ctx)
	if db.IsNoRows(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("cannot look for staff: %w", err)
	}
	return s.Role, nil
}
