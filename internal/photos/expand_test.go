package photos_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/photos"
)

type packed struct {
	name    string
	content []byte
}

func archiveOf(t testing.TB, files ...packed) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, f := range files {
		entry, err := w.Create(f.name)
		require.NoError(t, err)
		_, err = entry.Write(f.content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return buf.Bytes()
}

func TestArchiveIsUnpackedIntoTheSameBalance(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, _ *reader) {
		ctx := context.Background()
		s.store(t, "已有/一.jpg", picture(t, 1))
		content := archiveOf(t, packed{"三班/一.jpg", picture(t, 1)}, packed{"三班/二.jpg", picture(t, 2)}, packed{"三班/.DS_Store", []byte("x")},
			packed{"三班/名单.txt", []byte("姓名")}, packed{"../出去.jpg", picture(t, 3)}, packed{"里面.zip", archiveOf(t)},
			packed{"名单.xlsx", archiveOf(t, packed{"[Content_Types].xml", nil})}, packed{"三.jpg", picture(t, 4)})
		up := s.store(t, "全班.zip", content)
		require.Equal(t, photos.OutcomeArchive, up.Outcome)
		require.EqualValues(t, 1, s.balance(t).Unpacking)
		require.Equal(t, up.ID, s.store(t, "全班.zip", content).ID)
		require.Equal(t, photos.OutcomeDuplicate, s.store(t, "又是全班.zip", content).Outcome)

		s.jobs.work(t, s.Service)
		require.Equal(t, photos.Balance{Picked: 9, Stored: 3, Duplicate: 2, Refused: 4}, s.balance(t))
		require.Equal(t, "三班/二", s.named(t, "三班/二.jpg").PairKey)
		refused, err := s.Refusals(ctx, s.sc, s.batch)
		require.NoError(t, err)
		reasons := map[string]string{}
		for _, r := range refused {
			reasons[r.Name] = r.ReasonKey
		}
		require.Equal(t, map[string]string{"三班/名单.txt": "error.file.not_image", "出去.jpg": "error.zip.unsafe_name",
			"里面.zip": "error.zip.nested", "名单.xlsx": "error.file.not_image"}, reasons)

		known, err := s.Known(ctx, s.sc, s.batch, []photos.Candidate{{Name: "全班.zip", SHA256: sum(content)}})
		require.NoError(t, err)
		require.Equal(t, photos.OutcomeArchive, known[0].Outcome, "an archive that was unpacked is not sent again")
	})
}

func TestUnpackingThatWasCutOffGoesOn(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, _ *reader) {
		var files []packed
		for n := range 8 {
			files = append(files, packed{fmt.Sprintf("%d.jpg", n), picture(t, n)})
		}
		s.store(t, "a.zip", archiveOf(t, append(files, packed{"x.txt", []byte("x")})...))
		job := s.jobs.all()[0]
		for cut := range 4 {
			ctx, cancel := context.WithCancel(context.Background())
			s.onChange(func() {
				if s.balance(t).Stored > int64(cut) {
					cancel()
				}
			})
			require.Error(t, s.Work(ctx, job), "the process dies after %d pictures", cut)
			cancel()
		}
		s.onChange(func() {})
		require.Less(t, s.balance(t).Stored, int64(8))
		require.NoError(t, s.Work(context.Background(), job))
		require.NoError(t, s.Work(context.Background(), job), "once more is once too many, and harmless")
		require.Equal(t, photos.Balance{Picked: 9, Stored: 8, Refused: 1, Unsorted: 8}, s.balance(t))
		require.EqualValues(t, 8, s.pending(t))
	})
}

func TestArchiveThatIsNoneBecomesARefusal(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, _ *reader) {
		whole := archiveOf(t, packed{"一.jpg", picture(t, 1)})
		s.store(t, "截断.zip", whole[:len(whole)-10])
		s.store(t, "空.zip", archiveOf(t))
		require.Equal(t, "error.file.not_image", s.store(t, "名单.docx", archiveOf(t, packed{"[Content_Types].xml", nil})).ReasonKey)
		lost := s.store(t, "丢失.zip", archiveOf(t, packed{"二.jpg", picture(t, 2)}))
		require.NoError(t, s.Blobs.Delete(context.Background(), s.sc.BlobKey("archives/"+s.batch+"/"+lost.SHA256[:2]+"/"+lost.SHA256)))
		s.jobs.work(t, s.Service)
		require.Equal(t, photos.Balance{Picked: 4, Refused: 4}, s.balance(t))
		refused, err := s.Refusals(context.Background(), s.sc, s.batch)
		require.NoError(t, err)
		var reasons []string
		for _, r := range refused {
			reasons = append(reasons, r.ReasonKey)
		}
		require.Equal(t, []string{"error.zip.damaged", "error.zip.empty", "error.file.not_image", "upload.problem.file_gone"}, reasons)
	})
}
