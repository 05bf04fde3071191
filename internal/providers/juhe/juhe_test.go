package juhe

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/ocr"
	"huizhi/internal/providers/ocrtest"
)

const key = "0123456789abcdef"

var now = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

func client(t testing.TB, s *ocrtest.Service) *Client {
	t.Helper()
	c, err := New(Config{BaseURL: s.URL, Key: key, Now: func() time.Time { return now }})
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
	portrait := base64.StdEncoding.EncodeToString(ocrtest.Picture(t, 40, 50))
	return ocrtest.Answer{Body: bytes.ReplaceAll(ocrtest.Golden(t, name), []byte("{portrait}"), []byte(portrait))}
}

func read(t *testing.T, answer ocrtest.Answer, document ocr.DocType) *ocr.Reading {
	t.Helper()
	reading, err := client(t, ocrtest.Serve(t, answer)).Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80), Document: document})
	require.NoError(t, err)
	require.Equal(t, ocr.Charged, reading.Charge)
	require.Equal(t, "juhe", reading.Engine)
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

func TestASmallPictureIsSentInBase64(t *testing.T) {
	t.Parallel()
	s := ocrtest.Serve(t, golden(t, "front-answer.json"))
	_, err := client(t, s).Read(t.Context(), ocr.Request{Image: ocrtest.PNG(t, 120, 80), Document: ocr.IDCardFront, Reference: "call-1"})
	require.NoError(t, err)
	got := s.Requests()[0]
	form, err := url.ParseQuery(string(got.Body))
	require.NoError(t, err)
	file, err := base64.StdEncoding.DecodeString(form.Get("base64"))
	require.NoError(t, err)
	width, height := ocrtest.Size(t, file)
	require.Equal(t, [2]int{120, 80}, [2]int{width, height})
	require.Equal(t, ocrtest.Request{
		Method: "POST", Path: "/certificates/queryBase64", ContentType: "application/x-www-form-urlencoded",
		Body: bytes.ReplaceAll(ocrtest.Golden(t, "form-request.txt"), []byte("{base64}"), []byte(url.QueryEscape(form.Get("base64")))),
	}, got)
}

func TestALargePictureIsSentAsAFile(t *testing.T) {
	t.Parallel()
	s := ocrtest.Serve(t, golden(t, "business-answer.json"))
	_, err := client(t, s).Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 900, 700), Document: ocr.BusinessLicence, Reference: "call-1"})
	require.NoError(t, err)
	got := s.Requests()[0]
	require.Equal(t, "/certificates/query", got.Path)
	require.Empty(t, got.Query)
	media, parameters, err := mime.ParseMediaType(got.ContentType)
	require.NoError(t, err)
	require.Equal(t, "multipart/form-data", media)
	template := strings.ReplaceAll(string(ocrtest.Golden(t, "file-request.txt")), "{boundary}", parameters["boundary"])
	before, after, _ := strings.Cut(template, "{file}")
	require.True(t, bytes.HasPrefix(got.Body, []byte(before)))
	require.True(t, bytes.HasSuffix(got.Body, []byte(after)))
	width, height := ocrtest.Size(t, got.Body[len(before):len(got.Body)-len(after)])
	require.Equal(t, [2]int{900, 700}, [2]int{width, height})
}

func TestOnlyBankCardsMustBeJPEG(t *testing.T) {
	t.Parallel()
	s := ocrtest.Serve(t, golden(t, "front-answer.json"))
	for _, document := range []ocr.DocType{ocr.Passport, ocr.BankCard} {
		_, err := client(t, s).Read(t.Context(), ocr.Request{Image: ocrtest.PNG(t, 400, 300), Document: document})
		require.NoError(t, err)
	}
	file := string(s.Requests()[0].Body)
	require.Contains(t, file, "filename=\"card.png\"\r\nContent-Type: image/png\r\n\r\n\x89PNG")
	form, err := url.ParseQuery(string(s.Requests()[1].Body))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(form.Get("base64"), "/9j/"))
}

