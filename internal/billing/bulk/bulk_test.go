package bulk_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/billing/bulk"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/jobs"
	"huizhi/internal/tenants"
)

var sweep = tenants.AllTenants("a test of bulk runs")

type fixture struct {
	t       *testing.T
	d       *db.DB
	bulk    *bulk.Service
	billing *billing.Service
}

func newFixture(t *testing.T, d *db.DB) *fixture {
	t.Helper()
	q, err := jobs.Open(context.Background(), d, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	b := billing.NewService(d)
	return &fixture{t, d, bulk.New(bulk.Config{DB: d, Jobs: q, Billing: b}), b}
}

// tenant is one that owes a minimum of ¥100 each month, so that it needs no
// charges to be invoiced.
func (f *fixture) tenant(name string) tenants.Scope {
	f.t.Helper()
	row := map[string]any{"id": db.NewID(), "name": name, "kind": "store", "created_at": time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}
	_, err := f.d.NewInsert().Model(&row).ModelTableExpr("tenants").Exec(context.Background())
	require.NoError(f.t, err)
	sc := tenants.ForTenant(row["id"].(string))
	_, err = f.billing.AddPrice(context.Background(), sc, billing.NewPrice{Terms: billing.Terms{Tiers: []billing.Tier{{FenPer1000Points: 1000}}, MinimumFen: 10_000}}, "test", db.Now())
	require.NoError(f.t, err)
	return sc
}

// run does the action and returns how it went.
func (f *fixture) run(action bulk.Action, month billing.Month, targets []bulk.Target) *bulk.Progress {
	f.t.Helper()
	ctx := context.Background()
	run, err := f.bulk.Start(ctx, sweep, action, month, targets, "finance", db.Now())
	require.NoError(f.t, err)
	p, err := f.bulk.Progress(ctx, sweep, run.ID)
	require.NoError(f.t, err)
	require.Equal(f.t, len(targets), p.Pending)
	for range 2 { // a run that is worked twice is the same as once
		require.NoError(f.t, f.bulk.Work(ctx, run.ID))
	}
	p, err = f.bulk.Progress(ctx, sweep, run.ID)
	require.NoError(f.t, err)
	require.NotNil(f.t, p.FinishedAt)
	require.Equal(f.t, len(targets), p.Done+p.Refused, "the balance adds up")
	return p
}

func TestAMonthOfManyTenantsIsClosedByBulkRuns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, f := context.Background(), newFixture(t, d)
		month := billing.MonthOf(db.Now()).Add(-1)
		var owing []bulk.Target
		for i := range 12 {
			owing = append(owing, bulk.Target{Scope: f.tenant(fmt.Sprintf("租户%d", i))})
		}
		assert.Equal(t, 12, f.run(bulk.Draft, month, owing).Done)

		page, err := f.billing.List(ctx, sweep, billing.ListQuery{Month: month}, 50)
		require.NoError(t, err)
		var all []bulk.Target
		for _, inv := range page.Rows {
			all = append(all, bulk.Target{Scope: tenants.ForTenant(inv.TenantID), InvoiceID: inv.ID, Seen: inv.UpdatedAt})
		}
		require.Len(t, all, 12)
		stale := append([]bulk.Target{}, all...)
		stale[3].Seen = stale[3].Seen.Add(-time.Hour)
		p := f.run(bulk.Review, "", stale)
		assert.Equal(t, 11, p.Done)
		require.Len(t, p.Refusals, 1)
		assert.Equal(t, "error.billing.changed_since", p.Refusals[0].Reason, "somebody counted it again since it was seen")
		assert.Equal(t, stale[3].Scope.TenantID(), p.Refusals[0].TenantID)
		assert.NotEmpty(t, p.Refusals[0].TenantName)

		assert.Equal(t, 12, f.run(bulk.Finalize, "", all).Done)
		p = f.run(bulk.Finalize, "", all[:2])
		assert.Equal(t, 2, p.Refused, "they are final already")
		assert.NotEmpty(t, p.Refusals[0].Number)
		assert.Equal(t, 12, f.run(bulk.Send, "", all).Done)
		assert.Equal(t, 12, f.run(bulk.Remind, "", all).Done)
		inv, err := f.billing.Head(ctx, all[0].Scope, all[0].InvoiceID)
		require.NoError(t, err)
		assert.EqualValues(t, 1, inv.Reminders, "the run was worked twice and reminded once")
	})
}

func TestARunOfNothingIsRefused(t *testing.T) {
	t.Parallel()
	ctx, f := context.Background(), newFixture(t, dbtest.SQLite(t))
	_, err := f.bulk.Start(ctx, sweep, bulk.Send, "", nil, "finance", db.Now())
	assert.Equal(t, apperr.Invalid, apperr.KindOf(err))
	_, err = f.bulk.Start(ctx, sweep, "void", "", []bulk.Target{{Scope: f.tenant("甲")}}, "finance", db.Now())
	assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "what cannot be taken back is not done in bulk")
	_, err = f.bulk.Progress(ctx, sweep, db.NewID())
	assert.Equal(t, apperr.NotFound, apperr.KindOf(err))
}
