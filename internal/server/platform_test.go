package server_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// The operator reads what the provider offers, and what changed since it last
// offered something else.
func TestCatalogueShowsWhatChanged(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	site := newTestSite(t)
	operator := site.staff(tenants.StaffOperator)
	_, err := site.DB.NewRaw("INSERT INTO catalogue_versions (provider, version, sha256, types, fetched_at, seen_at) VALUES (?, 1, 'old', ?, ?, ?)",
		site.Orders.Account, `[{"ID": 1, "Name": "旧身份证相片", "RequiredFields": ["city"], "Guide": {"city": {"Label": "办证地区", "Cities": [{"Name": "广东省", "Cities": ["深圳市", "旧城市"]}]}}},
		{"ID": 99, "Name": "停办的相片", "RequiredFields": ["city"], "Guide": {}}]`, db.Now().Add(-time.Hour), db.Now()).Exec(ctx)
	require.NoError(t, err)
	require.NoError(t, site.Orders.SyncCatalogue(ctx))
	types, err := site.Orders.Types(ctx)
	require.NoError(t, err)

	page := operator.page(operator.get("/platform/catalogue"), http.StatusOK)
	require.Equal(t, len(types), page.Find("table tbody tr").Length(), "every type of today")
	text := page.Find("main").Text()
	for _, want := range []string{"customer_id_card", "改名，原来叫：旧身份证相片", "取消地区：广东省 旧城市", "停办的相片", "2 种回执"} {
		require.Contains(t, text, want)
	}
}
