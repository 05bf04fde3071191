// Package local is the ocr.Reader of the server: the engine of package ppocr
// in a child process. The child is started when the first picture comes and
// ended when none has come for a while. Whatever a picture does to the native
// code - crash it, hang it - costs at most that picture: the child is started
// again, the pictures that were on the way are read once more, each alone, and
// only one that fails alone is refused.
package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"huizhi/internal/ocr"
	"huizhi/internal/ocr/idcard"
	"huizhi/internal/ocr/ppocr"
)

// Config tells what to run and within which bounds. Zero values mean the
// defaults named here.
type Config struct {
	// Dir has the models and the library, see build/ocr/install.sh.
	Dir string
	// Exec is the command line of a process that calls Serve, to which Dir is
	// appended: usually this program and its hidden subcommand.
	Exec []string
	// Workers is how many pictures are read at the same time: the number of
	// processors, at most 8. Each takes up to 100 MB besides the first.
	Workers int
	// Queue is how many more may wait: 64.
	Queue int
	// Timeout for one picture, without waiting: 10 s.
	Timeout time.Duration
	// Idle is after what time without a picture the child is ended: 5 minutes.
	Idle time.Duration
	// Logger is told of starts and deaths: slog.Default.
	Logger *slog.Logger
}

// Bounds that there is no reason to configure.
const (
	loadTimeout = 30 * time.Second
	stopTimeout = 2 * time.Second
	maxWorkers  = 8
	// toleratedDeaths in a row, no picture being read in between, put it down to
	// the pictures; more, to the engine.
	toleratedDeaths = 6
	firstBackoff    = time.Second
	maxBackoff      = time.Minute
)

