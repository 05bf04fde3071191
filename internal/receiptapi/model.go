package receiptapi

import (
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/providers"
)

// Application is one accepted submit, as its client sees it.
type Application struct {
	bun.BaseModel `bun:"table:api_applications,alias:app"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	ApplicationNo string // RA20231201143059001: Chinese time and a sequence; unique over all tenants
	KeyID         string
	Test          bool // made with a test key
	OrderID       string
	TypeName      string
	CustomFields  string // the JSON object as it was sent: it is echoed whole
	PhotoURL      string
	PhotoTries    int    // fetches that failed
	CallbackURL   string // "" if none
	CallbackTries int
	CallbackDone  bool // acknowledged, or given up
	Simulate      bool
	Status        providers.Status
	Message       string // 办理完成, or why it failed; "" before the end
	ImageCode     string
	FileToken     string // 256 random bits in the addresses of its files
	ResultFile    string // receipt.pdf; "" before the end
	PhotoFile     string // photo.jpg; "" before the end, and where the type has none
	SubmittedAt   time.Time
	ProcessAt     *time.Time
	CompletedAt   *time.Time // the end, good or bad
}

// Callback is one try of telling a client that its application has ended.
type Callback struct {
	bun.BaseModel `bun:"table:api_callbacks,alias:cb"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	ApplicationID string
	Ordinal       int // 1 is the first try
	At            time.Time
	TookMS        int64 `bun:"took_ms"`
	HTTPStatus    int   `bun:"http_status"` // 0: no answer; 200 alone acknowledges
	ProblemKey    string
}

// numbers is the one row from which application numbers are made.
type numbers struct {
	bun.BaseModel `bun:"table:api_numbers,alias:num"`
	ID            int `bun:",pk"`
	Last          int64
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*Application)(nil), (*Callback)(nil), (*numbers)(nil)}
