package stripe_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76/webhook"
	"github.com/uptrace/bun"

	"huizhi/internal/billing"
	"huizhi/internal/billing/stripe"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/jobs"
	"huizhi/internal/tenants"
)

const secret = "whsec_test"

// finance is one tenant with one final invoice, and a Stripe account.
type finance struct {
	t       *testing.T
	d       *db.DB
	sc      tenants.Scope
	billing *billing.Service
	stripe  *stripe.Service
	remote  *standIn
	queue   *jobs.Queue
	invoice string
	contact stripe.Contact
}

// now is after the month of the invoice and before it is due.
var now = time.Date(2026, 11, 3, 2, 0, 0, 0, time.UTC)

var contact = stripe.Contact{Name: "晨光照相馆", Email: "finance@example.com"}

// receipts is a line of n receipts.
func receipts(ordinal, n int, unitFen int64) billing.Line {
	return billing.Line{Ordinal: ordinal, Kind: billing.LineReceipts, TypeID: ordinal, TypeName: fmt.Sprintf("类型%d", ordinal), FromDay: "2026-10-01", UntilDay: "2026-10-31",
		UnitPoints: 500, UnitFen: unitFen, Receipts: int64(n), AmountFen: int64(n) * unitFen, TaxBP: 600, TaxIncluded: true}
}

func newFinance(t *testing.T, d *db.DB, lines ...billing.Line) *finance {
	t.Helper()
	ctx := context.Background()
	if len(lines) == 0 {
		lines = []billing.Line{receipts(1, 12, 500), receipts(2, 8, 500)} // ¥100.00
	}
	f := &finance{t: t, d: d, billing: billing.NewService(d), remote: newStandIn(t), contact: contact}
	tenant := &tenants.Tenant{ID: db.NewID(), Name: f.contact.Name, Kind: tenants.KindStore, CreatedAt: now}
	_, err := d.NewInsert().Model(tenant).Exec(ctx)
	require.NoError(t, err)
	f.sc = tenants.ForTenant(tenant.ID)
	number := "INV2026-000001"
	inv := &billing.Invoice{TenantID: tenant.ID, ID: db.NewID(), Month: "2026-10", State: billing.StateFinalized, Number: &number, DueDay: "2026-12-01",
		Taxes: []billing.TaxLine{}, CreatedAt: now, UpdatedAt: now, FinalizedAt: &now}
	for i := range lines {
		lines[i].TenantID, lines[i].InvoiceID = tenant.ID, inv.ID
		inv.TotalFen += lines[i].AmountFen
		inv.Receipts += lines[i].Receipts
		if l := &lines[i]; !l.TaxIncluded {
			tax := l.AmountFen * l.TaxBP / 10000
			inv.TaxFen += tax
			inv.TotalFen += tax
			inv.Taxes = append(inv.Taxes, billing.TaxLine{BP: l.TaxBP, AmountFen: l.AmountFen, NetFen: l.AmountFen, TaxFen: tax, TotalFen: l.AmountFen + tax})
		}
	}
	inv.NetFen = inv.TotalFen - inv.TaxFen
	f.invoice = inv.ID
	_, err = d.NewInsert().Model(inv).Exec(ctx)
	require.NoError(t, err)
	_, err = d.NewInsert().Model(&lines).Exec(ctx)
	require.NoError(t, err)
	f.queue, err = jobs.Open(ctx, d, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	f.stripe = stripe.New(stripe.Config{DB: d, Jobs: f.queue, Billing: f.billing, Key: f.remote.secret, URL: f.remote.URL, Secret: secret,
		Contact: func(context.Context, tenants.Scope) (stripe.Contact, error) { return f.contact, nil }})
	f.billing.Follow(f.stripe.Changed)
	return f
}

func (f *finance) push() error { return f.stripe.Push(context.Background(), f.sc, f.invoice, now) }

// pushed is the state after a push.
func (f *finance) pushed() *stripe.Invoice {
	f.t.Helper()
	require.NoError(f.t, f.push())
	row, err := f.stripe.Invoice(context.Background(), f.sc, f.invoice)
	require.NoError(f.t, err)
	return row
}

func (f *finance) ours() *billing.Detail {
	f.t.Helper()
	d, err := f.billing.Invoice(context.Background(), f.sc, f.invoice)
	require.NoError(f.t, err)
	return d
}

func (f *finance) bank(fen int64, reference string) {
	f.t.Helper()
	_, err := f.billing.RecordPayment(context.Background(), f.sc, f.invoice, billing.NewPayment{Fen: fen, Reference: reference, Day: "2026-11-03"}, "test", now)
	require.NoError(f.t, err)
}

func (f *finance) credit(fen, before int64, refund string) {
	f.t.Helper()
	_, err := f.billing.IssueCredit(context.Background(), f.sc, f.invoice, billing.NewCredit{Fen: fen, Before: before, Reason: "照片重拍", Refund: refund}, "test", now)
	require.NoError(f.t, err)
}

// jobsOf counts the jobs of a kind that wait.
func (f *finance) jobsOf(kind string) int64 {
	f.t.Helper()
	n, err := f.d.NewSelect().Table("river_job").Where("kind = ?", kind).Count(context.Background())
	require.NoError(f.t, err)
	return n
}

func TestAFinalInvoiceIsAtStripeOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFinance(t, d)
		row := f.pushed()
		inv, items, _ := f.remote.only(t)
		assert.Equal(t, "open", inv["status"])
		assert.Equal(t, "cny", inv["currency"])
		assert.EqualValues(t, 10000, inv["total"])
		assert.Equal(t, object{"tenant_id": f.sc.TenantID(), "invoice_id": f.invoice}, inv["metadata"])
		assert.Equal(t, "类型1，12 个，每个 ¥5.00", items[0]["description"])
		assert.Equal(t, inv["hosted_invoice_url"], row.HostedURL)
		assert.Equal(t, "open", row.Status)
		assert.Zero(t, f.remote.mails, "it has not been sent by us yet")

		calls := len(f.remote.calls)
		f.remote.forget()
		f.pushed()
		assert.Len(t, f.remote.calls, calls, "pushed again, nothing is to be done")

		_, err := f.billing.Send(context.Background(), f.sc, f.invoice, "test", now)
		require.NoError(t, err)
		f.pushed()
		f.remote.forget()
		f.pushed()
		assert.Equal(t, 1, f.remote.mails)
	})
}

