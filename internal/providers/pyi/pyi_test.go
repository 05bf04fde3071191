package pyi

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/ocr"
	"huizhi/internal/providers/ocrtest"
)

const secret = "0123456789abcdef0123456789abcdef"

var now = time.Unix(1545829466, 0).UTC() // the time of the document's example

func client(t testing.TB, s *ocrtest.Service) *Client {
	t.Helper()
	c, err := New(Config{BaseURL: s.URL, AppID: "1", Secret: secret, Now: func() time.Time { return now }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func answering(t testing.TB, body string) *Client {
	t.Helper()
	return client(t, ocrtest.Serve(t, ocrtest.Answer{Body: []byte(body)}))
}

func golden(t testing.TB, name string) ocrtest.Answer {
	t.Helper()
	return ocrtest.Answer{Body: ocrtest.Golden(t, name)}
}

func TestAnAddressIsSentAsTheDocumentHasIt(t *testing.T) {
	t.Parallel()
	s := ocrtest.Serve(t, golden(t, "front-answer.json"))
	reading, err := client(t, s).Read(t.Context(), ocr.Request{
		URL: "https://photos.example/a b/李义.jpg?x=1&y=+", Document: ocr.IDCardFront,
	})
	require.NoError(t, err)
	require.Equal(t, []ocrtest.Request{{
		Method: "POST", Path: "/pyi/76/194", ContentType: "application/x-www-form-urlencoded;charset=utf-8",
		Body: ocrtest.Golden(t, "url-request.txt"), // signed by another implementation
	}}, s.Requests())
	require.Equal(t, ocr.IDCardFront, reading.Type)
}

func TestAPictureIsSentInBase64AndSigned(t *testing.T) {
	t.Parallel()
	s := ocrtest.Serve(t, golden(t, "front-answer.json"))
	_, err := client(t, s).Read(t.Context(), ocr.Request{Image: ocrtest.PNG(t, 200, 120)})
	require.NoError(t, err)
	body := string(s.Requests()[0].Body)
	form, err := url.ParseQuery(body)
	require.NoError(t, err)
	file, err := base64.StdEncoding.DecodeString(form.Get("url_image"))
	require.NoError(t, err)
	width, height := ocrtest.Size(t, file)
	require.Equal(t, [2]int{200, 120}, [2]int{width, height})

	signed := md5.Sum([]byte("appid1formatjsontime1545829466url_image" + form.Get("url_image") + secret))
	require.Equal(t, hex.EncodeToString(signed[:]), form.Get("sign"))
	want := strings.NewReplacer("{base64}", url.QueryEscape(form.Get("url_image")), "{sign}", form.Get("sign")).
		Replace(string(ocrtest.Golden(t, "image-request.txt")))
	require.Equal(t, want, body)
}

func TestTheFrontIsReadFromJSONAndXMLAlike(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"front-answer.json", "front-answer.xml"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			s := ocrtest.Serve(t, golden(t, file))
			reading, err := client(t, s).Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 100, 80)})
			require.NoError(t, err)
			require.Equal(t, ocr.IDCardFront, reading.Type)
			require.Equal(t, ocr.Charged, reading.Charge)
			require.Equal(t, "pyi", reading.Engine)
			require.Empty(t, reading.Conditions)
			require.Equal(t, [2]int{100, 80}, [2]int{reading.Width, reading.Height})
			require.Equal(t, ocr.Raw(ocrtest.Golden(t, file)), reading.Raw)
			require.Equal(t, map[ocr.FieldName]string{
				ocr.Name: "李义", ocr.Sex: "女", ocr.Ethnicity: "汉", ocr.BirthDate: "1994-04-06", ocr.Address: "江西省抚州市广昌县",
				ocr.IDNumber: "362532199404064129",
			}, values(reading))
			require.True(t, reading.Fields[ocr.IDNumber].Has(ocr.ChecksumFailed), "the sample's check digit is wrong")
			require.Equal(t, ocr.NumberInvalid, ocr.NumberTypeOf(reading.Fields))
		})
	}
}

func TestTheBackIsToldByItsFields(t *testing.T) {
	t.Parallel()
	c := client(t, ocrtest.Serve(t, golden(t, "back-answer.json")))
	reading, err := c.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 100, 80), Document: ocr.IDCardFront})
	require.NoError(t, err)
	require.Equal(t, ocr.IDCardBack, reading.Type)
	require.Equal(t, []ocr.Condition{ocr.ReversedSide}, reading.Conditions)
	require.Equal(t, map[ocr.FieldName]string{
		ocr.Authority: "广昌县公安局", ocr.ValidFrom: "2017-03-13", ocr.ValidUntil: "2037-03-13",
	}, values(reading))

	reading, err = c.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 100, 80)})
	require.NoError(t, err)
	require.Empty(t, reading.Conditions, "no side was expected")
}

