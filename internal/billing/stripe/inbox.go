package stripe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/riverqueue/river"
	sdk "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

// Tolerance is how old a webhook's signature may be.
const Tolerance = 5 * time.Minute

// ErrSignature means that a webhook is not Stripe's, or was signed too long ago.
var ErrSignature = errors.New("stripe: bad signature")

// Actor is who records Stripe's payments in the audit trail.
const Actor = "stripe"

// Receive takes a webhook: it verifies its signature, and keeps the event and
// enqueues its work in one transaction. An event that was taken before, and one
// that is not about an invoice, changes nothing.
func (s *Service) Receive(ctx context.Context, body []byte, signature string, now time.Time) error {
	// What the event says is not read, so that its version does not matter.
	e, err := webhook.ConstructEventWithOptions(body, signature, s.Secret, webhook.ConstructEventOptions{Tolerance: Tolerance, IgnoreAPIVersionMismatch: true})
	if err != nil {
		return ErrSignature
	}
	object := invoiceOf(&e)
	if e.ID == "" || object == "" {
		return nil
	}
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		row := &event{EventID: e.ID, Type: string(e.Type), ObjectID: object, ReceivedAt: now}
		res, err := tx.NewInsert().Model(row).On("CONFLICT (event_id) DO NOTHING").Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot keep the event: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return s.Jobs.EnqueueTx(ctx, tx, eventArgs{e.ID})
	})
}

// invoiceOf is the id of the invoice that the event is about, or "".
func invoiceOf(e *sdk.Event) string {
	if e.Data == nil || !strings.HasPrefix(string(e.Type), "invoice.") {
		return ""
	}
	id, _ := e.Data.Object["id"].(string)
	if !strings.HasPrefix(id, "in_") {
		return "" // invoice.upcoming has no id yet
	}
	return id
}

// Outcomes of events.
const (
	outcomeApplied = "applied"
	outcomeForeign = "foreign" // an invoice that we did not make
)

// Handle works an event: it fetches the invoice and takes over how it is now,
// whatever the event said and in which order events came.
func (s *Service) Handle(ctx context.Context, eventID string, now time.Time) error {
	e := &event{EventID: eventID}
	if err := s.DB.NewSelect().Model(e).WherePK().Scan(ctx); err != nil {
		return fmt.Errorf("cannot load event %s: %w", eventID, err)
	}
	if e.DoneAt != nil {
		return nil
	}
	e.Outcome = outcomeForeign
	row := new(Invoice)
	err := s.DB.NewSelect().Model(row).Where("stripe_id = ?", e.ObjectID).Scan(ctx)
	switch {
	case err == nil:
		e.Outcome = outcomeApplied
		remote, err := s.account.invoice(ctx, e.ObjectID)
		if err != nil {
			return err
		}
		if err := s.take(ctx, row, remote, now); err != nil {
			return err
		}
	case !db.IsNoRows(err):
		return fmt.Errorf("cannot find the invoice of event %s: %w", eventID, err)
	}
	e.DoneAt = &now
	if _, err := s.DB.NewUpdate().Model(e).Column("done_at", "outcome").WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("cannot finish event %s: %w", eventID, err)
	}
	return nil
}

// staleAfter is how long nothing is heard of an open invoice before it is asked for.
const staleAfter = 24 * time.Hour

// Refresh enqueues a push of what is open at Stripe and was not looked at for a
// day, so that a payment is found whose webhooks were all lost.
func (s *Service) Refresh(ctx context.Context, _ tenants.Sweep, now time.Time) error {
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var stale []Invoice
		err := tx.NewUpdate().Model(&stale).Set("updated_at = ?", now).Where("status = ? AND updated_at < ?", sdk.InvoiceStatusOpen, now.Add(-staleAfter)).
			Returning("tenant_id, invoice_id").Scan(ctx)
		if err != nil && !db.IsNoRows(err) {
			return fmt.Errorf("cannot find the invoices that are open at Stripe: %w", err)
		}
		var work []river.JobArgs
		for _, row := range stale {
			work = append(work, pushArgs{row.TenantID, row.InvoiceID})
		}
		return s.Jobs.EnqueueTx(ctx, tx, work...)
	})
}

// take writes down how the invoice is at Stripe and records its payment, if it
// has been paid there. A payment that does not fit our invoice, because it was
// paid by bank or made void in the meantime, is left for a person to settle.
func (s *Service) take(ctx context.Context, row *Invoice, remote *sdk.Invoice, now time.Time) error {
	row.Status, row.HostedURL, row.Problem = string(remote.Status), remote.HostedInvoiceURL, ""
	if remote.Deleted {
		row.Status = statusDeleted
	}
	if remote.Status == sdk.InvoiceStatusPaid && !remote.PaidOutOfBand && remote.AmountPaid > 0 {
		_, err := s.Billing.RecordPayment(ctx, tenants.ForTenant(row.TenantID), row.InvoiceID, paymentOf(remote, now), Actor, now)
		var told *apperr.Error
		if errors.As(err, &told) {
			row.Problem = "error.stripe.payment"
		} else if err != nil {
			return err
		}
	}
	return saveInvoice(ctx, s.DB, row, now, "status", "hosted_url", "problem")
}

// paymentOf is the payment that Stripe has for an invoice; it pays one as a whole.
func paymentOf(remote *sdk.Invoice, now time.Time) billing.NewPayment {
	reference := remote.ID
	switch {
	case remote.PaymentIntent != nil:
		reference = remote.PaymentIntent.ID
	case remote.Charge != nil:
		reference = remote.Charge.ID
	}
	day := now
	if t := remote.StatusTransitions; t != nil && t.PaidAt > 0 && t.PaidAt < now.Unix() {
		day = time.Unix(t.PaidAt, 0)
	}
	return billing.NewPayment{Fen: remote.AmountPaid, Reference: reference, Method: billing.MethodStripe,
		Day: day.In(i18n.Zone()).Format(time.DateOnly)}
}