func TestLinesAreGroupedAndAddUp(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	same := receipts(2, 3, 500)
	same.TypeName = "类型1" // the same type at the same price, in another span of the month
	added := receipts(3, 10, 100)
	added.TaxIncluded = false
	free := receipts(4, 7, 0)
	minimum := billing.Line{Ordinal: 5, Kind: billing.LineMinimum, AmountFen: 5000, TaxIncluded: true}
	f := newFinance(t, d, receipts(1, 2, 500), same, added, free, minimum)
	f.pushed()
	_, items, _ := f.remote.only(t)
	var got []string
	for _, i := range items {
		got = append(got, fmt.Sprint(i["description"], " = ", i["amount"]))
	}
	assert.Equal(t, []string{"类型1，5 个，每个 ¥5.00 = 2500", "类型3，10 个，每个 ¥1.00 = 1000", "补足最低消费 = 5000", "税 6% = 60"}, got)
}

func TestMoreThan250LinesAreFolded(t *testing.T) {
	t.Parallel()
	var lines []billing.Line
	for i := range 400 {
		lines = append(lines, receipts(i+1, 1, int64(100+i)))
	}
	f := newFinance(t, dbtest.SQLite(t), lines...)
	f.pushed()
	inv, items, _ := f.remote.only(t)
	assert.Len(t, items, 250)
	assert.Equal(t, f.ours().TotalFen, inv["total"])
	assert.Equal(t, "其余 151 种，见账单明细", items[249]["description"])
}

// The process dies after each single call, before it learns the answer: the next
// runs come to the same end as one that nothing happened to.
func TestAPushThatIsKilledAnywhereIsRunAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, forgotten := range []bool{false, true} {
			for killed := 1; ; killed++ {
				f := newFinance(t, d)
				_, err := d.NewUpdate().Table("invoices").Set("number = ?", "INV-"+f.invoice).Where("id = ?", f.invoice).Exec(context.Background())
				require.NoError(t, err)
				f.credit(1000, 0, "")
				f.remote.lose = killed
				err = f.push()
				if err == nil {
					require.Greater(t, killed, 10)
					break
				}
				if forgotten {
					f.remote.forget()
				}
				row := f.pushed()
				inv, items, notes := f.remote.only(t)
				assert.Len(t, f.remote.customers, 1, "killed at call %d", killed)
				assert.Len(t, items, 2)
				assert.Len(t, notes, 1)
				assert.Equal(t, "open", inv["status"])
				assert.EqualValues(t, 9000, inv["amount_remaining"])
				assert.Empty(t, row.Problem)
			}
		}
	})
}

