package server

import (
	"net/http"
	"strings"
	"time"

	"huizhi/internal/auth"
	"huizhi/internal/receiptapi"
	"huizhi/internal/tenants"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/settingsview"
)

func (s *Server) settingRoutes() []route {
	manage := can(tenants.CanManage)
	return []route{
		{"GET /settings", manage, s.tenantPage},
		{"GET /settings/members", manage, s.membersPage},
		{"POST /settings/members", manage, s.addMember},
		{"GET /settings/keys", manage, s.keysPage},
		{"POST /settings/keys", manage, s.createKey},
		{"POST /settings/keys/{key}/revoke", manage, s.revokeKey},
	}
}

func (s *Server) tenantPage(w http.ResponseWriter, r *http.Request) error {
	t := identity(r).Tenant
	receipt, err := s.quote(r.Context(), identity(r).Scope(), 0, 1)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, settingsview.TenantPage(s.chrome(r, layout.NavSettings), settingsview.TenantModel{
		Name: t.Name, KindKey: "tenant.kind." + string(t.Kind), CreatedAt: t.CreatedAt,
		ReceiptPoints: receipt.Points, ReceiptFen: receipt.Fen,
	}))
}

func (s *Server) membersPage(w http.ResponseWriter, r *http.Request) error {
	return s.renderMembers(w, r, http.StatusOK, settingsview.NewMember{Role: string(tenants.RoleOperator)})
}

func (s *Server) renderMembers(w http.ResponseWriter, r *http.Request, status int, form settingsview.NewMember) error {
	id := identity(r)
	members, err := s.Tenants.Members(r.Context(), id.Scope())
	if err != nil {
		return err
	}
	m := settingsview.MembersModel{New: form, Minimum: auth.MinPassword, Now: time.Now()}
	for _, p := range members {
		m.Members = append(m.Members, settingsview.Member{Name: p.Name, Email: p.Email, RoleKey: "role." + string(p.Role), Since: p.CreatedAt, Self: p.UserID == id.User.ID})
	}
	for _, role := range tenants.Roles {
		m.Roles = append(m.Roles, string(role))
	}
	return s.render(w, r, status, settingsview.MembersPage(s.chrome(r, layout.NavSettings), m))
}

func (s *Server) addMember(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	form := settingsview.NewMember{Name: r.FormValue("name"), Email: r.FormValue("email"), Role: r.FormValue("role")}
	_, err := s.Auth.CreateMember(r.Context(), id.Scope(), form.Name, form.Email, r.FormValue("password"), tenants.Role(form.Role), id.User.ID, time.Now().UTC())
	if fields, ok := fieldErrors(r, err); ok {
		form.Errors = fields
		return s.renderMembers(w, r, http.StatusUnprocessableEntity, form)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, "/settings/members")
}

func (s *Server) keysPage(w http.ResponseWriter, r *http.Request) error {
	return s.renderKeys(w, r, http.StatusOK, settingsview.KeysModel{})
}

func (s *Server) renderKeys(w http.ResponseWriter, r *http.Request, status int, m settingsview.KeysModel) error {
	keys, err := s.Tenants.APIKeys(r.Context(), identity(r).Scope())
	if err != nil {
		return err
	}
	names, err := s.memberNames(r)
	if err != nil {
		return err
	}
	m.Now, m.BaseURL, m.DocsPath = time.Now(), s.BaseURL()+receiptapi.BasePath, apiDocsPath
	for _, k := range keys {
		key := settingsview.Key{ID: k.ID, Name: k.Name, Prefix: k.Prefix, Test: k.Test, CreatedBy: names.of(r.Context(), k.CreatedBy), CreatedAt: k.CreatedAt}
		if k.LastUsedAt != nil {
			key.LastUsedAt = *k.LastUsedAt
		}
		if k.RevokedAt != nil {
			key.RevokedAt = *k.RevokedAt
		}
		m.Keys = append(m.Keys, key)
	}
	return s.render(w, r, status, settingsview.KeysPage(s.chrome(r, layout.NavSettings), m))
}

// createKey answers with the page itself and no redirect: the secret is in no
// address, no cookie and no cache.
func (s *Server) createKey(w http.ResponseWriter, r *http.Request) error {
	id, name, test := identity(r), strings.TrimSpace(r.FormValue("name")), r.FormValue("test") != ""
	_, secret, err := s.Tenants.CreateAPIKey(r.Context(), id.Scope(), name, test, id.User.ID, time.Now().UTC())
	if fields, ok := fieldErrors(r, err); ok {
		return s.renderKeys(w, r, http.StatusUnprocessableEntity, settingsview.KeysModel{NewName: name, NewTest: test, NameError: fields["name"]})
	}
	if err != nil {
		return err
	}
	return s.renderKeys(w, r, http.StatusOK, settingsview.KeysModel{Secret: secret})
}

func (s *Server) revokeKey(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	if err := s.Tenants.RevokeAPIKey(r.Context(), id.Scope(), r.PathValue("key"), id.User.ID, time.Now().UTC()); err != nil {
		return err
	}
	return redirect(w, r, "/settings/keys")
}
