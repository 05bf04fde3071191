package billing

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
)

// protectLock is the key of the PostgreSQL advisory lock under which one node at
// a time makes the trigger: two would fail with "tuple concurrently updated".
const protectLock = 0x4C656467 // "Ledg"

// The two databases have no syntax for triggers in common, so these statements
// are not among the migrations.
var (
	protectSQLite = []string{
		`CREATE TRIGGER IF NOT EXISTS charges_no_update BEFORE UPDATE ON charges
		 BEGIN SELECT RAISE(ABORT, 'charges is append-only'); END`,
		`CREATE TRIGGER IF NOT EXISTS charges_no_delete BEFORE DELETE ON charges
		 BEGIN SELECT RAISE(ABORT, 'charges is append-only'); END`,
	}
	protectPostgres = []string{
		`CREATE OR REPLACE FUNCTION charges_append_only() RETURNS trigger LANGUAGE plpgsql
		 AS $$ BEGIN RAISE EXCEPTION 'charges is append-only'; END $$`,
		`CREATE OR REPLACE TRIGGER charges_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON charges
		 FOR EACH STATEMENT EXECUTE FUNCTION charges_append_only()`,
	}
)

// Protect makes the database itself refuse to change or delete a charge,
// whoever asks. It runs at every start, after the migrations, and does nothing
// when the protection stands.
func Protect(ctx context.Context, d *db.DB) error {
	err := d.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		statements := protectSQLite
		if db.IsPostgres(tx) {
			if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(?)", protectLock); err != nil {
				return err
			}
			// Making the trigger anew would wait for every open transaction on the table.
			stands, err := tx.NewSelect().Table("pg_trigger").Where("tgname = 'charges_append_only'").
				Where("tgrelid = 'charges'::regclass").Exists(ctx)
			if err != nil || stands {
				return err
			}
			statements = protectPostgres
		}
		for _, s := range statements {
			if _, err := tx.ExecContext(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("cannot protect the ledger: %w", err)
	}
	return nil
}
