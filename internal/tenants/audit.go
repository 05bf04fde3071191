package tenants

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
)

// AuditEntry says who did what to which object. It holds ids only.
type AuditEntry struct {
	bun.BaseModel `bun:"table:audit_entries,alias:audit"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	At            time.Time
	Actor         string // a user id, "api:<key id>", "cli:<login>" or "system"
	Action        string // "order.reveal", "api_key.create", ...
	ObjectKind    string
	ObjectID      string
}

// Audit writes an entry in the caller's transaction.
func Audit(ctx context.Context, tx bun.IDB, sc Scope, actor, action, objectKind, objectID string, now time.Time) error {
	e := &AuditEntry{TenantID: sc.TenantID(), ID: db.NewID(), At: now, Actor: actor, Action: action, ObjectKind: objectKind, ObjectID: objectID}
	if _, err := tx.NewInsert().Model(e).Exec(ctx); err != nil {
		return fmt.Errorf("cannot write the audit entry: %w", err)
	}
	return nil
}
