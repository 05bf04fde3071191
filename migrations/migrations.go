// Package migrations holds the schema, as SQL that SQLite and PostgreSQL both run.
//
// Every file is `<timestamp>_<name>.tx.up.sql`: bun runs a `.tx.` file in one
// transaction, and both databases roll DDL back, so a migration is applied whole
// or not at all. Statements are separated by `--bun:split`.
//
// Rules: tenant_id leads every key of a tenant's table, foreign keys are composite
// (tenant_id, id), no data moves here (they are jobs), no syntax of one database.
package migrations

import "embed"

// FS holds the migration files.
//
//go:embed *.sql
var FS embed.FS
