package billing_test

import (
	"context"
	"fmt"
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

// finalized is a tenant with one final invoice of October over ¥5.00 a receipt.
func finalized(t *testing.T, d *db.DB, receipts int) (*ledger, billing.Invoice) {
	t.Helper()
	l := newLedger(t, d, 1000)
	for range receipts {
		l.charge(billing.NewCharge{At: shanghai(2026, 10, 9, 9, 0)})
	}
	return l, l.finalize("2026-10")
}

func (l *ledger) finalize(m billing.Month) billing.Invoice {
	l.t.Helper()
	_, err := l.svc.Draft(context.Background(), l.sc, m, m.End())
	require.NoError(l.t, err)
	inv, err := l.svc.Finalize(context.Background(), l.sc, m, "test", m.End().UTC())
	require.NoError(l.t, err)
	return inv
}

func TestAFinalInvoiceNeverChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		require.NoError(t, billing.Protect(ctx, d))
		l, inv := finalized(t, d, 3)
		assert.Equal(t, billing.StateFinalized, inv.State)
		assert.Equal(t, "INV2026-000001", *inv.Number)
		assert.Equal(t, "2026-12-01", inv.DueDay, "thirty days after the 1st of November")
		before, err := l.svc.Invoice(ctx, l.sc, inv.ID)
		require.NoError(t, err)

		again, err := l.svc.Finalize(ctx, l.sc, "2026-10", "test", shanghai(2026, 11, 5, 9, 0))
		require.NoError(t, err, "finalizing twice is the same as once")
		assert.Equal(t, inv.Number, again.Number)
		_, err = l.svc.Draft(ctx, l.sc, "2026-10", shanghai(2026, 11, 5, 9, 0))
		assert.Equal(t, apperr.Conflict, apperr.KindOf(err))
		_, err = l.svc.AddPrice(ctx, l.sc, billing.NewPrice{FromDay: "2026-10-31", Terms: perPoint(1), EndOpen: true}, "test", db.Now())
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "its days keep their price")
		for _, s := range []string{
			"UPDATE invoices SET total_fen = 1, net_fen = 1, tax_fen = 0", "UPDATE invoices SET number = 'INV2026-000009'", "UPDATE invoices SET number = NULL",
			"UPDATE invoices SET due_day = '2030-01-01'", "DELETE FROM invoices", "UPDATE invoice_lines SET type_name = 'x'", "DELETE FROM invoice_lines",
			"INSERT INTO invoice_lines SELECT tenant_id, invoice_id, 99, kind, type_id, type_name, from_day, until_day, after_id, through_id, unit_points, unit_fen, receipts, amount_fen, tax_bp, tax_included FROM invoice_lines",
		} {
			_, err := d.ExecContext(ctx, s)
			assert.ErrorContains(t, err, "a final invoice does not change", s)
		}
		require.NoError(t, l.svc.EnsureDrafts(ctx, shanghai(2026, 11, 5, 9, 0)))
		after, err := l.svc.Invoice(ctx, l.sc, inv.ID)
		require.NoError(t, err)
		assert.Equal(t, before, after)
	})
}

// Our clock decides the month: once an invoice is final, no receipt can be
// charged to its days any more, whatever the provider says when it was done.
func TestALateResultBelongsToTheMonthInWhichItIsSeen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l, inv := finalized(t, d, 1)
		late := billing.NewCharge{AttemptID: l.attempt(), OrderID: l.order, BatchID: l.batch, TypeID: 1, TypeName: "居住证", Points: 500}
		record := func(at time.Time) error {
			late.At = at
			return d.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				_, err := billing.Record(ctx, tx, l.sc, late)
				return err
			})
		}
		require.ErrorIs(t, record(shanghai(2026, 10, 31, 23, 59)), billing.ErrSealed)
		require.NoError(t, record(shanghai(2026, 11, 1, 0, 1)), "the next try has a later clock")
		detail, err := l.svc.Invoice(ctx, l.sc, inv.ID)
		require.NoError(t, err)
		assert.Zero(t, detail.Unbilled())
	})
}

