package classes

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/exportjobs"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

// Kind names the exports of this package in exportjobs; their subject is the roster.
const Kind = "classes"

// Export is one that was asked for.
type Export = exportjobs.Of[Request]

// Start has an export made, and notes who takes the photos out. An empty or too large
// one is Invalid.
func (s *Service) Start(ctx context.Context, sc tenants.Scope, r Request, actor string) (*Export, error) {
	if _, err := s.Rosters.Get(ctx, sc, r.RosterID); err != nil {
		return nil, err
	}
	if _, err := r.check(); err != nil { // it also settles what a preset leaves no choice of
		return nil, err
	}
	p, err := s.Preview(ctx, sc, r)
	switch {
	case err != nil:
		return nil, err
	case p.Named == 0:
		return nil, apperr.Field("state", "error.board.empty")
	case p.People > maxPeople:
		return nil, apperr.Field("state", "error.board.people", "max", maxPeople)
	case r.Photos == Original && p.Bytes > maxBytes:
		return nil, apperr.Field("photos", "error.board.bytes", "max", maxBytes>>30)
	}
	now := s.now()
	e := &Export{Export: exportjobs.Export{Owner: sc.TenantID(), Kind: Kind, Subject: r.RosterID, UserID: actor, RowsTotal: p.People}, Request: r}
	err = s.Exports.Start(ctx, &e.Export, r, now, func(ctx context.Context, tx bun.Tx) error {
		return tenants.Audit(ctx, tx, sc, actor, "roster.export_photos", "roster", r.RosterID, now)
	})
	return e, err
}

// History lists the last exports of a roster, the newest first.
func (s *Service) History(ctx context.Context, sc tenants.Scope, rosterID string) ([]Export, error) {
	list, err := s.Exports.Recent(ctx, sc.TenantID(), Kind, rosterID)
	if err != nil {
		return nil, err
	}
	return exportjobs.ReadAll[Request](list)
}

// Open opens the archive of an export, or its index, and notes who takes it; NotFound
// when there is none or it has expired.
func (s *Service) Open(ctx context.Context, sc tenants.Scope, rosterID, id string, index bool, actor string) (*Export, *blob.Reader, error) {
	now := s.now()
	e, file, err := s.Exports.Open(ctx, sc.TenantID(), Kind, id, index, now)
	if err != nil {
		return nil, nil, err
	}
	out, err := exportjobs.Read[Request](e)
	if err == nil && e.Subject != rosterID {
		err = apperr.New(apperr.NotFound, "error.exports.none")
	}
	if err == nil {
		err = tenants.Audit(ctx, s.DB, sc, actor, "roster.export_download", "export", id, now)
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return out, file, nil
}

// ExportKey puts a name into the owner's part of the blob store.
func (s *Service) ExportKey(e *exportjobs.Export, name string) string {
	return tenants.ForTenant(e.Owner).BlobKey(name)
}

// MakeExport writes the archive, a photo in memory at a time, and beside it the index.
// An archive that may hold other things than photos has the index, too.
func (s *Service) MakeExport(ctx context.Context, e *exportjobs.Export, out exportjobs.Output) error {
	read, err := exportjobs.Read[Request](e)
	if err != nil {
		return err
	}
	sc, r := tenants.ForTenant(e.Owner), read.Request
	var table bytes.Buffer
	ix, err := newIndex(ctx, &table)
	if err != nil {
		return err
	}
	archive := zip.NewWriter(out.File)
	e.RowsLeft = 0
	err = s.walk(ctx, sc, r, func(entry *Entry) error {
		out.Tick()
		size := int64(0)
		if entry.Left == "" {
			file, err := s.photo(ctx, sc, r.Photos, entry)
			if err != nil {
				return err
			}
			if file != nil {
				if size, err = add(archive, entry.Path, e.CreatedAt, file); err != nil {
					return err
				}
			}
		}
		if entry.Left != "" {
			e.RowsLeft++
		}
		return ix.add(ctx, entry, size)
	})
	if cerr := ix.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if _, strict := r.Photos.Preset(); !strict {
		if _, err := add(archive, i18n.T(ctx, "board.index")+".xlsx", e.CreatedAt, io.NopCloser(bytes.NewReader(table.Bytes()))); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("cannot finish the archive: %w", err)
	}
	if _, err := table.WriteTo(out.Side); err != nil {
		return fmt.Errorf("cannot keep the index: %w", err)
	}
	return nil
}

// add stores a file in the archive and returns its size; JPEG is compressed already.
func add(archive *zip.Writer, path string, at time.Time, file io.ReadCloser) (int64, error) {
	defer file.Close()
	into, err := archive.CreateHeader(&zip.FileHeader{Name: path, Method: zip.Store, Modified: at})
	if err != nil {
		return 0, fmt.Errorf("cannot begin a file of the archive: %w", err)
	}
	n, err := io.Copy(into, file)
	if err != nil {
		return 0, fmt.Errorf("cannot copy a photo: %w", err)
	}
	return n, nil
}

// photo opens the file of an entry. Where there is none to be had it is nil, and the
// entry says why it is left out.
func (s *Service) photo(ctx context.Context, sc tenants.Scope, kind Photos, e *Entry) (io.ReadCloser, error) {
	if preset, ok := kind.Preset(); ok {
		return s.fitted(ctx, sc, preset, e)
	}
	key := e.PhotoOriginal
	if kind == Finished {
		key = e.PhotoWorking
	}
	if key == "" {
		e.Left = i18n.T(ctx, "board.left.unfinished")
		return nil, nil
	}
	r, err := s.Photos.Blobs.NewReader(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		e.Left = i18n.T(ctx, "board.left.gone")
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open a photo: %w", err)
	}
	return r, nil
}

// tolerance of a size in pixels: edges are rounded.
const tolerance = 1.005

// fitted cuts a photo to the preset. One that would have to be enlarged, or whose file
// does not get into the range of bytes, is left out.
func (s *Service) fitted(ctx context.Context, sc tenants.Scope, p Preset, e *Entry) (io.ReadCloser, error) {
	made, err := s.Photos.Fit(ctx, e.Picture(sc), p.Spec)
	var known *apperr.Error
	if errors.As(err, &known) {
		e.Left = i18n.T(ctx, known.Key, known.Args...)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	switch size, length := made.Crop.Size(), float64(len(made.JPEG)); {
	case made.Metrics.Enlarged > tolerance:
		e.Left = i18n.T(ctx, "board.left.small", "width", size.X, "height", size.Y, "want_width", p.Spec.Width, "want_height", p.Spec.Height)
	case length < p.Spec.FileBytes.Min:
		e.Left = i18n.T(ctx, "board.left.light", "kb", len(made.JPEG)/kB, "min", int(p.Spec.FileBytes.Min)/kB)
	case p.Spec.FileBytes.Max > 0 && length > p.Spec.FileBytes.Max:
		e.Left = i18n.T(ctx, "board.left.heavy", "kb", len(made.JPEG)/kB, "max", (int(p.Spec.FileBytes.Max)+1)/kB)
	default:
		if made.Metrics.Faces == 0 {
			e.note(i18n.T(ctx, "board.note.no_face"))
		}
		return io.NopCloser(bytes.NewReader(made.JPEG)), nil
	}
	return nil, nil
}

// note adds to what there is to know.
func (e *Entry) note(text string) {
	if e.Note != "" {
		text = e.Note + " " + text
	}
	e.Note = text
}
