package orders_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/idnumber"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/roster"
)

// pupil is the valid ID number of a girl, or a boy for odd n.
func pupil(n int) string {
	s := fmt.Sprintf("1101012015%02d07%03d", 1+n/1000, n%1000)
	return s + string(idnumber.CheckDigit(s))
}

// names makes a roster of a table. Batches tied to it learn of it at once.
func (w *world) names(table string) *roster.Roster {
	w.t.Helper()
	ctx := context.Background()
	rosters := w.rosters()
	r, err := rosters.Create(ctx, w.sc, "2026 秋", w.user)
	require.NoError(w.t, err)
	w.name(r, table)
	return r
}

func (w *world) rosters() *roster.Service {
	return roster.New(roster.Config{DB: w.db, Blobs: w.blobs, Jobs: w.queue, Changed: w.svc.RosterChanged})
}

// name takes a table into a roster.
func (w *world) name(r *roster.Roster, table string) {
	w.t.Helper()
	ctx := context.Background()
	rosters := w.rosters()
	im, err := rosters.Start(ctx, w.sc, r.ID, "名单.csv", strings.NewReader(table), w.user)
	require.NoError(w.t, err)
	require.NoError(w.t, rosters.Check(ctx, w.sc, im.ID))
	require.NoError(w.t, rosters.Agree(ctx, w.sc, im.ID, w.user))
	require.NoError(w.t, rosters.Apply(ctx, w.sc, im.ID))
}

// photo adds a photo of a person to a batch, called like a file.
func (w *world) photo(b *orders.Batch, file string) {
	w.t.Helper()
	w.sorted(b, file, photos.KindPortrait, nil)
}

// card adds a picture of an ID card that was read.
func (w *world) card(b *orders.Batch, file, name, number string) {
	w.t.Helper()
	w.sorted(b, file, photos.KindCardFront, ocr.Fields{ocr.Name: {Value: name, Confidence: 0.9}, ocr.IDNumber: {Value: number, Confidence: 0.9, Flags: ocr.Flags{ocr.LowConfidence}}})
}

func (w *world) sorted(b *orders.Batch, file string, kind photos.Kind, read ocr.Fields) {
	w.t.Helper()
	ctx := context.Background()
	err := w.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		seq, err := w.svc.PictureStored(ctx, tx, w.sc, b.ID)
		if err != nil {
			return err
		}
		pic := &photos.Picture{TenantID: w.sc.TenantID(), ID: db.NewID(), BatchID: b.ID, Seq: seq, Name: file, PairKey: photos.PairKey(file), SHA256: b.ID + file, State: photos.StateDone, Kind: kind, CreatedAt: db.Now()}
		if _, err := tx.NewInsert().Model(pic).Exec(ctx); err != nil {
			return err
		}
		var reading *photos.Reading
		if read != nil {
			reading = &photos.Reading{TenantID: w.sc.TenantID(), ID: db.NewID(), PictureID: pic.ID, Engine: "test", Fields: read, Crops: map[ocr.FieldName]string{}, CreatedAt: db.Now()}
			if _, err := tx.NewInsert().Model(reading).Exec(ctx); err != nil {
				return err
			}
		}
		return w.svc.PictureSorted(ctx, tx, w.sc, pic, reading)
	})
	require.NoError(w.t, err)
}

// matches are the orders of a batch by their photo's file, as "李雷 by name" or why
// not, after matching.
func (w *world) matches(b *orders.Batch) map[string]string {
	w.t.Helper()
	ctx := context.Background()
	require.NoError(w.t, w.svc.MatchBatch(ctx, w.sc, b.ID))
	out := map[string]string{}
	for file, o := range w.byFile(b) {
		out[file] = string(o.MatchReason)
		if o.PersonID != nil {
			p, err := roster.LoadPerson(ctx, w.db, w.sc, *o.PersonID)
			require.NoError(w.t, err)
			out[file] = p.Name + " by " + string(o.MatchedBy)
		}
	}
	return out
}

func (w *world) byFile(b *orders.Batch) map[string]*orders.Order {
	w.t.Helper()
	ctx := context.Background()
	list, err := w.svc.List(ctx, w.sc, orders.Filter{BatchID: b.ID}, "", 1000)
	require.NoError(w.t, err)
	out := map[string]*orders.Order{}
	for _, row := range list {
		o, err := w.svc.Get(ctx, w.sc, row.ID)
		require.NoError(w.t, err)
		var file string
		require.NoError(w.t, w.db.NewSelect().Model((*photos.Picture)(nil)).Column("name").ApplyQueryBuilder(w.sc.Where).Where("id = ?", o.PhotoID).Scan(ctx, &file))
		out[file] = o
	}
	return out
}

