package demo_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/auth"
	"huizhi/internal/billing"
	"huizhi/internal/billing/fapiao"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/demo"
	"huizhi/internal/idnumber"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/providers/clipimg"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
)

// now is a Friday evening, so that two months and a half lie behind it.
var now = time.Date(2026, 11, 20, 10, 30, 0, 0, time.UTC)

type shop struct {
	demo.Deps
	t *testing.T
}

func newShop(t *testing.T, d *db.DB) *shop {
	blobs, err := blob.Open(context.Background(), "mem://")
	require.NoError(t, err)
	t.Cleanup(func() { blobs.Close() })
	return &shop{demo.Deps{DB: d, Blobs: blobs, Auth: auth.NewService(d)}, t}
}

func (s *shop) fill() {
	s.t.Helper()
	require.NoError(s.t, demo.Fill(context.Background(), s.Deps, now))
}

// all loads a whole table.
func all[T any](s *shop) []T {
	s.t.Helper()
	var rows []T
	require.NoError(s.t, s.DB.NewSelect().Model(&rows).Scan(context.Background()))
	return rows
}

func TestNoPageIsEmpty(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d)
		s.fill()

		counts := map[orders.Status]int{}
		for _, o := range all[orders.Order](s) {
			counts[o.Status]++
		}
		assert.InDelta(t, 400, counts[orders.StatusCompleted], 70)
		assert.Equal(t, 3, counts[orders.StatusReview])
		assert.Equal(t, 2, counts[orders.StatusReady])
		assert.Equal(t, 4, counts[orders.StatusFailed])
		assert.Equal(t, 2, counts[orders.StatusRejected])
		assert.Len(t, counts, 5, "and no other")

		months := map[billing.Month]int{}
		days := map[string]int{}
		for _, c := range all[billing.Charge](s) {
			months[c.Month]++
			days[c.Day]++
		}
		assert.ElementsMatch(t, []billing.Month{"2026-09", "2026-10", "2026-11"}, slices.Collect(maps.Keys(months)))
		for month, n := range months {
			assert.Greater(t, n, 50, month)
		}
		assert.Greater(t, len(days), 50, "nearly every working day has receipts")
	})
}

func TestThereIsAWalletAndAFapiaoInEachState(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d)
		s.fill()
		states := map[fapiao.State]int{}
		for _, f := range all[fapiao.Fapiao](s) {
			states[f.State]++
		}
		assert.Equal(t, map[fapiao.State]int{fapiao.Requested: 1, fapiao.Issued: 3, fapiao.Reversed: 1, fapiao.Rejected: 1, fapiao.Withdrawn: 1}, states, "one of those issued is a red letter")
		wallets := all[billing.Wallet](s)
		require.Len(t, wallets, 1)
		assert.Positive(t, wallets[0].BalanceFen)
		assert.True(t, wallets[0].Low(), "its balance is low, and warned of")
		kinds := map[billing.WalletEntryKind]int{}
		for _, e := range all[billing.WalletEntry](s) {
			kinds[e.Kind]++
		}
		assert.Equal(t, 2, kinds[billing.WalletTopUp])
		assert.Greater(t, kinds[billing.WalletCapture], 20)
	})
}

func TestTheLedgerAgreesWithTheAttempts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d)
		s.fill()

		charges := map[string]billing.Charge{}
		for _, c := range all[billing.Charge](s) {
			charges[c.AttemptID] = c
		}
		receipts := map[string]orders.Receipt{}
		for _, r := range all[orders.Receipt](s) {
			receipts[r.AttemptID] = r
		}
		completed := 0
		for _, a := range all[orders.Attempt](s) {
			assert.False(t, a.Live, "the engine would act on it")
			assert.True(t, a.FinishedAt.Before(now))
			if a.Status != orders.AttemptCompleted {
				assert.NotContains(t, charges, a.ID)
				continue
			}
			completed++
			require.Contains(t, charges, a.ID)
			assert.Equal(t, *a.FinishedAt, charges[a.ID].At)
			require.Contains(t, receipts, a.ID)
		}
		assert.Len(t, charges, completed)
		assert.Len(t, receipts, completed)
	})
}

func TestTheFirstMonthIsInvoiced(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d)
		s.fill()
		states := map[billing.State]int{}
		for _, inv := range all[billing.Invoice](s) {
			assert.Equal(t, billing.Month("2026-09"), inv.Month, "the next is for the visitor")
			states[inv.State]++
		}
		assert.Equal(t, map[billing.State]int{billing.StatePaid: 2, billing.StateSent: 1}, states)

		ctx, service := context.Background(), billing.NewService(d)
		for _, tenant := range all[tenants.Tenant](s) {
			findings, err := service.Verify(ctx, tenants.ForTenant(tenant.ID))
			require.NoError(t, err)
			assert.Empty(t, findings, "the seals hold")
		}
	})
}

func TestFillingTwiceIsFillingOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d)
		s.fill()
		first, charges := all[orders.Order](s), len(all[billing.Charge](s))
		s.fill()
		assert.Equal(t, first, all[orders.Order](s))
		assert.Len(t, all[billing.Charge](s), charges)
		assert.Len(t, all[auth.User](s), 7)
	})
}

func TestADatabaseOfOtherPeopleIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.SQLite(t))
	_, err := s.Auth.SignUp(context.Background(), auth.SignUp{TenantName: "实验小学", Kind: tenants.KindSchool, Name: "王老师",
		Email: "wang@school.example", Password: "a long password"}, now)
	require.NoError(t, err)
	s.fill()
	assert.Len(t, all[tenants.Tenant](s), 1)
	assert.Empty(t, all[orders.Batch](s))
}

func TestFillingGoesOnWhereItWasStopped(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.SQLite(t))
	_, err := s.Auth.SignUp(context.Background(), auth.SignUp{TenantName: "晨光照相馆", Kind: tenants.KindStore, Name: "林晨光",
		Email: demo.Email, Password: demo.Password}, now)
	require.NoError(t, err, "killed after its first step")
	s.fill()
	assert.Len(t, all[tenants.Tenant](s), 3)
	assert.Greater(t, len(all[orders.Order](s)), 200)
}

func TestEveryFileIsThere(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.SQLite(t))
	s.fill()
	ctx := context.Background()
	get := func(key string) []byte {
		data, err := s.Blobs.Get(ctx, key)
		require.NoError(t, err, key)
		return data
	}
	checked := map[string]bool{}
	for _, p := range all[photos.Picture](s) {
		for _, key := range []string{p.OriginalKey, p.PreviewKey, p.ThumbKey} {
			if !checked[key] {
				assert.Equal(t, imaging.JPEG, imaging.Sniff(get(key)))
				checked[key] = true
			}
		}
		if p.Kind == photos.KindPortrait {
			assert.NotEmpty(t, p.WorkingKey)
		}
	}
	for _, r := range all[orders.Receipt](s) {
		assert.Equal(t, "%PDF-", string(get(r.ResultKey)[:5]))
		assert.EqualValues(t, len(get(r.PhotoKey)), r.PhotoSize)
	}
	readings := all[photos.Reading](s)
	assert.Len(t, readings, 5)
	for _, r := range readings {
		assert.NotEmpty(t, get(r.Crops["name"]))
		assert.NotEmpty(t, get(r.Crops["id_number"]))
	}
}

func TestOrdersAreWhatTheyWouldBe(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.SQLite(t))
	s.fill()
	numbers := map[string]bool{}
	var exceptions []string
	for _, o := range all[orders.Order](s) {
		number := o.TenantID + " " + o.Number
		assert.False(t, numbers[number], number)
		numbers[number] = true
		if o.Status == orders.StatusReview {
			exceptions = append(exceptions, o.ExceptionKeys...)
			continue
		}
		_, err := idnumber.Parse(o.IDNumber)
		assert.NoError(t, err)
		assert.Zero(t, o.Exceptions)
	}
	assert.Contains(t, exceptions, "id_number.checksum_failed")
	assert.Contains(t, exceptions, "name.gap")
	assert.Contains(t, exceptions, orders.ExceptionSequence)
}

func TestEverythingSoldIsInTheCatalogue(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	sim, err := simulator.Start(ctx, simulator.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { sim.Close() })
	client, err := clipimg.New(clipimg.Config{BaseURL: sim.URL(), APIKey: simulator.DefaultAPIKey})
	require.NoError(t, err)
	types, err := client.Types(ctx)
	require.NoError(t, err)

	s := newShop(t, dbtest.SQLite(t))
	s.fill()
	for _, b := range all[orders.Batch](s) {
		sold := types[b.TypeID-1]
		assert.Equal(t, sold.Name, b.TypeName)
		assert.True(t, sold.Offers(b.City), b.City)
		assert.Equal(t, sold.RequiredFields, b.RequiredFields)
	}
}

// A reconciliation of the demonstration finds the same on both sides.
func TestTheSimulatorKnowsTheFinishedApplications(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.SQLite(t))
	sim, err := simulator.Start(context.Background(), simulator.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { sim.Close() })
	s.Simulator = sim
	s.fill()
	known := map[string]simulator.Application{}
	for _, a := range sim.Applications() {
		known[a.No] = a
	}
	sent := 0
	for _, a := range all[orders.Attempt](s) {
		if a.ApplicationNo == nil {
			continue
		}
		sent++
		assert.Equal(t, string(a.ProviderStatus), known[*a.ApplicationNo].Status)
		assert.Equal(t, a.Status == orders.AttemptCompleted, known[*a.ApplicationNo].Charged)
	}
	assert.Len(t, known, sent)
}
