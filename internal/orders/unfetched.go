package orders

import (
	"context"
	"regexp"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// The provider fetches the photo from us some time after the submit, once. When we
// are down at that moment the application fails, and neither the photo nor the
// person's data is at fault. The order says so, and is ready to be sent again as
// it is. It is not sent again by itself: a provider that calls an application
// failed and completes it later after all would be paid twice.

// KeyUnfetched is the catalogue key of that failure, kept in the attempt's ErrorKey.
const KeyUnfetched = "provider.unfetched"

// aboutFetching matches the provider's sentences about getting the photo, such as
// 证件照下载失败; there is no code for it. All that it decides is what is said.
var aboutFetching = regexp.MustCompile(`(?i)下载|获取|抓取|拉取|访问|download|fetch|retrieve|reach`)

// unfetched tells a failure that is ours: the provider says that it could not get
// the photo, and by our own record nobody ever came for it. A rehearsal's photo is
// not fetched at all.
func unfetched(a *Attempt, r providers.Result) bool {
	return r.Status == providers.StatusFailed && !a.Simulate && a.PhotoFetches == 0 && aboutFetching.MatchString(r.Message)
}

// fail ends an order whose application failed. The attempt is saved already.
func (s *Service) fail(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Attempt, o *Order, r providers.Result, now time.Time) error {
	o.Message = r.Message
	detail := map[string]string{"message": r.Message}
	if a.ErrorKey == KeyUnfetched {
		o.Message, detail["error"] = KeyUnfetched, KeyUnfetched
	}
	if err := move(ctx, tx, sc, o, StatusFailed, now); err != nil {
		return err
	}
	if err := s.followed(ctx, tx, sc, o, nil); err != nil {
		return err
	}
	if err := s.noteFailure(ctx, tx, sc, a, o, now); err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, &a.ID, EventFailed, ActorProvider, detail, now)
}
