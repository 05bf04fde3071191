package ui

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"
)

func html(t *testing.T, c templ.Component) *goquery.Document {
	t.Helper()
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestIDNumberIsGroupedButCopiesAsOne(t *testing.T) {
	t.Parallel()
	doc := html(t, IDNumber("440305********2045"))
	if got := doc.Find(".idno").Text(); got != "440305********2045" {
		t.Errorf("text %q", got)
	}
	if got := doc.Find(".mask").Text(); got != "********" {
		t.Errorf("masked %q", got)
	}
	if got := html(t, IDNumber("C1234567")).Find(".idno > span").Length(); got != 1 {
		t.Errorf("a number of another length has %d groups", got)
	}
}

func TestMarkedShowsWhichCharactersDiffer(t *testing.T) {
	t.Parallel()
	doc := html(t, Marked("罗静文", 2))
	if doc.Text() != "罗静文" || doc.Find("mark").Text() != "文" {
		t.Errorf("%q, marked %q", doc.Text(), doc.Find("mark").Text())
	}
}

func TestFieldTellsItsErrorToScreenReaders(t *testing.T) {
	t.Parallel()
	doc := html(t, Input(InputView{Control: Control{Name: "name", Label: "姓名", Hint: "与证件上一致", Error: "请填写姓名。"}}))
	input := doc.Find("input#name")
	if input.AttrOr("aria-invalid", "") != "true" {
		t.Error("not marked as invalid")
	}
	if got := doc.Find("#" + input.AttrOr("aria-describedby", "")).Text(); !strings.Contains(got, "请填写姓名。") {
		t.Errorf("described by %q", got)
	}
	if strings.Contains(doc.Text(), "与证件上一致") {
		t.Error("the hint stands beside the error")
	}
}

func TestDisabledLinkGoesNowhere(t *testing.T) {
	t.Parallel()
	doc := html(t, Button(Btn{Label: "下一页", Href: "/orders?after=x", Disabled: true}))
	if doc.Find("[href]").Length() != 0 || doc.Find("[aria-disabled=true]").Length() != 1 {
		t.Error("it can be followed")
	}
}

func TestSquareButtonHasAName(t *testing.T) {
	t.Parallel()
	b := html(t, Button(Btn{Label: "更多操作", Icon: "ellipsis", Square: true})).Find("button")
	if b.AttrOr("aria-label", "") != "更多操作" || strings.TrimSpace(b.Text()) != "" {
		t.Errorf("label %q, text %q", b.AttrOr("aria-label", ""), b.Text())
	}
}

func TestSelectGroupsItsOptions(t *testing.T) {
	t.Parallel()
	doc := html(t, Select(SelectView{Value: "sz", Control: Control{Name: "city"}, Options: []Option{
		{Value: "gz", Label: "广州市", Group: "珠三角"}, {Value: "sz", Label: "深圳市", Group: "珠三角"}, {Value: "mm", Label: "茂名市", Group: "粤西"},
	}}))
	if got := doc.Find("optgroup").Length(); got != 2 {
		t.Errorf("%d groups", got)
	}
	if got := doc.Find("option[selected]").Text(); got != "深圳市" {
		t.Errorf("chosen %q", got)
	}
}

func TestStackedBarSaysItsNumbersAndFillsTheWidth(t *testing.T) {
	t.Parallel()
	shares := []Share{{N: 17, Tone: Done, Label: "已出"}, {N: 0, Tone: Run, Label: "办理中"}, {N: 3, Tone: Fail, Label: "失败"}}
	doc := html(t, StackedBar(shares))
	if got := doc.Find("svg").AttrOr("aria-label", ""); got != "已出 17，失败 3" {
		t.Errorf("label %q", got)
	}
	if bars := shareBars(shares); len(bars) != 2 || bars[1].x != "85" || bars[1].width != "15" {
		t.Errorf("bars %+v", bars)
	}
}

func TestChartAxisIsRound(t *testing.T) {
	t.Parallel()
	for most, want := range map[int64]int64{0: 4, 4: 4, 5: 8, 92: 100, 101: 120, 1284: 1600, 99_999: 100_000} {
		got := axisTop(ChartView{Bars: []Bar{{Value: most}}})
		if got != want {
			t.Errorf("up to %d: %d, want %d", most, got, want)
		}
	}
}

func TestToastHeaderIsASCII(t *testing.T) {
	t.Parallel()
	sent := []Toast{{Tone: Done, Title: "已移出 4 个", Text: "𠮷野家 & <b>", Undo: "/undo"}}
	header := ToastHeader(sent...)
	for _, r := range header {
		if r < 0x20 || r >= utf8.RuneSelf {
			t.Fatalf("%q cannot be in a header", r)
		}
	}
	var got map[string][]Toast
	if err := json.Unmarshal([]byte(header), &got); err != nil || !slices.Equal(got["toast"], sent) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestQRCodeHasItsQuietZone(t *testing.T) {
	t.Parallel()
	code, err := encodeQR("https://huizhi.example/c/7Q2KM4XD")
	if err != nil {
		t.Fatal(err)
	}
	// Version 3 has 29 modules; the finder pattern in the corner begins with a run of 7.
	if code.size != 29+8 || !strings.HasPrefix(code.path, "M4 4h7v1h-7z") {
		t.Errorf("%d modules, path %.20s", code.size, code.path)
	}
}

func TestTextTooLongForAQRCodeIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := encodeQR(strings.Repeat("长", 2000)); err == nil {
		t.Error("it was encoded")
	}
}

func TestNarrowChartLabelsWhatHasRoom(t *testing.T) {
	t.Parallel()
	var v ChartView
	for _, month := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"} {
		v.Bars = append(v.Bars, Bar{Label: month, Value: 1})
	}
	labels := func(width float64) string {
		var out []string
		for _, b := range v.layOut(width).bars {
			if b.Label != "" {
				out = append(out, b.Label)
			}
		}
		return strings.Join(out, " ")
	}
	if got := labels(wideChart); got != "1 2 3 4 5 6 7 8 9 10 11 12" {
		t.Errorf("wide: %s", got)
	}
	if got := labels(narrowChart); got != "1 3 5 7 9 11" {
		t.Errorf("narrow: %s", got)
	}
}
