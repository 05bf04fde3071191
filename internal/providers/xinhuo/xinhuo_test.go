package xinhuo

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/ocr"
	"huizhi/internal/providers/ocrtest"
)

const token = "ef9c0123456789dbca"

var now = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

func client(t testing.TB, s *ocrtest.Service) *Client {
	t.Helper()
	c, err := New(Config{BaseURL: s.URL, Token: token, Now: func() time.Time { return now }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// golden puts pictures into the places for them.
func golden(t testing.TB, name string) ocrtest.Answer {
	t.Helper()
	encoded := func(file []byte) string { return base64.StdEncoding.EncodeToString(file) }
	body := strings.NewReplacer(
		"{number}", encoded(ocrtest.Picture(t, 180, 16)), "{portrait}", encoded(ocrtest.PNG(t, 50, 60)),
		"{card}", "data:image/jpeg;base64,"+encoded(ocrtest.Picture(t, 476, 306)),
	).Replace(string(ocrtest.Golden(t, name)))
	return ocrtest.Answer{Body: []byte(body)}
}

func read(t *testing.T, answer ocrtest.Answer, document ocr.DocType) *ocr.Reading {
	t.Helper()
	reading, err := client(t, ocrtest.Serve(t, answer)).Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80), Document: document})
	require.NoError(t, err)
	require.Equal(t, "xinhuo", reading.Engine)
	require.Equal(t, ocr.Raw(answer.Body), reading.Raw)
	return reading
}

func values(r *ocr.Reading) map[ocr.FieldName]string {
	got := map[ocr.FieldName]string{}
	for name, f := range r.Fields {
		if f.Value != "" {
			got[name] = f.Value
		}
	}
	return got
}

func TestAPictureIsSentAsTheDocumentHasIt(t *testing.T) {
	t.Parallel()
	s := ocrtest.Serve(t, golden(t, "front-answer.json"))
	_, err := client(t, s).Read(t.Context(), ocr.Request{Image: ocrtest.PNG(t, 120, 80)})
	require.NoError(t, err)
	got := s.Requests()[0]
	var sent struct{ Image string }
	require.NoError(t, json.Unmarshal(got.Body, &sent))
	file, err := base64.StdEncoding.DecodeString(sent.Image)
	require.NoError(t, err)
	width, height := ocrtest.Size(t, file)
	require.Equal(t, [2]int{120, 80}, [2]int{width, height})
	require.Equal(t, ocrtest.Request{
		Method: "POST", Path: "/ocr", ContentType: "application/json",
		Body: bytes.ReplaceAll(ocrtest.Golden(t, "request.json"), []byte("{base64}"), []byte(sent.Image)),
	}, got)
}

func TestTheFrontOfAnIDCardWithItsPictures(t *testing.T) {
	t.Parallel()
	reading := read(t, golden(t, "front-answer.json"), ocr.Unknown)
	require.Equal(t, ocr.IDCardFront, reading.Type)
	require.Equal(t, ocr.Charged, reading.Charge)
	require.Equal(t, map[ocr.FieldName]string{
		ocr.Name: "李雷", ocr.Sex: "女", ocr.Ethnicity: "汉", ocr.BirthDate: "1977-07-07", ocr.Address: "上海市普陀区小合路888号",
		ocr.IDNumber: "310102197707077777",
	}, values(reading))
	require.Equal(t, ocr.NumberNotSex, ocr.NumberTypeOf(reading.Fields), "the sample's number is a man's")
	require.True(t, reading.Fields[ocr.Sex].Has(ocr.SexMismatch))

	require.Len(t, reading.Crops, 3)
	for name, want := range map[ocr.FieldName][2]int{ocr.IDNumber: {180, 16}, ocr.Portrait: {50, 60}, ocr.WholeCard: {476, 306}} {
		width, height := ocrtest.Size(t, reading.Crops[name])
		require.Equal(t, want, [2]int{width, height}, name)
	}
}

func TestTheBackIsToldByItsFields(t *testing.T) {
	t.Parallel()
	reading := read(t, golden(t, "back-answer.json"), ocr.IDCardFront)
	require.Equal(t, ocr.IDCardBack, reading.Type)
	require.Equal(t, []ocr.Condition{ocr.ReversedSide}, reading.Conditions)
	require.Equal(t, map[ocr.FieldName]string{
		ocr.Authority: "上海市公安局普陀分局", ocr.ValidFrom: "2015-02-03", ocr.ValidUntil: "2035-02-03",
	}, values(reading))
	require.Equal(t, 270, reading.Rotation)
}

