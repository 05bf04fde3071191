package fapiao_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/billing/billingtest"
	"huizhi/internal/billing/fapiao"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/tenants"
)

var noon = time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)

var company = fapiao.Profile{Kind: fapiao.Special, Title: " 深圳市晨光照相有限公司 ", TaxID: "9135 0100 M000 100Y43", Address: "深圳市南山区测试路 1 号",
	Phone: "0755-12345678", Bank: "招商银行深圳分行", Account: "7559 1234 5678 901", Email: "cw@example.com"}

// site is a tenant with a final invoice of 106.00 and a profile.
type site struct {
	*fapiao.Service
	t   *testing.T
	x   *billingtest.Tenant
	inv *billing.Invoice
}

func newSite(t *testing.T, d *db.DB) *site {
	t.Helper()
	ctx := context.Background()
	blobs, err := blob.Open(ctx, "file://"+t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { blobs.Close() })
	x := billingtest.New(t, d, "晨光照相馆", 10600)
	s := &site{&fapiao.Service{DB: d, Blobs: blobs, Billing: x.Billing}, t, x, x.Invoice("2026-10")}
	require.NoError(t, s.SaveProfile(ctx, x.Scope, company, "owner", noon))
	return s
}

func (s *site) rest() int64 {
	s.t.Helper()
	rest, err := s.Rest(context.Background(), s.x.Scope, s.inv.ID)
	require.NoError(s.t, err)
	return rest
}

func (s *site) request(fen int64) (*fapiao.Fapiao, error) {
	return s.Request(context.Background(), s.x.Scope, s.inv.ID, fapiao.NewRequest{Fen: fen, Kind: fapiao.Special, Note: "10 月", Rest: s.rest()}, "owner", noon)
}

func (s *site) get(id string) *fapiao.Listed {
	s.t.Helper()
	f, err := s.Get(context.Background(), s.x.Scope, id)
	require.NoError(s.t, err)
	return f
}

func paper(number string) fapiao.Paper { return fapiao.Paper{Number: number, Day: "2026-11-20"} }

func key(err error) string {
	if fields, ok := apperr.AsFields(err); ok {
		return fields[0].Key
	}
	if e, ok := err.(*apperr.Error); ok {
		return e.Key
	}
	return ""
}

func TestAFapiaoFromItsRequestToItsRedLetter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := newSite(t, d)
		f, err := s.request(10000)
		require.NoError(t, err)
		assert.EqualValues(t, 600, s.rest())
		_, err = s.request(601)
		assert.Equal(t, "error.fapiao.too_much", key(err))
		assert.Equal(t, "深圳市晨光照相有限公司", s.get(f.ID).Title.Title)
		assert.Equal(t, "91350100M000100Y43", s.get(f.ID).Title.TaxID)

		// What was asked for keeps the title that it was asked with.
		changed := company
		changed.Title = "另一家公司"
		require.NoError(t, s.SaveProfile(ctx, s.x.Scope, changed, "owner", noon))
		assert.Equal(t, "深圳市晨光照相有限公司", s.get(f.ID).Title.Title)

		require.NoError(t, s.Issue(ctx, s.x.Scope, f.ID, paper(" 2644 2000 0000 1234 5678 "), "staff", noon))
		got := s.get(f.ID)
		assert.Equal(t, fapiao.Issued, got.State)
		assert.Equal(t, "26442000000012345678", got.Number)
		assert.Equal(t, *s.inv.Number, got.Invoice)
		assert.EqualValues(t, 600, s.rest())

		require.NoError(t, s.Reverse(ctx, s.x.Scope, f.ID, paper("26442000000099999999"), "抬头有误", "staff", noon))
		assert.Equal(t, fapiao.Reversed, s.get(f.ID).State)
		list, err := s.List(ctx, s.x.Scope)
		require.NoError(t, err)
		require.Len(t, list, 2)
		red := list[0]
		assert.True(t, red.Red())
		assert.Equal(t, f.ID, *red.OriginalID)
		assert.EqualValues(t, -10000, red.Fen)
		assert.Equal(t, fapiao.May{}, red.May(), "a red letter is the end")
		assert.EqualValues(t, 10600, s.rest(), "its amount can be asked for again")
		_, err = s.request(10600)
		assert.NoError(t, err)
		actions := []string{}
		require.NoError(t, d.NewSelect().Table("audit_entries").Column("action").Where("tenant_id = ? AND action LIKE 'fapiao.%'", s.x.Scope.TenantID()).Order("id").Scan(ctx, &actions))
		assert.Equal(t, "fapiao.profile fapiao.request fapiao.profile fapiao.issue fapiao.red fapiao.reverse fapiao.request", strings.Join(actions, " "))
	})
}

