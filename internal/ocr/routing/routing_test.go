package routing_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/ocr"
	"huizhi/internal/ocr/routing"
	"huizhi/internal/tenants"
)

// engine says what it was told to say, and counts how often it was asked.
type engine struct {
	name    string
	caps    ocr.Capabilities
	mu      sync.Mutex
	reading *ocr.Reading
	err     error
	asked   []ocr.Request
	// during is called while it reads.
	during func(context.Context)
}

func (e *engine) Name() string                   { return e.name }
func (e *engine) Capabilities() ocr.Capabilities { return e.caps }
func (e *engine) Health(context.Context) error   { return nil }
func (e *engine) Close() error                   { return nil }
func (e *engine) Read(ctx context.Context, q ocr.Request) (*ocr.Reading, error) {
	e.mu.Lock()
	e.asked = append(e.asked, q)
	reading, err, during := e.reading, e.err, e.during
	e.mu.Unlock()
	if during != nil {
		during(ctx)
	}
	if err != nil {
		return nil, err
	}
	return reading, nil
}

func (e *engine) says(r *ocr.Reading, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reading, e.err = r, err
}

func (e *engine) times() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.asked)
}

var idCard = []ocr.DocType{ocr.IDCardFront, ocr.IDCardBack}

// card is a front as an engine reads it; flags are its doubts about the name.
func card(by string, name string, flags ...ocr.Flag) *ocr.Reading {
	r := &ocr.Reading{Type: ocr.IDCardFront, Engine: by, Took: 300 * time.Millisecond, Fields: ocr.Fields{
		ocr.Name: {Value: name, Confidence: 0.9, Flags: flags}, ocr.IDNumber: {Value: "11010519491231002X", Confidence: 0.99},
		ocr.Sex: {Value: "女", Confidence: 0.99}, ocr.BirthDate: {Value: "1949-12-31", Confidence: 0.99},
	}}
	if by != "local" {
		r.Charge, r.Raw = ocr.Charged, ocr.Raw("the answer of "+by)
	}
	return r
}

// house is a router with a local engine and two paid ones, of which the second sends pictures unencrypted.
type house struct {
	*routing.Router
	d                  *db.DB
	t                  *testing.T
	local, dear, plain *engine
	now                time.Time
	sc                 tenants.Scope
	books              *books
}

const price = 30

// books add up what the calls cost, each once.
type books struct {
	mu    sync.Mutex
	calls map[string]int64
}

func (b *books) RecordOCRCall(_ context.Context, _ bun.Tx, _ tenants.Scope, c *routing.Call) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[c.ID] += c.CostFen()
	return nil
}

func (b *books) total() (fen int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.calls {
		fen += f
	}
	return fen
}

func newHouse(t *testing.T, d *db.DB) *house {
	t.Helper()
	store, err := blob.Open(context.Background(), "file://"+t.TempDir())
	require.NoError(t, err)
	h := &house{
		d: d, t: t, books: &books{calls: map[string]int64{}}, now: time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC),
		local: &engine{name: "local", caps: ocr.Capabilities{Documents: idCard, Detects: idCard}, reading: card("local", "李雷")},
		dear:  &engine{name: "dear", caps: ocr.Capabilities{Documents: idCard, Detects: idCard, Remote: true}, reading: card("dear", "李雷")},
		plain: &engine{name: "plain", caps: ocr.Capabilities{Documents: append([]ocr.DocType{ocr.Passport}, idCard...), Remote: true, Insecure: true}, reading: card("plain", "李雷")},
	}
	block, err := aes.NewCipher(bytes.Repeat([]byte{1}, 32))
	require.NoError(t, err)
	seal, err := cipher.NewGCMWithRandomNonce(block)
	require.NoError(t, err)
	h.Router = routing.New(routing.Config{
		Seal: seal, DB: d, Blobs: store, DailyCapFen: 1000, RawKeep: 24 * time.Hour, Costs: h.books, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return h.now },
		Engines: []routing.Engine{{Reader: h.local}, {Reader: h.dear, PriceFen: price}, {Reader: h.plain, PriceFen: price}},
	})
	h.sc = h.tenant()
	return h
}

func (h *house) tenant() tenants.Scope {
	h.t.Helper()
	tenant := &tenants.Tenant{ID: db.NewID(), Name: "店", Kind: tenants.KindStore, CreatedAt: db.Now()}
	_, err := h.d.NewInsert().Model(tenant).Exec(context.Background())
	require.NoError(h.t, err)
	return tenants.ForTenant(tenant.ID)
}

