package photos_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/photos"
	"huizhi/internal/photos/imaging"
)

func TestStore(t *testing.T) {
	eachShop(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		content := picture(t, 1)
		up := s.store(t, "三年级/李雷.jpg", content)
		require.Equal(t, photos.OutcomeStored, up.Outcome)
		require.True(t, up.New)
		require.Equal(t, sum(content), up.SHA256)

		again := s.store(t, "三年级/李雷.jpg", content)
		require.Equal(t, up.ID, again.ID, "the same name and content is the same upload")
		require.False(t, again.New)

		dup := s.store(t, "三年级/副本.jpg", content)
		require.Equal(t, photos.OutcomeDuplicate, dup.Outcome)
		require.Equal(t, "upload.duplicate_of", dup.ReasonKey)
		require.Equal(t, photos.Args{"name", "三年级/李雷.jpg"}, dup.ReasonArgs)

		second := s.store(t, "三年级/李雷.jpg", picture(t, 2))
		require.Equal(t, photos.OutcomeStored, second.Outcome, "another picture may have the same name")

		require.Equal(t, photos.Balance{Picked: 3, Stored: 2, Duplicate: 1, Unsorted: 2}, s.balance(t))
		require.EqualValues(t, 2, s.pending(t))
		require.Len(t, s.jobs.args, 2)

		pics, err := s.InBatch(ctx, s.sc, s.batch)
		require.NoError(t, err)
		require.Len(t, pics, 2)
		require.EqualValues(t, 1, pics[0].Seq)
		require.EqualValues(t, 2, pics[1].Seq)
		require.Equal(t, "三年级/李雷", pics[0].PairKey)
		require.Equal(t, "JPEG", pics[0].Format)
		require.Equal(t, [2]int{120, 160}, [2]int{pics[0].Width, pics[0].Height})
		file, err := s.Open(ctx, s.sc, pics[0].ID, photos.Original)
		require.NoError(t, err)
		kept, err := io.ReadAll(file)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		require.Equal(t, content, kept, "the original is sealed")
		require.Equal(t, "image/jpeg", file.ContentType)
	})
}

func TestRefusalsAreOutcomes(t *testing.T) {
	eachShop(t, func(t *testing.T, s *shop) {
		for name, c := range map[string]struct {
			content []byte
			reason  string
		}{
			"空.jpg":   {nil, "error.file.empty"},
			"名单.jpg":  {[]byte("姓名,身份证号"), "error.file.not_image"},
			"截断.jpg":  {picture(t, 1)[:100], "error.file.truncated"},
			"扫描.pdf":  {[]byte("%PDF-1.7 and more than a few bytes"), "error.file.unsupported"},
			"两亿.png":  {hugePNG(), "error.file.too_many_pixels"},
			"图标.png":  {smallPNG(t), "error.file.too_small"},
			"很大.tiff": {append([]byte("II*\x00"), make([]byte, imaging.MaxBytes)...), "error.file.too_large"},
			"很大.jpg":  {append(picture(t, 3), make([]byte, imaging.MaxBytes)...), "error.file.too_large"},
		} {
			up := s.store(t, name, c.content)
			require.Equal(t, photos.OutcomeRefused, up.Outcome, name)
			require.Equal(t, c.reason, up.ReasonKey, name)
			again := s.store(t, name, c.content)
			require.Equal(t, up.ID, again.ID, "refused once, counted once")
		}
		require.Equal(t, photos.Balance{Picked: 8, Refused: 8}, s.balance(t))
		refused, err := s.Refusals(context.Background(), s.sc, s.batch)
		require.NoError(t, err)
		require.Len(t, refused, 8)
		require.Zero(t, s.pending(t))
		require.Empty(t, s.jobs.args)
	})
}

func TestPictureWithAWrongEndingIsTaken(t *testing.T) {
	eachShop(t, func(t *testing.T, s *shop) {
		require.Equal(t, photos.OutcomeStored, s.store(t, "照片.heic", picture(t, 1)).Outcome)
	})
}

func TestLostConnectionLeavesNothing(t *testing.T) {
	eachShop(t, func(t *testing.T, s *shop) {
		_, err := s.Store(context.Background(), s.sc, s.batch, "a.jpg", broken{bytes.NewReader(picture(t, 1))})
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Zero(t, s.balance(t))
	})
}

func TestFullDiskLeavesNothing(t *testing.T) {
	eachShop(t, func(t *testing.T, s *shop) {
		stage := filepath.Join(s.folder, ".stage")
		require.NoError(t, os.Remove(stage))
		_, err := s.Store(context.Background(), s.sc, s.batch, "a.jpg", bytes.NewReader(picture(t, 1)))
		require.Error(t, err)
		require.Zero(t, s.balance(t))
		require.NoError(t, os.Mkdir(stage, 0o700))
		require.Equal(t, photos.OutcomeStored, s.store(t, "a.jpg", picture(t, 1)).Outcome)
		require.EqualValues(t, 1, s.pending(t))
	})
}