func TestWhatHappensToOurInvoiceHappensAtStripe(t *testing.T) {
	ctx := context.Background()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for name, test := range map[string]struct {
			do     func(*finance)
			status string
			left   int64
			notes  int
		}{
			"void":           {func(f *finance) { _, _ = f.billing.Void(ctx, f.sc, f.invoice, "test", now) }, "void", 10000, 0},
			"written off":    {func(f *finance) { _, _ = f.billing.WriteOff(ctx, f.sc, f.invoice, "test", now) }, "uncollectible", 10000, 0},
			"paid by bank":   {func(f *finance) { f.bank(10000, "a") }, "paid", 0, 0},
			"partly paid":    {func(f *finance) { f.bank(4000, "a") }, "open", 6000, 1},
			"paid in parts":  {func(f *finance) { f.bank(4000, "a"); require.NoError(f.t, f.push()); f.bank(6000, "b") }, "paid", 0, 1},
			"credited":       {func(f *finance) { f.credit(3000, 0, "") }, "open", 7000, 1},
			"credited whole": {func(f *finance) { f.credit(3000, 0, ""); f.credit(7000, 3000, "") }, "paid", 0, 2},
			"credit and bank": {func(f *finance) { f.credit(3000, 0, ""); f.bank(7000, "a") },
				"paid", 0, 1},
			"given back": {func(f *finance) { f.bank(10000, "a"); f.credit(2500, 0, "退款 1") }, "paid", 0, 1},
		} {
			f := newFinance(t, d)
			_, err := d.NewUpdate().Table("invoices").Set("number = ?", "INV-"+f.invoice).Where("id = ?", f.invoice).Exec(ctx)
			require.NoError(t, err)
			f.pushed()
			test.do(f)
			for range 2 {
				f.remote.forget()
				row := f.pushed()
				inv, _, notes := f.remote.only(t)
				assert.Equal(t, test.status, inv["status"], name)
				assert.Equal(t, test.status, row.Status, name)
				assert.Equal(t, test.left, inv["amount_remaining"], name)
				assert.Len(t, notes, test.notes, name)
				assert.Empty(t, row.Problem)
			}
			for _, p := range f.ours().Payments {
				assert.Equal(t, billing.MethodBankTransfer, p.Method, "%s: what came by bank is not recorded again", name)
			}
			assert.NotZero(t, f.jobsOf("stripe_push"))
		}
	})
}

// A change that is rolled back leaves no job, and one that is committed leaves one.
func TestAPushBelongsToTheChange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFinance(t, d)
		_, err := f.billing.RecordPayment(context.Background(), f.sc, f.invoice, billing.NewPayment{Fen: 10001, Reference: "a", Day: "2026-11-03"}, "test", now)
		require.Error(t, err)
		assert.Zero(t, f.jobsOf("stripe_push"))
		f.bank(100, "a")
		assert.EqualValues(t, 1, f.jobsOf("stripe_push"))
	})
}

func TestAnInvoiceThatIsSettledStaysHere(t *testing.T) {
	t.Parallel()
	f := newFinance(t, dbtest.SQLite(t))
	f.bank(10000, "a")
	assert.Nil(t, f.pushed())
	assert.Empty(t, f.remote.calls)
}

func TestAFailureIsSeenAndPasses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFinance(t, d)
		ctx := context.Background()
		problem := func() string {
			row, err := f.stripe.Invoice(ctx, f.sc, f.invoice)
			require.NoError(t, err)
			return row.Problem
		}
		key := f.remote.secret
		f.remote.secret = "sk_other"
		err := f.push()
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret details", "Stripe's own message may hold what was sent")
		assert.Equal(t, "error.stripe.refused", problem())
		f.remote.secret = key
		f.remote.lose = f.remote.seen + 1
		require.Error(t, f.push())
		assert.Equal(t, "error.stripe.unreachable", problem())
		assert.Empty(t, f.pushed().Problem)

	})
}

