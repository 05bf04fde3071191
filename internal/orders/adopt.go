package orders

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// DecideFound is the operator's decision: the provider told the application's number.
const DecideFound Decision = "found"

// Adopt gives a lost order the application of a number that the operator was told by
// the provider. It is the way on for what was sent without a reference of ours, which
// no list shows. Numbers are easily guessed and the account is all tenants', so this
// is no decision of a tenant's. The provider must know the number, what it has must
// be what was sent, and no other attempt may have it. Only the number is taken; the
// next query, at once, takes the state.
func (s *Service) Adopt(ctx context.Context, sc tenants.Scope, orderID, number, actor string) error {
	number = strings.TrimSpace(number)
	if number == "" || len(number) > maxNumber {
		return apperr.Field("number", "error.order.adopt_number")
	}
	o, err := s.Get(ctx, sc, orderID)
	if err != nil {
		return err
	}
	live, err := s.LiveAttempts(ctx, sc, orderID)
	if err != nil {
		return err
	}
	a := live[orderID]
	if a == nil || !a.lost() {
		return apperr.New(apperr.Conflict, "error.order.not_lost")
	}
	r, id, err := recorded(ctx, s, opQuery, 1, func(ctx context.Context) (providers.Result, error) { return s.Provider.Query(ctx, number) })
	if e, ok := errors.AsType[*providers.Error](err); ok && e.Code == providers.CodeNotFound {
		return apperr.Field("number", "error.order.adopt_unknown")
	}
	if err != nil {
		return fmt.Errorf("cannot ask the provider about the number: %w", err)
	}
	if !a.sentAs(r, o.TypeName) {
		return apperr.Field("number", "error.order.adopt_other")
	}
	s.noteTold(ctx, a, id, answerFound)
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		a, o, err := lockAttempt(ctx, tx, sc, a.ID)
		if err != nil {
			return err
		}
		if !a.lost() {
			return apperr.New(apperr.Conflict, "error.order.not_lost")
		}
		now := s.now()
		if err := record(ctx, tx, sc, o.ID, &a.ID, EventDecided, actor, map[string]string{"decision": string(DecideFound)}, now); err != nil {
			return err
		}
		if err := s.accept(ctx, tx, sc, a, o, number, EventFound, now); err != nil {
			return err
		}
		_, err = tx.NewUpdate().Model((*Attempt)(nil)).Set("next_poll_at = ?", now).ApplyQueryBuilder(sc.Where).Where("id = ?", a.ID).Exec(ctx)
		return err
	})
	if db.IsUnique(err, "attempts_application", "attempts.application_no") {
		return apperr.Field("number", "error.order.adopt_other")
	}
	if err == nil {
		s.changed(sc, o.BatchID)
	}
	return err
}

// lost tells an attempt of which it is not known whether there is an application.
func (a *Attempt) lost() bool {
	return a.Status == AttemptUnknown || a.Status == AttemptNeedsDecision
}

// sentAs tells whether an application is what the attempt would have made.
func (a *Attempt) sentAs(r providers.Result, typeName string) bool {
	for name, value := range a.CustomFields {
		if r.CustomFields[name] != value {
			return false
		}
	}
	return r.CustomFields[providers.ReferenceField] == a.CustomFields[providers.ReferenceField] && (r.TypeName == "" || typeName == "" || r.TypeName == typeName)
}
