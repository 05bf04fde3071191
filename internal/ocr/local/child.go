package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"huizhi/internal/ocr"
)

// errDied is the outcome of requests whose process ended before the answer.
var errDied = errors.New("OCR process died")

// child is a running process that has loaded its engine.
type child struct {
	command *exec.Cmd
	stdin   io.Closer
	sender  sender
	stderr  *tail
	dead    chan struct{} // closed when the process has ended and nothing more will come

	mu      sync.Mutex
	next    uint32
	waiting map[uint32]chan []byte
}

// environment of the child: nothing that is secret. A native library at work
// on strangers' pictures has no business with the server's keys.
func environment() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "GOMAXPROCS", "GOCOVERDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// startChild starts a process and waits until its engine is loaded.
func startChild(argv []string, patience time.Duration) (*child, error) {
	c := &child{
		command: exec.Command(argv[0], argv[1:]...),
		stderr:  &tail{}, dead: make(chan struct{}), waiting: map[uint32]chan []byte{},
	}
	c.command.Env = environment()
	c.command.Stderr = c.stderr
	stdin, err := c.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.stdin, c.sender.w = stdin, stdin
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	loaded := make(chan struct{})
	go c.listen(stdout, loaded)
	select {
	case <-loaded:
		return c, nil
	case <-c.dead:
		return nil, fmt.Errorf("%w while loading: %s", errDied, c.stderr)
	case <-time.After(patience):
		c.kill()
		<-c.dead
		return nil, fmt.Errorf("OCR process not ready after %s", patience)
	}
}

// listen hands out the answers until the process ends.
func (c *child) listen(stdout io.Reader, loaded chan<- struct{}) {
	for {
		m, err := receive(stdout)
		if err != nil {
			break
		}
		switch m.kind {
		case ready:
			close(loaded)
		case answer:
			c.mu.Lock()
			if to, ok := c.waiting[m.request]; ok {
				to <- m.payload // has room for it
				delete(c.waiting, m.request)
			}
			c.mu.Unlock()
		}
	}
	c.kill() // also if it lives and only its answers cannot be understood
	_ = c.command.Wait()
	close(c.dead)
}

// read has a picture read. It returns only when the child is done with it, is
// dead, or has used up the time, in which case it is killed. When the context
// ends the child is told to give up.
func (c *child) read(ctx context.Context, image []byte, timeout time.Duration) (*ocr.Reading, error) {
	to := make(chan []byte, 1)
	c.mu.Lock()
	c.next++
	request := c.next
	c.waiting[request] = to
	c.mu.Unlock()

	timer := time.NewTimer(timeout)
	defer timer.Stop()
	// Writing blocks while the child does not read; the timer must run meanwhile.
	go func() { _ = c.sender.send(message{kind: read, request: request, payload: image}) }()
	stop := context.AfterFunc(ctx, func() { _ = c.sender.send(message{kind: cancel, request: request}) })
	defer stop()

	select {
	case payload := <-to:
		return decodeReply(payload)
	case <-timer.C:
		c.kill()
		<-c.dead
		return nil, ocr.ErrTimeout
	case <-c.dead:
		select {
		case payload := <-to: // it came with its last breath
			return decodeReply(payload)
		default:
			return nil, errDied
		}
	}
}

// gone reports whether the process has ended.
func (c *child) gone() bool {
	select {
	case <-c.dead:
		return true
	default:
		return false
	}
}

func (c *child) kill() { _ = c.command.Process.Kill() }

// stop asks the process to end and kills it if it does not.
func (c *child) stop(patience time.Duration) {
	_ = c.stdin.Close()
	select {
	case <-c.dead:
	case <-time.After(patience):
		c.kill()
		<-c.dead
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	end []byte
}

const tailSize = 2048

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	if over := len(t.end) - tailSize; over > 0 {
		t.end = t.end[over:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.end)
}
