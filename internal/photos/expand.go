package photos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/photos/archive"
	"huizhi/internal/tenants"
)

// expandStep is how long one job unpacks before it makes way for other archives,
// well below the time after which a job counts as stuck.
const expandStep = 40 * time.Second

// noteEvery is how often progress is written down. What a killed process did
// after the last note is done again, which changes nothing.
const noteEvery = time.Second

var errStepOver = errors.New("the rest is for the next job")

// expand unpacks the next part of an archive. Each file in it goes through the
// same intake as a file that was picked, under "folder/file.jpg".
func (s *Service) expand(ctx context.Context, j expandZip) error {
	sc := tenants.ForTenant(j.TenantID)
	a := new(Archive)
	err := s.DB.NewSelect().Model(a).ApplyQueryBuilder(sc.Where).Where("upload_id = ?", j.UploadID).Scan(ctx)
	if err != nil {
		return fmt.Errorf("cannot load the archive: %w", err)
	}
	if !a.Finished {
		err = s.unpack(ctx, sc, a)
	}
	if errors.Is(err, errStepOver) {
		return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			return s.Jobs.EnqueueTx(ctx, tx, j)
		})
	}
	if err != nil {
		return err
	}
	return s.Blobs.Delete(ctx, a.Key) // what was in it has been stored
}

// unpack goes on from a.Done. It returns nil when the archive is finished.
func (s *Service) unpack(ctx context.Context, sc tenants.Scope, a *Archive) error {
	file, err := s.Blobs.OpenFile(ctx, a.Key)
	if errors.Is(err, blob.ErrNotFound) {
		return s.endExpand(ctx, sc, a, nil, apperr.New(apperr.Invalid, "upload.problem.file_gone"))
	}
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("cannot open the archive: %w", err)
	}
	walk := func(fn func(archive.Entry, io.Reader) error) (archive.Report, error) {
		limits := archive.DefaultLimits()
		limits.TotalBytes -= a.Unpacked
		return archive.Walk(ctx, file, info.Size(), limits, fn)
	}
	if a.Entries == 0 {
		report, err := walk(func(archive.Entry, io.Reader) error { return nil })
		if err != nil {
			return s.endExpand(ctx, sc, a, nil, err)
		}
		if report.Read == 0 && len(report.Refused) == 0 {
			return s.endExpand(ctx, sc, a, nil, apperr.New(apperr.Invalid, "error.zip.empty"))
		}
		a.Entries = int64(report.Read)
		if err := s.note(ctx, sc, a); err != nil {
			return err
		}
	}
	start, noted, at := time.Now(), time.Now(), int64(0)
	report, err := walk(func(e archive.Entry, r io.Reader) error {
		if at++; at <= a.Done {
			return nil
		}
		if time.Since(start) > expandStep {
			return errStepOver
		}
		counted := &countingReader{Reader: r}
		err := s.storeEntry(ctx, sc, a.BatchID, e, counted)
		if counted.err == nil && err != nil {
			return err
		}
		a.Done, a.Unpacked = at, a.Unpacked+counted.n
		if time.Since(noted) > noteEvery {
			noted = time.Now()
			if err := s.note(ctx, sc, a); err != nil {
				return err
			}
		}
		return counted.err
	})
	if errors.Is(err, errStepOver) {
		return errors.Join(s.note(ctx, sc, a), err)
	}
	return s.endExpand(ctx, sc, a, report.Refused, err)
}

func (s *Service) storeEntry(ctx context.Context, sc tenants.Scope, batchID string, e archive.Entry, r io.Reader) error {
	body, head, err := peek(r)
	if err != nil {
		return err
	}
	_, err = s.storeFile(ctx, sc, newUpload(sc, batchID, path.Join(e.Folder, e.Name)), body, head)
	return err
}

func (s *Service) note(ctx context.Context, sc tenants.Scope, a *Archive) error {
	a.UpdatedAt = db.Now()
	if _, err := s.DB.NewUpdate().Model(a).Column("entries", "done", "unpacked", "updated_at").WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("cannot note how far the archive is unpacked: %w", err)
	}
	s.Changed(sc, a.BatchID)
	return nil
}

// endExpand records the refused files, and that the archive is finished. An
// archive that is damaged or too large as a whole becomes a refused upload
// itself; what came out of it before stays. Other failures leave it as it was.
func (s *Service) endExpand(ctx context.Context, sc tenants.Scope, a *Archive, refused []archive.Refused, failure error) error {
	var whole *apperr.Error
	if kind := apperr.KindOf(failure); kind == apperr.Invalid || kind == apperr.TooLarge {
		errors.As(failure, &whole)
	} else if failure != nil {
		return fmt.Errorf("cannot unpack the archive: %w", failure)
	}
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		ups := make([]*Upload, len(refused))
		for i, r := range refused {
			// What was not read has no hash: it is known by its name alone.
			ups[i] = newUpload(sc, a.BatchID, path.Join(r.Entry.Folder, r.Entry.Name))
			ups[i].Size = r.Entry.Size
			ups[i].Outcome, ups[i].ReasonKey, ups[i].ReasonArgs = OutcomeRefused, r.Err.Key, r.Err.Args
		}
		if err := insertUploads(ctx, tx, ups); err != nil {
			return err
		}
		if whole != nil {
			up := &Upload{TenantID: a.TenantID, ID: a.UploadID, Outcome: OutcomeRefused, ReasonKey: whole.Key, ReasonArgs: whole.Args}
			if _, err := tx.NewUpdate().Model(up).Column("outcome", "reason_key", "reason_args").WherePK().Exec(ctx); err != nil {
				return err
			}
		}
		a.Finished, a.UpdatedAt = true, db.Now()
		_, err := tx.NewUpdate().Model(a).Column("done", "unpacked", "finished", "updated_at").WherePK().Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot finish the archive: %w", err)
	}
	s.Changed(sc, a.BatchID)
	return nil
}

// countingReader counts what was read and keeps the error that ended it, so that
// a bad file in the archive is told from a failure of ours.
type countingReader struct {
	io.Reader
	n   int64
	err error
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}
