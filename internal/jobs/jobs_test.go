package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/jobs"
)

type noteArgs struct {
	Text string `json:"text"`
}

func (noteArgs) Kind() string                 { return "note" }
func (noteArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: "notes"} }

func TestJobsBelongToTheirTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		q, err := jobs.Open(ctx, d, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		worked := make(chan string, 10)
		q.AddQueue("notes", 2)
		jobs.Handle(q, func(_ context.Context, n noteArgs) error { worked <- n.Text; return nil })
		require.NoError(t, q.Start(ctx))
		t.Cleanup(func() { require.NoError(t, q.Stop(context.Background())) })

		undone := errors.New("undone")
		err = d.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			require.NoError(t, q.EnqueueTx(ctx, tx, noteArgs{"rolled back"}))
			return undone
		})
		require.ErrorIs(t, err, undone)
		err = d.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			return q.EnqueueTx(ctx, tx, noteArgs{"committed"})
		})
		require.NoError(t, err)

		select {
		case text := <-worked:
			require.Equal(t, "committed", text)
		case <-time.After(20 * time.Second):
			t.Fatal("the committed job was never worked")
		}
		require.Empty(t, worked)
	})
}

func TestLoop(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	q, err := jobs.Open(ctx, dbtest.SQLite(t), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ran := make(chan struct{}, 10)
	loop := q.AddLoop("test", time.Hour, func(context.Context) (time.Duration, error) {
		ran <- struct{}{}
		panic("one bad row")
	})
	require.NoError(t, q.Start(ctx))
	t.Cleanup(func() { require.NoError(t, q.Stop(context.Background())) })
	<-ran // at start
	loop.Ring()
	<-ran // when rung, although the last run panicked
}
