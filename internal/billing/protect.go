package billing

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
)

// protectLock is the key of the PostgreSQL advisory lock under which one node at
// a time makes the triggers: two would fail with "tuple concurrently updated".
const protectLock = 0x4C656467 // "Ledg"

// guard is a trigger that refuses changes of a table.
type guard struct {
	table   string
	name    string
	on      string // "UPDATE", "DELETE" or "INSERT"
	when    string // condition on OLD and NEW, "" for always
	message string
}

// frozen are the columns of an invoice that is final which never change again.
var frozen = []string{"id", "month", "number", "receipts", "points", "net_fen", "tax_fen", "total_fen", "taxes", "finalized_at", "due_day", "created_at", "updated_at"}

// guards lists what the database refuses, whoever asks.
func guards() []guard {
	var out []guard
	for _, table := range []string{"charges", "free_entries", "ocr_calls", "ledger_seals", "payments", "credit_notes", "wallet_entries", "price_changes", "reconcile_events", "month_closings"} {
		for _, on := range []string{"UPDATE", "DELETE"} {
			out = append(out, guard{table, table + "_no_" + strings.ToLower(on), on, "", table + " is append-only"})
		}
	}
	var changed []string
	for _, column := range frozen {
		changed = append(changed, fmt.Sprintf("OLD.%s IS DISTINCT FROM NEW.%s", column, column))
	}
	const final = "%s.number IS NOT NULL"
	const lineOfFinal = "EXISTS (SELECT 1 FROM invoices WHERE tenant_id = %s.tenant_id AND id = %s.invoice_id AND number IS NOT NULL)"
	const message = "a final invoice does not change"
	return append(out,
		guard{"invoices", "invoices_frozen", "UPDATE", fmt.Sprintf(final, "OLD") + " AND (" + strings.Join(changed, " OR ") + ")", message},
		guard{"invoices", "invoices_no_delete", "DELETE", fmt.Sprintf(final, "OLD"), message},
		guard{"invoice_lines", "invoice_lines_no_update", "UPDATE", "", message},
		guard{"invoice_lines", "invoice_lines_no_delete", "DELETE", fmt.Sprintf(lineOfFinal, "OLD", "OLD"), message},
		guard{"invoice_lines", "invoice_lines_no_insert", "INSERT", fmt.Sprintf(lineOfFinal, "NEW", "NEW"), message},
	)
}

// The two databases have no syntax for triggers in common, so these statements
// are not among the migrations.

func (g guard) sqlite() []string {
	when := ""
	if g.when != "" {
		when = " WHEN " + g.when
	}
	return []string{fmt.Sprintf("CREATE TRIGGER IF NOT EXISTS %s BEFORE %s ON %s%s BEGIN SELECT RAISE(ABORT, '%s'); END", g.name, g.on, g.table, when, g.message)}
}

func (g guard) postgres() []string {
	condition := g.when
	if condition == "" {
		condition = "true"
	}
	result := "NEW"
	if g.on == "DELETE" {
		result = "OLD"
	}
	out := []string{
		fmt.Sprintf("CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF %s THEN RAISE EXCEPTION '%s'; END IF; RETURN %s; END $$",
			g.name, condition, g.message, result),
		fmt.Sprintf("CREATE OR REPLACE TRIGGER %s BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION %s()", g.name, g.on, g.table, g.name),
	}
	if g.on == "DELETE" {
		out = append(out,
			fmt.Sprintf("CREATE OR REPLACE FUNCTION %s_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%s'; END $$", g.name, g.message),
			fmt.Sprintf("CREATE OR REPLACE TRIGGER %s_all BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION %s_all()", g.name, g.table, g.name))
	}
	return out
}

// Protect makes the database itself refuse to change or delete what is in the
// ledger and what a final invoice says. It runs at every start, after the
// migrations, and does nothing when the protection stands.
func Protect(ctx context.Context, d *db.DB) error {
	err := d.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if !db.IsPostgres(tx) {
			for _, g := range guards() {
				if err := execAll(ctx, tx, g.sqlite()); err != nil {
					return err
				}
			}
			return nil
		}
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(?)", protectLock); err != nil {
			return err
		}
		for _, g := range guards() {
			// Making the trigger anew would wait for every open transaction on the table.
			stands, err := tx.NewSelect().Table("pg_trigger").Where("tgname = ?", g.name).
				Where("tgrelid = ?::regclass", g.table).Exists(ctx)
			if err == nil && !stands {
				err = execAll(ctx, tx, g.postgres())
			}
			if err != nil {
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

func execAll(ctx context.Context, tx bun.Tx, statements []string) error {
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
