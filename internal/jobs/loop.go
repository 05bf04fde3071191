package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Loop calls a function again and again: when rung, when the time it asked for
// has come, and at the latest after the interval. The function finds its work in
// the database, so a lost ring costs time and nothing else.
type Loop struct {
	name     string
	interval time.Duration
	sweep    func(context.Context) (next time.Duration, err error)
	bell     chan struct{}
	cancel   context.CancelFunc
	done     chan struct{}
}

// AddLoop declares a loop. The sweep returns how soon it wants to run again; 0
// means at the interval.
func (q *Queue) AddLoop(name string, interval time.Duration, sweep func(context.Context) (time.Duration, error)) *Loop {
	l := &Loop{name: name, interval: interval, sweep: sweep, bell: make(chan struct{}, 1)}
	q.loops = append(q.loops, l)
	return l
}

// Ring makes the loop run soon. It never blocks.
func (l *Loop) Ring() {
	select {
	case l.bell <- struct{}{}:
	default:
	}
}

func (l *Loop) start(ctx context.Context, log *slog.Logger) {
	ctx, l.cancel = context.WithCancel(ctx)
	l.done = make(chan struct{})
	go func() {
		defer close(l.done)
		for {
			next, err := l.once(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				log.ErrorContext(ctx, "loop failed", "loop", l.name, "error", err)
			}
			if next <= 0 || next > l.interval {
				next = l.interval
			}
			select {
			case <-ctx.Done():
				return
			case <-l.bell:
			case <-time.After(next):
			}
		}
	}()
}

// once turns a panic into an error: one bad row must not end the loop.
func (l *Loop) once(ctx context.Context) (next time.Duration, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return l.sweep(ctx)
}

func (l *Loop) stop() {
	if l.cancel != nil {
		l.cancel()
		<-l.done
	}
}
