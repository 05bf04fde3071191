package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/demo"
)

// shots keeps pictures of the journey: the README's come from
// `go test ./e2e -run Journey/sqlite -shots docs/img`.
var shots = flag.String("shots", "", "folder for pictures of the pages")

func (b *browser) picture(name string) {
	if *shots == "" {
		return
	}
	dir := *shots
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("..", dir)
	}
	b.shot(filepath.Join(dir, name+".png"), false)
}

// A newcomer opens a tenant, drops the sample folder in, corrects what needs a
// person, submits, follows, and finds receipts, charges and the invoice draft.
func TestJourney(t *testing.T) {
	onBoth(t, func(t *testing.T, databaseURL string) {
		lang := "zh-CN"
		if strings.HasPrefix(databaseURL, "postgres") {
			lang = "en" // two databases, two languages: one journey each
		}
		site := startSite(t, databaseURL, nil)
		b := open(t, site.URL, lang, 1440, 900)
		b.goTo("/signup")
		b.fill("#signup [name=tenant_name]", "晨光照相馆")
		b.fill("#signup [name=name]", "李敏")
		email := db.NewID() + "@example.com"
		b.fill("#signup [name=email]", email)
		b.fill("#signup [name=password]", "correct horse")
		b.click("#signup button[type=submit]")
		b.until("the empty home page teaches", `location.pathname === "/" && document.querySelector('a[href="/batches/new"]')`)
		b.picture("home-empty-" + lang)

		// A new batch.
		b.goTo("/batches/new")
		b.do("choose the residence permit", chromedp.Evaluate(`document.querySelector('input[name=type][value="4"]').click()`, nil))
		b.until("the cities are those of the type", `document.querySelector('#cities option[value="广东省,深圳市"]') && document.querySelectorAll('#cities option[value*=","]').length === 1`)
		b.do("choose the city", chromedp.SetValue("select[name=city]", "广东省,深圳市", chromedp.ByQuery))
		b.fill("#new-batch [name=name]", "护理三(2)班")
		b.picture("batch-new-" + lang)
		b.click("#new-batch button[type=submit]")
		b.until("the batch's page is open", `/^\/batches\/[0-9a-f-]{36}$/.test(location.pathname)`)
		batch := eval[string](b, "location.pathname")

		// Upload: a folder's files, picked, and the sample ZIP.
		folder, zipFile := unpackSample(t)
		b.until("the uploader is ready", `document.querySelector('[data-with-script]') && !document.querySelector('[data-with-script][hidden]')`)
		b.do("pick the files", chromedp.SetUploadFiles("[data-pick=files]", folder[:6], chromedp.ByQuery))
		b.until("the picked files are stored", `document.querySelector('[data-count=stored]').textContent.trim() === "6"`)
		b.do("pick the ZIP", chromedp.SetUploadFiles("[data-pick=files]", []string{zipFile}, chromedp.ByQuery))
		// 29 files; six were sent before from another folder and are duplicates, as
		// is the sample's own; a text file is refused.
		b.until("the balance adds up", `(() => { const n = k => Number(document.querySelector('[data-count='+k+']').textContent.replace(/\D/g,''));
			return n('picked') === 35 && n('stored') === 27 && n('duplicate') === 7 && n('refused') === 1 })()`)
		b.until("every person is an order that was read", `document.querySelectorAll('[id^="o-"]').length === 12 && !document.querySelector('#orders .skeleton')`)
		b.picture("batch-upload-" + lang)
		b.goTo(batch + "/refusals")
		b.see("table")
		b.picture("refusals-" + lang)

		// Review in the grid, with the keyboard alone.
		b.goTo(batch + "/review/grid")
		b.see("form[data-row]")
		b.picture("review-grid-" + lang)
		b.goTo(batch + "/review")
		b.until("the record is open", `document.querySelector('[data-review]')`)
		b.picture("review-record-" + lang)
		b.goTo(batch + "/review/grid")
		b.see("form[data-row]")
		b.acceptAll()
		b.goTo(batch)

		// Submit: asked with the price first.
		b.until("the main action offers to submit", `document.querySelector('a[href$="/submit"], [hx-get$="/submit"]')`)
		b.do("press submit", chromedp.Evaluate(`document.querySelector('a[href$="/submit"], [hx-get$="/submit"]').click()`, nil))
		b.until("the dialog says what it costs", `document.querySelector('dialog[open]') && document.querySelector('dialog[open]').innerText.includes("6,000") && document.querySelector('dialog[open]').getAnimations({subtree: true}).length === 0`)
		b.picture("submit-" + lang)
		b.do("agree", chromedp.Evaluate(`document.querySelector('dialog[open] form button[type=submit], dialog[open] button[type=submit]').click()`, nil))
		b.until("all receipts are there, without a reload", `document.querySelectorAll('#orders [id^="o-"] .s-done').length === 12`)
		b.picture("batch-done-" + lang)

		// The receipt, and what happened.
		order := eval[string](b, `document.querySelector('#orders [id^="o-"] a[href^="/orders/"]').getAttribute("href")`)
		b.goTo(order)
		b.until("the timeline tells of the charge", `document.querySelector('.tl') && document.body.innerText.includes("500")`)
		b.do("let the viewer of the PDF draw", chromedp.Sleep(2*time.Second)) // it is a page of its own, out of reach
		b.picture("order-" + lang)
		b.download(batch+"/receipts.zip", func(data []byte) {
			archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
			require.NoError(t, err)
			require.Len(t, archive.File, 12*2+1, "a receipt and a photo each, and the index")
		})
		b.download(batch+"/receipts.pdf", func(data []byte) { require.True(t, bytes.HasPrefix(data, []byte("%PDF-"))) })
		b.download(batch+"/receipts.xlsx", func(data []byte) {
			book, err := excelize.OpenReader(bytes.NewReader(data))
			require.NoError(t, err)
			rows, err := book.GetRows(book.GetSheetName(0))
			require.NoError(t, err)
			require.Len(t, rows, 13)
		})

		// Charged, and on the draft.
		b.goTo("/billing")
		b.until("the month shows the charges", `document.body.innerText.includes("6,000") && document.body.innerText.includes("60.00")`)
		b.picture("billing-" + lang)
		b.do("make the draft of the running month", chromedp.Evaluate(`document.querySelector('form[action$="/draft"]').requestSubmit()`, nil))
		b.until("the draft is open", `/^\/billing\/invoices\/[0-9a-f-]{36}$/.test(location.pathname)`)
		invoice := eval[string](b, "location.pathname")
		b.until("it has the amount", `document.body.innerText.includes("60.00")`)
		b.picture("invoice-" + lang)
		b.download(invoice+"/export.csv", func(data []byte) {
			require.True(t, bytes.HasPrefix(data, []byte("\xef\xbb\xbf")), "Excel needs the mark")
			require.Equal(t, 13, bytes.Count(data, []byte("\r\n")), "a head and a row for each receipt")
		})

		// And on the phone.
		b.goTo("/")
		b.picture("home-" + lang)
		b.requireClean()
		phone := open(t, site.URL, lang, 390, 844)
		phone.goTo("/signin")
		phone.picture("signin-phone-" + lang)
		phone.fill("[name=email]", email)
		phone.fill("[name=password]", "correct horse")
		phone.do("sign in", chromedp.Evaluate(`document.querySelector('[name=password]').form.requestSubmit()`, nil))
		phone.until("home", `location.pathname === "/"`)
		for name, path := range map[string]string{"home": "/", "batches": "/batches", "batch": batch, "review": batch + "/review", "orders": "/orders", "order": order, "billing": "/billing", "invoice": invoice, "settings": "/settings"} {
			phone.goTo(path)
			phone.picture(name + "-phone-" + lang)
			require.LessOrEqual(t, eval[int](phone, "document.documentElement.scrollWidth"), 390, "%s is wider than the phone", path)
		}
		phone.requireClean()
	})
}