// The service turns the picture clockwise to set it upright; a reading tells how the text stood.
func TestRotationIsThatOfTheText(t *testing.T) {
	t.Parallel()
	for angle, want := range map[int]int{0: 0, 90: 270, 180: 180, 270: 90, 360: 0, -90: 90, 2: 0, 88: 270, -3: 0} {
		require.Equal(t, want, turned(angle), angle)
	}
}

func TestAPassport(t *testing.T) {
	t.Parallel()
	reading := read(t, golden(t, "passport-answer.json"), ocr.IDCardFront)
	require.Equal(t, ocr.Passport, reading.Type)
	require.Equal(t, []ocr.Condition{ocr.OtherDocument}, reading.Conditions)
	require.Equal(t, map[ocr.FieldName]string{
		ocr.DocumentNumber: "E12345678", ocr.Name: "李雷", ocr.NameLatin: "LI,LEI", ocr.Sex: "男", ocr.Nationality: "中国",
		ocr.BirthDate: "1977-07-07", ocr.ValidUntil: "2029-05-06",
	}, values(reading))
	require.Empty(t, read(t, golden(t, "passport-answer.json"), ocr.Passport).Conditions)
}

// The document's list of 19 kinds: each is a document type, whose required fields can be told by what is printed.
func TestEveryKindOfTheDocumentIsRecognised(t *testing.T) {
	t.Parallel()
	listed := lines(t, "kinds.txt")
	require.Len(t, listed, 19)
	require.Len(t, kinds, 19)
	for kind := range listed {
		document, ok := kinds[kind]
		require.True(t, ok, kind)
		reached := map[ocr.FieldName]bool{}
		for description := range descriptions {
			name, _ := fieldOf(document, "", description)
			reached[name] = true
		}
		for _, name := range document.Required() {
			require.True(t, reached[name], "%s: %s", kind, name)
		}
	}
	c := client(t, ocrtest.Serve(t, golden(t, "front-answer.json")))
	require.Len(t, c.Capabilities().Documents, 20, "an ID card has two sides")
	require.Equal(t, c.Capabilities().Documents, c.Capabilities().Detects)
	_, err := c.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80), Document: ocr.Visa})
	require.ErrorIs(t, err, ocr.ErrUnsupported)
}

func TestNothingReadIsNoDocument(t *testing.T) {
	t.Parallel()
	for body, charge := range map[string]ocr.Charge{
		`{"code":200,"result":{"type":"id_card","item_list":[{"key":"name","value":""}]}}`:        ocr.Charged,
		`{"code":200,"result":{"type":"id_card","item_list":null}}`:                               ocr.Charged,
		`{"code":200,"result":{"type":"train_ticket","item_list":[{"key":"name","value":"李雷"}]}}`: ocr.Charged,
		`{"code":40500,"message":"Classify failed"}`:                                              ocr.NotCharged,
	} {
		reading := read(t, ocrtest.Answer{Body: []byte(body)}, ocr.IDCardFront)
		require.Equal(t, ocr.Unknown, reading.Type, body)
		require.Empty(t, reading.Fields, body)
		require.Equal(t, charge, reading.Charge, body)
		require.Empty(t, reading.Conditions, body)
	}
}

