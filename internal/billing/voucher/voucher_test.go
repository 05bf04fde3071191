package voucher_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/billing/billingtest"
	"huizhi/internal/billing/voucher"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/tenants"
)

func layout(t *testing.T, s *voucher.Service, id string) *voucher.Layout {
	t.Helper()
	l, err := s.Layout(context.Background(), id)
	require.NoError(t, err)
	return l
}

// table lays vouchers out as text.
func table(t *testing.T, l *voucher.Layout, vouchers []voucher.Voucher) []string {
	t.Helper()
	var out []string
	for i := range vouchers {
		require.NoError(t, l.Rows(&vouchers[i], func(cells ...any) error {
			texts := make([]string, len(cells))
			for c, cell := range cells {
				texts[c] = fmt.Sprint(cell)
			}
			out = append(out, strings.Join(texts, "|"))
			return nil
		}))
	}
	return out
}

func TestAMonthIsBooked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		x := billingtest.New(t, d, "晨光照相馆", 10600)
		september := x.Invoice("2026-09") // made final, and so booked, in October
		x.Pay(september, 5000, "BANK-1", "2026-10-09")
		x.Credit(september, 1060, "重复计费", "", "2026-10")
		x.Invoice("2026-10")
		s := &voucher.Service{DB: d, Billing: x.Billing}
		all := billing.AllBooks(tenants.AllTenants("a test books for all"))

		kis := layout(t, s, "kis")
		vouchers, err := s.Month(ctx, all, kis, "2026-10")
		require.NoError(t, err)
		assert.Equal(t, []string{
			"2026-10-01|记|1|1|2026-09 回执服务费 晨光照相馆 INV2026-000001|1122|应收账款|10600|0|人民币|1|晨光照相馆",
			"2026-10-01|记|1|1|2026-09 回执服务费 晨光照相馆 INV2026-000001|6001|主营业务收入|0|10000|人民币|1|",
			"2026-10-01|记|1|1|2026-09 回执服务费 晨光照相馆 INV2026-000001|22210106|应交税费-应交增值税-销项税额|0|600|人民币|1|",
			"2026-10-02|记|2|1|冲减 INV2026-000001 晨光照相馆 CN2026-000001|1122|应收账款|-1060|0|人民币|1|晨光照相馆",
			"2026-10-02|记|2|1|冲减 INV2026-000001 晨光照相馆 CN2026-000001|6001|主营业务收入|0|-1000|人民币|1|",
			"2026-10-02|记|2|1|冲减 INV2026-000001 晨光照相馆 CN2026-000001|22210106|应交税费-应交增值税-销项税额|0|-60|人民币|1|",
			"2026-10-09|记|3|1|收款 晨光照相馆 INV2026-000001 BANK-1|1002|银行存款|5000|0|人民币|1|",
			"2026-10-09|记|3|1|收款 晨光照相馆 INV2026-000001 BANK-1|1122|应收账款|0|5000|人民币|1|晨光照相馆",
		}, table(t, kis, vouchers))

		withoutBank := *kis
		withoutBank.Accounts = map[voucher.Side]voucher.Account{voucher.Receivable: {Code: "1"}, voucher.Revenue: {Code: "2"}, voucher.Tax: {Code: "3"}}
		vouchers, err = s.Month(ctx, all, &withoutBank, "2026-10")
		require.NoError(t, err)
		assert.Len(t, vouchers, 2, "the bank's own vouchers have the money")
		vouchers, err = s.Month(ctx, billing.BooksOf(x.Scope), kis, "2026-11")
		require.NoError(t, err)
		require.Len(t, vouchers, 1)
		assert.Equal(t, 1, vouchers[0].Number, "numbers begin anew each month")
	})
}

// What goes through a wallet was received before: it is booked against advances.
func TestMoneyThroughAWalletIsBookedOnAdvances(t *testing.T) {
	t.Parallel()
	topUp := billing.Movement{Day: "2026-10-01", Kind: billing.MovedTopUp, Fen: -10000, Reference: "BANK-1"}
	paid := billing.Movement{Day: "2026-10-02", Kind: billing.MovedPayment, Method: billing.MethodWallet, Fen: -500}
	s := &voucher.Service{DB: dbtest.SQLite(t)}
	l := layout(t, s, "kis")
	booked, err := voucher.BookAll(l, []billing.Movement{topUp, paid}, nil)
	require.NoError(t, err)
	require.Len(t, booked, 2)
	assert.Equal(t, []voucher.Line{{Account: voucher.Bank, DebitFen: 10000}, {Account: voucher.Advance, CreditFen: 10000}}, booked[0].Lines)
	assert.Equal(t, []voucher.Line{{Account: voucher.Advance, DebitFen: 500}, {Account: voucher.Receivable, CreditFen: 500}}, booked[1].Lines)
	delete(l.Accounts, voucher.Advance)
	booked, err = voucher.BookAll(l, []billing.Movement{topUp, paid}, nil)
	require.NoError(t, err)
	assert.Empty(t, booked, "without the account, they are booked elsewhere")
}

