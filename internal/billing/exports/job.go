package exports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/jobs"
	"huizhi/internal/tenants"
)

// State is how far an export has come.
type State string

// The states.
const (
	Waiting State = "waiting"
	Running State = "running"
	Done    State = "done"
	Failed  State = "failed"
	Expired State = "expired" // its file is gone
)

// Keep is how long a file can be downloaded.
const Keep = 7 * 24 * time.Hour

const (
	queue       = "exports"
	workers     = 1 // one is enough to keep a disk busy
	tries       = 3
	progressGap = time.Second
	listSize    = 10
	maxBytes    = 4 << 30
)

// Export is one that is made in the background. It is its owner's: a tenant's or
// the platform's.
type Export struct {
	bun.BaseModel `bun:"table:exports,alias:export"`
	Owner         string  `bun:",pk"`
	ID            string  `bun:",pk"`
	UserID        string  // who asked
	Request       Request `bun:"type:jsonb"`
	Language      i18n.Language
	State         State
	RowsTotal     int64
	RowsDone      int64
	FileKey       string
	Size          int64  // bytes
	Problem       string // catalogue key, when it failed
	CreatedAt     time.Time
	FinishedAt    *time.Time
	ExpiresAt     *time.Time
}

// Going tells that it is not finished.
func (e *Export) Going() bool { return e.State == Waiting || e.State == Running }

type makeArgs struct {
	Owner string `json:"owner"`
	ID    string `json:"id"`
}

func (makeArgs) Kind() string { return "export" }
func (makeArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue, MaxAttempts: tries}
}

// Register declares the job, and the loop that takes away what has expired.
func (s *Service) Register(q *jobs.Queue) {
	q.AddQueue(queue, workers)
	jobs.Handle(q, func(ctx context.Context, a makeArgs) error { return s.Make(ctx, a.Owner, a.ID, db.Now()) })
	q.AddLoop("exports expired", time.Hour, func(ctx context.Context) (time.Duration, error) { return 0, s.Expire(ctx, db.Now()) })
}

// Start puts an export into the queue. An empty or too large one is Invalid.
func (s *Service) Start(ctx context.Context, p Party, r Request, now time.Time) (*Export, error) {
	size, err := s.sized(ctx, p, r, now)
	if err != nil {
		return nil, err
	}
	e := &Export{Owner: p.Books.Owner(), ID: db.NewID(), UserID: p.UserID, Request: r, Language: i18n.Lang(ctx), State: Waiting, RowsTotal: size.Rows, CreatedAt: now}
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(e).Exec(ctx); err != nil {
			return fmt.Errorf("cannot note the export: %w", err)
		}
		return s.Jobs.EnqueueTx(ctx, tx, makeArgs{e.Owner, e.ID})
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Now checks that a small export can be made while the browser waits; the caller
// goes on with Write.
func (s *Service) Now(ctx context.Context, p Party, r Request, now time.Time) (atOnce bool, err error) {
	size, err := s.sized(ctx, p, r, now)
	if err != nil {
		return false, err
	}
	return size.AtOnce, nil
}

// party is who asked for the export.
func (e *Export) party() Party {
	if e.Owner == billing.Platform {
		return Staff(tenants.AllTenants("an export that the platform's finance staff asked for"), e.UserID)
	}
	return Member(tenants.ForTenant(e.Owner), e.UserID)
}

// Make makes the file of an export. Doing it again after it was done changes
// nothing; what a killed process had begun is made from the start.
func (s *Service) Make(ctx context.Context, owner, id string, now time.Time) error {
	e, err := s.load(ctx, owner, id)
	if err != nil || !e.Going() {
		return err
	}
	if err := s.update(ctx, e, "state = ?, rows_done = 0", Running); err != nil {
		return err
	}
	err = s.makeFile(i18n.WithLang(ctx, e.Language), e, now)
	if err == nil {
		return nil
	}
	problem := "error.internal"
	var known *apperr.Error
	if errors.As(err, &known) {
		problem = known.Key
	} else if !jobs.LastTry(ctx) {
		return err
	}
	// The context may be what ended.
	if uerr := s.update(context.WithoutCancel(ctx), e, "state = ?, problem = ?, finished_at = ?", Failed, problem, now); uerr != nil {
		return errors.Join(err, uerr)
	}
	if known != nil {
		return nil // trying again would end the same
	}
	return err
}

func (s *Service) makeFile(ctx context.Context, e *Export, now time.Time) error {
	file, err := os.CreateTemp("", "huizhi-export-*")
	if err != nil {
		return fmt.Errorf("cannot make the file of the export: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	done, noted := int64(0), time.Now()
	var noteErr error
	err = s.Write(ctx, e.party(), e.Request, e.CreatedAt, file, func() {
		if done++; time.Since(noted) > progressGap && noteErr == nil {
			noted, noteErr = time.Now(), s.update(ctx, e, "rows_done = ?", done)
		}
	})
	if err = errors.Join(err, noteErr); err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("cannot read the file of the export: %w", err)
	}
	// Under the export's own name, so that none takes away another's file.
	stored, err := s.Blobs.PutSHA256(ctx, e.party().Books.BlobKey("exports/"+e.ID), file, maxBytes)
	if err != nil {
		return fmt.Errorf("cannot keep the export: %w", err)
	}
	return s.update(ctx, e, "state = ?, rows_done = ?, file_key = ?, size = ?, finished_at = ?, expires_at = ?", Done, done, stored.Key, stored.Size, now, now.Add(Keep))
}

func (s *Service) update(ctx context.Context, e *Export, set string, args ...any) error {
	_, err := s.DB.NewUpdate().Model((*Export)(nil)).Set(set, args...).Where("owner = ? AND id = ?", e.Owner, e.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot note how far the export is: %w", err)
	}
	return nil
}

func (s *Service) load(ctx context.Context, owner, id string) (*Export, error) {
	e := new(Export)
	err := s.DB.NewSelect().Model(e).Where("owner = ? AND id = ?", owner, id).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.exports.none")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the export: %w", err)
	}
	return e, nil
}

// Recent lists the party's last exports, the newest first.
func (s *Service) Recent(ctx context.Context, p Party) ([]Export, error) {
	var out []Export
	if err := s.DB.NewSelect().Model(&out).Where("owner = ?", p.Books.Owner()).Order("id DESC").Limit(listSize).Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the exports: %w", err)
	}
	return out, nil
}

// Open opens the file of an export; NotFound when there is none or it has expired.
func (s *Service) Open(ctx context.Context, p Party, id string, now time.Time) (*Export, *blob.Reader, error) {
	e, err := s.load(ctx, p.Books.Owner(), id)
	if err != nil {
		return nil, nil, err
	}
	if e.State != Done || now.After(*e.ExpiresAt) {
		return nil, nil, apperr.New(apperr.NotFound, "error.exports.gone")
	}
	r, err := s.Blobs.NewReader(ctx, e.FileKey)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, nil, apperr.New(apperr.NotFound, "error.exports.gone")
	}
	return e, r, err
}

// Expire takes the files away whose time is over.
func (s *Service) Expire(ctx context.Context, now time.Time) error {
	var over []Export
	if err := s.DB.NewSelect().Model(&over).Where("state = ? AND expires_at < ?", Done, now).Limit(1000).Scan(ctx); err != nil {
		return fmt.Errorf("cannot find the exports that have expired: %w", err)
	}
	for i := range over {
		if err := s.Blobs.Delete(ctx, over[i].FileKey); err != nil {
			return err
		}
		if err := s.update(ctx, &over[i], "state = ?, file_key = ''", Expired); err != nil {
			return err
		}
	}
	return nil
}
