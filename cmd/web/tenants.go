package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"strings"
	"sync"
	"text/tabwriter"

	"huizhi/internal/app"
	"huizhi/internal/apperr"
	"huizhi/internal/auth"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

// actor is who the audit trail names for commands: the person at the machine.
var actor = sync.OnceValue(func() string {
	u, err := user.Current()
	if err != nil {
		return tenants.CommandActor("?")
	}
	return tenants.CommandActor(u.Username)
})

// open gives a command the database and the services it needs.
func (e *env) open() (*app.Tools, error) {
	c, _, err := load()
	if err != nil {
		return nil, err
	}
	return app.OpenTools(e.ctx, c)
}

// plain turns errors that carry a message key into English sentences.
func plain(err error) string {
	var lines []string
	if fields, ok := apperr.AsFields(err); ok {
		for _, f := range fields {
			lines = append(lines, sentence(f))
		}
		return strings.Join(lines, "\n")
	}
	var e *apperr.Error
	if errors.As(err, &e) {
		return sentence(e)
	}
	return err.Error()
}

func sentence(e *apperr.Error) string {
	return i18n.T(i18n.WithLang(context.Background(), i18n.EN), e.Key, e.Args...)
}

type tenantCreateCmd struct {
	Name     string `required:"" help:"Name of the store, school or company."`
	Kind     string `required:"" enum:"store,school,company" help:"store, school or company."`
	Email    string `required:"" help:"E-mail of the owner."`
	Password string `required:"" help:"Password of the owner."`
	Owner    string `help:"Name of the owner. Default: the e-mail."`
	JSON     bool   `help:"Print JSON."`
}

func (c tenantCreateCmd) Run(e *env) error {
	t, err := e.open()
	if err != nil {
		return err
	}
	defer t.Close()
	if c.Owner == "" {
		c.Owner = c.Email
	}
	id, err := t.Auth.SignUp(e.ctx, auth.SignUp{TenantName: c.Name, Kind: tenants.Kind(c.Kind), Name: c.Owner, Email: c.Email, Password: c.Password}, db.Now())
	if err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(map[string]string{"id": id.Tenant.ID, "user_id": id.User.ID})
	}
	fmt.Fprintf(e.out, "tenant %s, owner %s\n", id.Tenant.ID, id.User.ID)
	return nil
}

type tenantListCmd struct {
	JSON bool `help:"Print JSON, one tenant a line."`
}

func (c tenantListCmd) Run(e *env) error {
	t, err := e.open()
	if err != nil {
		return err
	}
	defer t.Close()
	all, err := t.Tenants.List(e.ctx, tenants.AllTenants("the operator lists them on the command line"))
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	for _, x := range all {
		if c.JSON {
			if err := e.printJSON(x); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", x.ID, x.Kind, x.Name, x.CreatedAt.Format("2006-01-02"))
	}
	return table.Flush()
}

type userCreateCmd struct {
	Tenant   string `xor:"place" required:"" help:"Tenant id: the user becomes a member."`
	Platform string `xor:"place" required:"" placeholder:"ROLE" help:"operator or finance: the user becomes one of the platform's staff, without a tenant."`
	Name     string `help:"Name. Default: the e-mail."`
	Email    string `required:"" help:"E-mail."`
	Password string `required:"" help:"Password."`
	Role     string `enum:"owner,operator,finance," default:"" help:"Of a member: owner, operator or finance."`
	JSON     bool   `help:"Print JSON."`
}

func (c userCreateCmd) Run(e *env) error {
	if c.Name == "" {
		c.Name = c.Email
	}
	u, err := c.create(e)
	if err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(map[string]string{"id": u.ID})
	}
	fmt.Fprintln(e.out, "user", u.ID)
	return nil
}

func (c userCreateCmd) create(e *env) (*auth.User, error) {
	if c.Platform != "" {
		t, err := e.open()
		if err != nil {
			return nil, err
		}
		defer t.Close()
		return t.Auth.CreateStaff(e.ctx, c.Name, c.Email, c.Password, tenants.StaffRole(c.Platform), db.Now())
	}
	t, sc, err := e.openTenant(c.Tenant)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	return t.Auth.CreateMember(e.ctx, sc, c.Name, c.Email, c.Password, tenants.Role(c.Role), actor(), db.Now())
}

// openTenant is open for commands about one tenant, which must exist.
func (e *env) openTenant(id string) (*app.Tools, tenants.Scope, error) {
	t, err := e.open()
	if err != nil {
		return nil, tenants.Scope{}, err
	}
	if id == "" {
		t.Close()
		return nil, tenants.Scope{}, errors.New("the tenant id is empty")
	}
	sc := tenants.ForTenant(id)
	if _, err := t.Tenants.Get(e.ctx, sc); err != nil {
		t.Close()
		if db.IsNoRows(err) {
			err = fmt.Errorf("there is no tenant %s: `web tenant list` shows all", id)
		}
		return nil, sc, err
	}
	return t, sc, nil
}

type apikeyCreateCmd struct {
	Tenant string `required:"" help:"Tenant id."`
	Name   string `default:"command line" help:"What the key is for."`
	Test   bool   `help:"A test key: everything done with it is simulated and never charged."`
	JSON   bool   `help:"Print JSON."`
}

func (c apikeyCreateCmd) Run(e *env) error {
	t, sc, err := e.openTenant(c.Tenant)
	if err != nil {
		return err
	}
	defer t.Close()
	k, secret, err := t.Tenants.CreateAPIKey(e.ctx, sc, c.Name, c.Test, actor(), db.Now())
	if err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(map[string]string{"id": k.ID, "key": secret})
	}
	fmt.Fprintf(e.out, "key %s\n%s\nThis is shown only once.\n", k.ID, secret)
	return nil
}

type apikeyListCmd struct {
	Tenant string `required:"" help:"Tenant id."`
	JSON   bool   `help:"Print JSON, one key a line."`
}

func (c apikeyListCmd) Run(e *env) error {
	t, sc, err := e.openTenant(c.Tenant)
	if err != nil {
		return err
	}
	defer t.Close()
	keys, err := t.Tenants.APIKeys(e.ctx, sc)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	for _, k := range keys {
		if c.JSON {
			if err := e.printJSON(k); err != nil {
				return err
			}
			continue
		}
		state := "active"
		if k.RevokedAt != nil {
			state = "revoked"
		}
		fmt.Fprintf(table, "%s\t%s…\t%s\t%s\n", k.ID, k.Prefix, state, k.Name)
	}
	return table.Flush()
}

type apikeyRevokeCmd struct {
	Tenant string `required:"" help:"Tenant id."`
	ID     string `arg:"" help:"Key id."`
	JSON   bool   `help:"Print JSON."`
}

func (c apikeyRevokeCmd) Run(e *env) error {
	t, sc, err := e.openTenant(c.Tenant)
	if err != nil {
		return err
	}
	defer t.Close()
	if err := t.Tenants.RevokeAPIKey(e.ctx, sc, c.ID, actor(), db.Now()); err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(map[string]any{"id": c.ID, "revoked": true})
	}
	fmt.Fprintln(e.out, "revoked", c.ID)
	return nil
}
