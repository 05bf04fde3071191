package collect

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// PersonInUse tells that somebody has a link of their own, or that a guardian
// agreed to something about them; nothing is sent before that.
func PersonInUse(ctx context.Context, tx bun.IDB, sc tenants.Scope, personID string) (bool, error) {
	for _, model := range []any{(*Link)(nil), (*Consent)(nil)} {
		used, err := tx.NewSelect().Model(model).ApplyQueryBuilder(sc.Where).Where("person_id = ?", personID).Exists(ctx)
		if err != nil || used {
			if err != nil {
				err = fmt.Errorf("cannot look for what a person agreed to: %w", err)
			}
			return used, err
		}
	}
	return false, nil
}
