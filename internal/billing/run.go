package billing

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
// tenant who owes nothing for the month gets none, and one whose month cannot be
// invoiced does not keep the others from theirs: the error names them all.
// Drafts are made together, each number is given in a transaction of its own, and
// what is done already is left as it is: a run that was killed, or that runs on
// two machines at once, is finished by running it again.
//
// A month that is not over is Invalid. An error of visit ends the run.
func (s *Service) Run(ctx context.Context, r RunRequest, now time.Time, visit func(*Detail) error) error {
	if !r.Month.Ended(now) {
		return apperr.New(apperr.Invalid, "error.billing.not_over", "month", string(r.Month))
	}
	var errs []error
	for part := range slices.Chunk(r.Tenants, draftsTogether) {
		list := make([]*draft, len(part))
		for i, sc := range part {
			list[i] = newDraft(sc, r.Month)
		}
		if err := s.draftAll(ctx, list, now); err != nil {
			return err
		}
		for _, d := range list {
			inv, err := s.finish(ctx, d, r, now)
			switch {
			case err != nil:
				errs = append(errs, fmt.Errorf("cannot invoice tenant %s: %w", d.sc.TenantID(), err))
			case inv != nil:
				if err := visit(inv); err != nil {
					return err
				}
			}
		}
	}
	return errors.Join(errs...)
}

// finish makes the draft final if that is asked for and it is one, and loads the
// invoice; nil when the tenant owes nothing.
func (s *Service) finish(ctx context.Context, d *draft, r RunRequest, now time.Time) (*Detail, error) {
	switch {
	case isKey(d.err, "error.billing.empty_month"):
		return nil, nil
	case isKey(d.err, "error.billing.not_draft"):
	case d.err != nil:
		return nil, d.err
	case r.Finalize:
		if _, err := s.Finalize(ctx, d.sc, r.Month, r.Actor, now); err != nil {
			return nil, err
		}
	}
	return s.Invoice(ctx, d.sc, d.inv.ID)
}

// isKey tells that the error has this sentence for the person.
func isKey(err error, key string) bool {
	var e *apperr.Error
	return errors.As(err, &e) && e.Key == key
}
