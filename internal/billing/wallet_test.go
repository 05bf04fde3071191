package billing_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

// newWallet is a tenant at ¥5.00 a receipt, tax included, with a wallet.
func newWallet(t testing.TB, d *db.DB, n billing.WalletSettings) *ledger {
	t.Helper()
	l := newLedger(t, d, 1000)
	require.NoError(t, l.svc.SetWallet(context.Background(), l.sc, n, "test", db.Now()))
	return l
}

var prepaid = billing.WalletSettings{Mode: billing.WalletPrepaid}

// newOrder makes an order that can be held for.
func (l *ledger) newOrder() string {
	l.t.Helper()
	l.ordinal++
	id, photo, now := db.NewID(), db.NewID(), db.Now()
	l.insert("pictures", map[string]any{"tenant_id": l.tenant, "id": photo, "batch_id": l.batch, "seq": 1000 + l.ordinal, "name": "a.jpg", "pair_key": photo,
		"sha256": photo, "size": 1, "original_key": "x", "state": "ready", "kind": "portrait", "problem_key": "", "format": "jpeg",
		"width": 1, "height": 1, "working_key": "", "preview_key": "", "thumb_key": "", "created_at": now})
	l.insert("orders", map[string]any{"tenant_id": l.tenant, "id": id, "batch_id": l.batch, "number": "HZ-2611-" + id,
		"status": "queued", "seq": 1000 + l.ordinal, "type_id": 1, "type_name": "居住证", "city": "广东省,深圳市", "simulate": false,
		"photo_id": photo, "paired_by": "name", "name": "", "id_number": "", "fields": "{}", "exceptions": 0, "version": 1,
		"message": "", "image_code": "", "created_at": now, "updated_at": now})
	return id
}

func (l *ledger) inTx(f func(ctx context.Context, tx bun.Tx) error) error {
	return l.d.RunInTx(context.Background(), nil, f)
}

// hold queues orders as one submit does.
func (l *ledger) hold(now time.Time, orders ...string) error {
	var list []billing.Purchase
	for _, id := range orders {
		list = append(list, billing.Purchase{OrderID: id, Number: "HZ", TypeID: 1, Points: 500})
	}
	return l.inTx(func(ctx context.Context, tx bun.Tx) error { return l.svc.Hold(ctx, tx, l.sc, list, now) })
}

func (l *ledger) release(order string) error {
	return l.inTx(func(ctx context.Context, tx bun.Tx) error {
		return billing.Release(ctx, tx, l.sc, order, "HZ", db.Now())
	})
}

// complete charges an attempt of the order.
func (l *ledger) complete(attempt, order string, at time.Time) error {
	return l.inTx(func(ctx context.Context, tx bun.Tx) error {
		_, err := billing.Record(ctx, tx, l.sc, billing.NewCharge{AttemptID: attempt, OrderID: order, OrderNumber: "HZ", TypeID: 1, TypeName: "居住证",
			City: "广东省,深圳市", BatchID: l.batch, BatchName: "三(2)班", Points: 500, At: at})
		return err
	})
}

// fail ends an attempt of the order without a charge.
func (l *ledger) fail(attempt, order string, at time.Time) error {
	return l.inTx(func(ctx context.Context, tx bun.Tx) error {
		return billing.RecordFree(ctx, tx, l.sc, billing.NewFree{AttemptID: attempt, OrderID: order, OrderNumber: "HZ", TypeID: 1, TypeName: "居住证",
			City: "广东省,深圳市", BatchID: l.batch, BatchName: "三(2)班", Outcome: "failed", At: at})
	})
}

func (l *ledger) topUp(fen int64) {
	l.t.Helper()
	require.NoError(l.t, l.svc.TopUp(context.Background(), l.sc, fen, db.NewID(), "test", db.Now()))
}

