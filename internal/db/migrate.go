package db

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"

	"huizhi/migrations"
)

// migrateLock is the key of the PostgreSQL advisory lock that lets one node
// migrate while the others wait. (bun's own lock is a row that a crash leaves
// behind for ever.)
const migrateLock = 0x48755A68 // "HuZh"

// ErrPending says that the schema is older than the program.
var ErrPending = errors.New("the database has pending migrations: run `web migrate`")

// Migrate brings the schema up to date and returns the names it applied.
func (d *DB) Migrate(ctx context.Context) ([]string, error) {
	unlock, err := d.lockMigrations(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	m, err := d.migrator(ctx)
	if err != nil {
		return nil, err
	}
	if err := known(ctx, m); err != nil {
		return nil, err
	}
	group, err := m.Migrate(ctx)
	if err != nil {
		return nil, fmt.Errorf("migration failed and was rolled back; nothing of it remains: %w", err)
	}
	var names []string
	for _, x := range group.Migrations {
		names = append(names, x.String())
	}
	return names, nil
}

// CheckMigrated refuses a schema that is older or newer than the program.
func (d *DB) CheckMigrated(ctx context.Context) error {
	m, err := d.migrator(ctx)
	if err != nil {
		return err
	}
	if err := known(ctx, m); err != nil {
		return err
	}
	all, err := m.MigrationsWithStatus(ctx)
	if err != nil {
		return fmt.Errorf("cannot read the migration state: %w", err)
	}
	if len(all.Unapplied()) > 0 {
		return ErrPending
	}
	return nil
}

// CheckModels selects no row of every model: a table or column that is missing,
// as a botched restore or a half-applied schema leaves it, is found at start and
// not in the middle of somebody's work.
func (d *DB) CheckModels(ctx context.Context, models ...any) error {
	for _, model := range models {
		table := d.Table(reflect.TypeOf(model).Elem())
		var cols []string
		for _, f := range table.Fields {
			// Qualified: SQLite reads a lone unknown "column" as a string.
			cols = append(cols, fmt.Sprintf("%s.%s", table.SQLName, f.SQLName))
		}
		q := fmt.Sprintf("SELECT %s FROM %s WHERE 1 = 0", strings.Join(cols, ", "), table.SQLName)
		rows, err := d.QueryContext(ctx, q)
		if err != nil {
			return fmt.Errorf("the schema does not fit this program (table %s); restore the backup or run `web migrate`: %w", table.Name, err)
		}
		if err := rows.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (d *DB) migrator(ctx context.Context) (*migrate.Migrator, error) {
	set := migrate.NewMigrations()
	if err := set.Discover(migrations.FS); err != nil {
		return nil, fmt.Errorf("cannot read the migrations: %w", err)
	}
	m := migrate.NewMigrator(d.DB, set, migrate.WithMarkAppliedOnSuccess(true))
	if err := m.Init(ctx); err != nil {
		return nil, fmt.Errorf("cannot make the migrations table: %w", err)
	}
	return m, nil
}

// known refuses a database that a newer program has migrated.
func known(ctx context.Context, m *migrate.Migrator) error {
	missing, err := m.MissingMigrations(ctx)
	if err != nil {
		return fmt.Errorf("cannot read the migration state: %w", err)
	}
	if len(missing) > 0 {
		return fmt.Errorf("the database was migrated by a newer version (%s): use that version, or restore the backup", missing[0].Name)
	}
	return nil
}

func (d *DB) lockMigrations(ctx context.Context) (func(), error) {
	if !IsPostgres(d.DB) {
		return func() {}, nil // one process owns the data folder
	}
	conn, err := d.DB.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot get a connection for the migration lock: %w", err)
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(?)", migrateLock); err != nil {
		conn.Close()
		return nil, fmt.Errorf("cannot take the migration lock: %w", err)
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(?)", migrateLock)
		conn.Close()
	}, nil
}

var _ bun.IDB = (*DB)(nil)
