package server_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/ocr"
	"huizhi/internal/ocr/routing"
	"huizhi/internal/photos"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/providers/simulator/cards"
	"huizhi/internal/tenants"
)

// withProviders is a site whose operator has accounts at three OCR providers: the simulator's.
func withProviders(t *testing.T) (*testSite, *simulator.Server) {
	t.Helper()
	sim, err := simulator.Start(context.Background(), simulator.Config{OCR: simulator.OCR{
		Recognise: func(context.Context, []byte, cards.Kind) (cards.Card, error) {
			return cards.Card{Kind: cards.IDFront, Fields: map[string]string{
				cards.Name: "欧阳翀", cards.Sex: "男", cards.Ethnicity: "汉", cards.BirthDate: "1990-01-01",
				cards.Address: "北京市东城区测试路 1 号", cards.IDNumber: "110101199001011237",
			}}, nil
		},
	}})
	require.NoError(t, err)
	t.Cleanup(func() { sim.Close() })
	site := newTestSite(t, func(c *config.Config) {
		c.PyiURL, c.PyiAppID, c.PyiSecret, c.PyiPriceFen = sim.HostURL(), simulator.DefaultPyiAppID, simulator.DefaultPyiSecret, 10
		c.JuheURL, c.JuheKey, c.JuhePriceFen = sim.HostURL(), simulator.DefaultJuheKey, 20
		c.XinhuoURL, c.XinhuoToken, c.XinhuoPriceFen = sim.HostURL(), simulator.DefaultXinhuoToken, 30
		c.OCRDailyCapFen = 1000
	})
	return site, sim
}

func TestTheOwnerChoosesTheEngines(t *testing.T) {
	t.Parallel()
	site, _ := withProviders(t)
	p := site.signUp("晨光照相馆")
	post := func(path string, form url.Values) {
		t.Helper()
		require.Equal(t, http.StatusSeeOther, p.post("/settings/recognition"+path, form).StatusCode)
	}
	order := func(document string) []string {
		policy, err := site.Recognition.Policy(context.Background(), p.scope)
		require.NoError(t, err)
		return policy.For(ocr.DocType(document))
	}
	page := p.page(p.get("/settings/recognition"), http.StatusOK)
	require.Equal(t, 3, page.Find(`button[value="on"]`).Length(), "the paid engines are off")
	require.Zero(t, page.Find("#consent").Length(), "nothing travels unencrypted on this machine")

	post("/engines", url.Values{"engine": {"juhe"}, "do": {"on"}})
	post("/engines", url.Values{"engine": {"pyi"}, "do": {"on"}})
	post("/engines", url.Values{"engine": {"pyi"}, "do": {"up"}})
	require.Equal(t, []string{"told", "pyi", "juhe"}, order(""))
	post("/engines", url.Values{"engine": {"told"}, "do": {"off"}, "document": {"passport"}})
	require.Equal(t, []string{"pyi", "juhe"}, order("passport"))
	require.Equal(t, []string{"told", "pyi", "juhe"}, order("id_card_front"))
	post("/follow", url.Values{"document": {"passport"}})
	require.Equal(t, []string{"told", "pyi", "juhe"}, order("passport"))

	post("/limits", url.Values{"cap": {"2.50"}})
	policy, err := site.Recognition.Policy(context.Background(), p.scope)
	require.NoError(t, err)
	require.EqualValues(t, 250, *policy.DailyCapFen)
	require.False(t, policy.SecondOpinion)
	for _, typed := range []string{"10.01", "-1", "much", "NaN"} {
		page = p.page(p.post("/settings/recognition/limits", url.Values{"cap": {typed}}), http.StatusUnprocessableEntity)
		value, _ := page.Find("#cap").Attr("value")
		require.Equal(t, typed, value)
	}
	require.Equal(t, http.StatusNotFound, p.get("/settings/recognition?document=library_card").StatusCode)
	require.Equal(t, http.StatusForbidden, p.member(tenants.RoleOperator).get("/settings/recognition").StatusCode)
}

func TestTheLastEngineStays(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	page := p.page(p.post("/settings/recognition/engines", url.Values{"engine": {"told"}, "do": {"off"}}), http.StatusConflict)
	require.Contains(t, page.Find("main").Text(), "至少要留一个识别引擎")
}

