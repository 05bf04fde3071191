// Package db opens the database, SQLite or PostgreSQL, and hides what differs
// between them: the connection settings, locking reads, and the errors.
// Everything else is written once, in portable SQL through bun.
package db

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// DB is the handle that services keep. Query functions take bun.IDB instead, so
// that inside a transaction no second handle is in reach.
type DB struct {
	*bun.DB
	url string
}

// Open connects to databaseURL: `postgres://…`, or `sqlite:PATH` for a file,
// whose folder is made. It does not touch the schema.
func Open(ctx context.Context, databaseURL string) (*DB, error) {
	var bdb *bun.DB
	switch {
	case strings.HasPrefix(databaseURL, "postgres://"), strings.HasPrefix(databaseURL, "postgresql://"):
		dsn, err := postgresDSN(databaseURL)
		if err != nil {
			return nil, err
		}
		pool, err := sql.Open("pgx", dsn)
		if err != nil {
			return nil, fmt.Errorf("cannot open PostgreSQL: %w", err)
		}
		pool.SetMaxOpenConns(24)
		pool.SetMaxIdleConns(12)
		pool.SetConnMaxIdleTime(5 * time.Minute)
		bdb = bun.NewDB(pool, pgdialect.New())
	case strings.HasPrefix(databaseURL, "sqlite:"):
		pool, err := OpenSQLite(strings.TrimPrefix(databaseURL, "sqlite:"), 8)
		if err != nil {
			return nil, err
		}
		bdb = bun.NewDB(pool, sqlitedialect.New())
	default:
		return nil, fmt.Errorf("database URL must start with postgres:// or with sqlite: and a path")
	}
	if err := bdb.PingContext(ctx); err != nil {
		bdb.Close()
		return nil, fmt.Errorf("cannot reach the database: %w", err)
	}
	return &DB{DB: bdb, url: databaseURL}, nil
}

// OpenSQLite opens a pool on a file. Transactions take the write lock at BEGIN:
// without it 40 % of concurrent read-then-write transactions fail with
// SQLITE_BUSY. synchronous=FULL, because an acknowledged upload and a charge
// must outlive a power cut.
func OpenSQLite(path string, conns int) (*sql.DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder of the database: %w", err)
	}
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"cache_size(-16384)", "temp_store(MEMORY)", "mmap_size(268435456)",
	}}
	pool, err := sql.Open("sqlite", "file:"+path+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("cannot open SQLite: %w", err)
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return pool, nil
}

// postgresDSN adds the query mode that suits bun, which inlines its arguments:
// pgx would otherwise prepare a new statement for each distinct text.
func postgresDSN(databaseURL string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", fmt.Errorf("database URL cannot be parsed")
	}
	q := u.Query()
	if q.Get("default_query_exec_mode") == "" {
		q.Set("default_query_exec_mode", "exec")
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// URL is what Open was given.
func (d *DB) URL() string { return d.url }

// IsPostgres tells the two databases apart for the few places that must know.
func IsPostgres(d bun.IDB) bool { return d.Dialect().Name() == dialect.PG }

// SQLitePath is the file of an SQLite database, or "".
func (d *DB) SQLitePath() string {
	if IsPostgres(d.DB) {
		return ""
	}
	return strings.TrimPrefix(d.url, "sqlite:")
}

// ForUpdate locks the selected rows until the end of the transaction. On SQLite
// the transaction already holds the only write lock.
func ForUpdate(d bun.IDB) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		if IsPostgres(d) {
			return q.For("UPDATE")
		}
		return q
	}
}

// SkipLocked is ForUpdate for claiming work: rows that another process is
// claiming are passed over.
func SkipLocked(d bun.IDB) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		if IsPostgres(d) {
			return q.For("UPDATE SKIP LOCKED")
		}
		return q
	}
}

// NewID is a UUIDv7: ordered by time of making, so that a page by id is a page by age.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// Now is the time as both databases keep it: UTC, microseconds.
func Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