func values(r *ocr.Reading) map[ocr.FieldName]string {
	got := map[ocr.FieldName]string{}
	for name, f := range r.Fields {
		got[name] = f.Value
	}
	return got
}

// Whatever image_status says, 10000 is charged.
func TestImageStatusIsAConditionOfAChargedReading(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]struct {
		docType    ocr.DocType
		conditions []ocr.Condition
	}{
		"normal":          {ocr.IDCardFront, nil},
		"reversed_side":   {ocr.IDCardFront, []ocr.Condition{ocr.ReversedSide}},
		"non_idcard":      {ocr.Unknown, nil},
		"blurred":         {ocr.IDCardFront, []ocr.Condition{ocr.Blurred}},
		"other_type_card": {ocr.Unknown, []ocr.Condition{ocr.OtherDocument}},
		"over_exposure":   {ocr.IDCardFront, []ocr.Condition{ocr.Overexposed}},
		"over_dark":       {ocr.IDCardFront, []ocr.Condition{ocr.Underexposed}},
		"unknown":         {ocr.IDCardFront, []ocr.Condition{ocr.UnclearState}},
	} {
		c := answering(t, `{"codeid":10000,"image_status":"`+status+`","retdata":{"姓名":"李义"}}`)
		reading, err := c.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80), Document: ocr.IDCardFront})
		require.NoError(t, err)
		require.Equal(t, want.docType, reading.Type, status)
		require.Equal(t, want.conditions, reading.Conditions, status)
		require.Equal(t, ocr.Charged, reading.Charge, status)
	}
}

func TestTheServicesOwnCheckOfTheNumberIsCompared(t *testing.T) {
	t.Parallel()
	const card = `"姓名":"王小明","性别":"女","出生":"19491231","公民身份号码":"11010519491231002X"`
	for numberType, disputed := range map[string]bool{"1": false, "4": true, `"2"`: true, "null": false} {
		c := answering(t, `{"codeid":10000,"idcard_number_type":`+numberType+`,"retdata":{`+card+`}}`)
		reading, err := c.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
		require.NoError(t, err)
		require.Equal(t, disputed, reading.Fields[ocr.IDNumber].Has(ocr.Disputed), numberType)
	}
}

