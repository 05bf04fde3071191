package photos

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/tenants"
)

// MaxCandidates is how many files one call of Known may ask about.
const MaxCandidates = 500

// Candidate is a file that somebody picked and has not sent.
type Candidate struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`   // bytes
	SHA256 string `json:"sha256"` // lower-case hex; empty if the browser cannot hash
}

var hexSHA256 = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Known tells for each candidate its outcome, if that is settled without sending
// it, or nil if it has to be sent. Thereby picking a folder again sends only what
// is missing. A file whose content is there under another name, or was refused
// under another name, and one that is too large, gets its own outcome here, so
// that the balance adds up.
func (s *Service) Known(ctx context.Context, sc tenants.Scope, batchID string, candidates []Candidate) ([]*Upload, error) {
	if len(candidates) > MaxCandidates {
		return nil, apperr.New(apperr.Invalid, "error.upload.too_many_candidates", "max", MaxCandidates)
	}
	if _, err := s.Batches.TypeOf(ctx, sc, batchID); err != nil {
		return nil, err
	}
	asked := make([]*Upload, len(candidates))
	for i, c := range candidates {
		up := newUpload(sc, batchID, c.Name)
		up.Size = max(c.Size, 0)
		switch limit := limitFor(up.Name); {
		case up.Size > limit:
			up.refuseSize(limit)
		case c.SHA256 == "": // nothing to know it by
		case !hexSHA256.MatchString(c.SHA256):
			return nil, apperr.New(apperr.Invalid, "error.upload.hash")
		default:
			up.SHA256 = c.SHA256
		}
		asked[i] = up
	}
	known := make([]*Upload, len(asked))
	var fresh []*Upload
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		rows, err := uploadsByContent(ctx, tx, sc, batchID, asked)
		if err != nil {
			return err
		}
		for i, up := range asked {
			if known[i] = settle(up, rows[up.SHA256]); known[i] == up {
				fresh = append(fresh, up)
			}
		}
		return insertUploads(ctx, tx, fresh)
	})
	if err != nil {
		return nil, fmt.Errorf("cannot tell which files are known: %w", err)
	}
	for _, up := range fresh {
		up.New = true
	}
	if len(fresh) > 0 {
		s.Changed(sc, batchID)
	}
	return known, nil
}

// insertUploads passes over those that another request inserted meanwhile, with
// the same outcome, since that follows from the content. They go in by one order,
// so that two requests never wait for each other.
func insertUploads(ctx context.Context, tx bun.IDB, ups []*Upload) error {
	if len(ups) == 0 {
		return nil
	}
	slices.SortFunc(ups, func(a, b *Upload) int {
		return cmp.Or(cmp.Compare(a.SHA256, b.SHA256), cmp.Compare(a.Name, b.Name))
	})
	_, err := tx.NewInsert().Model(&ups).On("CONFLICT (tenant_id, batch_id, sha256, name) DO NOTHING").Exec(ctx)
	return err
}

// limitFor goes by the name, as nothing else is known yet. Store looks at the
// content.
func limitFor(name string) int64 {
	if strings.HasSuffix(strings.ToLower(name), ".zip") {
		return MaxArchiveBytes
	}
	return imaging.MaxBytes
}

// settle returns the row that is the upload itself, or the upload with the
// outcome that follows from the other rows of the same content, or nil.
func settle(up *Upload, same []*Upload) *Upload {
	tooLarge := up.Outcome == OutcomeRefused
	if up.SHA256 == "" && !tooLarge {
		return nil
	}
	for _, row := range same {
		if row.Name == up.Name {
			return row
		}
	}
	if tooLarge {
		return up
	}
	for _, row := range same {
		switch row.Outcome {
		case OutcomeStored, OutcomeArchive:
			up.Size = row.Size
			up.duplicateOf(row.Name)
			return up
		case OutcomeRefused:
			up.Size, up.Outcome, up.ReasonKey, up.ReasonArgs = row.Size, row.Outcome, row.ReasonKey, row.ReasonArgs
			return up
		}
	}
	return nil
}

// uploadsByContent loads what the batch has of the contents asked for.
func uploadsByContent(ctx context.Context, tx bun.IDB, sc tenants.Scope, batchID string, asked []*Upload) (map[string][]*Upload, error) {
	var sums, tooLarge []string
	for _, up := range asked {
		if up.SHA256 != "" {
			sums = append(sums, up.SHA256)
		} else if up.Outcome == OutcomeRefused {
			tooLarge = append(tooLarge, up.Name)
		}
	}
	var rows []*Upload
	err := tx.NewSelect().Model(&rows).ApplyQueryBuilder(sc.Where).Where("batch_id = ?", batchID).
		Where("sha256 IN (?) OR (sha256 = '' AND name IN (?))", bun.List(sums), bun.List(tooLarge)).
		Order("id").Scan(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string][]*Upload{}
	for _, row := range rows {
		out[row.SHA256] = append(out[row.SHA256], row)
	}
	return out, nil
}
