package juhe_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"huizhi/internal/providers/simulator/account"
	"huizhi/internal/providers/simulator/cards"
	"huizhi/internal/providers/simulator/juhe"
	"huizhi/internal/providers/simulator/wire"
)

const key = "c975c48c9fc9fb1cb47f4ad2e3b0c8c9"

type site struct {
	url     string
	account *account.Account
	desk    *cards.Desk
	faults  *wire.Injector
}

func start(t testing.TB, limits account.Config, read cards.Reader) site {
	t.Helper()
	s := site{account: account.New(limits), desk: cards.NewDesk(read), faults: new(wire.Injector)}
	now := func() time.Time { return time.Date(2018, 1, 26, 3, 48, 35, 0, time.UTC) }
	server := httptest.NewServer(juhe.Handler(juhe.Config{Key: key, Account: s.account, Desk: s.desk, Faults: s.faults, Now: now}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func picture(width int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, 30))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func sum(file []byte) string {
	s := sha256.Sum256(file)
	return hex.EncodeToString(s[:])
}

var (
	front = cards.Card{Kind: cards.IDFront, Fields: map[string]string{
		cards.Name: "彭某", cards.Sex: "男", cards.Ethnicity: "汉", cards.BirthDate: "1951-06-09",
		cards.Address: "武汉市江岸区永清路1号", cards.IDNumber: "420106195106091234",
	}}
	back = cards.Card{Kind: cards.IDBack, Fields: map[string]string{
		cards.Authority: "武汉市公安局江岸分局", cards.ValidFrom: "2007-01-02", cards.ValidUntil: "长期",
	}}
)

type reply struct {
	Code   int             `json:"error_code"`
	Reason string          `json:"reason"`
	Result json.RawMessage `json:"result"`
}

func read(t testing.TB, res *http.Response, err error) reply {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var r reply
	if err := json.NewDecoder(res.Body).Decode(&r); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("HTTP %d, %v", res.StatusCode, err)
	}
	return r
}

// encoded is a valid call of queryBase64 with some parameters replaced.
func encoded(image []byte, change ...string) url.Values {
	f := url.Values{"key": {key}, "cardType": {"2"}, "base64": {base64.StdEncoding.EncodeToString(image)}}
	for i := 0; i < len(change); i += 2 {
		f.Set(change[i], change[i+1])
	}
	return f
}

func (s site) encoded(t testing.TB, f url.Values) reply {
	t.Helper()
	res, err := http.PostForm(s.url+juhe.PathBase64, f)
	return read(t, res, err)
}

// upload calls query with a file.
func (s site) upload(t testing.TB, fileName string, file []byte, fields map[string]string) reply {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, value := range fields {
		w.WriteField(name, value)
	}
	if fileName != "" {
		part, err := w.CreateFormFile("pic", fileName)
		if err != nil {
			t.Fatal(err)
		}
		part.Write(file)
	}
	w.Close()
	res, err := http.Post(s.url+juhe.PathFile, w.FormDataContentType(), &b)
	return read(t, res, err)
}

func lines(t *testing.T, name string) map[int]string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	table := make(map[int]string)
	for line := range strings.Lines(string(text)) {
		number, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		table[n] = rest
	}
	return table
}

func TestTablesAreTheDocuments(t *testing.T) {
	t.Parallel()
	want := lines(t, "codes.txt")
	want[0] = "操作成功"
	if !reflect.DeepEqual(juhe.Messages, want) {
		t.Errorf("got %v\nwant %v", juhe.Messages, want)
	}
	documented := lines(t, "card_types.txt")
	for _, n := range juhe.CardTypes() {
		if documented[n] == "" {
			t.Errorf("cardType %d is not in the document", n)
		}
	}
	if n := len(juhe.CardTypes()); n != 35 || len(documented) != 35 {
		t.Errorf("%d types, the document has %d", n, len(documented))
	}
}