func TestEveryPlausibleFormOfAnAnswerIsUnderstood(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"codes as strings":    `{"codeid":"10000","retdata":{"姓名":"李义","性别":null}}`,
		"byte order mark":     "\xef\xbb\xbf" + `{"codeid":10000,"retdata":{"姓名":"李义"}}`,
		"retdata a list":      `{"codeid":10000,"retdata":[{"姓名":"李义"}]}`,
		"retdata a string":    `{"codeid":10000,"retdata":"{\"姓名\":\"李义\"}"}`,
		"no retdata, flat":    `{"codeid":10000,"姓名":"李义"}`,
		"more than is needed": `{"codeid":10000,"new":{"a":[1]},"retdata":{"姓名":" 李义 ","其他":{"x":1}}}`,
		"XML of another root": `<xml><codeid>10000</codeid><retdata><item><姓名><![CDATA[李义]]></姓名></item></retdata></xml>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reading, err := answering(t, body).Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
			require.NoError(t, err)
			require.Equal(t, "李义", reading.Fields[ocr.Name].Value)
		})
	}
}

func TestNothingReadIsNoCard(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`[]`, `{}`, `null`, `""`, `"识别失败"`, `{"姓名":""}`} {
		reading, err := answering(t, `{"codeid":10000,"image_status":"normal","retdata":`+data+`}`).
			Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
		require.NoError(t, err)
		require.Equal(t, ocr.Unknown, reading.Type, data)
		require.Empty(t, reading.Fields, data)
	}
}

// The document's list, code by code.
func TestEveryCodeOfTheDocumentHasAnOutcome(t *testing.T) {
	t.Parallel()
	want := map[int]ocr.Outcome{
		10013: ocr.OutcomeServer, 10014: ocr.OutcomeServer, 10021: ocr.OutcomeServer,
		10018: ocr.OutcomeQuota, 10022: ocr.OutcomeQuota, 10019: ocr.OutcomeInput,
	}
	listed := 0
	lines := bufio.NewScanner(bytes.NewReader(ocrtest.Golden(t, "codes.txt")))
	for lines.Scan() {
		number, _, _ := strings.Cut(lines.Text(), " ")
		code, err := strconv.Atoi(number)
		require.NoError(t, err)
		if code == codeOK {
			continue
		}
		listed++
		_, known := outcomes[code]
		require.True(t, known, code)
		_, err = answering(t, `{"codeid":`+number+`,"message":"x","retdata":[]}`).
			Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
		e := ocr.AsProviderError(err)
		require.NotNil(t, e, code)
		require.Equal(t, code, e.Code)
		outcome, special := want[code]
		if !special {
			outcome = ocr.OutcomeAccount
		}
		require.Equal(t, outcome, e.Outcome, code)
		require.Equal(t, ocr.NotCharged, e.Charge, "only 10000 is charged")
	}
	require.Len(t, outcomes, listed)
}

func TestTheServicesClockIsUsedOnceItHasComplained(t *testing.T) {
	t.Parallel()
	theirs := now.Add(-time.Hour)
	complaint := golden(t, "clock-answer.json")
	complaint.Header = http.Header{"Date": {theirs.Format(http.TimeFormat)}}
	s := ocrtest.Serve(t, complaint, golden(t, "front-answer.json"))
	c := client(t, s)
	for range 2 {
		_, err := c.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
		require.NoError(t, err)
	}
	require.Equal(t, []string{stamp(now), stamp(theirs), stamp(theirs)}, sentTimes(t, s))
}

func TestWithoutADateTheTimeIsLeftOut(t *testing.T) {
	t.Parallel()
	complaint := golden(t, "clock-answer.json")
	complaint.Header = http.Header{"Date": nil}
	s := ocrtest.Serve(t, complaint, golden(t, "front-answer.json"))
	_, err := client(t, s).Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
	require.NoError(t, err)
	require.Equal(t, []string{stamp(now), ""}, sentTimes(t, s))
}

func TestAClockThatIsNeverRightIsAskedAboutTwiceOnly(t *testing.T) {
	t.Parallel()
	s := ocrtest.Serve(t, golden(t, "clock-answer.json"))
	_, err := client(t, s).Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
	require.Equal(t, codeClock, ocr.AsProviderError(err).Code)
	require.Len(t, s.Requests(), 2)
}

func stamp(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

func sentTimes(t *testing.T, s *ocrtest.Service) []string {
	t.Helper()
	var times []string
	for _, r := range s.Requests() {
		form, err := url.ParseQuery(string(r.Body))
		require.NoError(t, err)
		times = append(times, form.Get("time"))
	}
	return times
}

func TestLargePicturesAreMadeToFit(t *testing.T) {
	t.Parallel()
	s := ocrtest.Serve(t, golden(t, "front-answer.json"))
	reading, err := client(t, s).Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 4200, 900)})
	require.NoError(t, err)
	require.Equal(t, [2]int{4200, 900}, [2]int{reading.Width, reading.Height})
	form, err := url.ParseQuery(string(s.Requests()[0].Body))
	require.NoError(t, err)
	require.LessOrEqual(t, len(url.QueryEscape(form.Get("url_image"))), 4<<20)
}

func TestWhatIsNoPictureIsNotSent(t *testing.T) {
	t.Parallel()
	s := ocrtest.Serve(t, golden(t, "front-answer.json"))
	for _, r := range []ocr.Request{{Image: []byte("GIF89a")}, {}, {URL: "https://photos.example/" + strings.Repeat("x", 1024)}} {
		_, err := client(t, s).Read(t.Context(), r)
		require.ErrorIs(t, err, ocr.ErrUnreadable)
	}
	_, err := client(t, s).Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80), Document: ocr.Passport})
	require.ErrorIs(t, err, ocr.ErrUnsupported)
	require.Empty(t, s.Requests())
}

func TestNoErrorTellsSecretsOrAnswers(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]ocrtest.Answer{
		"refused": golden(t, "refused-answer.json"), "cut": {Cut: true}, "page": {Status: 502, Body: []byte("<html>" + secret + "</html>")},
		"garbage": {Body: []byte(`{"codeid":10000,"retdata":{"姓名":"李`)}, "redirect": {Status: 302, Header: http.Header{"Location": {"/" + secret}}},
	} {
		_, err := client(t, ocrtest.Serve(t, answer)).Read(t.Context(), ocr.Request{URL: "https://photos.example/" + secret})
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), secret, name)
		require.NotContains(t, err.Error(), "李", name)
	}
}

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{
		{BaseURL: "https://pyi.example"}, {AppID: "1", Secret: secret}, {BaseURL: "ftp://pyi.example", AppID: "1", Secret: secret},
	} {
		_, err := New(c)
		require.Error(t, err)
		require.NotContains(t, err.Error(), secret)
	}
	c, err := New(Config{BaseURL: "http://pyi.example/pyi/76/194/", AppID: "1", Secret: secret})
	require.NoError(t, err)
	require.True(t, c.Capabilities().Insecure)
}

func FuzzParse(f *testing.F) {
	for _, file := range []string{"front-answer.json", "back-answer.json", "front-answer.xml", "refused-answer.json"} {
		f.Add(ocrtest.Golden(f, file))
	}
	f.Add([]byte(`{"codeid":10000,"retdata":"[{\"姓名\":1}]"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if result, ok := parse(body); ok && result.code == codeOK {
			reading := result.reading(ocr.Request{}, now)
			if reading.Type == ocr.Unknown && len(reading.Fields) > 0 {
				t.Error("fields of no document")
			}
		}
	})
}
