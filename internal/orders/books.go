package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// SentAttempt is what an account of the money needs to know of an attempt: no
// person, and nothing that was sent.
type SentAttempt struct {
	TenantID, AttemptID, OrderNumber string
	ApplicationNo                    string // "" as long as it is not known
	Reference                        string
	Status                           string // an AttemptStatus
	Simulate                         bool
	DispatchedAt                     *time.Time
}

// ApplicationPage reads one page, counted from 1, of all applications of the
// account, 100 a page, as one call within the account's limits. While the account
// is stopped it is Unavailable.
func (s *Service) ApplicationPage(ctx context.Context, page int) (providers.Page, error) {
	stop, err := s.PausedBy(ctx)
	if err != nil {
		return providers.Page{}, err
	}
	if stop == StopUnreachable || stop == StopKey {
		return providers.Page{}, apperr.New(apperr.Unavailable, stop)
	}
	return call(ctx, s, opApplications, providers.MaxPageSize, func(ctx context.Context) (providers.Page, error) {
		return s.Provider.Applications(ctx, page, providers.MaxPageSize, "")
	})
}

// sentColumns are those of SentAttempt.
const sentColumns = `a.tenant_id, a.id AS attempt_id, o.number AS order_number, COALESCE(a.application_no, '') AS application_no,
	a.reference, a.status, a.simulate, a.dispatched_at`

// SentAttempts finds the attempts that have one of the application numbers or of
// the references. An attempt is found once, whichever of them it has.
func (s *Service) SentAttempts(ctx context.Context, _ tenants.Sweep, numbers, references []string) ([]SentAttempt, error) {
	var out []SentAttempt
	err := s.DB.NewSelect().TableExpr("attempts AS a").ColumnExpr(sentColumns).
		Join("JOIN orders AS o ON o.tenant_id = a.tenant_id AND o.id = a.order_id").
		Where("a.application_no IN (?) OR a.reference IN (?)", bun.List(numbers), bun.List(references)).Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("cannot find the attempts of a page of applications: %w", err)
	}
	return out, nil
}

// UnsettledAttempts lists the attempts that were sent in a time, from on and
// before the end, and of which it is still not known what became of them.
func (s *Service) UnsettledAttempts(ctx context.Context, _ tenants.Sweep, from, end time.Time) ([]SentAttempt, error) {
	var out []SentAttempt
	err := s.DB.NewSelect().TableExpr("attempts AS a").ColumnExpr(sentColumns).
		Join("JOIN orders AS o ON o.tenant_id = a.tenant_id AND o.id = a.order_id").
		Where("a.live AND a.status IN (?)", bun.List([]AttemptStatus{AttemptUnknown, AttemptNeedsDecision})).
		Where("COALESCE(a.dispatched_at, a.created_at) >= ? AND COALESCE(a.dispatched_at, a.created_at) < ?", from.UTC(), end.UTC()).
		Order("a.tenant_id", "a.id").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("cannot list the unsettled attempts: %w", err)
	}
	return out, nil
}
