package ocr

import "encoding/json"

// Flag is a doubt about a field.
type Flag string

// Doubts of the engine about what it saw. They go when a person types or
// confirms the value.
const (
	LowConfidence Flag = "low_confidence" // an uncertain character
	Gap           Flag = "gap"            // free space in the name: a character may be missing
	Inferred      Flag = "inferred"       // taken from the ID number as the print was not readable
	Disputed      Flag = "disputed"       // the provider's check of the number came to another result than ours
	RosterDiffers Flag = "roster_differs" // the roster says something else, which is the first candidate
	Differs       Flag = "differs"        // another engine read something else, which is among the candidates, or nothing
)

// Doubts that follow from the values alone; Check sets them for any source.
const (
	Missing          Flag = "missing"
	RareCharacter    Flag = "rare_character"   // outside common use: compare with the picture
	NameFormat       Flag = "name_format"      // not 2 to 15 Chinese characters or middle dots
	NumberFormat     Flag = "number_format"    // not 17 digits and a digit or X
	NumberBirthDate  Flag = "number_birthdate" // the number's birth date is none, or in the future
	ChecksumFailed   Flag = "checksum_failed"
	RepairSuggested  Flag = "repair_suggested" // the only likely repair of the number is its first candidate
	RegionUnknown    Flag = "region_unknown"   // no province begins with these digits
	BirthMismatch    Flag = "birth_mismatch"   // differs from the birth date in the number
	SexMismatch      Flag = "sex_mismatch"     // differs from the sex in the number
	SexUnknown       Flag = "sex_unknown"
	EthnicityUnknown Flag = "ethnicity_unknown" // none of Ethnicities
	AddressFormat    Flag = "address_format"    // does not begin with a province, city or county
	DateFormat       Flag = "date_format"
	Expired          Flag = "expired"
	TermUnusual      Flag = "term_unusual" // cards are valid for 5, 10 or 20 years or without end
)

// Level says how much a flag weighs.
type Level int

// The levels. A Block must be corrected, or overridden with a reason, before
// an order is submitted; a Warn is to be looked at; an Info is only told.
const (
	Info Level = iota
	Warn
	Block
)

// Level returns the weight of the flag.
func (f Flag) Level() Level {
	switch f {
	case NumberFormat, NumberBirthDate, ChecksumFailed, BirthMismatch, SexMismatch:
		return Block
	case RegionUnknown, Inferred:
		return Info
	}
	return Warn
}

// Key is the flag's text in the catalogue.
func (f Flag) Key() string { return "ocr.flag." + string(f) }

// Flags are the doubts about one field, without repetition.
type Flags []Flag

// MarshalJSON writes no flags as [], not as null.
func (f Flags) MarshalJSON() ([]byte, error) {
	if f == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]Flag(f))
}

// Worst returns the highest level of the field's flags, Info if it has none.
func (f Field) Worst() Level {
	worst := Info
	for _, flag := range f.Flags {
		worst = max(worst, flag.Level())
	}
	return worst
}

// derived reports whether Check owns the flag, as opposed to the engine.
func (f Flag) derived() bool {
	switch f {
	case LowConfidence, Gap, Inferred, Disputed, Differs, RosterDiffers:
		return false
	}
	return true
}

// Settled reports whether the doubt goes when another engine reads the same value.
func (f Flag) Settled() bool { return !f.derived() }
