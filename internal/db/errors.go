package db

import (
	"database/sql"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// Codes of SQLite (extended result codes) and PostgreSQL (SQLSTATE).
const (
	sqliteUnique     = 2067
	sqlitePrimaryKey = 1555
	pgUnique         = "23505"
)

// IsNoRows tells that a single-row query found nothing.
func IsNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// IsUnique tells that the constraint was violated. PostgreSQL names the index;
// SQLite names the columns, so the caller gives the index name and its columns
// as "table.column".
func IsUnique(err error, index string, columns ...string) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code == pgUnique && pe.ConstraintName == index
	}
	var se *sqlite.Error
	if errors.As(err, &se) && (se.Code() == sqliteUnique || se.Code() == sqlitePrimaryKey) {
		for _, c := range columns {
			if !strings.Contains(se.Error(), c) {
				return false
			}
		}
		return true
	}
	return false
}
