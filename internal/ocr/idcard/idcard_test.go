package idcard_test

import (
	"slices"
	"strings"
	"testing"

	"huizhi/internal/ocr"
	"huizhi/internal/ocr/idcard"
)

// at is a line of text as an engine would return it, 40 pixels high, from x
// to the right: Chinese characters are 40 wide, others 20. A blank in s is free
// space that the engine saw as part of the line, but in which it read nothing.
func at(x, y float64, s string) idcard.Line {
	l := idcard.Line{Box: idcard.Box{X0: x, Y0: y - 20, Y1: y + 20}}
	for _, r := range s {
		width := 40.0
		if r < 0x2000 && r != ' ' {
			width = 20
		}
		if r != ' ' {
			l.Glyphs = append(l.Glyphs, idcard.Glyph{Char: r, X: x + width/2, Probability: .99})
		}
		x += width
	}
	l.Box.X1 = x
	return l
}

func front() []idcard.Line {
	return []idcard.Line{
		at(80, 80, "姓名"), at(200, 80, "赵涵平"),
		at(80, 160, "性别"), at(200, 160, "男"), at(320, 160, "民族"), at(420, 160, "汉"),
		at(80, 240, "出生"), at(200, 240, "1990年1月2日"),
		at(80, 320, "住址"), at(200, 320, "福建省厦门市思明区"), at(200, 370, "解放大道161弄39号"),
		at(80, 540, "公民身份号码"), at(360, 540, "350203199001028138"),
	}
}

func back() []idcard.Line {
	return []idcard.Line{
		at(300, 80, "中华人民共和国"), at(280, 170, "居民身份证"),
		at(210, 460, "签发机关"), at(400, 460, "厦门市公安局思明分局"),
		at(210, 540, "有效期限"), at(400, 540, "2015.02.03-2035.02.03"),
	}
}

func below(lines []idcard.Line, dy float64) []idcard.Line {
	lines = slices.Clone(lines)
	for i := range lines {
		lines[i].Box.Y0 += dy
		lines[i].Box.Y1 += dy
	}
	return lines
}

// with replaces the line at the place of another.
func with(lines []idcard.Line, replacements ...idcard.Line) []idcard.Line {
	lines = slices.Clone(lines)
	for _, r := range replacements {
		i := slices.IndexFunc(lines, func(l idcard.Line) bool { return l.Box.X0 == r.Box.X0 && l.Box.Y0 == r.Box.Y0 })
		lines[i] = r
	}
	return lines
}

// without leaves out the lines at heights.
func without(lines []idcard.Line, x float64, ys ...float64) []idcard.Line {
	return slices.DeleteFunc(slices.Clone(lines), func(l idcard.Line) bool {
		return l.Box.X0 == x && slices.Contains(ys, l.Box.Y0+20)
	})
}

type want map[ocr.FieldName]string

var (
	frontWant = want{
		ocr.Name: "赵涵平", ocr.Sex: "男", ocr.Ethnicity: "汉", ocr.BirthDate: "1990-01-02",
		ocr.Address: "福建省厦门市思明区解放大道161弄39号", ocr.IDNumber: "350203199001028138",
	}
	backWant = want{ocr.Authority: "厦门市公安局思明分局", ocr.ValidFrom: "2015-02-03", ocr.ValidUntil: "2035-02-03"}
)

func (w want) but(name ocr.FieldName, value string) want {
	changed := want{}
	for n, v := range w {
		changed[n] = v
	}
	changed[name] = value
	return changed
}

