package photos_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
)

// shop is a service with a tenant and a batch, on a real database.
type shop struct {
	*photos.Service
	db      *db.DB
	batches *batches
	jobs    *jobList
	folder  string // of the blob store
	changed atomic.Pointer[func()]
	sc      tenants.Scope
	batch   string
}

func newShop(t testing.TB, d *db.DB, adjust ...func(*photos.Config)) *shop {
	t.Helper()
	ctx := context.Background()
	s := &shop{db: d, batches: &batches{db: d}, jobs: &jobList{}, folder: t.TempDir()}
	store, err := blob.Open(ctx, "file://"+s.folder)
	require.NoError(t, err)
	c := photos.Config{DB: d, Blobs: store, Jobs: s.jobs, Batches: s.batches, Log: slog.New(slog.DiscardHandler)}
	c.Changed = func(tenants.Scope, string) { (*s.changed.Load())() }
	s.onChange(func() {})
	for _, f := range adjust {
		f(&c)
	}
	s.Service = photos.New(c)
	s.sc, s.batch = s.newTenant(t)
	return s
}

// onChange is called after each commit that changed the batch.
func (s *shop) onChange(f func()) { s.changed.Store(&f) }

// newTenant makes a tenant with an empty batch.
func (s *shop) newTenant(t testing.TB) (tenants.Scope, string) {
	t.Helper()
	tenant := &tenants.Tenant{ID: db.NewID(), Name: "店", Kind: tenants.KindStore, CreatedAt: db.Now()}
	_, err := s.db.NewInsert().Model(tenant).Exec(context.Background())
	require.NoError(t, err)
	sc := tenants.ForTenant(tenant.ID)
	return sc, s.newBatch(t, sc)
}

func (s *shop) newBatch(t testing.TB, sc tenants.Scope) string {
	t.Helper()
	id := db.NewID()
	_, err := s.db.NewInsert().Model(&batchRow{TenantID: sc.TenantID(), ID: id, Name: "批次", TypeID: 1, NextSeq: 1, CreatedAt: db.Now()}).Exec(context.Background())
	require.NoError(t, err)
	return id
}

func (s *shop) store(t *testing.T, name string, content []byte) *photos.Upload {
	t.Helper()
	up, err := s.Store(context.Background(), s.sc, s.batch, name, bytes.NewReader(content))
	require.NoError(t, err)
	return up
}

func (s *shop) balance(t *testing.T) photos.Balance {
	t.Helper()
	b, err := s.Balance(context.Background(), s.sc, s.batch)
	require.NoError(t, err)
	return b
}

// batchRow is the part of a batch that these tests need.
type batchRow struct {
	bun.BaseModel   `bun:"table:batches,alias:batch"`
	TenantID        string `bun:",pk"`
	ID              string `bun:",pk"`
	Name            string
	TypeID          int
	TypeName        string
	City            string
	Simulate        bool
	PendingPictures int64
	NextSeq         int64
	CreatedBy       string
	CreatedAt       time.Time
}

// batches keeps the counts in the database, as package orders does, and notes
// who was sorted.
type batches struct {
	db     *db.DB
	mu     sync.Mutex
	sorted []*photos.Picture
	// resorted are the kinds as which pictures were sorted once more.
	resorted []photos.Kind
	fail     error // what the next PictureSorted returns
	marked   bool  // cards with codes may lie among the pictures
	found    int   // how often it was told that they do
}

func (b *batches) MarkersFound(context.Context, bun.Tx, tenants.Scope, string) error {
	b.found++
	return nil
}

func (b *batches) Marked(context.Context, tenants.Scope, string) (bool, error) { return b.marked, nil }

func (b *batches) TypeOf(ctx context.Context, sc tenants.Scope, batchID string) (typeID int, err error) {
	err = b.db.NewSelect().Table("batches").Column("type_id").Where("tenant_id = ? AND id = ?", sc.TenantID(), batchID).Scan(ctx, &typeID)
	if db.IsNoRows(err) {
		return 0, apperr.New(apperr.NotFound, "error.batch.not_found")
	}
	return typeID, err
}

