package billing

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// State is where an invoice is in its life.
type State string

// The states.
const (
	StateDraft         State = "draft"
	StateReviewed      State = "reviewed"  // somebody has looked at the draft
	StateFinalized     State = "finalized" // has a number, and never changes again
	StateSent          State = "sent"
	StatePartlyPaid    State = "partly_paid"
	StateOverdue       State = "overdue"
	StatePaid          State = "paid" // or credited in full
	StateVoid          State = "void" // keeps its number; its charges can be billed again
	StateUncollectible State = "uncollectible"
)

// States lists the states in the order an invoice may go through them.
var States = []State{StateDraft, StateReviewed, StateFinalized, StateSent, StatePartlyPaid, StateOverdue, StatePaid, StateVoid, StateUncollectible}

// event is what happens to an invoice.
type event string

const (
	eventRecount  event = "recount"   // the draft was counted again and says something else
	eventReview   event = "review"    // somebody agrees with the draft
	eventFinalize event = "finalize"  // it gets its number
	eventSend     event = "send"      // it is handed to the tenant
	eventPartPaid event = "part_paid" // something was paid or credited, and a rest is open
	eventSettle   event = "settle"    // nothing is open any more
	eventFallDue  event = "fall_due"  // the due day has passed
	eventVoid     event = "void"      // it should not have been
	eventWriteOff event = "write_off" // nobody will pay it
)

// moves is the one table of an invoice's moves. What is not in it cannot happen.
var moves = map[State]map[event]State{
	StateDraft:    {eventRecount: StateDraft, eventReview: StateReviewed, eventFinalize: StateFinalized},
	StateReviewed: {eventRecount: StateDraft, eventReview: StateReviewed, eventFinalize: StateFinalized},
	StateFinalized: {eventSend: StateSent, eventPartPaid: StatePartlyPaid, eventSettle: StatePaid,
		eventFallDue: StateOverdue, eventVoid: StateVoid, eventWriteOff: StateUncollectible},
	StateSent: {eventSend: StateSent, eventPartPaid: StatePartlyPaid, eventSettle: StatePaid,
		eventFallDue: StateOverdue, eventVoid: StateVoid, eventWriteOff: StateUncollectible},
	StatePartlyPaid: {eventSend: StatePartlyPaid, eventPartPaid: StatePartlyPaid, eventSettle: StatePaid,
		eventFallDue: StateOverdue, eventWriteOff: StateUncollectible},
	StateOverdue: {eventSend: StateOverdue, eventPartPaid: StateOverdue, eventSettle: StatePaid,
		eventVoid: StateVoid, eventWriteOff: StateUncollectible},
	StateUncollectible: {eventPartPaid: StatePartlyPaid, eventSettle: StatePaid},
	StatePaid:          {},
	StateVoid:          {},
}

func move(from State, e event) (State, error) {
	to, ok := moves[from][e]
	if !ok {
		return from, apperr.New(apperr.Conflict, "error.billing.move."+string(e))
	}
	return to, nil
}

// May tells what can be done with an invoice now; pages offer only that.
type May struct{ Review, Finalize, Send, Pay, Credit, Refund, Void, WriteOff bool }

// May tells what can be done with the invoice at now.
func (inv *Invoice) May(now time.Time) May {
	can := func(e event) bool { _, ok := moves[inv.State][e]; return ok }
	untouched := inv.PaidFen == 0 && inv.CreditedFen == 0
	return May{
		Review: can(eventReview) && inv.State != StateReviewed, Finalize: can(eventFinalize) && inv.Month.Ended(now),
		Send: can(eventSend), Pay: can(eventSettle) && inv.OpenFen() > 0, Credit: can(eventSettle) && inv.OpenFen() > 0,
		Refund: inv.State == StatePaid && inv.PaidFen > inv.RefundedFen, Void: can(eventVoid) && untouched, WriteOff: can(eventWriteOff),
	}
}

// change loads the invoice for writing, lets f change it, saves it, and notes
// who did it.
func (s *Service) change(ctx context.Context, sc tenants.Scope, id, actor, action string, now time.Time, f func(context.Context, bun.Tx, *Invoice) error) (*Invoice, error) {
	var inv *Invoice
	err := s.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var err error
		if inv, err = invoiceForUpdate(ctx, tx, sc, id); err != nil {
			return err
		}
		if err := f(ctx, tx, inv); err != nil {
			return err
		}
		if err := inv.save(ctx, tx); err != nil {
			return err
		}
		if err := s.changed(ctx, tx, sc, inv); err != nil {
			return err
		}
		return tenants.Audit(ctx, tx, sc, actor, action, "invoice", id, now)
	})
	if err != nil {
		return nil, err
	}
	return inv, nil
}

