package server_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v76/webhook"

	"huizhi/internal/config"
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

func TestWithoutStripeThereIsNoWebhook(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	require.Nil(t, site.Stripe)
	require.Equal(t, http.StatusNotFound, site.hook("evt_1", time.Now()))
	require.Zero(t, site.events())
}
