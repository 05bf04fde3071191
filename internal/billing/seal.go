package billing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// Seal closes a day of a tenant's ledger. Its marks are one digest for each
// entry, and its hash is over the marks and the hash of the seal before, so that
// the seals of a tenant are a chain: an entry that is changed, added or removed
// later does not fit the marks, and marks that are changed do not fit the chain.
type Seal struct {
	bun.BaseModel `bun:"table:ledger_seals,alias:seal"`
	TenantID      string `bun:",pk"`
	Day           string `bun:",pk"` // a day with entries
	Entries       int64
	Points        int64
	Marks         []byte
	Previous      string // hash of the seal before, "" for the first
	Hash          string // SHA-256, in hexadecimal
	SealedAt      time.Time
}

// head is the end of a tenant's chain. No entry may be added on or before the
// day, whether it had entries or not.
type head struct {
	bun.BaseModel `bun:"table:ledger_heads,alias:head"`
	TenantID      string `bun:",pk"`
	SealedThrough string
	Hash          string
}

// ErrSealed says that the day of an entry has been sealed. Our clock decides the
// day: what is tried again gets the present one.
var ErrSealed = errors.New("billing: the day is sealed")

// ledgerLock is the class of the PostgreSQL advisory locks on one tenant's
// ledger: who adds an entry shares it, who seals or counts takes it alone.
const ledgerLock = 0x4C656467 // "Ledg"

// openDay tells that entries of the moment may be added, until the end of the
// transaction.
func openDay(ctx context.Context, tx bun.Tx, sc tenants.Scope, at time.Time) error {
	if err := lock(ctx, tx, sc, "pg_advisory_xact_lock_shared"); err != nil {
		return err
	}
	h, err := headOf(ctx, tx, sc)
	if err != nil {
		return err
	}
	if day := dayOf(at); day <= h.SealedThrough {
		return fmt.Errorf("cannot add to %s: %w", day, ErrSealed)
	}
	return nil
}

// lockLedger keeps entries from being added until the transaction ends.
func lockLedger(ctx context.Context, tx bun.Tx, sc tenants.Scope) error {
	return lock(ctx, tx, sc, "pg_advisory_xact_lock")
}

