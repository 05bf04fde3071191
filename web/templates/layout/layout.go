// Package layout is the frame around every page: navigation, top bar, banner, toasts and the dialog of keys; and a plain
// one for pages before sign-in.
//
//	@layout.Page(v.Chrome, layout.Head{Title: v.Name, Crumbs: []layout.Crumb{{Label: …, Href: "/batches"}}}) {
//		@ui.Header(…)
//		@ui.Body() { … }
//	}
//
// The server fills Chrome once per request. It also answers what the frame points at: GET /lang?to=en&next=/path and
// GET /theme?to=dark&next=/path set a cookie and go back, POST /signout ends the session, POST /orders/search searches.
package layout

import (
	"context"
	encoding "encoding/json"
	"net/url"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Themes, as the theme cookie keeps them. System follows the reader's device.
const (
	Light  = "light"
	Dark   = "dark"
	System = "system"
)

// ThemeCookie holds one of the themes; the script writes it too, so it is readable by it.
const ThemeCookie = "huizhi_theme"

// Names of the navigation rows, for Chrome.Nav.
const (
	NavHome     = "home"
	NavBatches  = "batches"
	NavCounter  = "counter"
	NavRosters  = "rosters"
	NavOrders   = "orders"
	NavReceipts = "receipts" // by their last day
	NavBilling  = "billing"
	NavSettings = "settings"
	NavUnknown  = "unknown"  // orders whose outcome is not known
	NavDecision = "decision" // orders that need a decision

	NavProvider  = "provider" // of the platform's staff
	NavCatalogue = "catalogue"
	NavFinance   = "finance"
	NavExports   = "exports" // of tenants and of the staff
	NavFapiao    = "fapiao"
	NavVouchers  = "vouchers"
	NavPrices    = "prices"
)

// Chrome is what the frame shows, besides the page.
type Chrome struct {
	TenantName string
	// TenantKindKey and RoleKey are catalogue keys: "tenant.kind.store", "role.owner".
	TenantKindKey string
	UserName      string
	RoleKey       string
	Nav           string         // the row that is current
	Counts        map[string]int // behind navigation rows, by their name; 0 is not shown
	CanWork       bool           // may see batches and orders
	CanBill       bool           // may see bills
	CanManage     bool           // may see settings
	CanAccount    bool           // one of the platform's finance staff
	CanWatch      bool           // one of the platform's staff: sees the provider, and no tenant
	Paused        bool           // nothing is submitted for anybody at the moment: pages about orders say so
	Simulator     bool           // the built-in simulator serves: every page says so
	DemoMode      bool           // data are invented: every page says so
	Theme         string         // from ThemeCookie; empty is System
	Path          string         // of this page with its query, to come back to
	Toasts        []ui.Toast     // messages kept over a redirect
}

// Head is what the frame needs to know of a page.
type Head struct {
	Title  string
	Crumbs []Crumb // from the outermost; the page itself is added
	// Side is a panel over the list, in its open state; pages with one begin with ui.SideSlot otherwise.
	Side templ.Component
	// Keys are added to the dialog of keys.
	Keys []Key
	// Full gives the page the whole window, without navigation: review.
	Full bool
}

// VisitorHead is what the frame of a visitor's page needs to know of it.
type VisitorHead struct {
	Title string
	House string // whose page it is, as visitors know them
	About string // who runs it for them
}

// Crumb is a page above this one.
type Crumb struct{ Label, Href string }

// Key is a key and what it does.
type Key struct{ Keys, Does string }

// navRow is a row of the navigation.
type navRow struct {
	name, icon, label, href string
	sub                     bool // under another, shown only near it
	phone                   bool // in the bar at the bottom of phones
}

func navigation(ctx context.Context, c Chrome) []navRow {
	if c.CanWatch {
		rows := []navRow{
			{name: NavProvider, icon: "activity", label: i18n.T(ctx, "common.nav.provider"), href: "/platform/provider", phone: true},
			{name: NavCatalogue, icon: "book-open", label: i18n.T(ctx, "common.nav.catalogue"), href: "/platform/catalogue", phone: true},
		}
		if c.CanAccount {
			rows = append(rows, navRow{name: NavFinance, icon: "receipt-text", label: i18n.T(ctx, "common.nav.finance"), href: "/platform/finance", phone: true},
				navRow{name: NavExports, icon: "download", label: i18n.T(ctx, "exports.title"), href: "/platform/exports", sub: true},
				navRow{name: NavFapiao, icon: "file-check", label: i18n.T(ctx, "fapiao.heading"), href: "/platform/fapiao", sub: true},
				navRow{name: NavVouchers, icon: "file-spreadsheet", label: i18n.T(ctx, "voucher.title"), href: "/platform/vouchers", sub: true},
				navRow{name: NavPrices, icon: "coins", label: i18n.T(ctx, "common.nav.prices"), href: "/platform/prices", phone: true})
		}
		return rows
	}
	rows := []navRow{
		{name: NavHome, icon: "house", label: i18n.T(ctx, "common.nav.home"), href: "/", phone: true},
	}
	if c.CanWork {
		rows = append(rows,
			navRow{name: NavCounter, icon: "store", label: i18n.T(ctx, "counter.nav"), href: "/counter", phone: true},
			navRow{name: NavBatches, icon: "folders", label: i18n.T(ctx, "common.nav.batches"), href: "/batches", phone: true},
			navRow{name: NavOrders, icon: "list", label: i18n.T(ctx, "common.nav.orders"), href: "/orders", phone: true},
			navRow{name: NavReceipts, icon: "wallet", label: i18n.T(ctx, "validity.title"), href: "/receipts/validity"},
			navRow{name: NavRosters, icon: "users", label: i18n.T(ctx, "roster.nav"), href: "/rosters"})
	}
	if c.Counts[NavUnknown] > 0 || c.Nav == NavUnknown {
		rows = append(rows, navRow{name: NavUnknown, icon: "circle-question-mark", label: i18n.T(ctx, "orders.status.unknown"), href: "/orders?status=unknown", sub: true})
	}
	if c.Counts[NavDecision] > 0 || c.Nav == NavDecision {
		rows = append(rows, navRow{name: NavDecision, icon: "split", label: i18n.T(ctx, "orders.status.needs_decision"), href: "/orders?status=needs_decision", sub: true})
	}
	if c.CanBill {
		rows = append(rows, navRow{name: NavBilling, icon: "receipt-text", label: i18n.T(ctx, "common.nav.billing"), href: "/billing", phone: true},
			navRow{name: NavExports, icon: "download", label: i18n.T(ctx, "exports.title"), href: "/billing/exports", sub: true},
			navRow{name: NavFapiao, icon: "file-check", label: i18n.T(ctx, "fapiao.heading"), href: "/billing/fapiao", sub: true})
	}
	if c.CanManage {
		rows = append(rows, navRow{name: NavSettings, icon: "settings", label: i18n.T(ctx, "common.nav.settings"), href: "/settings", phone: !c.CanBill})
	}
	return rows
}

func phoneRows(ctx context.Context, c Chrome) []navRow {
	var rows []navRow
	for _, r := range navigation(ctx, c) {
		if r.phone {
			rows = append(rows, r)
		}
	}
	return rows
}

// daisyTheme is the value of data-theme; empty leaves the choice to the device.
func daisyTheme(theme string) string {
	switch theme {
	case Light:
		return "huizhi"
	case Dark:
		return "huizhi-dark"
	default:
		return ""
	}
}

// otherLang is the language to switch to, with its own name for itself.
func otherLang(ctx context.Context) (lang i18n.Language, name string) {
	if i18n.Lang(ctx) == i18n.EN {
		return i18n.ZH, "中文"
	}
	return i18n.EN, "English"
}

func langURL(ctx context.Context, path string) string {
	lang, _ := otherLang(ctx)
	return "/lang?" + url.Values{"to": {string(lang)}, "next": {orRoot(path)}}.Encode()
}

func themeURL(theme, path string) string {
	return "/theme?" + url.Values{"to": {theme}, "next": {orRoot(path)}}.Encode()
}

func orRoot(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// initial stands for a person: the first character of the name.
func initial(name string) string {
	for _, r := range name {
		return string(r)
	}
	return "?"
}

// word is the text of a key that may be empty.
func word(ctx context.Context, key string) string {
	if key == "" {
		return ""
	}
	return i18n.T(ctx, key)
}

// htmxConfig keeps htmx inside the content security policy and swaps a 422 like a 200, so that forms come back with
// their errors. Other failures are shown as a toast by the script.
const htmxConfig = `{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true,` +
	`"historyRestoreAsHxRequest":false,"globalViewTransitions":false,"scrollBehavior":"instant","responseHandling":[` +
	`{"code":"204","swap":false},{"code":"[23]..","swap":true},{"code":"422","swap":true},` +
	`{"code":"[45]..","swap":false,"error":true}]}`

// scriptTexts are the words the script needs, in the language of the page.
func scriptTexts(ctx context.Context) map[string]string {
	return map[string]string{
		"now":       i18n.T(ctx, "common.time.now"),
		"soon":      i18n.T(ctx, "common.time.soon"),
		"ago":       i18n.T(ctx, "common.time.ago", "n", "#"),
		"in":        i18n.T(ctx, "common.time.in", "n", "#"),
		"reference": i18n.T(ctx, "ui.request_id", "id", "#"),
		"copied":    i18n.T(ctx, "ui.copied"),
		"undo":      i18n.T(ctx, "ui.undo"),
		"failed":    i18n.T(ctx, "common.script.failed"),
		"offline":   i18n.T(ctx, "common.script.offline"),
		"gone":      i18n.T(ctx, "common.script.stream_gone"),
		"back":      i18n.T(ctx, "common.script.stream_back"),
	}
}

// keys are those that work on every page.
func keys(ctx context.Context) []Key {
	return []Key{
		{"J K", i18n.T(ctx, "common.keys.rows")},
		{"X", i18n.T(ctx, "common.keys.select")},
		{"Enter", i18n.T(ctx, "common.keys.open")},
		{"Esc", i18n.T(ctx, "common.keys.close")},
		{"/", i18n.T(ctx, "common.keys.search")},
		{"Ctrl K", i18n.T(ctx, "common.keys.search")},
		{"?", i18n.T(ctx, "common.keys.help")},
	}
}

func themeIcon(theme string) string {
	switch theme {
	case Light:
		return "sun"
	case Dark:
		return "moon"
	default:
		return "monitor"
	}
}

func currentTheme(c Chrome, theme string) bool {
	return c.Theme == theme || c.Theme == "" && theme == System
}

func phoneColumns(n int) string {
	switch n {
	case 5:
		return "grid-cols-5"
	case 4:
		return "grid-cols-4"
	case 2:
		return "grid-cols-2"
	default:
		return "grid-cols-3"
	}
}

// house is whose pages these are: the tenant's, or the platform's.
func (c Chrome) house(ctx context.Context) string {
	if c.CanWatch {
		return i18n.T(ctx, "common.platform")
	}
	return c.TenantName
}

// houseKind says what sort of house it is.
func (c Chrome) houseKind(ctx context.Context) string {
	if c.CanWatch {
		return i18n.T(ctx, "common.platform.text")
	}
	return word(ctx, c.TenantKindKey)
}

func countNote(n int) string {
	if n == 0 {
		return ""
	}
	return i18n.Count(int64(n))
}

func json(v map[string]string) string {
	data, err := encoding.Marshal(v)
	if err != nil {
		panic(err) // impossible: only strings
	}
	return string(data)
}
