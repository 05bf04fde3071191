package ocr

import (
	"errors"
	"time"

	"huizhi/internal/idnumber"
)

// NumberType is how an ID card's number, birth date and sex agree: the
// idcard_number_type of the pyi document, whose values are kept.
type NumberType int

// The values.
const (
	NumberNoFront    NumberType = -1 // nothing was read of the portrait side
	NumberInvalid    NumberType = 0  // missing, malformed or with a wrong check digit
	NumberConsistent NumberType = 1
	NumberDiffers    NumberType = 2 // from both birth date and sex
	NumberNotBirth   NumberType = 3 // differs from the birth date
	NumberNotSex     NumberType = 4 // differs from the sex
)

// NumberTypeOf compares the number with the birth date and the sex beside it. A
// value that was not read differs from nothing: it is flagged as Missing. It is
// computed here for every engine: a provider's own result leaves out the check
// digit.
func NumberTypeOf(fields Fields) NumberType {
	empty := true
	for _, name := range FrontFields {
		empty = empty && fields[name].Value == ""
	}
	if empty {
		return NumberNoFront
	}
	info, err := idnumber.Parse(fields[IDNumber].Value)
	if err != nil {
		return NumberInvalid
	}
	birth, sex := fields[BirthDate].Value, fields[Sex].Value
	birthDiffers := birth != "" && birth != info.Birth.Format(time.DateOnly)
	sexDiffers := sex != "" && sex != SexOf(info)
	switch {
	case birthDiffers && sexDiffers:
		return NumberDiffers
	case birthDiffers:
		return NumberNotBirth
	case sexDiffers:
		return NumberNotSex
	}
	return NumberConsistent
}

// Dispute flags the number of a card if the provider's own comparison came to
// another result than ours. That the provider passes a number whose check digit
// is wrong is no dispute: that number is flagged for it already.
func (fs Fields) Dispute(provider NumberType) {
	ours := NumberTypeOf(fs)
	_, err := idnumber.Parse(fs[IDNumber].Value)
	if ours == provider || errors.Is(err, idnumber.ErrCheckDigit) {
		return
	}
	if f, ok := fs[IDNumber]; ok {
		f.flag(Disputed)
		fs[IDNumber] = f
	}
}
