// Package validity says how long a photo receipt can probably be used, which
// other documents it serves, and whether its photo may be used again.
//
// The receipt API says none of this, and no authority publishes it for every
// document and city. So it is a table of what was found (table.go), each row with
// its sources, their dates and how far they can be believed. It is advice: a
// page that shows a date of it shows the row too, and a date that is printed on
// the receipt itself beats it.
package validity

import (
	"slices"
	"strings"
	"time"

	"huizhi/internal/photos/specs"
)

// Edition counts the changes of the table. Orders keep the edition by which
// their date was reckoned, so that older dates can be reckoned anew.
const Edition = 1

// Confidence says how far a row can be believed.
type Confidence = specs.Confidence

// Document is what a receipt is for, whatever the provider calls the type.
type Document string

// The documents that the table knows; everything else is Other.
const (
	Other     Document = "other"
	Identity  Document = "identity"   // 居民身份证
	ExitEntry Document = "exit_entry" // 护照, 港澳通行证
	Social    Document = "social"     // 社会保障卡
	Residence Document = "residence"  // 居住证
	Driver    Document = "driver"     // 机动车驾驶证
	Senior    Document = "senior"     // 敬老优待证
)

// Key is the catalogue key of the document's name.
func (d Document) Key() string { return "validity.document." + string(d) }

// words find a document in the name of a receipt type; the first that occurs
// wins, so the longer names come first.
var words = []struct {
	word     string
	document Document
}{
	{"港澳台居民居住证", Other}, // another document than the residence permit of a city
	{"网约车驾驶员", Other},   // a licence to work, not to drive
	{"驾驶证", Driver},
	{"身份证", Identity},
	{"社会保障卡", Social},
	{"社保卡", Social},
	{"居住证", Residence},
	{"敬老优待证", Senior},
	{"护照", ExitEntry},
	{"通行证", ExitEntry},
}

// ids are the types of the provider's document, for names that say nothing.
var ids = map[int]Document{1: Identity, 2: ExitEntry, 3: Social, 4: Residence, 5: Driver, 7: Social, 10: Senior}

// DocumentOf tells what a receipt type is for: by its name, or by its number if
// the name is empty.
func DocumentOf(typeID int, typeName string) Document {
	for _, w := range words {
		if strings.Contains(typeName, w.word) {
			return w.document
		}
	}
	if d, ok := ids[typeID]; ok && typeName == "" {
		return d
	}
	return Other
}

// Source is a page that says so.
type Source struct {
	URL       string
	Published string // "2025-01-11", or "" if the page bears no date
	Seen      string // when it was read
}

// Rule is one row of the table.
type Rule struct {
	Name       string     // names the row; its note is in the catalogue
	Documents  []Document // nil: all
	City       string     // "广东省,深圳市"; "": everywhere
	Days       int        // the day on which the receipt came is the first
	Confidence Confidence
	Sources    []Source
	Reuse      Reuse
	Photo      Photo
}

// NoteKey is the catalogue key of what a reader must know of the row.
func (r Rule) NoteKey() string { return "validity.note." + r.Name }

// Reuse says which other documents the receipt is said to serve in its city.
type Reuse struct {
	Documents  []Document
	Confidence Confidence
	Sources    []Source
}

// Photo says how old a photo may be that is handed in again.
type Photo struct {
	Months     int  // since it was taken
	Strict     bool // an older one is not allowed; otherwise it is a warning
	Confidence Confidence
	Sources    []Source
}

// For finds the row of a receipt type ("第二代居民身份证数字相片") and city
// ("广东省,深圳市"). There always is one: the last row holds for everything.
func For(typeID int, typeName, city string) Rule {
	document := DocumentOf(typeID, typeName)
	for _, r := range table {
		if (r.City == "" || r.City == city) && (r.Documents == nil || slices.Contains(r.Documents, document)) {
			return r
		}
	}
	panic("the table of validity has no last row")
}

// Rules returns the table; a row is overruled by those before it.
func Rules() []Rule { return slices.Clone(table) }

// shanghai is where all days are counted; it has had no summer time since 1991.
var shanghai = time.FixedZone("CST", 8*60*60)

// Until is the moment at which a receipt that came at a time is used up: the
// midnight after its last day, in UTC. The first day counts, because a date that
// is a day early costs less than one that is a day late.
func (r Rule) Until(came time.Time) time.Time {
	y, m, d := came.In(shanghai).Date()
	return time.Date(y, m, d+r.Days, 0, 0, 0, 0, shanghai).UTC()
}

// EndOf is the moment at which a receipt is used up whose last day a person read
// on it.
func EndOf(lastDay time.Time) time.Time {
	y, m, d := lastDay.Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, shanghai).UTC()
}

// LastDay is the last day of a receipt that is used up at a time.
func LastDay(until time.Time) time.Time {
	y, m, d := until.Add(-time.Nanosecond).In(shanghai).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// DaysLeft counts the days on which the receipt can still be used, today
// included; 0 or less means that it is used up, by so many days.
func DaysLeft(until, now time.Time) int {
	y, m, d := now.In(shanghai).Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, shanghai)
	return int(until.Sub(today) / (24 * time.Hour))
}

// Serves tells whether a receipt of one type is said to serve a document of
// another, in the same city. A receipt always serves its own type.
func (r Rule) Serves(typeID int, typeName string) bool {
	return slices.Contains(r.Reuse.Documents, DocumentOf(typeID, typeName))
}

// PhotoAge is what the table says of handing in a photo again.
type PhotoAge string

// The answers about a photo's age.
const (
	PhotoFresh  PhotoAge = "fresh"
	PhotoOld    PhotoAge = "old"    // older than many offices want it: warn
	PhotoBarred PhotoAge = "barred" // older than the office allows
)

// Age judges a photo that was taken at a time.
func (p Photo) Age(taken, now time.Time) PhotoAge {
	switch {
	case !taken.AddDate(0, p.Months, 0).Before(now):
		return PhotoFresh
	case p.Strict:
		return PhotoBarred
	default:
		return PhotoOld
	}
}

// InDays is the moment until which receipts are used up that have at most n days
// left, today included.
func InDays(now time.Time, n int) time.Time {
	y, m, d := now.In(shanghai).Date()
	return time.Date(y, m, d+n, 0, 0, 0, 0, shanghai).UTC()
}
