// Package auth knows who somebody is: users, passwords, sign-up, throttled
// sign-in, and the server-side sessions. What they may do is tenants' matter.
package auth

import (
	"context"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// User is somebody who can sign in. Tenants know them as members, the platform
// as staff; nobody is both.
type User struct {
	bun.BaseModel `bun:"table:users,alias:u"`
	ID            string `bun:",pk"`
	Email         string // lower case
	Name          string
	PasswordHash  string
	CreatedAt     time.Time
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*User)(nil), (*loginFailures)(nil), (*sessionRow)(nil)}

// MinPassword is the shortest password, in characters (NIST SP 800-63B: 8).
const MinPassword = 8

// Service signs people up and in.
type Service struct{ db *db.DB }

// NewService makes the service.
func NewService(d *db.DB) *Service { return &Service{d} }

// SignUp is what a new tenant and its owner fill in.
type SignUp struct {
	TenantName string
	Kind       tenants.Kind
	Name       string
	Email      string
	Password   string
}

// Identity is a signed-in user: a member of one tenant, or one of the platform's
// staff, who has no tenant.
type Identity struct {
	User   User
	Tenant tenants.Tenant    // zero for staff
	Role   tenants.Role      // "" for staff
	Staff  tenants.StaffRole // "" for members
}

// Scope is the right to the tenant's rows. It panics for staff.
func (i *Identity) Scope() tenants.Scope { return tenants.ForTenant(i.Tenant.ID) }

// SignUp creates the tenant and its owner, both or neither. All faults of the
// form come back at once.
func (s *Service) SignUp(ctx context.Context, in SignUp, now time.Time) (*Identity, error) {
	u, bad := newUser(in.Name, in.Email, in.Password, now)
	var id *Identity
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if len(bad) == 0 {
			if err := insertUser(ctx, tx, u); err != nil {
				return err
			}
		}
		t, err := tenants.Create(ctx, tx, in.TenantName, in.Kind, u.ID, now)
		if fields, ok := apperr.AsFields(err); ok {
			bad = append(bad, fields...)
		} else if err != nil && len(bad) == 0 {
			return err
		}
		if err := bad.Err(); err != nil {
			return err
		}
		id = &Identity{User: *u, Tenant: *t, Role: tenants.RoleOwner}
		return tenants.Audit(ctx, tx, id.Scope(), u.ID, "tenant.create", "tenant", t.ID, now)
	})
	return id, err
}