func TestBothSidesOfAnIDCard(t *testing.T) {
	t.Parallel()
	front := map[ocr.FieldName]string{
		ocr.Name: "彭力", ocr.Sex: "男", ocr.Ethnicity: "汉", ocr.BirthDate: "1951-06-09", ocr.Address: "武汉市江岸区永清路1号",
		ocr.IDNumber: "420106195106091239",
	}
	back := map[ocr.FieldName]string{ocr.Authority: "武汉市公安局江岸分局", ocr.ValidFrom: "2015-02-03", ocr.ValidUntil: "2035-02-03"}
	for _, expected := range []ocr.DocType{"", ocr.Unknown, ocr.IDCardFront, ocr.IDCardBack} {
		reading := read(t, golden(t, "front-answer.json"), expected)
		require.Equal(t, ocr.IDCardFront, reading.Type, expected)
		require.Equal(t, front, values(reading), expected)
		require.Equal(t, "JH1531180126114835937669", reading.Reference)
		width, height := ocrtest.Size(t, reading.Crops[ocr.Portrait])
		require.Equal(t, [2]int{40, 50}, [2]int{width, height})
		require.Equal(t, expected == ocr.IDCardBack, slices.Contains(reading.Conditions, ocr.ReversedSide), expected)

		reading = read(t, golden(t, "back-answer.json"), expected)
		require.Equal(t, ocr.IDCardBack, reading.Type, expected)
		require.Equal(t, back, values(reading), expected)
		require.Empty(t, reading.Crops)
		require.Equal(t, expected == ocr.IDCardFront, slices.Contains(reading.Conditions, ocr.ReversedSide), expected)
	}
}

// The document's example lacks the envelope.
func TestAVehicleLicenceIsRecognisedByItsFields(t *testing.T) {
	t.Parallel()
	for _, expected := range []ocr.DocType{ocr.VehicleLicence, ocr.Unknown} {
		reading := read(t, golden(t, "vehicle-answer.json"), expected)
		require.Equal(t, ocr.VehicleLicence, reading.Type)
		require.Equal(t, map[ocr.FieldName]string{
			ocr.PlateNumber: "粤A41234", ocr.VehicleType: "小型轿车", ocr.Owner: "黄大文", ocr.Address: "广东省从化市城郊街东风村1号",
			ocr.VehicleModel: "别克1B271801S", ocr.VIN: "LSGJA52U7AS044832", ocr.EngineNumber: "T18S1234C",
			ocr.RegistrationDate: "2000-06-13", ocr.IssueDate: "2020-07-11", ocr.UseCharacter: "非营运",
		}, values(reading))
	}
}

func TestADrivingLicencesNumberIsItsOwn(t *testing.T) {
	t.Parallel()
	answer := ocrtest.Answer{Body: []byte(`{"error_code":0,"result":{"准驾车型":"C1","姓名":"彭力","公民身份号码":"420106195106091239"}}`)}
	for _, expected := range []ocr.DocType{ocr.DrivingLicence, ""} {
		reading := read(t, answer, expected)
		require.Equal(t, ocr.DrivingLicence, reading.Type)
		require.Equal(t, "420106195106091239", reading.Fields[ocr.DocumentNumber].Value)
	}
}

func TestABusinessLicencesTermIsSplit(t *testing.T) {
	t.Parallel()
	reading := read(t, golden(t, "business-answer.json"), ocr.BusinessLicence)
	require.Equal(t, ocr.BusinessLicence, reading.Type)
	got := values(reading)
	require.Equal(t, "2018-03-21", got[ocr.ValidFrom])
	require.Equal(t, ocr.LongTerm, got[ocr.ValidUntil])
	require.Equal(t, "2018-03-21", got[ocr.EstablishedDate])
	require.Equal(t, "吴发强", got[ocr.LegalRepresentative])
	require.Equal(t, "北京市朝阳区将台乡驼房营路8号新华科技大厦21层2106室", got[ocr.Address])
	require.True(t, reading.Fields[ocr.CreditCode].Has(ocr.ChecksumFailed), "the sample's code has 17 characters")
}

func TestPermitsOfHongKongMacaoAndTaiwan(t *testing.T) {
	t.Parallel()
	reading := read(t, golden(t, "homereturn-answer.json"), ocr.HongKongMacaoResidentPermit)
	require.Equal(t, map[ocr.FieldName]string{
		ocr.DocumentNumber: "H12345678", ocr.Name: "陈大文", ocr.NameLatin: "CHAN, TAI MAN", ocr.SurnameLatin: "CHAN", ocr.GivenNameLatin: "TAI MAN",
		ocr.Sex: "男", ocr.BirthDate: "1980-01-02", ocr.ValidFrom: "2019-05-07", ocr.ValidUntil: "2029-05-06", ocr.IssueDate: "2019-05-07",
		ocr.HomeDocumentNumber: "A123456(3)", ocr.Authority: "公安部出入境管理局", ocr.IssueCount: "02", ocr.Domicile: "香港",
	}, values(reading))

	reading = read(t, golden(t, "residence-answer.json"), ocr.HMTResidencePermitFront)
	require.Equal(t, []ocr.Condition{ocr.Copy}, reading.Conditions)
	require.Equal(t, "810000199007080025", reading.Fields[ocr.IDNumber].Value)
}

