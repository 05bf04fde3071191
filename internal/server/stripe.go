package server

import (
	"errors"
	"io"
	"net/http"

	"huizhi/internal/apperr"
	"huizhi/internal/billing/stripe"
	"huizhi/internal/db"
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
