// Package documentview holds the pages about what leaves the house on paper or as
// a file: exports, accounting vouchers and fapiaos, for tenants and for the
// platform's finance staff.
package documentview

import (
	"context"
	"time"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

// ExportsModel is the form that all exports go through.
type ExportsModel struct {
	Self     string // address of the page; everything else is below it
	Staff    bool
	Grains   []string
	Form     ExportForm
	Columns  []Column // of the grain, in their order; none when they are fixed
	Formats  []string
	Ranges   []RangeLink
	Tenants  []ui.Option // staff
	Layouts  []ui.Option // vouchers
	Preview  PreviewModel
	Presets  []Preset
	Exports  ExportList
	MaxMonth string // the present one
	Errors   map[string]string
}

// ExportForm is what was filled in.
type ExportForm struct {
	Grain, Format, From, Until, Tenant, Layout, Name string
}

// Column is a column that can be left out.
type Column struct {
	Key, Name string
	On        bool
}

// RangeLink sets the months of the form.
type RangeLink struct {
	Name    string // last_month
	Href    string
	Current bool
}

// Preset is a form that was kept.
type Preset struct {
	Name, Text, Href, Delete string
	Current                  bool
}

// PreviewModel is what the form would give.
type PreviewModel struct {
	Unit   string // of a row: the grain
	Rows   int64
	AtOnce bool
	Error  string // instead of the rows
}

// ExportList is what was made in the background.
type ExportList struct {
	Self string // address of the list alone
	Rows []ExportRow
	Now  time.Time
}

// ExportRow is one of them.
type ExportRow struct {
	Title, Span       string
	State             string
	Done, Total, Size int64
	Created, Expires  time.Time
	Problem           string // when it failed
	Href              string // of the file, "" when there is none
}

func (l ExportList) going() bool {
	for _, r := range l.Rows {
		if r.going() {
			return true
		}
	}
	return false
}

func (r ExportRow) going() bool { return r.State == "waiting" || r.State == "running" }

// pollAttrs make the list ask for itself while something is being made.
func (l ExportList) pollAttrs() templ.Attributes {
	if !l.going() {
		return nil
	}
	return templ.Attributes{"hx-get": l.Self, "hx-trigger": "every 1s", "hx-swap": "outerHTML"}
}

func (r ExportRow) badge(ctx context.Context) ui.Badge {
	b := map[string]ui.Badge{
		"waiting": {Tone: ui.Run, Icon: "clock"}, "running": {Tone: ui.Run, Icon: "loader-circle", Live: true},
		"done": {Tone: ui.Done, Icon: "circle-check"}, "failed": {Tone: ui.Fail, Icon: "circle-x"}, "expired": {Tone: ui.Grey, Icon: "ban"},
	}[r.State]
	b.Plain = true
	return b.Worded(i18n.T(ctx, "exports.state."+r.State))
}

func (p PreviewModel) text(ctx context.Context) string {
	if p.Rows == 0 {
		return i18n.T(ctx, "exports.preview.none")
	}
	return i18n.T(ctx, "exports.preview.rows", "n", i18n.Count(p.Rows), "unit", i18n.T(ctx, "exports.unit."+p.Unit))
}

func (p PreviewModel) hint(ctx context.Context) string {
	switch {
	case p.Rows == 0:
		return i18n.T(ctx, "exports.preview.none_text")
	case p.AtOnce:
		return i18n.T(ctx, "exports.preview.at_once")
	default:
		return i18n.T(ctx, "exports.preview.job")
	}
}

func (m ExportsModel) grainTabs(ctx context.Context) []ui.Tab {
	var tabs []ui.Tab
	for _, g := range m.Grains {
		tabs = append(tabs, ui.Tab{Label: i18n.T(ctx, "exports.grain."+g), Href: m.Self + "?grain=" + g, Current: g == m.Form.Grain})
	}
	return tabs
}

func (m ExportsModel) formatOptions(ctx context.Context) []ui.Option {
	var options []ui.Option
	for _, f := range m.Formats {
		hint := "exports.format." + f + ".hint"
		if f == "zip" && m.Form.Grain == "statement" {
			hint = "exports.format.zip.statement.hint"
		}
		options = append(options, ui.Option{Value: f, Label: i18n.T(ctx, "exports.format."+f), Hint: i18n.T(ctx, hint)})
	}
	return options
}

func (m ExportsModel) rangeChips(ctx context.Context) []ui.Chip {
	var chips []ui.Chip
	for _, r := range m.Ranges {
		chips = append(chips, ui.Chip{Label: i18n.T(ctx, "exports.range."+r.Name), Href: r.Href, On: r.Current})
	}
	return chips
}

// countAttrs make a change in the form count anew.
func (m ExportsModel) countAttrs() templ.Attributes {
	return templ.Attributes{"hx-get": m.Self + "/preview", "hx-trigger": "change", "hx-target": "#preview", "hx-swap": "outerHTML", "hx-sync": "this:replace"}
}

// VouchersModel is a layout of accounting vouchers and what it makes of a month.
type VouchersModel struct {
	Self     string
	Layouts  []ui.Tab
	ID, Name string
	Changed  bool
	Word     string
	First    string
	Accounts []AccountField
	Texts    []TextField
	Columns  string
	Fields   []string // names of fields
	Month    string
	MaxMonth string
	Errors   map[string]string
	Preview  VoucherPreview
	Export   string // address of the export with this layout
	Saved    bool
}

// AccountField is an account of the layout.
type AccountField struct{ Side, Code, Name string }

// TextField is a summary of the layout.
type TextField struct{ Kind, Text string }

// VoucherPreview is the beginning of the file.
type VoucherPreview struct {
	Month               time.Time
	Heads               []string
	Rows                [][]Cell
	Shown, Vouchers     int
	DebitFen, CreditFen int64
	Invented            bool // the month has none; these show what they would look like
	Error               string
}

// Cell is a cell of the preview.
type Cell struct {
	Text string
	Num  bool
}

func (m VouchersModel) previewAttrs() templ.Attributes {
	return templ.Attributes{"hx-post": m.Self + "/" + m.ID + "/preview", "hx-trigger": "change", "hx-target": "#voucher-preview", "hx-swap": "outerHTML", "hx-sync": "this:replace"}
}

// FapiaoModel is a tenant's page of fapiaos.
type FapiaoModel struct {
	Profile   ProfileForm
	HasTitle  bool // the profile has been filled in
	Open      []OpenInvoice
	Fapiaos   []Fapiao
	RequestID string // invoice whose form was sent back with errors
	Errors    map[string]string
	Note      string // what was typed into that form
	Fen       string
	Kind      string
}

// ProfileForm is the tenant's profile as it is typed.
type ProfileForm struct {
	Kind, Title, TaxID, Address, Phone, Bank, Account, Email string
	Person                                                   bool
	Errors                                                   map[string]string
}

// OpenInvoice can still be asked a fapiao for.
type OpenInvoice struct {
	ID, Number    string
	Month         time.Time
	TotalFen      int64
	RestFen       int64 // negative: more is on fapiaos than is due
	Href, Request string
}

// Fapiao is one in a list, or the one that a page is about.
type Fapiao struct {
	ID, State, Kind string
	Red             bool
	Invoice         string // number
	InvoiceHref     string
	Month           time.Time
	Fen             int64
	Title           ProfileForm
	Note            string
	Number, Day     string
	Original        string // number of what a red letter takes back
	Reason          string
	Requested       time.Time
	Tenant          string // staff
	Href            string // staff: its page
	File, FileType  string // address, "" for none
	Withdraw        string // address, "" when it cannot be
}

// StaffFapiaosModel is the platform's list.
type StaffFapiaosModel struct {
	States  []ui.Chip
	Fapiaos []Fapiao
	State   string
}

// StaffFapiaoModel is one of them with what can be done.
type StaffFapiaoModel struct {
	Fapiao
	Issue, Reject, Reverse string // addresses, "" when it cannot be
	RestFen                int64  // of its invoice
	Today                  string
	Errors                 map[string]string
	Doing                  string // the form that was sent back
	NumberTyped, DayTyped  string
	ReasonTyped            string
}

func (m StaffFapiaoModel) errorOf(doing, field string) string {
	if m.Doing != doing {
		return ""
	}
	return m.Errors[field]
}

func (m StaffFapiaoModel) typed(doing, value, otherwise string) string {
	if m.Doing != doing {
		return otherwise
	}
	return value
}

func (f Fapiao) badge(ctx context.Context) ui.Badge {
	b := map[string]ui.Badge{
		"requested": {Tone: ui.Wait, Icon: "clock"}, "issued": {Tone: ui.Done, Icon: "circle-check"}, "rejected": {Tone: ui.Fail, Icon: "circle-x"},
		"withdrawn": {Tone: ui.Grey, Icon: "undo-2"}, "reversed": {Tone: ui.Grey, Icon: "ban"},
	}[f.State]
	word := i18n.T(ctx, "fapiao.state."+f.State)
	if f.Red {
		b, word = ui.Badge{Tone: ui.Fail, Icon: "undo-2"}, i18n.T(ctx, "fapiao.red")
	}
	return b.Worded(word)
}

func (f Fapiao) kindName(ctx context.Context) string { return i18n.T(ctx, "fapiao.kind."+f.Kind) }

func kindOptions(ctx context.Context, person bool) []ui.Option {
	return []ui.Option{
		{Value: "ordinary", Label: i18n.T(ctx, "fapiao.kind.ordinary")},
		{Value: "special", Label: i18n.T(ctx, "fapiao.kind.special"), Disabled: person},
	}
}

// titleFacts are whom a fapiao is made out to.
func (f Fapiao) titleFacts(ctx context.Context) []ui.Fact {
	t := f.Title
	facts := []ui.Fact{{Label: i18n.T(ctx, "fapiao.title"), Value: t.Title}}
	for _, fact := range []ui.Fact{
		{Label: i18n.T(ctx, "fapiao.tax_id"), Value: t.TaxID}, {Label: i18n.T(ctx, "fapiao.address"), Value: t.Address},
		{Label: i18n.T(ctx, "fapiao.phone"), Value: t.Phone}, {Label: i18n.T(ctx, "fapiao.bank"), Value: t.Bank},
		{Label: i18n.T(ctx, "fapiao.account"), Value: t.Account}, {Label: i18n.T(ctx, "fapiao.email"), Value: t.Email},
	} {
		if fact.Value != "" {
			facts = append(facts, fact)
		}
	}
	return facts
}

// crumbs lead back to the money pages.
func crumbs(ctx context.Context, staff bool) []layout.Crumb {
	if staff {
		return []layout.Crumb{{Label: i18n.T(ctx, "billing.finance.title"), Href: "/platform/finance"}}
	}
	return []layout.Crumb{{Label: i18n.T(ctx, "billing.title"), Href: "/billing"}}
}

// tenantWord is the first choice of the list of tenants: a statement is of one.
func tenantWord(grain string) string {
	if grain == "statement" {
		return "exports.tenant.choose"
	}
	return "billing.export.all"
}
