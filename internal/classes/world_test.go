package classes_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/auth"
	"huizhi/internal/blob"
	"huizhi/internal/classes"
	"huizhi/internal/db"
	"huizhi/internal/exportjobs"
	"huizhi/internal/i18n"
	"huizhi/internal/jobs"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/roster"
	"huizhi/internal/roster/matching"
	"huizhi/internal/tenants"
)

var now = time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)

// world is a tenant with a roster, without anything that works in the background.
type world struct {
	*classes.Service
	t       testing.TB
	ctx     context.Context
	sc      tenants.Scope
	user    string
	roster  *roster.Roster
	batch   *orders.Batch
	persons map[string]string // ids by name
	photo   []byte
	n       int
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	ctx := i18n.WithLang(context.Background(), i18n.ZH)
	blobs, err := blob.Open(ctx, "file://"+t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { blobs.Close() })
	queue, err := jobs.Open(ctx, d, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	id, err := auth.NewService(d).SignUp(ctx, auth.SignUp{TenantName: "启明小学", Kind: tenants.KindSchool, Name: "许文慧", Email: db.NewID() + "@example.com", Password: "correct horse"}, now)
	require.NoError(t, err)
	clock := func() time.Time { return now }
	rosters := roster.New(roster.Config{DB: d, Blobs: blobs, Jobs: queue, Now: clock})
	w := &world{t: t, ctx: ctx, sc: id.Scope(), user: id.User.ID, persons: map[string]string{}, photo: picture(t, 800, 1000, 12)}
	w.Service = classes.New(classes.Config{DB: d, Rosters: rosters, Photos: photos.New(photos.Config{DB: d, Blobs: blobs}), Exports: exportjobs.New(d, blobs, queue), Now: clock})
	w.roster, err = rosters.Create(ctx, w.sc, "2026 级", w.user)
	require.NoError(t, err)
	w.batch = w.newBatch(false)
	return w
}

func (w *world) insert(row any) {
	w.t.Helper()
	_, err := w.DB.NewInsert().Model(row).Exec(w.ctx)
	require.NoError(w.t, err)
}

func (w *world) newBatch(simulate bool) *orders.Batch {
	w.t.Helper()
	b := &orders.Batch{TenantID: w.sc.TenantID(), ID: db.NewID(), Name: "批次", TypeID: 4, TypeName: "居住证相片", City: "广东省,深圳市", Simulate: simulate, RosterID: &w.roster.ID, CreatedAt: now}
	w.insert(b)
	return b
}

// person adds somebody to the roster, as an import would.
func (w *world) person(name, idNumber, studentNumber, grade, class string) string {
	w.t.Helper()
	w.n++
	p := &roster.Person{TenantID: w.sc.TenantID(), ID: db.NewID(), RosterID: w.roster.ID, CreatedAt: now, UpdatedAt: now,
		Values: roster.Values{Name: name, IDNumber: idNumber, StudentNumber: studentNumber, Grade: grade, Class: class},
		Place:  fmt.Sprintf("%s/%s/%07d", matching.SortKey(grade), matching.SortKey(class), w.n)}
	w.insert(p)
	w.persons[name] = p.ID
	return p.ID
}

// order gives a person an order in a state, with a photo.
func (w *world) order(b *orders.Batch, personID string, status orders.Status, change ...func(*orders.Order)) *orders.Order {
	w.t.Helper()
	kept, err := w.Photos.Blobs.PutSHA256(w.ctx, w.sc.BlobKey("originals"), bytes.NewReader(w.photo), 1<<30)
	require.NoError(w.t, err)
	pic := &photos.Picture{TenantID: w.sc.TenantID(), ID: db.NewID(), BatchID: b.ID, Name: "a.jpg", SHA256: db.NewID(), Size: kept.Size, OriginalKey: kept.Key, WorkingKey: kept.Key,
		ThumbKey: kept.Key, State: photos.StateDone, Kind: photos.KindPortrait, Format: "JPEG", Width: 800, Height: 1000, CreatedAt: now.Add(-time.Hour)}
	w.insert(pic)
	id := db.NewID()
	o := &orders.Order{TenantID: w.sc.TenantID(), ID: id, BatchID: b.ID, Number: "HZ-" + id, Status: status, TypeID: 4, TypeName: b.TypeName, City: b.City, Simulate: b.Simulate,
		PhotoID: pic.ID, PersonID: &personID, MatchedBy: orders.MatchedByHand, Fields: ocr.Fields{}, CreatedAt: now, UpdatedAt: now}
	for _, f := range change {
		f(o)
	}
	w.insert(o)
	return o
}

// picture is a JPEG of some grain: the more, the larger its file.
func picture(t testing.TB, width, height, grain int) []byte {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			n := uint8(0)
			if grain > 0 {
				n = uint8(random.IntN(grain))
			}
			img.Set(x, y, color.RGBA{uint8(120+x*60/width) + n, uint8(140+y*40/height) + n, 160 + n, 255})
		}
	}
	var buf bytes.Buffer
	require.NoError(t, jpeg.Encode(&buf, img, &jpeg.Options{Quality: 92}))
	return buf.Bytes()
}

// board is the board as lines: "一年级 一班: none 1 review 2".
func (w *world) board(batchID string) []string {
	w.t.Helper()
	b, err := w.Board(w.ctx, w.sc, w.roster.ID, batchID)
	require.NoError(w.t, err)
	var out []string
	line := func(name string, c classes.Counts) {
		for _, s := range classes.States {
			if n := c.Of(s); n > 0 {
				name += fmt.Sprintf(" %s %d", s, n)
			}
		}
		out = append(out, name)
	}
	for _, g := range b.Grades {
		line(g.Name, g.Counts)
		for _, c := range g.Classes {
			line("- "+c.Name, c.Counts)
		}
	}
	line("=", b.Counts)
	return out
}

func names(lines []classes.Line) string {
	var out []string
	for _, l := range lines {
		out = append(out, l.Name)
	}
	return strings.Join(out, " ")
}
