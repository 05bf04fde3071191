package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"huizhi/internal/ocr"
)

// TestMain lets the test binary be its own child process: its "pictures" are
// orders to a fake engine.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "ocr-child" {
		if strings.HasSuffix(os.Args[2], "broken") {
			fmt.Fprintln(os.Stderr, "cannot load")
			os.Exit(1)
		}
		if err := serve(os.Stdin, os.Stdout, orders{}); err != nil {
			os.Exit(2)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// orders is the engine of the child: it does what the picture says.
type orders struct{}

func (orders) Name() string                 { return "orders" }
func (orders) Health(context.Context) error { return nil }
func (orders) Close() error                 { return nil }

func (orders) Capabilities() ocr.Capabilities { return ocr.Capabilities{} }

func (orders) Read(ctx context.Context, request ocr.Request) (*ocr.Reading, error) {
	order, argument, _ := strings.Cut(string(request.Image), " ")
	switch order {
	case "die":
		os.Exit(139)
	case "die-once": // argument: a file that tells whether it did
		if _, err := os.Stat(argument); err != nil {
			if err := os.WriteFile(argument, nil, 0o600); err != nil {
				return nil, err
			}
			os.Exit(139)
		}
	case "hang":
		select {}
	case "wait": // argument: a file at whose appearance to answer, after telling so by another
		if err := os.WriteFile(argument+".begun", nil, 0o600); err != nil {
			return nil, err
		}
		for ctx.Err() == nil {
			if _, err := os.Stat(argument); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), os.WriteFile(argument+".cancelled", nil, 0o600))
		}
	case "garbage":
		return nil, fmt.Errorf("%w: no picture", ocr.ErrUnreadable)
	case "noise":
		fmt.Println("something that is no message at all, on the pipe of the answers")
	}
	return &ocr.Reading{
		Type: ocr.IDCardFront, TextLines: os.Getpid(),
		Fields: ocr.Fields{ocr.Address: {Value: string(request.Image)}},
		Crops:  map[ocr.FieldName][]byte{ocr.Name: {1, 2, 3}},
	}, nil
}

func start(t *testing.T, change func(*Config)) *Reader {
	t.Helper()
	config := Config{
		Dir: t.TempDir(), Exec: []string{os.Args[0], "ocr-child"}, Workers: 2, Timeout: 20 * time.Second,
		Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&config)
	}
	r := New(config)
	r.installed = func(string) error { return nil }
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// pid reads a picture and returns the number of the process that did.
func pid(t *testing.T, r *Reader) int {
	t.Helper()
	reading, err := r.Read(t.Context(), ocr.Request{Image: []byte("echo")})
	if err != nil {
		t.Fatal(err)
	}
	return reading.TextLines
}

// begin starts the reading of a picture and waits until the child is at it.
func begin(t *testing.T, ctx context.Context, r *Reader) (file string, outcome <-chan error) {
	t.Helper()
	file = t.TempDir() + "/go"
	done := make(chan error, 1)
	go func() {
		_, err := r.Read(ctx, ocr.Request{Image: []byte("wait " + file)})
		done <- err
	}()
	appear(t, file+".begun")
	return file, done
}

