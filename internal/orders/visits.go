package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/db"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// What the provider asks of us: to take its callbacks and to give it photos.
// Both addresses hold a random token of the attempt and nothing else.

var errNoToken = apperr.New(apperr.NotFound, "error.not_found")

// visitsKept bounds how many callbacks, and how many fetches of its photo, are
// written into the history of one attempt. All are answered.
const visitsKept = 20

// Callback takes a provider's notice. It is not signed, so it is a hint and no
// more: the application is queried soon. Of the body (nil: not known) only the
// claimed status is kept for the record, and the claimed number for an attempt
// whose answer was lost, to be confirmed by a query before anything is believed.
func (s *Service) Callback(ctx context.Context, callbackToken string, body []byte) error {
	a := new(Attempt)
	err := s.DB.NewSelect().Model(a).Where("callback_token = ?", callbackToken).Scan(ctx)
	if db.IsNoRows(err) {
		return errNoToken
	}
	if err != nil {
		return fmt.Errorf("cannot look up the callback: %w", err)
	}
	claimedNo, claims, parseErr := providers.ParseCallback(body)
	detail := map[string]string{"claims": "unreadable"}
	if parseErr == nil {
		detail["claims"] = "other"
		if claims.Known() {
			detail["claims"] = string(claims)
		}
	}
	sc, now := tenants.ForTenant(a.TenantID), s.now()
	soon := now.Add(s.GatherFor)
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if a.Live {
			q := tx.NewUpdate().Model((*Attempt)(nil)).Set("next_poll_at = CASE WHEN next_poll_at > ? THEN ? ELSE next_poll_at END", soon, soon).
				ApplyQueryBuilder(sc.Where).Where("id = ? AND live", a.ID)
			if a.ApplicationNo == nil && parseErr == nil && len(claimedNo) <= maxNumber {
				q = q.Set("hinted_no = ?", claimedNo)
			}
			if _, err := q.Exec(ctx); err != nil {
				return fmt.Errorf("cannot bring the query forward: %w", err)
			}
		}
		return recordVisit(ctx, tx, sc, a, EventCallback, detail, now)
	})
	if err != nil {
		return err
	}
	s.ring()
	return nil
}

// maxNumber bounds an application number that a callback claims.
const maxNumber = 64

// recordVisit notes a callback or a fetch, unless enough are noted already.
func recordVisit(ctx context.Context, tx bun.IDB, sc tenants.Scope, a *Attempt, kind EventKind, detail map[string]string, now time.Time) error {
	n, err := tx.NewSelect().Model((*Event)(nil)).ApplyQueryBuilder(sc.Where).
		Where("order_id = ? AND attempt_id = ? AND kind = ?", a.OrderID, a.ID, kind).Count(ctx)
	if err != nil {
		return fmt.Errorf("cannot count the visits: %w", err)
	}
	if n >= visitsKept {
		return nil
	}
	return record(ctx, tx, sc, a.OrderID, &a.ID, kind, ActorProvider, detail, now)
}

// ring makes the loops look now.
func (s *Service) ring() {
	if s.poll != nil {
		s.poll.Ring()
		s.reconcile.Ring()
	}
}

// PhotoForProvider opens a live attempt's photo and notes that it was fetched.
// Once the attempt has ended, or PhotoFor after it was sent, the address is
// worthless.
func (s *Service) PhotoForProvider(ctx context.Context, photoToken string) (*blob.Reader, error) {
	a := new(Attempt)
	err := s.DB.NewSelect().Model(a).Where("photo_token = ? AND live", photoToken).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, errNoToken
	}
	if err != nil {
		return nil, fmt.Errorf("cannot look up the photo: %w", err)
	}
	sc, now := tenants.ForTenant(a.TenantID), s.now()
	if a.DispatchedAt != nil && now.Sub(*a.DispatchedAt) > s.PhotoFor {
		return nil, errNoToken
	}
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*Attempt)(nil)).Set("photo_fetches = photo_fetches + 1").
			ApplyQueryBuilder(sc.Where).Where("id = ?", a.ID).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot count the fetch: %w", err)
		}
		return recordVisit(ctx, tx, sc, a, EventPhotoFetched, nil, now)
	})
	if err != nil {
		return nil, err
	}
	return s.Blobs.NewReader(ctx, a.PhotoKey)
}
