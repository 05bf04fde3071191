package photos

import (
	"context"
	"log/slog"
	"runtime"

	"github.com/uptrace/bun"

	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/jobs"
	"huizhi/internal/ocr/routing"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/tenants"
)

// Batches is what photos needs of the batches that pictures belong to. Package
// orders implements it.
type Batches interface {
	// TypeOf returns the batch's receipt type, or a NotFound error when the
	// tenant has no such batch.
	TypeOf(ctx context.Context, sc tenants.Scope, batchID string) (typeID int, err error)
	// Marked tells whether cards with people's codes may lie among the batch's
	// pictures.
	Marked(ctx context.Context, sc tenants.Scope, batchID string) (bool, error)
	// MarkersFound is called in the transaction that has found cards among pictures
	// that were sorted before.
	MarkersFound(ctx context.Context, tx bun.Tx, sc tenants.Scope, batchID string) error
	// PictureStored is called in the transaction that stores a picture. It
	// counts the picture as pending and returns its place in the batch.
	PictureStored(ctx context.Context, tx bun.Tx, sc tenants.Scope, batchID string) (seq int64, err error)
	// PictureSorted is called in the transaction that ends a picture's
	// processing, well or badly, once for each picture that PictureStored
	// counted. The reading is nil unless the picture is a card, and even then when
	// no engine was there to read it.
	PictureSorted(ctx context.Context, tx bun.Tx, sc tenants.Scope, pic *Picture, reading *Reading) error
	// PictureResorted is called in the transaction that sorts a picture once more,
	// for a person. A picture that an order uses by now is a Conflict.
	PictureResorted(ctx context.Context, tx bun.Tx, sc tenants.Scope, pic *Picture, reading *Reading) error
}

// Reader reads pictures for tenants. Package routing implements it.
type Reader interface {
	// Read has a picture read. ErrRemote means that this has to be done in the
	// queue for pictures that leave this system.
	Read(ctx context.Context, sc tenants.Scope, r routing.Request) (*routing.Result, error)
	// Record is called in the transaction that keeps a result, which may be nil.
	Record(ctx context.Context, tx bun.IDB, r *routing.Result) error
	// Forget deletes what was said about a picture that is being erased, and about
	// its content unless sha256 is empty.
	Forget(ctx context.Context, sc tenants.Scope, pictureID, sha256 string) error
}

// Config is what the service is made of.
type Config struct {
	DB      *db.DB
	Blobs   *blob.Store
	Jobs    jobs.Enqueuer
	OCR     Reader
	Batches Batches
	// Changed is called after a commit that changed what a batch's page shows.
	// It must not block; it may be nil.
	Changed func(sc tenants.Scope, batchID string)
	Log     *slog.Logger
}

// Service takes in, sorts and serves pictures.
type Service struct {
	Config
	pool   *imaging.Pool // decoding: as many as there are processors
	intake *imaging.Pool // files in memory while their headers are read
}

// maxIntake bounds the memory of intake at this many times imaging.MaxBytes.
const maxIntake = 4

// New makes the service.
func New(c Config) *Service {
	if c.Changed == nil {
		c.Changed = func(tenants.Scope, string) {}
	}
	return &Service{Config: c, pool: imaging.NewPool(runtime.GOMAXPROCS(0)), intake: imaging.NewPool(maxIntake)}
}
