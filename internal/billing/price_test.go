package billing_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

// TestEveryFenOfRandomPricesIsExplained prices random months by random terms
// that change in the middle of months, and compares the invoice with a plain
// count that goes through the receipts one by one.
func TestEveryFenOfRandomPricesIsExplained(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		types := []string{"居住证", "身份证", "社会保障卡"}
		for seed := range uint64(8) {
			rnd := rand.New(rand.NewPCG(seed, 4))
			l := newLedger(t, d, 1000)
			terms := map[string]billing.Terms{"2026-09-01": randomTerms(rnd), "2026-10-12": randomTerms(rnd)}
			for _, day := range []string{"2026-09-01", "2026-10-12"} {
				l.price(billing.NewPrice{FromDay: day, Terms: terms[day], EndOpen: true})
			}
			var october []billing.NewCharge
			for at := shanghai(2026, 10, 1, 0, 0); at.Before(billing.Month("2026-10").End()); at = at.Add(time.Duration(1+rnd.IntN(48)) * time.Hour) {
				kind := rnd.IntN(len(types))
				october = append(october, l.charge(billing.NewCharge{TypeID: kind + 1, TypeName: types[kind], Points: 1 + rnd.Int64N(900), At: at}))
			}
			l.charge(billing.NewCharge{At: billing.Month("2026-10").Start().Add(-time.Microsecond)})
			l.charge(billing.NewCharge{At: billing.Month("2026-10").End()})

			prices := pricesOneByOne(october, terms)
			var want int64
			for _, fen := range prices {
				want += fen
			}
			want = max(want, terms["2026-10-12"].MinimumFen)

			inv := l.finalize("2026-10")
			assert.Equal(t, want, inv.AmountFen(), "seed %d", seed)
			assert.Equal(t, inv.TotalFen, inv.NetFen+inv.TaxFen)
			l.checkInvoice(inv.ID)

			usage, err := l.svc.Usage(ctx, l.sc, "2026-10", billing.Month("2026-10").End())
			require.NoError(t, err)
			page, err := l.svc.Ledger(ctx, l.sc, "2026-10", billing.Filter{}, billing.Cursor{}, 1000)
			require.NoError(t, err)
			require.Len(t, page.Entries, len(october))
			var listed int64
			for _, e := range page.Entries {
				assert.Equal(t, prices[e.AttemptID], e.Fen, "seed %d: the ledger shows what the receipt costs", seed)
				listed += e.Fen
			}
			assert.Equal(t, listed, usage.Total.Fen)
		}
	})
}

func randomTerms(rnd *rand.Rand) billing.Terms {
	t := billing.Terms{Graduated: rnd.IntN(2) == 0, Free: rnd.Int64N(4), MinimumFen: rnd.Int64N(20_000), TaxBP: rnd.Int64N(1300), TaxIncluded: rnd.IntN(2) == 0}
	after := int64(0)
	for range 1 + rnd.IntN(3) {
		tier := billing.Tier{After: after, FenPer1000Points: rnd.Int64N(2000)}
		if rnd.IntN(2) == 0 {
			tier.Types = map[int]int64{1 + rnd.IntN(3): rnd.Int64N(800)}
		}
		t.Tiers = append(t.Tiers, tier)
		after += 1 + rnd.Int64N(6)
	}
	return t
}

// pricesOneByOne is what each attempt costs, by the words of the price book.
func pricesOneByOne(charges []billing.NewCharge, terms map[string]billing.Terms) map[string]int64 {
	from := func(c billing.NewCharge) string {
		if c.At.Before(shanghai(2026, 10, 12, 0, 0)) {
			return "2026-09-01"
		}
		return "2026-10-12"
	}
	total, place, out := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, c := range charges {
		total[from(c)]++
	}
	for _, c := range charges {
		price := terms[from(c)]
		place[from(c)]++
		reached := total[from(c)]
		if price.Graduated {
			reached = place[from(c)]
		}
		tier := price.Tiers[0]
		for _, t := range price.Tiers {
			if reached > t.After {
				tier = t
			}
		}
		fen, ofType := tier.Types[c.TypeID]
		if !ofType {
			fen = (c.Points*tier.FenPer1000Points + 500) / 1000
		}
		if place[from(c)] <= price.Free {
			fen = 0
		}
		out[c.AttemptID] = fen
	}
	return out
}