func TestForeignBatchDoesNotExist(t *testing.T) {
	eachShop(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.store(t, "a.jpg", picture(t, 1))
		pics, err := s.InBatch(ctx, s.sc, s.batch)
		require.NoError(t, err)
		foreign, _ := s.newTenant(t)

		_, err = s.Store(ctx, foreign, s.batch, "b.jpg", bytes.NewReader(picture(t, 2)))
		requireNotFound(t, err)
		_, err = s.Known(ctx, foreign, s.batch, []photos.Candidate{{Name: "a.jpg", SHA256: sum(picture(t, 1))}})
		requireNotFound(t, err)
		_, err = s.Balance(ctx, foreign, s.batch)
		requireNotFound(t, err)
		_, err = s.Refusals(ctx, foreign, s.batch)
		requireNotFound(t, err)
		_, err = s.InBatch(ctx, foreign, s.batch)
		requireNotFound(t, err)
		_, err = s.Picture(ctx, foreign, pics[0].ID)
		requireNotFound(t, err)
		_, err = s.Open(ctx, foreign, pics[0].ID, photos.Original)
		requireNotFound(t, err)
		found, err := s.Pictures(ctx, foreign, pics[0].ID)
		require.NoError(t, err)
		require.Empty(t, found)
		require.EqualValues(t, 1, s.balance(t).Picked)
	})
}

// Sixteen people pick the same folder at the same time: every picture is stored
// once, and every name of it counted once.
func TestConcurrentUploadsBalance(t *testing.T) {
	eachShop(t, func(t *testing.T, s *shop) {
		const people, pictures = 16, 6
		var wg sync.WaitGroup
		fresh := make([]int, people)
		for i := range people {
			wg.Go(func() {
				for n := range pictures {
					for _, folder := range []string{"", "备份/"} {
						up, err := s.Store(context.Background(), s.sc, s.batch, fmt.Sprintf("%s%d.jpg", folder, n), bytes.NewReader(picture(t, n)))
						if err != nil {
							t.Error(err)
							return
						}
						if up.New {
							fresh[i]++
						}
					}
					if _, err := s.Store(context.Background(), s.sc, s.batch, "坏.jpg", strings.NewReader("no picture")); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		b := s.balance(t)
		require.Equal(t, photos.Balance{Picked: 2*pictures + 1, Stored: pictures, Duplicate: pictures, Refused: 1, Unsorted: pictures}, b)
		require.EqualValues(t, pictures, s.pending(t))
		total := 0
		for _, n := range fresh {
			total += n
		}
		require.Equal(t, 2*pictures, total, "each upload is new to exactly one request")
	})
}

func TestKnownFilesNeedNotBeSent(t *testing.T) {
	eachShop(t, func(t *testing.T, s *shop) {
		ctx := context.Background()
		s.store(t, "a.jpg", picture(t, 1))
		s.store(t, "坏.jpg", []byte("no picture"))
		ask := []photos.Candidate{
			{Name: "a.jpg", SHA256: sum(picture(t, 1))},
			{Name: "b.jpg", SHA256: sum(picture(t, 1)), Size: 5},
			{Name: "c.jpg", SHA256: sum(picture(t, 2))},
			{Name: "d.jpg"}, // a browser that cannot hash
			{Name: "也坏.jpg", SHA256: sum([]byte("no picture"))},
			{Name: "电影.mp4", Size: 5 << 30},
			{Name: "大.zip", Size: 1 << 30},
		}
		known, err := s.Known(ctx, s.sc, s.batch, ask)
		require.NoError(t, err)
		outcomes := make([]string, len(known))
		for i, up := range known {
			if up != nil {
				outcomes[i] = string(up.Outcome) + " " + up.ReasonKey
			}
		}
		require.Equal(t, []string{"stored ", "duplicate upload.duplicate_of", "", "", "refused error.file.not_image", "refused error.file.too_large", ""}, outcomes)
		require.False(t, known[0].New)
		require.True(t, known[1].New)
		want := photos.Balance{Picked: 5, Stored: 1, Duplicate: 1, Refused: 3, Unsorted: 1}
		require.Equal(t, want, s.balance(t))

		known, err = s.Known(ctx, s.sc, s.batch, ask)
		require.NoError(t, err)
		require.False(t, known[1].New, "asking again counts nothing")
		require.Equal(t, want, s.balance(t))

		_, err = s.Known(ctx, s.sc, s.batch, []photos.Candidate{{Name: "x", SHA256: "' OR 1=1"}})
		require.Equal(t, apperr.Invalid, apperr.KindOf(err))
		_, err = s.Known(ctx, s.sc, s.batch, make([]photos.Candidate, photos.MaxCandidates+1))
		require.Equal(t, apperr.Invalid, apperr.KindOf(err))
	})
}

func TestNamesAreCleaned(t *testing.T) {
	eachShop(t, func(t *testing.T, s *shop) {
		n := 0
		for name, want := range map[string]string{
			`C:\照片\李雷.jpg`:           "C:/照片/李雷.jpg",
			"../../etc/passwd":       "etc/passwd",
			"/绝对/路径.jpg":             "绝对/路径.jpg",
			"e\u0301.jpg":            "\u00e9.jpg",
			"a\x00b\n.jpg":           "ab.jpg",
			"":                       "?",
			strings.Repeat("长", 300): strings.Repeat("长", 160),
			"照片\u202egpj.exe":        "照片gpj.exe",
		} {
			n++
			require.Equal(t, want, s.store(t, name, picture(t, n)).Name)
		}
	})
}

func sum(content []byte) string {
	h := sha256.Sum256(content)
	return hex.EncodeToString(h[:])
}

func requireNotFound(t *testing.T, err error) {
	t.Helper()
	require.Equal(t, apperr.NotFound, apperr.KindOf(err), "%v", err)
}
