// Package priceview has the price book: what everybody on a plan and what single tenants pay, from when until when, with
// the form that changes it and a look at last month at the prices being typed. The same words tell a tenant what it pays.
package priceview

import (
	"context"
	"strconv"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Ids of the parts that are swapped alone.
const (
	FormID    = "price-form"
	PreviewID = "price-preview"
)

// Terms say what receipts cost.
type Terms struct {
	Tiers       []Tier
	Graduated   bool
	Free        int64
	MinimumFen  int64
	TaxBP       int64 // 600 is 6 %
	TaxIncluded bool
}

// Tier is the price of the receipts from one number of a month to another.
type Tier struct {
	From    int64 // 1 for the first receipt
	UnitFen int64 // of one receipt that is priced by its points
	Types   []TypePrice
}

// TypePrice is a price of one type's own.
type TypePrice struct {
	Name string
	Fen  int64
}

// Entry is a price of the book.
type Entry struct {
	From, Until time.Time // zero: from the beginning, without an end
	Plan        string    // that is followed instead of terms
	Terms       Terms
	State       string // "past", "now", "future"
	By          string
	At          time.Time
	Withdraw    string // where a POST takes it back, "" when it cannot be
}

// Change is a line of the history.
type Change struct {
	Action      string // "add", "end", "withdraw"
	From, Until time.Time
	Plan        string
	Terms       Terms
	By          string
	At          time.Time
}

// OverviewModel is the price book's first page.
type OverviewModel struct {
	Plans     []PlanRow
	PlanName  string // as typed
	PlanError string
	Tenants   []TenantRow
	Query     string
	First     string // address of the first page, when this is a later one
	Next      string
}

// PlanRow is a plan with what it costs now.
type PlanRow struct {
	Name, Href string
	Now        *Terms // nil before it begins
	Tenants    int
}

// TenantRow is a tenant with what it pays now.
type TenantRow struct {
	Name, Href string
	Plan       string // "" for a price of its own
	Now        *Terms // nil when nothing holds today
	Wallet     string // address
	Mode       string // of the wallet, "" without one
	FreeFen    int64
	Low        bool
}

// EditorModel is the prices of a plan or of a tenant.
type EditorModel struct {
	Title   string
	Tenant  bool
	Tabs    []ui.Tab // of a tenant
	Entries []Entry
	Changes []Change
	Form    Form
	End     *EndForm // nil when no price of its own can be ended
}

// EndForm ends a price.
type EndForm struct {
	Action, Value, Error string
	Most                 string // the last day that makes a difference, ""
}

// Form is a price being typed; everything is as it was typed.
type Form struct {
	Action             string
	OwnTerms           bool // not another plan's
	Plan               string
	Plans              []ui.Option // nil for a plan's form
	From, Until        string
	EndOpen            bool
	Tiers              []TierRow
	Own                []OwnRow
	Types              []ui.Option
	Graduated          bool
	Free, Minimum, Tax string
	TaxIncluded        bool
	Errors             map[string]string
	Preview            PreviewModel
	ReceiptPoints      int64
}

// TierRow is a tier as typed; the first begins at the first receipt.
type TierRow struct{ From, Price string }

// OwnRow is a type with a price of its own in each tier.
type OwnRow struct {
	Type   string
	Prices []string
	Errors []string // for each tier
}

// PreviewModel is last month at the prices being typed.
type PreviewModel struct {
	Month    time.Time
	Terms    *Terms // nil while they make no sense yet
	Rows     []PreviewRow
	Others   int    // tenants of the plan that are not listed
	Problem  string // why there is no comparison
	Receipts int64
	NowFen   int64
	ThenFen  int64
}

// PreviewRow is a tenant's total of last month, now and then.
type PreviewRow struct {
	Name            string
	Receipts        int64
	NowFen, ThenFen int64
}

func (m *PreviewModel) differenceFen() int64 { return m.ThenFen - m.NowFen }

// signed shows a difference with its sign: +¥12.00.
func signed(fen int64) string {
	if fen > 0 {
		return "+" + i18n.Money(fen)
	}
	return i18n.Money(fen)
}

func percent(bp int64) string { return strconv.FormatFloat(float64(bp)/100, 'f', -1, 64) + "%" }

// Sentences tell what the terms mean, the price first: "每个回执 ¥5.00", "价格含 6% 税".
func (t *Terms) Sentences(ctx context.Context) []string {
	var out []string
	for i, tier := range t.Tiers {
		var line string
		switch money := i18n.Money(tier.UnitFen); {
		case len(t.Tiers) == 1:
			line = i18n.T(ctx, "price.each", "money", money)
		case i == len(t.Tiers)-1:
			line = i18n.T(ctx, "price.from_on", "from", tier.From, "money", money)
		default:
			line = i18n.T(ctx, "price.from_to", "from", tier.From, "to", t.Tiers[i+1].From-1, "money", money)
		}
		for _, own := range tier.Types {
			line += i18n.T(ctx, "ui.comma") + i18n.T(ctx, "price.of_type", "type", own.Name, "money", i18n.Money(own.Fen))
		}
		out = append(out, line)
	}
	if len(t.Tiers) > 1 && t.Graduated {
		out = append(out, i18n.T(ctx, "price.graduated"))
	} else if len(t.Tiers) > 1 {
		out = append(out, i18n.T(ctx, "price.flat"))
	}
	if t.Free > 0 {
		out = append(out, i18n.T(ctx, "price.free", "n", t.Free))
	}
	if t.MinimumFen > 0 {
		out = append(out, i18n.T(ctx, "price.minimum", "money", i18n.Money(t.MinimumFen)))
	}
	switch {
	case t.TaxBP == 0:
		out = append(out, i18n.T(ctx, "price.no_tax"))
	case t.TaxIncluded:
		out = append(out, i18n.T(ctx, "price.tax_in", "rate", percent(t.TaxBP)))
	default:
		out = append(out, i18n.T(ctx, "price.tax_on", "rate", percent(t.TaxBP)))
	}
	return out
}

// period is the days of a price in words.
func period(ctx context.Context, from, until time.Time) string {
	switch {
	case from.IsZero() && until.IsZero():
		return i18n.T(ctx, "price.always")
	case from.IsZero():
		return i18n.T(ctx, "price.until", "day", i18n.Date(ctx, until))
	case until.IsZero():
		return i18n.T(ctx, "price.since", "day", i18n.Date(ctx, from))
	default:
		return i18n.T(ctx, "price.between", "from", i18n.Date(ctx, from), "until", i18n.Date(ctx, until))
	}
}

func stateBadge(ctx context.Context, state string) ui.Badge {
	b := map[string]ui.Badge{"now": {Tone: ui.Done, Icon: "circle-check"}, "future": {Tone: ui.Run, Icon: "clock"}, "past": {Icon: "check"}}[state]
	b.Word = i18n.T(ctx, "price.state."+state)
	return b
}

// planName is a plan's name; the standard one is translated.
func planName(ctx context.Context, name string) string {
	if name == "standard" {
		return i18n.T(ctx, "price.standard")
	}
	return name
}

func (f *Form) tierError(i int, part string) string {
	return f.Errors["tier."+strconv.Itoa(i)+"."+part]
}

func (f *Form) basis() string {
	if f.OwnTerms {
		return "own"
	}
	return "plan"
}

func taxMode(included bool) string {
	if included {
		return "in"
	}
	return "on"
}

func tierMode(graduated bool) string {
	if graduated {
		return "graduated"
	}
	return "flat"
}

// tierID and ownID name the form's fields: "tier-1-from", "own-0-type", "own-0-2" for the type's price in the third tier.
func tierID(i int, part string) string { return "tier-" + strconv.Itoa(i) + "-" + part }
func ownID(i int, part string) string  { return "own-" + strconv.Itoa(i) + "-" + part }

// ownLabel says for which tier a type's own price is.
func ownLabel(ctx context.Context, f Form, tier int) string {
	if len(f.Tiers) < 2 {
		return i18n.T(ctx, "price.form.type_price")
	}
	return i18n.T(ctx, "price.form.type_price_tier", "n", tier+1)
}

// who is the name of a person; what nobody did by hand has none.
func who(ctx context.Context, name string) string {
	if name == "" {
		return i18n.T(ctx, "price.system")
	}
	return name
}

func orNone(mode string) string {
	if mode == "" {
		return "none"
	}
	return mode
}