// A total that Stripe counts differently is never shown to the customer.
func TestAnInvoiceThatDoesNotAddUpStaysADraft(t *testing.T) {
	t.Parallel()
	f := newFinance(t, dbtest.SQLite(t))
	f.remote.lose = 8 // the second line is there, the answer is not
	require.Error(t, f.push())
	inv, items, _ := f.remote.only(t)
	require.Len(t, items, 2, "%v", f.remote.calls)
	f.remote.invoices[inv["id"].(string)]["total"] = int64(9999)
	require.Error(t, f.push())
	inv, _, _ = f.remote.only(t)
	assert.Equal(t, "draft", inv["status"])
	row, err := f.stripe.Invoice(context.Background(), f.sc, f.invoice)
	require.NoError(t, err)
	assert.Equal(t, "error.stripe.total", row.Problem)

	_, err = f.billing.Void(context.Background(), f.sc, f.invoice, "test", now)
	require.NoError(t, err)
	assert.Equal(t, "deleted", f.pushed().Status)
	assert.Equal(t, "deleted", f.pushed().Status)
	assert.Empty(t, f.remote.invoices)
}

// hook is a webhook as Stripe sends it.
func hook(id, kind, object string, signed time.Time) (body []byte, signature string) {
	p := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Secret: secret, Timestamp: signed,
		Payload: fmt.Appendf(nil, `{"id":%q,"object":"event","type":%q,"api_version":"2026-08-26.dahlia","data":{"object":{"id":%q}}}`, id, kind, object)})
	return p.Payload, p.Header
}

func (f *finance) receive(id, kind, object string) {
	f.t.Helper()
	body, signature := hook(id, kind, object, time.Now())
	require.NoError(f.t, f.stripe.Receive(context.Background(), body, signature, now))
}

func (f *finance) handle(id string) {
	f.t.Helper()
	require.NoError(f.t, f.stripe.Handle(context.Background(), id, now))
}

func (f *finance) events() int64 {
	f.t.Helper()
	n, err := f.d.NewSelect().Table("stripe_events").Count(context.Background())
	require.NoError(f.t, err)
	return n
}

func TestAPaymentAtStripeIsRecordedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFinance(t, d)
		id := *f.pushed().StripeID
		f.bank(4000, "a")
		f.pushed()
		f.remote.pay(id, time.Date(2026, 11, 2, 18, 0, 0, 0, time.UTC).Unix())

		// What says that it was paid comes first, twice; what came before it comes last.
		f.receive("evt_2", "invoice.paid", id)
		f.receive("evt_2", "invoice.paid", id)
		f.receive("evt_1", "invoice.finalized", id)
		assert.EqualValues(t, 2, f.events())
		assert.EqualValues(t, 2, f.jobsOf("stripe_event"))
		for _, e := range []string{"evt_2", "evt_2", "evt_1"} {
			f.handle(e)
		}
		inv := f.ours()
		assert.Equal(t, billing.StatePaid, inv.State)
		require.Len(t, inv.Payments, 2)
		p := inv.Payments[1]
		assert.Equal(t, []any{int64(6000), "stripe", "pi_" + id, "2026-11-03", "stripe"}, []any{p.Fen, p.Method, p.Reference, p.PaidDay, p.RecordedBy})
		row := f.pushed()
		assert.Equal(t, "paid", row.Status)
		assert.Empty(t, row.Problem)
		assert.Len(t, f.ours().Payments, 2, "the push that the payment causes records nothing")

		f.credit(1000, 0, "re_123")
		f.pushed()
		_, _, notes := f.remote.only(t)
		assert.Contains(t, notes[len(notes)-1]["memo"], "re_123")
	})
}

// A payment whose webhook never comes is found by a push, which comes within a day.
func TestAPushSeesThePayment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFinance(t, d)
		f.remote.pay(*f.pushed().StripeID, now.Unix())
		for _, c := range []struct {
			after time.Duration
			jobs  int64
		}{{23 * time.Hour, 0}, {25 * time.Hour, 1}, {26 * time.Hour, 1}} {
			require.NoError(t, f.stripe.Refresh(context.Background(), tenants.AllTenants("test"), now.Add(c.after)))
			assert.Equal(t, c.jobs, f.jobsOf("stripe_push"), "after %v", c.after)
		}
		f.pushed()
		assert.Equal(t, billing.StatePaid, f.ours().State)
	})
}

