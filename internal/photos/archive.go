package photos

import (
	"time"

	"github.com/uptrace/bun"
)

// Archive is an uploaded ZIP on its way to being unpacked.
type Archive struct {
	bun.BaseModel `bun:"table:archives,alias:archive"`
	TenantID      string `bun:",pk"`
	UploadID      string `bun:",pk"` // the upload it came as, with its name and outcome
	BatchID       string
	Key           string `bun:"blob_key"`
	Entries       int64  // files in it; 0 until opened
	Done          int64  // files that have their own row in uploads
	Finished      bool
	CreatedAt     time.Time
	UpdatedAt     time.Time
}
