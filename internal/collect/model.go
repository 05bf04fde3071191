package collect

import (
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/photos/specs"
)

// Collection says how the photos of a batch are collected. A batch has one or none.
type Collection struct {
	bun.BaseModel `bun:"table:collections,alias:collection"`
	TenantID      string `bun:",pk"`
	BatchID       string `bun:",pk"`
	Organiser     string // the school, as parents know it
	Contact       string // whom they ask, and tell that they withdraw their consent
	Tries         int64  // photos that one person may send
	CreatedBy     string
	CreatedAt     time.Time
}

// Reach says whom a link is for.
type Reach string

// The reaches of links.
const (
	Whole    Reach = "batch"  // everybody of the batch's roster
	Class    Reach = "class"  // one class of it
	Personal Reach = "person" // one person
)

// Link is an address under which photos are sent. It is open until EndsAt, which
// staff move to close it or to open it again.
type Link struct {
	bun.BaseModel `bun:"table:collection_links,alias:link"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	BatchID       string
	Reach         Reach
	Grade         string // of a class
	Class         string
	PersonID      string // of a personal one, else ""
	TokenHash     string
	EndsAt        time.Time
	CreatedAt     time.Time
}

// Open tells whether photos are taken under the link.
func (l *Link) Open(now time.Time) bool { return now.Before(l.EndsAt) }

// Consent is what somebody agreed to before a photo was taken. It is never changed;
// the youngest of a person counts.
type Consent struct {
	bun.BaseModel `bun:"table:collection_consents,alias:consent"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	BatchID       string
	PersonID      string
	LinkID        string
	Version       string // see ConsentVersion
	Language      string // in which it was read
	Text          string // as it was read
	Child         bool   // under 14: a guardian has agreed
	Guardian      string // who agreed for a child, as they said
	Relation      string // see Relations
	CreatedAt     time.Time
}

// Outcome is what became of a photo that was sent.
type Outcome string

// The outcomes. The same content has the same outcome each time it is sent.
const (
	Taken    Outcome = "taken"    // it is the photo of the person's order, or was
	Doubtful Outcome = "doubtful" // something should be better; the sender may hand it in as it is
	Refused  Outcome = "refused"  // it cannot be used
	Returned Outcome = "returned" // it was taken, and staff asked for another one
)

// Sending is one photo that was sent for a person. Each costs a try.
type Sending struct {
	bun.BaseModel `bun:"table:collection_sendings,alias:sending"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	BatchID       string
	PersonID      string
	LinkID        string
	SHA256        string `bun:"sha256"`
	Outcome       Outcome
	Findings      []specs.Finding `bun:"type:jsonb,nullzero"` // what should be better
	PictureID     string
	CreatedAt     time.Time
}

// Retake is staff's wish for another photo of a person, with new tries.
type Retake struct {
	bun.BaseModel `bun:"table:collection_retakes,alias:retake"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	BatchID       string
	PersonID      string
	Reasons       []string `bun:"type:jsonb,nullzero"` // of RetakeReasons
	Note          string   // in the words of staff
	AskedBy       string
	CreatedAt     time.Time
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*Collection)(nil), (*Link)(nil), (*Consent)(nil), (*Sending)(nil), (*Retake)(nil)}
