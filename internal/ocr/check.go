package ocr

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huizhi/internal/idnumber"
)

// Check returns a copy of the fields of an ID card with every flag that follows from values
// set or cleared; it is to be repeated whenever a value changes. The doubts of
// the engine stay as they are. Only fields that are present are checked, so
// the sides of a card can be checked apart or together. The day is YYYY-MM-DD
// in the zone of the user.
func Check(fields Fields, today time.Time) Fields {
	day := today.Format(time.DateOnly)
	checked := fields.withoutDerived()
	for name, field := range checked {
		if field.Value == "" {
			field.flag(Missing)
			checked[name] = field
		}
	}
	checked.apply(Name, checkName)
	checked.apply(Ethnicity, checkEthnicity)
	checked.apply(Address, checkAddress)
	number := checked.checkNumber(day)
	checked.apply(Sex, func(f *Field) { checkSex(f, number) })
	checked.apply(BirthDate, func(f *Field) { checkBirthDate(f, number, day) })
	checked.checkValidity(day)
	return checked
}

// withoutDerived returns a deep copy without the flags that Check owns.
func (fs Fields) withoutDerived() Fields {
	bare := make(Fields, len(fs))
	for name, field := range fs {
		field.Flags = slices.DeleteFunc(slices.Clone(field.Flags), Flag.derived)
		field.Candidates = slices.Clone(field.Candidates)
		bare[name] = field
	}
	return bare
}

// Edit returns a copy of the fields in which a person has set a value. Thereby
// the engine's doubts about that field are settled. Check again afterwards.
func (fs Fields) Edit(name FieldName, value string) Fields {
	edited := make(Fields, len(fs)+1)
	for n, f := range fs {
		edited[n] = f
	}
	edited[name] = Field{Value: Normalize(name, value), Confidence: 1}
	return edited
}

// Worst returns the highest level of any field's flags.
func (fs Fields) Worst() Level {
	worst := Info
	for _, f := range fs {
		worst = max(worst, f.Worst())
	}
	return worst
}

// apply runs a check on a field unless it is absent or empty.
func (fs Fields) apply(name FieldName, check func(*Field)) {
	if f := fs[name]; f.Value != "" {
		check(&f)
		fs[name] = f
	}
}

func (f *Field) flag(flag Flag) {
	if !f.Has(flag) {
		f.Flags = append(f.Flags, flag)
	}
}

func (f *Field) offer(candidate string) {
	if candidate != f.Value && !slices.Contains(f.Candidates, candidate) {
		f.Candidates = append(f.Candidates, candidate)
	}
}

func checkName(f *Field) {
	n := utf8.RuneCountInString(f.Value)
	bad := n < 2 || n > 15 || strings.HasPrefix(f.Value, middleDot) || strings.HasSuffix(f.Value, middleDot)
	for _, r := range f.Value {
		switch {
		case !unicode.Is(unicode.Han, r) && string(r) != middleDot:
			bad = true
		case string(r) != middleDot && !commonInNames(r) && f.Agreed == "":
			f.flag(RareCharacter)
		}
	}
	if bad {
		f.flag(NameFormat)
	}
}

func checkEthnicity(f *Field) {
	if !slices.Contains(Ethnicities, f.Value) {
		f.flag(EthnicityUnknown)
	}
}

// checkAddress finds addresses of which the first line is missing.
func checkAddress(f *Field) {
	const longest = 12 // names of divisions, such as 新疆维吾尔自治区
	runes := []rune(f.Value)
	head := string(runes[:min(longest, len(runes))])
	if !strings.ContainsAny(head, "省市县旗州盟") && !strings.Contains(head, "自治区") {
		f.flag(AddressFormat)
	}
}

// checkNumber returns what the number says, or nil if it is not to be relied on.
func (fs Fields) checkNumber(today string) *idnumber.Info {
	var trusted *idnumber.Info
	fs.apply(IDNumber, func(f *Field) {
		info, err := idnumber.Parse(f.Value)
		switch err {
		case nil:
			trusted = &info
			if !f.Has(Differs) && !f.Has(RosterDiffers) {
				f.Candidates = nil
			}
			if !info.KnownProvince() {
				f.flag(RegionUnknown)
			}
			if info.Birth.Format(time.DateOnly) > today {
				f.flag(NumberBirthDate)
			}
			return
		case idnumber.ErrCheckDigit:
			f.flag(ChecksumFailed)
		case idnumber.ErrBirthDate:
			f.flag(NumberBirthDate)
		default:
			f.flag(NumberFormat)
		}
		for _, repair := range idnumber.Repairs(f.Value) {
			f.offer(repair)
		}
		f.Candidates = slices.DeleteFunc(f.Candidates, func(number string) bool { return !fs.agreesWith(number) })
		if len(f.Candidates) == 1 {
			f.flag(RepairSuggested)
		}
	})
	return trusted
}

// agreesWith reports whether a valid number fits the birth date and the sex
// beside it, as far as these are there.
func (fs Fields) agreesWith(number string) bool {
	info, err := idnumber.Parse(number)
	if err != nil {
		return false
	}
	birth, sex := fs[BirthDate].Value, fs[Sex].Value
	return (birth == "" || birth == info.Birth.Format(time.DateOnly)) && (sex == "" || sex == SexOf(info))
}

// SexOf returns the sex that a number states, as cards print it.
func SexOf(info idnumber.Info) string {
	if info.Sex == idnumber.Male {
		return "男"
	}
	return "女"
}

func checkSex(f *Field, number *idnumber.Info) {
	switch {
	case f.Value != "男" && f.Value != "女":
		f.flag(SexUnknown)
	case number != nil && f.Value != SexOf(*number):
		f.flag(SexMismatch)
	}
}

func checkBirthDate(f *Field, number *idnumber.Info, today string) {
	if !isDate(f.Value) || f.Value > today {
		f.flag(DateFormat)
	}
	if number == nil {
		return
	}
	if birth := number.Birth.Format(time.DateOnly); birth != f.Value {
		f.flag(BirthMismatch)
		f.offer(birth)
	}
}

func (fs Fields) checkValidity(today string) {
	from := fs[ValidFrom].Value
	fs.apply(ValidFrom, func(f *Field) {
		if !isDate(f.Value) || f.Value > today {
			f.flag(DateFormat)
		}
	})
	fs.apply(ValidUntil, func(f *Field) {
		switch {
		case f.Value == LongTerm:
			return
		case !isDate(f.Value):
			f.flag(DateFormat)
			return
		case f.Value < today:
			f.flag(Expired)
		}
		if isDate(from) && !usualTerm(from, f.Value) {
			f.flag(TermUnusual)
		}
	})
}

// usualTerm reports whether two dates are 5, 10 or 20 years apart, the terms of
// article 5 of the Law on Resident Identity Cards.
func usualTerm(from, until string) bool {
	start, err1 := time.Parse(time.DateOnly, from)
	end, err2 := time.Parse(time.DateOnly, until)
	if err1 != nil || err2 != nil {
		return false
	}
	for _, years := range []int{5, 10, 20} {
		// A day of grace either way for cards issued on 29 February.
		if d := end.Sub(start.AddDate(years, 0, 0)); d.Abs() <= 24*time.Hour {
			return true
		}
	}
	return false
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