func TestParse(t *testing.T) {
	t.Parallel()
	both := frontWant.but(ocr.Authority, backWant[ocr.Authority]).
		but(ocr.ValidFrom, backWant[ocr.ValidFrom]).but(ocr.ValidUntil, backWant[ocr.ValidUntil])
	for name, test := range map[string]struct {
		lines []idcard.Line
		side  ocr.DocType
		want  want
	}{
		"front":                       {front(), ocr.IDCardFront, frontWant},
		"back":                        {back(), ocr.IDCardBack, backWant},
		"front above back":            {slices.Concat(front(), below(back(), 900)), ocr.IDCardFront, both},
		"back above front":            {slices.Concat(back(), below(front(), 900)), ocr.IDCardFront, both},
		"nothing":                     {nil, ocr.Unknown, want{}},
		"another document":            {[]idcard.Line{at(80, 80, "营业执照"), at(80, 160, "统一社会信用代码")}, ocr.Unknown, want{}},
		"a form that asks for a name": {[]idcard.Line{at(80, 80, "姓名"), at(200, 80, "赵涵平")}, ocr.Unknown, want{}},
		"labels stuck to values": {[]idcard.Line{
			at(80, 80, "姓名 赵涵平"), at(80, 160, "性别 男"), at(320, 160, "民族汉"), at(80, 240, "出生 1990年1月2日"),
			at(80, 320, "住址 福建省厦门市思明区"), at(200, 370, "解放大道161弄39号"), at(80, 540, "公民身份号码 350203199001028138"),
		}, ocr.IDCardFront, frontWant},
		"labels not seen": {without(front(), 80, 80, 160, 240, 320, 540), ocr.IDCardFront, frontWant},
		"a label with a speck": {
			with(front(), at(80, 80, "姓名不")), ocr.IDCardFront, frontWant},
		"a speck read as a character": {
			append(front(), idcard.Line{Box: idcard.Box{X0: 130, Y0: 325, X1: 144, Y1: 336}, Glyphs: []idcard.Glyph{{Char: '营', X: 137, Probability: .9}}}),
			ocr.IDCardFront, frontWant},
		"a name in two lines": {
			append(with(front(), at(200, 80, "阿依古丽·")), at(200, 120, "艾合买提")),
			ocr.IDCardFront, frontWant.but(ocr.Name, "阿依古丽·艾合买提")},
		"full-width digits": {
			with(front(), at(360, 540, "３５０２０３１９９００１０２８１３８")), ocr.IDCardFront, frontWant},
		"letters for digits": {
			with(front(), at(360, 540, "35O2O3I99OOIO28I38")), ocr.IDCardFront, frontWant},
		"a speck before the number": {
			with(front(), at(360, 540, "1350203199001028138")), ocr.IDCardFront, frontWant},
		"a number with a wrong digit is reported as read": {
			with(front(), at(360, 540, "350203199001028134")), ocr.IDCardFront, frontWant.but(ocr.IDNumber, "350203199001028134")},
		"birth date and sex from the number": {
			without(front(), 200, 160, 240), ocr.IDCardFront, frontWant},
		"a lost character of the ethnicity": {
			with(front(), at(420, 160, "布")), ocr.IDCardFront, frontWant.but(ocr.Ethnicity, "布")}, // 布依 or 布朗
		"a lost character of the only such ethnicity": {
			with(front(), at(420, 160, "维吾")), ocr.IDCardFront, frontWant.but(ocr.Ethnicity, "维吾尔")},
		"a misread character of the ethnicity": {
			with(front(), at(420, 160, "朝解")), ocr.IDCardFront, frontWant.but(ocr.Ethnicity, "朝鲜")},
		"validity without end": {
			with(back(), at(400, 540, "2015.02.03-长期")), ocr.IDCardBack, backWant.but(ocr.ValidUntil, ocr.LongTerm)},
		"validity without end, misread": {
			with(back(), at(400, 540, "2015.02.03-长朋")), ocr.IDCardBack, backWant.but(ocr.ValidUntil, ocr.LongTerm)},
		"validity without points": {
			with(back(), at(400, 540, "20150203-20350203")), ocr.IDCardBack, backWant},
		"a misread label of the back": {
			with(back(), at(210, 460, "签发机美")), ocr.IDCardBack, backWant},
		"an authority in two lines": {
			append(back(), at(400, 500, "梧村派出所")), ocr.IDCardBack, backWant.but(ocr.Authority, "厦门市公安局思明分局梧村派出所")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			card := idcard.Parse(test.lines)
			if card.Type != test.side {
				t.Errorf("type %s, want %s", card.Type, test.side)
			}
			for field, value := range test.want {
				if got := card.Fields[field].Value; got != value {
					t.Errorf("%s: got %q, want %q", field, got, value)
				}
			}
			if len(card.Fields) != len(test.want) {
				t.Errorf("fields %v", card.Fields)
			}
		})
	}
}