// turnOn adds engines to the order for every document type.
func (h *house) turnOn(names ...string) {
	h.t.Helper()
	for _, name := range names {
		require.NoError(h.t, h.Turn(context.Background(), h.sc, routing.AnyDocument, name, true, "owner"))
	}
}

func picture(content string) routing.Request {
	return routing.Request{PictureID: "picture " + content, SHA256: content, Image: []byte(content), Likely: ocr.IDCardFront, Remote: true}
}

// read has a picture read and keeps the result.
func (h *house) read(q routing.Request) (*routing.Result, error) {
	h.t.Helper()
	ctx := context.Background()
	result, err := h.Read(ctx, h.sc, q)
	if err == nil {
		require.NoError(h.t, h.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return h.Record(ctx, tx, result) }))
	}
	return result, err
}

func (h *house) calls() []routing.Call {
	h.t.Helper()
	var calls []routing.Call
	require.NoError(h.t, h.d.NewSelect().Model(&calls).ApplyQueryBuilder(h.sc.Where).Order("id").Scan(context.Background()))
	return calls
}

func (h *house) spent() int64 {
	h.t.Helper()
	o, err := h.Overview(context.Background(), h.sc, routing.AnyDocument)
	require.NoError(h.t, err)
	return o.SpentFen
}

func inEachHouse(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newHouse(t, d)) })
}

func failed(o ocr.Outcome, c ocr.Charge) error {
	return &ocr.ProviderError{Engine: "dear", Outcome: o, Charge: c, Code: 42, Raw: ocr.Raw("refused")}
}

func TestWithoutAPolicyOnlyTheLocalEngineIsAsked(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *house) {
		h.local.says(card("local", "李雷", ocr.LowConfidence), nil)
		got, err := h.read(picture("a"))
		require.NoError(t, err)
		require.Equal(t, "local", got.Source)
		require.Empty(t, got.Second)
		h.local.says(nil, ocr.ErrUnavailable)
		_, err = h.read(picture("b"))
		require.ErrorIs(t, err, ocr.ErrUnavailable)
		require.Zero(t, h.dear.times()+h.plain.times())
		calls := h.calls()
		require.Len(t, calls, 2)
		require.Equal(t, routing.OutcomeRead, calls[0].Outcome)
		require.Equal(t, ocr.OutcomeServer, calls[1].Outcome)
		require.Equal(t, "2026-11-22", calls[0].Day)
		require.Zero(t, h.spent())
	})
}

func TestWhoIsAskedWhenAnEngineFails(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *house) {
		h.turnOn("dear")
		for name, test := range map[string]struct {
			err       error
			failsOver bool
		}{
			"not installed":       {ocr.ErrUnavailable, true},
			"too slow":            {ocr.ErrTimeout, true},
			"busy: it comes back": {ocr.ErrBusy, false},
			"no picture":          {ocr.ErrUnreadable, false},
			"a fault of ours":     {errors.New("disk full"), false},
			"transport":           {failed(ocr.OutcomeTransport, ocr.NotCharged), true},
			"server":              {failed(ocr.OutcomeServer, ocr.NotCharged), true},
			"throttled":           {failed(ocr.OutcomeThrottled, ocr.NotCharged), true},
			"quota":               {failed(ocr.OutcomeQuota, ocr.NotCharged), true},
			"account":             {failed(ocr.OutcomeAccount, ocr.NotCharged), true},
			"bad input":           {failed(ocr.OutcomeInput, ocr.NotCharged), false},
			"blurred":             {failed(ocr.OutcomeUnreadable, ocr.Charged), false},
		} {
			h.local.says(nil, test.err)
			before := h.dear.times()
			got, err := h.read(picture(name))
			if !test.failsOver {
				require.ErrorIs(t, err, test.err, name)
				require.Equal(t, before, h.dear.times(), name)
				continue
			}
			require.NoError(t, err, name)
			require.Equal(t, "dear", got.Source, name)
			require.Equal(t, before+1, h.dear.times(), name)
		}
	})
}

func TestAPictureThatMustLeaveWaitsUntilItMay(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *house) {
		h.turnOn("dear")
		h.local.says(card("local", "李雷", ocr.Gap), nil)
		q := picture("a")
		q.Remote = false
		_, err := h.read(q)
		require.ErrorIs(t, err, routing.ErrRemote)
		require.Zero(t, h.dear.times())
		q.Remote = true
		got, err := h.read(q)
		require.NoError(t, err)
		require.Equal(t, "dear", got.Second)
		require.Equal(t, 1, h.local.times(), "its reading was kept")

		h.local.says(card("local", "韩梅"), nil)
		q = picture("clear")
		q.Remote = false
		_, err = h.read(q)
		require.NoError(t, err, "nobody else is needed")
	})
}