// wallet is the tenant's wallet, after checking that its entries add up to it.
func (l *ledger) wallet() *billing.Wallet {
	l.t.Helper()
	ctx := context.Background()
	w, err := l.svc.Wallet(ctx, l.sc)
	require.NoError(l.t, err)
	var balance, held, last, open int64
	for before := ""; ; {
		entries, older, err := l.svc.WalletPage(ctx, l.sc, before, 7)
		require.NoError(l.t, err)
		if before == "" && len(entries) > 0 {
			last = entries[0].BalanceFen
		}
		for _, e := range entries {
			balance, held = balance+e.Fen, held+e.HeldFen
		}
		if before = older; before == "" {
			break
		}
	}
	require.NoError(l.t, l.d.NewSelect().Table("wallet_holds").ColumnExpr("COALESCE(SUM(fen), 0)").Where("tenant_id = ?", l.tenant).Scan(ctx, &open))
	assert.Equal(l.t, []int64{balance, held, held, balance}, []int64{w.BalanceFen, w.HeldFen, open, last}, "entries, holds and sums agree")
	return w
}

func (l *ledger) free() int64 { l.t.Helper(); return l.wallet().FreeFen() }

func TestAWalletHoldsCapturesAndReleasesOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newWallet(t, d, prepaid)
		l.topUp(1000)
		now := db.Now()
		done, failed, attempt, other := l.newOrder(), l.newOrder(), l.attempt(), l.attempt()
		for range 2 { // every step may run twice
			require.NoError(t, l.hold(now, done, failed))
		}
		assert.EqualValues(t, 0, l.free())
		for range 2 {
			require.NoError(t, l.complete(attempt, done, now))
		}
		for range 2 {
			require.NoError(t, l.fail(other, failed, now))
		}
		w := l.wallet()
		assert.Equal(t, []int64{500, 0}, []int64{w.BalanceFen, w.HeldFen})

		require.NoError(t, l.hold(now, failed), "it is corrected and sent again")
		require.NoError(t, l.fail(other, failed, now), "news of the attempt before")
		assert.EqualValues(t, 0, l.free(), "do not touch what it holds now")
		require.NoError(t, l.release(failed))
		require.NoError(t, l.release(failed))
		assert.EqualValues(t, 500, l.free())
	})
}

func TestWhatDoesNotFitIsRefusedWhole(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newWallet(t, d, prepaid)
		l.topUp(1300)
		orders := []string{l.newOrder(), l.newOrder(), l.newOrder(), l.newOrder()}
		err := l.hold(db.Now(), orders...)
		var short *apperr.Error
		require.ErrorAs(t, err, &short)
		assert.Equal(t, apperr.Conflict, short.Kind)
		assert.Equal(t, []any{"n", 4, "fit", 2, "need", "20.00", "free", "13.00", "missing", "7.00"}, short.Args)
		assert.EqualValues(t, 1300, l.free(), "nothing is half done")
		require.NoError(t, l.hold(db.Now(), orders[:2]...))
		assert.EqualValues(t, 300, l.free())
	})
}

func TestACreditLimitIsRestoredByPayingTheInvoice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newWallet(t, d, billing.WalletSettings{Mode: billing.WalletCredit, LimitFen: 1000, LowFen: 600})
		at := shanghai(2026, 10, 9, 9, 0)
		for range 2 {
			order := l.newOrder()
			require.NoError(t, l.hold(at, order))
			require.NoError(t, l.complete(l.attempt(), order, at))
		}
		assert.True(t, l.wallet().Low())
		require.Error(t, l.hold(at, l.newOrder()), "the limit is reached")
		inv := l.finalize("2026-10")
		assert.EqualValues(t, 1000, inv.OpenFen(), "nothing was paid before")
		assert.EqualValues(t, 0, l.free())
		_, err := l.svc.RecordPayment(ctx, l.sc, inv.ID, billing.NewPayment{Fen: 700, Reference: "A1", Day: "2026-11-02"}, "test", inv.FinalizedAt.Add(48*time.Hour))
		require.NoError(t, err)
		_, err = l.svc.IssueCredit(ctx, l.sc, inv.ID, billing.NewCredit{Fen: 300, Reason: "重复"}, "test", db.Now())
		require.NoError(t, err)
		assert.EqualValues(t, 1000, l.free())
		assert.False(t, l.wallet().Low())
	})
}

