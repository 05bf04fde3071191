package billing_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

// variedTerms are prices of every shape: plain, with an allowance, with tiers of
// both kinds, with a minimum, with taxes of both kinds.
func variedTerms(rnd *rand.Rand) billing.Terms {
	t := billing.Terms{Tiers: []billing.Tier{{FenPer1000Points: 1 + rnd.Int64N(3000)}}, TaxBP: 600, TaxIncluded: rnd.IntN(2) == 0}
	for after := int64(1); len(t.Tiers) < 1+rnd.IntN(4); {
		after += rnd.Int64N(6)
		if last := t.Tiers[len(t.Tiers)-1].After; after > last {
			t.Tiers = append(t.Tiers, billing.Tier{After: after, FenPer1000Points: 1 + rnd.Int64N(3000)})
		}
	}
	t.Graduated = rnd.IntN(2) == 0
	if rnd.IntN(3) == 0 {
		t.Free = rnd.Int64N(8)
	}
	if rnd.IntN(3) == 0 {
		t.MinimumFen = rnd.Int64N(20_000)
	}
	return t
}

// Drafts of many tenants are made with the same statements, and none sees
// anything of another: each is what it is when it is made alone.
func TestDraftsMadeTogetherAreThoseMadeAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		rnd := rand.New(rand.NewPCG(4, 45))
		var ledgers []*ledger
		for range 12 {
			l := newLedger(t, d, 1000)
			for _, from := range []string{"2026-09-01", fmt.Sprintf("2026-10-%02d", 2+rnd.IntN(28))} {
				if rnd.IntN(3) > 0 {
					l.price(billing.NewPrice{FromDay: from, Terms: variedTerms(rnd), EndOpen: true})
				}
			}
			for range rnd.IntN(40) {
				kind := rnd.IntN(3)
				l.charge(billing.NewCharge{TypeID: kind + 1, TypeName: fmt.Sprint("类型", kind), Points: 1 + rnd.Int64N(1000),
					At: shanghai(2026, 9, 1, 0, 0).Add(time.Duration(rnd.Int64N(int64(61 * 24 * time.Hour))))})
			}
			ledgers = append(ledgers, l)
		}
		now := shanghai(2026, 11, 1, 0, 10).UTC()
		require.NoError(t, ledgers[0].svc.EnsureDrafts(ctx, now))
		drafts := 0
		for _, l := range ledgers {
			list, err := l.svc.Invoices(ctx, l.sc)
			require.NoError(t, err)
			for _, inv := range list {
				drafts++
				l.checkInvoice(inv.ID)
				alone, err := l.svc.Draft(ctx, l.sc, inv.Month, now.Add(time.Hour))
				require.NoError(t, err)
				assert.Equal(t, inv.UpdatedAt.UTC(), alone.UpdatedAt.UTC(), "there is nothing to change in %s", inv.Month)
			}
		}
		assert.Greater(t, drafts, 12)

		// What came late changes those it concerns, also when they are made together.
		before := map[string]billing.Invoice{}
		for i, l := range ledgers {
			if i%2 == 0 {
				l.charge(billing.NewCharge{TypeID: 9, TypeName: "迟到", At: shanghai(2026, 10, 31, 23, 59)})
			}
			list, err := l.svc.Invoices(ctx, l.sc)
			require.NoError(t, err)
			for _, inv := range list {
				before[inv.ID] = inv
			}
		}
		require.NoError(t, ledgers[0].svc.Run(ctx, billing.RunRequest{Month: "2026-10", Tenants: everyTenant(t, ledgers[0].svc)}, now.Add(time.Hour),
			func(*billing.Detail) error { return nil }))
		for i, l := range ledgers {
			list, err := l.svc.Invoices(ctx, l.sc)
			require.NoError(t, err)
			for _, inv := range list {
				old, was := before[inv.ID]
				if late := i%2 == 0 && inv.Month == "2026-10"; late && was {
					require.NotNil(t, inv.Previous)
					assert.Equal(t, old.TotalFen, inv.Previous.TotalFen)
					assert.Equal(t, old.Receipts+1, inv.Receipts)
				} else if was {
					assert.Equal(t, inUTC(old), inUTC(inv))
				}
				l.checkInvoice(inv.ID)
			}
		}
	})
}

// A tenant whose prices cannot be read is named, and the others of the same
// statements have their drafts and their numbers.
func TestOneBadTenantKeepsNobodyElseFromTheDraft(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		var ledgers []*ledger
		for range 3 {
			l := newLedger(t, d, 1000)
			l.charge(billing.NewCharge{At: shanghai(2026, 10, 9, 9, 0)})
			ledgers = append(ledgers, l)
		}
		bad := ledgers[1]
		_, err := d.NewUpdate().Table("tenant_prices").Set("terms = '{'").Where("tenant_id = ?", bad.tenant).Exec(ctx)
		require.NoError(t, err)
		now := shanghai(2026, 11, 1, 0, 10).UTC()
		invoices := func() (out []string) {
			for _, l := range ledgers {
				list, err := l.svc.Invoices(ctx, l.sc)
				require.NoError(t, err)
				for _, inv := range list {
					out = append(out, inv.TenantID+" "+string(inv.State))
				}
			}
			return out
		}

		err = bad.svc.EnsureDrafts(ctx, now)
		require.ErrorContains(t, err, bad.tenant)
		assert.Equal(t, []string{ledgers[0].tenant + " draft", ledgers[2].tenant + " draft"}, invoices())

		var visited []string
		err = bad.svc.Run(ctx, billing.RunRequest{Month: "2026-10", Tenants: everyTenant(t, bad.svc), Finalize: true, Actor: "test"}, now,
			func(inv *billing.Detail) error { visited = append(visited, inv.TenantID); return nil })
		require.ErrorContains(t, err, bad.tenant)
		assert.NotContains(t, err.Error(), ledgers[0].tenant)
		assert.Equal(t, []string{ledgers[0].tenant, ledgers[2].tenant}, visited)
		assert.Equal(t, []string{ledgers[0].tenant + " finalized", ledgers[2].tenant + " finalized"}, invoices())
	})
}