// The tenant paid on the page while the transfer was on its way: nothing is
// recorded twice, and a person is told.
func TestAPaymentTooManyIsLeftToAPerson(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFinance(t, d)
		id := *f.pushed().StripeID
		f.remote.pay(id, now.Unix())
		f.bank(10000, "a")
		f.receive("evt_1", "invoice.paid", id)
		f.handle("evt_1")
		assert.Equal(t, "error.stripe.payment", f.pushed().Problem)
		assert.Len(t, f.ours().Payments, 1)
	})
}

func TestUnknownAndForeignEventsChangeNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFinance(t, d)
		f.receive("evt_1", "payout.paid", "po_1")
		f.receive("evt_2", "invoice.upcoming", "")
		assert.Zero(t, f.events())
		f.receive("evt_3", "invoice.paid", "in_of_another_program")
		f.handle("evt_3")
		assert.Equal(t, billing.StateFinalized, f.ours().State)
		assert.Zero(t, f.remote.seen, "what we did not make is not asked for")
	})
}

func TestABadSignatureWritesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFinance(t, d)
		ctx := context.Background()
		fresh, signature := hook("evt_1", "invoice.paid", "in_1", time.Now())
		old, oldSignature := hook("evt_1", "invoice.paid", "in_1", time.Now().Add(-time.Hour))
		require.ErrorIs(t, f.stripe.Receive(ctx, append(fresh, ' '), signature, now), stripe.ErrSignature)
		require.ErrorIs(t, f.stripe.Receive(ctx, old, oldSignature, now), stripe.ErrSignature)
		require.ErrorIs(t, f.stripe.Receive(ctx, fresh, "", now), stripe.ErrSignature)
		assert.Zero(t, f.events())
		assert.Zero(t, f.jobsOf("stripe_event"))
	})
}

// The whole way through the queue: final invoice, job, Stripe, webhook, job, paid.
func TestThroughTheQueue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		f := newFinance(t, d)
		f.stripe.Register(f.queue)
		require.NoError(t, f.queue.Start(ctx))
		t.Cleanup(func() { require.NoError(t, f.queue.Stop(context.Background())) })
		final := f.ours()
		err := d.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			return f.stripe.Changed(ctx, tx, f.sc, &final.Invoice)
		})
		require.NoError(t, err)
		var id string
		require.Eventually(t, func() bool {
			row, err := f.stripe.Invoice(ctx, f.sc, f.invoice)
			if err != nil || row == nil || row.Status != "open" {
				return false
			}
			id = *row.StripeID
			return true
		}, time.Minute, 20*time.Millisecond)
		f.remote.pay(id, now.Unix())
		f.receive("evt_1", "invoice.paid", id)
		require.Eventually(t, func() bool { return f.ours().State == billing.StatePaid }, time.Minute, 20*time.Millisecond)
	})
}

// What Stripe has is read back as it is compared with our invoices: ours alone, and
// what was paid there apart from what was paid elsewhere.
func TestEachInvoiceOfOursIsReadBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFinance(t, d)
		row := f.pushed()
		f.remote.mu.Lock()
		f.remote.invoices["in_foreign"] = object{"id": "in_foreign", "object": "invoice", "status": "open", "total": int64(1)}
		f.remote.mu.Unlock()
		read := func() (all []stripe.Remote) {
			require.NoError(t, f.stripe.EachInvoice(context.Background(), now, func(r stripe.Remote) error {
				r.CreatedAt = time.Time{}
				all = append(all, r)
				return nil
			}))
			return all
		}
		open := stripe.Remote{ID: *row.StripeID, TenantID: f.sc.TenantID(), InvoiceID: f.invoice, Status: "open", TotalFen: 10000}
		assert.Equal(t, []stripe.Remote{open}, read())

		f.remote.pay(*row.StripeID, now.Unix())
		paid := open
		paid.Status, paid.PaidFen, paid.Reference = "paid", 10000, "pi_"+*row.StripeID
		assert.Equal(t, []stripe.Remote{paid}, read())

		f.remote.secret = "another"
		err := f.stripe.EachInvoice(context.Background(), now, func(stripe.Remote) error { return nil })
		var failed *stripe.Failure
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, 401, failed.Status)
	})
}