func TestTaxIsInThePriceOrOnTopOfIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, c := range []struct {
			included        bool
			net, tax, total int64
		}{{true, 943, 57, 1000}, {false, 1000, 60, 1060}} { // 1000 x 6 / 106 = 56.60, rounded half up
			l := newLedger(t, d, 1000)
			terms := perPoint(1000)
			terms.TaxIncluded = c.included
			l.price(billing.NewPrice{FromDay: "2026-10-01", Terms: terms, EndOpen: true})
			l.charge(billing.NewCharge{At: shanghai(2026, 10, 9, 9, 0)})
			l.charge(billing.NewCharge{At: shanghai(2026, 10, 9, 9, 0)})
			inv := l.finalize("2026-10")
			assert.Equal(t, []int64{c.net, c.tax, c.total}, []int64{inv.NetFen, inv.TaxFen, inv.TotalFen})
		}
	})
}

func TestAPriceThatCannotBeIsRefusedAndNothingIsWritten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000) // from the beginning, without an end
		l.price(billing.NewPrice{FromDay: "2026-12-01", UntilDay: "2026-12-31", Terms: perPoint(900), EndOpen: true})
		before, err := l.svc.Prices(ctx, l.sc)
		require.NoError(t, err)
		tier := func(tiers ...billing.Tier) billing.Terms { return billing.Terms{Tiers: tiers} }
		for name, n := range map[string]billing.NewPrice{
			"negative price":       {FromDay: "2027-01-01", Terms: perPoint(-1)},
			"negative type price":  {FromDay: "2027-01-01", Terms: tier(billing.Tier{Types: map[int]int64{1: -5}})},
			"negative minimum":     {FromDay: "2027-01-01", Terms: billing.Terms{Tiers: []billing.Tier{{}}, MinimumFen: -1}},
			"negative tax":         {FromDay: "2027-01-01", Terms: billing.Terms{Tiers: []billing.Tier{{}}, TaxBP: -1}},
			"tax over 100 %":       {FromDay: "2027-01-01", Terms: billing.Terms{Tiers: []billing.Tier{{}}, TaxBP: 10_001}},
			"overflow":             {FromDay: "2027-01-01", Terms: perPoint(1 << 60)},
			"no tier":              {FromDay: "2027-01-01"},
			"tiers not from 0":     {FromDay: "2027-01-01", Terms: tier(billing.Tier{After: 1})},
			"tiers not in order":   {FromDay: "2027-01-01", Terms: tier(billing.Tier{}, billing.Tier{After: 9}, billing.Tier{After: 9})},
			"no such day":          {FromDay: "2027-02-29", Terms: perPoint(1)},
			"ends before it began": {FromDay: "2027-02-02", UntilDay: "2027-02-01", Terms: perPoint(1)},
			"overlap":              {FromDay: "2026-12-31", Terms: perPoint(1), EndOpen: true},
			"overlap by its end":   {FromDay: "2020-01-01", UntilDay: "2026-12-01", Terms: perPoint(1)},
			"unknown plan":         {FromDay: "2027-01-01", Plan: "gold"},
		} {
			_, err := l.svc.AddPrice(ctx, l.sc, n, "test", db.Now())
			assert.Equal(t, apperr.Invalid, apperr.KindOf(err), name)
		}
		after, err := l.svc.Prices(ctx, l.sc)
		require.NoError(t, err)
		assert.Equal(t, before, after)
	})
}

