package e2e

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

// A clerk serves one customer by keyboard: photo and card in, fields filled, one key
// to submit, a slip. The customer follows it on a phone, and the counter calls when
// the receipt is ready to be printed.
func TestCounter(t *testing.T) {
	site := startSite(t, dbtest.SQLiteURL(t), nil)
	b := open(t, site.URL, "zh-CN", 1440, 900)
	b.goTo("/signup")
	b.fill("#signup [name=tenant_name]", "晨光照相馆")
	b.fill("#signup [name=name]", "李敏")
	email := db.NewID() + "@example.com"
	b.fill("#signup [name=email]", email)
	b.fill("#signup [name=password]", "correct horse")
	b.click("#signup button[type=submit]")
	b.until("signed in", `location.pathname === "/"`)

	// Chosen once: what, and where.
	b.goTo("/counter")
	b.picture("counter-setup-zh-CN")
	b.until("the page's script runs", `window.htmx`)
	b.do("choose the residence permit", chromedp.Evaluate(`(() => { const type = document.querySelector("select[name=type]");
		type.value = "4"; type.dispatchEvent(new Event("change", {bubbles: true})); })()`, nil))
	b.until("the cities are those of the type", `document.querySelectorAll('#cities option[value*=","]').length === 1 && !document.querySelector(".htmx-request")`)
	b.do("choose the city", chromedp.SetValue("select[name=city]", "广东省,深圳市", chromedp.ByQuery))
	b.click("form[action='/counter/desk'] button[type=submit]")
	b.until("the places are open", `document.querySelector("#place-photo") && window.htmx`)
	b.picture("counter-empty-zh-CN")

	// The card first, in the photo's place: told, and put right by a key.
	files, _ := unpackSample(t)
	b.do("the card in the wrong place", chromedp.SetUploadFiles("[data-pick=photo]", []string{sample(t, files, "欧阳翀_身份证.jpg")}, chromedp.ByQuery))
	b.until("it is told", `document.querySelector("#place-photo").innerText.includes("身份证人像面")`)
	b.picture("counter-wrong-zh-CN")
	b.press("w", 0)
	b.until("the card's fields are there before the photo", `document.querySelector("#f-name") && document.querySelector("#f-name").value.startsWith("欧阳")`)
	b.do("the photo", chromedp.SetUploadFiles("[data-pick=photo]", []string{sample(t, files, "欧阳翀.jpg")}, chromedp.ByQuery))
	b.until("the check is shown and all is ready", `document.querySelector("#verdict").innerText.includes("照片") && document.querySelector("[data-submit]:not(:disabled)")`)
	require.Len(t, eval[string](b, `document.querySelector("#f-id_number").value`), 18)
	require.True(t, eval[bool](b, `document.documentElement.scrollHeight <= innerHeight`), "everything is on one screen")
	b.picture("counter-zh-CN")
	b.press(kb.Enter, input.ModifierCtrl)
	b.until("the slip is there", `document.querySelector(".qr")`)
	b.picture("counter-slip-zh-CN")

	// The customer's own phone, by the address in the code.
	id, err := site.Auth.SignIn(context.Background(), email, "correct horse", "test", db.Now())
	require.NoError(t, err)
	visits, err := site.Orders.Visits(context.Background(), id.Scope())
	require.NoError(t, err)
	require.Len(t, visits, 1)
	phone := open(t, site.URL, "en", 390, 844)
	phone.goTo("/f/" + *visits[0].Token)
	phone.until("the receipt is ready, without a press", `document.querySelector('a[href$="/receipt"]')`)
	phone.until("nothing is wider than the phone", `document.documentElement.scrollWidth <= innerWidth`)
	require.NotContains(t, eval[string](phone, "document.body.innerText"), "欧阳翀")
	phone.picture("follow-en")
	phone.requireClean()

	// The counter calls, and P prints.
	b.until("the counter calls", `document.querySelector("[data-ready]") && document.title.startsWith("(1)")`) // its toast may have gone meanwhile
	b.picture("counter-ready-zh-CN")
	b.press("p", 0)
	b.until("the receipt is in the frame to print", `document.querySelector("#print-frame") && document.querySelector("#print-frame").src.endsWith("/receipt")`)
	b.until("the keys are the page's again", `document.hasFocus() && document.activeElement !== document.querySelector("#print-frame")`)
	b.press("n", 0)
	b.until("ready for the next one", `window.htmx && document.querySelector("#customer") && document.querySelector("#customer").value === ""`)

	// A pasted picture goes to the first free place; who goes on comes back by a key.
	b.do("paste a picture", chromedp.Evaluate(pastePicture, nil))
	b.until("it was looked at", `document.querySelector("#place-photo").dataset.state !== "empty" && document.querySelector("#place-photo").dataset.state !== "reading" && document.querySelector("#customer").value !== ""`)
	left := eval[string](b, `document.querySelector("#customer").value`)
	b.until("nothing has the focus", `(document.activeElement.blur(), document.activeElement === document.body)`)
	b.press(kb.Escape, 0)
	b.until("one waits", `document.querySelector("#customer") && document.querySelector("#customer").value === "" && document.body.innerText.includes("柜台前等着 1 位")`)
	b.until("the key back is told", `document.querySelector("#toasts").innerText.includes("按 Z 回去")`)
	b.press("z", 0)
	b.until("the one who waited is back", `document.querySelector("#customer") && document.querySelector("#customer").value === `+quote(left))
	b.requireClean()
}

// pastePicture pastes a grey picture, as Ctrl V after a screen shot does.
const pastePicture = `(() => {
	const canvas = document.createElement("canvas");
	canvas.width = 500; canvas.height = 600;
	const paint = canvas.getContext("2d");
	paint.fillStyle = "#ccc"; paint.fillRect(0, 0, 500, 600);
	canvas.toBlob((blob) => {
		const data = new DataTransfer();
		data.items.add(new File([blob], "image.png", {type: "image/png"}));
		document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
	}, "image/png");
})()`

// press presses a key with modifiers.
func (b *browser) press(key string, modifiers input.Modifier) {
	b.t.Helper()
	b.do("press "+key, chromedp.KeyEvent(key, chromedp.KeyModifiers(modifiers)))
}

// sample is one of the sample's files.
func sample(t *testing.T, files []string, name string) string {
	t.Helper()
	for _, file := range files {
		if filepath.Base(file) == name || strings.HasSuffix(file, name) {
			return file
		}
	}
	t.Fatalf("the sample has no %s", name)
	return ""
}
