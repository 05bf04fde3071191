// Package dbtest gives tests a real, migrated database: SQLite always, and
// PostgreSQL when HUIZHI_TEST_POSTGRES_URL is set. In CI its absence fails the
// test, because a silent skip reads as a pass.
package dbtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/db"
)

// PostgresEnv names the variable that holds the URL of a PostgreSQL server on
// which the tests may make databases.
const PostgresEnv = "HUIZHI_TEST_POSTGRES_URL"

// Each runs the test on every database.
func Each(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Postgres(t))
	})
}

// SQLite is a migrated database in the test's folder.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	return open(t, SQLiteURL(t))
}

// SQLiteURL is the URL of a fresh SQLite file.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

// Postgres is a migrated database of its own on the test server.
func Postgres(t testing.TB) *db.DB {
	t.Helper()
	return open(t, PostgresURL(t))
}

// PostgresURL is the URL of a fresh, empty database, dropped after the test.
func PostgresURL(t testing.TB) string {
	t.Helper()
	server := os.Getenv(PostgresEnv)
	if server == "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not set: CI must run the tests on PostgreSQL too", PostgresEnv)
		}
		t.Skipf("no PostgreSQL: set %s (`make test` does)", PostgresEnv)
	}
	ctx := context.Background()
	admin, err := db.Open(ctx, server)
	require.NoError(t, err)
	name := "huizhi_test_" + db.NewID()[24:] + fmt.Sprint(os.Getpid())
	_, err = admin.ExecContext(ctx, fmt.Sprintf("CREATE DATABASE %q", name))
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := admin.ExecContext(context.Background(), fmt.Sprintf("DROP DATABASE IF EXISTS %q WITH (FORCE)", name))
		if err != nil {
			t.Logf("cannot drop the test database: %v", err)
		}
		admin.Close()
	})
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

func open(t testing.TB, databaseURL string) *db.DB {
	t.Helper()
	ctx := context.Background()
	d, err := db.Open(ctx, databaseURL)
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	_, err = d.Migrate(ctx)
	require.NoError(t, err)
	return d
}
