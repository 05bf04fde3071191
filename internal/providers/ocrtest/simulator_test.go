package ocrtest_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/ocr"
	"huizhi/internal/providers/juhe"
	"huizhi/internal/providers/ocrtest"
	"huizhi/internal/providers/pyi"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/providers/simulator/account"
	"huizhi/internal/providers/simulator/cards"
	"huizhi/internal/providers/xinhuo"
)

// The clients and the simulator were written from the documents, each without the other.

type pair struct {
	simulator *simulator.Server
	clients   map[string]ocr.Reader
}

func start(t *testing.T, c simulator.OCR) pair {
	t.Helper()
	s, err := simulator.Start(t.Context(), simulator.Config{OCR: c})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	p, err := pyi.New(pyi.Config{BaseURL: s.HostURL(), AppID: simulator.DefaultPyiAppID, Secret: simulator.DefaultPyiSecret})
	require.NoError(t, err)
	j, err := juhe.New(juhe.Config{BaseURL: s.HostURL(), Key: simulator.DefaultJuheKey})
	require.NoError(t, err)
	x, err := xinhuo.New(xinhuo.Config{BaseURL: s.HostURL(), Token: simulator.DefaultXinhuoToken})
	require.NoError(t, err)
	return pair{s, map[string]ocr.Reader{pyi.Name: p, juhe.Name: j, xinhuo.Name: x}}
}

func (p pair) each(t *testing.T, test func(t *testing.T, client ocr.Reader)) {
	t.Helper()
	for name, client := range p.clients {
		t.Run(name, func(t *testing.T) { test(t, client) })
	}
}

// show registers what a picture shows.
func (p pair) show(file []byte, c cards.Card) {
	sum := sha256.Sum256(file)
	p.simulator.RegisterCard(hex.EncodeToString(sum[:]), c)
}

// always reads the same card.
func always(c cards.Card) cards.Reader {
	return func(context.Context, []byte, cards.Kind) (cards.Card, error) { return c, nil }
}

var (
	front = cards.Card{Kind: cards.IDFront, Fields: map[string]string{
		cards.Name: "王小明", cards.Sex: "女", cards.Ethnicity: "汉", cards.BirthDate: "1949-12-31", cards.Address: "北京市朝阳区人民路1号",
		cards.IDNumber: "11010519491231002X",
	}}
	back = cards.Card{Kind: cards.IDBack, Fields: map[string]string{
		cards.Authority: "北京市公安局朝阳分局", cards.ValidFrom: "2010-03-01", cards.ValidUntil: "长期",
	}}
)

func requireFields(t *testing.T, want map[string]string, reading *ocr.Reading) {
	t.Helper()
	got := map[string]string{}
	for name, f := range reading.Fields {
		got[string(name)] = f.Value
	}
	require.Equal(t, want, got) // the simulator's names of an ID card's fields are ours
}

func TestBothSidesAreRead(t *testing.T) {
	t.Parallel()
	p := start(t, simulator.OCR{})
	frontFile, backFile := ocrtest.Picture(t, 428, 270), ocrtest.PNG(t, 300, 200)
	p.show(frontFile, front)
	p.show(backFile, back)
	p.each(t, func(t *testing.T, client ocr.Reader) {
		for _, expected := range []ocr.DocType{ocr.Unknown, ocr.IDCardFront} {
			reading, err := client.Read(t.Context(), ocr.Request{Image: frontFile, Document: expected, Reference: "call-1"})
			require.NoError(t, err)
			require.Equal(t, ocr.IDCardFront, reading.Type)
			require.Equal(t, ocr.Charged, reading.Charge)
			require.Equal(t, ocr.NumberConsistent, ocr.NumberTypeOf(reading.Fields))
			require.NotEmpty(t, reading.Raw)
			require.Empty(t, reading.Conditions)
			requireFields(t, front.Fields, reading)
			require.Equal(t, client.Name() == juhe.Name, reading.Reference != "")
			require.Equal(t, client.Name() != pyi.Name, len(reading.Crops[ocr.Portrait]) > 0)
		}
		for _, expected := range []ocr.DocType{"", ocr.IDCardBack} {
			reading, err := client.Read(t.Context(), ocr.Request{Image: backFile, Document: expected})
			require.NoError(t, err)
			require.Equal(t, ocr.IDCardBack, reading.Type)
			requireFields(t, back.Fields, reading)
		}
	})
}

func TestTheSidesAreSwapped(t *testing.T) {
	t.Parallel()
	p := start(t, simulator.OCR{})
	file := ocrtest.Picture(t, 100, 80)
	p.show(file, back)
	p.each(t, func(t *testing.T, client ocr.Reader) {
		reading, err := client.Read(t.Context(), ocr.Request{Image: file, Document: ocr.IDCardFront})
		if client.Name() == juhe.Name { // its cardType names the side
			require.Equal(t, ocr.OutcomeUnreadable, ocr.AsProviderError(err).Outcome)
			return
		}
		require.NoError(t, err)
		require.Equal(t, ocr.IDCardBack, reading.Type)
		require.Equal(t, []ocr.Condition{ocr.ReversedSide}, reading.Conditions)
	})
}