func TestDoubts(t *testing.T) {
	t.Parallel()
	unsure := at(200, 80, "赵涵平")
	unsure.Glyphs[1].Probability = .4
	perhapsUnknown := at(200, 80, "赵涵平")
	perhapsUnknown.Glyphs[2].Probability, perhapsUnknown.Glyphs[2].None = .95, .03
	between := at(200, 80, "赵涵平")
	between.Glyphs[2].Probability, between.Glyphs[2].Others = .95, []rune{'乎'}
	for name, test := range map[string]struct {
		lines []idcard.Line
		field ocr.FieldName
		want  ocr.Flags
	}{
		"a character that may be none of the engine's": {with(front(), perhapsUnknown), ocr.Name, ocr.Flags{ocr.LowConfidence}},
		"a character hardly taken for another":         {with(front(), between), ocr.Name, nil},
		"none":                                         {front(), ocr.Name, nil},
		"an uncertain character":                       {with(front(), unsure), ocr.Name, ocr.Flags{ocr.LowConfidence}},
		"space where the last character may be":        {with(front(), at(200, 80, "赵涵 ")), ocr.Name, ocr.Flags{ocr.Gap}},
		"space in the middle":                          {with(front(), at(200, 80, "赵 平")), ocr.Name, ocr.Flags{ocr.Gap}},
		"space at the beginning":                       {with(front(), at(200, 80, " 涵平")), ocr.Name, ocr.Flags{ocr.Gap}},
		"the print of the birth date not found":        {without(front(), 200, 240), ocr.BirthDate, ocr.Flags{ocr.Inferred}},
		"a birth date clearly read otherwise":          {with(front(), at(200, 240, "1990年1月3日")), ocr.BirthDate, nil}, // ocr.Check will see
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := idcard.Parse(test.lines).Fields[test.field]; !slices.Equal(got.Flags, test.want) {
				t.Errorf("%q: got %v, want %v", got.Value, got.Flags, test.want)
			}
		})
	}
}

func TestTheEnginesSecondChoiceOfADigitIsOffered(t *testing.T) {
	t.Parallel()
	misread := at(360, 540, "350203199001028136")
	misread.Glyphs[17].Others = []rune{'3', '8'}
	got := idcard.Parse(with(front(), misread)).Fields[ocr.IDNumber]
	if got.Value != "350203199001028136" || !slices.Equal(got.Candidates, []string{"350203199001028138"}) {
		t.Errorf("got %+v", got)
	}
}

func TestLinesMayConverge(t *testing.T) {
	t.Parallel()
	lines := front()
	for i := range lines { // as in a photograph from the left: what is far is lower and smaller
		b := &lines[i].Box
		shift := .03 * b.X0
		b.Y0, b.Y1 = b.Y0+shift, b.Y1+shift
	}
	if got := idcard.Parse(lines).Fields[ocr.Name].Value; got != "赵涵平" {
		t.Errorf("got %q", got)
	}
}

func TestTheColumnOfValuesMayLean(t *testing.T) {
	t.Parallel()
	lines := front()
	for i := range lines { // as in a photograph from a corner: what is lower is farther to the right
		lean := .25 * lines[i].Box.Y0
		lines[i].Box.X0, lines[i].Box.X1 = lines[i].Box.X0+lean, lines[i].Box.X1+lean
		for j := range lines[i].Glyphs {
			lines[i].Glyphs[j].X += lean
		}
	}
	card := idcard.Parse(lines)
	for field, value := range frontWant {
		if got := card.Fields[field]; got.Value != value || len(got.Flags) > 0 {
			t.Errorf("%s: got %q %v, want %q", field, got.Value, got.Flags, value)
		}
	}
}

func TestTheNamesPlaceIncludesWhatWasLostOfIt(t *testing.T) {
	t.Parallel()
	card := idcard.Parse(with(front(), at(200, 80, " 涵 ")))
	if b := card.Boxes[ocr.Name]; b.X0 > 200 || b.X1 < 320 {
		t.Errorf("got %+v", b)
	}
}

func FuzzParse(f *testing.F) {
	var all strings.Builder
	for _, l := range slices.Concat(front(), back()) {
		for _, g := range l.Glyphs {
			all.WriteRune(g.Char)
		}
		all.WriteByte('\n')
	}
	f.Add(all.String(), uint16(50))
	f.Add("姓名\n性别\n公民身份号码", uint16(0))
	f.Fuzz(func(t *testing.T, text string, pitch uint16) {
		var lines []idcard.Line
		for i, s := range strings.Split(text, "\n") {
			if len(lines) < 100 {
				lines = append(lines, at(float64(i%3)*100, float64(i)*float64(pitch), s))
			}
		}
		idcard.Parse(lines)
	})
}