func TestNothingReadIsNoDocument(t *testing.T) {
	t.Parallel()
	for _, result := range []string{`{}`, `[]`, `null`, `""`, `{"姓名":"","保留":""}`} {
		for _, expected := range []ocr.DocType{ocr.Unknown, ocr.Passport, ocr.IDCardFront} {
			reading := read(t, ocrtest.Answer{Body: []byte(`{"error_code":0,"result":` + result + `}`)}, expected)
			require.Equal(t, ocr.Unknown, reading.Type, result)
			require.Empty(t, reading.Fields)
		}
	}
}

func TestEveryPlausibleFormOfAnAnswerIsUnderstood(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"code as a string":    `{"error_code":"0","reason":"","result":{"姓名":"彭力"}}`,
		"result as a string":  `{"error_code":0,"result":"{\"姓名\":\"彭力\"}"}`,
		"no error_code":       `{"reason":"操作成功","result":{"姓名":"彭力"}}`,
		"no envelope":         `{"姓名":"彭力","orderid":"1"}`,
		"byte order mark":     "\xef\xbb\xbf" + `{"error_code":0,"result":{"姓名":"彭力"}}`,
		"more than is needed": `{"error_code":0,"resultcode":"200","result":{"姓名":" 彭力 ","头像":null,"位置":[1,2]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, "彭力", read(t, ocrtest.Answer{Body: []byte(body)}, ocr.IDCardFront).Fields[ocr.Name].Value)
		})
	}
}

func TestWhatIsNoAnswerMayHaveBeenCharged(t *testing.T) {
	t.Parallel()
	for body, status := range map[string]int{
		`<html>`: 200, `{}`: 200, `{"message":"ok"}`: 200, `{"error_code":"none"}`: 200, `{"error_code":0,"result":{"姓`: 200, `bad gateway`: 502,
	} {
		_, err := client(t, ocrtest.Serve(t, ocrtest.Answer{Status: status, Body: []byte(body)})).
			Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
		e := ocr.AsProviderError(err)
		require.NotNil(t, e, body)
		require.True(t, e.Outcome.FailsOver(), body)
		require.Equal(t, ocr.MaybeCharged, e.Charge, body)
		require.Equal(t, ocr.Raw(body), e.Raw)
	}
}

// The document's two lists, code by code: 只有状态码为0和215305时扣费.
func TestEveryCodeOfTheDocumentHasAnOutcome(t *testing.T) {
	t.Parallel()
	want := map[int]ocr.Outcome{
		215300: ocr.OutcomeServer, 215301: ocr.OutcomeAccount, 215302: ocr.OutcomeInput, 215303: ocr.OutcomeInput, 215304: ocr.OutcomeInput,
		215305: ocr.OutcomeUnreadable, 215306: ocr.OutcomeTransport, 215307: ocr.OutcomeTransport, 215308: ocr.OutcomeUnreadable,
		10011: ocr.OutcomeThrottled, 10012: ocr.OutcomeQuota, 10013: ocr.OutcomeQuota, 10014: ocr.OutcomeServer, 10020: ocr.OutcomeServer,
	}
	charges := map[int]ocr.Charge{215305: ocr.Charged, 10014: ocr.MaybeCharged}
	listed := list(t, "codes.txt")
	require.Len(t, verdicts, len(listed))
	for code := range listed {
		_, known := verdicts[code]
		require.True(t, known, code)
		_, err := answering(t, `{"error_code":`+strconv.Itoa(code)+`,"reason":"x","result":{"orderid":"JH1"}}`).
			Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
		e := ocr.AsProviderError(err)
		require.NotNil(t, e, code)
		require.Equal(t, code, e.Code)
		outcome, special := want[code]
		if !special {
			outcome = ocr.OutcomeAccount
		}
		require.Equal(t, outcome, e.Outcome, code)
		require.Equal(t, charges[code], e.Charge, code)
		require.Equal(t, "JH1", e.Reference)
	}
}

func TestAPictureThatCouldNotBeReadIsCharged(t *testing.T) {
	t.Parallel()
	_, err := client(t, ocrtest.Serve(t, golden(t, "unreadable-answer.json"))).Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
	e := ocr.AsProviderError(err)
	require.Equal(t, ocr.Charged, e.Charge)
	require.False(t, e.Outcome.FailsOver())
}

// The document's list of cardType: each code is a document type or one of the four that find out.
func TestEveryCardTypeOfTheDocumentCanBeAskedFor(t *testing.T) {
	t.Parallel()
	listed := list(t, "cardtypes.txt")
	require.Len(t, listed, 35)
	for _, automatic := range []int{101, 102, 103, 104} {
		delete(listed, automatic)
	}
	require.Len(t, cards, len(listed))
	s := ocrtest.Serve(t, golden(t, "front-answer.json"))
	c := client(t, s)
	var want []string
	for _, card := range cards {
		require.Contains(t, listed, card.code)
		require.True(t, card.document.Known())
		_, err := c.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80), Document: card.document})
		require.NoError(t, err)
		want = append(want, strconv.Itoa(card.code))
	}
	_, err := c.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
	require.NoError(t, err)
	var sent []string
	for _, r := range s.Requests() {
		form, err := url.ParseQuery(string(r.Body))
		require.NoError(t, err)
		sent = append(sent, form.Get("cardType"))
	}
	require.Equal(t, append(want, "104"), sent)
	_, err = c.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80), Document: ocr.MarriageCertificate})
	require.ErrorIs(t, err, ocr.ErrUnsupported)
}

