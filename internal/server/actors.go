package server

import (
	"context"
	"net/http"

	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

// actorNames are the names of those who may have acted, people and programs, by
// what histories call them.
type actorNames map[string]string

// of is how a page calls an actor: by name, or as somebody at the command line;
// "" for the system and the provider.
func (n actorNames) of(ctx context.Context, actor string) string {
	if login, ok := tenants.CommandLogin(actor); ok {
		return i18n.T(ctx, "orders.actor.command", "login", login)
	}
	return n[actor]
}

// memberNames are the names within the person's tenant.
func (s *Server) memberNames(r *http.Request) (actorNames, error) {
	members, err := s.Tenants.Members(r.Context(), identity(r).Scope())
	if err != nil {
		return nil, err
	}
	names := make(actorNames, len(members))
	for _, m := range members {
		names[m.UserID] = m.Name
	}
	keys, err := s.Tenants.APIKeys(r.Context(), identity(r).Scope())
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		names[tenants.KeyActor(k.ID)] = "API · " + k.Name
	}
	return names, nil
}
