package receiptapi

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiters hold a token bucket per key. There are as many as keys in use, each of
// some eighty bytes, so none is ever thrown away.
type limiters struct {
	rate  rate.Limit
	burst int

	mu    sync.Mutex
	byKey map[string]*rate.Limiter
}

func (l *limiters) allow(keyID string, now time.Time) bool {
	l.mu.Lock()
	bucket := l.byKey[keyID]
	if bucket == nil {
		bucket = rate.NewLimiter(l.rate, l.burst)
		l.byKey[keyID] = bucket
	}
	l.mu.Unlock()
	return bucket.AllowN(now, 1)
}
