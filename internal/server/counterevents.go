package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"time"

	"huizhi/internal/tenants"
)

// counterWatch stands in the hub for all of a tenant's counter.
const counterWatch = "counter"

// counterEvents tells an open counter that something changed there: "counter" says
// that the screen should be fetched again.
func (s *Server) counterEvents(w http.ResponseWriter, r *http.Request) error {
	sc := identity(r).Scope()
	seen, err := s.counterState(r.Context(), sc)
	if err != nil {
		return err
	}
	stream := beginEvents(w)
	ctx, cancel := context.WithTimeout(r.Context(), eventLife)
	defer cancel()
	woken, release := s.hub.watch(watchKey(sc, counterWatch))
	defer release()
	tick := time.NewTicker(eventTick)
	defer tick.Stop()
	control := http.NewResponseController(w)
	// The page may be older than the stream.
	if err := stream.send("counter", "1"); err != nil {
		return nil
	}
	for {
		if control.Flush() != nil {
			return nil // the page was closed
		}
		select {
		case <-ctx.Done():
			return nil
		case <-woken:
			pause(ctx, eventGap/2)
		case <-tick.C:
		}
		now, err := s.counterState(ctx, sc)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case now != seen:
			seen, err = now, stream.send("counter", "1")
		case time.Since(stream.last) > eventBeat:
			err = stream.beat()
		}
		if err != nil {
			return nil
		}
	}
}

// counterState changes whenever something on the counter does.
func (s *Server) counterState(ctx context.Context, sc tenants.Scope) ([sha256.Size]byte, error) {
	list, err := s.Orders.Visits(ctx, sc)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	state := make([]any, 0, 4*len(list))
	for i := range list {
		v := &list[i]
		state = append(state, v.ID, v.Version)
		if v.Order != nil {
			state = append(state, v.Order.Version)
		}
		if v.Receipt != nil {
			state = append(state, v.Receipt.State)
		}
	}
	data, err := json.Marshal(state)
	return sha256.Sum256(data), err
}
