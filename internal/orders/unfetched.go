package orders

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// The provider fetches the photo from us some time after the submit, once. When we
// are down at that moment the application fails, and neither the photo nor the
// person's data is at fault. A failed application costs nothing and is over, so the
// order may be sent again without asking anybody.

// KeyUnfetched is the catalogue key of that failure, kept in the attempt's ErrorKey.
const KeyUnfetched = "provider.unfetched"

// unfetchedAgain is how often in a row an order is sent again for it. After that
// something is wrong that waiting does not mend: a person must see it.
const unfetchedAgain = 2

// aboutFetching matches the provider's sentences about getting the photo, such as
// 证件照下载失败; there is no code for it. All that it decides is whether a free
// failure is tried again.
var aboutFetching = regexp.MustCompile(`(?i)下载|获取|抓取|拉取|访问|download|fetch|retrieve|reach`)

// unfetched tells a failure that is ours: the provider says that it could not get
// the photo, and by our own record nobody ever came for it. A rehearsal's photo is
// not fetched at all.
func unfetched(a *Attempt, r providers.Result) bool {
	return r.Status == providers.StatusFailed && !a.Simulate && a.PhotoFetches == 0 && aboutFetching.MatchString(r.Message)
}

// fail ends an order whose application failed, or queues it once more, see
// unfetched. The attempt is saved already.
func (s *Service) fail(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Attempt, o *Order, r providers.Result, now time.Time) error {
	o.Message = r.Message
	detail := map[string]string{"message": r.Message}
	before, err := s.unfetchedBefore(ctx, tx, sc, a)
	if err != nil {
		return err
	}
	again := a.ErrorKey == KeyUnfetched && before < unfetchedAgain
	if a.ErrorKey == KeyUnfetched {
		o.Message = KeyUnfetched
		detail["error"] = KeyUnfetched
	}
	wait := s.PollSchedule[min(before, len(s.PollSchedule)-1)]
	if err := move(ctx, tx, sc, o, StatusFailed, now); err != nil {
		return err
	}
	if err := s.noteFailure(ctx, tx, sc, a, o, now); err != nil {
		return err
	}
	if again {
		if again, err = s.holdAgain(ctx, tx, sc, o, now); err != nil {
			return err
		}
	}
	if again {
		detail["again"] = wait.String()
	}
	if err := record(ctx, tx, sc, o.ID, &a.ID, EventFailed, ActorProvider, detail, now); err != nil {
		return err
	}
	if !again {
		return s.followed(ctx, tx, sc, o, nil)
	}
	if err := move(ctx, tx, sc, o, StatusReady, now); err != nil {
		return err
	}
	return s.queueOrder(ctx, tx, sc, o, a.SubmittedBy, now.Add(wait)) // the sweep of the queue wakes a worker then
}

// unfetchedBefore counts the attempts right before this one that ended like that.
func (s *Service) unfetchedBefore(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Attempt) (int, error) {
	var keys []string
	err := tx.NewSelect().Model((*Attempt)(nil)).Column("error_key").ApplyQueryBuilder(sc.Where).
		Where("order_id = ? AND ordinal < ?", a.OrderID, a.Ordinal).Order("ordinal DESC").Limit(unfetchedAgain).Scan(ctx, &keys)
	if err != nil {
		return 0, fmt.Errorf("cannot look at the attempts of order %s: %w", a.OrderID, err)
	}
	n := 0
	for n < len(keys) && keys[n] == KeyUnfetched {
		n++
	}
	return n, nil
}
