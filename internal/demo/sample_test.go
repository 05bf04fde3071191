package demo_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/app"
	"huizhi/internal/auth"
	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/demo"
	"huizhi/internal/ocr"
	"huizhi/internal/ocr/ppocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
)

// engine opens the local OCR engine. In CI its absence fails the test, because a
// silent skip reads as a pass.
func engine(t *testing.T) ocr.Reader {
	t.Helper()
	dir := os.Getenv("HUIZHI_OCR_DIR")
	if dir == "" {
		dir = "../../build/ocr/assets"
	}
	if err := ppocr.Installed(dir); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("CI must read the sample with the engine: %v", err)
		}
		t.Skip("the OCR engine is not installed (`make test` does)")
	}
	r, err := ppocr.Open(dir)
	require.NoError(t, err)
	return r
}

func TestTheSampleGoesThrough(t *testing.T) {
	t.Parallel()
	reader := engine(t)
	ctx := context.Background()
	dir := t.TempDir()
	a, err := app.New(ctx, &config.Config{Addr: "127.0.0.1:0", DataDir: dir, DatabaseURL: dbtest.SQLiteURL(t), BlobURL: "file://" + filepath.Join(dir, "blobs"),
		AutoMigrate: true, PollSchedule: []time.Duration{time.Minute}}, slog.New(slog.DiscardHandler), app.WithReader(reader))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, a.Close(ctx)) })
	id, err := a.Auth.SignUp(ctx, auth.SignUp{TenantName: "新照相馆", Kind: tenants.KindStore, Name: "王芳", Email: "wang@example.com", Password: "a long password"}, db.Now())
	require.NoError(t, err)
	b, err := a.Orders.CreateBatch(ctx, id.Scope(), orders.NewBatch{Name: "护理三(2)班", TypeID: 4, City: "广东省,深圳市"}, id.User.ID)
	require.NoError(t, err)

	up, err := a.Photos.Store(ctx, id.Scope(), b.ID, "sample.zip", bytes.NewReader(demo.Sample))
	require.NoError(t, err)
	require.Equal(t, photos.OutcomeArchive, up.Outcome)
	require.NoError(t, a.Jobs.Start(ctx))
	t.Cleanup(func() { assert.NoError(t, a.Jobs.Stop(ctx)) })
	var balance photos.Balance
	require.Eventually(t, func() bool {
		balance, err = a.Photos.Balance(ctx, id.Scope(), b.ID)
		require.NoError(t, err)
		return balance.Picked > 0 && balance.Unpacking == 0 && balance.Unsorted == 0
	}, 5*time.Minute, 100*time.Millisecond)

	assert.Equal(t, photos.Balance{Picked: 29, Stored: 27, Duplicate: 1, Refused: 1}, balance)
	refused, err := a.Photos.Refusals(ctx, id.Scope(), b.ID)
	require.NoError(t, err)
	require.Len(t, refused, 1)
	assert.Equal(t, "护理三(2)班/拍摄说明.txt", refused[0].Name)
	pics, err := a.Photos.InBatch(ctx, id.Scope(), b.ID)
	require.NoError(t, err)
	for _, p := range pics {
		if p.Name == "护理三(2)班/传输中断.jpg" {
			assert.Equal(t, photos.StateFailed, p.State)
			assert.Equal(t, "error.file.truncated", p.ProblemKey)
			continue
		}
		assert.Equal(t, photos.StateDone, p.State, p.Name)
		assert.NotEqual(t, photos.KindOther, p.Kind, p.Name)
	}

	made, err := a.Orders.List(ctx, id.Scope(), orders.Filter{BatchID: b.ID}, "", 50)
	require.NoError(t, err)
	exceptions := map[string][]string{}
	for _, o := range made {
		assert.NotNil(t, o.FrontID, o.Name)
		assert.Equal(t, orders.StatusReview, o.Status)
		exceptions[o.Name] = o.ExceptionKeys
	}
	require.Len(t, made, 12)
	clean := 0
	for _, keys := range exceptions {
		if len(keys) == 0 {
			clean++
		}
	}
	assert.GreaterOrEqual(t, clean, 7, "most need no second look: %v", exceptions)
	assert.Contains(t, exceptions["梁玉梅"], orders.ExceptionSequence)
	assert.Contains(t, exceptions["郭晓兰"], "id_number.checksum_failed")
	assert.Contains(t, exceptions["谢雪琳"], "name.low_confidence")
}