// lockLedgers is lockLedger for many tenants. Everybody who takes several takes
// them in the order of their locks, so that nobody waits in a circle.
func lockLedgers(ctx context.Context, tx bun.Tx, tenantIDs []string) error {
	if !db.IsPostgres(tx) {
		return nil // the transaction holds the only write lock
	}
	ids := make([]bun.TupleValues, len(tenantIDs))
	for i, id := range tenantIDs {
		ids[i] = bun.Tuple([]string{id})
	}
	_, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(?, ledger.key) FROM
		(SELECT DISTINCT hashtext(tenant.id) AS key FROM (VALUES ?) AS tenant (id) ORDER BY key) AS ledger`, ledgerLock, bun.List(ids))
	if err != nil {
		return fmt.Errorf("cannot lock the ledgers: %w", err)
	}
	return nil
}

func lock(ctx context.Context, tx bun.Tx, sc tenants.Scope, function string) error {
	if !db.IsPostgres(tx) {
		return nil // the transaction holds the only write lock
	}
	if _, err := tx.ExecContext(ctx, "SELECT "+function+"(?, hashtext(?))", ledgerLock, sc.TenantID()); err != nil {
		return fmt.Errorf("cannot lock the ledger: %w", err)
	}
	return nil
}

func headOf(ctx context.Context, tx bun.IDB, sc tenants.Scope) (*head, error) {
	h := &head{TenantID: sc.TenantID()}
	err := tx.NewSelect().Model(h).ApplyQueryBuilder(sc.Where).Scan(ctx)
	if err != nil && !db.IsNoRows(err) {
		return nil, fmt.Errorf("cannot load the end of the ledger's chain: %w", err)
	}
	return h, nil
}

// sealThrough seals every day up to and with the last, in the caller's
// transaction, which holds lockLedger.
func sealThrough(ctx context.Context, tx bun.Tx, sc tenants.Scope, last string, now time.Time) error {
	h, err := headOf(ctx, tx, sc)
	if err != nil || h.SealedThrough >= last {
		return err
	}
	days, err := unsealedDays(ctx, tx, sc, h.SealedThrough, last)
	if err != nil {
		return err
	}
	for _, day := range days {
		s, err := sealOf(ctx, tx, sc, day, h.Hash)
		if err != nil {
			return err
		}
		s.SealedAt = now
		if _, err := tx.NewInsert().Model(s).Exec(ctx); err != nil {
			return fmt.Errorf("cannot seal %s: %w", day, err)
		}
		h.Hash = s.Hash
	}
	h.SealedThrough = last
	_, err = tx.NewInsert().Model(h).On("CONFLICT (tenant_id) DO UPDATE").
		Set("sealed_through = EXCLUDED.sealed_through, hash = EXCLUDED.hash").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot move the end of the ledger's chain: %w", err)
	}
	return nil
}

// unsealedDays lists the days after one and up to another that have entries.
func unsealedDays(ctx context.Context, tx bun.IDB, sc tenants.Scope, after, last string) ([]string, error) {
	var days []string
	for _, k := range entryKinds {
		var part []string
		err := tx.NewSelect().Table(k.table).ColumnExpr("DISTINCT day").
			Where("tenant_id = ? AND month >= ? AND month <= ? AND day > ? AND day <= ?",
				sc.TenantID(), monthOfDay(after), monthOfDay(last), after, last).Scan(ctx, &part)
		if err != nil {
			return nil, fmt.Errorf("cannot find the days to seal: %w", err)
		}
		days = append(days, part...)
	}
	slices.Sort(days)
	return slices.Compact(days), nil
}

func monthOfDay(day string) string { return day[:min(len(day), 7)] }

// entryKind is a table of the ledger with the columns that are sealed.
type entryKind struct{ name, table, columns string }

const (
	orderColumns = "id, at, month, attempt_id, order_id, order_number, type_id, type_name, city, batch_id, batch_name, "
	callColumns  = "id, at, month, reading_id, provider, document, outcome, cost_fen"
)

var entryKinds = []entryKind{
	{"charge", "charges", orderColumns + "points"},
	{"free", "free_entries", orderColumns + "outcome"},
	{"ocr", "ocr_calls", callColumns},
}

// sealedEntry is an entry of any kind, as it is sealed.
type sealedEntry struct {
	ID                                     string
	At                                     time.Time
	Month                                  Month
	AttemptID, OrderID, OrderNumber        string
	TypeID                                 int
	TypeName, City, BatchID, BatchName     string
	Points                                 int64
	ReadingID, Provider, Document, Outcome string
	CostFen                                int64
}

// mark is the digest of one entry. Eight bytes are enough to notice a change, and
// the whole list of them is hashed in full.
type mark struct{ kind, id, digest string }

// sealPage is how many entries are read at a time.
const sealPage = 5000

// eachMark visits the marks of a day in the order of their kinds and ids.
func eachMark(ctx context.Context, tx bun.IDB, sc tenants.Scope, day string, visit func(m mark, points int64)) error {
	for _, k := range entryKinds {
		for after, more := "", true; more; {
			var page []sealedEntry
			err := tx.NewSelect().Table(k.table).ColumnExpr(k.columns).
				Where("tenant_id = ? AND month = ? AND day = ? AND id > ?", sc.TenantID(), monthOfDay(day), day, after).
				Order("id").Limit(sealPage).Scan(ctx, &page)
			if err != nil {
				return fmt.Errorf("cannot read the entries of %s: %w", day, err)
			}
			for _, e := range page {
				after, e.At = e.ID, e.At.UTC()
				text, err := json.Marshal([]any{sc.TenantID(), k.name, day, e}) // JSON, so that no value can run into the next
				if err != nil {
					return err
				}
				sum := sha256.Sum256(text)
				visit(mark{k.name, e.ID, hex.EncodeToString(sum[:8])}, e.Points)
			}
			more = len(page) == sealPage
		}
	}
	return nil
}

// sealOf computes the seal of a day as its entries are now.
func sealOf(ctx context.Context, tx bun.IDB, sc tenants.Scope, day, previous string) (*Seal, error) {
	s := &Seal{TenantID: sc.TenantID(), Day: day, Previous: previous}
	var marks bytes.Buffer
	err := eachMark(ctx, tx, sc, day, func(m mark, points int64) {
		fmt.Fprintf(&marks, "%s %s %s\n", m.kind, m.id, m.digest)
		s.Entries++
		s.Points += points
	})
	s.Marks = marks.Bytes()
	s.Hash = s.chained()
	return s, err
}

// chained is the hash that the seal must have.
func (s *Seal) chained() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%s\n%d\n%d\n", s.TenantID, s.Day, s.Previous, s.Entries, s.Points)
	h.Write(s.Marks)
	return hex.EncodeToString(h.Sum(nil))
}

// marked reads the marks back.
func (s *Seal) marked() map[string]mark {
	out := map[string]mark{}
	for line := range strings.Lines(string(s.Marks)) {
		if f := strings.Fields(line); len(f) == 3 {
			out[f[0]+" "+f[1]] = mark{f[0], f[1], f[2]}
		}
	}
	return out
}

// SealDays seals the days that are over, for every tenant with entries on them.
func (s *Service) SealDays(ctx context.Context, now time.Time) error {
	ids, err := unsealedTenants(ctx, s.db, tenants.AllTenants("days end for everybody at once"), dayOf(now))
	if err != nil {
		return err
	}
	yesterday := dayOf(now.AddDate(0, 0, -1))
	for _, id := range ids {
		sc := tenants.ForTenant(id)
		err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			if err := lockLedger(ctx, tx, sc); err != nil {
				return err
			}
			return sealThrough(ctx, tx, sc, yesterday, now)
		})
		if err != nil {
			return fmt.Errorf("cannot seal the ledger of tenant %s: %w", id, err)
		}
	}
	return nil
}

// unsealedTenants lists the tenants with entries before today that are not sealed.
func unsealedTenants(ctx context.Context, tx bun.IDB, _ tenants.Sweep, today string) ([]string, error) {
	var conditions []string
	for _, k := range entryKinds {
		conditions = append(conditions, fmt.Sprintf(`EXISTS (SELECT 1 FROM %s AS entry WHERE entry.tenant_id = tenant.id
			AND entry.month >= substr(COALESCE(head.sealed_through, ''), 1, 7) AND entry.day > COALESCE(head.sealed_through, '') AND entry.day < ?0)`, k.table))
	}
	var ids []string
	err := tx.NewRaw("SELECT tenant.id FROM tenants AS tenant LEFT JOIN ledger_heads AS head ON head.tenant_id = tenant.id WHERE "+
		strings.Join(conditions, " OR "), today).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("cannot find the ledgers to seal: %w", err)
	}
	return ids, nil
}
