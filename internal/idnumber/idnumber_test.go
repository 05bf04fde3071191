package idnumber_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"huizhi/internal/idnumber"
)

// 11010519491231002X is the example printed in the standard itself.
const standardExample = "11010519491231002X"

func TestParseReadsTheExampleOfTheStandard(t *testing.T) {
	t.Parallel()
	info, err := idnumber.Parse(standardExample)
	if err != nil {
		t.Fatal(err)
	}
	want := idnumber.Info{Region: "110105", Birth: time.Date(1949, 12, 31, 0, 0, 0, 0, time.UTC), Sex: idnumber.Female, CheckOK: true}
	if info != want {
		t.Errorf("got %+v, want %+v", info, want)
	}
	if !info.KnownProvince() {
		t.Error("Beijing is not a known province")
	}
}

func TestParseTellsTheReason(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		in   string
		want error
	}{
		"empty":                          {"", idnumber.ErrEmpty},
		"old number of 15 digits":        {"110105491231002", idnumber.ErrLength},
		"19 characters":                  {standardExample + "1", idnumber.ErrLength},
		"letter inside":                  {"1101051949123100OX", idnumber.ErrCharacters},
		"lower-case x":                   {"11010519491231002x", idnumber.ErrCharacters},
		"18 bytes that are not digits":   {"一二三四五六", idnumber.ErrCharacters},
		"30 February":                    {"110105199002300021", idnumber.ErrBirthDate},
		"29 February of a common year":   {"110105190002290021", idnumber.ErrBirthDate},
		"born in the year 1234":          {"110105123401010021", idnumber.ErrBirthDate},
		"sample of the ClipImg document": {"110101199001011234", idnumber.ErrCheckDigit},
		"sample of the pyi document":     {"362532199404064129", idnumber.ErrCheckDigit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := idnumber.Parse(test.in)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if test.in != "" && strings.Contains(err.Error(), test.in) {
				t.Error("the error repeats the number")
			}
		})
	}
}

func TestParseStillTellsWhatANumberWithAWrongCheckDigitSays(t *testing.T) {
	t.Parallel()
	info, err := idnumber.Parse("362532199404064129")
	if !errors.Is(err, idnumber.ErrCheckDigit) || info.CheckOK {
		t.Fatalf("err = %v, CheckOK = %v", err, info.CheckOK)
	}
	if got := info.Birth.Format(time.DateOnly); got != "1994-04-06" || info.Sex != idnumber.Female || info.Region != "362532" {
		t.Errorf("got %s %v %s", got, info.Sex, info.Region)
	}
}

func TestRegionsOfResidentsFromElsewhereAreKnown(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]bool{
		"810000": true, "820000": true, "830000": true, "710000": true, "911840": true,
		"000000": false, "990000": false, "160000": false, "": false,
	} {
		if got := (idnumber.Info{Region: region}).KnownProvince(); got != want {
			t.Errorf("%s: got %v", region, got)
		}
	}
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" 110105 19491231 002x\n": standardExample,
		"１１０１０５１９４９１２３１００２ｘ":      standardExample,
		"110105　19491231 002X":    standardExample,
	} {
		if got := idnumber.Normalize(in); got != want {
			t.Errorf("Normalize(%q) = %q", in, got)
		}
	}
}

func TestRepair(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		in, want string
		ok       bool
	}{
		"letters taken for digits":           {"I1O1O519491231OO2X", standardExample, true},
		"upper and lower B differ":           {"33078219B0010100b3", "330782198001010063", true},
		"a K for the X":                      {"11010519491231002K", standardExample, true},
		"a valid number needs none":          {standardExample, "", false},
		"a valid number in lower case":       {"11010519491231002x", "", false},
		"several repairs are no repair":      {"110101199001011234", "", false},
		"a lost character is not made up":    {"1101051949123102X", "", false},
		"no repair for what is not a number": {"居民身份证", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := idnumber.Repair(test.in)
			if got != test.want || ok != test.ok {
				t.Errorf("got %q, %v; all repairs: %q", got, ok, idnumber.Repairs(test.in))
			}
		})
	}
}

func TestMaskAndGroup(t *testing.T) {
	t.Parallel()
	if got := idnumber.Mask("440305199001010013"); got != "440305********0013" {
		t.Errorf("Mask: %s", got)
	}
	if got := idnumber.Mask("44030519"); got != "********" {
		t.Errorf("Mask of a fragment: %s", got)
	}
	if got := idnumber.Group("440305199001010013"); got != "440305 19900101 0013" {
		t.Errorf("Group: %s", got)
	}
	if got := idnumber.Group("4403"); got != "4403" {
		t.Errorf("Group of a fragment: %s", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", standardExample, "110101199001011234", "１１０", "1101051949123100OX", "\xff\xfe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := idnumber.Normalize(s)
		if idnumber.Normalize(n) != n {
			t.Errorf("Normalize is not idempotent on %q", s)
		}
		info, err := idnumber.Parse(n)
		if (err == nil) != info.CheckOK {
			t.Errorf("err = %v but CheckOK = %v", err, info.CheckOK)
		}
		if err == nil {
			// A single wrong digit never goes unnoticed: that is what the check character is for.
			for i := range 17 {
				other := n[:i] + string('0'+(n[i]-'0'+1)%10) + n[i+1:]
				if idnumber.Valid(other) {
					t.Errorf("%q and %q are both valid", n, other)
				}
			}
		}
		for _, r := range idnumber.Repairs(s) {
			if !idnumber.Valid(r) {
				t.Errorf("repair %q of %q is invalid", r, s)
			}
		}
		if masked := idnumber.Mask(s); len([]rune(s)) == 18 && masked == s {
			t.Errorf("%q is shown whole", s)
		}
		if grouped := idnumber.Group(s); strings.ReplaceAll(grouped, " ", "") != strings.ReplaceAll(s, " ", "") {
			t.Errorf("grouping %q changes it: %q", s, grouped)
		}
	})
}