// acceptAll presses Enter until no row waits. A name that is missing is typed; a
// contradiction is refused once, and the button "confirm all the same" then means
// that the card really says so.
func (b *browser) acceptAll() {
	b.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		left := eval[int](b, `document.querySelectorAll('form[data-row]:not([data-done])').length`)
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			b.failure("accept all", fmt.Errorf("%d rows still wait", left))
		}
		id := eval[string](b, `(() => { const row = document.querySelector('form[data-row]:not([data-done])');
			const name = row.querySelector('input[name=name]'); if (!name.value) { name.value = "林子涵"; }
			(row.querySelector('button[name=force]') || name).focus(); return row.id })()`)
		before := eval[string](b, "document.getElementById("+quote(id)+").outerHTML")
		b.do("press Enter", input.DispatchKeyEvent(input.KeyDown).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13).WithText("\r"),
			input.DispatchKeyEvent(input.KeyUp).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13))
		b.until("the row has answered", "(() => { const row = document.getElementById("+quote(id)+"); return !row || row.outerHTML !== "+quote(before)+" && !row.querySelector('[aria-busy=true]') })()")
	}
}

// unpackSample writes the sample folder to the disk, as files and as the ZIP.
func unpackSample(t *testing.T) (files []string, zipFile string) {
	t.Helper()
	dir := t.TempDir()
	zipFile = filepath.Join(dir, "sample.zip")
	require.NoError(t, os.WriteFile(zipFile, demo.Sample, 0o644))
	archive, err := zip.NewReader(bytes.NewReader(demo.Sample), int64(len(demo.Sample)))
	require.NoError(t, err)
	for _, f := range archive.File {
		r, err := f.Open()
		require.NoError(t, err)
		var buf bytes.Buffer
		_, err = buf.ReadFrom(r)
		require.NoError(t, err)
		r.Close()
		file := filepath.Join(dir, filepath.Base(f.Name))
		require.NoError(t, os.WriteFile(file, buf.Bytes(), 0o644))
		files = append(files, file)
	}
	return files, zipFile
}

