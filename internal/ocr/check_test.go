package ocr_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"huizhi/internal/idnumber"
	"huizhi/internal/ocr"
)

var today = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// card is a front and a back without a fault.
func card() ocr.Fields {
	fields := ocr.Fields{}
	for name, value := range map[ocr.FieldName]string{
		ocr.Name: "王小明", ocr.Sex: "女", ocr.Ethnicity: "汉", ocr.BirthDate: "1949-12-31",
		ocr.Address: "北京市朝阳区人民路1号", ocr.IDNumber: "11010519491231002X",
		ocr.Authority: "北京市公安局朝阳分局", ocr.ValidFrom: "2010-03-01", ocr.ValidUntil: ocr.LongTerm,
	} {
		fields[name] = ocr.Field{Value: value, Confidence: .99}
	}
	return fields
}

func number(first17 string) string { return first17 + string(idnumber.CheckDigit(first17)) }

func TestACardWithoutFaultHasNoFlags(t *testing.T) {
	t.Parallel()
	for name, f := range ocr.Check(card(), today) {
		if len(f.Flags) > 0 {
			t.Errorf("%s: %v", name, f.Flags)
		}
	}
}

func TestCheckFlagsValues(t *testing.T) {
	t.Parallel()
	type edits map[ocr.FieldName]string
	for name, test := range map[string]struct {
		edits edits
		field ocr.FieldName
		want  ocr.Flags
	}{
		"nothing read":                       {edits{ocr.Address: ""}, ocr.Address, ocr.Flags{ocr.Missing}},
		"number of 17 characters":            {edits{ocr.IDNumber: "11010519491231002"}, ocr.IDNumber, ocr.Flags{ocr.NumberFormat}},
		"number with a wrong digit":          {edits{ocr.IDNumber: "110101199001011234"}, ocr.IDNumber, ocr.Flags{ocr.ChecksumFailed}},
		"number of 31 April":                 {edits{ocr.IDNumber: "110105199004310028"}, ocr.IDNumber, ocr.Flags{ocr.NumberBirthDate}},
		"number of tomorrow's child":         {edits{ocr.IDNumber: number("11010520261122002")}, ocr.IDNumber, ocr.Flags{ocr.NumberBirthDate}},
		"number of no province":              {edits{ocr.IDNumber: number("99010519491231002")}, ocr.IDNumber, ocr.Flags{ocr.RegionUnknown}},
		"number of a Hong Kong resident":     {edits{ocr.IDNumber: number("81000019491231002")}, ocr.IDNumber, nil},
		"number of an abolished county":      {edits{ocr.IDNumber: number("36253219491231002")}, ocr.IDNumber, nil},
		"letter for a digit":                 {edits{ocr.IDNumber: "1101O519491231002X"}, ocr.IDNumber, ocr.Flags{ocr.NumberFormat, ocr.RepairSuggested}},
		"birth date differs":                 {edits{ocr.BirthDate: "1949-12-30"}, ocr.BirthDate, ocr.Flags{ocr.BirthMismatch}},
		"birth date of an invalid number":    {edits{ocr.BirthDate: "1990-01-02", ocr.IDNumber: "110101199001011234"}, ocr.BirthDate, nil},
		"sex differs":                        {edits{ocr.Sex: "男"}, ocr.Sex, ocr.Flags{ocr.SexMismatch}},
		"sex is neither":                     {edits{ocr.Sex: "未知"}, ocr.Sex, ocr.Flags{ocr.SexUnknown}},
		"address without its first line":     {edits{ocr.Address: "街道幸福里社区249号"}, ocr.Address, ocr.Flags{ocr.AddressFormat}},
		"address of an autonomous region":    {edits{ocr.Address: "新疆维吾尔自治区乌鲁木齐市天山区人民路1号"}, ocr.Address, nil},
		"birth date is none":                 {edits{ocr.BirthDate: "1990-02-30", ocr.IDNumber: ""}, ocr.BirthDate, ocr.Flags{ocr.DateFormat}},
		"ethnicity of the list":              {edits{ocr.Ethnicity: "维吾尔族"}, ocr.Ethnicity, nil},
		"people recognised without a place":  {edits{ocr.Ethnicity: "穿青人"}, ocr.Ethnicity, nil},
		"ethnicity of no list":               {edits{ocr.Ethnicity: "仡"}, ocr.Ethnicity, ocr.Flags{ocr.EthnicityUnknown}},
		"name of one character":              {edits{ocr.Name: "王"}, ocr.Name, ocr.Flags{ocr.NameFormat}},
		"name with a digit":                  {edits{ocr.Name: "王小明1"}, ocr.Name, ocr.Flags{ocr.NameFormat}},
		"name with any kind of dot":          {edits{ocr.Name: "买买提•吐尔逊"}, ocr.Name, nil},
		"name ending in a dot":               {edits{ocr.Name: "买买提·"}, ocr.Name, ocr.Flags{ocr.NameFormat}},
		"name with a rare character":         {edits{ocr.Name: "王翀"}, ocr.Name, ocr.Flags{ocr.RareCharacter}},
		"name with a character of Unicode 8": {edits{ocr.Name: "王𫖯"}, ocr.Name, ocr.Flags{ocr.RareCharacter}},
		"expired yesterday":                  {edits{ocr.ValidFrom: "2016-11-20", ocr.ValidUntil: "2026-11-20"}, ocr.ValidUntil, ocr.Flags{ocr.Expired}},
		"expires today":                      {edits{ocr.ValidFrom: "2016-11-21", ocr.ValidUntil: "2026-11-21"}, ocr.ValidUntil, nil},
		"issued on 29 February":              {edits{ocr.ValidFrom: "2024-02-29", ocr.ValidUntil: "2034-02-28"}, ocr.ValidUntil, nil},
		"valid for 11 years":                 {edits{ocr.ValidFrom: "2016-11-21", ocr.ValidUntil: "2027-11-21"}, ocr.ValidUntil, ocr.Flags{ocr.TermUnusual}},
		"issued tomorrow":                    {edits{ocr.ValidFrom: "2026-11-22"}, ocr.ValidFrom, ocr.Flags{ocr.DateFormat}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fields := card()
			for field, value := range test.edits {
				fields = fields.Edit(field, value)
			}
			if got := ocr.Check(fields, today)[test.field]; !slices.Equal(got.Flags, test.want) {
				t.Errorf("%q: got %v, want %v", got.Value, got.Flags, test.want)
			}
		})
	}
}

