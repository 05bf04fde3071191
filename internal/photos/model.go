// Package photos takes in what people upload and finds out what it is.
//
//	store.go    one file: kept, known already, or refused with a reason
//	known.go    which of the picked files need not be sent
//	archive.go  a ZIP: kept, then unpacked in the background
//	process.go  one picture: looked at once, sorted once
//	look.go     portrait or card, working copy, reading
//	counter.go  a picture of the one customer at a counter
//	byhand.go   a person says what a picture is, or brings another photo
//	read.go     what the pages show
//
// The original is kept under its SHA-256 and never changed. Everything made
// from it (working copy, preview, thumbnail, crops) can be made again, and
// carries no metadata.
//
// Every file that got an answer is one row of uploads, so that at any moment
// picked = stored + duplicate + refused.
package photos

import (
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/ocr"
	"huizhi/internal/photos/specs"
)

// Outcome is what became of an uploaded file.
type Outcome string

// The outcomes. An archive is a container: its entries are counted, it is not.
const (
	OutcomeStored    Outcome = "stored"
	OutcomeDuplicate Outcome = "duplicate" // the batch has the same content under another name
	OutcomeRefused   Outcome = "refused"
	OutcomeArchive   Outcome = "archive"
)

// Upload is one file that somebody picked, and what became of it.
type Upload struct {
	bun.BaseModel `bun:"table:uploads,alias:upload"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	BatchID       string
	Name          string // with its folder: "三年级/2班/李雷.jpg"
	Size          int64  // bytes
	// SHA256 is empty for a file that was refused for its size alone.
	SHA256  string `bun:"sha256"`
	Outcome Outcome
	// ReasonKey and ReasonArgs say why a file is refused, or what it is a
	// duplicate of, as a key of the message catalogue with its arguments.
	ReasonKey  string
	ReasonArgs Args `bun:"type:jsonb,nullzero"`
	CreatedAt  time.Time
	// New tells that the call that returned it has recorded it.
	New bool `bun:"-"`
}

// Args are name/value pairs for a message, as i18n.T takes them.
type Args []any

// State is how far a picture has come.
type State string

// The states of a picture.
const (
	StateAwaited State = "awaited" // has no content yet: see Awaited
	StateNew     State = "new"     // stored, waits to be looked at
	StateDone    State = "done"    // Kind says what it is
	StateFailed  State = "failed"  // cannot be read; ProblemKey says why
)

// Kind is what a picture shows.
type Kind string

// The kinds of pictures.
const (
	KindUnknown   Kind = "unknown" // not looked at yet
	KindPortrait  Kind = "portrait"
	KindCardFront Kind = "card_front"
	KindCardBack  Kind = "card_back"
	KindCardBoth  Kind = "card_both" // both sides on one page
	KindOther     Kind = "other"     // neither a face nor an ID card
	// KindMarker is a card with a person's code that was photographed before the
	// person. It is no photo of anybody and makes no order.
	KindMarker Kind = "card_marker"
)

// IsCard tells the pictures that have a Reading.
func (k Kind) IsCard() bool { return k == KindCardFront || k == KindCardBack || k == KindCardBoth }

// Picture is a stored image: a photo of a person or a picture of an ID card.
type Picture struct {
	bun.BaseModel `bun:"table:pictures,alias:pic"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	BatchID       string
	Seq           int64  // its place in the batch, in the order of storing
	Name          string // as uploaded, with its folder
	PairKey       string // see PairKey
	SHA256        string `bun:"sha256"`
	Size          int64  // bytes of the original
	OriginalKey   string // blob keys; empty until made
	State         State
	Kind          Kind
	// ProblemKey is the message about what a person should know: why it failed,
	// or why its kind is a guess. Empty if all is well.
	ProblemKey  string
	ProblemArgs Args `bun:"type:jsonb,nullzero"`
	// Fetched tells that it came by its address and not as an upload.
	Fetched    bool
	Format     string // "JPEG", "HEIC"
	Width      int    // px of the upright original
	Height     int
	WorkingKey string // a portrait made to its type's spec: JPEG
	PreviewKey string // upright, at most 1600 px: JPEG
	ThumbKey   string // upright, at most 240 px: JPEG
	// Check is a portrait compared with its type's spec; nil for other kinds.
	Check     *Check     `bun:"findings,type:jsonb,nullzero"`
	OrderID   *string    // the order that uses it; kept by package orders
	TakenAt   *time.Time // by the camera's clock; nil if the file does not say
	Marker    string     // of KindMarker: what its code says, "" if it cannot be read
	CreatedAt time.Time
	// CustomerID names the person at the counter whose picture it is by the clerk's
	// word; nil elsewhere. Such a picture is never paired with anybody else's.
	CustomerID *string
	Expected   Kind // what the clerk says it shows; "" elsewhere
}

// Check is a portrait's working copy compared with the spec of a receipt type.
type Check struct {
	TypeID   int             `json:"type_id"`
	Metrics  specs.Metrics   `json:"metrics"`
	Findings []specs.Finding `json:"findings"`
}

// Reading is what an engine read from a picture of an ID card. A picture may
// have several; the youngest counts.
type Reading struct {
	bun.BaseModel `bun:"table:readings,alias:reading"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	PictureID     string
	Engine        string // with its models, where they are known
	Source        string // the engine's name
	Second        string // that of the engine which gave a second opinion, "" if none did
	CallID        string // of Source
	DocType       ocr.DocType
	Fields        ocr.Fields               `bun:"type:jsonb"` // as read, unchecked
	Crops         map[ocr.FieldName]string `bun:"type:jsonb"` // blob keys of small JPEGs
	TookMS        int64                    `bun:"took_ms"`
	CreatedAt     time.Time
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*Upload)(nil), (*Picture)(nil), (*Reading)(nil), (*Archive)(nil)}
