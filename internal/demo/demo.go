// Package demo fills an empty database with a photo studio that has worked for
// two months, beside a school and a company, so that somebody who looks around
// finds no page empty. The people
// are invented, their faces drawn over one public-domain portrait (cmd/demogen),
// and everything upstream about the orders is what the simulator would have
// answered. No application is under way: the engine has nothing to do with any
// of it.
//
//	plan.go     which tenants, with which batches, on which days, with how many orders
//	history.go  the rows of finished orders
//	files.go    portraits and receipts in the blob store
//	school.go   the roster of a school, whose classes some batches are
//	open.go     the batch that waits for review, through the real pairing
//	wallet.go   the company's prepaid money
//	invoices.go the first month, invoiced and partly paid
//	fapiaos.go  tax invoices for it, in every state
package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/auth"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
)

// The sign-in of the demo tenant's owner, and of the platform's operator and
// finance. Everybody's password is the same.
const (
	Email         = "demo@huizhi.example"
	OperatorEmail = "platform@huizhi.example"
	FinanceEmail  = "finance@huizhi.example"
	Password      = "huizhi-demo"
)

// Deps is what filling needs.
type Deps struct {
	DB    *db.DB
	Blobs *blob.Store
	Auth  *auth.Service
	// Simulator is told of the finished applications, as it would have made them. May be nil.
	Simulator *simulator.Server
}

// The steps, as they are noted in the audit trail in the transaction that does
// them, so that filling goes on where it was killed and does nothing twice.
const (
	stepHistory = "demo.history"
	stepOpen    = "demo.open_batch"
	stepDone    = "demo.done"
)

// filler is one run of Fill.
type filler struct {
	Deps
	now    time.Time
	random *rand.Rand
	house  house
	sc     tenants.Scope
	owner  string // user ids
	staff  string
	media  *media
}

// Fill makes the demo tenant when there is no tenant at all, and completes one
// that a killed process left unfinished. Otherwise it does nothing.
func Fill(ctx context.Context, d Deps, now time.Time) error {
	f := &filler{Deps: d, now: now.UTC().Truncate(time.Microsecond), random: rand.New(rand.NewPCG(20, 26)), house: studio}
	if err := f.run(ctx); err != nil {
		return fmt.Errorf("cannot fill in the demonstration: %w", err)
	}
	return nil
}

func (f *filler) run(ctx context.Context) error {
	found, err := f.signUp(ctx)
	if err != nil || !found {
		return err
	}
	finance, err := f.hireStaff(ctx)
	if err != nil {
		return err
	}
	if done, err := f.did(ctx, f.DB, stepDone); err != nil || done {
		return err
	}
	if err := f.hire(ctx); err != nil {
		return err
	}
	if f.media, err = newMedia(ctx, f.Blobs, f.sc); err != nil {
		return err
	}
	if err := f.once(ctx, stepHistory, f.writeHistory); err != nil {
		return err
	}
	if err := f.openBatch(ctx); err != nil {
		return err
	}
	beside := make([]tenants.Scope, len(neighbours))
	for i, h := range neighbours {
		if beside[i], err = f.settle(ctx, h, uint64(i), finance); err != nil {
			return err
		}
	}
	if err := f.invoice(ctx, beside[0], finance); err != nil {
		return err
	}
	if err := f.fapiaos(ctx, beside[0], beside[1], finance); err != nil {
		return err
	}
	return f.once(ctx, stepDone, func(context.Context, bun.Tx) error { return nil })
}

// signUp finds the demo tenant, or makes it in an empty database. found is false
// in a database of other people.
func (f *filler) signUp(ctx context.Context) (found bool, err error) {
	var list []tenants.Tenant
	if err := f.DB.NewSelect().Model(&list).Order("id").Limit(1).Scan(ctx); err != nil {
		return false, fmt.Errorf("cannot look for tenants: %w", err)
	}
	if len(list) == 0 {
		return true, f.open(ctx)
	}
	member := new(tenants.Member)
	err = f.DB.NewSelect().Model(member).Join("JOIN users AS u ON u.id = member.user_id").
		Where("member.tenant_id = ? AND member.role = ? AND u.email = ?", list[0].ID, tenants.RoleOwner, Email).Scan(ctx)
	if db.IsNoRows(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot look for the owner: %w", err)
	}
	f.sc, f.owner = tenants.ForTenant(member.TenantID), member.UserID
	return true, nil
}

