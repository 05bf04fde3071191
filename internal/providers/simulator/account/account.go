// Package account is a customer's account at one of the simulated OCR providers: how many calls are left, how many a
// second it may make, and the books of what was answered and charged.
package account

import (
	"maps"
	"sync"

	"golang.org/x/time/rate"
)

// Config limits an account. The zero value has no limits.
type Config struct {
	Calls int // charged calls that the account may make; 0 means no limit, a negative number none
	QPS   int // requests per second; 0 means no limit
}

// Stats are an account's books since it was opened.
type Stats struct {
	Answers map[int]int `json:"answers"` // by code
	Charged int         `json:"charged"` // calls
	// Warnings are requests that were served, but not as the document has them: pyi.charset (Content-Type without
	// charset=utf-8), pyi.format (missing), xinhuo.type_number (no string), xinhuo.tiff (40301 does not allow it).
	Warnings map[string]int `json:"warnings"`
}

// Account is safe for concurrent use.
type Account struct {
	limit *rate.Limiter

	mu      sync.Mutex
	limited bool
	left    int // calls, when limited
	stats   Stats
}

// New opens an account.
func New(c Config) *Account {
	a := &Account{
		limit: rate.NewLimiter(rate.Inf, 0), limited: c.Calls != 0, left: max(0, c.Calls),
		stats: Stats{Answers: make(map[int]int), Warnings: make(map[string]int)},
	}
	if c.QPS > 0 {
		a.limit = rate.NewLimiter(rate.Limit(c.QPS), c.QPS)
	}
	return a
}

// Allow counts a request against the rate, and reports whether it is within.
func (a *Account) Allow() bool { return a.limit.Allow() }

// Reserve takes a call off the account, or reports that none is left. Settle must follow.
func (a *Account) Reserve() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.limited {
		return true
	}
	if a.left <= 0 {
		return false
	}
	a.left--
	return true
}

// Settle charges a reserved call, or gives it back.
func (a *Account) Settle(charged bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case charged:
		a.stats.Charged++
	case a.limited:
		a.left++
	}
}

// Left returns how many calls are left, and whether there is a limit at all.
func (a *Account) Left() (calls int, limited bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.left, a.limited
}

// Add tops the account up; a negative number takes calls away. An account without a limit gets one by this.
func (a *Account) Add(calls int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.limited, a.left = true, a.left+calls
}

// Answered enters an answer's code into the books.
func (a *Account) Answered(code int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stats.Answers[code]++
}

// Warn notes that a request was served although the document wants it otherwise.
func (a *Account) Warn(about string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stats.Warnings[about]++
}

// Stats returns the books.
func (a *Account) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.stats
	s.Answers, s.Warnings = maps.Clone(s.Answers), maps.Clone(s.Warnings)
	return s
}