func TestDebitsAreCreditsInWhateverIsBooked(t *testing.T) {
	t.Parallel()
	for _, kind := range voucher.Kinds {
		for _, fen := range []int64{1, -1, 106, 123456789, -99} {
			for _, tax := range []int64{0, 1, 7} {
				v, err := voucher.Book(billing.Movement{Day: "2026-10-01", Kind: kind, Fen: fen, TaxFen: tax}, "x", 1)
				require.NoError(t, err)
				sum := int64(0)
				for _, l := range v.Lines {
					sum += l.DebitFen - l.CreditFen
					assert.True(t, l.DebitFen == 0 || l.CreditFen == 0, "an entry is on one side")
				}
				assert.Zero(t, sum, "%s of %d with %d tax", kind, fen, tax)
			}
		}
	}
	_, err := voucher.Book(billing.Movement{Kind: "gift"}, "x", 1)
	assert.Error(t, err)
}

func TestEveryBuiltInLayoutCanBeUsedAsItIs(t *testing.T) {
	t.Parallel()
	s := &voucher.Service{DB: dbtest.SQLite(t)}
	all, err := s.Layouts(context.Background())
	require.NoError(t, err)
	require.Len(t, all, 4)
	for _, l := range all {
		require.NoError(t, l.Check(), l.Name)
		vouchers, err := voucher.BookAll(&l, voucher.Invented("2026-10"), map[string]string{"": "示例"})
		require.NoError(t, err)
		assert.Len(t, table(t, &l, vouchers), 5, l.Name)
		parsed, err := voucher.ParseColumns(voucher.FormatColumns(l.Columns))
		require.NoError(t, err)
		assert.Equal(t, l.Columns, parsed, "what is shown in the form comes back the same")
	}
}

func TestALayoutIsChangedAndReset(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := &voucher.Service{DB: d}
		l := layout(t, s, "u8")
		l.Accounts[voucher.Revenue] = voucher.Account{Code: " 600101 ", Name: "回执收入"}
		l.Word, l.Name = "转", "something else"
		for range 2 {
			require.NoError(t, s.Save(ctx, *l, "test", db.Now()))
		}
		got := layout(t, s, "u8")
		assert.Equal(t, voucher.Account{Code: "600101", Name: "回执收入"}, got.Accounts[voucher.Revenue])
		assert.Equal(t, "用友 U8", got.Name)
		assert.Equal(t, "6001", layout(t, s, "kis").Accounts[voucher.Revenue].Code, "the others stay as they are")
		require.NoError(t, s.Reset(ctx, "u8"))
		assert.Equal(t, "记", layout(t, s, "u8").Word)
		assert.Equal(t, apperr.NotFound, apperr.KindOf(s.Save(ctx, voucher.Layout{ID: "x", Word: "记", First: 1, Accounts: l.Accounts, Texts: l.Texts, Columns: l.Columns}, "test", db.Now())))
	})
}

func TestALayoutThatCannotBeImportedIsRefused(t *testing.T) {
	t.Parallel()
	s := &voucher.Service{DB: dbtest.SQLite(t)}
	for name, spoil := range map[string]func(*voucher.Layout){
		"word":         func(l *voucher.Layout) { l.Word = "" },
		"first":        func(l *voucher.Layout) { l.First = 0 },
		"code.revenue": func(l *voucher.Layout) { l.Accounts[voucher.Revenue] = voucher.Account{} },
		"code.tax":     func(l *voucher.Layout) { l.Accounts[voucher.Tax] = voucher.Account{Code: "=1+1"} },
		"text.invoice": func(l *voucher.Layout) { l.Texts[billing.MovedInvoice] = " " },
		"columns":      func(l *voucher.Layout) { l.Columns = l.Columns[:3] },
	} {
		l := layout(t, s, "u8")
		spoil(l)
		fields, ok := apperr.AsFields(s.Save(context.Background(), *l, "test", db.Now()))
		require.True(t, ok, name)
		assert.Equal(t, name, fields[0].Field)
	}
	for _, text := range []string{"摘要", "摘要 = ", "= summary", "摘要 = nothing", "摘要 = \""} {
		_, err := voucher.ParseColumns("日期 = date\n" + text)
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err), text)
	}
}

// FuzzParseColumns: what is read is written and read again the same.
func FuzzParseColumns(f *testing.F) {
	for _, s := range []string{"日期 = date\n摘要=summary", "币别 = \"人民币\"", "a = \"=\"\n\n", "= ="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		columns, err := voucher.ParseColumns(text)
		if err != nil {
			return
		}
		again, err := voucher.ParseColumns(voucher.FormatColumns(columns))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(columns) {
			t.Errorf("%q became %q: %v", columns, again, err)
		}
	})
}
