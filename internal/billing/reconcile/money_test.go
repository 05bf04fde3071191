package reconcile_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/billing/reconcile"
	"huizhi/internal/billing/stripe"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

// finalized makes the invoice of the month final after it is over.
func (w *world) finalized() billing.Invoice {
	w.t.Helper()
	w.afterMonth()
	_, err := w.billing.Draft(w.ctx(), w.sc, w.month, w.now())
	require.NoError(w.t, err)
	inv, err := w.billing.Finalize(w.ctx(), w.sc, w.month, "test", w.now())
	require.NoError(w.t, err)
	return inv
}

func TestInvoicesAndSealsAreComparedWithTheLedger(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for range 3 {
			w.receipt()
		}
		inv := w.finalized()
		require.Empty(t, w.compares())
		report, err := w.service().Report(w.ctx(), w.month)
		require.NoError(t, err)
		assert.Equal(t, reconcile.InvoiceTotals{Count: 1, Receipts: 3, Points: 1500, TotalFen: 1500}, report.Totals.Invoices)

		// Somebody with the keys of the database adds a charge to the closed month.
		a := w.sends("completed", "")
		w.numbered(&a, w.applies(a.reference, "completed"))
		charge := map[string]any{}
		require.NoError(t, d.NewSelect().Table("charges").Limit(1).Scan(w.ctx(), &charge))
		charge["id"], charge["attempt_id"], charge["order_id"] = db.NewID(), a.id, a.order
		w.insert("charges", charge)
		found := w.compares()
		assert.ElementsMatch(t, []string{"seal open", "invoice_ledger open"}, kinds(found))
		for _, f := range found {
			if f.Kind == reconcile.InvoiceLedger {
				assert.Equal(t, inv.ID, f.InvoiceID)
				assert.EqualValues(t, 3, *f.Ours.Receipts)
				assert.EqualValues(t, 4, *f.Theirs.Receipts)
				assert.EqualValues(t, 2000, *f.Theirs.Fen)
			}
		}
	})
}

func TestStripeIsComparedWithTheInvoices(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.receipt()
		inv := w.finalized()
		w.stripe = &remotes{}
		w.at(w.now().Add(10 * time.Minute))
		require.Empty(t, w.compares(), "it is on its way")
		w.at(w.now().Add(2 * time.Hour))
		require.Equal(t, []string{"stripe_missing open"}, kinds(w.compares()))

		there := stripe.Remote{ID: "in_1", TenantID: w.tenant, InvoiceID: inv.ID, Status: "open", TotalFen: 500, CreatedAt: w.now()}
		for _, test := range []struct {
			name string
			list []stripe.Remote
			want []string
		}{
			{"as here", []stripe.Remote{there}, nil},
			{"another total", []stripe.Remote{with(there, func(r *stripe.Remote) { r.TotalFen = 400 })}, []string{"stripe_total open"}},
			{"twice", []stripe.Remote{there, with(there, func(r *stripe.Remote) { r.ID = "in_2" })}, []string{"stripe_twice open"}},
			{"void there", []stripe.Remote{with(there, func(r *stripe.Remote) { r.Status = "void" })}, []string{"stripe_state open"}},
			{"paid there", []stripe.Remote{with(there, func(r *stripe.Remote) { r.Status, r.PaidFen, r.Reference = "paid", 500, "pi_1" })}, []string{"stripe_unrecorded open"}},
			{"of nobody", []stripe.Remote{there, with(there, func(r *stripe.Remote) { r.ID, r.InvoiceID = "in_3", db.NewID() })}, []string{"stripe_foreign open"}},
		} {
			w.stripe.list = test.list
			assert.Equal(t, test.want, kinds(w.compares()), test.name)
		}

		_, err := w.billing.RecordPayment(w.ctx(), w.sc, inv.ID, billing.NewPayment{Fen: 500, Reference: "pi_1", Method: billing.MethodStripe,
			Day: w.now().Format(time.DateOnly)}, stripe.Actor, w.now())
		require.NoError(t, err)
		w.stripe.list = []stripe.Remote{with(there, func(r *stripe.Remote) { r.Status, r.PaidFen, r.Reference = "paid", 500, "pi_1" })}
		assert.Empty(t, w.compares())
		report, err := w.service().Report(w.ctx(), w.month)
		require.NoError(t, err)
		assert.Equal(t, &reconcile.StripeTotals{Invoices: 1, TotalFen: 500, PaidFen: 500, RecordedFen: 500}, report.Totals.Stripe)

		w.stripe.list = []stripe.Remote{there}
		assert.ElementsMatch(t, []string{"stripe_unpaid open", "stripe_state open"}, kinds(w.compares()))

		w.stripe.err = &stripe.Failure{Call: "invoice list"}
		run := w.runs()
		assert.Equal(t, reconcile.ProblemStripe, run.Problem)
		assert.Len(t, w.list(reconcile.Filter{}), 2, "a run that failed changes nothing")
		w.stripe.err = errors.New("something else")
		assert.Equal(t, reconcile.ProblemInternal, w.runs().Problem)
	})
}

