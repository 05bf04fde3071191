// Package exportjobs makes files in the background that take longer than a browser
// waits, keeps them for some days, and remembers who asked for what. What is in them
// is their kind's: package billing/exports makes tables and documents of money,
// package classes the photos of a school.
//
// A file is made by a job, so that it is finished whether or not somebody looks on,
// and from the start again when the process was killed.
package exportjobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/jobs"
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
	queue   = "exports"
	workers = 2 // a school's photos do not keep a month's table waiting
	tries   = 3
	// longest bounds one try: some thousand photos, each cut and encoded anew.
	longest     = 20 * time.Minute
	progressGap = time.Second
	listSize    = 20
	// MaxBytes is the largest file.
	MaxBytes = 4 << 30
)

// Export is a file that is made in the background. It is its owner's: a tenant's or
// the platform's.
type Export struct {
	bun.BaseModel `bun:"table:exports,alias:export"`
	Owner         string `bun:",pk"`
	ID            string `bun:",pk"`
	Kind          string
	Subject       string          // what it is about, as the kind says: a roster's id
	UserID        string          // who asked
	Request       json.RawMessage `bun:"type:jsonb"` // as the kind says
	Language      i18n.Language
	State         State
	RowsTotal     int64
	RowsDone      int64
	RowsLeft      int64 // left out, each with its reason in the file's index
	FileKey       string
	Size          int64  // bytes
	SideKey       string // a second file: the index of an archive that may hold nothing else; "" if there is none
	SideSize      int64  // bytes
	Problem       string // catalogue key, when it failed
	CreatedAt     time.Time
	FinishedAt    *time.Time
	ExpiresAt     *time.Time
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*Export)(nil)}

// Of is an export with its request, as its kind says it.
type Of[R any] struct {
	Export
	Request R
}

// Read reads the request of an export.
func Read[R any](e *Export) (*Of[R], error) {
	out := &Of[R]{Export: *e}
	if err := json.Unmarshal(e.Request, &out.Request); err != nil {
		return nil, fmt.Errorf("cannot read the request of an export: %w", err)
	}
	return out, nil
}

// ReadAll is Read for a list.
func ReadAll[R any](list []Export) ([]Of[R], error) {
	out := make([]Of[R], len(list))
	for i := range list {
		e, err := Read[R](&list[i])
		if err != nil {
			return nil, err
		}
		out[i] = *e
	}
	return out, nil
}

// Going tells that it is not finished.
func (e *Export) Going() bool { return e.State == Waiting || e.State == Running }

// There tells that its file can be downloaded.
func (e *Export) There(now time.Time) bool { return e.State == Done && now.Before(*e.ExpiresAt) }

// Output is where a Maker writes.
type Output struct {
	File io.Writer
	Side io.Writer // nothing written: there is no second file
	Tick func()    // is told of every row
}

// Maker makes the files of a kind.
type Maker interface {
	// MakeExport writes the file of an export from its beginning. It may set RowsLeft.
	// An apperr says what is wrong with the request and ends the export; any other
	// error is tried again.
	MakeExport(ctx context.Context, e *Export, out Output) error
	// ExportKey puts a name into the owner's part of the blob store.
	ExportKey(e *Export, name string) string
}

// Service makes and keeps exports.
type Service struct {
	DB    *db.DB
	Blobs *blob.Store
	Jobs  jobs.Enqueuer
	kinds map[string]Maker
}

// New makes the service; it makes nothing before Handle has named the kinds.
func New(d *db.DB, blobs *blob.Store, q jobs.Enqueuer) *Service {
	return &Service{DB: d, Blobs: blobs, Jobs: q, kinds: map[string]Maker{}}
}

// Handle says who makes the exports of a kind.
func (s *Service) Handle(kind string, m Maker) { s.kinds[kind] = m }

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
	jobs.HandleLong(q, longest, func(ctx context.Context, a makeArgs) error { return s.Make(ctx, a.Owner, a.ID, db.Now()) })
	q.AddLoop("exports expired", time.Hour, func(ctx context.Context) (time.Duration, error) { return 0, s.Expire(ctx, db.Now()) })
}

// Start puts an export into the queue, in a transaction that does also, such as the
// note in the audit trail; also may be nil. The caller has filled in Owner, Kind,
// Subject, UserID and RowsTotal.
func (s *Service) Start(ctx context.Context, e *Export, request any, now time.Time, also func(context.Context, bun.Tx) error) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("cannot write down the request: %w", err)
	}
	e.ID, e.Request, e.Language, e.State, e.CreatedAt = db.NewID(), body, i18n.Lang(ctx), Waiting, now
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(e).Exec(ctx); err != nil {
			return fmt.Errorf("cannot note the export: %w", err)
		}
		if also != nil {
			if err := also(ctx, tx); err != nil {
				return err
			}
		}
		return s.Jobs.EnqueueTx(ctx, tx, makeArgs{e.Owner, e.ID})
	})
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
	err = s.makeFiles(i18n.WithLang(ctx, e.Language), e, now)
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