func TestAPictureWithoutACard(t *testing.T) {
	t.Parallel()
	p := start(t, simulator.OCR{})
	p.each(t, func(t *testing.T, client ocr.Reader) {
		reading, err := client.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 100, 80)})
		if client.Name() == pyi.Name {
			require.NoError(t, err)
			require.Equal(t, ocr.Unknown, reading.Type)
			require.Equal(t, ocr.Charged, reading.Charge)
			return
		}
		e := ocr.AsProviderError(err)
		require.NotNil(t, e)
		require.Equal(t, ocr.OutcomeUnreadable, e.Outcome)
		require.Equal(t, client.Name() == juhe.Name, e.Charge == ocr.Charged)
	})
}

func TestLargePicturesPassEveryCheck(t *testing.T) {
	t.Parallel()
	p := start(t, simulator.OCR{Recognise: always(front)})
	file := ocrtest.PNG(t, 4200, 400)
	p.each(t, func(t *testing.T, client ocr.Reader) {
		reading, err := client.Read(t.Context(), ocr.Request{Image: file})
		require.NoError(t, err)
		require.Equal(t, ocr.IDCardFront, reading.Type)
	})
}

func TestOtherDocuments(t *testing.T) {
	t.Parallel()
	p := start(t, simulator.OCR{})
	file := ocrtest.Picture(t, 100, 80)
	p.show(file, cards.Card{Kind: cards.VehicleLicense, Fields: map[string]string{"号牌号码": "粤A41234", "所有人": "黄大文", "车辆识别代号": "LSGJA52U7AS044832"}})
	for _, name := range []string{juhe.Name, xinhuo.Name} {
		for _, expected := range []ocr.DocType{ocr.Unknown, ocr.VehicleLicence} {
			reading, err := p.clients[name].Read(t.Context(), ocr.Request{Image: file, Document: expected})
			require.NoError(t, err, name)
			require.Equal(t, ocr.VehicleLicence, reading.Type, "%s: %s", name, []byte(reading.Raw))
			require.Equal(t, "粤A41234", reading.Fields[ocr.PlateNumber].Value)
		}
	}
}

func TestAnEmptyAccountIsAQuota(t *testing.T) {
	t.Parallel()
	one := account.Config{Calls: 1}
	p := start(t, simulator.OCR{Pyi: one, Juhe: one, Xinhuo: one, Recognise: always(front)})
	p.each(t, func(t *testing.T, client ocr.Reader) {
		_, err := client.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 100, 80)})
		require.NoError(t, err)
		_, err = client.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 100, 80)})
		e := ocr.AsProviderError(err)
		require.NotNil(t, e)
		require.Equal(t, ocr.OutcomeQuota, e.Outcome)
		require.Equal(t, ocr.NotCharged, e.Charge)
	})
}

func TestAnotherKeyIsTheAccountsFault(t *testing.T) {
	t.Parallel()
	s, err := simulator.Start(t.Context(), simulator.Config{OCR: simulator.OCR{PyiSecret: "other", JuheKey: "other", XinhuoToken: "other"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	p := start(t, simulator.OCR{})
	for _, client := range []func() (ocr.Reader, error){
		func() (ocr.Reader, error) {
			return pyi.New(pyi.Config{BaseURL: s.HostURL(), AppID: simulator.DefaultPyiAppID, Secret: simulator.DefaultPyiSecret})
		},
		func() (ocr.Reader, error) {
			return juhe.New(juhe.Config{BaseURL: s.HostURL(), Key: simulator.DefaultJuheKey})
		},
		func() (ocr.Reader, error) {
			return xinhuo.New(xinhuo.Config{BaseURL: s.HostURL(), Token: simulator.DefaultXinhuoToken})
		},
	} {
		reader, err := client()
		require.NoError(t, err)
		_, err = reader.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 100, 80)})
		require.Equal(t, ocr.OutcomeAccount, ocr.AsProviderError(err).Outcome, reader.Name())
		require.NoError(t, p.clients[reader.Name()].Health(t.Context()))
	}
}

func TestClocksThatDifferAreReconciled(t *testing.T) {
	t.Parallel()
	p := start(t, simulator.OCR{Recognise: always(front)})
	early, err := pyi.New(pyi.Config{
		BaseURL: p.simulator.HostURL(), AppID: simulator.DefaultPyiAppID, Secret: simulator.DefaultPyiSecret,
		Now: func() time.Time { return time.Now().Add(-time.Hour) },
	})
	require.NoError(t, err)
	reading, err := early.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 100, 80)})
	require.NoError(t, err)
	require.Equal(t, ocr.IDCardFront, reading.Type)
}

func TestAPictureIsFetchedFromItsAddress(t *testing.T) {
	t.Parallel()
	p := start(t, simulator.OCR{Recognise: always(front)})
	file := ocrtest.Picture(t, 100, 80)
	photos := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(file) }))
	defer photos.Close()
	reading, err := p.clients[pyi.Name].Read(t.Context(), ocr.Request{URL: photos.URL + "/a b?x=1&y=李"})
	require.NoError(t, err)
	require.Equal(t, ocr.IDCardFront, reading.Type)
}
