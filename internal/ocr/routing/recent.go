package routing

import (
	"sync"
	"time"
)

// stale is how old a remembered row may be. What must not be wrong is looked at again when a call is claimed.
const stale = 2 * time.Second

// recent remembers rows that are asked for with every picture.
type recent[K comparable, V any] struct {
	mu   sync.Mutex
	rows map[K]dated[V]
}

type dated[V any] struct {
	value V
	at    time.Time
}

func newRecent[K comparable, V any]() *recent[K, V] { return &recent[K, V]{rows: map[K]dated[V]{}} }

// get returns what is remembered, or loads it.
func (r *recent[K, V]) get(key K, now time.Time, load func() (V, error)) (V, error) {
	r.mu.Lock()
	row, ok := r.rows[key]
	r.mu.Unlock()
	if age := now.Sub(row.at); ok && age >= 0 && age < stale {
		return row.value, nil
	}
	value, err := load()
	if err != nil {
		return value, err
	}
	r.mu.Lock()
	r.rows[key] = dated[V]{value, now}
	r.mu.Unlock()
	return value, nil
}

func (r *recent[K, V]) forget(key K) {
	r.mu.Lock()
	delete(r.rows, key)
	r.mu.Unlock()
}