func (s *Service) makeFiles(ctx context.Context, e *Export, now time.Time) error {
	maker := s.kinds[e.Kind]
	if maker == nil {
		return fmt.Errorf("nobody makes exports of the kind %s", e.Kind)
	}
	file, err := newTemp()
	if err != nil {
		return err
	}
	defer file.remove()
	side, err := newTemp()
	if err != nil {
		return err
	}
	defer side.remove()
	done, noted := int64(0), time.Now()
	var noteErr error
	err = maker.MakeExport(ctx, e, Output{File: file, Side: side, Tick: func() {
		if done++; time.Since(noted) > progressGap && noteErr == nil {
			noted, noteErr = time.Now(), s.update(ctx, e, "rows_done = ?", done)
		}
	}})
	if err = errors.Join(err, noteErr); err != nil {
		return err
	}
	// Under the export's own name, so that none takes away another's file.
	kept, err := file.keep(ctx, s.Blobs, maker.ExportKey(e, "exports/"+e.ID))
	if err != nil {
		return err
	}
	var beside blob.Stored
	if side.written {
		if beside, err = side.keep(ctx, s.Blobs, maker.ExportKey(e, "exports/"+e.ID)); err != nil {
			return err
		}
	}
	return s.update(ctx, e, "state = ?, rows_done = ?, rows_left = ?, file_key = ?, size = ?, side_key = ?, side_size = ?, finished_at = ?, expires_at = ?",
		Done, done, e.RowsLeft, kept.Key, kept.Size, beside.Key, beside.Size, now, now.Add(Keep))
}

// temp is a file of ours until it is kept.
type temp struct {
	*os.File
	written bool
}

func newTemp() (*temp, error) {
	f, err := os.CreateTemp("", "huizhi-export-*")
	if err != nil {
		return nil, fmt.Errorf("cannot make the file of the export: %w", err)
	}
	return &temp{File: f}, nil
}

// Write notes that there is something in the file.
func (t *temp) Write(p []byte) (int, error) {
	t.written = true
	return t.File.Write(p)
}

func (t *temp) keep(ctx context.Context, blobs *blob.Store, folder string) (blob.Stored, error) {
	if _, err := t.Seek(0, io.SeekStart); err != nil {
		return blob.Stored{}, fmt.Errorf("cannot read the file of the export: %w", err)
	}
	kept, err := blobs.PutSHA256(ctx, folder, t.File, MaxBytes)
	if err != nil {
		return kept, fmt.Errorf("cannot keep the export: %w", err)
	}
	return kept, nil
}

func (t *temp) remove() {
	t.Close()
	os.Remove(t.Name())
}

func (s *Service) update(ctx context.Context, e *Export, set string, args ...any) error {
	_, err := s.DB.NewUpdate().Model((*Export)(nil)).Set(set, args...).Where("owner = ? AND id = ?", e.Owner, e.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot note how far the export is: %w", err)
	}
	return nil
}

func errNone() error { return apperr.New(apperr.NotFound, "error.exports.none") }
func errGone() error { return apperr.New(apperr.NotFound, "error.exports.gone") }

func (s *Service) load(ctx context.Context, owner, id string) (*Export, error) {
	e := new(Export)
	err := s.DB.NewSelect().Model(e).Where("owner = ? AND id = ?", owner, id).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, errNone()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the export: %w", err)
	}
	return e, nil
}

// Get loads an export of a kind.
func (s *Service) Get(ctx context.Context, owner, kind, id string) (*Export, error) {
	e, err := s.load(ctx, owner, id)
	if err == nil && e.Kind != kind {
		return nil, errNone()
	}
	return e, err
}

// Recent lists the last exports of a kind, the newest first; those about one subject
// unless it is "".
func (s *Service) Recent(ctx context.Context, owner, kind, subject string) ([]Export, error) {
	var out []Export
	q := s.DB.NewSelect().Model(&out).Where("owner = ? AND kind = ?", owner, kind).Order("id DESC").Limit(listSize)
	if subject != "" {
		q = q.Where("subject = ?", subject)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the exports: %w", err)
	}
	return out, nil
}

// Open opens the file of an export, or with side its second file; NotFound when
// there is none or it has expired.
func (s *Service) Open(ctx context.Context, owner, kind, id string, side bool, now time.Time) (*Export, *blob.Reader, error) {
	e, err := s.Get(ctx, owner, kind, id)
	if err != nil {
		return nil, nil, err
	}
	key := e.FileKey
	if side {
		key = e.SideKey
	}
	if key == "" || !e.There(now) {
		return nil, nil, errGone()
	}
	r, err := s.Blobs.NewReader(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, nil, errGone()
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
		for _, key := range []string{over[i].FileKey, over[i].SideKey} {
			if key == "" {
				continue
			}
			if err := s.Blobs.Delete(ctx, key); err != nil {
				return err
			}
		}
		if err := s.update(ctx, &over[i], "state = ?, file_key = '', side_key = ''", Expired); err != nil {
			return err
		}
	}
	return nil
}
