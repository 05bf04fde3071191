package receiptapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/safehttp"
	"huizhi/internal/tenants"
)

// callbackArgs tells a client that its application has ended.
type callbackArgs struct {
	Tenant      string `json:"tenant"`
	Application string `json:"application"`
}

func (callbackArgs) Kind() string                 { return "api_callback" }
func (callbackArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queueCallbacks} }

// callbackTimeout bounds one try.
const callbackTimeout = 10 * time.Second

// workCallback makes one try, writes it down, and comes back for the next if it was
// not acknowledged. A process that dies in the middle of a try makes it again: a
// client may hear of the same end twice, never not at all.
func (s *Service) workCallback(ctx context.Context, args callbackArgs) error {
	sc := tenants.ForTenant(args.Tenant)
	a := new(Application)
	if err := s.DB.NewSelect().Model(a).ApplyQueryBuilder(sc.Where).Where("app.id = ?", args.Application).Scan(ctx); err != nil {
		return fmt.Errorf("cannot load application %s: %w", args.Application, err)
	}
	if a.CallbackDone {
		return nil
	}
	start := s.Now()
	status, err := s.Web.Post(ctx, a.CallbackURL, "application/json", encode(s.notice(a, start)), callbackTimeout)
	if ctx.Err() != nil {
		return ctx.Err() // not a fair try
	}
	cb := &Callback{TenantID: a.TenantID, ID: db.NewID(), ApplicationID: a.ID, Ordinal: a.CallbackTries + 1, At: start,
		TookMS: s.Now().Sub(start).Milliseconds(), HTTPStatus: status, ProblemKey: callbackProblem(status, err)}
	last := a.CallbackTries >= len(s.CallbackWaits)
	a.CallbackTries, a.CallbackDone = a.CallbackTries+1, status == http.StatusOK || last
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(cb).Exec(ctx); err != nil {
			return fmt.Errorf("cannot log the callback: %w", err)
		}
		_, err := tx.NewUpdate().Model(a).Column("callback_tries", "callback_done").WherePK().Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot note the callback of application %s: %w", a.ID, err)
	}
	if !a.CallbackDone {
		return river.JobSnooze(s.CallbackWaits[a.CallbackTries-1])
	}
	return nil
}

// callbackProblem is the catalogue key of what went wrong, or "".
func callbackProblem(status int, err error) string {
	switch {
	case status == http.StatusOK:
		return ""
	case status != 0:
		return "receiptapi.callback.status"
	case errors.Is(err, safehttp.ErrForbidden):
		return "receiptapi.callback.forbidden"
	case errors.Is(err, context.DeadlineExceeded):
		return "receiptapi.callback.timeout"
	default:
		return "receiptapi.callback.unreachable"
	}
}

// Delivery is an application's answer to "was the client told?".
type Delivery struct {
	Application *Application // nil for an order that no program handed in
	Tries       []Callback   // oldest first
}

// Deliveries loads how an order's end was told to its client.
func (s *Service) Deliveries(ctx context.Context, sc tenants.Scope, orderID string) (Delivery, error) {
	var d Delivery
	a := new(Application)
	err := s.DB.NewSelect().Model(a).ApplyQueryBuilder(sc.Where).Where("app.order_id = ?", orderID).Scan(ctx)
	if db.IsNoRows(err) {
		return d, nil
	}
	if err != nil {
		return d, fmt.Errorf("cannot load the application of order %s: %w", orderID, err)
	}
	d.Application = a
	err = s.DB.NewSelect().Model(&d.Tries).ApplyQueryBuilder(sc.Where).Where("cb.application_id = ?", a.ID).Order("cb.ordinal", "cb.id").Scan(ctx)
	if err != nil {
		return d, fmt.Errorf("cannot load the callbacks of application %s: %w", a.ID, err)
	}
	return d, nil
}
