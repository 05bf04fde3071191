package classes_test

import (
	"archive/zip"
	"bytes"
	"image"
	"image/jpeg"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/classes"
	"huizhi/internal/classes/naming"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/exportjobs"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

// made asks for an export, has it made, and opens its files.
func (w *world) made(r classes.Request) (e *classes.Export, photos []*zip.File, index [][]string) {
	w.t.Helper()
	r.RosterID = w.roster.ID
	if r.Filter.States == nil {
		r.Filter.States = classes.States
	}
	started, err := w.Start(w.ctx, w.sc, r, w.user)
	require.NoError(w.t, err)
	require.NoError(w.t, w.Exports.Make(w.ctx, started.Owner, started.ID, now))
	read := func(side bool) []byte {
		var file *blob.Reader
		e, file, err = w.Open(w.ctx, w.sc, w.roster.ID, started.ID, side, w.user)
		require.NoError(w.t, err)
		defer file.Close()
		data, err := io.ReadAll(file)
		require.NoError(w.t, err)
		return data
	}
	archive := read(false)
	opened, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	require.NoError(w.t, err)
	book, err := excelize.OpenReader(bytes.NewReader(read(true)))
	require.NoError(w.t, err)
	defer book.Close()
	index, err = book.GetRows(book.GetSheetName(0))
	require.NoError(w.t, err)
	for _, cell := range []string{"D2", "E2"} { // ID number and student number
		kind, err := book.GetCellType(book.GetSheetName(0), cell)
		require.NoError(w.t, err)
		assert.Contains(w.t, []excelize.CellType{excelize.CellTypeInlineString, excelize.CellTypeSharedString}, kind, "digits are text")
		formula, err := book.GetCellFormula(book.GetSheetName(0), cell)
		require.NoError(w.t, err)
		assert.Empty(w.t, formula)
	}
	return e, opened.File, index[1:]
}

func paths(files []*zip.File) []string {
	var out []string
	for _, f := range files {
		out = append(out, f.Name)
	}
	return out
}

func content(t *testing.T, f *zip.File) []byte {
	t.Helper()
	r, err := f.Open()
	require.NoError(t, err)
	defer r.Close()
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	return data
}

func TestAnArchiveOfAClassWithItsIndex(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.order(w.batch, w.person("刘思佳", "11010120160101001X", "001", "一年级", "一(1)班"), orders.StatusReady)
		w.order(w.batch, w.person("刘思佳", "", "=1+1", "一年级", "一(1)班"), orders.StatusReady)
		w.order(w.batch, w.person("../欧阳翀", "", "", "一年级", "一(2)班"), orders.StatusFailed)
		w.person("没拍", "", "004", "一年级", "一(1)班")
		w.order(w.batch, w.person("别班", "", "005", "二年级", "1班"), orders.StatusReady)
		e, files, index := w.made(classes.Request{Filter: classes.Filter{Grade: ptr("一年级")}, Photos: classes.Finished, Template: "{学校}_{name}", School: "启明/小学", Folders: true})
		assert.Equal(t, []string{"一(1)班/启明小学_刘思佳.jpg", "一(1)班/启明小学_刘思佳_2.jpg", "一(2)班/启明小学_..欧阳翀.jpg", "照片索引.xlsx"}, paths(files))
		assert.Equal(t, w.photo, content(t, files[0]))
		assert.EqualValues(t, 4, e.RowsTotal)
		assert.EqualValues(t, 1, e.RowsLeft)
		require.Len(t, index, 4)
		assert.Equal(t, []string{"一(1)班/启明小学_刘思佳.jpg", "", "刘思佳", "11010120160101001X", "001"}, index[0][:5])
		assert.Equal(t, "=1+1", index[1][4], "a text, not a formula")
		assert.Contains(t, index[1][11], "启明小学_刘思佳.jpg", "whose name was taken")
		assert.Equal(t, []string{"", "没有照片", "没拍"}, index[2][:3])

		history, err := w.History(w.ctx, w.sc, w.roster.ID)
		require.NoError(t, err)
		require.Len(t, history, 1)
		assert.Equal(t, w.user, history[0].UserID)
		n, err := d.NewSelect().Model((*tenants.AuditEntry)(nil)).ApplyQueryBuilder(w.sc.Where).Where("action IN ('roster.export_photos', 'roster.export_download')").Count(w.ctx)
		require.NoError(t, err)
		assert.EqualValues(t, 3, n, "who asked, and who took each file, is on record")
	})
}

