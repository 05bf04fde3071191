package roster

import (
	"time"

	"github.com/uptrace/bun"
)

// Roster is a list of people: a school, a year, a company.
type Roster struct {
	bun.BaseModel `bun:"table:rosters,alias:roster"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	Name          string
	People        int64 // how many it has
	Version       int64 // counts changes; an import is applied to the version that it was compared with
	CreatedBy     string
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Person is one of a roster.
type Person struct {
	bun.BaseModel `bun:"table:people,alias:person"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	RosterID      string
	Values
	Place     string  // orders a roster: by grade, class, and as it was imported
	Edited    []Field `bun:"type:jsonb,nullzero"` // set by a person; no import changes these
	CreatedAt time.Time
	UpdatedAt time.Time
}

// State is how far an import is.
type State string

// The states of an import. Checking and applying go on in the background.
const (
	Checking State = "checking" // its rows are read and compared with the roster
	Checked  State = "checked"  // waits for a person's word
	Applying State = "applying"
	Applied  State = "applied"
	Failed   State = "failed" // the file cannot be read; ProblemKey says why
	Dropped  State = "dropped"
)

// Import is one file on its way into a roster.
type Import struct {
	bun.BaseModel `bun:"table:roster_imports,alias:import"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	RosterID      string
	File          string // its name as uploaded; "" for pasted cells
	BlobKey       string
	Format        string // see sheet.Format
	State         State
	ProblemKey    string
	ProblemArgs   []any    `bun:"type:jsonb,nullzero"`
	HeaderRow     int      // number of the last row of the header; 0 if it has none
	Columns       []Column `bun:"type:jsonb,nullzero"`
	Done          int64    // of Total: bytes while checking, rows while applying
	Total         int64
	Counts        Counts `bun:"type:jsonb"`
	RosterVersion int64
	CreatedBy     string
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Counts are the rows of an import by what becomes of them.
type Counts struct {
	Added   int64 `json:"added"`
	Changed int64 `json:"changed"`
	Same    int64 `json:"same"`
	Refused int64 `json:"refused"`
	Missing int64 `json:"missing"` // people of the roster that the file does not have; they stay
}

// Rows is how many rows the file has.
func (c Counts) Rows() int64 { return c.Added + c.Changed + c.Same + c.Refused }

// Kind is what becomes of a row.
type Kind string

// The kinds of rows.
const (
	Added   Kind = "added"
	Changed Kind = "changed"
	Same    Kind = "same"
	Refused Kind = "refused"
)

// Row is a row of a file that was compared with the roster.
type Row struct {
	bun.BaseModel `bun:"table:roster_import_rows,alias:line"`
	TenantID      string `bun:",pk"`
	ImportID      string `bun:",pk"`
	Row           int    `bun:",pk"` // as the spreadsheet numbers it
	Kind          Kind
	PersonID      *string // whom it is about; nil for one who is added or a row that is refused
	Values        Values  `bun:"vals,type:jsonb"`
	Former        *Values `bun:"type:jsonb,nullzero"` // what a changed person was
	Issues        []Issue `bun:"type:jsonb,nullzero"`
}

// header is what a person said once of a column's header.
type header struct {
	bun.BaseModel `bun:"table:roster_headers,alias:header"`
	TenantID      string `bun:",pk"`
	Header        string `bun:",pk"` // by headerKey
	Field         Field  // "": left out
	UpdatedAt     time.Time
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*Roster)(nil), (*Person)(nil), (*Import)(nil), (*Row)(nil), (*header)(nil)}
