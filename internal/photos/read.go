package photos

import (
	"context"
	"fmt"
	"path"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/ocr"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/tenants"
)

// Balance is how far a batch's intake has come. Picked is the sum of the next
// three.
type Balance struct {
	Picked    int64 `json:"picked"`
	Stored    int64 `json:"stored"`
	Duplicate int64 `json:"duplicate"`
	Refused   int64 `json:"refused"`
	// Unsorted counts the stored pictures that have not been looked at yet.
	Unsorted int64 `json:"unsorted"`
	// Unpacking counts the ZIPs being unpacked, Entries the files in them that
	// have no outcome yet.
	Unpacking int64 `json:"unpacking"`
	Entries   int64 `json:"entries"`
}

// Balance counts a batch's uploads and what is still being done with them.
func (s *Service) Balance(ctx context.Context, sc tenants.Scope, batchID string) (Balance, error) {
	if _, err := s.Batches.TypeOf(ctx, sc, batchID); err != nil {
		return Balance{}, err
	}
	var rows []struct {
		What string
		N    int64
		Left int64
	}
	err := s.DB.NewSelect().Model((*Upload)(nil)).ColumnExpr("outcome AS what, COUNT(*) AS n, 0 AS left").
		ApplyQueryBuilder(sc.Where).Where("batch_id = ?", batchID).Group("outcome").
		UnionAll(s.DB.NewSelect().Model((*Picture)(nil)).ColumnExpr("'unsorted', COUNT(*), 0").
			ApplyQueryBuilder(sc.Where).Where("batch_id = ? AND state = ?", batchID, StateNew)).
		UnionAll(s.DB.NewSelect().Model((*Archive)(nil)).ColumnExpr("'unpacking', COUNT(*), COALESCE(SUM(entries - done), 0)").
			ApplyQueryBuilder(sc.Where).Where("batch_id = ? AND NOT finished", batchID)).
		Scan(ctx, &rows)
	if err != nil {
		return Balance{}, fmt.Errorf("cannot count the uploads: %w", err)
	}
	var b Balance
	for _, row := range rows {
		switch row.What {
		case string(OutcomeStored):
			b.Stored = row.N
		case string(OutcomeDuplicate):
			b.Duplicate = row.N
		case string(OutcomeRefused):
			b.Refused = row.N
		case "unsorted":
			b.Unsorted = row.N
		case "unpacking":
			b.Unpacking, b.Entries = row.N, row.Left
		}
	}
	b.Picked = b.Stored + b.Duplicate + b.Refused
	return b, nil
}

// Refusals lists the refused files of a batch in the order they came.
func (s *Service) Refusals(ctx context.Context, sc tenants.Scope, batchID string) ([]Upload, error) {
	if _, err := s.Batches.TypeOf(ctx, sc, batchID); err != nil {
		return nil, err
	}
	var out []Upload
	err := s.DB.NewSelect().Model(&out).ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND outcome = ?", batchID, OutcomeRefused).Order("id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the refused files: %w", err)
	}
	return out, nil
}

// Picture loads one picture.
func (s *Service) Picture(ctx context.Context, sc tenants.Scope, id string) (*Picture, error) {
	return loadPicture(ctx, s.DB, sc, id)
}

func loadPicture(ctx context.Context, tx bun.IDB, sc tenants.Scope, id string) (*Picture, error) {
	pic := new(Picture)
	err := tx.NewSelect().Model(pic).ApplyQueryBuilder(sc.Where).Where("id = ?", id).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.upload.no_picture")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the picture: %w", err)
	}
	return pic, nil
}

// Pictures loads several pictures by id; those that the tenant does not have are
// absent.
func (s *Service) Pictures(ctx context.Context, sc tenants.Scope, ids ...string) (map[string]*Picture, error) {
	var pics []*Picture
	err := s.DB.NewSelect().Model(&pics).ApplyQueryBuilder(sc.Where).Where("id IN (?)", bun.List(ids)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the pictures: %w", err)
	}
	out := make(map[string]*Picture, len(pics))
	for _, pic := range pics {
		out[pic.ID] = pic
	}
	return out, nil
}

// Readings loads the youngest reading of each picture, by picture id; pictures
// without one are absent.
func (s *Service) Readings(ctx context.Context, sc tenants.Scope, pictureIDs ...string) (map[string]*Reading, error) {
	var readings []*Reading
	err := s.DB.NewSelect().Model(&readings).ApplyQueryBuilder(sc.Where).
		Where("picture_id IN (?)", bun.List(pictureIDs)).Order("id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the readings: %w", err)
	}
	out := make(map[string]*Reading, len(readings))
	for _, reading := range readings {
		out[reading.PictureID] = reading
	}
	return out, nil
}

// Variant is one of the files kept for a picture.
type Variant string

// The variants of a picture. All but the original are JPEG without metadata.
const (
	Original Variant = "original"
	Working  Variant = "working"
	Preview  Variant = "preview"
	Thumb    Variant = "thumb"
)

// key is the blob key, or "" when the picture has no such file (yet).
func (v Variant) key(p *Picture) string {
	switch v {
	case Original:
		return p.OriginalKey
	case Working:
		return p.WorkingKey
	case Preview:
		return p.PreviewKey
	case Thumb:
		return p.ThumbKey
	default:
		return ""
	}
}

// File is an open image file.
type File struct {
	*blob.Reader
	ContentType string
	// ETag changes with the content.
	ETag string
}

func errNoFile() error { return apperr.New(apperr.NotFound, "error.upload.no_picture") }

// Open opens one file of a picture. The caller closes it.
func (s *Service) Open(ctx context.Context, sc tenants.Scope, pictureID string, v Variant) (*File, error) {
	pic, err := s.Picture(ctx, sc, pictureID)
	if err != nil {
		return nil, err
	}
	contentType := jpegType
	if v == Original {
		contentType = imaging.Format(pic.Format).MIME()
	}
	return s.openFile(ctx, v.key(pic), contentType)
}

// Crop opens the small JPEG of the place from which a field was read.
func (s *Service) Crop(ctx context.Context, sc tenants.Scope, readingID string, field ocr.FieldName) (*File, error) {
	reading := new(Reading)
	err := s.DB.NewSelect().Model(reading).Column("crops").ApplyQueryBuilder(sc.Where).Where("id = ?", readingID).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, errNoFile()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the reading: %w", err)
	}
	return s.openFile(ctx, reading.Crops[field], jpegType)
}

const jpegType = "image/jpeg"

func (s *Service) openFile(ctx context.Context, key, contentType string) (*File, error) {
	if key == "" {
		return nil, errNoFile()
	}
	r, err := s.Blobs.NewReader(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("cannot open the picture's file: %w", err)
	}
	return &File{Reader: r, ContentType: contentType, ETag: `"` + path.Base(key) + `"`}, nil
}

// InBatch lists the pictures of a batch by their place.
func (s *Service) InBatch(ctx context.Context, sc tenants.Scope, batchID string) ([]*Picture, error) {
	if _, err := s.Batches.TypeOf(ctx, sc, batchID); err != nil {
		return nil, err
	}
	var pics []*Picture
	err := s.DB.NewSelect().Model(&pics).ApplyQueryBuilder(sc.Where).Where("batch_id = ?", batchID).Order("seq").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the pictures: %w", err)
	}
	return pics, nil
}
