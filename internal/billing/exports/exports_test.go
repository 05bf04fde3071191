package exports_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/billing/billingtest"
	"huizhi/internal/billing/exports"
	"huizhi/internal/billing/statement"
	"huizhi/internal/billing/voucher"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/exportjobs"
	"huizhi/internal/jobs"
	"huizhi/internal/tenants"
)

var now = time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)

// site is a tenant with a history beside another one.
type site struct {
	*exports.Service
	t     *testing.T
	x     *billingtest.Tenant
	party exports.Party
	staff exports.Party
}

func newSite(t *testing.T, d *db.DB) *site {
	t.Helper()
	ctx := context.Background()
	blobs, err := blob.Open(ctx, "file://"+t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { blobs.Close() })
	queue, err := jobs.Open(ctx, d, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	x := billingtest.New(t, d, "=晨光照相馆", 10600)
	august, september := x.Invoice("2026-08"), x.Invoice("2026-09")
	x.Pay(august, 10600, "BANK-20260915-0001", "2026-09-15")
	x.Pay(september, 5000, "001", "2026-10-09")
	x.Credit(september, 600, "重复计费", "", "2026-11")
	x.Invoice("2026-10")
	billingtest.New(t, d, "别家", 999900).Invoice("2026-10")
	s := &exports.Service{DB: d, Exports: exportjobs.New(d, blobs, queue), Billing: x.Billing, Vouchers: &voucher.Service{DB: d, Billing: x.Billing},
		Statements: &statement.Service{Billing: x.Billing, Tenant: func(ctx context.Context, sc tenants.Scope) (*tenants.Tenant, error) { return tenants.Load(ctx, d, sc) }}}
	s.Exports.Handle(exports.Kind, s)
	return &site{s, t, x, exports.Member(x.Scope, "member"), exports.Staff(tenants.AllTenants("a test exports for all"), "staff")}
}

func (s *site) write(ctx context.Context, r exports.Request) *bytes.Buffer {
	s.t.Helper()
	var out bytes.Buffer
	require.NoError(s.t, s.Write(ctx, s.party, r, now, &out, func() {}))
	return &out
}

// rows are those of an export as CSV.
func (s *site) rows(r exports.Request) [][]string {
	s.t.Helper()
	r.Format = billing.CSV
	return parse(s.t, s.write(context.Background(), r))
}

func parse(t *testing.T, r io.Reader) [][]string {
	t.Helper()
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\uFEFF")))).ReadAll()
	require.NoError(t, err)
	return rows
}

func TestAYearIsOneFile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newSite(t, d)
		year := exports.Request{Grain: exports.Invoices, From: "2026-01", Until: "2026-11", Columns: []string{"open", "number", "tenant"}}
		assert.Equal(t, [][]string{
			{"租户", "编号", "未收"},
			{"'=晨光照相馆", "INV2026-000001", "0.00"},
			{"'=晨光照相馆", "INV2026-000002", "50.00"},
			{"'=晨光照相馆", "INV2026-000003", "106.00"},
		}, s.rows(year), "its columns are in their own order, and only its own invoices in it")

		var all bytes.Buffer
		year.Format = billing.CSV
		require.NoError(t, s.Write(context.Background(), s.staff, year, now, &all, func() {}))
		assert.Len(t, parse(t, &all), 5, "staff get all tenants")
		year.Tenant = s.x.Scope.TenantID()
		require.NoError(t, s.Write(context.Background(), s.staff, year, now, &all, func() {}))
		assert.Len(t, parse(t, &all), 4, "or one")
		for _, r := range []exports.Request{{Grain: exports.Lines}, {Grain: exports.Statement}, {Grain: exports.Invoices}} {
			r.From, r.Until, r.Format = "2026-08", "2026-11", billing.CSV
			p, err := s.Preview(context.Background(), s.party, r, now)
			require.NoError(t, err)
			assert.EqualValues(t, len(s.rows(r))-1, p.Rows, "what is announced is what is written: %s", r.Grain)
			assert.True(t, p.AtOnce)
		}
	})
}

func TestStaffGetTheStatementsOfAllTenantsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := newSite(t, d)
		all := exports.Request{Grain: exports.Statement, Format: billing.ZIP, From: "2026-08", Until: "2026-11"}
		p, err := s.Preview(ctx, s.staff, all, now)
		require.NoError(t, err)
		assert.EqualValues(t, 2, p.Rows, "those that were invoiced")
		assert.True(t, p.AtOnce)

		var out bytes.Buffer
		ticks := 0
		require.NoError(t, s.Write(ctx, s.staff, all, now, &out, func() { ticks++ }))
		assert.Equal(t, 2, ticks)
		archive, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
		require.NoError(t, err)
		require.Len(t, archive.File, 2)
		for _, f := range archive.File {
			assert.Regexp(t, `^000[12]_对账单_2026-08_2026-11_.*\.pdf$`, f.Name)
			r, err := f.Open()
			require.NoError(t, err)
			start := make([]byte, 5)
			_, err = io.ReadFull(r, start)
			require.NoError(t, err)
			assert.Equal(t, "%PDF-", string(start))
		}

		_, err = s.Preview(ctx, s.party, all, now)
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "a tenant has one statement, not a ZIP")
		all.Format = billing.PDF
		_, err = s.Preview(ctx, s.staff, all, now)
		assert.Equal(t, apperr.Invalid, apperr.KindOf(err), "and one PDF is of one tenant")
	})
}

func TestATenantCannotNameAnother(t *testing.T) {
	t.Parallel()
	s := newSite(t, dbtest.SQLite(t))
	other := billingtest.New(t, s.DB, "陌生照相馆", 100).Scope
	stranger := exports.Member(other, "stranger")
	r := exports.Request{Grain: exports.Invoices, Format: billing.CSV, From: "2026-01", Until: "2026-11", Tenant: s.x.Scope.TenantID()}
	p, err := s.Preview(context.Background(), stranger, r, now)
	require.NoError(t, err)
	assert.Zero(t, p.Rows, "the tenant of the request is for staff alone")
	r.Grain, r.Layout = exports.Vouchers, "kis"
	_, err = s.Preview(context.Background(), stranger, r, now)
	assert.Equal(t, apperr.NotFound, apperr.KindOf(err))
}

func TestWhatCannotBeExportedIsSaid(t *testing.T) {
	t.Parallel()
	s := newSite(t, dbtest.SQLite(t))
	good := exports.Request{Grain: exports.Invoices, Format: billing.CSV, From: "2026-10", Until: "2026-10"}
	for key, spoil := range map[string]func(*exports.Request){
		"error.exports.format":    func(r *exports.Request) { r.Format = billing.PDF },
		"error.exports.month":     func(r *exports.Request) { r.Until = "2026-12" },
		"error.exports.backwards": func(r *exports.Request) { r.From = "2026-11" },
		"error.exports.long":      func(r *exports.Request) { r.From = "2021-01" },
		"error.exports.columns":   func(r *exports.Request) { r.Columns = []string{"order"} },
		"error.exports.empty":     func(r *exports.Request) { r.From, r.Until = "2026-01", "2026-02" },
	} {
		r := good
		spoil(&r)
		_, err := s.Start(context.Background(), s.party, r, now)
		fields, ok := apperr.AsFields(err)
		require.True(t, ok, key)
		assert.Contains(t, keys(fields), key)
	}
}

func keys(fields apperr.Fields) string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Key)
	}
	return strings.Join(out, " ")
}

