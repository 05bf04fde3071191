package billing_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

// sealed is a tenant with entries of all kinds on several days of October, sealed.
func sealed(t *testing.T, d *db.DB) *ledger {
	t.Helper()
	ctx := context.Background()
	l := newLedger(t, d, 1000)
	for day := 1; day <= 9; day += 2 {
		at := shanghai(2026, 10, day, 23, 59)
		l.charge(billing.NewCharge{At: at})
		l.charge(billing.NewCharge{At: at})
		require.NoError(t, d.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			err := billing.RecordFree(ctx, tx, l.sc, billing.NewFree{AttemptID: l.attemptIn(tx), OrderID: l.order, OrderNumber: "HZ-1", TypeID: 1,
				TypeName: "居住证", BatchID: l.batch, BatchName: "三(2)班", Outcome: "failed", At: at})
			if err != nil {
				return err
			}
			return billing.RecordOCRCall(ctx, tx, l.sc, billing.NewOCRCall{ReadingID: db.NewID(), Provider: "pyi", Document: "id_card_front",
				Outcome: "read", CostFen: 10, At: at})
		}))
	}
	require.NoError(t, l.svc.SealDays(ctx, shanghai(2026, 10, 10, 0, 5)))
	return l
}

func (l *ledger) verify() []billing.Finding {
	l.t.Helper()
	found, err := l.svc.Verify(context.Background(), l.sc)
	require.NoError(l.t, err)
	return found
}

// The protection of the database is off here: this is somebody who has got
// around it.
func TestWhatWasSealedIsFoundWhenItIsTouched(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for name, c := range map[string]struct {
			sql  string
			want billing.FindingKind
		}{
			"a charge made cheaper":      {"UPDATE charges SET points = 1 WHERE id = '%[2]s'", billing.EntryChanged},
			"a charge moved":             {"UPDATE charges SET batch_name = 'x' WHERE id = '%[2]s'", billing.EntryChanged},
			"a charge of another time":   {"UPDATE charges SET at = '2026-10-05 00:00:00+00:00' WHERE id = '%[2]s'", billing.EntryChanged},
			"a charge taken away":        {"DELETE FROM charges WHERE id = '%[2]s'", billing.EntryRemoved},
			"a charge put on a free day": {"UPDATE charges SET day = '2026-10-06' WHERE id = '%[2]s'", billing.EntryRemoved},
			"an OCR call made dearer":    {"UPDATE ocr_calls SET cost_fen = 99 WHERE tenant_id = '%[1]s' AND day = '2026-10-05'", billing.EntryChanged},
			"a failure taken away":       {"DELETE FROM free_entries WHERE tenant_id = '%[1]s' AND day = '2026-10-05'", billing.EntryRemoved},
			"a seal changed":             {"UPDATE ledger_seals SET points = 1 WHERE tenant_id = '%[1]s' AND day = '2026-10-05'", billing.SealBroken},
			"a seal taken away":          {"DELETE FROM ledger_seals WHERE tenant_id = '%[1]s' AND day = '2026-10-05'", billing.SealBroken},
			"the last seal taken away":   {"DELETE FROM ledger_seals WHERE tenant_id = '%[1]s' AND day = '2026-10-09'", billing.HeadBroken},
		} {
			l := sealed(t, d)
			require.Empty(t, l.verify(), name)
			var id string
			require.NoError(t, d.NewSelect().Table("charges").Column("id").Where("tenant_id = ? AND day = '2026-10-05'", l.tenant).Order("id").Limit(1).Scan(context.Background(), &id))
			_, err := d.Exec(fmt.Sprintf(c.sql+" -- %[1]s %[2]s", l.tenant, id))
			require.NoError(t, err, name)
			found := l.verify()
			kinds := map[billing.FindingKind]billing.Finding{}
			for _, f := range found {
				kinds[f.Kind] = f
			}
			require.Contains(t, kinds, c.want, name)
			if f := kinds[c.want]; f.Entry == "charge" {
				assert.Equal(t, id, f.ID, name)
				assert.Equal(t, "2026-10-05", f.Day, name)
			}
		}
	})
}

func TestASealedDayTakesNothingMore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := sealed(t, d)
		record := func(at time.Time) error {
			return d.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				_, err := billing.Record(ctx, tx, l.sc, billing.NewCharge{AttemptID: l.attemptIn(tx), OrderID: l.order, BatchID: l.batch, Points: 500, At: at})
				return err
			})
		}
		assert.ErrorIs(t, record(shanghai(2026, 10, 9, 23, 59)), billing.ErrSealed)
		assert.ErrorIs(t, record(shanghai(2026, 10, 2, 9, 0)), billing.ErrSealed, "a day without entries is closed too")
		assert.NoError(t, record(shanghai(2026, 10, 10, 0, 0)))
		require.NoError(t, l.svc.SealDays(ctx, shanghai(2026, 10, 11, 0, 5)))
		require.NoError(t, l.svc.SealDays(ctx, shanghai(2026, 10, 11, 0, 6)), "again changes nothing")
		assert.Empty(t, l.verify())
	})
}

// Charges are written while days are sealed, by clocks that are a little behind:
// each is either in the seal of its day or refused, and never after it.
func TestNothingSlipsPastASealThatIsBeingMade(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		l.charge(billing.NewCharge{At: shanghai(2026, 10, 1, 9, 0)})
		var attempts [8][]string
		for w := range attempts {
			for range 12 {
				attempts[w] = append(attempts[w], l.attempt())
			}
		}
		var wg sync.WaitGroup
		for w := range attempts {
			wg.Go(func() {
				rnd := rand.New(rand.NewPCG(uint64(w), 9))
				for i, attempt := range attempts[w] {
					at := shanghai(2026, 10, 1+i, 12+rnd.IntN(11), 0)
					err := d.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
						_, err := billing.Record(ctx, tx, l.sc, billing.NewCharge{AttemptID: attempt, OrderID: l.order, BatchID: l.batch, Points: 500, At: at})
						return err
					})
					if err != nil {
						assert.ErrorIs(t, err, billing.ErrSealed)
					}
				}
			})
		}
		wg.Go(func() {
			for day := 2; day <= 13; day++ {
				assert.NoError(t, l.svc.SealDays(ctx, shanghai(2026, 10, day, 0, 1)))
			}
		})
		wg.Wait()
		assert.Empty(t, l.verify())
	})
}
