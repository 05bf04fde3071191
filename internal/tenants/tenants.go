package tenants

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
)

// Kind is what sort of business a tenant is.
type Kind string

// The kinds a tenant can sign up as.
const (
	KindStore   Kind = "store"   // photo studio, print shop
	KindSchool  Kind = "school"  // school or school photographer
	KindCompany Kind = "company" // company that collects for its staff
)

// Kinds lists the kinds in the order they are offered.
var Kinds = []Kind{KindStore, KindSchool, KindCompany}

// Role is a member's place in a tenant.
type Role string

// The roles. An owner may do everything; an operator works on batches and
// orders; finance sees money and order numbers, never people.
const (
	RoleOwner    Role = "owner"
	RoleOperator Role = "operator"
	RoleFinance  Role = "finance"
)

// Roles lists the roles in the order they are offered.
var Roles = []Role{RoleOwner, RoleOperator, RoleFinance}

// Can tells what a role allows.
type Can string

// What can be allowed.
const (
	CanWork   Can = "work"   // batches, pictures, orders, receipts: personal data
	CanBill   Can = "bill"   // usage, invoices, exports
	CanManage Can = "manage" // members, keys, the tenant itself
)

var grants = map[Role]map[Can]bool{
	RoleOwner:    {CanWork: true, CanBill: true, CanManage: true},
	RoleOperator: {CanWork: true},
	RoleFinance:  {CanBill: true},
}

// Allows tells whether the role may do it.
func (r Role) Allows(c Can) bool { return grants[r][c] }

// Tenant is a store, school or company. It owns everything below it.
type Tenant struct {
	bun.BaseModel `bun:"table:tenants,alias:tenant"`
	ID            string    `bun:",pk" json:"id"`
	Name          string    `json:"name"`
	Kind          Kind      `json:"kind"`
	CreatedAt     time.Time `json:"created_at"`
}

// Member is a user's place in a tenant.
type Member struct {
	bun.BaseModel `bun:"table:members,alias:member"`
	TenantID      string `bun:",pk"`
	UserID        string `bun:",pk"`
	Role          Role
	CreatedAt     time.Time
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*Tenant)(nil), (*Member)(nil), (*APIKey)(nil), (*AuditEntry)(nil), (*sequence)(nil), (*staff)(nil)}

// Service reads and changes tenants.
type Service struct{ db *db.DB }

// NewService makes the service.
func NewService(d *db.DB) *Service { return &Service{d} }

// Create makes a tenant with its first owner, inside the caller's transaction
// (the user is made in the same one).
func Create(ctx context.Context, tx bun.IDB, name string, kind Kind, ownerID string, now time.Time) (*Tenant, error) {
	name = strings.TrimSpace(name)
	if err := checkNew(name, kind); err != nil {
		return nil, err
	}
	t := &Tenant{ID: db.NewID(), Name: name, Kind: kind, CreatedAt: now}
	if _, err := tx.NewInsert().Model(t).Exec(ctx); err != nil {
		return nil, fmt.Errorf("cannot create the tenant: %w", err)
	}
	if err := AddMember(ctx, tx, ForTenant(t.ID), ownerID, RoleOwner, now); err != nil {
		return nil, err
	}
	return t, nil
}

func checkNew(name string, kind Kind) error {
	var bad apperr.Fields
	if name == "" {
		bad.Add("tenant_name", "error.tenant.name_required")
	} else if utf8.RuneCountInString(name) > 60 {
		bad.Add("tenant_name", "error.tenant.name_long", "max", 60)
	}
	switch kind {
	case KindStore, KindSchool, KindCompany:
	default:
		bad.Add("kind", "error.tenant.kind")
	}
	return bad.Err()
}

// AddMember gives a user a place in the tenant.
func AddMember(ctx context.Context, tx bun.IDB, sc Scope, userID string, role Role, now time.Time) error {
	if _, ok := grants[role]; !ok {
		return apperr.Field("role", "error.member.role")
	}
	m := &Member{TenantID: sc.TenantID(), UserID: userID, Role: role, CreatedAt: now}
	if _, err := tx.NewInsert().Model(m).Exec(ctx); err != nil {
		if db.IsUnique(err, "members_pkey", "members.tenant_id", "members.user_id") {
			return apperr.Field("email", "error.member.exists")
		}
		return fmt.Errorf("cannot add the member: %w", err)
	}
	return nil
}

// Get loads the tenant of the Scope.
func (s *Service) Get(ctx context.Context, sc Scope) (*Tenant, error) { return Load(ctx, s.db, sc) }

// Load is Get for callers inside a transaction.
func Load(ctx context.Context, tx bun.IDB, sc Scope) (*Tenant, error) {
	t := new(Tenant)
	if err := tx.NewSelect().Model(t).Where("id = ?", sc.TenantID()).Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the tenant: %w", err)
	}
	return t, nil
}

// List returns every tenant, by age. It is for the operator's command line.
func (s *Service) List(ctx context.Context, _ Sweep) ([]Tenant, error) {
	var out []Tenant
	if err := s.db.NewSelect().Model(&out).Order("id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the tenants: %w", err)
	}
	return out, nil
}

// MemberInfo is a member as the settings page shows it.
type MemberInfo struct {
	UserID, Name, Email string
	Role                Role
	CreatedAt           time.Time
}

// Members lists the members of the tenant, by age.
func (s *Service) Members(ctx context.Context, sc Scope) ([]MemberInfo, error) {
	var out []MemberInfo
	err := s.db.NewSelect().Model((*Member)(nil)).
		ColumnExpr("member.user_id, member.role, member.created_at, u.name, u.email").
		Join("JOIN users AS u ON u.id = member.user_id").
		ApplyQueryBuilder(sc.Where).Order("member.created_at").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("cannot list the members: %w", err)
	}
	return out, nil
}

// MembershipsOf lists where a user belongs, by age. It is how a sign-in learns
// the user's tenants, so it cannot have a Scope yet.
func MembershipsOf(ctx context.Context, tx bun.IDB, userID string) ([]Member, error) {
	var out []Member
	if err := tx.NewSelect().Model(&out).Where("user_id = ?", userID).Order("created_at").Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the memberships: %w", err)
	}
	return out, nil
}

// Membership is the user's place in one tenant; sql.ErrNoRows if there is none.
func Membership(ctx context.Context, tx bun.IDB, tenantID, userID string) (*Member, error) {
	m := new(Member)
	err := tx.NewSelect().Model(m).Where("tenant_id = ? AND user_id = ?", tenantID, userID).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the membership: %w", err)
	}
	return m, nil
}

type sequence struct {
	bun.BaseModel `bun:"table:sequences,alias:seq"`
	TenantID      string `bun:",pk"`
	Name          string `bun:",pk"`
	Value         int64
}

// NextNumbers reserves n consecutive numbers of the tenant's named sequence and
// returns the first. A rolled back transaction gives them back.
func NextNumbers(ctx context.Context, tx bun.Tx, sc Scope, name string, n int) (int64, error) {
	row := &sequence{TenantID: sc.TenantID(), Name: name, Value: int64(n)}
	_, err := tx.NewInsert().Model(row).On("CONFLICT (tenant_id, name) DO UPDATE").
		Set("value = seq.value + ?", n).Returning("value").Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("cannot take a number of %s: %w", name, err)
	}
	return row.Value - int64(n) + 1, nil
}