// open makes the tenant of the filler's house and its owner.
func (f *filler) open(ctx context.Context) error {
	h := f.house
	id, err := f.Auth.SignUp(ctx, auth.SignUp{TenantName: h.name, Kind: h.kind, Name: h.owner, Email: h.email, Password: Password}, firstDay(f.now))
	if err != nil {
		return err
	}
	f.sc, f.owner = id.Scope(), id.User.ID
	return nil
}

// settle makes another tenant with its history.
func (f *filler) settle(ctx context.Context, h house, seed uint64, finance string) (sc tenants.Scope, err error) {
	n := &filler{Deps: f.Deps, now: f.now, random: rand.New(rand.NewPCG(20, seed)), house: h}
	owner := new(tenants.Member)
	err = f.DB.NewSelect().Model(owner).Join("JOIN users AS u ON u.id = member.user_id").Where("u.email = ?", h.email).Scan(ctx)
	switch {
	case db.IsNoRows(err):
		err = n.open(ctx)
	case err == nil:
		n.sc, n.owner = tenants.ForTenant(owner.TenantID), owner.UserID
	}
	if err != nil {
		return sc, fmt.Errorf("cannot make %s: %w", h.name, err)
	}
	n.staff = n.owner
	if n.media, err = newMedia(ctx, n.Blobs, n.sc); err != nil {
		return sc, err
	}
	if h.prepaid {
		if err := n.openWallet(ctx, finance); err != nil {
			return sc, err
		}
	}
	if err := n.once(ctx, stepHistory, n.writeHistory); err != nil || !h.prepaid {
		return n.sc, err
	}
	return n.sc, n.refill(ctx, finance)
}

// hireStaff makes the platform's operator and its finance, unless they are there
// already, and returns the user id of the latter.
func (f *filler) hireStaff(ctx context.Context) (finance string, err error) {
	if _, err := f.hireOne(ctx, "顾远航", OperatorEmail, tenants.StaffOperator); err != nil {
		return "", err
	}
	return f.hireOne(ctx, "苏静怡", FinanceEmail, tenants.StaffFinance)
}

func (f *filler) hireOne(ctx context.Context, name, email string, role tenants.StaffRole) (userID string, err error) {
	u := new(auth.User)
	err = f.DB.NewSelect().Model(u).Column("id").Where("email = ?", email).Scan(ctx)
	if db.IsNoRows(err) {
		u, err = f.Auth.CreateStaff(ctx, name, email, Password, role, firstDay(f.now))
	}
	if err != nil {
		return "", fmt.Errorf("cannot find or make the platform's %s: %w", role, err)
	}
	return u.ID, nil
}

// hire makes the members that are not there yet.
func (f *filler) hire(ctx context.Context) error {
	members, err := tenants.NewService(f.DB).Members(ctx, f.sc)
	if err != nil {
		return err
	}
	ids := map[string]string{}
	for _, m := range members {
		ids[m.Email] = m.UserID
	}
	for _, p := range []struct {
		name, email string
		role        tenants.Role
	}{
		{"李敏", "limin@huizhi.example", tenants.RoleOperator},
		{"周岚", "zhoulan@huizhi.example", tenants.RoleFinance},
	} {
		if ids[p.email] == "" {
			u, err := f.Auth.CreateMember(ctx, f.sc, p.name, p.email, Password, p.role, f.owner, firstDay(f.now))
			if err != nil {
				return err
			}
			ids[p.email] = u.ID
		}
	}
	f.staff = ids["limin@huizhi.example"]
	return nil
}

// once does a step in one transaction with the note that it is done.
func (f *filler) once(ctx context.Context, step string, do func(context.Context, bun.Tx) error) error {
	return f.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if done, err := f.did(ctx, tx, step); err != nil || done {
			return err
		}
		if err := do(ctx, tx); err != nil {
			return err
		}
		return tenants.Audit(ctx, tx, f.sc, "system", step, "tenant", f.sc.TenantID(), f.now)
	})
}

func (f *filler) did(ctx context.Context, tx bun.IDB, step string) (bool, error) {
	done, err := tx.NewSelect().Model((*tenants.AuditEntry)(nil)).ApplyQueryBuilder(f.sc.Where).Where("action = ?", step).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("cannot look for the step %s: %w", step, err)
	}
	return done, nil
}
