// Package walletview has the pages of a tenant's wallet: what it has with the platform, what its orders hold, and every
// entry that led there; and for the platform's finance staff the forms that change it. Orders are shown by their numbers.
package walletview

import (
	"context"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Model is a wallet with a page of its entries.
type Model struct {
	Mode       string // "open", "credit", "prepaid"; "" without a wallet
	BalanceFen int64
	HeldFen    int64
	FreeFen    int64
	LimitFen   int64
	LowFen     int64
	Low        bool
	Since      time.Time
	Entries    []Entry
	First      string // address of the first page, when this is a later one
	Older      string
	Invoices   string // address of an invoice up to its id
}

// Entry is a line of the wallet.
type Entry struct {
	Kind         string
	At           time.Time
	Fen, HeldFen int64
	BalanceFen   int64
	OrderNumber  string
	Order        string // its page, "" for those who may not see it
	Month        time.Time
	Invoice      string // its id
	Reference    string
	Reason       string
	By           string // who did it by hand
}

// StaffModel is the wallet with the forms of the platform's finance staff.
type StaffModel struct {
	Title    string
	Tabs     []ui.Tab
	Wallet   Model
	Base     string // where the forms post
	Settings Settings
	Typed    Typed
	Failed   map[string]string // by field: "mode", "top_up.fen", "correct.reason"
}

// Settings are the wallet's, as typed.
type Settings struct{ Mode, Limit, Low string }

// Typed is what was typed into a form that was refused.
type Typed struct{ Fen, Reference, Reason string }

// typedIn is the value if it was this form that was refused.
func (m *StaffModel) typedIn(form, value string) string {
	for field := range m.Failed {
		if len(field) > len(form) && field[:len(form)+1] == form+"." {
			return value
		}
	}
	return ""
}

func (m *Model) stats(ctx context.Context) []ui.StatView {
	free := ui.StatView{Label: i18n.T(ctx, "wallet.free"), Value: i18n.Money(m.FreeFen), Note: i18n.T(ctx, "wallet.free.note")}
	switch m.Mode {
	case "credit":
		free.Note = i18n.T(ctx, "wallet.free.limit", "money", i18n.Money(m.LimitFen))
	case "open":
		free.Label, free.Note = i18n.T(ctx, "wallet.owed"), i18n.T(ctx, "wallet.owed.note")
	}
	return []ui.StatView{
		free,
		{Label: i18n.T(ctx, "wallet.balance"), Value: i18n.Money(m.BalanceFen), Note: i18n.T(ctx, "wallet.balance.note")},
		{Label: i18n.T(ctx, "wallet.held"), Value: i18n.Money(m.HeldFen), Note: i18n.T(ctx, "wallet.held.note")},
	}
}

// LowNote warns of a wallet that runs out or has run out.
func LowNote(ctx context.Context, mode string, freeFen int64) ui.NoteView {
	title := "wallet.low.title"
	if freeFen <= 0 {
		title = "wallet.out.title"
	}
	return ui.NoteView{ID: "wallet-low", Tone: ui.Wait, Icon: "coins", Title: i18n.T(ctx, title, "money", i18n.Money(freeFen)), Text: i18n.T(ctx, "wallet.low."+mode)}
}

// about says what an entry is about: an order, an invoice, a remittance.
func (e *Entry) about(ctx context.Context) []string {
	var out []string
	if !e.Month.IsZero() && (e.Kind == "settle" || e.Kind == "opening") {
		out = append(out, i18n.Month(ctx, e.Month))
	}
	return append(out, e.Reference, e.Reason, e.By)
}

// held tells that the entry changed what is held and nothing else.
func (e *Entry) held() bool { return e.Fen == 0 && e.HeldFen != 0 }

func signed(fen int64) string {
	if fen > 0 {
		return "+" + i18n.Amount(fen)
	}
	return i18n.Amount(fen)
}

func modeOptions(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, mode := range []string{"prepaid", "credit", "open"} {
		out = append(out, ui.Option{Value: mode, Label: i18n.T(ctx, "wallet.mode."+mode), Hint: i18n.T(ctx, "wallet.mode_hint."+mode)})
	}
	return out
}
