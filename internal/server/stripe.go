package server

import (
	"context"
	"errors"
	"io"
	"net/http"

	"huizhi/internal/apperr"
	"huizhi/internal/billing/stripe"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
	"huizhi/web/templates/billingview"
)

// maxWebhook bounds a webhook's body: an invoice with all its lines is smaller.
const maxWebhook = 1 << 20

// stripeRoutes are called by Stripe, without a cookie. A signature says that it is.
func (s *Server) stripeRoutes() []route {
	return []route{{"POST /webhooks/stripe", anyone, s.stripeWebhook}}
}

// stripeWebhook takes an event of Stripe's. It says yes to those that mean
// nothing to us: Stripe would try for days and then switch the address off.
func (s *Server) stripeWebhook(w http.ResponseWriter, r *http.Request) error {
	if s.Stripe == nil || s.Stripe.Secret == "" {
		return apperr.New(apperr.NotFound, "error.not_found")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
	if err != nil {
		return apperr.New(apperr.TooLarge, "error.callback.too_large").Wrap(err)
	}
	err = s.Stripe.Receive(r.Context(), body, r.Header.Get("Stripe-Signature"), db.Now())
	if errors.Is(err, stripe.ErrSignature) {
		http.Error(w, "bad signature", http.StatusBadRequest)
		return nil
	}
	if err != nil {
		return err
	}
	return s.healthz(w, r)
}

// online is how far the invoice has come at Stripe, nil when it is not there.
// What went wrong is for the platform's staff alone.
func (s *Server) online(ctx context.Context, sc tenants.Scope, invoiceID string, staff bool) (*billingview.Online, error) {
	if s.Stripe == nil {
		return nil, nil
	}
	row, err := s.Stripe.Invoice(ctx, sc, invoiceID)
	if err != nil || row == nil {
		return nil, err
	}
	o := &billingview.Online{Status: row.Status}
	if row.Payable() {
		o.PayURL = row.HostedURL
	}
	if staff {
		o.Problem = row.Problem
	}
	return o, nil
}
