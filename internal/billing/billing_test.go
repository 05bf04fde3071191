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
		"fen_per_1000_points": fenPer1000Points, "created_at": now})
	l.insert("batches", map[string]any{"tenant_id": l.tenant, "id": l.batch, "name": "三(2)班", "type_id": 1, "type_name": "居住证",
		"city": "广东省,深圳市", "simulate": false, "pending_pictures": 0, "next_seq": 2, "created_by": "test", "created_at": now})
	l.insert("pictures", map[string]any{"tenant_id": l.tenant, "id": photo, "batch_id": l.batch, "seq": 1, "name": "a.jpg", "pair_key": "a",
		"sha256": "x", "size": 1, "original_key": "x", "state": "ready", "kind": "portrait", "problem_key": "", "format": "jpeg",
		"width": 1, "height": 1, "working_key": "", "preview_key": "", "thumb_key": "", "created_at": now})
	l.insert("orders", map[string]any{"tenant_id": l.tenant, "id": l.order, "batch_id": l.batch, "number": "HZ-2611-000001",
		"status": "completed", "seq": 1, "type_id": 1, "type_name": "居住证", "city": "广东省,深圳市", "simulate": false,
		"photo_id": photo, "paired_by": "name", "name": "", "id_number": "", "fields": "{}", "exceptions": 0, "version": 1,
		"message": "", "image_code": "", "created_at": now, "updated_at": now})
	return l
}

func (l *ledger) insert(table string, row map[string]any) { l.t.Helper(); l.insertIn(l.d, table, row) }

func (l *ledger) insertIn(tx bun.IDB, table string, row map[string]any) {
	l.t.Helper()
	_, err := tx.NewInsert().Model(&row).ModelTableExpr(table).Exec(context.Background())
	require.NoError(l.t, err)
}

// attempt makes an attempt that can be charged.
func (l *ledger) attempt() string { l.t.Helper(); return l.attemptIn(l.d) }

func (l *ledger) attemptIn(tx bun.IDB) string {
	l.t.Helper()
	l.ordinal++
	id, now := db.NewID(), db.Now()
	l.insertIn(tx, "attempts", map[string]any{"tenant_id": l.tenant, "id": id, "order_id": l.order, "ordinal": l.ordinal,
		"status": "completed", "live": false, "simulate": false, "reference": id, "photo_token": id, "callback_token": id,
		"type_id": 1, "custom_fields": "{}", "photo_key": "", "photo_fetches": 0, "provider_status": "", "message": "",
		"error_key": "", "submitted_by": "test", "created_at": now, "not_before": now, "polls": 0, "clean_scans": 0, "scans": 0})
	return id
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

// shanghai is a moment on the clock that bills go by.
func shanghai(year int, month time.Month, day, hour, minute int) time.Time {
	return time.Date(year, month, day, hour, minute, 0, 0, time.FixedZone("CST", 8*3600))
}
