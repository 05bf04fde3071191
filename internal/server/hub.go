package server

import "sync"

// hub wakes the pages that watch a batch. A wake-up says only that something
// changed; the watcher reads the database. It reaches this process alone, so
// watchers look now and then without being woken, too.
type hub struct {
	mu       sync.Mutex
	watchers map[string]map[chan struct{}]struct{}
}

func newHub() *hub { return &hub{watchers: map[string]map[chan struct{}]struct{}{}} }

// watch returns a channel that holds a token after each change of any of the keys, and
// its release.
func (h *hub) watch(keys ...string) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, key := range keys {
		if h.watchers[key] == nil {
			h.watchers[key] = map[chan struct{}]struct{}{}
		}
		h.watchers[key][c] = struct{}{}
	}
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, key := range keys {
			delete(h.watchers[key], c)
			if len(h.watchers[key]) == 0 {
				delete(h.watchers, key)
			}
		}
	}
}

// wake never blocks: a watcher that has a token already will look anyway.
func (h *hub) wake(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.watchers[key] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
