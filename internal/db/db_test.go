package db_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

func TestMigrateIsRepeatable(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		again, err := d.Migrate(ctx)
		require.NoError(t, err)
		require.Empty(t, again, "a second run has nothing to do")
		require.NoError(t, d.CheckMigrated(ctx))
	})
}

func TestStartIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		type tenant struct {
			ID       string
			Invented string
		}
		err := d.CheckModels(ctx, (*tenant)(nil))
		require.ErrorContains(t, err, "does not fit this program", "a missing column")

		_, err = d.ExecContext(ctx, "INSERT INTO bun_migrations (name, group_id, migrated_at) VALUES ('29990101000000', 9, ?)", db.Now())
		require.NoError(t, err)
		require.ErrorContains(t, d.CheckMigrated(ctx), "newer version")

		_, err = d.ExecContext(ctx, "DELETE FROM bun_migrations")
		require.NoError(t, err)
		require.ErrorIs(t, d.CheckMigrated(ctx), db.ErrPending)
	})
}