func TestBase64Checks(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil)
	file := picture(31)
	s.desk.Register(sum(file), front)
	text := base64.StdEncoding.EncodeToString(file)
	var gifFile bytes.Buffer
	gif.Encode(&gifFile, image.NewPaletted(image.Rect(0, 0, 30, 30), color.Palette{color.Black}), nil)
	for name, c := range map[string]struct {
		form url.Values
		code int
	}{
		"good":               {encoded(file), 0},
		"everything missing": {url.Values{}, 10001},
		"wrong key":          {encoded(file, "key", "?"), 10001},
		"no cardType":        {encoded(file, "cardType", ""), 215303},
		"cardType 8":         {encoded(file, "cardType", "8"), 215303},
		"cardType no number": {encoded(file, "cardType", "x"), 215303},
		"nothing uploaded":   {encoded(nil), 215306},
		"3 MB":               {encoded(nil, "base64", strings.Repeat("A", 3<<20)), 215305},
		"more than 3 MB":     {encoded(nil, "base64", strings.Repeat("A", 3<<20+4)), 215302},
		"data: prefix":       {encoded(nil, "base64", "data:image/jpeg;base64,"+text), 215307},
		"line break":         {encoded(nil, "base64", text[:76]+"\r\n"+text[76:]), 215307},
		"plus as a space":    {encoded(nil, "base64", "AA AAAA="), 215307},
		"no picture":         {encoded([]byte("text")), 215305},
		"GIF":                {encoded(gifFile.Bytes()), 215305},
		"no card":            {encoded(picture(77)), 215305},
		"the other side":     {encoded(file, "cardType", "3"), 215308},
		"either side":        {encoded(file, "cardType", "101"), 0},
		"any of three":       {encoded(file, "cardType", "104"), 0},
		"a driving licence":  {encoded(file, "cardType", "5"), 215308},
		"bank card as PNG":   {encoded(file, "cardType", "17"), 215304},
	} {
		got := s.encoded(t, c.form)
		if got.Code != c.code || got.Reason != juhe.Messages[c.code] || (string(got.Result) == "null") != (c.code != 0) {
			t.Errorf("%s: %d %s %s, want %d", name, got.Code, got.Reason, got.Result, c.code)
		}
	}
	// Charged are 0 and 215305: three read, four without a card.
	if stats := s.account.Stats(); stats.Charged != 7 || stats.Answers[0] != 3 || stats.Answers[215305] != 4 {
		t.Errorf("books %+v", stats)
	}
}

func TestFileChecks(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil)
	file := picture(32)
	s.desk.Register(sum(file), back)
	fields := map[string]string{"key": key, "cardType": "3"}
	for name, c := range map[string]struct {
		fileName string
		file     []byte
		code     int
	}{
		"good":               {"card.PNG", file, 0},
		"misnamed":           {"card.jpeg", file, 0},
		"no extension":       {"card", file, 215304},
		"GIF":                {"card.gif", file, 215304},
		"nothing uploaded":   {"", nil, 215306},
		"empty file":         {"card.jpg", nil, 215306},
		"3 MB of no picture": {"card.jpg", make([]byte, 3<<20), 215305},
		"more than 3 MB":     {"card.jpg", make([]byte, 3<<20+1), 215302},
	} {
		if got := s.upload(t, c.fileName, c.file, fields); got.Code != c.code {
			t.Errorf("%s: %d %s, want %d", name, got.Code, got.Reason, c.code)
		}
	}
}

func TestBodiesOfTheWrongKind(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil)
	const form, parts = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
	part := "--b\r\nContent-Disposition: form-data; name=\"cardType\"\r\n\r\n2\r\n"
	for name, c := range map[string]struct {
		method, path, contentType, body string
		code                            int
	}{
		"GET":                              {http.MethodGet, juhe.PathBase64, "", "", 215301},
		"PUT":                              {http.MethodPut, juhe.PathFile, form, "cardType=2", 215301},
		"key in the query":                 {http.MethodPost, juhe.PathBase64, form, "cardType=2", 215306},
		"cardType in the query":            {http.MethodPost, juhe.PathBase64 + "?cardType=2", form, "base64=AAAA", 215303},
		"urlencoded to query":              {http.MethodPost, juhe.PathFile, form, "cardType=2&pic=AAAA&base64=AAAA", 215306},
		"multipart to queryBase64":         {http.MethodPost, juhe.PathBase64, parts, part + "--b--\r\n", 215306},
		"picture without a file name":      {http.MethodPost, juhe.PathFile, parts, part + "--b\r\nContent-Disposition: form-data; name=\"pic\"\r\n\r\nAAAA\r\n--b--\r\n", 215306},
		"multipart without its end":        {http.MethodPost, juhe.PathFile, parts, part + "--b\r\nContent-Disposition: form-data; name=\"pic\"; filename=\"a.jpg\"\r\n\r\nAAAA", 215307},
		"multipart without its first part": {http.MethodPost, juhe.PathFile, parts, part, 215307},
	} {
		address := s.url + c.path + "?key=" + key
		if strings.Contains(c.path, "?") {
			address = s.url + c.path + "&key=" + key
		}
		req, err := http.NewRequest(c.method, address, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", c.contentType)
		res, err := http.DefaultClient.Do(req)
		if got := read(t, res, err); got.Code != c.code {
			t.Errorf("%s: %d %s, want %d", name, got.Code, got.Reason, c.code)
		}
	}
}

