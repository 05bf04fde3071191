package receiptapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// submission is a checked submit on its way into the database.
type submission struct {
	caller *caller
	app    *Application
	order  orders.Incoming

	short bool // the tenant's money does not last for it: nothing was kept

	turn chan error // buffered; see acceptor
}

// maxGroup is how many submissions one transaction takes.
const maxGroup = 100

// commitTimeout bounds a transaction; the calls of clients that hang up early are
// in it too, so their contexts are not used.
const commitTimeout = 30 * time.Second

// acceptor commits submissions in groups: while one transaction is being made
// durable, those that arrive gather for the next. Alone, a submission waits for
// nobody. There is no goroutine of its own: the caller that finds the acceptor idle
// commits, and hands over to the first that gathered meanwhile.
type acceptor struct {
	commit func(context.Context, []*submission) error

	mu      sync.Mutex
	busy    bool
	waiting []*submission
}

// errLead tells a waiting submission that it commits the next group.
var errLead = errors.New("the next group is yours")

// add returns when the submission is committed, or has failed.
func (a *acceptor) add(ctx context.Context, s *submission) error {
	s.turn = make(chan error, 1)
	a.mu.Lock()
	a.waiting = append(a.waiting, s)
	if a.busy {
		a.mu.Unlock()
		if err := <-s.turn; err != errLead {
			return err
		}
		a.mu.Lock()
	}
	a.busy = true
	n := min(len(a.waiting), maxGroup)
	group := a.waiting[:n:n]
	a.waiting = slices.Clone(a.waiting[n:])
	a.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	err := a.commit(ctx, group)

	a.mu.Lock()
	if a.busy = len(a.waiting) > 0; a.busy {
		a.waiting[0].turn <- errLead
	}
	a.mu.Unlock()
	for _, other := range group {
		if other != s {
			other.turn <- err
		}
	}
	return err
}

// commit writes a group: applications, their orders, and the jobs that go on with
// them, in one transaction and with as many statements for a hundred as for one.
func (s *Service) commit(ctx context.Context, group []*submission) error {
	byTenant := map[string][]*submission{}
	for _, sub := range group {
		id := sub.caller.scope.TenantID()
		byTenant[id] = append(byTenant[id], sub)
	}
	ids := make([]string, 0, len(byTenant))
	for id := range byTenant {
		ids = append(ids, id)
	}
	slices.Sort(ids) // locks are taken in one order
	now := s.Now()
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var taken []*submission
		for _, id := range ids {
			part, err := s.takeIn(ctx, tx, byTenant[id][0].caller.scope, byTenant[id])
			if err != nil {
				return err
			}
			taken = append(taken, part...)
		}
		if len(taken) == 0 {
			return nil
		}
		numbers, err := nextNumbers(ctx, tx, len(taken), now)
		if err != nil {
			return err
		}
		apps, work := make([]*Application, len(taken)), make([]river.JobArgs, len(taken))
		for i, sub := range taken {
			a := sub.app
			a.TenantID, a.ID, a.ApplicationNo = sub.caller.scope.TenantID(), db.NewID(), numbers[i]
			a.KeyID, a.Test, a.Status, a.FileToken, a.SubmittedAt = sub.caller.key.ID, sub.caller.key.Test, providers.StatusPending, newToken(), now
			apps[i], work[i] = a, intakeArgs{Tenant: a.TenantID, Application: a.ID}
		}
		if _, err := tx.NewInsert().Model(&apps).Exec(ctx); err != nil {
			return fmt.Errorf("cannot insert the applications: %w", err)
		}
		return s.Jobs.EnqueueTx(ctx, tx, work...)
	})
	if err != nil {
		return fmt.Errorf("cannot accept: %w", err)
	}
	return nil
}

// takeIn makes the orders of one tenant's submissions, as far as its money lasts,
// and returns those. The others are marked: each was a call of its own, so that
// none is refused for the sake of the next.
func (s *Service) takeIn(ctx context.Context, tx bun.Tx, sc tenants.Scope, group []*submission) ([]*submission, error) {
	in := make([]orders.Incoming, len(group))
	for i, sub := range group {
		in[i] = sub.order
	}
	n, err := s.Orders.Affordable(ctx, tx, sc, in)
	if err != nil {
		return nil, err
	}
	for i, sub := range group {
		sub.short = i >= n
	}
	if n == 0 {
		return nil, nil
	}
	list, err := s.Orders.TakeIn(ctx, tx, sc, in[:n])
	if err != nil {
		return nil, err
	}
	for i, o := range list {
		group[i].app.OrderID = o.ID
	}
	return group[:n], nil
}

// nextNumbers makes n application numbers like RA20231201143059001: the Chinese
// time and a sequence within its second. After 999 in a second the sequence runs on
// into the digits of the seconds, so a number is a number and its digits mean
// nothing. They are unique over all tenants and processes.
func nextNumbers(ctx context.Context, tx bun.Tx, n int, now time.Time) ([]string, error) {
	second, err := strconv.ParseInt(now.In(china).Format("20060102150405"), 10, 64)
	if err != nil {
		return nil, err
	}
	row := &numbers{ID: 1, Last: second*1000 + int64(n)}
	_, err = tx.NewInsert().Model(row).On("CONFLICT (id) DO UPDATE").
		Set("last = CASE WHEN num.last + ? > EXCLUDED.last THEN num.last + ? ELSE EXCLUDED.last END", n, n).Returning("last").Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot take application numbers: %w", err)
	}
	out := make([]string, n)
	for i := range out {
		out[i] = "RA" + strconv.FormatInt(row.Last-int64(n-1-i), 10)
	}
	return out, nil
}
