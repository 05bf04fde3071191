package receiptapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/internal/photos"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/providers"
	"huizhi/internal/safehttp"
	"huizhi/internal/tenants"
)

// intakeArgs fetches an application's photo and sends its order on.
type intakeArgs struct {
	Tenant      string `json:"tenant"`
	Application string `json:"application"`
}

func (intakeArgs) Kind() string                 { return "api_intake" }
func (intakeArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queuePhotos} }

// photoLimits are contracts for a photo's address: 20 MiB, 3 redirects.
var photoLimits = safehttp.Limits{MaxBytes: 20 << 20, Timeout: 30 * time.Second, Redirects: 3}

// workIntake takes one application from accepted to queued, or to failed. It may be
// cut off anywhere and run again: everything it does to the database is one
// transaction, and what is done already is not done twice.
func (s *Service) workIntake(ctx context.Context, args intakeArgs) error {
	sc := tenants.ForTenant(args.Tenant)
	a := new(Application)
	if err := s.DB.NewSelect().Model(a).ApplyQueryBuilder(sc.Where).Where("app.id = ?", args.Application).Scan(ctx); err != nil {
		return fmt.Errorf("cannot load application %s: %w", args.Application, err)
	}
	if a.CompletedAt != nil {
		return nil
	}
	o, err := s.Orders.Get(ctx, sc, a.OrderID)
	if err != nil {
		return err
	}
	content, err := s.photo(ctx, a)
	if err == nil {
		err = s.Photos.Deliver(ctx, sc, o.PhotoID, content, func(ctx context.Context, tx bun.Tx, pic *photos.Picture) error {
			err := s.Orders.Forward(ctx, tx, sc, o.ID, pic, tenants.KeyActor(a.KeyID))
			if reason, ok := fault(err); ok { // the photo stays, for a person to look at
				return s.refuse(ctx, tx, sc, a, reason)
			}
			return err
		})
	}
	reason, theirs := fault(err)
	switch {
	case err == nil:
		return nil
	case theirs && errors.Is(err, errTransient) && a.PhotoTries < len(s.PhotoWaits):
		return s.tryAgain(ctx, sc, a)
	case theirs:
		return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return s.refuse(ctx, tx, sc, a, reason) })
	default:
		return fmt.Errorf("cannot take application %s in: %w", a.ID, err) // the queue tries again
	}
}

// photo gets the picture's content. A simulated application is not worked on, so
// its address is not fetched: the document's own sample could not be.
func (s *Service) photo(ctx context.Context, a *Application) ([]byte, error) {
	if a.Simulate {
		return specimen(), nil
	}
	f, err := s.Web.Fetch(ctx, a.PhotoURL, photoLimits)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err() // the process stops, which is not the address's fault
		}
		return nil, fetchError(err)
	}
	switch imaging.Sniff(f.Body[:min(len(f.Body), imaging.SniffLen)]) {
	case imaging.JPEG, imaging.PNG:
		return f.Body, nil
	}
	return nil, apperr.New(apperr.Invalid, "receiptapi.photo.format")
}

// errTransient marks failures that may pass.
var errTransient = errors.New("may pass")

// fetchError says in the client's terms why a photo could not be fetched. No text
// names the address.
func fetchError(err error) error {
	refused := func(key string, args ...any) *apperr.Error { return apperr.New(apperr.Invalid, key, args...).Wrap(err) }
	var status *safehttp.StatusError
	switch {
	case errors.Is(err, safehttp.ErrForbidden):
		return refused("receiptapi.photo.forbidden")
	case errors.Is(err, safehttp.ErrTooLarge):
		return refused("receiptapi.photo.too_large", "limit", photoLimits.MaxBytes>>20)
	case errors.Is(err, safehttp.ErrTooManyRedirects):
		return refused("receiptapi.photo.redirects", "limit", photoLimits.Redirects)
	case errors.As(err, &status):
		e := refused("receiptapi.photo.status", "status", status.Code)
		if status.Code >= 500 || status.Code == http.StatusTooManyRequests || status.Code == http.StatusRequestTimeout {
			return e.Wrap(errTransient)
		}
		return e
	default:
		return refused("receiptapi.photo.unreachable").Wrap(errTransient)
	}
}

// fault tells whether an error is about the client's photo, and what is wrong.
func fault(err error) (*apperr.Error, bool) {
	var e *apperr.Error
	return e, errors.As(err, &e) && e.Kind == apperr.Invalid
}

// tryAgain counts a fetch that failed, and comes back later.
func (s *Service) tryAgain(ctx context.Context, sc tenants.Scope, a *Application) error {
	_, err := s.DB.NewUpdate().Model((*Application)(nil)).Set("photo_tries = photo_tries + 1").
		ApplyQueryBuilder(sc.Where).Where("id = ?", a.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot count the fetch of application %s: %w", a.ID, err)
	}
	return river.JobSnooze(s.PhotoWaits[a.PhotoTries])
}

// refuse ends an application whose photo cannot be used. Nothing was sent, nothing
// is charged.
func (s *Service) refuse(ctx context.Context, tx bun.Tx, sc tenants.Scope, a *Application, reason *apperr.Error) error {
	sentence := i18n.T(i18n.WithLang(ctx, i18n.ZH), reason.Key, reason.Args...)
	message := sentence
	if len(reason.Args) == 0 {
		message = reason.Key // the pages have it in the reader's language
	}
	if err := s.Orders.Refuse(ctx, tx, sc, a.OrderID, message); err != nil {
		return err
	}
	now := s.Now()
	return s.advance(ctx, tx, sc, a.OrderID, step{status: providers.StatusFailed, message: sentence, end: &now})
}