// download fetches a file with the page's session, as a click on its link would.
func (b *browser) download(path string, check func([]byte)) {
	b.t.Helper()
	var text string
	ctx, cancel := context.WithTimeout(b.ctx, 60*time.Second)
	defer cancel()
	expression := "fetch(" + quote(path) + ").then(async r => { if (!r.ok) throw new Error(r.status); const b = new Uint8Array(await r.arrayBuffer()); let s = ''; for (let i = 0; i < b.length; i += 8192) s += String.fromCharCode(...b.subarray(i, i + 8192)); return btoa(s) })"
	err := chromedp.Run(ctx, cdbrowser.SetDownloadBehavior(cdbrowser.SetDownloadBehaviorBehaviorDeny), chromedp.Evaluate(expression, &text, awaitPromise))
	if err != nil {
		b.failure("download "+path, err)
	}
	data, err := base64.StdEncoding.DecodeString(text)
	require.NoError(b.t, err)
	check(data)
}

// In demo mode the sign-in page shows the way in, and no page is empty.
func TestDemo(t *testing.T) {
	site := startSite(t, "sqlite:"+filepath.Join(t.TempDir(), "demo.db"), func(c *config.Config) { c.Demo = true })
	for _, lang := range []string{"zh-CN", "en"} {
		b := open(t, site.URL, lang, 1440, 900)
		b.goTo("/signin")
		b.picture("signin-" + lang)
		b.until("the demo sign-in is shown", "document.body.innerText.includes("+quote(demo.Email)+")")
		b.fill("[name=email]", demo.Email)
		b.fill("[name=password]", demo.Password)
		b.do("sign in", chromedp.Evaluate(`document.querySelector('[name=password]').form.requestSubmit()`, nil))
		b.until("home", `location.pathname === "/"`)
		for name, path := range map[string]string{"home": "/", "batches": "/batches", "orders": "/orders", "billing": "/billing", "invoices": "/billing/invoices", "settings": "/settings", "members": "/settings/members", "keys": "/settings/keys", "storybook": "/storybook"} {
			b.goTo(path)
			b.picture("demo-" + name + "-" + lang)
			require.NotContains(t, eval[string](b, "document.body.innerText"), "⟦", "%s lacks a text", path)
		}
		b.requireClean()
	}
}

// The platform's operator looks around in the demonstration, on a desk and on a
// phone.
func TestDemoPlatform(t *testing.T) {
	site := startSite(t, "sqlite:"+filepath.Join(t.TempDir(), "demo.db"), func(c *config.Config) { c.Demo = true })
	for _, lang := range []string{"zh-CN", "en"} {
		for _, width := range []int{1440, 390} {
			b := open(t, site.URL, lang, width, 900)
			b.goTo("/signin")
			b.do("sign in", chromedp.Evaluate(`document.querySelector('#demo input[value="`+demo.OperatorEmail+`"]').form.requestSubmit()`, nil))
			b.until("the provider's page", `location.pathname === "/platform/provider"`)
			for _, name := range []string{"provider", "catalogue"} {
				b.goTo("/platform/" + name)
				b.picture(fmt.Sprintf("platform-%s-%s-%d", name, lang, width))
				require.NotContains(t, eval[string](b, "document.body.innerText"), "⟦", "%s lacks a text", name)
				require.LessOrEqual(t, eval[int](b, "document.documentElement.scrollWidth"), width, "%s scrolls sideways", name)
			}
			b.requireClean()
		}
	}
}

func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