func TestTheNumberIsOfferedWhereItFitsTheRest(t *testing.T) {
	t.Parallel()
	fields := card().Edit(ocr.IDNumber, "1101O519491231002X")
	got := ocr.Check(fields, today)[ocr.IDNumber]
	if !slices.Equal(got.Candidates, []string{"11010519491231002X"}) {
		t.Errorf("candidates %v", got.Candidates)
	}
	fields = fields.Edit(ocr.Sex, "男")
	if got := ocr.Check(fields, today)[ocr.IDNumber]; len(got.Candidates) > 0 || got.Has(ocr.RepairSuggested) {
		t.Errorf("for a man: candidates %v, flags %v", got.Candidates, got.Flags)
	}
}

func TestTheNumbersBirthDateIsOffered(t *testing.T) {
	t.Parallel()
	got := ocr.Check(card().Edit(ocr.BirthDate, "1949-12-30"), today)[ocr.BirthDate]
	if !slices.Equal(got.Candidates, []string{"1949-12-31"}) {
		t.Errorf("candidates %v", got.Candidates)
	}
}

func TestCheckingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	fields := card().Edit(ocr.IDNumber, "1101O519491231002X").Edit(ocr.BirthDate, "1949-12-30").Edit(ocr.Name, "王翀")
	once := ocr.Check(fields, today)
	a, err1 := json.Marshal(once)
	b, err2 := json.Marshal(ocr.Check(once, today))
	if err1 != nil || err2 != nil || string(a) != string(b) {
		t.Errorf("first %s\nthen  %s", a, b)
	}
}

