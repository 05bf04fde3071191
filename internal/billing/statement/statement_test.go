package statement_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/billing/billingtest"
	"huizhi/internal/billing/statement"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/tenants"
)

// account is a tenant with a history: August is paid in part and credited,
// September void, October paid and then refunded in part.
func account(t testing.TB, d *db.DB) (*billingtest.Tenant, *statement.Service) {
	x := billingtest.New(t, d, "晨光照相馆", 10600)
	august, september, october := x.Invoice("2026-08"), x.Invoice("2026-09"), x.Invoice("2026-10")
	x.Pay(august, 4000, "BANK-1", "2026-09-20")
	x.Credit(august, 600, "重复计费", "", "2026-10")
	_, err := x.Billing.Void(context.Background(), x.Scope, september.ID, "test", billing.Month("2026-10").Start().AddDate(0, 0, 4).UTC())
	require.NoError(t, err)
	x.Pay(october, 10600, "BANK-2", "2026-11-05")
	x.Credit(october, 1060, "服务中断", "BANK-3", "2026-11")
	return x, &statement.Service{Billing: x.Billing, Tenant: func(ctx context.Context, sc tenants.Scope) (*tenants.Tenant, error) { return tenants.Load(ctx, d, sc) }}
}

func of(t testing.TB, x *billingtest.Tenant, s *statement.Service, from, until billing.Month) *statement.Statement {
	t.Helper()
	st, err := s.Of(context.Background(), x.Scope, billing.Span{From: from, Until: until}, billing.Month("2026-12").Start())
	require.NoError(t, err)
	return st
}

func TestAStatementSaysWhatWasOwedAndWhy(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x, s := account(t, d)
		billingtest.New(t, d, "别家", 999900).Invoice("2026-10")
		st := of(t, x, s, "2026-10", "2026-11")
		assert.EqualValues(t, 10600-4000, st.OpeningFen, "August, made final on 1 September, less what was paid on the 20th")
		var got []string
		for _, e := range st.Entries {
			got = append(got, strings.Join([]string{e.Day, string(e.Kind), e.Number, e.Reference}, " "))
		}
		assert.Equal(t, []string{
			"2026-10-01 invoice INV2026-000002 ",
			"2026-10-02 credit CN2026-000001 重复计费",
			"2026-10-05 void INV2026-000002 ",
			"2026-11-01 invoice INV2026-000003 ",
			"2026-11-02 credit CN2026-000002 服务中断",
			"2026-11-02 refund CN2026-000002 BANK-3",
			"2026-11-05 payment INV2026-000003 BANK-2",
		}, got)
		assert.EqualValues(t, 10600, st.InvoicedFen, "what was void again does not count")
		assert.EqualValues(t, 600+1060, st.CreditedFen)
		assert.EqualValues(t, 10600-1060, st.PaidFen, "less what was given back")
		assert.Equal(t, st.ClosingFen, st.OpeningFen+st.InvoicedFen-st.CreditedFen-st.PaidFen)
	})
}

// Whatever the period, the closing balance is the opening balance of the next, and
// the last one is what is open on the invoices.
func TestStatementsFollowOnEachOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x, s := account(t, d)
		before := of(t, x, s, "2026-07", "2026-07")
		assert.True(t, before.Empty())
		for m := billing.Month("2026-08"); m <= "2026-12"; m = m.Add(1) {
			next := of(t, x, s, m, m)
			assert.Equal(t, before.ClosingFen, next.OpeningFen, m)
			before = next
		}
		whole := of(t, x, s, "2026-01", "2026-12")
		assert.Equal(t, before.ClosingFen, whole.ClosingFen)
		invoices, err := x.Billing.Invoices(context.Background(), x.Scope)
		require.NoError(t, err)
		open := int64(0)
		for i := range invoices {
			open += invoices[i].OpenFen()
		}
		assert.Equal(t, open, whole.ClosingFen)
	})
}

func TestTheRowsOfAStatementAddUp(t *testing.T) {
	t.Parallel()
	x, s := account(t, dbtest.SQLite(t))
	st := of(t, x, s, "2026-10", "2026-11")
	var rows [][]any
	require.NoError(t, st.Rows(context.Background(), func(cells ...any) error { rows = append(rows, cells); return nil }))
	require.Len(t, rows, len(st.Entries)+2)
	for _, r := range rows {
		assert.Len(t, r, len(statement.Columns(context.Background())))
	}
	assert.Equal(t, "期初余额", rows[0][2])
	assert.Equal(t, "期末余额", rows[len(rows)-1][2])
}

func TestAStatementAsPDFIsSmallAndAlwaysTheSame(t *testing.T) {
	t.Parallel()
	x, s := account(t, dbtest.SQLite(t))
	write := func() []byte {
		var out bytes.Buffer
		require.NoError(t, of(t, x, s, "2026-08", "2026-11").WritePDF(context.Background(), &out))
		return out.Bytes()
	}
	file := write()
	assert.Equal(t, file, write())
	assert.Less(t, len(file), 100_000, "only the characters that are used are embedded")
}
