package billing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/tenants"
)

// RunRequest says what a monthly run is to do.
type RunRequest struct {
	Month    Month
	Tenants  []tenants.Scope // nobody else; see EveryTenant
	Finalize bool            // give the invoices their numbers
	Actor    string
}

// EveryTenant is the list for a run over all of them, by age.
func (s *Service) EveryTenant(ctx context.Context, _ tenants.Sweep) ([]tenants.Scope, error) {
	var ids []string
	if err := s.db.NewSelect().Table("tenants").Column("id").Order("id").Scan(ctx, &ids); err != nil {
		return nil, fmt.Errorf("cannot list the tenants: %w", err)
	}
	out := make([]tenants.Scope, len(ids))
	for i, id := range ids {
		out[i] = tenants.ForTenant(id)
	}
	return out, nil
}

// Run makes the invoices of a month that is over and hands each to visit. A
// tenant who owes nothing for the month gets none. Each tenant is a transaction
// of its own, and what is done already is left as it is: a run that was killed,
// or that runs on two machines at once, is finished by running it again.
//
// A month that is not over is Invalid.
func (s *Service) Run(ctx context.Context, r RunRequest, now time.Time, visit func(*Detail) error) error {
	if !r.Month.Ended(now) {
		return apperr.New(apperr.Invalid, "error.billing.not_over", "month", string(r.Month))
	}
	for _, sc := range r.Tenants {
		id, err := s.runOne(ctx, sc, r, now)
		if apperr.KindOf(err) == apperr.Invalid && isKey(err, "error.billing.empty_month") {
			continue
		}
		if err != nil {
			return fmt.Errorf("cannot invoice tenant %s: %w", sc.TenantID(), err)
		}
		inv, err := s.Invoice(ctx, sc, id)
		if err != nil {
			return err
		}
		if err := visit(inv); err != nil {
			return err
		}
	}
	return nil
}

// runOne drafts the month unless that is over, finalizes it if asked to, and
// returns the id of the invoice.
func (s *Service) runOne(ctx context.Context, sc tenants.Scope, r RunRequest, now time.Time) (id string, err error) {
	inv, err := s.Draft(ctx, sc, r.Month, now)
	switch {
	case isKey(err, "error.billing.not_draft"):
		return inv.ID, nil
	case err != nil:
		return "", err
	}
	if r.Finalize {
		inv, err = s.Finalize(ctx, sc, r.Month, r.Actor, now)
	}
	return inv.ID, err
}

// isKey tells that the error has this sentence for the person.
func isKey(err error, key string) bool {
	var e *apperr.Error
	return errors.As(err, &e) && e.Key == key
}
