package billing_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

func TestABankStatementIsReadHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	want := billing.Remittance{Fen: 150_000, Day: "2026-12-01", Payer: "深圳晨光照相馆有限公司", Reference: "20261201000123456", Note: "INV2026-000012 十月"}
	for name, text := range map[string]string{
		"a statement with headings": "交易日期\t借方发生额\t贷方发生额\t余额\t对方户名\t对方账号\t流水号\t附言\n" +
			"2026-12-01\t\t1,500.00\t98,765.43\t深圳晨光照相馆有限公司\t6222021234567890123\t20261201000123456\tINV2026-000012 十月",
		"tabs without headings": "2026/12/1\t深圳晨光照相馆有限公司\t20261201000123456\t¥1,500.00\t98,765.43\tINV2026-000012 十月",
		"commas":                "2026年12月1日,深圳晨光照相馆有限公司,1,500.00,20261201000123456,INV2026-000012 十月",
		"commas with headings": "交易日期,收入金额,对方户名,流水号,附言\n" +
			"2026-12-01,1500.00,深圳晨光照相馆有限公司,20261201000123456,INV2026-000012 十月",
		"labels":    "2026-12-01  付款人：深圳晨光照相馆有限公司  金额 1,500.00  流水号:20261201000123456  附言 INV2026-000012 十月",
		"wide gaps": "20261201   +1500元   深圳晨光照相馆有限公司   20261201000123456   INV2026-000012 十月",
	} {
		read, unread := billing.ParseRemittances("\uFEFF"+text+"\r\n\r\n", 10)
		require.Empty(t, unread, name)
		require.Len(t, read, 1, name)
		got := read[0]
		got.Text = ""
		assert.Equal(t, want, got, name)
	}

	read, unread := billing.ParseRemittances("你好\n2026-12-01 晨光照相馆 60.00\n余额不足\n2026-12-01\t支出\t晨光", 10)
	require.Len(t, read, 1)
	assert.Equal(t, billing.Remittance{Text: "2026-12-01 晨光照相馆 60.00", Fen: 6000, Day: "2026-12-01", Payer: "晨光照相馆"}, read[0])
	assert.Len(t, unread, 3, "what has no amount is said to be unread, never dropped")

	read, unread = billing.ParseRemittances(strings.Repeat("晨光 1.00\n", 12), 10)
	assert.Len(t, read, 10)
	assert.Len(t, unread, 2, "more than are read at once are not dropped either")
}

func FuzzParseRemittances(f *testing.F) {
	f.Add("2026-12-01\t晨光\t1,500.00\tINV2026-000012")
	f.Add("日期,金额,户名\n2026-12-01,1500,晨光")
	f.Add("\x00\xff;;;||\t 1.1.1 ¥ 99999999999999999999.99")
	f.Fuzz(func(t *testing.T, text string) {
		read, unread := billing.ParseRemittances(text, 20)
		lines := len(strings.Split(text, "\n"))
		assert.LessOrEqual(t, len(read)+len(unread), lines)
		assert.LessOrEqual(t, len(read), 20)
		for _, r := range read {
			assert.Positive(t, r.Fen)
		}
	})
}

func TestTransfersAreMatchedWithReasons(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		a, b := newLedger(t, d, 1000).named("晨光照相馆"), newLedger(t, d, 1000).named("第二照相馆")
		a.chargeOn(shanghai(2026, 9, 2, 0, 0), 3)
		a.chargeOn(shanghai(2026, 10, 2, 0, 0), 3)
		b.chargeOn(shanghai(2026, 10, 2, 0, 0), 3)
		september, october, other := a.finalize("2026-09"), a.finalize("2026-10"), b.finalize("2026-10")

		match := func(r billing.Remittance) billing.Match {
			m, err := a.svc.MatchRemittances(ctx, allTenants, []billing.Remittance{r})
			require.NoError(t, err)
			return m[0]
		}
		m := match(billing.Remittance{Fen: 1500, Payer: "晨光照相馆有限公司", Note: "付 inv2026 000002 账单"})
		require.Len(t, m.Suggestions, 3, "the third is of the same amount alone")
		assert.Equal(t, october.ID, m.Suggestions[0].ID)
		assert.Equal(t, []billing.Reason{billing.ReasonNumber, billing.ReasonPayer, billing.ReasonAmount}, m.Suggestions[0].Reasons)
		assert.True(t, m.Suggestions[0].Sure())
		assert.Equal(t, september.ID, m.Suggestions[1].ID)
		assert.Equal(t, other.ID, m.Suggestions[2].ID)
		assert.False(t, m.Suggestions[2].Sure())

		m = match(billing.Remittance{Fen: 700, Payer: "深圳市晨光照相馆"})
		require.Len(t, m.Suggestions, 2)
		assert.Equal(t, []billing.Reason{billing.ReasonSimilar, billing.ReasonPart}, m.Suggestions[0].Reasons)
		assert.Empty(t, match(billing.Remittance{Fen: 1501, Payer: "晨光照相馆", Note: *october.Number}).Suggestions, "more than is open is never suggested")
		assert.Empty(t, match(billing.Remittance{Fen: 1, Payer: "别人"}).Suggestions)

		_, err := a.svc.RecordPayment(ctx, a.sc, october.ID, billing.NewPayment{Fen: 1500, Reference: "2026120100012", Day: "2026-11-02"}, "test", shanghai(2026, 11, 3, 9, 0))
		require.NoError(t, err)
		m = match(billing.Remittance{Fen: 1500, Payer: "晨光照相馆", Reference: "2026120100012"})
		assert.Equal(t, []string{*october.Number}, m.Recorded, "the same line of the statement again")
	})
}