func TestEveryPlausibleFormOfAnAnswerIsUnderstood(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"code as a string":    `{"code":"200","result":{"type":"id_card","item_list":[{"key":"name","value":"李雷"}]}}`,
		"result as a string":  `{"code":200,"result":"{\"type\":\"id_card\",\"item_list\":[{\"key\":\"name\",\"value\":\"李雷\"}]}"}`,
		"list as an object":   `{"code":200,"result":{"type":"id_card","item_list":{"0":{"key":"name","value":"李雷"}}}}`,
		"byte order mark":     "\xef\xbb\xbf" + `{"code":200,"result":{"type":"id_card","item_list":[{"key":"name","value":"李雷"}]}}`,
		"only a description":  `{"code":200,"result":{"type":"id_card","item_list":[{"key":"n","value":"李雷","description":"姓名"}]}}`,
		"more than is needed": `{"code":200,"x":[],"result":{"type":"id_card","image_angle":"0","item_list":[{"key":"name","value":" 李雷 ","position":[[1,2]]},{"key":"sex","value":null}]}}`,
		"a broken portrait":   `{"code":200,"result":{"type":"id_card","item_list":[{"key":"name","value":"李雷"},{"key":"head_portrait","value":"base64..."}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reading := read(t, ocrtest.Answer{Body: []byte(body)}, "")
			require.Equal(t, "李雷", reading.Fields[ocr.Name].Value)
			require.Empty(t, reading.Crops)
		})
	}
}

func TestWhatIsNoAnswerMayHaveBeenCharged(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`<html>`, `{}`, `{"code":null}`, `{"code":200}`, `{"code":200,"result":[]}`, `{"code":200,"result":{"item_list":"x"}}`} {
		_, err := client(t, ocrtest.Serve(t, ocrtest.Answer{Body: []byte(body)})).Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
		e := ocr.AsProviderError(err)
		require.NotNil(t, e, body)
		require.Equal(t, ocr.OutcomeTransport, e.Outcome, body)
		require.Equal(t, ocr.MaybeCharged, e.Charge, body)
	}
}

// The document's list, code by code.
func TestEveryCodeOfTheDocumentHasAnOutcome(t *testing.T) {
	t.Parallel()
	want := map[int]ocr.Outcome{}
	for outcome, codes := range map[ocr.Outcome][]int{
		ocr.OutcomeServer:     {500, 40001, 40002, 40200, 50001, 90099},
		ocr.OutcomeThrottled:  {40004, 40018},
		ocr.OutcomeQuota:      {40017, 40019, 40020, 40107},
		ocr.OutcomeInput:      {40300, 40301, 40302, 40303},
		ocr.OutcomeUnreadable: {40400, 40401},
		ocr.OutcomeTransport:  {40600},
	} {
		for _, code := range codes {
			want[code] = outcome
		}
	}
	listed := lines(t, "codes.txt")
	require.Len(t, listed, len(outcomes)+2) // and the two that give a reading
	for number := range listed {
		code, err := strconv.Atoi(number)
		require.NoError(t, err)
		if code == codeOK || code == codeNoDocument {
			continue
		}
		_, known := outcomes[code]
		require.True(t, known, code)
		_, err = client(t, ocrtest.Serve(t, ocrtest.Answer{Body: []byte(`{"code":` + number + `,"message":"x"}`)})).
			Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
		e := ocr.AsProviderError(err)
		require.NotNil(t, e, code)
		require.Equal(t, code, e.Code)
		outcome, special := want[code]
		if !special {
			outcome = ocr.OutcomeAccount
		}
		require.Equal(t, outcome, e.Outcome, code)
		require.Equal(t, ocr.NotCharged, e.Charge, "only 200 counts")
	}
}

func lines(t *testing.T, file string) map[string]string {
	t.Helper()
	listed := map[string]string{}
	rows := bufio.NewScanner(bytes.NewReader(ocrtest.Golden(t, file)))
	for rows.Scan() {
		first, rest, _ := strings.Cut(rows.Text(), " ")
		listed[first] = rest
	}
	return listed
}

func TestNoErrorTellsTheToken(t *testing.T) {
	t.Parallel()
	for _, answer := range []ocrtest.Answer{
		golden(t, "refused-answer.json"), {Cut: true}, {Status: 500, Body: []byte(token)}, {Body: []byte(`{"code":40101,"message":"` + token + `"}`)},
		{Status: 307, Header: http.Header{"Location": {"/" + token}}},
	} {
		_, err := client(t, ocrtest.Serve(t, answer)).Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
		require.Error(t, err)
		require.NotContains(t, err.Error(), token)
	}
}

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	_, err := New(Config{})
	require.Error(t, err)
	_, err = New(Config{Token: token, BaseURL: "api.xinhuokj.com"})
	require.Error(t, err)
	c, err := New(Config{Token: token})
	require.NoError(t, err)
	require.True(t, c.Capabilities().Insecure, "the document's address is plain http")
}

func FuzzParse(f *testing.F) {
	for _, file := range []string{"front-answer.json", "back-answer.json", "passport-answer.json", "refused-answer.json"} {
		f.Add(ocrtest.Golden(f, file))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if result, ok := parse(body); ok && result.code == codeOK {
			reading := result.reading(t.Context(), ocr.Request{Document: ocr.Passport}, now)
			if reading.Type == ocr.Unknown && len(reading.Fields) > 0 {
				t.Error("fields of no document")
			}
			if reading.Rotation%90 != 0 || reading.Rotation < 0 || reading.Rotation >= 360 {
				t.Errorf("turned by %d", reading.Rotation)
			}
		}
	})
}
