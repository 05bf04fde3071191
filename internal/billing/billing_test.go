package billing_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// ledger is a tenant whose attempts can be charged. The rows the ledger refers
// to are written as bare SQL: billing does not know the packages that own them.
type ledger struct {
	t       testing.TB
	d       *db.DB
	svc     *billing.Service
	sc      tenants.Scope
	tenant  string
	batch   string
	order   string
	ordinal int
}

func newLedger(t testing.TB, d *db.DB, fenPer1000Points int64) *ledger {
	t.Helper()
	l := &ledger{t: t, d: d, svc: billing.NewService(d), tenant: db.NewID(), batch: db.NewID(), order: db.NewID()}
	l.sc = tenants.ForTenant(l.tenant)
	now, photo := db.Now(), db.NewID()
	l.insert("tenants", map[string]any{"id": l.tenant, "name": "晨光照相馆", "kind": "store",
		"created_at": shanghai(2025, 1, 1, 0, 0).UTC()})
	l.insert("batches", map[string]any{"tenant_id": l.tenant, "id": l.batch, "name": "三(2)班", "type_id": 1, "type_name": "居住证",
		"city": "广东省,深圳市", "simulate": false, "pending_pictures": 0, "next_seq": 2, "created_by": "test", "created_at": now})
	l.insert("pictures", map[string]any{"tenant_id": l.tenant, "id": photo, "batch_id": l.batch, "seq": 1, "name": "a.jpg", "pair_key": "a",
		"sha256": "x", "size": 1, "original_key": "x", "state": "ready", "kind": "portrait", "problem_key": "", "format": "jpeg",
		"width": 1, "height": 1, "working_key": "", "preview_key": "", "thumb_key": "", "created_at": now})
	l.insert("orders", map[string]any{"tenant_id": l.tenant, "id": l.order, "batch_id": l.batch, "number": "HZ-2611-000001",
		"status": "completed", "seq": 1, "type_id": 1, "type_name": "居住证", "city": "广东省,深圳市", "simulate": false,
		"photo_id": photo, "paired_by": "name", "name": "", "id_number": "", "fields": "{}", "exceptions": 0, "version": 1,
		"message": "", "image_code": "", "created_at": now, "updated_at": now})
	l.price(billing.NewPrice{Terms: perPoint(fenPer1000Points)})
	return l
}

// perPoint is the plainest of prices: by points, with 6 % tax in it.
func perPoint(fenPer1000Points int64) billing.Terms {
	return billing.Terms{Tiers: []billing.Tier{{FenPer1000Points: fenPer1000Points}}, TaxBP: 600, TaxIncluded: true}
}

// price puts an entry into the tenant's price book.
func (l *ledger) price(n billing.NewPrice) *billing.TenantPrice {
	l.t.Helper()
	p, err := l.svc.AddPrice(context.Background(), l.sc, n, "test", db.Now())
	require.NoError(l.t, err)
	return p
}

func (l *ledger) insert(table string, row map[string]any) {
	l.t.Helper()
	_, err := l.d.NewInsert().Model(&row).ModelTableExpr(table).Exec(context.Background())
	require.NoError(l.t, err)
}

// attempt makes an attempt that can be charged.
func (l *ledger) attempt() string { l.t.Helper(); return l.attemptIn(l.d) }

func (l *ledger) attemptIn(tx bun.IDB) string {
	l.t.Helper()
	row := l.newAttempt(db.Now())
	_, err := tx.NewInsert().Model(&row).Exec(context.Background())
	require.NoError(l.t, err)
	return row.ID
}

// attempt has the columns of an attempt that have no value of their own.
type attempt struct {
	bun.BaseModel                                                    `bun:"table:attempts"`
	TenantID, ID, OrderID, Reference, PhotoToken, CallbackToken      string
	Status, PhotoKey, ProviderStatus, Message, ErrorKey, SubmittedBy string
	CustomFields                                                     map[string]string
	Ordinal, TypeID, PhotoFetches, Polls, CleanScans, Scans          int
	Live, Simulate                                                   bool
	CreatedAt, NotBefore                                             time.Time
}

