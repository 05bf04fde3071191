package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/billing/billingtest"
	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/demo"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

func (b *browser) signIn(email, password string) {
	b.t.Helper()
	b.goTo("/signin")
	b.fill("[name=email]", email)
	b.fill("[name=password]", password)
	b.do("sign in", chromedp.Evaluate(`document.querySelector('[name=password]').form.requestSubmit()`, nil))
	b.until("signed in", `location.pathname !== "/signin"`)
}

// bulk chooses every invoice of the month's list, presses a button, and waits for
// the balance of the run.
func (b *browser) bulk(list, button, balance string) {
	b.t.Helper()
	b.goTo(list)
	b.click("[data-select-all]")
	b.click(button)
	if eval[bool](b, `Boolean(document.querySelector("dialog[open]"))`) {
		b.click("dialog[open] button[type=submit]")
	}
	b.until("the run is over", `document.querySelector("#bulk:not([hx-get]) [data-balance]")`)
	require.Contains(b.t, eval[string](b, `document.querySelector("[data-balance]").innerText`), balance)
}

// The finance lead closes a month: drafts, review, numbers, sending, a bank
// transfer found by what the bank says, a credit note, and everything exported.
func TestFinanceLeadClosesAMonth(t *testing.T) {
	onBoth(t, func(t *testing.T, databaseURL string) {
		ctx := context.Background()
		site := startSite(t, databaseURL, nil)
		email := db.NewID() + "@example.com"
		_, err := site.Auth.CreateStaff(ctx, "顾远航", email, "correct horse", tenants.StaffFinance, db.Now())
		require.NoError(t, err)
		studio, school := billingtest.New(t, site.DB, "晨光照相馆", 150_000), billingtest.New(t, site.DB, "南山实验中学", 90_000)
		month := billing.MonthOf(db.Now()).Add(-1)
		overview, list := "/platform/finance/"+string(month), "/platform/invoices?month="+string(month)

		b := open(t, site.URL, "zh-CN", 1440, 900)
		b.signIn(email, "correct horse")
		b.goTo(overview)
		// The hourly loop may have made the drafts in the meantime; then the run has nothing left to do.
		b.do("run", chromedp.Evaluate(`document.getElementById("run").requestSubmit()`, nil))
		b.until("the drafts are made", fmt.Sprintf(`document.querySelector("#bulk:not([hx-get])") || location.pathname === %q && document.querySelector(".stp .text-success")`, overview))
		b.bulk(list, `.bulk-bar button[value=review]`, "共选 2 = 完成 2 + 未做 0")
		b.bulk(list, `.bulk-bar button[data-dialog]`, "共选 2 = 完成 2 + 未做 0")
		b.bulk(list, `.bulk-bar button[value=send]`, "共选 2 = 完成 2 + 未做 0")
		b.bulk(list, `.bulk-bar button[value=review]`, "共选 2 = 完成 0 + 未做 2")
		b.picture("finance-run")

		invoice := func(of *billingtest.Tenant) billing.Listed {
			page, err := site.Billing.List(ctx, tenants.AllTenants("a test"), billing.ListQuery{TenantID: of.Scope.TenantID()}, 1)
			require.NoError(t, err)
			return page.Rows[0]
		}
		b.goTo("/platform/remittances")
		statement := fmt.Sprintf("交易日期,收入金额,对方户名,流水号,附言\n%s,900.00,南山实验中学,20261201000123,货款", db.Now().In(i18n.Zone()).Format("2006-01-02"))
		b.do("paste the statement", chromedp.SetValue("[name=text]", statement, chromedp.ByQuery))
		b.click("main form button[type=submit]")
		b.until("the invoice is found and chosen", `document.querySelector("#remittance-1 input[type=radio]:checked")`)
		b.click("#remittance-1 form button[type=submit]")
		b.until("it is recorded", `document.querySelector("#remittance-1") && !document.querySelector("#remittance-1 form")`)
		require.Equal(t, billing.StatePaid, invoice(school).State)

		inv := invoice(studio)
		page := "/platform/tenants/" + inv.TenantID + "/invoices/" + inv.ID
		b.goTo(page)
		b.fill("#credit [name=fen]", "100.00")
		b.fill("#credit [name=reason]", "照片重拍")
		b.click("#credit button[type=submit]")
		b.until("the credit note is issued", `/CN\d{4}-000001/.test(document.body.innerText)`)
		require.EqualValues(t, 140_000, eval[int](b, `Math.round(100 * Number(document.querySelector("#payment [name=fen]").value.replace(",", "")))`), "the form offers what is left")
		b.fill("#payment [name=reference]", "20261202000456")
		b.click("#payment button[type=submit]")
		b.until("nothing is open any more", `!document.querySelector("#payment")`)
		require.Equal(t, billing.StatePaid, invoice(studio).State)
		b.picture("finance-invoice")

		b.goTo(overview)
		b.until("every step is done", `document.querySelectorAll(".stp .text-success").length === 5`)
		b.picture("finance-month")
		b.download(overview+"/export.zip", func(data []byte) {
			archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
			require.NoError(t, err)
			require.Len(t, archive.File, 2*2+1, "a PDF and a workbook each, and the month's receipts")
		})
		b.requireClean()
	})
}

// A tenant follows one amount of an invoice to the receipt that it was for, and
// back to the line and the invoice that bill it.
func TestTenantTracesAFen(t *testing.T) {
	site := startSite(t, "sqlite:"+filepath.Join(t.TempDir(), "demo.db"), func(c *config.Config) { c.Demo = true })
	b := open(t, site.URL, "zh-CN", 1440, 900)
	b.signIn(demo.Email, demo.Password)
	b.goTo("/billing")
	b.until("there are invoices", `document.querySelector('table a[href^="/billing/invoices/"]')`)
	b.click(`table a[href^="/billing/invoices/"]`)
	b.until("the invoice has lines", `location.pathname.startsWith("/billing/invoices/") && document.querySelector("#line-1 a[aria-expanded=false]")`)
	b.click("#line-1 a[aria-expanded=false]")
	b.until("the line has opened into its receipts", `document.querySelector('#line-1 a[href^="/billing/charges/"]')`)
	b.click(`#line-1 a[href^="/billing/charges/"]`)
	b.until("the way of the charge is shown", `document.querySelector('#trace a[href^="/orders/"]')`)
	b.picture("finance-trace")
	charge := eval[string](b, "location.pathname")
	order := eval[string](b, `document.querySelector('#trace a[href^="/orders/"]').getAttribute("href")`)
	b.click(`#trace a[href^="/billing/invoices/"][href*="line="]`)
	b.until("the line leads back to the charge", `document.querySelector('a[href=`+quote(charge)+`]')`)
	b.goTo(order)
	b.until("the receipt is there", `document.querySelector(".tl") && document.body.innerText.includes("500")`)
	b.requireClean()
}