func TestWhatANameLacksIsToldBeforehand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.order(w.batch, w.person("甲", "11010120160101001X", "", "", "一班"), orders.StatusReady)
	w.order(w.batch, w.person("乙", "", "", "", "一班"), orders.StatusReady, func(o *orders.Order) { o.IDNumber = "110101201601010028" })
	w.order(w.batch, w.person("丙", "", "", "", "一班"), orders.StatusReview, func(o *orders.Order) { o.IDNumber = "110101201601010036" })
	w.person("丁", "", "", "", "一班")
	r := classes.Request{RosterID: w.roster.ID, Filter: classes.Filter{States: classes.States}, Photos: classes.Original, Template: "{id_number}"}
	p, err := w.Preview(w.ctx, w.sc, r)
	require.NoError(t, err)
	assert.Equal(t, []classes.Sample{{Path: "11010120160101001X.jpg", Number: "11010120160101001X"}, {Path: "110101201601010028.jpg", Number: "110101201601010028"}}, p.Samples,
		"a number that only an order has counts once it is confirmed")
	assert.EqualValues(t, 4, p.People)
	assert.EqualValues(t, 1, p.NoPhoto)
	assert.Equal(t, map[naming.Field]int64{naming.IDNumber: 1}, p.Missing)
	_, files, index := w.made(r)
	assert.Len(t, files, 3)
	assert.Contains(t, index[2][1], "身份证号")
	for key, spoil := range map[string]func(*classes.Request){
		"error.naming.unknown": func(r *classes.Request) { r.Template = "{phone}" }, "error.board.photos": func(r *classes.Request) { r.Photos = "x" },
		"error.board.states": func(r *classes.Request) { r.Filter.States = []classes.State{"x"} }, "error.board.empty": func(r *classes.Request) { r.Filter.States = []classes.State{classes.NoPhoto} },
	} {
		bad := r
		spoil(&bad)
		_, err := w.Start(w.ctx, w.sc, bad, w.user)
		fields, ok := apperr.AsFields(err)
		require.True(t, ok, key)
		assert.Equal(t, key, fields[0].Key)
	}
}

// The systems refuse what is not exactly as they ask, so such an archive has nothing
// else in it, and who could not be fitted is named with the reason.
func TestPresetsMeetTheirSpecOrLeaveThePhotoOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	for i, photo := range [][]byte{picture(t, 1200, 1600, 24), picture(t, 200, 260, 0), picture(t, 1200, 1600, 0), []byte("no picture")} {
		w.photo = photo
		w.order(w.batch, w.person(string(rune('A'+i)), "11010120160101001"+string(rune('0'+i)), "", "一年级", "一班"), orders.StatusReady)
	}
	for kind, want := range map[classes.Photos]struct {
		size       image.Point
		min, below int
		left       []string
	}{
		classes.Xueji: {image.Pt(358, 441), 1, 60_000, []string{"", "太小", "", "图片"}},
		classes.CHSI:  {image.Pt(480, 640), 50 << 10, 100_001, []string{"", "太小", "清晰", "图片"}},
	} {
		e, files, index := w.made(classes.Request{Photos: kind, Template: "{身份证号}", Folders: true})
		n := 0
		for i, left := range want.left {
			if left != "" {
				assert.Contains(t, index[i][1], left, "%s %d", kind, i)
				continue
			}
			require.Empty(t, index[i][1], "%s %d", kind, i)
			require.Greater(t, len(files), n)
			assert.Equal(t, "11010120160101001"+string(rune('0'+i))+".jpg", files[n].Name, "no folders")
			data := content(t, files[n])
			c, err := jpeg.DecodeConfig(bytes.NewReader(data))
			require.NoError(t, err)
			assert.Equal(t, want.size, image.Pt(c.Width, c.Height))
			assert.GreaterOrEqual(t, len(data), want.min)
			assert.Less(t, len(data), want.below)
			n++
		}
		assert.Len(t, files, n, "nothing but photos")
		assert.EqualValues(t, len(want.left)-n, e.RowsLeft)
	}
}

func TestAnExportIsFinishedAfterAKillAndGoneInTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.order(w.batch, w.person("甲", "", "", "", "一班"), orders.StatusReady)
		r := classes.Request{RosterID: w.roster.ID, Filter: classes.Filter{States: classes.States}, Photos: classes.Finished, Template: "{name}"}
		e, err := w.Start(w.ctx, w.sc, r, w.user)
		require.NoError(t, err)
		_, err = d.NewUpdate().Model((*exportjobs.Export)(nil)).Set("state = ?, rows_done = 1", exportjobs.Running).Where("id = ?", e.ID).Exec(w.ctx)
		require.NoError(t, err)
		for range 2 { // the job of the killed process is run again; twice does no harm
			require.NoError(t, w.Exports.Make(w.ctx, e.Owner, e.ID, now))
		}
		done, file, err := w.Open(w.ctx, w.sc, w.roster.ID, e.ID, false, w.user)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		assert.EqualValues(t, 1, done.RowsDone)
		_, _, err = w.Open(w.ctx, tenants.ForTenant(other(t, d)), w.roster.ID, e.ID, false, "x")
		assert.Equal(t, apperr.NotFound, apperr.KindOf(err), "another tenant's")
		_, _, err = w.Open(w.ctx, w.sc, db.NewID(), e.ID, false, w.user)
		assert.Equal(t, apperr.NotFound, apperr.KindOf(err), "another roster's")

		later := now.Add(exportjobs.Keep + time.Minute)
		require.NoError(t, w.Exports.Expire(w.ctx, later))
		for _, key := range []string{done.FileKey, done.SideKey} {
			there, err := w.Photos.Blobs.Exists(w.ctx, key)
			require.NoError(t, err)
			assert.False(t, there)
		}
		history, err := w.History(w.ctx, w.sc, w.roster.ID)
		require.NoError(t, err)
		assert.Equal(t, exportjobs.Expired, history[0].State, "the record stays")
	})
}
