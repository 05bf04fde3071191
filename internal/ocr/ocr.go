// Package ocr is the contract between the application and whatever reads ID
// cards: what a reading consists of, which doubts it may carry, and the checks
// that hold for every engine and for values typed by a person.
//
// The engines are below: ppocr (PP-OCRv4 on ONNX Runtime, in this process) and
// local (the same in a supervised child process, which is what a server uses).
//
// Everything here is personal data. Errors of this package and of the engines
// never contain what was read.
package ocr

import (
	"context"
	"time"

	"huizhi/internal/apperr"
)

// Reader reads one picture at a time; it is safe for concurrent use.
type Reader interface {
	// Name identifies the engine and its models, for the record.
	Name() string
	// Read recognises a JPEG, PNG, WebP or BMP file. A picture on which there
	// is no card is no error but a Reading of type Unknown. An error
	// is one of this package's or the context's own.
	Read(ctx context.Context, image []byte) (*Reading, error)
	// Health tells, at no cost, whether Read can be expected to work.
	Health(ctx context.Context) error
	Close() error
}

// DocType is what a picture shows.
type DocType string

// The document types. A page with both sides of a card, such as a photocopy,
// is an IDCardFront whose back fields are filled, too.
const (
	IDCardFront DocType = "id_card_front"
	IDCardBack  DocType = "id_card_back"
	Unknown     DocType = "unknown"
)

// Key is the type's text in the catalogue.
func (t DocType) Key() string { return "ocr.type." + string(t) }

// Reading is what an engine read from one picture.
type Reading struct {
	Type   DocType `json:"type"`
	Fields Fields  `json:"fields"`
	// Rotation tells by how many degrees, in quarter turns, the text is turned
	// clockwise in the upright picture (EXIF orientation applied).
	Rotation  int           `json:"rotation"`
	Width     int           `json:"width"` // of the upright picture in pixels, as is Height
	Height    int           `json:"height"`
	TextLines int           `json:"text_lines"` // all lines found, on a card or not
	Took      time.Duration `json:"took_ns"`    // wall time in the engine, without queueing
	Engine    string        `json:"engine"`

	// Crops are small JPEGs of the places the fields were read from, upright,
	// for a person to compare. They are kept out of JSON, which may be stored
	// where pictures must not be.
	Crops map[FieldName][]byte `json:"-"`
}

// FieldName names a field of an ID card.
type FieldName string

// The fields in their order on the card, front and back.
const (
	Name       FieldName = "name"
	Sex        FieldName = "sex"        // 男 or 女
	Ethnicity  FieldName = "ethnicity"  // without 族, see Ethnicities
	BirthDate  FieldName = "birth_date" // YYYY-MM-DD
	Address    FieldName = "address"
	IDNumber   FieldName = "id_number" // 18 characters, see package idnumber
	Authority  FieldName = "authority"
	ValidFrom  FieldName = "valid_from"  // YYYY-MM-DD
	ValidUntil FieldName = "valid_until" // YYYY-MM-DD or LongTerm
)

// Key is the field's label in the catalogue.
func (n FieldName) Key() string { return "ocr.field." + string(n) }

// FrontFields and BackFields are the fields that a side should have.
var (
	FrontFields = []FieldName{Name, Sex, Ethnicity, BirthDate, Address, IDNumber}
	BackFields  = []FieldName{Authority, ValidFrom, ValidUntil}
)

// LongTerm is the ValidUntil of cards that do not expire.
const LongTerm = "长期"

// Fields are the values of a card, by name. A field that should be on the side
// at hand but was not read is present with an empty value.
type Fields map[FieldName]Field

// Field is one value with the doubts about it.
type Field struct {
	Value string `json:"value"`
	// Confidence is the probability that the engine gives its least certain
	// character, 0 to 1. A value typed by a person has 1.
	Confidence float64 `json:"confidence"`
	Flags      Flags   `json:"flags"`
	// Candidates are other values worth offering, the likeliest first.
	Candidates []string `json:"candidates,omitempty"`
}

// Has reports whether the field carries a flag.
func (f Field) Has(flag Flag) bool {
	for _, g := range f.Flags {
		if g == flag {
			return true
		}
	}
	return false
}

// What can go wrong. Engines wrap these with the cause.
var (
	// ErrUnavailable: the engine is not installed or does not start.
	ErrUnavailable = apperr.New(apperr.Unavailable, "error.ocr_unavailable")
	// ErrUnreadable: the file is no picture, is damaged, has more than
	// MaxPixels, or makes the engine crash. The same file will fail again.
	ErrUnreadable = apperr.New(apperr.Invalid, "error.ocr_unreadable")
	// ErrBusy: too many pictures are waiting. Try again later.
	ErrBusy = apperr.New(apperr.TooMany, "error.ocr_busy")
	// ErrTimeout: the engine took too long on this picture.
	ErrTimeout = apperr.New(apperr.Unavailable, "error.ocr_timeout")
)

// MaxPixels is the largest picture that is read.
const MaxPixels = 50_000_000