func TestAMonthThatIsNotOverIsNotFinal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		l.charge(billing.NewCharge{At: shanghai(2026, 10, 9, 9, 0)})
		now := billing.Month("2026-10").End().Add(-time.Microsecond)
		_, err := l.svc.Draft(ctx, l.sc, "2026-10", now)
		require.NoError(t, err)
		_, err = l.svc.Finalize(ctx, l.sc, "2026-10", "test", now)
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err))
		err = l.svc.Run(ctx, billing.RunRequest{Month: "2026-10", Actor: "test"}, now, nil)
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err))
		_, err = l.svc.Finalize(ctx, l.sc, "2026-09", "test", now)
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "there is no draft of September")
	})
}

func TestNumbersHaveNoGapsWhileManyFinalize(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		const each = 3
		var ledgers []*ledger
		for range 16 {
			l := newLedger(t, d, 1000)
			for m := range each {
				l.charge(billing.NewCharge{At: shanghai(2026, time.Month(8+m), 9, 9, 0)})
			}
			ledgers = append(ledgers, l)
		}
		now := shanghai(2026, 11, 1, 0, 10).UTC()
		require.NoError(t, ledgers[0].svc.EnsureDrafts(ctx, now))
		var wg sync.WaitGroup
		var mu sync.Mutex
		var numbers []string
		for i := range ledgers { // each is asked to finalize what another does at the same time
			wg.Go(func() {
				for m := range each {
					for _, l := range []*ledger{ledgers[i], ledgers[(i+1)%len(ledgers)]} {
						inv, err := l.svc.Finalize(ctx, l.sc, billing.Month(fmt.Sprintf("2026-%02d", 8+m)), "test", now)
						if assert.NoError(t, err) {
							mu.Lock()
							numbers = append(numbers, *inv.Number)
							mu.Unlock()
						}
					}
				}
			})
		}
		wg.Wait()
		slices.Sort(numbers)
		numbers = slices.Compact(numbers)
		require.Len(t, numbers, 16*each)
		for i, n := range numbers {
			assert.Equal(t, fmt.Sprintf("INV2026-%06d", i+1), n)
		}
	})
}

func TestARunIsTheSameDoneTwiceOrByTwoMachines(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		for range 5 {
			l := newLedger(t, d, 1000)
			l.charge(billing.NewCharge{At: shanghai(2026, 10, 9, 9, 0)})
		}
		idle := newLedger(t, d, 1000)
		now := shanghai(2026, 11, 1, 0, 10).UTC()
		run := func(finalize bool) (out []billing.Invoice) {
			r := billing.RunRequest{Month: "2026-10", Finalize: finalize, Actor: "test"}
			r.Tenants = append(r.Tenants, everyTenant(t, idle.svc)...)
			assert.NoError(t, idle.svc.Run(ctx, r, now, func(inv *billing.Detail) error {
				out = append(out, inv.Invoice)
				return nil
			}))
			return out
		}
		drafts := run(false)
		require.Len(t, drafts, 5, "who owes nothing gets none")
		assert.Equal(t, drafts, run(false))
		var first, second []billing.Invoice
		var wg sync.WaitGroup
		wg.Go(func() { first = run(true) })
		wg.Go(func() { second = run(true) })
		wg.Wait()
		assert.Equal(t, first, second)
		assert.Equal(t, first, run(true))
		assert.Equal(t, first, run(false), "a later run without finalizing leaves them as they are")
	})
}

