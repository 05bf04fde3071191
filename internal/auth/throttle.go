package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
)

// Limit is how many failures of one thing are free before its next tries wait:
// of an e-mail, of an address, of a link.
type Limit struct {
	Key  string // kept as its hash
	Free int64
}

// loginFailures counts the failures of one Limit.
type loginFailures struct {
	bun.BaseModel `bun:"table:login_failures,alias:lf"`
	KeyHash       string `bun:",pk"`
	Failures      int64
	BlockedUntil  time.Time
	UpdatedAt     time.Time
}

// Try counts a failure of each limit before the try is made, so that many tries at
// once gain nothing, or says how long the next one has to wait; then nothing is
// counted. Past the free tries the wait doubles from 2 s to 15 min; an hour without
// a failure starts afresh. Passed takes the failure back.
func (s *Service) Try(ctx context.Context, now time.Time, limits ...Limit) (wait time.Duration, err error) {
	limits = inOrder(limits)
	err = s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		rows := make([]*loginFailures, len(limits))
		for i, l := range limits {
			row := &loginFailures{KeyHash: hashKey(l.Key), BlockedUntil: now, UpdatedAt: now}
			if _, err := tx.NewInsert().Model(row).On("CONFLICT (key_hash) DO NOTHING").Exec(ctx); err != nil {
				return fmt.Errorf("cannot count the try: %w", err)
			}
			if err := tx.NewSelect().Model(row).WherePK().Apply(db.ForUpdate(tx)).Scan(ctx); err != nil {
				return fmt.Errorf("cannot read the failures: %w", err)
			}
			wait = max(wait, row.BlockedUntil.Sub(now))
			rows[i] = row
		}
		if wait > 0 {
			return nil
		}
		for i, row := range rows {
			if now.Sub(row.UpdatedAt) > time.Hour {
				row.Failures = 0
			}
			row.Failures++
			row.UpdatedAt, row.BlockedUntil = now, now
			if over := row.Failures - limits[i].Free; over >= 0 {
				row.BlockedUntil = now.Add(min(2*time.Second<<min(over, 20), 15*time.Minute))
			}
			if _, err := tx.NewUpdate().Model(row).WherePK().Exec(ctx); err != nil {
				return fmt.Errorf("cannot count the try: %w", err)
			}
		}
		return nil
	})
	return wait, err
}

// Passed takes back what Try has counted for a try that was no failure: the first
// limit, which is that of who tries, starts afresh; the others count one less.
func (s *Service) Passed(ctx context.Context, limits ...Limit) error {
	return s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for _, l := range inOrder(limits) {
			var err error
			if l == limits[0] {
				_, err = tx.NewDelete().Model((*loginFailures)(nil)).Where("key_hash = ?", hashKey(l.Key)).Exec(ctx)
			} else {
				_, err = tx.NewUpdate().Model((*loginFailures)(nil)).Set("failures = failures - 1").
					Set("blocked_until = CASE WHEN failures <= ? THEN updated_at ELSE blocked_until END", l.Free).
					Where("key_hash = ? AND failures > 0", hashKey(l.Key)).Exec(ctx)
			}
			if err != nil {
				return fmt.Errorf("cannot forget the failure: %w", err)
			}
		}
		return nil
	})
}

// inOrder is the order in which rows are locked, so that nobody waits in a circle.
func inOrder(limits []Limit) []Limit {
	return slices.SortedFunc(slices.Values(limits), func(a, b Limit) int { return strings.Compare(hashKey(a.Key), hashKey(b.Key)) })
}

func hashKey(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
