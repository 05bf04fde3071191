package local

import (
	"context"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"huizhi/internal/ocr"
	"huizhi/internal/ocr/ppocr"
)

// Serve is the main function of the child process: it loads the engine in dir
// and answers requests until in is closed, which also happens when the parent
// dies in whatever way. It is not meant to be called by people.
func Serve(in io.Reader, out io.Writer, dir string) error {
	// An interrupt at the terminal reaches the whole process group, but only the
	// parent knows when the last picture is read.
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	// If memory runs out, this process is the one to lose.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("800"), 0)

	engine, err := ppocr.Open(dir)
	if err != nil {
		return err
	}
	return serve(in, out, engine)
}

func serve(in io.Reader, out io.Writer, engine ocr.Reader) error {
	parent := &sender{w: out}
	if err := parent.send(message{kind: ready, payload: []byte(engine.Name())}); err != nil {
		return err
	}
	var mu sync.Mutex
	running := map[uint32]context.CancelFunc{}
	for {
		m, err := receive(in)
		if err == io.EOF {
			return nil // without waiting: nobody would hear the answers
		}
		if err != nil {
			return err
		}
		switch m.kind {
		case read:
			ctx, stop := context.WithCancel(context.Background())
			mu.Lock()
			running[m.request] = stop
			mu.Unlock()
			go func() {
				reading, err := engine.Read(ctx, ocr.Request{Image: m.payload})
				mu.Lock()
				delete(running, m.request)
				mu.Unlock()
				stop()
				// A failure to send means that the parent is gone; the loop will see it.
				_ = parent.send(message{kind: answer, request: m.request, payload: encodeReply(reading, err)})
			}()
		case cancel:
			mu.Lock()
			if stop, ok := running[m.request]; ok {
				stop()
			}
			mu.Unlock()
		}
	}
}