func TestADraftThatChangesAfterItsReviewIsReviewedAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l := newLedger(t, d, 1000)
		l.charge(billing.NewCharge{At: shanghai(2026, 10, 9, 9, 0)})
		now := shanghai(2026, 11, 1, 0, 10).UTC()
		draft, err := l.svc.Draft(ctx, l.sc, "2026-10", now)
		require.NoError(t, err)
		_, err = l.svc.Review(ctx, l.sc, draft.ID, draft.UpdatedAt.Add(-time.Second), "test", now)
		assert.Equal(t, apperr.Conflict, apperr.KindOf(err), "they have looked at an older one")
		reviewed, err := l.svc.Review(ctx, l.sc, draft.ID, draft.UpdatedAt, "test", now)
		require.NoError(t, err)
		assert.Equal(t, billing.StateReviewed, reviewed.State)

		l.charge(billing.NewCharge{At: shanghai(2026, 10, 31, 23, 59)})
		_, err = l.svc.Finalize(ctx, l.sc, "2026-10", "test", now.Add(time.Minute))
		assert.Equal(t, apperr.Conflict, apperr.KindOf(err), "nobody has seen what would be final")
		got, err := l.svc.Invoice(ctx, l.sc, draft.ID)
		require.NoError(t, err)
		assert.Equal(t, billing.StateDraft, got.State)
		require.NotNil(t, got.Previous)
		assert.EqualValues(t, 500, got.Previous.TotalFen)
		assert.Equal(t, []billing.LineChange{{Kind: billing.LineReceipts, TypeName: "居住证", ReceiptsBefore: 1, Receipts: 2, FenBefore: 500, Fen: 1000}}, got.Changes())
		inv, err := l.svc.Finalize(ctx, l.sc, "2026-10", "test", now.Add(time.Hour))
		require.NoError(t, err)
		assert.EqualValues(t, 1000, inv.TotalFen)
	})
}

func TestPaymentsPartByPart(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, now := context.Background(), shanghai(2026, 11, 9, 10, 0).UTC()
		l, inv := finalized(t, d, 3)
		pay := func(fen int64, reference string) (*billing.Invoice, error) {
			return l.svc.RecordPayment(ctx, l.sc, inv.ID, billing.NewPayment{Fen: fen, Reference: reference, Day: "2026-11-09"}, "test", now)
		}
		_, err := l.svc.Send(ctx, l.sc, inv.ID, "test", now)
		require.NoError(t, err)
		got, err := pay(600, "A1")
		require.NoError(t, err)
		assert.Equal(t, billing.StatePartlyPaid, got.State)
		assert.EqualValues(t, 900, got.OpenFen())
		got, err = pay(600, " A1 ")
		require.NoError(t, err)
		assert.EqualValues(t, 600, got.PaidFen, "the same remittance is recorded once")
		_, err = pay(700, "A1")
		assert.Equal(t, apperr.Conflict, apperr.KindOf(err))
		for _, bad := range []billing.NewPayment{{Fen: 901, Reference: "A2", Day: "2026-11-09"}, {Fen: 0, Reference: "A2", Day: "2026-11-09"},
			{Fen: -5, Reference: "A2", Day: "2026-11-09"}, {Fen: 5, Day: "2026-11-09"}, {Fen: 5, Reference: "A2", Day: "2026-11-10"}, {Fen: 5, Reference: "A2", Day: "09.11."}} {
			_, err = l.svc.RecordPayment(ctx, l.sc, inv.ID, bad, "test", now)
			assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "%+v", bad)
		}
		_, err = l.svc.Void(ctx, l.sc, inv.ID, "test", now)
		assert.Equal(t, apperr.Conflict, apperr.KindOf(err), "something was paid on it")
		got, err = pay(900, "A2")
		require.NoError(t, err)
		assert.Equal(t, billing.StatePaid, got.State)
		detail, err := l.svc.Invoice(ctx, l.sc, inv.ID)
		require.NoError(t, err)
		assert.Len(t, detail.Payments, 2)
	})
}

func TestTheSamePaymentByTwoPeopleAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, now := context.Background(), shanghai(2026, 11, 9, 10, 0).UTC()
		l, inv := finalized(t, d, 4)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, err := l.svc.RecordPayment(ctx, l.sc, inv.ID, billing.NewPayment{Fen: 500, Reference: fmt.Sprint("A", i%2), Day: "2026-11-09"}, "test", now)
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		got, err := l.svc.Invoice(ctx, l.sc, inv.ID)
		require.NoError(t, err)
		assert.EqualValues(t, 1000, got.PaidFen)
	})
}

