package server_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/tenants"
)

// The operator reads what the provider offers: every type, with what it asks for.
func TestCatalogueShowsWhatTheProviderOffers(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	operator := site.staff(tenants.StaffOperator)
	types, err := site.Orders.Types(context.Background())
	require.NoError(t, err)
	page := operator.page(operator.get("/platform/catalogue"), http.StatusOK)
	require.Equal(t, len(types), page.Find("table tbody tr").Length(), "every type of today")
	require.Contains(t, page.Find("main").Text(), "customer_id_card")
}