func TestAnEditSettlesTheEnginesDoubts(t *testing.T) {
	t.Parallel()
	fields := card()
	fields[ocr.Name] = ocr.Field{Value: "叶博", Confidence: .5, Flags: ocr.Flags{ocr.Gap, ocr.LowConfidence}}
	checked := ocr.Check(fields, today)
	if f := checked[ocr.Name]; !f.Has(ocr.Gap) || !f.Has(ocr.LowConfidence) {
		t.Errorf("before: %v", f.Flags)
	}
	edited := ocr.Check(checked.Edit(ocr.Name, " 叶博文 "), today)
	if f := edited[ocr.Name]; f.Value != "叶博文" || len(f.Flags) > 0 || f.Confidence != 1 {
		t.Errorf("after: %+v", f)
	}
	if checked[ocr.Name].Value != "叶博" {
		t.Error("Edit changed its receiver")
	}
}

func TestBlocksAreWorseThanWarnings(t *testing.T) {
	t.Parallel()
	if got := ocr.Check(card(), today).Worst(); got != ocr.Info {
		t.Errorf("without fault: %v", got)
	}
	if got := ocr.Check(card().Edit(ocr.Name, "王翀"), today).Worst(); got != ocr.Warn {
		t.Errorf("rare name: %v", got)
	}
	if got := ocr.Check(card().Edit(ocr.Sex, "男"), today).Worst(); got != ocr.Block {
		t.Errorf("wrong sex: %v", got)
	}
}

func TestDatesAreUnderstoodAsPeopleTypeThem(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"1990年1月2日": "1990-01-02", "1990.01.02": "1990-01-02", "1990/1/2": "1990-01-02",
		"19900102": "1990-01-02", "１９９０-1-2": "1990-01-02", "1990": "1990", "长期": "长期", "永久有效": "长期",
	} {
		if got := ocr.Normalize(ocr.ValidUntil, in); got != want {
			t.Errorf("%s: got %s", in, got)
		}
	}
}

func TestATermHasTwoEnds(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][2]string{
		"2015.02.03-2035.02.03": {"2015-02-03", "2035-02-03"},
		"2015-02-03-2035-02-03": {"2015-02-03", "2035-02-03"},
		"20150203－20350203":     {"2015-02-03", "2035-02-03"},
		"2018年03月21日至长期":        {"2018-03-21", "长期"},
		"2018.03.21 - 长期":       {"2018-03-21", "长期"},
		"自2018年3月1日至2028年3月1日止": {"2018-03-01", "2028-03-01"},
		"2035.02.03":            {"", "2035-02-03"},
		"长期":                    {"", "长期"},
		"":                      {"", ""},
		"10年":                   {"", ""},
	} {
		from, until := ocr.SplitTerm(in)
		if got := [2]string{from, until}; got != want {
			t.Errorf("%s: got %v", in, got)
		}
	}
}

func TestNoFlagsAreAnEmptyListInJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(ocr.Field{Value: "汉", Confidence: 1})
	if want := `{"value":"汉","confidence":1,"flags":[]}`; err != nil || string(b) != want {
		t.Errorf("got %s, %v", b, err)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("王小明", "1101O519491231002X", "1949-12-31", "长期")
	f.Add("·", "", "19491231", "\xff")
	f.Fuzz(func(t *testing.T, name, number, birth, until string) {
		fields := card().Edit(ocr.Name, name).Edit(ocr.IDNumber, number).Edit(ocr.BirthDate, birth).Edit(ocr.ValidUntil, until)
		for n, field := range fields {
			if again := ocr.Normalize(n, field.Value); again != field.Value {
				t.Errorf("%s: %q is normalised again, to %q", n, field.Value, again)
			}
		}
		for n, field := range ocr.Check(fields, today) {
			sorted := slices.Sorted(slices.Values(field.Flags))
			if len(slices.Compact(sorted)) != len(field.Flags) {
				t.Errorf("%s: repeated flags %v", n, field.Flags)
			}
		}
	})
}