func with(r stripe.Remote, change func(*stripe.Remote)) stripe.Remote {
	change(&r)
	return r
}

func TestAMonthIsClosedWhenEverythingHolds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		s := w.service()
		w.receipt()
		unmet := func() (names []reconcile.ConditionName) {
			t.Helper()
			list, err := s.Checklist(w.ctx(), w.month)
			require.NoError(t, err)
			for _, c := range list.Unmet() {
				names = append(names, c.Name)
			}
			return names
		}
		lost := w.sends("unknown", "")
		require.Len(t, w.compares(), 1)
		assert.Equal(t, []reconcile.ConditionName{reconcile.MonthOver, reconcile.AllSettled, reconcile.DaysSealed, reconcile.AllFinal,
			reconcile.WasCompared, reconcile.NothingOpen}, unmet())
		_, err := s.Close(w.ctx(), w.month, "trust me", "u1")
		assert.Equal(t, apperr.Conflict, apperr.KindOf(err), "no reason closes a month that is not over")

		w.afterMonth()
		require.NoError(t, w.billing.SealDays(w.ctx(), w.now()))
		assert.Equal(t, []reconcile.ConditionName{reconcile.AllSettled, reconcile.AllFinal, reconcile.WasCompared, reconcile.NothingOpen}, unmet())
		w.finalized()
		w.compares()
		assert.Equal(t, []reconcile.ConditionName{reconcile.AllSettled, reconcile.NothingOpen}, unmet())
		_, err = s.Close(w.ctx(), w.month, "", "u1")
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "it needs a reason")
		list, err := s.Checklist(w.ctx(), w.month)
		require.NoError(t, err)
		require.Nil(t, list.Closing)

		w.exec("UPDATE attempts SET status = 'absent', live = ? WHERE id = ?", false, lost.id)
		w.compares()
		require.Empty(t, unmet())
		closing, err := s.Close(w.ctx(), w.month, "", "u1")
		require.NoError(t, err)
		assert.Empty(t, closing.Reason)
		_, err = s.Close(w.ctx(), w.month, "", "u2")
		assert.Equal(t, apperr.Conflict, apperr.KindOf(err))
		list, err = s.Checklist(w.ctx(), w.month)
		require.NoError(t, err)
		require.NotNil(t, list.Closing)
		assert.Equal(t, "u1", list.Closing.ClosedBy)
	})
}

func TestAMonthIsClosedInSpiteOfADifferenceByName(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.receipt()
		w.sends("needs_decision", "")
		w.finalized()
		w.compares()
		_, err := w.service().Close(w.ctx(), w.month, "供应商确认没有这笔申请", "u1")
		require.NoError(t, err)
		list, err := w.service().Checklist(w.ctx(), w.month)
		require.NoError(t, err)
		assert.Equal(t, "供应商确认没有这笔申请", list.Closing.Reason)
		assert.Equal(t, []reconcile.Condition{{Name: reconcile.AllSettled, N: 1}, {Name: reconcile.NothingOpen, N: 1}}, list.Closing.Unmet)
		_, err = d.NewRaw("UPDATE month_closings SET reason = 'x'").Exec(w.ctx())
		require.Error(t, err, "what was signed does not change")
	})
}
