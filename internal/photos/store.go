package photos

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/tenants"
)

// MaxArchiveBytes is the largest ZIP that is taken.
const MaxArchiveBytes = 4 << 30

// maxNameBytes bounds what a file's name with its folders may take.
const maxNameBytes = 480

// Store takes in one file: it reads r to its end, keeps an image under its
// SHA-256 and a ZIP for unpacking, and records the outcome. A refused file is
// an outcome. When Store returns without error, the outcome is committed.
//
// The same name and content again is the same upload: what was recorded first is
// returned and nothing is counted twice.
func (s *Service) Store(ctx context.Context, sc tenants.Scope, batchID, name string, r io.Reader) (*Upload, error) {
	if _, err := s.Batches.TypeOf(ctx, sc, batchID); err != nil {
		return nil, err
	}
	up := newUpload(sc, batchID, name)
	body, head, err := peek(r)
	if err != nil {
		return nil, err
	}
	if imaging.Sniff(head) == imaging.ZIP && !isDocument(head) {
		return s.storeArchive(ctx, sc, up, body)
	}
	return s.storeFile(ctx, sc, up, body, head)
}

// peek returns the first bytes of r, and a reader of all of it.
func peek(r io.Reader) (body io.Reader, head []byte, err error) {
	buffered := bufio.NewReaderSize(r, 32<<10)
	head, err = buffered.Peek(imaging.SniffLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("cannot read the upload: %w", err)
	}
	return buffered, head, nil
}

// isDocument tells Office and e-book files from other ZIP files by their first
// entry, whose name is at byte 30.
func isDocument(head []byte) bool {
	for _, first := range []string{"[Content_Types].xml", "_rels/", "mimetype"} {
		if len(head) > 30 && bytes.HasPrefix(head[30:], []byte(first)) {
			return true
		}
	}
	return false
}

// storeFile takes a file that is an image or nothing.
func (s *Service) storeFile(ctx context.Context, sc tenants.Scope, up *Upload, body io.Reader, head []byte) (*Upload, error) {
	switch format := imaging.Sniff(head); {
	case format.Decodable():
		return s.storeImage(ctx, sc, up, body)
	case format == imaging.ZIP:
		return s.refuseUnkept(ctx, sc, up, body, apperr.New(apperr.Invalid, "error.file.not_image"))
	default:
		_, reason := imaging.Inspect(head)
		return s.refuseUnkept(ctx, sc, up, body, reason)
	}
}

func newUpload(sc tenants.Scope, batchID, name string) *Upload {
	return &Upload{TenantID: sc.TenantID(), ID: db.NewID(), BatchID: batchID, Name: cleanName(name), CreatedAt: db.Now()}
}

// storeImage keeps the bytes first and then records them: a crash in between
// leaves bytes that nothing refers to, never a record without its bytes.
func (s *Service) storeImage(ctx context.Context, sc tenants.Scope, up *Upload, r io.Reader) (*Upload, error) {
	kept, err := s.Blobs.PutSHA256(ctx, sc.BlobKey("originals"), r, imaging.MaxBytes)
	if errors.Is(err, blob.ErrTooLarge) {
		up.refuseSize(imaging.MaxBytes)
		return s.record(ctx, sc, up, nil)
	}
	if err != nil {
		return nil, err
	}
	up.SHA256, up.Size = kept.SHA256, kept.Size
	info, err := s.inspect(ctx, kept.Key)
	if refused := up.refuse(err); refused {
		if !kept.Existed {
			if err := s.Blobs.Delete(ctx, kept.Key); err != nil {
				return nil, err
			}
		}
		return s.record(ctx, sc, up, nil)
	}
	if err != nil {
		return nil, err
	}
	pic := &Picture{
		TenantID: sc.TenantID(), ID: db.NewID(), BatchID: up.BatchID, Name: up.Name, PairKey: PairKey(up.Name),
		SHA256: up.SHA256, Size: up.Size, OriginalKey: kept.Key, State: StateNew, Kind: KindUnknown,
		Format: string(info.Format), Width: info.Width, Height: info.Height, TakenAt: takenAt(info), CreatedAt: up.CreatedAt,
	}
	return s.record(ctx, sc, up, func(ctx context.Context, tx bun.Tx) error {
		return s.addPicture(ctx, tx, sc, up, pic)
	})
}

// takenAt is when the camera says that it was; nil if it does not.
func takenAt(info imaging.Info) *time.Time {
	if info.Taken.IsZero() {
		return nil
	}
	return &info.Taken
}

// inspect holds a whole file in memory, so it takes a place in the pool.
func (s *Service) inspect(ctx context.Context, key string) (info imaging.Info, err error) {
	err = s.intake.Do(ctx, func() error {
		data, err := s.Blobs.Get(ctx, key)
		if err == nil {
			info, err = imaging.Inspect(data)
		}
		return err
	})
	return info, err
}