func (w *world) tied(rosterID string) *orders.Batch {
	w.t.Helper()
	b, err := w.svc.CreateBatch(context.Background(), w.sc, orders.NewBatch{TypeID: 4, City: "广东省,深圳市", RosterID: rosterID}, w.user)
	require.NoError(w.t, err)
	return b
}

func TestPhotosFindTheirPeople(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{})
		r := w.names("姓名,身份证号,学号,班级\n李雷," + pupil(1) + ",20260001,1班\n韩梅梅," + pupil(2) + ",20260002,1班\n王芳,,20260003,1班\n李雷,,20260004,2班\n")
		b := w.tied(r.ID)
		w.photo(b, pupil(1)+".jpg")
		w.photo(b, "20260002.jpg")
		w.photo(b, "李雷.jpg")
		require.Equal(t, map[string]string{pupil(1) + ".jpg": "李雷 by id_number", "20260002.jpg": "韩梅梅 by student_number", "李雷.jpg": "namesakes"}, w.matches(b))
		m, err := w.svc.Matches(ctx, w.sc, b)
		require.NoError(t, err)
		require.Equal(t, orders.Matches{Matched: 2, Open: 1, Missing: 1}, m, "of the classes on the photos")

		o := w.byFile(b)["20260002.jpg"]
		require.Equal(t, ocr.Field{Value: pupil(2), Source: ocr.FromRoster, Flags: nil}, ocr.Field{Value: o.Fields[ocr.IDNumber].Value, Source: o.Fields[ocr.IDNumber].Source})
		require.Zero(t, o.Exceptions, "what the roster says is ready: %v", o.ExceptionKeys)
		n, err := w.svc.ConfirmClean(ctx, w.sc, b.ID, w.user)
		require.NoError(t, err)
		require.Equal(t, 2, n)

		// A person chooses, takes it back, and no later match changes that.
		open := w.byFile(b)["李雷.jpg"]
		require.Len(t, open.MatchCandidates, 2)
		_, err = w.svc.MatchTo(ctx, w.sc, open.ID, *w.byFile(b)[pupil(1)+".jpg"].PersonID, w.user)
		require.ErrorContains(t, err, "error.match.taken")
		chosen, err := w.svc.MatchTo(ctx, w.sc, open.ID, open.MatchCandidates[1], w.user)
		require.NoError(t, err)
		require.Equal(t, orders.MatchedByHand, chosen.MatchedBy)
		taken, err := w.svc.Unmatch(ctx, w.sc, open.ID, w.user)
		require.NoError(t, err)
		require.Nil(t, taken.PersonID)
		require.Empty(t, taken.Fields[ocr.IDNumber].Value)
		require.Equal(t, orders.MatchReasonUndone, w.matches(b)["李雷.jpg"])

		// A confirmed order goes back to review when it is somebody else's after all.
		back, err := w.svc.Unmatch(ctx, w.sc, o.ID, w.user)
		require.NoError(t, err)
		require.Equal(t, orders.StatusReview, back.Status)
		require.ErrorContains(t, w.svc.SetRoster(ctx, w.sc, b.ID, "", w.user), "roster_in_use")
	})
}

func TestPhotosFirstRosterLater(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, simulator.Config{})
		b := w.tied("")
		w.photo(b, "1班/李雷.jpg")
		w.photo(b, "1班/韩梅梅.jpg")
		r := w.names("姓名,班级\n李雷,1班\n")
		w.start()
		require.NoError(t, w.svc.SetRoster(ctx, w.sc, b.ID, r.ID, w.user))
		matched := func(file string) func() bool {
			return func() bool { return w.byFile(b)[file].PersonID != nil }
		}
		require.Eventually(t, matched("1班/李雷.jpg"), 30*time.Second, 50*time.Millisecond)
		w.name(r, "姓名,班级,身份证号\n韩梅梅,1班,"+pupil(2)+"\n")
		require.Eventually(t, matched("1班/韩梅梅.jpg"), 30*time.Second, 50*time.Millisecond, "who comes later is found later")
		require.Equal(t, pupil(2), w.byFile(b)["1班/韩梅梅.jpg"].IDNumber)
	})
}

// A camera's file names say nothing, but the ID card beside the photo does: a person
// has only to agree.
func TestTheNumberReadFromTheCardIsOffered(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, simulator.Config{})
		r := w.names("姓名,身份证号\n李雷," + pupil(1) + "\n韩梅梅," + pupil(2) + "\n王芳,\n")
		b := w.tied(r.ID)
		w.photo(b, "IMG_1.jpg")
		w.card(b, "IMG_2.jpg", "韩梅梅", pupil(2))
		require.Equal(t, map[string]string{"IMG_1.jpg": "document"}, w.matches(b))
		people, err := roster.Load(context.Background(), w.db, w.sc, w.byFile(b)["IMG_1.jpg"].MatchCandidates...)
		require.NoError(t, err)
		require.Len(t, people, 1)
		for _, p := range people {
			require.Equal(t, "韩梅梅", p.Name)
		}
	})
}