func (c Config) withDefaults() Config {
	orElse := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	orElse(&c.Workers, min(runtime.NumCPU(), maxWorkers))
	orElse(&c.Queue, 64)
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Idle <= 0 {
		c.Idle = 5 * time.Minute
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// Reader reads in a child process. Make it with New, end it with Close.
type Reader struct {
	config    Config
	argv      []string
	installed func(dir string) error
	slots     *semaphore.Weighted // of the child: a picture takes one, or all to be alone
	admitted  atomic.Int64        // pictures waiting or being read
	starting  sync.Mutex          // held while a child is started, which takes long

	mu        sync.Mutex
	child     *child    // the current one, perhaps dead
	deaths    int       // since a picture was last read
	notBefore time.Time // of the next start
	idle      *time.Timer
	closed    bool
}

var _ ocr.Reader = (*Reader)(nil)

// New returns a Reader, whether or not the engine is installed: Health and Read
// tell. It starts nothing.
func New(config Config) *Reader {
	config = config.withDefaults()
	return &Reader{
		config:    config,
		argv:      append(slices.Clone(config.Exec), config.Dir),
		installed: ppocr.Installed,
		slots:     semaphore.NewWeighted(int64(config.Workers)),
	}
}

// Name implements ocr.Reader. A Reading names the very models.
func (r *Reader) Name() string { return "local" }

// Health implements ocr.Reader: it reports ocr.ErrUnavailable if the engine is
// not installed or has lately failed to start. It does not start it.
func (r *Reader) Health(context.Context) error {
	if err := r.installed(r.config.Dir); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refusal()
}

// Capabilities implements ocr.Reader.
func (r *Reader) Capabilities() ocr.Capabilities { return idcard.Capabilities() }

// Read implements ocr.Reader. The child finds out the side by itself, so the
// expected one does not go over to it.
func (r *Reader) Read(ctx context.Context, request ocr.Request) (*ocr.Reading, error) {
	if !r.Capabilities().Reads(request.Document) {
		return nil, ocr.ErrUnsupported
	}
	image := request.Image
	if len(image) == 0 || len(image) > maxPayload {
		return nil, fmt.Errorf("%w: %d bytes", ocr.ErrUnreadable, len(image))
	}
	if r.admitted.Add(1) > int64(r.config.Workers+r.config.Queue) {
		r.admitted.Add(-1)
		return nil, ocr.ErrBusy
	}
	defer r.admitted.Add(-1)

	reading, err := r.attempt(ctx, image, 1)
	if !errors.Is(err, errDied) {
		return reading, err
	}
	// It may have been another picture's doing.
	reading, err = r.attempt(ctx, image, int64(r.config.Workers))
	if !errors.Is(err, errDied) {
		return reading, err
	}
	if _, refused := r.current(); refused != nil { // it is not the picture
		return nil, refused
	}
	return nil, fmt.Errorf("%w: %w", ocr.ErrUnreadable, err)
}

// attempt reads a picture in a number of the child's slots. A caller whose
// context ends does not wait for the child, but the slots do.
func (r *Reader) attempt(ctx context.Context, image []byte, slots int64) (*ocr.Reading, error) {
	if err := r.slots.Acquire(ctx, slots); err != nil {
		return nil, err
	}
	type outcome struct {
		reading *ocr.Reading
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		defer r.slots.Release(slots)
		reading, err := r.exchange(ctx, image)
		done <- outcome{reading, err}
	}()
	select {
	case o := <-done:
		return o.reading, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (r *Reader) exchange(ctx context.Context, image []byte) (*ocr.Reading, error) {
	c, err := r.running()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	reading, err := c.read(ctx, image, r.config.Timeout)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.gone() {
		r.bury(c)
	} else {
		r.deaths = 0
	}
	r.restartIdleTimer()
	return reading, err
}

// running returns the child, started if need be.
func (r *Reader) running() (*child, error) {
	r.starting.Lock()
	defer r.starting.Unlock()
	if c, err := r.current(); c != nil || err != nil {
		return c, err
	}
	if err := r.installed(r.config.Dir); err != nil {
		return nil, err
	}
	start := time.Now()
	c, err := startChild(r.argv, loadTimeout)

	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.deaths = max(r.deaths, toleratedDeaths) + 1
		r.backOff()
		r.config.Logger.Error("OCR engine does not start", "error", err, "retry_in", time.Until(r.notBefore).Round(time.Second))
		return nil, fmt.Errorf("%w: %w", ocr.ErrUnavailable, err)
	}
	if r.closed { // meanwhile
		c.stop(stopTimeout)
		return nil, errClosed
	}
	r.config.Logger.Info("OCR engine started", "pid", c.command.Process.Pid, "took", time.Since(start).Round(time.Millisecond))
	r.child = c
	return c, nil
}

var errClosed = fmt.Errorf("%w: closed", ocr.ErrUnavailable)

// current returns the child if it lives, and an error if none may be started.
func (r *Reader) current() (*child, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errClosed
	}
	if r.child != nil && !r.child.gone() {
		return r.child, nil
	}
	r.bury(r.child)
	return nil, r.refusal()
}

// refusal is the error for the time in which no start is to be tried.
func (r *Reader) refusal() error {
	if r.deaths > toleratedDeaths && time.Now().Before(r.notBefore) {
		return fmt.Errorf("%w: failed %d times, waiting before the next start", ocr.ErrUnavailable, r.deaths)
	}
	return nil
}

// bury records the death of a child, once.
func (r *Reader) bury(c *child) {
	if c == nil || r.child != c {
		return
	}
	r.child = nil
	r.deaths++
	r.backOff()
	r.config.Logger.Warn("OCR engine died", "state", c.command.ProcessState.String(), "deaths", r.deaths, "stderr", c.stderr.String())
}

func (r *Reader) backOff() {
	if n := r.deaths - toleratedDeaths; n > 0 {
		r.notBefore = time.Now().Add(min(firstBackoff<<min(n-1, 10), maxBackoff))
	}
}

func (r *Reader) restartIdleTimer() {
	if r.idle != nil {
		r.idle.Stop()
	}
	r.idle = time.AfterFunc(r.config.Idle, r.endIdle)
}

// endIdle gives the child's memory back unless pictures came in the meantime.
func (r *Reader) endIdle() {
	if !r.slots.TryAcquire(int64(r.config.Workers)) {
		return
	}
	defer r.slots.Release(int64(r.config.Workers))
	r.mu.Lock()
	c := r.child
	r.child = nil
	r.mu.Unlock()
	if c != nil {
		c.stop(stopTimeout)
		r.config.Logger.Info("OCR engine ended: idle")
	}
}

// Close ends the child. Pictures on the way get an error.
func (r *Reader) Close() error {
	r.mu.Lock()
	c := r.child
	r.child, r.closed = nil, true
	if r.idle != nil {
		r.idle.Stop()
	}
	r.mu.Unlock()
	if c != nil {
		c.stop(stopTimeout)
	}
	return nil
}