func (b *batches) PictureStored(ctx context.Context, tx bun.Tx, sc tenants.Scope, batchID string) (seq int64, err error) {
	err = tx.NewRaw("UPDATE batches SET pending_pictures = pending_pictures + 1, next_seq = next_seq + 1 WHERE tenant_id = ? AND id = ? RETURNING next_seq - 1",
		sc.TenantID(), batchID).Scan(ctx, &seq)
	return seq, err
}

func (b *batches) PictureResorted(ctx context.Context, tx bun.Tx, sc tenants.Scope, pic *photos.Picture, _ *photos.Reading) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.resorted = append(b.resorted, pic.Kind)
	return nil
}

func (b *batches) PictureSorted(ctx context.Context, tx bun.Tx, sc tenants.Scope, pic *photos.Picture, _ *photos.Reading) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.fail; err != nil {
		b.fail = nil
		return err
	}
	b.sorted = append(b.sorted, pic)
	_, err := tx.NewRaw("UPDATE batches SET pending_pictures = pending_pictures - 1 WHERE tenant_id = ? AND id = ?", sc.TenantID(), pic.BatchID).Exec(ctx)
	return err
}

func (s *shop) pending(t *testing.T) (n int64) {
	t.Helper()
	err := s.db.NewSelect().Table("batches").Column("pending_pictures").Where("tenant_id = ? AND id = ?", s.sc.TenantID(), s.batch).Scan(context.Background(), &n)
	require.NoError(t, err)
	return n
}

// jobList keeps what was enqueued until a test works it.
type jobList struct {
	mu   sync.Mutex
	args []river.JobArgs
}

// work works all jobs, and those that they make.
func (j *jobList) work(t *testing.T, s *photos.Service) {
	t.Helper()
	for len(j.all()) > 0 {
		for _, args := range j.all() {
			require.NoError(t, s.Work(context.Background(), args))
			j.done(args)
		}
	}
}

// try works the jobs and leaves them in the list, as if the process was killed
// before it could note that they are done.
func (j *jobList) try(s *photos.Service) error {
	var errs []error
	for _, args := range j.all() {
		errs = append(errs, s.Work(context.Background(), args))
	}
	return errors.Join(errs...)
}

func (j *jobList) all() []river.JobArgs {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.args)
}

func (j *jobList) done(args river.JobArgs) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.args = slices.Delete(j.args, slices.Index(j.args, args), slices.Index(j.args, args)+1)
}

func (j *jobList) EnqueueTx(_ context.Context, _ bun.Tx, args ...river.JobArgs) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.args = append(j.args, args...)
	return nil
}

// picture is a JPEG that no other number gives.
func picture(t testing.TB, n int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 120, 160))
	for y := range 160 {
		for x := range 120 {
			img.Set(x, y, color.RGBA{uint8(x + n), uint8(y * n), uint8(n >> 8), 255})
		}
	}
	var buf bytes.Buffer
	require.NoError(t, jpeg.Encode(&buf, img, nil))
	fmt.Fprintf(&buf, "%d", n) // bytes after the end of the picture change nothing but the hash
	return buf.Bytes()
}

// eachShop runs the test on every database.
func eachShop(t *testing.T, test func(t *testing.T, s *shop)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, newShop(t, d)) })
}

// broken fails in the middle of a stream, as a lost connection does.
type broken struct{ r io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// hugePNG declares 200 megapixels in a file of a few bytes.
func hugePNG() []byte {
	var header bytes.Buffer
	binary.Write(&header, binary.BigEndian, []uint32{20_000, 10_000}) //nolint:errcheck // a buffer takes everything
	header.Write([]byte{8, 2, 0, 0, 0})
	return append([]byte("\x89PNG\r\n\x1a\n"), append(pngChunk("IHDR", header.Bytes()), pngChunk("IDAT", nil)...)...)
}

func pngChunk(kind string, data []byte) []byte {
	chunk := append([]byte(kind), data...)
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	return binary.BigEndian.AppendUint32(append(out, chunk...), crc32.ChecksumIEEE(chunk))
}

func smallPNG(t testing.TB) []byte {
	t.Helper()
	var buf bytes.Buffer
	require.NoError(t, png.Encode(&buf, image.NewRGBA(image.Rect(0, 0, 16, 16))))
	return buf.Bytes()
}