func TestTheRosterStandsBesideWhatWasRead(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, dbtest.SQLite(t), simulator.Config{})
	r := w.names("姓名,身份证号,学号\n欧阳翀," + pupil(1) + ",20260001\n韩梅梅," + pupil(2) + ",20260002\n")
	b := w.tied(r.ID)
	w.photo(b, "20260001.jpg")
	w.card(b, "20260001_身份证.jpg", "欧阳肿", pupil(1))
	w.photo(b, "20260002.jpg")
	w.matches(b)
	w.card(b, "20260002_身份证.jpg", "韩梅梅", pupil(4))

	o := w.byFile(b)["20260001.jpg"]
	require.Equal(t, "欧阳肿", o.Name, "what was read stays")
	require.Equal(t, "欧阳翀", o.Fields[ocr.Name].Candidates[0])
	require.Contains(t, o.ExceptionKeys, "name.roster_differs")
	require.Equal(t, ocr.FromRoster, o.Fields[ocr.IDNumber].Agreed)
	require.False(t, o.Fields[ocr.IDNumber].Has(ocr.LowConfidence), "two agree")
	late := w.byFile(b)["20260002.jpg"]
	require.Contains(t, late.ExceptionKeys, "id_number.roster_differs", "a card that comes after the match")
	require.Equal(t, pupil(2), late.Fields[ocr.IDNumber].Candidates[0])

	typed, err := w.svc.EditOrder(ctx, w.sc, o.ID, orders.Edit{Version: o.Version, Fields: map[ocr.FieldName]string{ocr.Name: "欧阳冲"}}, w.user)
	require.NoError(t, err)
	require.NotContains(t, typed.ExceptionKeys, "name.roster_differs", "a person's word settles it")
	require.NoError(t, w.svc.MatchBatch(ctx, w.sc, b.ID))
	require.Equal(t, "欧阳冲", w.byFile(b)["20260001.jpg"].Name)
}

// Matching a batch takes time in proportion to its photos: compare the figures.
func BenchmarkMatchBatch(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		for _, n := range []int{1_000, 10_000} {
			b.Run(fmt.Sprint(name, "/", n), func(b *testing.B) {
				w := newWorld(b, open(b), simulator.Config{})
				var table strings.Builder
				table.WriteString("姓名,身份证号,学号,班级\n")
				for i := range n {
					fmt.Fprintf(&table, "李雷,%s,%d,%d班\n", pupil(i), 20260000+i, i/40)
				}
				r := w.names(table.String())
				for b.Loop() {
					b.StopTimer()
					batch := w.tied(r.ID)
					w.manyPhotos(batch, n)
					b.StartTimer()
					require.NoError(b, w.svc.MatchBatch(context.Background(), w.sc, batch.ID))
					b.StopTimer()
					m, err := w.svc.Matches(context.Background(), w.sc, batch)
					require.NoError(b, err)
					require.EqualValues(b, n, m.Matched)
					b.StartTimer()
				}
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "photos/s")
			})
		}
	}
}

// manyPhotos adds photos named by student numbers, with their orders in review.
func (w *world) manyPhotos(batch *orders.Batch, n int) {
	w.t.Helper()
	ctx := context.Background()
	for from := 0; from < n; from += 500 {
		var pics []photos.Picture
		var list []orders.Order
		for i := from; i < min(from+500, n); i++ {
			file := fmt.Sprintf("%d.jpg", 20260000+i)
			pic := photos.Picture{TenantID: w.sc.TenantID(), ID: db.NewID(), BatchID: batch.ID, Seq: int64(i), Name: file, SHA256: batch.ID + file, State: photos.StateDone, Kind: photos.KindPortrait, CreatedAt: db.Now()}
			pics = append(pics, pic)
			list = append(list, orders.Order{TenantID: pic.TenantID, ID: db.NewID(), BatchID: batch.ID, Number: db.NewID(), Status: orders.StatusReview, Seq: pic.Seq, TypeID: 4, PhotoID: pic.ID, Fields: ocr.Fields{}, Version: 1, CreatedAt: db.Now(), UpdatedAt: db.Now()})
		}
		_, err := w.db.NewInsert().Model(&pics).Exec(ctx)
		require.NoError(w.t, err)
		_, err = w.db.NewInsert().Model(&list).Exec(ctx)
		require.NoError(w.t, err)
	}
}
