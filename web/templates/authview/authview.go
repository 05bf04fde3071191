// Package authview has the pages before sign-in: signing in and opening a tenant. Their forms post to /signin and
// /signup; a refused form comes back with status 422 and what was wrong.
package authview

import (
	"context"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// SignInModel is the form of signing in.
type SignInModel struct {
	Email string
	Next  string // page to go to afterwards, "" for the first one
	Error string // why it was refused, translated; never which of the two was wrong
	Demo  []DemoLogin
}

// DemoRole is as whom a visitor of the demonstration looks around.
type DemoRole string

// The roles: one of a tenant, two of the platform.
const (
	AsOwner    DemoRole = "owner"
	AsFinance  DemoRole = "finance"
	AsOperator DemoRole = "operator"
)

// DemoLogin is shown, and offered as one press, when the program runs as a demonstration. All have the same password.
type DemoLogin struct {
	Email, Password string
	As              DemoRole
}

func (d DemoLogin) who(ctx context.Context) string { return i18n.T(ctx, "auth.demo.who."+string(d.As)) }

func (d DemoLogin) label(ctx context.Context) string {
	return i18n.T(ctx, "auth.demo.do."+string(d.As))
}

// kind sets the tenant's account, which most are looking for, above the others.
func (d DemoLogin) kind() ui.Kind {
	if d.As == AsOwner {
		return ui.Plain
	}
	return ui.Quiet
}

// SignUpModel is the form of opening a tenant. Errors are translated, by field name: tenant_name, kind, name, email,
// password.
type SignUpModel struct {
	TenantName string
	Kind       string // store, school or company
	Name       string
	Email      string
	Errors     map[string]string
	// MinPassword is the least length of a password, in characters.
	MinPassword int
}

func (m SignUpModel) kind() string {
	if m.Kind == "" {
		return "store"
	}
	return m.Kind
}

func kinds(ctx context.Context) []ui.Option {
	return []ui.Option{
		{Value: "store", Label: i18n.T(ctx, "tenant.kind.store"), Icon: "store"},
		{Value: "school", Label: i18n.T(ctx, "tenant.kind.school"), Icon: "school"},
		{Value: "company", Label: i18n.T(ctx, "tenant.kind.company"), Icon: "building-2"},
	}
}