func TestTheSamePictureIsPaidForOnce(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *house) {
		h.turnOn("dear")
		require.NoError(t, h.Turn(context.Background(), h.sc, routing.AnyDocument, "local", false, "owner"))
		first, err := h.read(picture("a"))
		require.NoError(t, err)
		again := picture("a")
		again.PictureID = "the same file in another batch"
		second, err := h.read(again)
		require.NoError(t, err)
		require.Equal(t, first.Fields[ocr.IDNumber].Value, second.Fields[ocr.IDNumber].Value)
		require.Equal(t, first.CallID, second.CallID)
		require.Equal(t, 1, h.dear.times())
		require.EqualValues(t, price, h.spent())

		h.dear.says(nil, failed(ocr.OutcomeUnreadable, ocr.Charged))
		for range 3 {
			_, err = h.read(picture("blurred"))
			require.Equal(t, ocr.OutcomeUnreadable, ocr.AsProviderError(err).Outcome, "a failure that was paid for is one for good")
		}
		require.Equal(t, 2, h.dear.times())
		require.EqualValues(t, 2*price, h.spent())

		h.dear.says(nil, failed(ocr.OutcomeInput, ocr.NotCharged))
		for range 2 {
			_, err = h.read(picture("refused"))
			require.Error(t, err)
		}
		require.Equal(t, 4, h.dear.times(), "what cost nothing may be tried again")
		require.EqualValues(t, 2*price, h.spent())

		stranger := *h
		stranger.sc = h.tenant()
		_, err = stranger.read(picture("a"))
		require.NoError(t, err)
		require.Equal(t, 1, h.local.times(), "another tenant's answers are not for it")
	})
}

func TestJobsAtOncePayOnce(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *house) {
		h.turnOn("dear")
		require.NoError(t, h.Turn(context.Background(), h.sc, routing.AnyDocument, "local", false, "owner"))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := h.Read(context.Background(), h.sc, picture("a")); err != nil && !errors.Is(err, ocr.ErrBusy) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, 1, h.dear.times())
		require.EqualValues(t, price, h.spent())
	})
}

func TestTheDailyCapHoldsForJobsAtOnce(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *house) {
		h.turnOn("dear")
		ctx := context.Background()
		require.NoError(t, h.Turn(ctx, h.sc, routing.AnyDocument, "local", false, "owner"))
		limit := int64(3*price + price/2)
		require.NoError(t, h.SetLimits(ctx, h.sc, &limit, true, "owner"))
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() { _, _ = h.Read(ctx, h.sc, picture(string(rune('a'+i)))) })
		}
		wg.Wait()
		require.Equal(t, 3, h.dear.times())
		require.EqualValues(t, 3*price, h.spent())

		_, err := h.read(picture("z"))
		require.ErrorContains(t, err, "error.ocrroute.capped")
		h.now = time.Date(2026, 11, 22, 16, 0, 0, 0, time.UTC) // midnight in Shanghai
		_, err = h.read(picture("z"))
		require.NoError(t, err)
	})
}

func TestALostAnswerIsNotPaidForAgain(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *house) {
		h.turnOn("dear")
		ctx := context.Background()
		h.local.says(nil, ocr.ErrUnavailable)
		h.dear.says(nil, failed(ocr.OutcomeTransport, ocr.MaybeCharged))
		_, err := h.read(picture("cut off"))
		require.ErrorIs(t, err, ocr.ErrUnavailable, "what the first engine said is told")
		require.EqualValues(t, price, h.spent(), "it may have been charged")
		h.dear.says(card("dear", "李雷"), nil)
		_, err = h.read(picture("cut off"))
		require.Error(t, err)
		require.Equal(t, 1, h.dear.times())

		// The process dies in the middle: nothing is written after the claim.
		dying, die := context.WithCancel(ctx)
		h.dear.during = func(context.Context) {
			die()
			panic("killed")
		}
		require.Panics(t, func() { _, _ = h.Read(dying, h.sc, picture("killed")) })
		h.dear.during = nil
		_, err = h.read(picture("killed"))
		require.ErrorIs(t, err, ocr.ErrBusy, "nobody knows yet that it died")
		h.now = h.now.Add(5 * time.Minute)
		_, err = h.read(picture("killed"))
		require.ErrorIs(t, err, ocr.ErrUnavailable)
		require.Equal(t, 2, h.dear.times())
		require.NoError(t, h.SettleLost(ctx, tenants.AllTenants("test")))
		var last routing.Call
		require.NoError(t, h.d.NewSelect().Model(&last).Where("picture_id = ? AND engine = 'dear'", "picture killed").Scan(ctx))
		require.Equal(t, routing.OutcomeLost, last.Outcome)
		require.Equal(t, ocr.MaybeCharged, last.Charge)
		require.EqualValues(t, 2*price, h.spent())
		require.EqualValues(t, 2*price, h.books.total())

		byHand := picture("killed")
		byHand.Anew, byHand.By = true, "dear"
		got, err := h.read(byHand)
		require.NoError(t, err, "a person may")
		require.Equal(t, "dear", got.Source)
		require.Equal(t, routing.ByHand, h.calls()[len(h.calls())-1].Purpose)
	})
}