func TestCreditNotesNeverTakeMoreThanTheRest(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, now := context.Background(), shanghai(2026, 11, 9, 10, 0).UTC()
		l, inv := finalized(t, d, 3)
		credit := func(n billing.NewCredit) (*billing.CreditNote, error) {
			return l.svc.IssueCredit(ctx, l.sc, inv.ID, n, "test", now)
		}
		for _, bad := range []billing.NewCredit{{Fen: 1501, Reason: "x"}, {Fen: 0, Reason: "x"}, {Fen: 100}, {Fen: 100, Reason: "  "}} {
			_, err := credit(bad)
			assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "%+v", bad)
		}
		first, err := credit(billing.NewCredit{Fen: 333, Reason: "重复提交"})
		require.NoError(t, err)
		assert.Equal(t, "CN2026-000001", first.Number, "what was refused took no number")
		_, err = credit(billing.NewCredit{Fen: 333, Reason: "重复提交"})
		assert.Equal(t, apperr.Conflict, apperr.KindOf(err), "a form that is sent twice")
		_, err = l.svc.RecordPayment(ctx, l.sc, inv.ID, billing.NewPayment{Fen: 1167, Reference: "A", Day: "2026-11-09"}, "test", now)
		require.NoError(t, err)
		_, err = credit(billing.NewCredit{Fen: 1, Reason: "x", Before: 333})
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "nothing is open")
		_, err = credit(billing.NewCredit{Fen: 1168, Reason: "x", Refund: "B", Before: 333})
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "more than was paid")
		rest, err := credit(billing.NewCredit{Fen: 1167, Reason: "全部退回", Refund: "B", Before: 333})
		require.NoError(t, err)
		assert.Equal(t, inv.TaxFen, first.TaxFen+rest.TaxFen, "all taken back is all tax taken back")
	})
}

func TestAVoidInvoiceKeepsItsNumberAndGivesItsChargesBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, now := context.Background(), shanghai(2026, 11, 9, 10, 0).UTC()
		l, inv := finalized(t, d, 2)
		void, err := l.svc.Void(ctx, l.sc, inv.ID, "test", now)
		require.NoError(t, err)
		assert.Equal(t, billing.StateVoid, void.State)
		assert.Zero(t, void.OpenFen())
		l.price(billing.NewPrice{FromDay: "2026-10-01", Terms: perPoint(900), EndOpen: true})
		require.NoError(t, l.svc.EnsureDrafts(ctx, now))
		again, err := l.svc.Finalize(ctx, l.sc, "2026-10", "test", now)
		require.NoError(t, err)
		assert.Equal(t, "INV2026-000002", *again.Number)
		assert.EqualValues(t, 900, again.TotalFen)
		_, err = l.svc.Void(ctx, l.sc, inv.ID, "test", now)
		assert.Equal(t, apperr.Conflict, apperr.KindOf(err))
	})
}

func TestInvoicesFallDueAndAreReminded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		l, inv := finalized(t, d, 2)
		state := func() billing.State {
			got, err := l.svc.Invoice(ctx, l.sc, inv.ID)
			require.NoError(t, err)
			return got.State
		}
		require.NoError(t, l.svc.FallDue(ctx, shanghai(2026, 12, 1, 23, 59)))
		assert.Equal(t, billing.StateFinalized, state(), "the due day itself is in time")
		for range 2 {
			require.NoError(t, l.svc.FallDue(ctx, shanghai(2026, 12, 2, 0, 0)))
			assert.Equal(t, billing.StateOverdue, state())
		}
		now := shanghai(2026, 12, 3, 9, 0).UTC()
		reminded, err := l.svc.Remind(ctx, l.sc, inv.ID, "test", now)
		require.NoError(t, err)
		assert.EqualValues(t, 1, reminded.Reminders)
		_, err = l.svc.WriteOff(ctx, l.sc, inv.ID, "test", now)
		require.NoError(t, err)
		paid, err := l.svc.RecordPayment(ctx, l.sc, inv.ID, billing.NewPayment{Fen: 1000, Reference: "A", Day: "2026-12-03"}, "test", now)
		require.NoError(t, err, "money that comes all the same")
		assert.Equal(t, billing.StatePaid, paid.State)
		_, err = l.svc.Remind(ctx, l.sc, inv.ID, "test", now)
		assert.Equal(t, apperr.Conflict, apperr.KindOf(err))
	})
}

func TestAnInvoiceOverNothingIsPaidAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLedger(t, d, 0)
		l.charge(billing.NewCharge{At: shanghai(2026, 10, 9, 9, 0)})
		assert.Equal(t, billing.StatePaid, l.finalize("2026-10").State)
	})
}
