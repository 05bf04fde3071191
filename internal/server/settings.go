package server

import (
	"net/http"
	"time"

	"huizhi/internal/tenants"
)

func (s *Server) settingRoutes() []route {
	manage := can(tenants.CanManage)
	return []route{
		{"POST /settings/keys/{key}/revoke", manage, s.revokeKey},
	}
}

func (s *Server) revokeKey(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	if err := s.Tenants.RevokeAPIKey(r.Context(), id.Scope(), r.PathValue("key"), id.User.ID, time.Now().UTC()); err != nil {
		return err
	}
	return redirect(w, r, "/settings/keys")
}