// LockInvoice loads an invoice and keeps others from changing it until the
// transaction ends; NotFound if the tenant has none with the id.
func LockInvoice(ctx context.Context, tx bun.Tx, sc tenants.Scope, id string) (*Invoice, error) {
	return invoiceForUpdate(ctx, tx, sc, id)
}

func invoiceForUpdate(ctx context.Context, tx bun.Tx, sc tenants.Scope, id string) (*Invoice, error) {
	inv := new(Invoice)
	err := tx.NewSelect().Model(inv).ApplyQueryBuilder(sc.Where).Where("id = ?", id).Apply(db.ForUpdate(tx)).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.billing.invoice_not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the invoice: %w", err)
	}
	return inv, nil
}

// Review notes that somebody agrees with the draft as it was at updated, the
// time it was last counted. When it has been counted again since, it is
// Conflict: they agreed with something else.
func (s *Service) Review(ctx context.Context, sc tenants.Scope, id string, updated time.Time, actor string, now time.Time) (*Invoice, error) {
	return s.change(ctx, sc, id, actor, "invoice.review", now, func(ctx context.Context, tx bun.Tx, inv *Invoice) (err error) {
		if !inv.UpdatedAt.Equal(updated) {
			return apperr.New(apperr.Conflict, "error.billing.changed_since")
		}
		inv.ReviewedAt = &now
		inv.State, err = move(inv.State, eventReview)
		return err
	})
}

// Send notes that the invoice was handed to the tenant. Sending it again is fine.
func (s *Service) Send(ctx context.Context, sc tenants.Scope, id, actor string, now time.Time) (*Invoice, error) {
	return s.change(ctx, sc, id, actor, "invoice.send", now, func(ctx context.Context, tx bun.Tx, inv *Invoice) (err error) {
		if inv.SentAt == nil {
			inv.SentAt = &now
		}
		inv.State, err = move(inv.State, eventSend)
		return err
	})
}

// Void takes an invoice back that nobody has paid anything on. It keeps its
// number, and its charges can be put on a new invoice of the month.
func (s *Service) Void(ctx context.Context, sc tenants.Scope, id, actor string, now time.Time) (*Invoice, error) {
	return s.change(ctx, sc, id, actor, "invoice.void", now, func(ctx context.Context, tx bun.Tx, inv *Invoice) (err error) {
		if inv.PaidFen > 0 || inv.CreditedFen > 0 {
			return apperr.New(apperr.Conflict, "error.billing.void_paid")
		}
		inv.ClosedAt = &now
		if inv.State, err = move(inv.State, eventVoid); err != nil {
			return err
		}
		return voidInWallet(ctx, tx, sc, id, actor, now)
	})
}

// WriteOff gives up what is still open. A payment that comes all the same is
// recorded as ever.
func (s *Service) WriteOff(ctx context.Context, sc tenants.Scope, id, actor string, now time.Time) (*Invoice, error) {
	return s.change(ctx, sc, id, actor, "invoice.write_off", now, func(ctx context.Context, tx bun.Tx, inv *Invoice) (err error) {
		inv.ClosedAt = &now
		inv.State, err = move(inv.State, eventWriteOff)
		return err
	})
}

// Remind notes that the tenant was reminded of an invoice that is open.
func (s *Service) Remind(ctx context.Context, sc tenants.Scope, id, actor string, now time.Time) (*Invoice, error) {
	return s.change(ctx, sc, id, actor, "invoice.remind", now, func(ctx context.Context, tx bun.Tx, inv *Invoice) error {
		if inv.OpenFen() <= 0 {
			return apperr.New(apperr.Conflict, "error.billing.nothing_open")
		}
		inv.RemindedAt, inv.Reminders = &now, inv.Reminders+1
		return nil
	})
}

// FallDue marks the invoices whose due day has passed as overdue.
func (s *Service) FallDue(ctx context.Context, now time.Time) error {
	var rows []Invoice
	err := s.db.NewSelect().Model(&rows).Column("tenant_id", "id").
		Where("state IN (?) AND due_day < ?", bun.List([]State{StateFinalized, StateSent, StatePartlyPaid}), dayOf(now)).Scan(ctx)
	if err != nil {
		return fmt.Errorf("cannot find the invoices that are overdue: %w", err)
	}
	for _, r := range rows {
		_, err := s.change(ctx, tenants.ForTenant(r.TenantID), r.ID, "system", "invoice.overdue", now, func(ctx context.Context, tx bun.Tx, inv *Invoice) (err error) {
			inv.State, err = move(inv.State, eventFallDue)
			return err
		})
		if err != nil && apperr.KindOf(err) != apperr.Conflict { // paid in the meantime
			return err
		}
	}
	return nil
}