func TestAnExportThatIsMadeTwiceIsMadeOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := newSite(t, d)
		e, err := s.Start(ctx, s.party, exports.Request{Grain: exports.Invoices, Format: billing.CSV, From: "2026-08", Until: "2026-10"}, now)
		require.NoError(t, err)
		assert.EqualValues(t, 3, e.RowsTotal)
		_, _, err = s.Open(ctx, s.party, e.ID, now)
		assert.Equal(t, apperr.NotFound, apperr.KindOf(err), "not yet")
		for range 2 {
			require.NoError(t, s.Exports.Make(ctx, e.Owner, e.ID, now))
		}
		got, content, err := s.Open(ctx, s.party, e.ID, now)
		require.NoError(t, err)
		defer content.Close()
		assert.Equal(t, exportjobs.Done, got.State)
		assert.EqualValues(t, 3, got.RowsDone)
		assert.Len(t, parse(t, content), 4)

		_, _, err = s.Open(ctx, exports.Member(billingtest.New(t, d, "陌生", 1).Scope, "x"), e.ID, now)
		assert.Equal(t, apperr.NotFound, apperr.KindOf(err), "another tenant's")
		_, _, err = s.Open(ctx, s.staff, e.ID, now)
		assert.Equal(t, apperr.NotFound, apperr.KindOf(err), "staff have their own")
		later := now.Add(exportjobs.Keep + time.Second)
		_, _, err = s.Open(ctx, s.party, e.ID, later)
		assert.Equal(t, apperr.NotFound, apperr.KindOf(err), "expired, though nobody has tidied up yet")
		require.NoError(t, s.Exports.Expire(ctx, later))
		there, err := s.Exports.Blobs.Exists(ctx, got.FileKey)
		require.NoError(t, err)
		assert.False(t, there)
	})
}

// An export that was right when it was asked for can become wrong: its person sees
// why, and it is not tried for days.
func TestAnExportThatCannotBeMadeSaysWhy(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newSite(t, dbtest.SQLite(t))
	e, err := s.Start(ctx, s.staff, exports.Request{Grain: exports.Vouchers, Layout: "kis", Format: billing.CSV, From: "2026-10", Until: "2026-11"}, now)
	require.NoError(t, err)
	_, err = s.DB.NewUpdate().Model((*exportjobs.Export)(nil)).Set("request = replace(request, 'kis', 'gone')").Where("id = ?", e.ID).Exec(ctx)
	require.NoError(t, err)
	require.NoError(t, s.Exports.Make(ctx, e.Owner, e.ID, now))
	recent, err := s.Recent(ctx, s.staff)
	require.NoError(t, err)
	require.Len(t, recent, 1)
	assert.Equal(t, exportjobs.Failed, recent[0].State)
	assert.Equal(t, "error.voucher.none", recent[0].Problem)
}

func TestPresetsMoveOnWithTheTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := newSite(t, d)
		save := func(name string, from, until billing.Month) *exports.Preset {
			p, err := s.SavePreset(ctx, s.party, name, exports.Request{Grain: exports.Lines, Format: billing.CSV, From: from, Until: until}, now)
			require.NoError(t, err)
			return p
		}
		inMay := time.Date(2027, 5, 3, 0, 0, 0, 0, time.UTC)
		assert.Equal(t, billing.Span{From: "2027-04", Until: "2027-04"}, save("上个月", "2026-10", "2026-10").At(inMay).Span())
		assert.Equal(t, billing.Span{From: "2027-01", Until: "2027-05"}, save("今年", "2026-01", "2026-11").At(inMay).Span())
		assert.Equal(t, billing.YearOf(2026), save("去年", "2025-01", "2025-12").At(inMay).Span())
		assert.Equal(t, billing.Span{From: "2026-03", Until: "2026-05"}, save("春天", "2026-03", "2026-05").At(inMay).Span())
		save("春天", "2026-02", "2026-04")
		have, err := s.Presets(ctx, s.party)
		require.NoError(t, err)
		require.Len(t, have, 4, "a name is there once")
		colleague := exports.Member(s.x.Scope, "colleague")
		assert.Equal(t, apperr.NotFound, apperr.KindOf(s.DeletePreset(ctx, colleague, have[0].ID)))
		require.NoError(t, s.DeletePreset(ctx, s.party, have[0].ID))
		_, err = s.Preset(ctx, s.party, have[0].ID)
		assert.Equal(t, apperr.NotFound, apperr.KindOf(err))
	})
}
