// Package tenants owns the tenant: its members and their roles, its API keys,
// its audit trail, and the Scope without which no row of a tenant can be read
// or written.
package tenants

import (
	"github.com/uptrace/bun"
)

// Scope is the right to one tenant's rows. Every query function takes one. The
// field is unexported, so a Scope comes only from a sign-in, an API key or a
// job of that tenant, and the zero value panics: a forgotten tenant is a crash
// in a test, never a query over everybody.
type Scope struct{ tenantID string }

// ForTenant makes the Scope of a tenant. Only what has authenticated somebody
// (auth), taken up a job of the tenant, or acts for the operator on the command
// line may call it.
func ForTenant(tenantID string) Scope {
	if tenantID == "" {
		panic("tenants: empty tenant id")
	}
	return Scope{tenantID}
}

// TenantID is the tenant. It panics for the zero Scope.
func (s Scope) TenantID() string {
	if s.tenantID == "" {
		panic("tenants: zero Scope")
	}
	return s.tenantID
}

// Where adds the tenant to a select, update or delete: q.ApplyQueryBuilder(sc.Where).
func (s Scope) Where(q bun.QueryBuilder) bun.QueryBuilder {
	return q.Where("?TableAlias.tenant_id = ?", s.TenantID())
}

// BlobKey puts a name into the tenant's part of the blob store.
func (s Scope) BlobKey(name string) string { return "t/" + s.TenantID() + "/" + name }

// Sweep is the right to look over all tenants. It is another type on purpose:
// only the few functions that take it can, and each use gives its reason.
type Sweep struct{ reason string }

// AllTenants makes a Sweep; the reason is for the reader.
func AllTenants(reason string) Sweep { return Sweep{reason} }
