// Package ocr is the contract between the application and whatever reads
// documents: the catalogue of document types and their fields, what a reading
// consists of and which doubts it may carry, what went wrong and what it cost,
// and the checks that hold for every engine and for values typed by a person.
//
// The engines of our own are below: ppocr (PP-OCRv4 on ONNX Runtime, in this
// process) and local (the same in a supervised child process, which is what a
// server uses). The clients of the paid services are below internal/providers:
// pyi, juhe and xinhuo.
//
// Everything here is personal data. Errors of this package and of the engines
// never contain what was read.
package ocr

import (
	"context"
	"fmt"
	"slices"
	"time"

	"huizhi/internal/apperr"
)

// Reader reads one picture at a time; it is safe for concurrent use.
type Reader interface {
	// Name identifies the engine, for settings and the record.
	Name() string
	// Capabilities tells what the engine can do. It does not change.
	Capabilities() Capabilities
	// Read recognises a JPEG, PNG, WebP or BMP file. A picture on which there
	// is no document is no error but a Reading of type Unknown. An error is one
	// of this package's, a *ProviderError if it may have cost something, or the
	// context's own.
	Read(ctx context.Context, r Request) (*Reading, error)
	// Health tells, at no cost, whether Read can be expected to work.
	Health(ctx context.Context) error
	Close() error
}

// Request is a picture to read.
type Request struct {
	Image []byte // the file
	// URL is where the engine can fetch the picture itself, in place of Image;
	// only for engines whose Capabilities say so.
	URL string
	// Document is the expected type; empty or Unknown: find out. It is a hint:
	// the Reading says what is there, as far as the engine can tell.
	Document DocType
	// Reference is ours, opaque and without meaning to others. Engines that keep
	// one with their record of the call get it, so that a bill can be compared.
	Reference string
}

// Expects reports whether the request names a type.
func (r Request) Expects() bool { return r.Document != "" && r.Document != Unknown }

// Capabilities are what an engine can do.
type Capabilities struct {
	// Documents are the types it reads when told which.
	Documents []DocType
	// Detects are the types it tells apart by itself; a subset of Documents.
	// Empty: it must be told.
	Detects []DocType
	// Confidence: its fields come with probabilities. Without, agreement and
	// check digits are the only evidence.
	Confidence bool
	// Remote: the picture leaves this system.
	Remote bool
	// Insecure: it travels unencrypted. Ask the tenant first.
	Insecure bool
	// FetchesURL: Request.URL is understood.
	FetchesURL bool
}

// Reads reports whether a request for the type can be made; for Unknown or an
// empty type, whether the engine finds out by itself.
func (c Capabilities) Reads(t DocType) bool {
	if t == "" || t == Unknown {
		return len(c.Detects) > 0
	}
	return slices.Contains(c.Documents, t)
}

// Reading is what an engine read from one picture.
type Reading struct {
	Type   DocType `json:"type"`
	Fields Fields  `json:"fields"`
	// Conditions are what the engine says about the picture as a whole.
	Conditions []Condition `json:"conditions,omitempty"`
	// Rotation tells by how many degrees, in quarter turns, the text is turned
	// clockwise in the upright picture (EXIF orientation applied).
	Rotation  int           `json:"rotation"`
	Width     int           `json:"width"` // of the upright picture in pixels, as is Height
	Height    int           `json:"height"`
	TextLines int           `json:"text_lines"` // all lines found, on a document or not; 0 if not told
	Took      time.Duration `json:"took_ns"`    // wall time in the engine, without queueing
	Engine    string        `json:"engine"`     // and its models, where they are known

	// Charge tells whether the engine's operator charges for this reading.
	Charge Charge `json:"charge,omitempty"`
	// Reference is the operator's number for the call, if it gave one.
	Reference string `json:"reference,omitempty"`
	// Raw is the engine's answer as it came, if it came from outside.
	Raw Raw `json:"-"`
	// Crops are small JPEGs of the places the fields were read from, upright,
	// for a person to compare; also Portrait and WholeCard. They are kept out of
	// JSON, which may be stored where pictures must not be.
	Crops map[FieldName][]byte `json:"-"`
}

// Condition is something that an engine noticed about the whole picture.
type Condition string

// The conditions.
const (
	Blurred       Condition = "blurred"
	Overexposed   Condition = "overexposed" // glare on a field, or too bright altogether
	Underexposed  Condition = "underexposed"
	ReversedSide  Condition = "reversed_side"  // the other side of the card than was expected
	OtherDocument Condition = "other_document" // of another type than was expected or is read
	Copy          Condition = "copy"           // a photocopy, not the document
	UnclearState  Condition = "unclear_state"  // the engine itself is not sure what it sees
)

// Key is the condition's text in the catalogue of messages.
func (c Condition) Key() string { return "ocr.condition." + string(c) }

// Raw is an answer as it came from a provider, to be kept for a limited time for
// disputes. It holds personal data, perhaps pictures: it prints as its length.
type Raw []byte

// String implements fmt.Stringer.
func (r Raw) String() string { return fmt.Sprintf("[%d bytes]", len(r)) }

// GoString implements fmt.GoStringer.
func (r Raw) GoString() string { return r.String() }

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
	// ErrUnsupported: the engine does not read the requested type, or cannot find
	// it out by itself. Nothing was sent.
	ErrUnsupported = apperr.New(apperr.Invalid, "error.ocr_unsupported")
)

// MaxPixels is the largest picture that is read.
const MaxPixels = 50_000_000