// Captures are taken by what an order holds; tiers, free receipts, minima and taxes
// are known at the end of the month. The invoice says what is right, and the wallet
// pays exactly that.
func TestAnInvoiceIsPaidOutOfTheWalletOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		at := shanghai(2026, 10, 9, 9, 0)
		for name, c := range map[string]struct {
			terms         billing.Terms
			topUp         int64
			total         int64 // of 3 receipts
			paid, balance int64
		}{
			"by points":           {perPoint(1000), 2000, 1500, 1500, 500},
			"tax on top":          {billing.Terms{Tiers: []billing.Tier{{FenPer1000Points: 999}}, TaxBP: 600}, 2000, 1590, 1590, 410},
			"all cheaper at last": {billing.Terms{Tiers: []billing.Tier{{FenPer1000Points: 1000}, {After: 2, FenPer1000Points: 500}}}, 2000, 750, 750, 1250},
			"the first is free":   {billing.Terms{Free: 1, Tiers: []billing.Tier{{FenPer1000Points: 1000}}}, 2000, 1000, 1000, 1000},
			"a minimum":           {billing.Terms{MinimumFen: 9900, Tiers: []billing.Tier{{FenPer1000Points: 1000}}}, 2000, 9900, 2000, -7900},
		} {
			l := newWallet(t, d, prepaid)
			l.price(billing.NewPrice{FromDay: "2026-10-01", EndOpen: true, Terms: c.terms})
			l.topUp(c.topUp)
			for range 3 {
				order := l.newOrder()
				require.NoError(t, l.hold(at, order), name)
				require.NoError(t, l.complete(l.attempt(), order, at))
			}
			inv := l.finalize("2026-10")
			assert.Equal(t, c.total, inv.TotalFen, name)
			assert.Equal(t, c.paid, inv.PaidFen, name)
			w := l.wallet()
			assert.Equal(t, c.balance, w.BalanceFen, name)
			if inv.OpenFen() == 0 {
				assert.Equal(t, billing.StatePaid, inv.State, name)
				continue
			}
			// What comes for the wallet pays the rest, and only once.
			l.topUp(inv.OpenFen() + 100)
			detail, err := l.svc.Invoice(ctx, l.sc, inv.ID)
			require.NoError(t, err)
			assert.Equal(t, billing.StatePaid, detail.State, name)
			require.Len(t, detail.Payments, 2)
			assert.Equal(t, billing.MethodWallet, detail.Payments[1].Method)
			assert.EqualValues(t, 100, l.wallet().BalanceFen, name)
		}
	})
}

func TestAVoidInvoiceIsSettledAfresh(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newWallet(t, d, billing.WalletSettings{Mode: billing.WalletCredit, LimitFen: 10_000})
		at := shanghai(2026, 10, 9, 9, 0)
		order := l.newOrder()
		require.NoError(t, l.hold(at, order))
		require.NoError(t, l.complete(l.attempt(), order, at))
		for range 2 {
			inv := l.finalize("2026-10")
			assert.EqualValues(t, -500, l.wallet().BalanceFen)
			_, err := l.svc.Void(ctx, l.sc, inv.ID, "test", db.Now())
			require.NoError(t, err)
			assert.EqualValues(t, -500, l.wallet().BalanceFen, "the receipt was had all the same")
		}
	})
}

func TestAWalletBeginsWithWhatIsOwed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l, inv := finalized(t, d, 3) // ¥15.00 of October
		l.charge(billing.NewCharge{At: shanghai(2026, 11, 3, 9, 0)})
		require.NoError(t, l.svc.SetWallet(ctx, l.sc, prepaid, "test", db.Now()))
		assert.EqualValues(t, -2000, l.wallet().BalanceFen)
		l.topUp(1700)
		assert.EqualValues(t, -300, l.wallet().BalanceFen)
		paid, err := l.svc.Invoice(ctx, l.sc, inv.ID)
		require.NoError(t, err)
		assert.EqualValues(t, 1200, paid.PaidFen, "the receipt of November is paid for too, as far as the money goes")
		_, err = l.svc.RecordPayment(ctx, l.sc, inv.ID, billing.NewPayment{Fen: 300, Reference: "A1", Day: "2026-11-20"}, "test", shanghai(2026, 12, 1, 9, 0))
		require.NoError(t, err)
		assert.EqualValues(t, 0, l.wallet().BalanceFen)
		november := l.finalize("2026-11")
		assert.Equal(t, billing.StatePaid, november.State)
		assert.EqualValues(t, 0, l.wallet().BalanceFen)
	})
}

func TestMoneyIsRecordedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l, other := newWallet(t, d, prepaid), newWallet(t, d, prepaid)
		for range 2 {
			require.NoError(t, l.svc.TopUp(ctx, l.sc, 1000, " 银行回单 1 ", "test", db.Now()))
		}
		assert.EqualValues(t, 1000, l.free())
		for name, err := range map[string]error{
			"another amount":   l.svc.TopUp(ctx, l.sc, 2000, "银行回单 1", "test", db.Now()),
			"another tenant":   other.svc.TopUp(ctx, other.sc, 1000, "银行回单 1", "test", db.Now()),
			"nothing":          l.svc.TopUp(ctx, l.sc, 0, "银行回单 2", "test", db.Now()),
			"less":             l.svc.TopUp(ctx, l.sc, -5, "银行回单 2", "test", db.Now()),
			"no reference":     l.svc.TopUp(ctx, l.sc, 5, " ", "test", db.Now()),
			"no reason":        l.svc.Correct(ctx, l.sc, billing.WalletAdjustment{Fen: 5, BeforeFen: 1000}, "test", db.Now()),
			"more than is had": l.svc.Correct(ctx, l.sc, billing.WalletAdjustment{Fen: -1001, BeforeFen: 1000, Reason: "误记"}, "test", db.Now()),
			"unknown mode":     l.svc.SetWallet(ctx, l.sc, billing.WalletSettings{Mode: "gold"}, "test", db.Now()),
			"negative limit":   l.svc.SetWallet(ctx, l.sc, billing.WalletSettings{Mode: billing.WalletCredit, LimitFen: -1}, "test", db.Now()),
		} {
			assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "%s: %v", name, err)
		}
		n := billing.WalletAdjustment{Fen: -300, BeforeFen: 1000, Reason: "误记"}
		require.NoError(t, l.svc.Correct(ctx, l.sc, n, "test", db.Now()))
		assert.Equal(t, apperr.Conflict, apperr.KindOf(l.svc.Correct(ctx, l.sc, n, "test", db.Now())), "the same form again")
		assert.EqualValues(t, 700, l.free())
		assert.EqualValues(t, 0, other.free())
		require.NoError(t, billing.Protect(ctx, d))
		_, err := d.ExecContext(ctx, "UPDATE wallet_entries SET fen = 5")
		assert.ErrorContains(t, err, "append-only")
	})
}

func TestNobodyIsHeldUpWithoutAWallet(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		order := l.newOrder()
		require.NoError(t, l.hold(db.Now(), order))
		require.NoError(t, l.complete(l.attempt(), order, db.Now()))
		w, err := l.svc.Wallet(ctx, l.sc)
		require.NoError(t, err)
		assert.Nil(t, w)
		assert.Equal(t, apperr.NotFound, apperr.KindOf(l.svc.TopUp(ctx, l.sc, 5, "x", "test", db.Now())))

		// Where all is counted and nothing refused, the balance goes below zero.
		require.NoError(t, l.svc.SetWallet(ctx, l.sc, billing.WalletSettings{Mode: billing.WalletOpen}, "test", db.Now()))
		require.NoError(t, l.hold(db.Now(), l.newOrder()))
		assert.EqualValues(t, -1000, l.free())
	})
}

// Sixteen submitters at once spend what there is and not a fen more.
func TestConcurrentSubmitsNeverOverspend(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newWallet(t, d, billing.WalletSettings{Mode: billing.WalletCredit, LimitFen: 1000})
		l.topUp(9700) // 21 receipts with the limit
		const submitters, each = 16, 3
		var orders [submitters][each]string
		for i := range orders {
			for k := range orders[i] {
				orders[i][k] = l.newOrder()
			}
		}
		var wg sync.WaitGroup
		var errs [submitters]error
		for i := range submitters {
			wg.Go(func() { errs[i] = l.hold(db.Now(), orders[i][:]...) })
		}
		wg.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else {
				assert.Equal(t, apperr.Conflict, apperr.KindOf(err), "%v", err)
			}
		}
		assert.Equal(t, 7, done)
		assert.EqualValues(t, 200, l.free())
	})
}

