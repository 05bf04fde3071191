package i18n

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"testing/fstest"
	"time"
)

var (
	zh = WithLang(context.Background(), ZH)
	en = WithLang(context.Background(), EN)
)

// sample is a catalogue of its own, so that these tests say what T does and not what the product says.
func sample(t *testing.T) catalogue {
	t.Helper()
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	c, err := load(fstest.MapFS{
		"locales/zh-CN/batches.json": file(`{"batches.submit": "提交 {{.n}} 个回执", "batches.who": "{{.name}} 新建"}`),
		"locales/en/batches.json":    file(`{"batches.submit": {"one": "Submit {{.n}} receipt", "other": "Submit {{.n}} receipts"}, "batches.who": "By {{.name}}"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLookup(t *testing.T) {
	t.Parallel()
	c := sample(t)
	for _, test := range []struct {
		name, key, want string
		lang            Language
		args            []any
	}{
		{"plural", "batches.submit", "Submit 46 receipts", EN, []any{"n", 46}},
		{"singular", "batches.submit", "Submit 1 receipt", EN, []any{"n", int64(1)}},
		{"Chinese has one form", "batches.submit", "提交 1 个回执", ZH, []any{"n", 1}},
		{"numbers are grouped", "batches.submit", "提交 1,284 个回执", ZH, []any{"n", 1284}},
		{"text argument", "batches.who", "李敏 新建", ZH, []any{"name", "李敏"}},
		{"missing key is seen", "batches.nope", "⟦batches.nope⟧", ZH, nil},
		{"missing argument is seen", "batches.who", "By ⟦name⟧", EN, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := c.lookup(test.lang, test.key, test.args); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"key of another area": `{"orders.title": "x"}`,
		"empty text":          `{"batches.title": " "}`,
		"open placeholder":    `{"batches.title": "a {{.n"}`,
		"not a text":          `{"batches.title": 3}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := load(fstest.MapFS{"locales/en/batches.json": {Data: []byte(data)}}); err == nil {
				t.Error("loaded")
			}
		})
	}
}

func TestNegotiate(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]Language{
		"":                           ZH,
		"en-GB,en;q=0.9":             EN,
		"zh-TW,zh;q=0.9,en;q=0.5":    ZH,
		"fr-FR,en;q=0.5":             EN,
		"ja":                         ZH,
		"*;;;":                       ZH,
		"en;q=0.4,zh-Hans-CN;q=0.9":  ZH,
		"zh-CN,zh;q=0.9,en-US;q=0.8": ZH,
	} {
		if got := Negotiate(http.Header{"Accept-Language": {header}}); got != want {
			t.Errorf("%q: got %s, want %s", header, got, want)
		}
	}
}

func TestRelative(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 6, 44, 0, 0, time.UTC) // 14:44 in Shanghai
	for _, test := range []struct {
		at       time.Duration
		zh, en   string
		describe string
	}{
		{-10 * time.Second, "刚刚", "just now", "seconds ago"},
		{-3 * time.Minute, "3 分钟前", "3 min ago", "minutes ago"},
		{2 * time.Minute, "2 分钟后", "in 2 min", "soon"},
		{-52 * time.Minute, "52 分钟前", "52 min ago", "nearly an hour ago"},
		{-3 * time.Hour, "11:44", "11:44", "today"},
		{-15 * time.Hour, "11 月 19 日 23:44", "19 Nov 23:44", "yesterday, though the same day in UTC"},
		{-400 * 24 * time.Hour, "2025 年 10 月 16 日", "16 Oct 2025", "another year"},
	} {
		t.Run(test.describe, func(t *testing.T) {
			t.Parallel()
			at := now.Add(test.at)
			if got := Relative(zh, at, now); got != test.zh {
				t.Errorf("zh: got %q, want %q", got, test.zh)
			}
			if got := Relative(en, at, now); got != test.en {
				t.Errorf("en: got %q, want %q", got, test.en)
			}
		})
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	evening := time.Date(2026, 11, 20, 17, 2, 3, 0, time.UTC) // already the 21st in Shanghai
	for _, test := range []struct{ got, want string }{
		{Date(zh, evening), "2026 年 11 月 21 日"},
		{Date(en, evening), "21 Nov 2026"},
		{DateWeekday(zh, evening), "2026 年 11 月 21 日 星期六"},
		{DateWeekday(en, evening), "Sat 21 Nov 2026"},
		{Day(en, evening), "21 Nov"},
		{Month(zh, evening), "2026 年 11 月"},
		{DateTime(evening), "2026-11-21 01:02:03"},
		{Money(23000), "¥230.00"},
		{Money(-505), "−¥5.05"},
		{Amount(1248000), "12,480.00"},
		{Points(zh, 23000), "23,000 点"},
		{Points(en, 1), "1 point"},
		{Count(-1284), "−1,284"},
		{Count(999), "999"},
		{Bytes(912), "912 B"},
		{Bytes(640_400), "640 KB"},
		{Bytes(999_700), "1.0 MB"},
		{Bytes(4_210_000), "4.2 MB"},
		{Bytes(3_000_000_000), "3.0 GB"},
		{Percent(0.1649), "16.5%"},
		{Percent(1), "100%"},
		{Duration(zh, 4100*time.Millisecond), "4.1 秒"},
		{Duration(zh, 24*time.Minute+27*time.Second), "24 分 27 秒"},
		{Duration(en, 3*time.Hour+59*time.Second), "3 h 1 min"},
		{Duration(en, 26*time.Hour), "1 day 2 h"},
		{Duration(zh, 2*time.Minute), "2 分"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func BenchmarkT(b *testing.B) {
	for b.Loop() {
		T(zh, "common.time.ago", "n", 3)
	}
}

// FuzzCompile shows that no text of a catalogue file can bring the program down.
func FuzzCompile(f *testing.F) {
	f.Add(`"a {{.n}} b"`)
	f.Add(`{"one": "{{.n}}", "other": "}}"}`)
	f.Fuzz(func(t *testing.T, value string) {
		m, err := compile(json.RawMessage(value))
		if err == nil && len(m.other) == 0 {
			t.Errorf("%q compiled to nothing", value)
		}
	})
}