func TestAQuoteGoesThroughTheTiers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		l.price(billing.NewPrice{FromDay: "2026-10-01", EndOpen: true, Terms: billing.Terms{Graduated: true, Free: 1,
			Tiers: []billing.Tier{{FenPer1000Points: 1000}, {After: 3, FenPer1000Points: 800, Types: map[int]int64{7: 111}}}}})
		now := shanghai(2026, 10, 9, 9, 0)
		quote := func(typeID int, n int64) int64 {
			fen, err := l.svc.Quote(ctx, l.sc, typeID, 500, n, now)
			require.NoError(t, err)
			return fen
		}
		assert.EqualValues(t, 0+500+500+400, quote(1, 4))
		l.charge(billing.NewCharge{At: now})
		l.charge(billing.NewCharge{At: now})
		assert.EqualValues(t, 500+400, quote(1, 2))
		assert.EqualValues(t, 500+111, quote(7, 2))
		assert.Zero(t, quote(1, 0))
	})
}

func TestATenantFollowsItsPlan(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, sweep := context.Background(), everySweep
		l := newLedger(t, d, 1000)
		_, err := l.svc.AddPlanPrice(ctx, sweep, "school", billing.NewPrice{Terms: perPoint(700)}, "test", db.Now())
		require.NoError(t, err)
		_, err = l.svc.AddPlanPrice(ctx, sweep, "school", billing.NewPrice{Terms: perPoint(600)}, "test", db.Now())
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "the entries of a plan do not overlap")
		for name, n := range map[string]billing.NewPrice{
			"it ends":                    {FromDay: "2027-01-01", UntilDay: "2027-12-31", Terms: perPoint(600), EndOpen: true},
			"a gap before":               {FromDay: "2027-01-01", Terms: perPoint(600)},
			"from before the other ends": {FromDay: "2027-01-01", UntilDay: "2027-01-31", Terms: perPoint(600)},
		} {
			_, err = l.svc.AddPlanPrice(ctx, sweep, "school", n, "test", db.Now())
			assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "who follows a plan is never without a price: %s", name)
		}
		_, err = l.svc.AddPlanPrice(ctx, sweep, "later", billing.NewPrice{FromDay: "2027-01-01", Terms: perPoint(700)}, "test", db.Now())
		require.NoError(t, err)
		_, err = l.svc.AddPrice(ctx, l.sc, billing.NewPrice{FromDay: "2026-12-01", Plan: "later", EndOpen: true}, "test", db.Now())
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "nor before the plan begins")
		l.price(billing.NewPrice{FromDay: "2026-10-01", Plan: "school", EndOpen: true})
		l.charge(billing.NewCharge{At: shanghai(2026, 10, 9, 9, 0)})
		assert.EqualValues(t, 350, l.finalize("2026-10").TotalFen)
		_, err = l.svc.AddPlanPrice(ctx, sweep, "school", billing.NewPrice{FromDay: "2026-10-15", Terms: perPoint(1), EndOpen: true}, "test", db.Now())
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "October has been invoiced by it")
	})
}

func TestAMinimumIsOwedWithoutAReceipt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		terms := perPoint(1000)
		terms.MinimumFen = 9900
		l.price(billing.NewPrice{FromDay: "2026-10-01", Terms: terms, EndOpen: true})
		require.NoError(t, l.svc.EnsureDrafts(ctx, shanghai(2026, 11, 1, 1, 0)))
		inv := l.finalize("2026-10")
		assert.EqualValues(t, 9900, inv.TotalFen)
		assert.Zero(t, inv.Receipts)
		detail, err := l.svc.Invoice(ctx, l.sc, inv.ID)
		require.NoError(t, err)
		require.Len(t, detail.Lines, 1)
		assert.Equal(t, billing.LineMinimum, detail.Lines[0].Kind)
	})
}

func TestAMonthAtOtherPricesIsPreviewed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		for range 3 {
			l.charge(billing.NewCharge{At: shanghai(2026, 10, 9, 9, 0)})
		}
		p, err := l.svc.Preview(ctx, l.sc, "2026-10", perPoint(900))
		require.NoError(t, err)
		assert.EqualValues(t, 1500, p.Now.TotalFen)
		assert.EqualValues(t, 1350, p.Then.TotalFen)
		require.Len(t, p.Then.Lines, 1)
		_, err = l.svc.Preview(ctx, l.sc, "2026-10", perPoint(-900))
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err))
		list, err := l.svc.Invoices(ctx, l.sc)
		require.NoError(t, err)
		assert.Empty(t, list, "nothing is written")
	})
}