func TestReadingAgainByHand(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *house) {
		_, err := h.read(picture("a"))
		require.NoError(t, err)
		_, err = h.read(picture("a"))
		require.NoError(t, err)
		require.Equal(t, 1, h.local.times())
		again := picture("a")
		again.Anew = true
		_, err = h.read(again)
		require.NoError(t, err)
		require.Equal(t, 2, h.local.times())

		again.By = "dear"
		_, err = h.read(again)
		require.Error(t, err, "it is not turned on")
		require.Zero(t, h.dear.times())

		h.turnOn("dear")
		for range 2 {
			_, err = h.read(again)
			require.NoError(t, err)
		}
		require.Equal(t, 2, h.dear.times(), "a person who knows the price is obeyed")
		h.dear.says(nil, failed(ocr.OutcomeServer, ocr.NotCharged))
		_, err = h.read(again)
		require.Error(t, err)
		require.NoError(t, h.Turn(context.Background(), h.sc, routing.AnyDocument, "local", false, "owner"))
		got, err := h.read(picture("a"))
		require.NoError(t, err, "the paid reading is still there")
		require.Equal(t, "dear", got.Source)

		again.By = "nobody"
		_, err = h.read(again)
		require.ErrorContains(t, err, "error.ocrroute.engine")
	})
}

func TestUnencryptedOnlyWithConsent(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		require.ErrorContains(t, h.Turn(ctx, h.sc, routing.AnyDocument, "plain", true, "owner"), "error.ocrroute.consent")
		require.NoError(t, h.Consent(ctx, h.sc, true, "owner"))
		p, err := h.Policy(ctx, h.sc)
		require.NoError(t, err)
		require.Equal(t, "owner", p.ConsentedBy)
		require.Equal(t, h.now, p.ConsentedAt.UTC())
		h.turnOn("plain")
		h.local.says(nil, ocr.ErrUnavailable)
		got, err := h.read(picture("a"))
		require.NoError(t, err)
		require.Equal(t, "plain", got.Source)
		require.Equal(t, ocr.IDCardFront, h.plain.asked[0].Document, "it must be told")

		require.NoError(t, h.Consent(ctx, h.sc, false, "owner"))
		_, err = h.read(picture("b"))
		require.Error(t, err)
		byHand := picture("b")
		byHand.Anew, byHand.By = true, "plain"
		_, err = h.read(byHand)
		require.ErrorContains(t, err, "error.ocrroute.consent")
		require.Equal(t, 1, h.plain.times())

		var trail []string
		require.NoError(t, h.d.NewSelect().Model((*tenants.AuditEntry)(nil)).Column("action").ApplyQueryBuilder(h.sc.Where).Order("id").Scan(ctx, &trail))
		require.Equal(t, []string{"ocr.consent", "ocr.engine_on", "ocr.consent_withdrawn"}, trail)
	})
}

func TestConsentIsLookedAtWhenTheCallIsClaimed(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		require.NoError(t, h.Consent(ctx, h.sc, true, "owner"))
		h.turnOn("plain")
		h.local.says(nil, ocr.ErrUnavailable)
		_, err := h.read(picture("a"))
		require.NoError(t, err)
		// Another process withdraws it; this one remembers the policy still.
		_, err = h.d.NewUpdate().Table("ocr_policies").Set("consented_at = NULL").Where("1 = 1").Exec(ctx)
		require.NoError(t, err)
		_, err = h.read(picture("b"))
		require.Error(t, err)
		require.Equal(t, 1, h.plain.times())
	})
}

