package routing

import (
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/ocr"
)

// Purpose says why an engine was asked.
type Purpose string

// The purposes.
const (
	First  Purpose = "first"  // to read the picture; also after another engine failed
	Second Purpose = "second" // for another opinion on a doubtful reading
	ByHand Purpose = "hand"   // a person chose the engine
)

// Outcomes of a call besides those of a failed one in package ocr.
const (
	OutcomeRead    ocr.Outcome = "read"    // there is a reading, perhaps that no document is there
	OutcomePending ocr.Outcome = "pending" // being asked
	OutcomeLost    ocr.Outcome = "lost"    // the process that asked died: whether it was charged is not known
)

// Call is one call of an engine. It holds no personal data.
type Call struct {
	bun.BaseModel `bun:"table:recognition_calls,alias:call"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	Engine        string // by Reader.Name
	DocType       ocr.DocType
	PictureID     string
	Purpose       Purpose
	Outcome       ocr.Outcome
	Code          int // the engine's own, 0 if it gave none
	HTTPStatus    int `bun:"http_status"`
	// Charge is MaybeCharged from the claim on, so that the day's cap holds for what is under way, too.
	Charge    ocr.Charge
	PriceFen  int64  // what it costs if it is charged
	Reference string // the engine's number for the call
	Day       string // YYYY-MM-DD in Shanghai
	At        time.Time
	// LeaseUntil is when a call without an outcome is given up for lost; nil once it has one.
	LeaseUntil *time.Time
	TookMS     int64 `bun:"took_ms"`
	// RawUntil is how long the raw answer is kept; nil if there is none (any more).
	RawUntil *time.Time
}

// CostFen is what the call cost, as far as that is known: a charge that may have been made counts.
func (c *Call) CostFen() int64 {
	if c.Charge == ocr.NotCharged {
		return 0
	}
	return c.PriceFen
}

// answer is what an engine said about a file, or that it is being asked. Rows of one tenant never serve another.
type answer struct {
	bun.BaseModel `bun:"table:ocr_answers,alias:answer"`
	TenantID      string      `bun:",pk"`
	SHA256        string      `bun:"sha256,pk"` // of the original
	Engine        string      `bun:",pk"`
	DocType       ocr.DocType `bun:",pk"` // as asked; Unknown: the engine found out
	CallID        string
	Outcome       ocr.Outcome
	LeaseUntil    *time.Time
	Reading       *ocr.Reading             `bun:"type:jsonb,nullzero"`
	Crops         map[ocr.FieldName]string `bun:"type:jsonb,nullzero"` // blob keys
}

// engineState is an engine that failed lately; the others have no row.
type engineState struct {
	bun.BaseModel `bun:"table:ocr_engines,alias:eng"`
	Engine        string `bun:",pk"`
	Failures      int64  // in a row
	Reason        ocr.Outcome
	Since         time.Time
	RestUntil     *time.Time // not asked before
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*Policy)(nil), (*Call)(nil), (*answer)(nil), (*engineState)(nil)}
