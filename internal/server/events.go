package server

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"huizhi/internal/apperr"
	"huizhi/web/templates/batchview"
)

// The rhythm of a stream of events.
const (
	eventGap  = 500 * time.Millisecond // least time between two looks at the database
	eventTick = 3 * time.Second        // a look without being woken: other processes change batches, too
	eventBeat = 15 * time.Second       // something is sent at least this often, or proxies hang up
	// eventLife ends a stream; the browser opens the next one, and is asked anew
	// who it is.
	eventLife = 5 * time.Minute
)

// batchEvents tells an open page of a batch what changed, as server-sent events:
// "head", "steps" and "receipts" carry the new markup of these parts, "rows"
// says that the table should be fetched again.
func (s *Server) batchEvents(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	b, err := s.Orders.Batch(r.Context(), id.Scope(), r.PathValue("batch"))
	if err != nil {
		return err
	}
	control, stream := http.NewResponseController(w), beginEvents(w)
	ctx, cancel := context.WithTimeout(r.Context(), eventLife)
	defer cancel()
	woken, release := s.hub.watch(watchKey(id.Scope(), b.ID))
	defer release()
	tick := time.NewTicker(eventTick)
	defer tick.Stop()
	look := func(wake bool) error {
		m, err := s.batchSummary(ctx, id.Scope(), b)
		if err != nil {
			return err
		}
		return stream.summary(ctx, m, wake)
	}
	// A browser that comes back names the last event: rows may have changed while
	// it was away.
	for err = look(r.Header.Get("Last-Event-ID") != ""); err == nil; {
		if err = control.Flush(); err != nil {
			break
		}
		select {
		case <-ctx.Done():
			return nil
		case <-woken:
			err = look(true)
			if err == nil {
				err = control.Flush()
			}
			pause(ctx, eventGap)
		case <-tick.C:
			err = look(false)
		}
	}
	if ctx.Err() != nil || apperr.KindOf(err) == apperr.Internal && r.Context().Err() != nil {
		return nil // the page was closed
	}
	return err
}

// beginEvents answers with a stream of events.
func beginEvents(w http.ResponseWriter) *eventStream {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a connection without deadlines has nothing to be lifted
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	return &eventStream{w: w, sent: map[string]string{}}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// eventStream writes events and remembers what the page has already.
type eventStream struct {
	w      http.ResponseWriter
	sent   map[string]string
	begun  bool
	last   time.Time
	counts batchview.Summary
	// owed: the page was told of changed rows and may have missed it, since a
	// table that is being fetched does not fetch itself again. It is told once
	// more when things are quiet.
	owed bool
}

// summary sends those parts of the page that differ from what was sent before.
// The first call sends all of them: the page may be older than the stream.
func (e *eventStream) summary(ctx context.Context, m batchview.Summary, woken bool) error {
	for _, part := range []struct {
		event string
		view  templ.Component
	}{{"head", batchview.Head(m)}, {"steps", batchview.Steps(m)}, {"receipts", batchview.Receipts(m)}} {
		var buf bytes.Buffer
		if err := part.view.Render(ctx, &buf); err != nil {
			return err
		}
		if err := e.part(part.event, buf.String()); err != nil {
			return err
		}
	}
	changed := woken || e.begun && m != e.counts
	if changed || e.owed {
		if err := e.send("rows", "1"); err != nil {
			return err
		}
		e.owed = changed
	}
	e.begun, e.counts = true, m
	return e.beat()
}

// part sends a part of the page if it is not what was sent before.
func (e *eventStream) part(event, html string) error {
	if e.sent[event] == html {
		return nil
	}
	e.sent[event] = html
	return e.send(event, html)
}

// beat sends something after a long silence.
func (e *eventStream) beat() error {
	if time.Since(e.last) <= eventBeat {
		return nil
	}
	e.last = time.Now()
	_, err := fmt.Fprint(e.w, ": still here\n\n")
	return err
}

func (e *eventStream) send(event, data string) error {
	e.last = time.Now()
	_, err := fmt.Fprintf(e.w, "id: 1\nevent: %s\ndata: %s\n\n", event, strings.ReplaceAll(data, "\n", "\ndata: "))
	return err
}