// appear waits for a file.
func appear(t *testing.T, file string) {
	t.Helper()
	for t.Context().Err() == nil {
		if _, err := os.Stat(file); err == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// process is the child at the moment.
func process(r *Reader) *child {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.child
}

func touch(t *testing.T, file string) {
	t.Helper()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReadingsComeBackWholeFromOneProcess(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	var wg sync.WaitGroup
	pids := make([]int, 20)
	for i := range pids {
		wg.Go(func() {
			picture := fmt.Sprint("echo ", i)
			reading, err := r.Read(t.Context(), ocr.Request{Image: []byte(picture)})
			if err != nil {
				t.Error(err)
				return
			}
			if reading.Fields[ocr.Address].Value != picture || !bytes.Equal(reading.Crops[ocr.Name], []byte{1, 2, 3}) {
				t.Errorf("got %+v", reading)
			}
			pids[i] = reading.TextLines
		})
	}
	wg.Wait()
	for _, p := range pids {
		if p != pids[0] || p == os.Getpid() {
			t.Fatalf("read by processes %v, this one is %d", pids, os.Getpid())
		}
	}
}

func TestNothingRunsBeforeTheFirstPicture(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	if err := r.Health(t.Context()); err != nil {
		t.Error(err)
	}
	if process(r) != nil {
		t.Error("a child is running")
	}
}

func TestAMissingEngineIsUnavailable(t *testing.T) {
	t.Parallel()
	r := New(Config{Dir: t.TempDir() + "/none", Exec: []string{os.Args[0], "ocr-child"}})
	if err := r.Health(t.Context()); !errors.Is(err, ocr.ErrUnavailable) {
		t.Errorf("Health: %v", err)
	}
	if _, err := r.Read(t.Context(), ocr.Request{Image: []byte("echo")}); !errors.Is(err, ocr.ErrUnavailable) {
		t.Errorf("Read: %v", err)
	}
}

func TestAnEngineThatDoesNotLoadIsUnavailableAndNotTriedAgainAtOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := start(t, func(c *Config) {
		c.Dir += "/broken"
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	for range 3 {
		if _, err := r.Read(t.Context(), ocr.Request{Image: []byte("echo")}); !errors.Is(err, ocr.ErrUnavailable) {
			t.Fatalf("Read: %v", err)
		}
	}
	if err := r.Health(t.Context()); !errors.Is(err, ocr.ErrUnavailable) {
		t.Errorf("Health: %v", err)
	}
	if starts := strings.Count(log.String(), "does not start"); starts != 1 {
		t.Errorf("tried %d times", starts)
	}
	if !strings.Contains(log.String(), "cannot load") {
		t.Errorf("the log does not tell why: %s", log.String())
	}
}

func TestAPictureThatCrashesTheEngineIsUnreadable(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	before := pid(t, r)
	if _, err := r.Read(t.Context(), ocr.Request{Image: []byte("die")}); !errors.Is(err, ocr.ErrUnreadable) {
		t.Errorf("got %v", err)
	}
	if after := pid(t, r); after == before {
		t.Error("the same process goes on")
	}
}

func TestACrashDoesNotFailThePicturesBesideIt(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	file, beside := begin(t, t.Context(), r)
	first := process(r)
	crashing := make(chan error, 1)
	go func() {
		_, err := r.Read(t.Context(), ocr.Request{Image: []byte("die")})
		crashing <- err
	}()
	<-first.dead
	touch(t, file)
	if err := <-crashing; !errors.Is(err, ocr.ErrUnreadable) {
		t.Errorf("the crashing picture: %v", err)
	}
	if err := <-beside; err != nil {
		t.Errorf("the picture beside it: %v", err)
	}
}

func TestAChildKilledFromOutsideIsReplaced(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	file, outcome := begin(t, t.Context(), r)
	if err := os.Remove(file + ".begun"); err != nil {
		t.Fatal(err)
	}
	process(r).kill()
	appear(t, file+".begun") // again, by another process
	touch(t, file)
	if err := <-outcome; err != nil {
		t.Errorf("got %v", err)
	}
}

func TestAPictureThatCrashedItByChanceIsReadAtTheSecondTry(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	if _, err := r.Read(t.Context(), ocr.Request{Image: []byte("die-once " + t.TempDir() + "/died")}); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestCrashesInARowArePutDownToTheEngine(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	var err error
	for range 1 + toleratedDeaths/2 {
		_, err = r.Read(t.Context(), ocr.Request{Image: []byte("die")})
	}
	if !errors.Is(err, ocr.ErrUnavailable) {
		t.Errorf("the last: %v", err)
	}
	if err := r.Health(t.Context()); !errors.Is(err, ocr.ErrUnavailable) {
		t.Errorf("Health: %v", err)
	}
}

func TestAPictureThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *Config) { c.Timeout = 200 * time.Millisecond })
	if _, err := r.Read(t.Context(), ocr.Request{Image: []byte("hang")}); !errors.Is(err, ocr.ErrTimeout) {
		t.Errorf("got %v", err)
	}
	pid(t, r)
}

func TestGarbageIsUnreadableAndHarmless(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	before := pid(t, r)
	for _, picture := range []string{"garbage", ""} {
		if _, err := r.Read(t.Context(), ocr.Request{Image: []byte(picture)}); !errors.Is(err, ocr.ErrUnreadable) {
			t.Errorf("%q: got %v", picture, err)
		}
	}
	if pid(t, r) != before {
		t.Error("the process was replaced")
	}
}

func TestAChildThatTalksNonsenseIsReplaced(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	if _, err := r.Read(t.Context(), ocr.Request{Image: []byte("noise")}); !errors.Is(err, ocr.ErrUnreadable) {
		t.Errorf("got %v", err)
	}
	pid(t, r)
}

func TestCancellingReturnsAtOnceAndReachesTheChild(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	before := pid(t, r)
	ctx, cancel := context.WithCancel(t.Context())
	file, outcome := begin(t, ctx, r)
	cancel()
	if err := <-outcome; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	appear(t, file+".cancelled")
	if pid(t, r) != before {
		t.Error("the process was replaced")
	}
}

func TestAFullQueueIsBusy(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *Config) { c.Workers, c.Queue = 1, 1 })
	file, first := begin(t, t.Context(), r)
	second := make(chan error, 1)
	go func() {
		_, err := r.Read(t.Context(), ocr.Request{Image: []byte("echo")})
		second <- err
	}()
	for r.admitted.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	if _, err := r.Read(t.Context(), ocr.Request{Image: []byte("echo")}); !errors.Is(err, ocr.ErrBusy) {
		t.Errorf("the third: %v", err)
	}
	touch(t, file)
	if err := errors.Join(<-first, <-second); err != nil {
		t.Error(err)
	}
}