func TestAnEngineThatFailsRests(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		h.turnOn("dear")
		h.local.says(nil, ocr.ErrUnavailable)
		h.dear.says(nil, failed(ocr.OutcomeServer, ocr.NotCharged))
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			_, err := h.read(picture(name))
			require.Error(t, err)
		}
		require.Equal(t, 3, h.dear.times())
		h.now = h.now.Add(61 * time.Second)
		for _, name := range []string{"f", "g"} {
			_, err := h.read(picture(name))
			require.Error(t, err)
		}
		require.Equal(t, 4, h.dear.times(), "one trial")
		h.now = h.now.Add(3 * time.Minute)
		h.dear.says(card("dear", "李雷"), nil)
		for _, name := range []string{"h", "i"} {
			_, err := h.read(picture(name))
			require.NoError(t, err)
		}

		h.dear.says(nil, failed(ocr.OutcomeQuota, ocr.NotCharged))
		_, err := h.read(picture("j"))
		require.Error(t, err)
		all, err := h.Health(ctx, tenants.AllTenants("test"), h.now.Add(-time.Hour))
		require.NoError(t, err)
		require.Equal(t, "dear", all[1].Engine)
		require.Equal(t, ocr.OutcomeQuota, all[1].Reason, "the operator sees why")
		require.Equal(t, h.now.Add(30*time.Minute), all[1].Until.UTC())
		require.EqualValues(t, 7, all[1].Calls)
		require.EqualValues(t, 2, all[1].Answered)
		require.EqualValues(t, 2*price, all[1].CostFen)
	})
}

func TestRawAnswersAreKeptForALimitedTime(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		h.turnOn("dear")
		h.local.says(nil, ocr.ErrUnavailable)
		got, err := h.read(picture("a"))
		require.NoError(t, err)
		key := h.sc.BlobKey("ocr-raw/" + got.CallID)
		sealed, err := h.Blobs.Get(ctx, key)
		require.NoError(t, err)
		require.NotContains(t, string(sealed), "answer", "whoever reads the disk reads no card")
		kept, err := h.RawAnswers(ctx, h.sc, "picture a")
		require.NoError(t, err)
		require.Len(t, kept, 1)
		require.Equal(t, "the answer of dear", string(kept[0].Raw))
		require.Equal(t, got.CallID, kept[0].CallID)
		foreign, err := h.RawAnswers(ctx, h.tenant(), "picture a")
		require.NoError(t, err)
		require.Empty(t, foreign)
		sweep := tenants.AllTenants("test")
		require.NoError(t, h.SweepRaw(ctx, sweep))
		there, err := h.Blobs.Exists(ctx, key)
		require.NoError(t, err)
		require.True(t, there)
		h.now = h.now.Add(25 * time.Hour)
		for range 2 {
			require.NoError(t, h.SweepRaw(ctx, sweep))
		}
		there, err = h.Blobs.Exists(ctx, key)
		require.NoError(t, err)
		require.False(t, there)
	})
}

// An erased picture is forgotten, with all that was said about it; another picture
// of the same content still has its answers.
func TestForgetting(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		h.turnOn("dear")
		h.local.says(nil, ocr.ErrUnavailable)
		got, err := h.read(picture("a"))
		require.NoError(t, err)
		_, err = h.read(picture("b"))
		require.NoError(t, err)
		answers := func() int64 {
			n, err := h.d.NewSelect().Table("ocr_answers").Count(ctx)
			require.NoError(t, err)
			return n
		}
		require.EqualValues(t, 2, answers())
		require.NoError(t, h.Forget(ctx, h.sc, "picture a", ""))
		require.EqualValues(t, 2, answers(), "a twin needs it")
		for range 2 {
			require.NoError(t, h.Forget(ctx, h.sc, "picture a", "a"))
		}
		require.EqualValues(t, 1, answers())
		kept, err := h.RawAnswers(ctx, h.sc, "picture a")
		require.NoError(t, err)
		require.Empty(t, kept)
		there, err := h.Blobs.Exists(ctx, h.sc.BlobKey("ocr-raw/"+got.CallID))
		require.NoError(t, err)
		require.False(t, there)
		kept, err = h.RawAnswers(ctx, h.sc, "picture b")
		require.NoError(t, err)
		require.Len(t, kept, 1)
		require.EqualValues(t, 2*price, h.books.total(), "what was paid stays in the books")
	})
}
