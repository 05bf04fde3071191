// Package jobs runs the background work: River jobs, enqueued in the transaction
// that makes them necessary, and loops that sweep due rows.
//
// Job arguments carry ids only, and every job is safe to run twice: a job that a
// killed process had begun is run again.
package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/uptrace/bun"

	"huizhi/internal/db"
)

// Enqueuer puts jobs into the queue within a transaction. Features keep it.
type Enqueuer interface {
	EnqueueTx(ctx context.Context, tx bun.Tx, args ...river.JobArgs) error
}

// Times. A job that runs longer than jobTimeout is cancelled; with PostgreSQL, one
// whose process died is run again after rescueAfter by any other.
const (
	jobTimeout  = 2 * time.Minute
	rescueAfter = 3 * time.Minute
)

// Queue puts jobs in and, once started, works them.
type Queue struct {
	// RescueAfter is set before Start by tests that cannot wait for the default.
	RescueAfter time.Duration

	db      *db.DB
	log     *slog.Logger
	insert  *river.Client[*sql.Tx]
	workers *river.Workers
	queues  map[string]river.QueueConfig
	loops   []*Loop
	stop    func(context.Context) error
}

// Open migrates River's own tables and makes the Queue. It works nothing yet.
func Open(ctx context.Context, d *db.DB, log *slog.Logger) (*Queue, error) {
	q := &Queue{RescueAfter: rescueAfter, db: d, log: log, workers: river.NewWorkers(), queues: map[string]river.QueueConfig{}}
	quiet := slog.New(levelFloor{log.Handler(), slog.LevelWarn})
	var driver riverdriver.Driver[*sql.Tx] = riversqlite.New(d.DB.DB)
	if db.IsPostgres(d.DB) {
		driver = riverdatabasesql.New(d.DB.DB)
	}
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet})
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err == nil {
		q.insert, err = river.NewClient(driver, &river.Config{Logger: quiet})
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open the job queue: %w", err)
	}
	return q, nil
}

// EnqueueTx inserts jobs; they exist if and only if the transaction commits.
func (q *Queue) EnqueueTx(ctx context.Context, tx bun.Tx, args ...river.JobArgs) error {
	if len(args) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(args))
	for i, a := range args {
		params[i].Args = a
	}
	if _, err := q.insert.InsertManyFastTx(ctx, tx.Tx, params); err != nil {
		return fmt.Errorf("cannot enqueue %s: %w", args[0].Kind(), err)
	}
	return nil
}

// AddQueue declares a queue (args name theirs in InsertOpts) and how many of its
// jobs run at once in this process.
func (q *Queue) AddQueue(name string, workers int) {
	q.queues[name] = river.QueueConfig{MaxWorkers: workers}
}

// Handle sets what is done with the jobs of one kind.
func Handle[T river.JobArgs](q *Queue, work func(context.Context, T) error) {
	HandleLong(q, 0, work)
}

// HandleLong is Handle for jobs that may run longer than others. With PostgreSQL, one
// whose process died is run again when that time is over, or by the next process that
// starts.
func HandleLong[T river.JobArgs](q *Queue, timeout time.Duration, work func(context.Context, T) error) {
	river.AddWorker(q.workers, &worker[T]{timeout: timeout, work: work})
}

type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	timeout time.Duration // 0: jobTimeout
	work    func(context.Context, T) error
}

func (w *worker[T]) Timeout(*river.Job[T]) time.Duration { return w.timeout }

func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error {
	return w.work(context.WithValue(ctx, lastTryKey{}, job.Attempt >= job.MaxAttempts), job.Args)
}

type lastTryKey struct{}

// LastTry tells a running job that it will not be tried again, so that it can
// leave a state that people see.
func LastTry(ctx context.Context) bool {
	last, _ := ctx.Value(lastTryKey{}).(bool)
	return last
}

// Start begins to work the jobs and run the loops.
func (q *Queue) Start(ctx context.Context) error {
	config := &river.Config{
		Queues: q.queues, Workers: q.workers,
		Logger:               slog.New(levelFloor{q.log.Handler(), slog.LevelWarn}),
		JobTimeout:           min(jobTimeout, q.RescueAfter), // River wants it so
		RescueStuckJobsAfter: q.RescueAfter,
		FetchCooldown:        50 * time.Millisecond,
		FetchPollInterval:    200 * time.Millisecond,
	}
	var err error
	switch {
	case len(q.queues) == 0: // loops only
	case db.IsPostgres(q.db.DB):
		err = q.startPostgres(ctx, config)
	default:
		err = q.startSQLite(ctx, config)
	}
	if err != nil {
		return fmt.Errorf("cannot start the job queue: %w", err)
	}
	for _, l := range q.loops {
		l.start(ctx, q.log)
	}
	return nil
}

// startPostgres works on a pgx pool of its own, which has LISTEN: a job starts
// within milliseconds of its commit.
func (q *Queue) startPostgres(ctx context.Context, config *river.Config) error {
	pool, err := pgxpool.New(ctx, q.db.URL())
	if err != nil {
		return err
	}
	// River rescues what a dead process left behind, but only once a leader has
	// lived for half a minute. A start need not wait for that.
	_, err = pool.Exec(ctx, "UPDATE river_job SET state = 'available' WHERE state = 'running' AND attempted_at < $1", time.Now().Add(-q.RescueAfter))
	if err != nil {
		pool.Close()
		return err
	}
	client, err := river.NewClient[pgx.Tx](riverpgxv5.New(pool), config)
	if err == nil {
		err = client.Start(ctx)
	}
	if err != nil {
		pool.Close()
		return err
	}
	q.stop = func(ctx context.Context) error { err := client.Stop(ctx); pool.Close(); return err }
	return nil
}

// startSQLite works on a pool of one connection, as the driver asks. The data
// folder belongs to this process alone, so whatever is marked as running was
// left by a dead one and is taken up at once.
func (q *Queue) startSQLite(ctx context.Context, config *river.Config) error {
	pool, err := db.OpenSQLite(q.db.SQLitePath(), 1)
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, "UPDATE river_job SET state = 'available' WHERE state = 'running'")
	var client *river.Client[*sql.Tx]
	if err == nil {
		client, err = river.NewClient(riversqlite.New(pool), config)
	}
	if err == nil {
		err = client.Start(ctx)
	}
	if err != nil {
		pool.Close()
		return err
	}
	q.stop = func(ctx context.Context) error { err := client.Stop(ctx); pool.Close(); return err }
	return nil
}

// Stop lets running jobs finish until the context ends.
func (q *Queue) Stop(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, l := range q.loops {
		wg.Go(l.stop)
	}
	wg.Wait()
	if q.stop == nil {
		return nil
	}
	if err := q.stop(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("cannot stop the job queue: %w", err)
	}
	return nil
}

// levelFloor drops River's own chatter below a level.
type levelFloor struct {
	slog.Handler
	floor slog.Level
}

func (h levelFloor) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.floor && h.Handler.Enabled(ctx, l)
}

func (h levelFloor) WithAttrs(a []slog.Attr) slog.Handler {
	return levelFloor{h.Handler.WithAttrs(a), h.floor}
}

func (h levelFloor) WithGroup(g string) slog.Handler {
	return levelFloor{h.Handler.WithGroup(g), h.floor}
}