// What the wire formats of the providers say decides who is asked next.
func TestProvidersFailOverByTheirWireFormats(t *testing.T) {
	t.Parallel()
	site, sim := withProviders(t)
	p := site.signUp("晨光照相馆")
	ctx := context.Background()
	for _, engine := range []string{"juhe", "pyi"} {
		require.NoError(t, site.Recognition.Turn(ctx, p.scope, routing.AnyDocument, engine, true, p.userID))
	}
	read := func(name string) (*routing.Result, error) {
		return site.Recognition.Read(ctx, p.scope, routing.Request{PictureID: name, SHA256: name, Image: drawn(), Likely: ocr.IDCardFront, Remote: true})
	}
	for name, test := range map[string]struct {
		fault     simulator.Fault
		by        string // who read it in the end; "" nobody
		juheCosts int64
	}{
		"well":              {simulator.Fault{Op: simulator.OpPyi, Kind: simulator.HTML}, "juhe", 20},
		"its server fails":  {simulator.Fault{Op: simulator.OpJuhe, Kind: simulator.Throttle}, "pyi", 0},
		"it cannot read it": {simulator.Fault{Op: simulator.OpJuhe, Kind: simulator.Code, Code: 215305}, "", 20},
		"cut off":           {simulator.Fault{Op: simulator.OpJuhe, Kind: simulator.Reset, After: true}, "pyi", 20},
	} {
		test.fault.Calls = []int{1}
		sim.SetFaults(simulator.Faults{List: []simulator.Fault{test.fault}})
		got, err := read(name)
		if test.by == "" {
			require.Equal(t, ocr.OutcomeUnreadable, ocr.AsProviderError(err).Outcome, name)
		} else {
			require.NoError(t, err, name)
			require.Equal(t, test.by, got.Source, name)
			require.Equal(t, "欧阳翀", got.Fields[ocr.Name].Value, name)
		}
		var calls []routing.Call
		require.NoError(t, site.DB.NewSelect().Model(&calls).Where("picture_id = ? AND engine = 'juhe'", name).Scan(ctx))
		require.Len(t, calls, 1, name)
		require.Equal(t, test.juheCosts, calls[0].CostFen(), "%s: %s", name, calls[0].Outcome)
	}

	sim.SetFaults(simulator.Faults{List: []simulator.Fault{{Op: simulator.OpJuhe, Kind: simulator.Quota, Calls: []int{1}}}})
	before := sim.Stats().Calls[simulator.OpJuhe]
	for _, name := range []string{"used up", "still used up"} {
		got, err := read(name)
		require.NoError(t, err)
		require.Equal(t, "pyi", got.Source)
	}
	require.Equal(t, before+1, sim.Stats().Calls[simulator.OpJuhe], "an engine without a quota rests")
	health, err := site.Recognition.Health(ctx, tenants.AllTenants("test"), db.Now().Add(-3600e9))
	require.NoError(t, err)
	for _, h := range health {
		if h.Engine == "juhe" {
			require.Equal(t, ocr.OutcomeQuota, h.Reason)
		}
	}
}

// A paid engine reads a card again only when it is named, and review says so.
func TestReadingAgainAtAPriceIsAskedFor(t *testing.T) {
	t.Parallel()
	site, sim := withProviders(t)
	p := site.signUp("晨光照相馆")
	ctx := context.Background()
	b := p.batch("批次")
	o := p.order(b, "欧阳肿", true)
	record := "/batches/" + b.ID + "/review?order=" + o.ID
	require.Zero(t, p.page(p.get(record), http.StatusOK).Find(`input[name="engine"]`).Length())
	require.NoError(t, site.Recognition.Turn(ctx, p.scope, routing.AnyDocument, "xinhuo", true, p.userID))
	page := p.page(p.get(record), http.StatusOK)
	dialog := page.Find("#reread-xinhuo")
	require.Contains(t, dialog.Text(), "¥0.30")
	res := p.post("/orders/"+o.ID+"/reread", url.Values{"engine": {"xinhuo"}})
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	require.Equal(t, 1, sim.Stats().Calls[simulator.OpXinhuo])
	after, err := site.Orders.Get(ctx, p.scope, o.ID)
	require.NoError(t, err)
	require.Equal(t, "欧阳翀", after.Name)
	readings, err := site.Photos.Readings(ctx, p.scope, *o.FrontID)
	require.NoError(t, err)
	require.Equal(t, "xinhuo", readings[*o.FrontID].Source)
	require.Contains(t, p.page(p.get(record), http.StatusOK).Text(), "薪火科技")

	// Where two engines agree, review says which.
	_, err = site.DB.NewUpdate().Model((*photos.Reading)(nil)).Set("second = 'juhe'").ApplyQueryBuilder(p.scope.Where).Where("id = ?", readings[*o.FrontID].ID).Exec(ctx)
	require.NoError(t, err)
	require.Contains(t, p.page(p.get(record), http.StatusOK).Text(), "聚合数据")
}
