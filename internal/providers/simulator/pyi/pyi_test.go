package pyi_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
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
	"huizhi/internal/providers/simulator/pyi"
	"huizhi/internal/providers/simulator/wire"
)

const (
	appID  = "7"
	secret = "c0ffeec0ffeec0ffeec0ffeec0ffee00"
)

var now = time.Unix(1545829466, 0)

// site is a running provider.
type site struct {
	url     string
	account *account.Account
	desk    *cards.Desk
	faults  *wire.Injector
}

func start(t testing.TB, limits account.Config, read cards.Reader, fetch func(context.Context, string, int64) ([]byte, error)) site {
	t.Helper()
	s := site{account: account.New(limits), desk: cards.NewDesk(read), faults: new(wire.Injector)}
	server := httptest.NewServer(pyi.Handler(pyi.Config{
		AppID: appID, Secret: secret, Account: s.account, Desk: s.desk, Faults: s.faults, Fetch: fetch, Now: func() time.Time { return now },
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func picture(width, height int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func sum(file []byte) string {
	s := sha256.Sum256(file)
	return hex.EncodeToString(s[:])
}

var front = cards.Card{Kind: cards.IDFront, Fields: map[string]string{
	cards.Name: "李义", cards.Sex: "男", cards.Ethnicity: "汉", cards.BirthDate: "1994-04-06",
	cards.Address: "江西省抚州市广昌县", cards.IDNumber: "362532199404064137",
}}

var back = cards.Card{Kind: cards.IDBack, Fields: map[string]string{
	cards.Authority: "广昌县公安局", cards.ValidFrom: "2017-03-13", cards.ValidUntil: "2037-03-13",
}}

// form is a valid call with some parameters replaced; "-" removes one. It is signed as the PHP sample does it.
func form(image []byte, change ...string) url.Values {
	f := url.Values{
		"appid": {appID}, "format": {"json"}, "id_card_side": {""}, "time": {strconv.FormatInt(now.Unix(), 10)},
		"url_image": {base64.StdEncoding.EncodeToString(image)},
	}
	for i := 0; i < len(change); i += 2 {
		f.Set(change[i], change[i+1])
		if change[i+1] == "-" {
			f.Del(change[i])
		}
	}
	if f.Has("sign") {
		return f
	}
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	text := ""
	for _, name := range names {
		if f.Get(name) != "" {
			text += name + f.Get(name)
		}
	}
	f.Set("sign", fmt.Sprintf("%x", md5.Sum([]byte(text+secret))))
	return f
}

type reply struct {
	CodeID  int             `json:"codeid"`
	Type    *int            `json:"idcard_number_type"`
	Status  string          `json:"image_status"`
	Message string          `json:"message"`
	RetData json.RawMessage `json:"retdata"`
	Time    string          `json:"time"`
}

func (s site) call(t testing.TB, path string, f url.Values) reply {
	t.Helper()
	res, err := http.Post(s.url+path, "application/x-www-form-urlencoded;charset=utf-8", strings.NewReader(f.Encode()))
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

func TestMessagesAreTheDocuments(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[int]string)
	for line := range strings.Lines(string(text)) {
		code, message, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(code)
		if err != nil {
			t.Fatal(err)
		}
		want[n] = message
	}
	if !reflect.DeepEqual(pyi.Messages, want) {
		t.Errorf("got %v\nwant %v", pyi.Messages, want)
	}
}

func TestChecksInOrder(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil, nil)
	good := picture(20, 20)
	stamp := func(shift time.Duration) string { return strconv.FormatInt(now.Add(shift).Unix(), 10) }
	for name, c := range map[string]struct {
		path string
		form url.Values
		code int
	}{
		"other service":           {"/pyi/76/195", form(good), 10020},
		"other interface":         {"/pyi/77/194", form(good), 10009},
		"unknown parameter":       {pyi.Path, form(good, "risk", "1", "appid", "-"), 10015},
		"repeated parameter":      {pyi.Path, url.Values{"appid": {"7", "7"}}, 10015},
		"nothing":                 {pyi.Path, url.Values{}, 10001},
		"no sign":                 {pyi.Path, url.Values{"appid": {appID}}, 10002},
		"empty sign":              {pyi.Path, form(good, "sign", ""), 10002},
		"time no integer":         {pyi.Path, form(good, "time", "1545829466.5"), 10017},
		"time 10 minutes old":     {pyi.Path, form(good, "time", stamp(-10*time.Minute)), 10000},
		"time older":              {pyi.Path, form(good, "time", stamp(-601*time.Second)), 10004},
		"time ahead":              {pyi.Path, form(good, "time", stamp(601*time.Second)), 10004},
		"time far beyond":         {pyi.Path, form(good, "time", "-9223372036854775808"), 10004},
		"time in milliseconds":    {pyi.Path, form(good, "time", "1545829466000"), 10004},
		"no time":                 {pyi.Path, form(good, "time", "-"), 10000},
		"other appid, wrong sign": {pyi.Path, form(good, "appid", "8", "sign", "x"), 10005},
		"wrong sign":              {pyi.Path, form(good, "sign", "52a9dbe274a5c537bbf7a53e2d66c09f"), 10003},
		"upper-case sign":         {pyi.Path, form(good, "sign", strings.ToUpper(form(good).Get("sign"))), 10003},
		"unknown format":          {pyi.Path, form(good, "format", "yaml"), 10019},
		"no format":               {pyi.Path, form(good, "format", "-"), 10000},
		"unknown side":            {pyi.Path, form(good, "id_card_side", "left"), 10019},
		"no picture":              {pyi.Path, form(good, "url_image", "-"), 10019},
		"data: prefix":            {pyi.Path, form(good, "url_image", "data:image/png;base64,AAAA"), 10019},
		"encoded twice":           {pyi.Path, form(good, "url_image", url.QueryEscape(base64.StdEncoding.EncodeToString(good))), 10019},
		"plus lost":               {pyi.Path, form(good, "url_image", "AA AA"), 10019},
		"no picture file":         {pyi.Path, form([]byte("text")), 10019},
		"14 pixels":               {pyi.Path, form(picture(14, 100)), 10019},
		"15 pixels":               {pyi.Path, form(picture(15, 15)), 10000},
		"4096 pixels":             {pyi.Path, form(picture(15, 4096)), 10000},
		"4097 pixels":             {pyi.Path, form(picture(4097, 15)), 10019},
		"long address":            {pyi.Path, form(good, "url_image", "http://127.0.0.1/"+strings.Repeat("a", 1024)), 10019},
		"unreachable address":     {pyi.Path, form(good, "url_image", "http://127.0.0.1/a.jpg"), 10019},
	} {
		got := s.call(t, c.path, c.form)
		if got.CodeID != c.code {
			t.Errorf("%s: %d %s, want %d", name, got.CodeID, got.Message, c.code)
		}
		if got.CodeID != 10000 && (string(got.RetData) != "[]" || got.Type != nil || strings.Contains(got.Message, "{@")) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if stats := s.account.Stats(); stats.Charged != 5 || stats.Answers[10000] != 5 {
		t.Errorf("charged %d", stats.Charged)
	}
}

// The limit counts the characters after form-encoding, in which '+', '/' and '=' are three.
func TestFourMegabytesCountAfterEncoding(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil, nil)
	plain, escaped := strings.Repeat("A", 4<<20), strings.Repeat("A", 4<<20-4)+"AA=="
	for text, message := range map[string]string{plain: "图片格式错误", escaped: "图片大小", plain + "AAAA": "图片大小"} {
		if got := s.call(t, pyi.Path, form(nil, "url_image", text)); got.CodeID != 10019 || !strings.HasPrefix(got.Message, message) {
			t.Errorf("%d characters: %+v", len(text), got)
		}
	}
}

func TestOnlyPostedFormsAreRead(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil, nil)
	query := form(picture(20, 20)).Encode()
	for name, c := range map[string]struct {
		method, contentType, body string
		code                      int
	}{
		"GET with the parameters in the URL, as the samples": {http.MethodGet, "", "", 10019},
		"POST with the parameters in the URL":                {http.MethodPost, "application/x-www-form-urlencoded;charset=utf-8", "", 10001},
		"JSON":                                               {http.MethodPost, "application/json", `{"appid":"7"}`, 10001},
		"damaged escape":                                     {http.MethodPost, "application/x-www-form-urlencoded", "appid=%zz", 10019},
	} {
		req, err := http.NewRequest(c.method, s.url+pyi.Path+"?"+query, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", c.contentType)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var got reply
		err = json.NewDecoder(res.Body).Decode(&got)
		res.Body.Close()
		if err != nil || got.CodeID != c.code {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestCardsAreReadAndJudged(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil, nil)
	with := func(c cards.Card, change ...string) cards.Card {
		fields := map[string]string{}
		for name, value := range c.Fields {
			fields[name] = value
		}
		for i := 0; i < len(change); i += 2 {
			fields[change[i]] = change[i+1]
		}
		c.Fields = fields
		return c
	}
	blurred := front
	blurred.Quality = "blurred"
	both := with(front, cards.Authority, "广昌县公安局", cards.ValidFrom, "2017-03-13", cards.ValidUntil, "长期")
	frontData := `{"住址":"江西省抚州市广昌县","公民身份号码":"362532199404064137","出生":"19940406","姓名":"李义","性别":"男","民族":"汉"}`
	backData := `{"失效日期":"20370313","签发日期":"20170313","签发机关":"广昌县公安局"}`
	for i, c := range []struct {
		name       string
		card       cards.Card
		side       string
		numberType int
		status     string
		data       string
	}{
		{"front", front, "", 1, "normal", frontData},
		{"front asked for", front, "front", 1, "normal", frontData},
		{"front instead of back", front, "back", 1, "reversed_side", frontData},
		{"back", back, "", -1, "normal", backData},
		{"back instead of front", back, "front", -1, "reversed_side", backData},
		{"both sides, back asked for", both, "back", -1, "normal", `{"失效日期":"长期","签发日期":"20170313","签发机关":"广昌县公安局"}`},
		{"no card", cards.Card{}, "", -1, "non_idcard", `{}`},
		{"a passport", cards.Card{Kind: cards.Passport, Fields: map[string]string{"name": "x"}}, "", -1, "other_type_card", `{}`},
		{"blurred", blurred, "", 1, "blurred", frontData},
		{"number too short", with(front, cards.IDNumber, "36253219940406413"), "", 0, "normal", strings.Replace(frontData, `"公民身份号码":"362532199404064137",`, "", 1)},
		{"number of no date", with(front, cards.IDNumber, "362532199413064137"), "", 0, "normal", strings.Replace(frontData, `"公民身份号码":"362532199404064137",`, "", 1)},
		{"birth date and sex differ", with(front, cards.IDNumber, "362532199404074129"), "", 2, "normal", strings.Replace(frontData, "362532199404064137", "362532199404074129", 1)},
		{"birth date differs", with(front, cards.IDNumber, "362532199404074137"), "", 3, "normal", strings.Replace(frontData, "362532199404064137", "362532199404074137", 1)},
		{"sex differs", with(front, cards.IDNumber, "362532199404064129"), "", 4, "normal", strings.Replace(frontData, "362532199404064137", "362532199404064129", 1)},
	} {
		file := picture(100+i, 100)
		s.desk.Register(sum(file), c.card)
		got := s.call(t, pyi.Path, form(file, "id_card_side", c.side))
		if got.CodeID != 10000 || got.Message != "识别成功" || got.Status != c.status || got.Type == nil || *got.Type != c.numberType || string(got.RetData) != c.data {
			t.Errorf("%s: %+v %s, type %v", c.name, got, got.RetData, got.Type)
		}
		if got.Time != "1545829466" {
			t.Errorf("%s: time %q", c.name, got.Time)
		}
	}
}

func TestXMLSaysTheSame(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil, nil)
	file := picture(30, 30)
	s.desk.Register(sum(file), back)
	for name, c := range map[string]struct {
		form url.Values
		want string
	}{
		"success": {form(file, "format", "xml"), "<root><codeid>10000</codeid><idcard_number_type>-1</idcard_number_type><image_status>normal</image_status>" +
			"<message>识别成功</message><retdata><失效日期>20370313</失效日期><签发日期>20170313</签发日期><签发机关>广昌县公安局</签发机关></retdata><time>1545829466</time></root>"},
		"error": {form(file, "format", "xml", "sign", "?"), "<root><codeid>10003</codeid><message>sign值验证不通过,加密规则请前往帮助中心查看</message><retdata></retdata><time>1545829466</time></root>"},
	} {
		res, err := http.PostForm(s.url+pyi.Path, c.form)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.Header.Get("Content-Type") != wire.TypeXML || string(body) != "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"+c.want {
			t.Errorf("%s: %s, %v", name, body, err)
		}
	}
}

func TestPicturesComeFromAddressesToo(t *testing.T) {
	t.Parallel()
	file := picture(40, 40)
	s := start(t, account.Config{}, nil, func(_ context.Context, address string, maxBytes int64) ([]byte, error) {
		if address != "https://example.com/card.png" || maxBytes != 3<<20 {
			return nil, errors.New("another address or limit")
		}
		return file, nil
	})
	s.desk.Register(sum(file), front)
	if got := s.call(t, pyi.Path, form(nil, "url_image", "https://example.com/card.png")); got.CodeID != 10000 || got.Status != "normal" {
		t.Errorf("got %+v", got)
	}
}

func TestCallsAreCountedDownAndLimited(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{Calls: 2}, nil, nil)
	var codes []int
	for _, f := range []url.Values{form(picture(20, 20)), form(nil, "sign", "?"), form(picture(20, 20)), form(picture(20, 20))} {
		codes = append(codes, s.call(t, pyi.Path, f).CodeID)
	}
	if !slices.Equal(codes, []int{10000, 10003, 10000, 10018}) {
		t.Errorf("codes %v", codes)
	}
	s.account.Add(1)
	if got := s.call(t, pyi.Path, form(picture(20, 20))); got.CodeID != 10000 {
		t.Errorf("after topping up: %+v", got)
	}
}

func TestFailingReaderIsAServerErrorAndFree(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{Calls: 1}, func(context.Context, []byte, cards.Kind) (cards.Card, error) {
		return cards.Card{}, errors.New("engine down")
	}, nil)
	for range 2 {
		if got := s.call(t, pyi.Path, form(picture(20, 20))); got.CodeID != 10021 {
			t.Errorf("got %+v", got)
		}
	}
}

func TestEveryCodeCanBeForced(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil, nil)
	for code := range pyi.Messages {
		s.faults.Set(wire.Faults{List: []wire.Fault{{Op: wire.OpPyi, Kind: wire.Code, Code: code, Rate: 1}}})
		if got := s.call(t, pyi.Path, form(picture(20, 20))); got.CodeID != code || got.Message == "" || strings.Contains(got.Message, "{@") {
			t.Errorf("%d: %+v", code, got)
		}
	}
	s.faults.Set(wire.Faults{List: []wire.Fault{{Op: wire.OpPyi, Kind: wire.Quota, Rate: 1}}})
	if got := s.call(t, pyi.Path, form(picture(20, 20))); got.CodeID != 10018 {
		t.Errorf("quota: %+v", got)
	}
	if n := s.account.Stats().Charged; n != 0 {
		t.Errorf("%d charged", n)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil, nil)
	res, err := http.PostForm(s.url+pyi.Path, form(picture(20, 20), "format", "-"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	want := map[string]int{"pyi.charset": 1, "pyi.format": 1}
	if got := s.account.Stats().Warnings; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

// Whatever is posted gets an answer in the provider's form.
func FuzzForms(f *testing.F) {
	s := start(f, account.Config{}, nil, nil)
	var jpegFile bytes.Buffer
	jpeg.Encode(&jpegFile, image.NewGray(image.Rect(0, 0, 20, 20)), nil)
	f.Add(form(picture(20, 20)).Encode(), "json")
	f.Add(form(jpegFile.Bytes(), "format", "xml").Encode(), "")
	f.Add("appid=7&appid=%zz&sign=;", "xml")
	f.Fuzz(func(t *testing.T, body, format string) {
		req := httptest.NewRequest(http.MethodPost, pyi.Path, strings.NewReader(body+"&format="+url.QueryEscape(format)))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		pyi.Handler(pyi.Config{AppID: appID, Secret: secret, Account: s.account, Desk: s.desk, Faults: s.faults, Now: time.Now}).ServeHTTP(w, req)
		if w.Code != http.StatusOK || (w.Header().Get("Content-Type") == wire.TypeJSON && !json.Valid(w.Body.Bytes())) {
			t.Errorf("HTTP %d: %s", w.Code, w.Body)
		}
	})
}