func TestMovesThatAreNotInTheTableCannotHappen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := newSite(t, d)
		sc := s.x.Scope
		do := map[string]func(id string) error{
			"issue":    func(id string) error { return s.Issue(ctx, sc, id, paper("26442000000000000001"), "staff", noon) },
			"reject":   func(id string) error { return s.Reject(ctx, sc, id, "资料不全", "staff", noon) },
			"withdraw": func(id string) error { return s.Withdraw(ctx, sc, id, "owner", noon) },
			"reverse": func(id string) error {
				return s.Reverse(ctx, sc, id, paper("26442000000000000002"), "有误", "staff", noon)
			},
		}
		allowed := map[string]string{"requested": "issue reject withdraw", "issued": "reverse", "rejected": "", "withdrawn": "", "reversed": ""}
		way := map[string][]string{"requested": {}, "issued": {"issue"}, "rejected": {"reject"}, "withdrawn": {"withdraw"}, "reversed": {"issue", "reverse"}}
		for state, can := range allowed {
			for event := range do {
				f, err := s.request(1)
				require.NoError(t, err)
				for _, step := range way[state] {
					require.NoError(t, do[step](f.ID))
				}
				err = do[event](f.ID)
				if strings.Contains(can, event) {
					assert.NoError(t, err, "%s when %s", event, state)
				} else {
					assert.Equal(t, "error.fapiao.move."+event, key(err), "%s when %s", event, state)
				}
				_, err = d.NewDelete().Table("fapiaos").Where("original_id IS NOT NULL").Exec(ctx) // the numbers are used again
				require.NoError(t, err)
				_, err = d.NewDelete().Table("fapiaos").Where("1 = 1").Exec(ctx)
				require.NoError(t, err)
			}
		}
	})
}

func TestOnlyAFinalInvoiceHasFapiaosAndNotMoreThanItsRest(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := newSite(t, d)
		draft, err := s.x.Billing.Draft(ctx, s.x.Scope, "2026-11", noon)
		require.NoError(t, err)
		_, err = s.Request(ctx, s.x.Scope, draft.ID, fapiao.NewRequest{Fen: 100, Kind: fapiao.Ordinary}, "owner", noon)
		assert.Equal(t, "error.fapiao.not_final", key(err))
		for _, fen := range []int64{0, -1} {
			_, err = s.request(fen)
			assert.Equal(t, "error.fapiao.positive", key(err))
		}
		twice := fapiao.NewRequest{Fen: 100, Kind: fapiao.Ordinary, Rest: s.rest()}
		_, err = s.Request(ctx, s.x.Scope, s.inv.ID, twice, "owner", noon)
		require.NoError(t, err)
		_, err = s.Request(ctx, s.x.Scope, s.inv.ID, twice, "owner", noon)
		assert.Equal(t, "error.billing.changed_since", key(err), "a form that is sent twice asks once")

		// A credit note after the fapiao leaves too much on it, which staff see.
		f, err := s.request(s.rest())
		require.NoError(t, err)
		require.NoError(t, s.Issue(ctx, s.x.Scope, f.ID, paper("26442000000000000001"), "staff", noon))
		s.x.Credit(s.inv, 2000, "重复计费", "", "2026-11")
		assert.EqualValues(t, -2000, s.rest())
		open, err := s.Opens(ctx, s.x.Scope)
		require.NoError(t, err)
		require.Len(t, open, 1)
		assert.EqualValues(t, -2000, open[0].RestFen)
	})
}

func TestManyWhoAskAtOnceNeverGetMoreThanTheInvoice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newSite(t, d)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				_, err := s.Request(context.Background(), s.x.Scope, s.inv.ID, fapiao.NewRequest{Fen: 10600, Kind: fapiao.Special, Rest: 10600}, "owner", noon)
				if err != nil {
					assert.Equal(t, apperr.Conflict, apperr.KindOf(err))
				}
			})
		}
		wg.Wait()
		assert.Zero(t, s.rest())
	})
}

func TestANumberIsNotedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := newSite(t, d)
		a, err := s.request(100)
		require.NoError(t, err)
		b, err := s.request(100)
		require.NoError(t, err)
		require.NoError(t, s.Issue(ctx, s.x.Scope, a.ID, paper("26442000000000000001"), "staff", noon))
		assert.Equal(t, "error.fapiao.known", key(s.Issue(ctx, s.x.Scope, b.ID, paper("26442000000000000001"), "staff", noon)))
		for _, number := range []string{"", "123", "2644200000000000000x", "264420000000000000011"} {
			assert.Equal(t, "error.fapiao.number", key(s.Issue(ctx, s.x.Scope, b.ID, paper(number), "staff", noon)), number)
		}
		tomorrow := fapiao.Paper{Number: "26442000000000000002", Day: "2026-11-21"}
		assert.Equal(t, "error.fapiao.day", key(s.Issue(ctx, s.x.Scope, b.ID, tomorrow, "staff", noon)))
	})
}

