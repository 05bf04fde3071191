package xinhuo_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"huizhi/internal/providers/simulator/account"
	"huizhi/internal/providers/simulator/cards"
	"huizhi/internal/providers/simulator/wire"
	"huizhi/internal/providers/simulator/xinhuo"
)

const token = "ef9c000000000000dbca"

type site struct {
	url     string
	account *account.Account
	desk    *cards.Desk
	faults  *wire.Injector
}

func start(t testing.TB, limits account.Config, read cards.Reader) site {
	t.Helper()
	s := site{account: account.New(limits), desk: cards.NewDesk(read), faults: new(wire.Injector)}
	server := httptest.NewServer(xinhuo.Handler(xinhuo.Config{
		Token: token, Account: s.account, Desk: s.desk, Faults: s.faults, Now: time.Now,
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

var front = cards.Card{Kind: cards.IDFront, Rotation: 90, Fields: map[string]string{
	cards.Name: "某某", cards.Sex: "女", cards.Ethnicity: "汉", cards.BirthDate: "1977-07-07",
	cards.Address: "上海市普陀区小合路888号", cards.IDNumber: "310102197707077777",
}}

// body is a valid call with some members replaced; nil removes one.
func body(image []byte, change map[string]any) map[string]any {
	b := map[string]any{"image": base64.StdEncoding.EncodeToString(image), "type": "8", "token": token}
	for name, value := range change {
		b[name] = value
		if value == nil {
			delete(b, name)
		}
	}
	return b
}

type item struct{ Value, Key, Description string }

type reply struct {
	Code    int
	Message string
	Result  *struct {
		Height int `json:"rotated_image_height"`
		Width  int `json:"rotated_image_width"`
		Angle  int `json:"image_angle"`
		Items  []struct {
			item
			Position []any
		} `json:"item_list"`
		Type string
	}
}

func (s site) post(t testing.TB, path, contentType string, content []byte) reply {
	t.Helper()
	res, err := http.Post(s.url+path, contentType, bytes.NewReader(content))
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

func (s site) call(t testing.TB, b map[string]any) reply {
	t.Helper()
	content, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return s.post(t, xinhuo.Path, "application/json", content)
}

func TestTablesAreTheDocuments(t *testing.T) {
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
	want[200] = "success" // the sample's spelling
	if !reflect.DeepEqual(xinhuo.Messages, want) {
		t.Errorf("got %v\nwant %v", xinhuo.Messages, want)
	}
	var names []string
	if text, err = os.ReadFile("testdata/types.txt"); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		names = append(names, strings.Fields(line)[0])
	}
	if !slices.Equal(names, xinhuo.TypeNames()) || len(names) != 19 {
		t.Errorf("types %v, the document's %v", xinhuo.TypeNames(), names)
	}
}

func TestChecksInOrder(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil)
	file := picture(30, 20)
	s.desk.Register(sum(file), front)
	s.desk.Register(sum(picture(98, 20)), cards.Card{Kind: "visa"})
	for name, c := range map[string]struct {
		body map[string]any
		code int
	}{
		"good":                   {body(file, nil), 200},
		"type as a number":       {body(file, map[string]any{"type": 8}), 200},
		"type by its name":       {body(file, map[string]any{"type": "id_card"}), 40202},
		"empty object":           {map[string]any{}, 40100},
		"empty token":            {body(file, map[string]any{"token": ""}), 40100},
		"token as a number":      {body(file, map[string]any{"token": 1}), 40100},
		"unknown token":          {body(file, map[string]any{"token": "?"}), 40101},
		"no type, no image":      {body(nil, map[string]any{"type": nil}), 40201},
		"empty type":             {body(file, map[string]any{"type": ""}), 40201},
		"null type":              {body(file, map[string]any{"type": json.RawMessage("null")}), 40201},
		"unknown type, no image": {body(nil, map[string]any{"type": "9"}), 40202},
		"type as a list":         {body(file, map[string]any{"type": []int{8}}), 40202},
		"no image":               {body(nil, map[string]any{"image": nil}), 40300},
		"empty image":            {body(nil, nil), 40300},
		"data: prefix":           {body(nil, map[string]any{"image": "data:image/png;base64,AAAA"}), 40301},
		"line break":             {body(nil, map[string]any{"image": "AAAA\nAAAA"}), 40301},
		"10 MB of nothing":       {body(make([]byte, 10<<20), nil), 40301},
		"more than 10 MB":        {body(make([]byte, 10<<20+1), nil), 40302},
		"PDF":                    {body([]byte("%PDF-1.7\n"), nil), 40303},
		"HTML":                   {body([]byte("<!DOCTYPE html><p>x"), nil), 40303},
		"GIF":                    {body([]byte("GIF89a\x01\x00\x01\x00"), nil), 40301},
		"damaged":                {body(file[:20], nil), 40401},
		"no card":                {body(picture(99, 20), nil), 40400},
		"a card of another kind": {body(picture(98, 20), nil), 40500},
	} {
		got := s.call(t, c.body)
		if got.Code != c.code || got.Message != xinhuo.Messages[c.code] || (got.Result == nil) != (c.code != 200) {
			t.Errorf("%s: %+v, want %d", name, got, c.code)
		}
	}
	stats := s.account.Stats()
	if stats.Charged != 2 || stats.Warnings["xinhuo.type_number"] != 1 {
		t.Errorf("books %+v", stats)
	}
}

func TestOnlyPostedJSONIsRead(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil)
	content, _ := json.Marshal(body(picture(20, 20), nil))
	for name, c := range map[string]struct {
		path, contentType string
		content           []byte
		code              int
	}{
		"other path":        {"/ocr/v2", "application/json", content, 40003},
		"form":              {xinhuo.Path, "application/x-www-form-urlencoded", []byte("token=" + token), 40600},
		"JSON sent as text": {xinhuo.Path, "text/plain", content, 40600},
		"half":              {xinhuo.Path, "application/json", content[:30], 40600},
		"a list":            {xinhuo.Path, "application/json", []byte("[]"), 40600},
		"nothing":           {xinhuo.Path, "application/json", nil, 40600},
	} {
		if got := s.post(t, c.path, c.contentType, c.content); got.Code != c.code {
			t.Errorf("%s: %+v, want %d", name, got, c.code)
		}
	}
	res, err := http.Get(s.url + xinhuo.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var got reply
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil || got.Code != 40003 {
		t.Errorf("GET: %+v, %v", got, err)
	}
}

func TestBothSidesShareOneListOfElevenKeys(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil)
	file, other := picture(30, 20), picture(31, 20)
	s.desk.Register(sum(file), front)
	s.desk.Register(sum(other), cards.Card{Kind: cards.IDBack, Fields: map[string]string{
		cards.Authority: "上海市公安局普陀分局", cards.ValidFrom: "2015-02-03", cards.ValidUntil: "2035-02-03",
	}})
	for _, c := range []struct {
		file []byte
		want []item
	}{
		{file, []item{
			{"某某", "name", "姓名"}, {"女", "sex", "性别"}, {"汉", "nationality", "民族"}, {"1977年7月7日", "birth", "出生日期"},
			{"上海市普陀区小合路888号", "address", "地址"}, {"310102197707077777", "id_number", "身份证号"}, {"JPEG", "id_number_image", "身份证号码图像"},
			{"JPEG", "head_portrait", "头像"}, {"JPEG", "crop_image", "切边图像"}, {"", "validate_date", "有效期限"}, {"", "issue_authority", "签发机构"},
		}},
		{other, []item{
			{"", "name", "姓名"}, {"", "sex", "性别"}, {"", "nationality", "民族"}, {"", "birth", "出生日期"}, {"", "address", "地址"},
			{"", "id_number", "身份证号"}, {"", "id_number_image", "身份证号码图像"}, {"", "head_portrait", "头像"}, {"JPEG", "crop_image", "切边图像"},
			{"2015.02.03-2035.02.03", "validate_date", "有效期限"}, {"上海市公安局普陀分局", "issue_authority", "签发机构"},
		}},
	} {
		got := s.call(t, body(c.file, nil))
		var list []item
		for _, i := range got.Result.Items {
			if strings.HasPrefix(i.Value, "/9j/") {
				i.Value = "JPEG"
			}
			if i.Position == nil {
				t.Errorf("%s: position is not an empty list", i.Key)
			}
			list = append(list, i.item)
		}
		if !slices.Equal(list, c.want) || got.Result.Type != "id_card" {
			t.Errorf("got  %v\nwant %v", list, c.want)
		}
	}
	if got := s.call(t, body(file, nil)).Result; got.Angle != 90 || got.Width != 20 || got.Height != 30 {
		t.Errorf("turned by %d to %dx%d", got.Angle, got.Width, got.Height)
	}
}

func TestOtherCardsPassTheirFieldsOnByName(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil)
	file := picture(33, 20)
	s.desk.Register(sum(file), cards.Card{Kind: cards.Passport, Fields: map[string]string{"passport_no": "E00000000", "name": "某某"}})
	got := s.call(t, body(file, nil))
	if got.Code != 200 || got.Result.Type != "passport" || len(got.Result.Items) != 2 || got.Result.Items[1].Key != "passport_no" || got.Result.Items[1].Value != "E00000000" {
		t.Errorf("got %+v", got)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, func(context.Context, []byte, cards.Kind) (cards.Card, error) { return front, nil })
	var tiffFile, bmpFile bytes.Buffer
	if err := errors.Join(tiff.Encode(&tiffFile, image.NewGray(image.Rect(0, 0, 20, 20)), nil), bmp.Encode(&bmpFile, image.NewGray(image.Rect(0, 0, 20, 20)))); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"tif": tiffFile.Bytes(), "bmp": bmpFile.Bytes(), "png": picture(20, 20)} {
		if got := s.call(t, body(file, nil)); got.Code != 200 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if n := s.account.Stats().Warnings["xinhuo.tiff"]; n != 1 {
		t.Errorf("%d warnings", n)
	}
}

func TestQuotaRateAndFailure(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{Calls: 1}, nil)
	file := picture(30, 20)
	s.desk.Register(sum(file), front)
	if first, none, second := s.call(t, body(picture(9, 9), nil)), s.call(t, body(file, nil)), s.call(t, body(file, nil)); first.Code != 40400 || none.Code != 200 || second.Code != 40019 {
		t.Errorf("codes %d %d %d", first.Code, none.Code, second.Code)
	}
	slow := start(t, account.Config{QPS: 1}, func(context.Context, []byte, cards.Kind) (cards.Card, error) {
		return cards.Card{}, errors.New("engine down")
	})
	var codes []int
	for range 3 {
		codes = append(codes, slow.call(t, body(file, nil)).Code)
	}
	if codes[0] != 500 || !slices.Contains(codes, 40018) {
		t.Errorf("codes %v", codes)
	}
}

func TestEveryCodeCanBeForced(t *testing.T) {
	t.Parallel()
	s := start(t, account.Config{}, nil)
	for code, message := range xinhuo.Messages {
		s.faults.Set(wire.Faults{List: []wire.Fault{{Op: wire.OpXinhuo, Kind: wire.Code, Code: code, Rate: 1}}})
		if got := s.call(t, body(nil, nil)); got.Code != code || got.Message != message {
			t.Errorf("%d: %+v", code, got)
		}
	}
}

// Whatever is posted gets an answer in the provider's form.
func FuzzBodies(f *testing.F) {
	s := start(f, account.Config{}, nil)
	content, _ := json.Marshal(body(picture(20, 20), nil))
	f.Add(content)
	f.Add([]byte(`{"token":"` + token + `","type":{},"image":[]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		req := httptest.NewRequest(http.MethodPost, xinhuo.Path, bytes.NewReader(content))
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		xinhuo.Handler(xinhuo.Config{Token: token, Account: s.account, Desk: s.desk, Faults: s.faults, Now: time.Now}).ServeHTTP(w, req)
		if w.Code != http.StatusOK || !json.Valid(w.Body.Bytes()) {
			t.Errorf("HTTP %d: %s", w.Code, w.Body)
		}
	})
}
