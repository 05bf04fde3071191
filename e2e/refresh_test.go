package e2e

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"huizhi/internal/config"
	"huizhi/internal/demo"
	"huizhi/internal/orders"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
)

// An order's page looks for news every few seconds. What a person has opened, and
// what they are typing into a dialog, stays as it is.
func TestAPageThatRefreshesItselfLeavesAPersonsWorkAlone(t *testing.T) {
	ctx := context.Background()
	site := startSite(t, "sqlite:"+filepath.Join(t.TempDir(), "demo.db"), func(c *config.Config) { c.Demo = true })
	site.Orders.WithoutEcho = true
	site.Simulator.SetFaults(simulator.Faults{List: []simulator.Fault{{Op: simulator.OpSubmit, Kind: simulator.Reset, Rate: 1}}})
	var o orders.Order
	require.NoError(t, site.DB.NewSelect().Model(&o).Where("status = ?", orders.StatusReview).Limit(1).Scan(ctx))
	sc := tenants.ForTenant(o.TenantID)
	_, err := site.Orders.Confirm(ctx, sc, o.ID, orders.Edit{}, true, demo.Email)
	require.NoError(t, err)
	_, err = site.Orders.Submit(ctx, sc, []string{o.ID}, demo.Email)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		now, err := site.Orders.Get(ctx, sc, o.ID)
		return err == nil && now.Status == orders.StatusNeedsDecision
	}, time.Minute, 50*time.Millisecond)

	b := open(t, site.URL, "zh-CN", 1440, 900)
	b.goTo("/signin")
	b.fill("[name=email]", demo.Email)
	b.fill("[name=password]", demo.Password)
	b.do("sign in", chromedp.Evaluate(`document.querySelector('[name=password]').form.requestSubmit()`, nil))
	b.until("home", `location.pathname === "/"`)
	b.goTo("/orders/" + o.ID)
	refresh := chromedp.Evaluate(`htmx.ajax("GET", location.pathname + "?part=body&seen=old", {source: "#order", target: "#order", swap: "morph:outerHTML"})`, nil, awaitPromise)
	b.do("open the evidence", chromedp.Evaluate(`document.querySelectorAll("#attempt-1 details").forEach(d => d.open = true)`, nil))
	b.do("refresh", refresh)
	require.True(t, eval[bool](b, `[...document.querySelectorAll("#attempt-1 details")].every(d => d.open)`), "the evidence was closed")

	b.click(`[data-dialog="resend-` + o.ID + `"]`)
	b.fill(`dialog[open] input[name="confirm"]`, "欧阳")
	b.do("refresh", refresh)
	require.Equal(t, "欧阳", eval[string](b, `document.querySelector('dialog[open] input[name="confirm"]')?.value ?? ""`))
	b.requireClean()
}