func (l *ledger) newAttempt(now time.Time) attempt {
	l.ordinal++
	id := db.NewID()
	return attempt{TenantID: l.tenant, ID: id, OrderID: l.order, Reference: id, PhotoToken: id, CallbackToken: id,
		Status: "completed", CustomFields: map[string]string{}, Ordinal: l.ordinal, TypeID: 1, CreatedAt: now, NotBefore: now}
}

// charge fills in what a test does not care about, and records the charge.
func (l *ledger) charge(c billing.NewCharge) billing.NewCharge {
	l.t.Helper()
	if c.AttemptID == "" {
		c.AttemptID = l.attempt()
	}
	if c.Points == 0 {
		c.Points = 500
	}
	if c.TypeID == 0 {
		c.TypeID, c.TypeName = 1, "居住证"
	}
	if c.City == "" {
		c.City = "广东省,深圳市"
	}
	if c.OrderNumber == "" {
		c.OrderNumber = fmt.Sprintf("HZ-2611-%06d", l.ordinal)
	}
	c.OrderID, c.BatchID, c.BatchName = l.order, l.batch, "三(2)班"
	err := l.d.RunInTx(context.Background(), nil, func(ctx context.Context, tx bun.Tx) error {
		created, err := billing.Record(ctx, tx, l.sc, c)
		require.True(l.t, created || err != nil)
		return err
	})
	require.NoError(l.t, err)
	return c
}

// chargeMany writes n charges of as many types as asked for, one every step from
// first on, in bulk. The ledger is the same as if each had been recorded.
func (l *ledger) chargeMany(n, types int, first time.Time, step time.Duration) {
	l.t.Helper()
	ctx := context.Background()
	at := db.Now()
	for done := 0; done < n; {
		size := min(1000, n-done)
		attempts, charges := make([]attempt, size), make([]billing.Charge, size)
		for i := range size {
			attempts[i] = l.newAttempt(at)
			k := (done+i)%types + 1
			when := first.Add(time.Duration(done+i) * step)
			charges[i] = billing.Charge{TenantID: l.tenant, ID: db.NewID(), AttemptID: attempts[i].ID, OrderID: l.order,
				OrderNumber: fmt.Sprintf("HZ-2611-%06d", l.ordinal), TypeID: k, TypeName: fmt.Sprintf("类型%d", k),
				City: "广东省,深圳市", BatchID: l.batch, BatchName: "三(2)班", Points: 500, At: when.UTC(),
				Month: billing.MonthOf(when), Day: when.Format(time.DateOnly)}
		}
		err := l.d.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			if _, err := tx.NewInsert().Model(&attempts).Exec(ctx); err != nil {
				return err
			}
			_, err := tx.NewInsert().Model(&charges).Exec(ctx)
			return err
		})
		require.NoError(l.t, err)
		done += size
	}
}

// shanghai is a moment on the clock that bills go by.
func shanghai(year int, month time.Month, day, hour, minute int) time.Time {
	return time.Date(year, month, day, hour, minute, 0, 0, time.FixedZone("CST", 8*3600))
}

// everyTenant is what a run over all tenants goes through.
func everyTenant(t testing.TB, svc *billing.Service) []tenants.Scope {
	t.Helper()
	all, err := svc.EveryTenant(context.Background(), tenants.AllTenants("a test runs the month for all"))
	require.NoError(t, err)
	return all
}

// everySweep lets a test look over all tenants.
var everySweep = tenants.AllTenants("a test looks over all tenants")

// inUTC is the invoice as every database gives it back.
func inUTC(inv billing.Invoice) billing.Invoice {
	inv.CreatedAt, inv.UpdatedAt = inv.CreatedAt.UTC(), inv.UpdatedAt.UTC()
	return inv
}