func TestProfilesAreChecked(t *testing.T) {
	t.Parallel()
	s := newSite(t, dbtest.SQLite(t))
	for field, spoil := range map[string]func(*fapiao.Profile){
		"title":   func(p *fapiao.Profile) { p.Title = " " },
		"tax_id":  func(p *fapiao.Profile) { p.TaxID = "91350100M000100Y44" },
		"kind":    func(p *fapiao.Profile) { p.Person = true },
		"phone":   func(p *fapiao.Profile) { p.Phone = "abc" },
		"account": func(p *fapiao.Profile) { p.Account = "7559-x" },
		"email":   func(p *fapiao.Profile) { p.Email = "cw@" },
		"address": func(p *fapiao.Profile) { p.Address = strings.Repeat("长", 101) },
	} {
		p := company
		spoil(&p)
		fields, ok := apperr.AsFields(s.SaveProfile(context.Background(), s.x.Scope, p, "owner", noon))
		require.True(t, ok, field)
		assert.Equal(t, field, fields[0].Field)
	}
	person := fapiao.Profile{Kind: fapiao.Ordinary, Person: true, Title: "李敏"}
	assert.NoError(t, s.SaveProfile(context.Background(), s.x.Scope, person, "owner", noon))
	_, err := s.request(100)
	assert.Equal(t, "error.fapiao.kind", key(err), "a special one goes to companies alone")
}

func TestFilesAreWhatTheySay(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newSite(t, dbtest.SQLite(t))
	var ofd, other bytes.Buffer
	for name, buf := range map[string]*bytes.Buffer{"OFD.xml": &ofd, "readme.txt": &other} {
		z := zip.NewWriter(buf)
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(w, "<x/>")
		require.NoError(t, err)
		require.NoError(t, z.Close())
	}
	for name, data := range map[string]string{"empty": "", "text": "hello", "zip": other.String(), "page": "<html>%PDF-"} {
		_, err := s.Store(ctx, s.x.Scope, strings.NewReader(data))
		assert.Equal(t, "error.fapiao.file_type", key(err), name)
	}
	_, err := s.Store(ctx, s.x.Scope, io.LimitReader(zeros{}, fapiao.MaxFile+1))
	assert.Equal(t, "error.fapiao.file_size", key(err))

	f, err := s.request(100)
	require.NoError(t, err)
	_, _, err = s.Open(ctx, s.x.Scope, f.ID)
	assert.Equal(t, "error.fapiao.no_file", key(err))
	p := paper("26442000000000000001")
	p.File, err = s.Store(ctx, s.x.Scope, bytes.NewReader(ofd.Bytes()))
	require.NoError(t, err)
	require.NoError(t, s.Issue(ctx, s.x.Scope, f.ID, p, "staff", noon))
	got, content, err := s.Open(ctx, s.x.Scope, f.ID)
	require.NoError(t, err)
	defer content.Close()
	assert.Equal(t, fapiao.TypeOFD, got.FileType)
	data, err := io.ReadAll(content)
	require.NoError(t, err)
	assert.Equal(t, ofd.Bytes(), data)
}

func TestAnotherTenantsFapiaosDoNotExist(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		s := newSite(t, d)
		f, err := s.request(100)
		require.NoError(t, err)
		stranger := billingtest.New(t, d, "陌生照相馆", 100).Scope
		for name, err := range map[string]error{
			"get":      second(s.Get(ctx, stranger, f.ID)),
			"withdraw": s.Withdraw(ctx, stranger, f.ID, "x", noon),
			"issue":    s.Issue(ctx, stranger, f.ID, paper("26442000000000000001"), "x", noon),
			"request":  second(s.Request(ctx, stranger, s.inv.ID, fapiao.NewRequest{Fen: 1, Kind: fapiao.Ordinary}, "x", noon)),
		} {
			assert.Equal(t, apperr.NotFound, apperr.KindOf(err), name)
		}
		list, err := s.List(ctx, stranger)
		require.NoError(t, err)
		assert.Empty(t, list)
		all, err := s.All(ctx, tenants.AllTenants("a test lists all"), fapiao.Requested)
		require.NoError(t, err)
		assert.Len(t, all, 1)
	})
}

func second[T any](_ T, err error) error { return err }

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
