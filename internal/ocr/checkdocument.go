package ocr

import (
	"strings"
	"time"
)

// CheckDocument is Check for any document type: it adds the required fields
// that are absent and flags what follows from the values. Resident identity
// cards get every check there is. On other documents names may be foreign and
// terms differ, so only what holds everywhere is checked: dates, sex, the
// citizen's number against both, and check digits.
func CheckDocument(t DocType, fields Fields, today time.Time) Fields {
	whole := make(Fields, len(fields))
	for name, field := range fields {
		whole[name] = field
	}
	for _, name := range t.Required() {
		if _, ok := whole[name]; !ok {
			whole[name] = Field{}
		}
	}
	if t.IDCard() || t == TemporaryIDCard || t == Unknown || t == "" {
		return Check(whole, today)
	}
	day := today.Format(time.DateOnly)
	checked := whole.withoutDerived()
	for _, name := range t.Required() {
		if f := checked[name]; f.Value == "" {
			f.flag(Missing)
			checked[name] = f
		}
	}
	number := checked.checkNumber(day)
	checked.apply(Sex, func(f *Field) { checkSex(f, number) })
	for name := range checked {
		if name.Kind() == Date {
			checked.apply(name, func(f *Field) { checkDate(f, name, day) })
		}
	}
	checked.apply(BirthDate, func(f *Field) { checkBirthDate(f, number, day) })
	for name, valid := range map[FieldName]func(string) bool{CardNumber: luhn, CreditCode: creditCode, VIN: vin} {
		checked.apply(name, func(f *Field) {
			if !valid(f.Value) {
				f.flag(ChecksumFailed)
			}
		})
	}
	return checked
}

// checkDate also accepts the month and year that bank cards end with.
func checkDate(f *Field, name FieldName, today string) {
	switch {
	case name == ValidUntil && f.Value == LongTerm:
	case !isDate(f.Value):
		if _, err := time.Parse("01/06", f.Value); name != ValidUntil || err != nil {
			f.flag(DateFormat)
		}
	case name == ValidUntil && f.Value < today:
		f.flag(Expired)
	case name != ValidUntil && f.Value > today:
		f.flag(DateFormat)
	}
}

// luhn checks a bank card number: 12 to 19 digits, the last by ISO/IEC 7812.
// Social security cards, whose numbers have letters too, carry none.
func luhn(number string) bool {
	if strings.IndexFunc(number, func(r rune) bool { return r >= 'A' && r <= 'Z' }) >= 0 {
		return true
	}
	if len(number) < 12 || len(number) > 19 {
		return false
	}
	sum := 0
	for i := range len(number) {
		c := number[len(number)-1-i]
		if c < '0' || c > '9' {
			return false
		}
		d := int(c - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// creditCode checks a unified social credit code: 18 characters, the last by GB
// 32100-2015. The 15 digits of older licences have no check here.
func creditCode(code string) bool {
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	if len(code) == 15 {
		return true
	}
	if len(code) != 18 {
		return false
	}
	sum, weight := 0, 1
	for i := range 17 {
		v := strings.IndexByte(alphabet, code[i])
		if v < 0 {
			return false
		}
		sum += v * weight
		weight = weight * 3 % 31
	}
	return code[17] == alphabet[(31-sum%31)%31]
}

// vin checks a vehicle identification number: 17 characters, the ninth by GB
// 16735, which makes it binding.
func vin(number string) bool {
	const values = "0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ"
	weights := [17]int{8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2}
	if len(number) != 17 {
		return false
	}
	sum := 0
	for i, w := range weights {
		v := strings.IndexByte(values, number[i])
		if v < 0 || number[i] == '.' {
			return false
		}
		sum += v % 10 * w
	}
	return number[8] == "0123456789X"[sum%11]
}