// refuseUnkept records a file that is refused by its first bytes. The rest is
// read for its hash and thrown away.
func (s *Service) refuseUnkept(ctx context.Context, sc tenants.Scope, up *Upload, r io.Reader, reason error) (*Upload, error) {
	hash := sha256.New()
	n, err := io.Copy(hash, io.LimitReader(r, imaging.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the upload: %w", err)
	}
	if n > imaging.MaxBytes {
		up.refuseSize(imaging.MaxBytes)
		return s.record(ctx, sc, up, nil)
	}
	up.SHA256, up.Size = hex.EncodeToString(hash.Sum(nil)), n
	if !up.refuse(reason) {
		return nil, fmt.Errorf("cannot take the upload: %w", reason)
	}
	return s.record(ctx, sc, up, nil)
}

// refuse makes a refusal of an error that is meant for the person who uploaded.
func (u *Upload) refuse(err error) bool {
	var e *apperr.Error
	if !errors.As(err, &e) || e.Kind != apperr.Invalid {
		return false
	}
	u.Outcome, u.ReasonKey, u.ReasonArgs = OutcomeRefused, e.Key, e.Args
	return true
}

// refuseSize refuses a file of which no more was read than shows that it is too
// large. It is known by its name alone.
func (u *Upload) refuseSize(limit int64) {
	u.SHA256 = ""
	u.Size = max(u.Size, limit+1)
	u.Outcome, u.ReasonKey, u.ReasonArgs = OutcomeRefused, "error.file.too_large", Args{"limit", limit >> 20}
}

// record writes the outcome in one transaction and returns what counts: this
// one, or the one that was recorded before for the same name and content. add
// inserts what the upload brings, if anything, and so decides its outcome.
//
// Two uploads of the same content at once meet at the unique index of what they
// add: one is stored, and the other, which the database lets wait for the first
// one's commit, is its duplicate.
func (s *Service) record(ctx context.Context, sc tenants.Scope, up *Upload, add func(context.Context, bun.Tx) error) (*Upload, error) {
	var known *Upload
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) (err error) {
		if known, err = findUpload(ctx, tx, sc, up); err != nil || known != nil {
			return err
		}
		if add != nil {
			if err := add(ctx, tx); err != nil {
				return err
			}
		}
		known, err = insertUpload(ctx, tx, sc, up)
		if err == nil && known != nil && (up.Outcome == OutcomeStored || up.Outcome == OutcomeArchive) {
			err = errors.New("what it adds would not be counted")
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot record the upload: %w", err)
	}
	if known != nil {
		return known, nil
	}
	up.New = true
	s.Changed(sc, up.BatchID)
	return up, nil
}

// addPicture inserts the picture with its place and its job, or makes the upload
// a duplicate of the one that has the content.
func (s *Service) addPicture(ctx context.Context, tx bun.Tx, sc tenants.Scope, up *Upload, pic *Picture) error {
	conflict, same := "CONFLICT (tenant_id, batch_id, sha256) WHERE NOT fetched AND customer_id IS NULL DO NOTHING", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("batch_id = ? AND sha256 = ? AND NOT fetched AND customer_id IS NULL", up.BatchID, up.SHA256)
	}
	if pic.CustomerID != nil { // customers may bring the same picture: a couple, one phone
		conflict, same = "CONFLICT (tenant_id, customer_id, sha256) WHERE customer_id IS NOT NULL DO NOTHING", pic.sameOfCustomer
	}
	res, err := tx.NewInsert().Model(pic).On(conflict).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot insert the picture: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		var first string
		err := tx.NewSelect().Model((*Picture)(nil)).Column("name").ApplyQueryBuilder(sc.Where).Apply(same).Scan(ctx, &first)
		if err != nil {
			return fmt.Errorf("cannot find the picture with the same content: %w", err)
		}
		up.duplicateOf(first)
		return nil
	}
	if pic.Seq, err = s.Batches.PictureStored(ctx, tx, sc, up.BatchID); err != nil {
		return err
	}
	if _, err := tx.NewUpdate().Model(pic).Column("seq").WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("cannot place the picture: %w", err)
	}
	up.Outcome = OutcomeStored
	return s.Jobs.EnqueueTx(ctx, tx, processPicture{TenantID: sc.TenantID(), PictureID: pic.ID, place: pic.Seq})
}

func (u *Upload) duplicateOf(name string) {
	u.Outcome, u.ReasonKey, u.ReasonArgs = OutcomeDuplicate, "upload.duplicate_of", Args{"name", name}
}

// findUpload returns the recorded upload with the name and content, or nil.
func findUpload(ctx context.Context, tx bun.IDB, sc tenants.Scope, like *Upload) (*Upload, error) {
	found := new(Upload)
	err := tx.NewSelect().Model(found).ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND sha256 = ? AND name = ?", like.BatchID, like.SHA256, like.Name).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot look the upload up: %w", err)
	}
	return found, nil
}

// insertUpload returns nil, or the row that another request inserted meanwhile.
func insertUpload(ctx context.Context, tx bun.IDB, sc tenants.Scope, up *Upload) (*Upload, error) {
	res, err := tx.NewInsert().Model(up).On("CONFLICT (tenant_id, batch_id, sha256, name) DO NOTHING").Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot insert the upload: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return nil, err
	}
	return findUpload(ctx, tx, sc, up)
}

// cleanName brings a name from a browser or a ZIP into one form: NFC (macOS
// sends NFD), slashes, no control characters, nothing that leads out of a
// folder. It is shown and compared, never used as a path.
func cleanName(name string) string {
	name = norm.NFC.String(strings.ToValidUTF8(name, "�"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u202e' || r == '\u2066' || r == '\u2067' {
			return -1 // also the marks that write backwards: "gpj.exe"
		}
		return r
	}, strings.ReplaceAll(name, `\`, "/"))
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	for len(name) > maxNameBytes { // the end tells more than the beginning
		_, size := utf8.DecodeRuneInString(name)
		name = name[size:]
	}
	if name == "" {
		return "?"
	}
	return name
}