// CreateMember makes a user (or takes the one with that e-mail) and gives it a
// place in the tenant.
func (s *Service) CreateMember(ctx context.Context, sc tenants.Scope, name, email, password string, role tenants.Role, actor string, now time.Time) (*User, error) {
	u, bad := newUser(name, email, password, now)
	if err := bad.Err(); err != nil {
		return nil, err
	}
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if err := insertUser(ctx, tx, u); err != nil {
			return err
		}
		if err := tenants.AddMember(ctx, tx, sc, u.ID, role, now); err != nil {
			return err
		}
		return tenants.Audit(ctx, tx, sc, actor, "member.create", "user", u.ID, now)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// BillingEmail is where the tenant's invoices are mailed: to whoever has been its
// finance the longest, else its first owner.
func BillingEmail(ctx context.Context, tx bun.IDB, sc tenants.Scope) (email string, err error) {
	err = tx.NewSelect().Model((*tenants.Member)(nil)).ColumnExpr("u.email").Join("JOIN users AS u ON u.id = member.user_id").
		ApplyQueryBuilder(sc.Where).Where("member.role IN (?)", bun.List([]tenants.Role{tenants.RoleFinance, tenants.RoleOwner})).
		OrderExpr("CASE member.role WHEN ? THEN 0 ELSE 1 END, member.created_at", tenants.RoleFinance).Limit(1).Scan(ctx, &email)
	if err != nil {
		return "", fmt.Errorf("cannot find whom to send the invoices of tenant %s: %w", sc.TenantID(), err)
	}
	return email, nil
}

// CreateStaff makes a user who works for the platform.
func (s *Service) CreateStaff(ctx context.Context, name, email, password string, role tenants.StaffRole, now time.Time) (*User, error) {
	u, bad := newUser(name, email, password, now)
	if err := bad.Err(); err != nil {
		return nil, err
	}
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if err := insertUser(ctx, tx, u); err != nil {
			return err
		}
		return tenants.AddStaff(ctx, tx, u.ID, role, now)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// Names are the names of users by id, for showing who did something; whoever is
// not a user is absent.
func (s *Service) Names(ctx context.Context, ids ...string) (map[string]string, error) {
	out := make(map[string]string, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	var users []User
	if err := s.db.NewSelect().Model(&users).Column("id", "name").Where("id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the users' names: %w", err)
	}
	for _, u := range users {
		out[u.ID] = u.Name
	}
	return out, nil
}

func newUser(name, email, password string, now time.Time) (*User, apperr.Fields) {
	var bad apperr.Fields
	name, email = strings.TrimSpace(name), strings.ToLower(strings.TrimSpace(email))
	if name == "" {
		bad.Add("name", "error.user.name_required")
	}
	if a, err := mail.ParseAddress(email); err != nil || a.Address != email || len(email) > 200 {
		bad.Add("email", "error.user.email")
	}
	switch n := utf8.RuneCountInString(password); {
	case n < MinPassword:
		bad.Add("password", "error.user.password_short", "min", MinPassword)
	case n > 200:
		bad.Add("password", "error.user.password_long", "max", 200)
	}
	u := &User{ID: db.NewID(), Email: email, Name: name, CreatedAt: now}
	if len(bad) == 0 {
		u.PasswordHash = HashPassword(password)
	}
	return u, bad
}

func insertUser(ctx context.Context, tx bun.IDB, u *User) error {
	_, err := tx.NewInsert().Model(u).Exec(ctx)
	if db.IsUnique(err, "users_email_key", "users.email") {
		return apperr.Field("email", "error.user.email_taken")
	}
	if err != nil {
		return fmt.Errorf("cannot create the user: %w", err)
	}
	return nil
}

// SignIn checks the password. After five failures of one e-mail, or twenty from
// one address, further tries wait, longer each time, up to fifteen minutes; the
// answer is the same whether the e-mail exists or not.
func (s *Service) SignIn(ctx context.Context, email, password, address string, now time.Time) (*Identity, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	limits := []Limit{{"email:" + email, 5}, {"addr:" + address, 20}}
	if wait, err := s.Try(ctx, now, limits...); err != nil {
		return nil, err
	} else if wait > 0 {
		return nil, apperr.New(apperr.TooMany, "error.signin.throttled", "seconds", int(wait.Seconds())+1)
	}
	u := new(User)
	err := s.db.NewSelect().Model(u).Where("email = ?", email).Scan(ctx)
	if err != nil && !db.IsNoRows(err) {
		return nil, fmt.Errorf("cannot look up the user: %w", err)
	}
	hash := u.PasswordHash
	if err != nil {
		hash = decoy
	}
	if !checkPassword(hash, password) || err != nil {
		return nil, apperr.New(apperr.Unauthenticated, "error.signin.wrong")
	}
	if err := s.Passed(ctx, limits...); err != nil {
		return nil, err
	}
	places, err := tenants.MembershipsOf(ctx, s.db, u.ID)
	if err != nil {
		return nil, err
	}
	if len(places) > 0 {
		return s.Identify(ctx, u.ID, places[0].TenantID)
	}
	id, err := s.identifyStaff(ctx, u.ID)
	if apperr.KindOf(err) == apperr.Unauthenticated {
		return nil, apperr.New(apperr.Forbidden, "error.signin.no_tenant")
	}
	return id, err
}

// Identify loads the user, the tenant and the role of a session; the tenant of
// staff is "". A user who is no longer a member, or no longer one of the staff,
// is Unauthenticated.
func (s *Service) Identify(ctx context.Context, userID, tenantID string) (*Identity, error) {
	if tenantID == "" {
		return s.identifyStaff(ctx, userID)
	}
	m, err := tenants.Membership(ctx, s.db, tenantID, userID)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.Unauthenticated, "error.signin.required")
	}
	if err != nil {
		return nil, err
	}
	id := &Identity{Role: m.Role}
	if err := s.db.NewSelect().Model(&id.User).Where("id = ?", userID).Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the user: %w", err)
	}
	t, err := tenants.Load(ctx, s.db, tenants.ForTenant(tenantID))
	if err != nil {
		return nil, err
	}
	id.Tenant = *t
	return id, nil
}

func (s *Service) identifyStaff(ctx context.Context, userID string) (*Identity, error) {
	role, err := tenants.StaffRoleOf(ctx, s.db, userID)
	if err != nil {
		return nil, err
	}
	if role == "" {
		return nil, apperr.New(apperr.Unauthenticated, "error.signin.required")
	}
	id := &Identity{Staff: role}
	if err := s.db.NewSelect().Model(&id.User).Where("id = ?", userID).Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the user: %w", err)
	}
	return id, nil
}