func TestAnIdleChildIsEndedAndStartedAgain(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *Config) { c.Idle = time.Millisecond })
	before := pid(t, r)
	for process(r) != nil {
		time.Sleep(time.Millisecond)
	}
	if pid(t, r) == before {
		t.Error("the same process goes on")
	}
}

func TestCloseEndsTheChildAndRefusesPictures(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	_, outcome := begin(t, t.Context(), r)
	child := process(r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if !child.gone() {
		t.Error("the child is running")
	}
	if err := <-outcome; !errors.Is(err, ocr.ErrUnavailable) {
		t.Errorf("the picture on the way: %v", err)
	}
	if _, err := r.Read(t.Context(), ocr.Request{Image: []byte("echo")}); !errors.Is(err, ocr.ErrUnavailable) {
		t.Errorf("a later one: %v", err)
	}
}

func TestTheChildEndsWithItsParent(t *testing.T) {
	t.Parallel()
	in, parent := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- serve(in, io.Discard, orders{}) }()
	parent.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestTheChildKnowsNoSecrets(t *testing.T) {
	t.Setenv("HUIZHI_SECRET_KEY", "secret")
	for _, variable := range environment() {
		if strings.HasPrefix(variable, "HUIZHI_") {
			t.Errorf("the child gets %s", variable)
		}
	}
}

func FuzzReceive(f *testing.F) {
	var b bytes.Buffer
	s := sender{w: &b}
	if err := s.send(message{kind: read, request: 7, payload: []byte("picture")}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := receive(bytes.NewReader(b))
		if err == nil && len(m.payload) > len(b) {
			t.Errorf("%d bytes out of %d", len(m.payload), len(b))
		}
		if err == nil && m.kind == answer {
			_, _ = decodeReply(m.payload)
		}
	})
}

func TestOtherDocumentsThanIDCardsAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	r := New(Config{Dir: t.TempDir()})
	_, err := r.Read(t.Context(), ocr.Request{Image: []byte("echo"), Document: ocr.Passport})
	if !errors.Is(err, ocr.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}