func list(t *testing.T, file string) map[int]string {
	t.Helper()
	listed := map[int]string{}
	lines := bufio.NewScanner(bytes.NewReader(ocrtest.Golden(t, file)))
	for lines.Scan() {
		number, text, _ := strings.Cut(lines.Text(), " ")
		code, err := strconv.Atoi(number)
		require.NoError(t, err)
		listed[code] = text
	}
	return listed
}

func TestLargePicturesAreMadeToFit(t *testing.T) {
	t.Parallel()
	for document, side := range map[ocr.DocType]int{ocr.IDCardFront: 1600, ocr.BusinessLicence: 3000} {
		s := ocrtest.Serve(t, golden(t, "front-answer.json"))
		reading, err := client(t, s).Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 3600, 700), Document: document})
		require.NoError(t, err)
		require.Equal(t, 3600, reading.Width)
		body := s.Requests()[0].Body
		file := body[bytes.Index(body, []byte("\xff\xd8\xff")):]
		width, _ := ocrtest.Size(t, file)
		require.LessOrEqual(t, width, side)
		require.LessOrEqual(t, base64.StdEncoding.EncodedLen(len(file)-100), 3<<20)
	}
}

func TestNoErrorTellsTheKey(t *testing.T) {
	t.Parallel()
	for _, answer := range []ocrtest.Answer{
		{Cut: true}, {Status: 500, Body: []byte(key)}, {Body: []byte(`{"error_code":10001,"reason":"` + key + `"}`)},
		{Status: 302, Header: http.Header{"Location": {"/?key=" + key}}},
	} {
		_, err := client(t, ocrtest.Serve(t, answer)).Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
		require.Error(t, err)
		require.NotContains(t, err.Error(), key)
	}
}

func TestTheAddressMayNameAPath(t *testing.T) {
	t.Parallel()
	s := ocrtest.Serve(t, golden(t, "front-answer.json"))
	for _, path := range []string{"", "/", "/certificates", "/certificates/queryBase64", "/certificates/query"} {
		c, err := New(Config{BaseURL: s.URL + path, Key: key})
		require.NoError(t, err)
		require.NoError(t, c.Health(t.Context()))
		_, err = c.Read(t.Context(), ocr.Request{Image: ocrtest.Picture(t, 80, 80)})
		require.NoError(t, err)
	}
	for _, r := range s.Requests() {
		require.Equal(t, "/certificates/queryBase64", r.Path)
	}
	c, err := New(Config{Key: key})
	require.NoError(t, err)
	require.True(t, c.Capabilities().Insecure, "the document's address is plain http")
	_, err = New(Config{})
	require.Error(t, err)
}

func FuzzParse(f *testing.F) {
	for _, file := range []string{"front-answer.json", "vehicle-answer.json", "business-answer.json", "unreadable-answer.json"} {
		f.Add(ocrtest.Golden(f, file), "")
	}
	f.Add([]byte(`{"error_code":0,"result":"{}"}`), string(ocr.Passport))
	f.Fuzz(func(t *testing.T, body []byte, document string) {
		if result, ok := parse(body); ok && result.code == codeOK {
			reading := result.reading(t.Context(), ocr.Request{Document: ocr.DocType(document)}, now)
			if reading.Type == ocr.Unknown && len(reading.Fields) > 0 {
				t.Error("fields of no document")
			}
		}
	})
}
