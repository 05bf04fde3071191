package server_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76/webhook"

	"huizhi/internal/billing/stripe"
	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

const webhookSecret = "whsec_test"

// hook calls the site as Stripe does, with a signature of that time.
func (s *testSite) hook(id string, signed time.Time, header ...string) int {
	s.t.Helper()
	p := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Secret: webhookSecret, Timestamp: signed,
		Payload: []byte(`{"id":"` + id + `","type":"invoice.paid","data":{"object":{"id":"in_1"}}}`)})
	return s.visitor().do("POST", "/webhooks/stripe", bytes.NewReader(p.Payload), append([]string{"Stripe-Signature", p.Header}, header...)...).StatusCode
}

func (s *testSite) events() int64 {
	s.t.Helper()
	n, err := s.DB.NewSelect().Table("stripe_events").Count(s.t.Context())
	require.NoError(s.t, err)
	return n
}

func TestStripeWebhook(t *testing.T) {
	t.Parallel()
	site := newTestSite(t, func(c *config.Config) {
		c.StripeKey, c.StripeURL, c.StripeWebhook = "sk_test", "http://127.0.0.1:1", webhookSecret
	})
	require.Equal(t, http.StatusBadRequest, site.hook("evt_1", time.Now().Add(-time.Hour)))
	require.Equal(t, http.StatusBadRequest, site.hook("evt_1", time.Now(), "Stripe-Signature", "t=1,v1=00"))
	require.Zero(t, site.events(), "a bad signature writes nothing")
	for range 2 {
		require.Equal(t, http.StatusOK, site.hook("evt_1", time.Now()))
		require.EqualValues(t, 1, site.events())
	}
	big := site.visitor().do("POST", "/webhooks/stripe", bytes.NewReader(make([]byte, 2<<20)))
	require.Equal(t, http.StatusRequestEntityTooLarge, big.StatusCode)
}

// The tenant finds where to pay; what went wrong is for the platform's staff.
func TestTheInvoiceShowsStripe(t *testing.T) {
	t.Parallel()
	site := newTestSite(t, func(c *config.Config) { c.StripeKey, c.StripeURL = "sk_test", "http://127.0.0.1:1" })
	owner := site.signUp("晨光照相馆")
	owner.charge(owner.order(owner.batch("批次"), "欧阳翀", true), 1, october.Start())
	_, err := site.Billing.Draft(t.Context(), owner.scope, october, october.End())
	require.NoError(t, err)
	inv, err := site.Billing.Finalize(t.Context(), owner.scope, october, "test", october.End().UTC())
	require.NoError(t, err)
	waiting, err := site.DB.NewSelect().Table("river_job").Where("kind = 'stripe_push'").Count(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, waiting, "what is final is on its way to Stripe")

	id, pay := "in_1", "https://invoice.stripe.test/in_1"
	_, err = site.DB.NewInsert().Model(&stripe.Invoice{TenantID: inv.TenantID, InvoiceID: inv.ID, Version: 1, StripeID: &id, Status: "open",
		HostedURL: pay, Problem: "error.stripe.payment", UpdatedAt: db.Now()}).Exec(t.Context())
	require.NoError(t, err)
	link, problem := `a[href="`+pay+`"]`, i18n.T(t.Context(), "error.stripe.payment")
	page := owner.page(owner.get("/billing/invoices/"+inv.ID), http.StatusOK)
	require.Equal(t, 1, page.Find(link).Length())
	require.NotContains(t, page.Text(), problem)
	staff := site.staff(tenants.StaffFinance)
	require.Contains(t, staff.page(staff.get("/platform/tenants/"+inv.TenantID+"/invoices/"+inv.ID), http.StatusOK).Text(), problem)
}

func TestWithoutStripeThereIsNoWebhook(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	require.Nil(t, site.Stripe)
	require.Equal(t, http.StatusNotFound, site.hook("evt_1", time.Now()))
	require.Zero(t, site.events())
}