func TestResultsHaveTheExamplesMembers(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil)
	for i, c := range []struct {
		cardType string
		card     cards.Card
		want     string
	}{
		{"3", back, `{"保留":"","签发机关":"武汉市公安局江岸分局","有效期限":"2007.01.02-长期","签发日期":"2007-01-02","有效期至":"长期"}`},
		{"6", cards.Card{Kind: cards.VehicleLicense, Fields: map[string]string{"号牌号码": "粤A40000"}}, `{"保留":"","号牌号码":"粤A40000","车辆类型":"","所有人":"","住址":"","品牌型号":"","车辆识别代号":"","发动机号码":"","注册日期":"","发证日期":"","使用性质":""}`},
		{"32", cards.Card{Kind: juhe.HKMTResidenceBack}, `{"保留":"","签发机关":"","有效期限":"","签发日期":"","有效期至":"","通行证号码":""}`},
		{"16", cards.Card{Kind: cards.HouseholdPage, Fields: map[string]string{"姓名": "彭某", "与户主关系": "子"}}, `{"与户主关系":"子","姓名":"彭某"}`},
	} {
		file := picture(40 + i)
		s.desk.Register(sum(file), c.card)
		if got := s.encoded(t, encoded(file, "cardType", c.cardType)); got.Code != 0 || string(got.Result) != c.want {
			t.Errorf("cardType %s: %d %s", c.cardType, got.Code, got.Result)
		}
	}

	file := picture(50)
	s.desk.Register(sum(file), front)
	var result struct {
		Portrait string `json:"头像"`
		Birth    string `json:"出生"`
		Number   string `json:"公民身份号码"`
		Order    string `json:"orderid"`
		User     string `json:"userid"`
	}
	got := s.encoded(t, encoded(file, "orderid", "1", "userid", "1234567"))
	if err := json.Unmarshal(got.Result, &result); err != nil {
		t.Fatal(err)
	}
	portrait, err := base64.StdEncoding.DecodeString(result.Portrait)
	if _, err2 := jpeg.Decode(bytes.NewReader(portrait)); err != nil || err2 != nil {
		t.Errorf("the portrait is no JPEG: %v %v", err, err2)
	}
	if result.Birth != "1951-06-09" || result.Number != "420106195106091234" || result.User != "1234567" || result.Order != "JH1531180126114835000001" {
		t.Errorf("got %+v", result)
	}
	for _, orderID := range []string{"", "0", "true"} {
		if got := s.encoded(t, encoded(file, "orderid", orderID)); strings.Contains(string(got.Result), "orderid") {
			t.Errorf("orderid=%q gives an order number", orderID)
		}
	}
}

func TestQuotaAndRate(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{Calls: 1}, nil)
	if got := s.encoded(t, encoded(picture(33))); got.Code != 215305 {
		t.Errorf("first: %+v", got)
	}
	if got := s.encoded(t, encoded(picture(33))); got.Code != 10012 {
		t.Errorf("second: %+v", got)
	}
	slow := start(t, account.Config{QPS: 1}, nil)
	var codes []int
	for range 3 {
		codes = append(codes, slow.encoded(t, encoded(picture(33))).Code)
	}
	if !slices.Contains(codes, 10011) {
		t.Errorf("codes %v", codes)
	}
}

func TestFailingReaderIsFree(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, func(context.Context, []byte, cards.Kind) (cards.Card, error) {
		return cards.Card{}, errors.New("engine down")
	})
	if got := s.encoded(t, encoded(picture(34))); got.Code != 10014 || s.account.Stats().Charged != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestEveryCodeCanBeForced(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil)
	for code, reason := range juhe.Messages {
		s.faults.Set(wire.Faults{List: []wire.Fault{{Op: wire.OpJuhe, Kind: wire.Code, Code: code, Rate: 1}}})
		if got := s.encoded(t, encoded(nil)); got.Code != code || got.Reason != reason {
			t.Errorf("%d: %+v", code, got)
		}
	}
}

func TestOtherPathsAreNotFound(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil)
	res, err := http.Get(s.url + "/certificates/other")
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("HTTP %d", res.StatusCode)
	}
}

// Whatever is posted gets an answer in the provider's form.
func FuzzBodies(f *testing.F) {
	s := start(f, account.Config{}, nil)
	f.Add(juhe.PathBase64, "application/x-www-form-urlencoded", encoded(picture(30)).Encode())
	f.Add(juhe.PathFile, "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"pic\"; filename=\"a.jpg\"\r\n\r\nAAAA\r\n--b--\r\n")
	f.Add(juhe.PathFile, "multipart/form-data", "--")
	f.Fuzz(func(t *testing.T, path, contentType, body string) {
		if path != juhe.PathFile {
			path = juhe.PathBase64
		}
		req := httptest.NewRequest(http.MethodPost, path+"?key="+key, strings.NewReader(body))
		req.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		juhe.Handler(juhe.Config{Key: key, Account: s.account, Desk: s.desk, Faults: s.faults, Now: time.Now}).ServeHTTP(w, req)
		if w.Code != http.StatusOK || !json.Valid(w.Body.Bytes()) {
			t.Errorf("HTTP %d: %s", w.Code, w.Body)
		}
	})
}
