package roster

import (
	"strings"

	"golang.org/x/text/width"

	"huizhi/internal/idnumber"
	"huizhi/internal/ocr"
)

// Field names what a column of a roster holds.
type Field string

// The fields of a person, in the order in which they are shown.
const (
	Name          Field = "name"
	IDNumber      Field = "id_number"
	StudentNumber Field = "student_number"
	Grade         Field = "grade"
	Class         Field = "class"
	Sex           Field = "sex" // 男 or 女
)

// Fields lists the fields.
var Fields = []Field{Name, IDNumber, StudentNumber, Grade, Class, Sex}

// Values are what a roster says of a person. Every one may be empty but the name.
type Values struct {
	Name          string `json:"name,omitempty"`
	IDNumber      string `json:"id_number,omitempty"` // normalized, see package idnumber
	StudentNumber string `json:"student_number,omitempty"`
	Grade         string `json:"grade,omitempty"`
	Class         string `json:"class,omitempty"`
	Sex           string `json:"sex,omitempty"`
}

// at is the place of a field in the values.
func (v *Values) at(f Field) *string {
	switch f {
	case Name:
		return &v.Name
	case IDNumber:
		return &v.IDNumber
	case StudentNumber:
		return &v.StudentNumber
	case Grade:
		return &v.Grade
	case Class:
		return &v.Class
	case Sex:
		return &v.Sex
	}
	panic("roster: no field " + string(f))
}

// Get is the value of a field.
func (v Values) Get(f Field) string { return *v.at(f) }

// maxValue is the longest value in bytes: a name of 30 characters fits.
const maxValue = 120

// Normalize brings a value into the form in which it is kept and compared.
func Normalize(f Field, value string) string {
	switch f {
	case Name:
		return ocr.Normalize(ocr.Name, value)
	case IDNumber:
		return idnumber.Normalize(value)
	case Sex:
		return ocr.Normalize(ocr.Sex, value)
	case StudentNumber:
		return strings.ToUpper(withoutSpaces(width.Narrow.String(value)))
	}
	return withoutSpaces(width.Narrow.String(value))
}

func withoutSpaces(s string) string { return strings.Join(strings.Fields(s), "") }

// Issue is what is wrong with a row or a person, as a key of the catalogue with
// its arguments. It says where, never what the value is.
type Issue struct {
	Field Field  `json:"field,omitempty"`
	Key   string `json:"key"`           // "roster.issue.…"
	Row   int    `json:"row,omitempty"` // the other row that it is about
}

// check tells what is wrong with normalized values.
func (v Values) check() []Issue {
	var out []Issue
	add := func(f Field, key string) { out = append(out, Issue{Field: f, Key: "roster.issue." + key}) }
	if v.Name == "" {
		add(Name, "name_missing")
	}
	for _, f := range Fields {
		if len(v.Get(f)) > maxValue {
			add(f, "long")
		}
	}
	if v.Sex != "" && v.Sex != "男" && v.Sex != "女" {
		add(Sex, "sex_unknown")
	}
	if v.IDNumber == "" {
		return out
	}
	info, err := idnumber.Parse(v.IDNumber)
	switch {
	case err == nil:
		if v.Sex != "" && len(out) == 0 && v.Sex != ocr.SexOf(info) {
			add(Sex, "sex_differs")
		}
	case err == idnumber.ErrCheckDigit && strings.HasSuffix(v.IDNumber, "000"), err == idnumber.ErrBirthDate && strings.HasSuffix(v.IDNumber, "000"):
		add(IDNumber, "damaged") // that is what a spreadsheet makes of the last three digits
	case err == idnumber.ErrCheckDigit:
		add(IDNumber, "check_digit")
	case err == idnumber.ErrBirthDate:
		add(IDNumber, "birth_date")
	case len(v.IDNumber) == 15:
		add(IDNumber, "fifteen")
	default:
		add(IDNumber, "not_a_number")
	}
	return out
}