// TestRandomHistoriesAddUpToTheFen submits, completes, fails, releases, tops up and
// invoices at random, does many things twice and some late, and compares the wallet
// with a plain count.
func TestRandomHistoriesAddUpToTheFen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		for seed := range uint64(6) {
			rnd := rand.New(rand.NewPCG(seed, 31))
			mode := billing.WalletSettings{Mode: billing.WalletModes[seed%3], LimitFen: 3000}
			l := newWallet(t, d, mode)
			terms := randomTerms(rnd)
			l.price(billing.NewPrice{FromDay: "2026-08-01", Terms: terms, EndOpen: true})
			var came, paid int64
			held, ended := map[string]string{}, map[string]string{} // attempt by order
			month := billing.Month("2026-09")
			for range 120 {
				now := month.Start().Add(time.Duration(rnd.IntN(28*24)) * time.Hour)
				order := pick(rnd, held)
				switch rnd.IntN(9) {
				case 0:
					fen := 1 + rnd.Int64N(4000)
					l.topUp(fen)
					came += fen
				case 1, 2, 3:
					list := []string{l.newOrder(), l.newOrder()}
					before := l.wallet()
					err := l.hold(now, list...)
					after := l.wallet()
					if err != nil {
						assert.Equal(t, apperr.Conflict, apperr.KindOf(err))
						assert.Equal(t, before, after, "a refused submit changes nothing")
						continue
					}
					if after.Limited() {
						assert.GreaterOrEqual(t, after.FreeFen(), int64(0), "seed %d: nobody spends what there is not", seed)
					}
					for _, o := range list {
						held[o] = l.attempt()
					}
				case 4, 5:
					if order != "" {
						for range 1 + rnd.IntN(2) {
							require.NoError(t, l.complete(held[order], order, now))
						}
						ended[order] = held[order]
						delete(held, order)
					}
				case 6:
					if order != "" {
						for range 1 + rnd.IntN(2) {
							require.NoError(t, l.fail(held[order], order, now))
						}
						if rnd.IntN(2) == 0 && l.hold(now, order) == nil {
							held[order] = l.attempt() // corrected and sent again
						} else {
							delete(held, order)
						}
					}
				case 7:
					if order != "" && rnd.IntN(2) == 0 {
						require.NoError(t, l.release(order))
						delete(held, order)
					}
					if done := pick(rnd, ended); done != "" { // late news
						require.NoError(t, l.complete(ended[done], done, now))
					}
				case 8:
					if rnd.IntN(6) > 0 {
						continue
					}
					if _, err := l.svc.Draft(ctx, l.sc, month, month.End()); err == nil {
						inv := l.finalize(month)
						if open := inv.OpenFen(); open > 0 && rnd.IntN(2) == 0 {
							_, err := l.svc.RecordPayment(ctx, l.sc, inv.ID, billing.NewPayment{Fen: open, Reference: fmt.Sprint("P", seed), Day: string(month) + "-28"}, "test", month.End())
							require.NoError(t, err)
							paid += open
						}
						month = month.Add(1)
					}
				}
			}
			for order, attempt := range held {
				require.NoError(t, l.complete(attempt, order, month.Start()))
			}
			if _, err := l.svc.Draft(ctx, l.sc, month, month.End()); err == nil {
				l.finalize(month)
			}
			w := l.wallet()
			assert.Zero(t, w.HeldFen, "seed %d", seed)
			invoices, err := l.svc.Invoices(ctx, l.sc)
			require.NoError(t, err)
			var total, open int64
			for _, inv := range invoices {
				total, open = total+inv.TotalFen, open+inv.OpenFen()
			}
			assert.Equal(t, came+paid-total, w.BalanceFen, "seed %d: what came, less what was invoiced", seed)
			assert.Equal(t, max(0, -w.BalanceFen), open, "seed %d: what is open is what the tenant owes", seed)
		}
	})
}

// pick is one of the keys, "" when there is none.
func pick(rnd *rand.Rand, m map[string]string) string {
	n := rnd.IntN(max(1, len(m)))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if n == 0 {
			return key
		}
		n--
	}
	return ""
}
