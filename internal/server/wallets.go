package server

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
	"huizhi/web/templates/billingview"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
	"huizhi/web/templates/walletview"
)

// walletRoutes are the pages about prepaid money and credit limits: the tenant's
// own, and those of the platform's finance staff.
func (s *Server) walletRoutes() []route {
	account := staff(tenants.CanAccount)
	return []route{
		{"GET /billing/wallet", can(tenants.CanBill), s.walletPage},
		{"GET /platform/tenants/{tenant}/wallet", account, s.staffWallet},
		{"POST /platform/tenants/{tenant}/wallet", account, s.walletAction(s.setWallet)},
		{"POST /platform/tenants/{tenant}/wallet/top-up", account, s.walletAction(s.topUp)},
		{"POST /platform/tenants/{tenant}/wallet/correct", account, s.walletAction(s.correctWallet)},
	}
}

const (
	walletURL         = "/billing/wallet"
	walletEntriesPage = 50
)

func staffWalletURL(tenant string) string {
	return "/platform/tenants/" + url.PathEscape(tenant) + "/wallet"
}

// walletPage is the tenant's wallet, as far as it has one.
func (s *Server) walletPage(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	wallet, err := s.Billing.Wallet(r.Context(), id.Scope())
	if err != nil {
		return err
	}
	m := walletview.Model{}
	if wallet != nil {
		if m, err = s.walletModel(r, id.Scope(), wallet, walletURL, id.Role.Allows(tenants.CanWork)); err != nil {
			return err
		}
		m.Invoices = ownBooks(r).invoice("")
	}
	return s.render(w, r, http.StatusOK, walletview.TenantPage(s.chrome(r, layout.NavBilling), m))
}

// walletModel is the wallet with a page of its entries.
func (s *Server) walletModel(r *http.Request, sc tenants.Scope, wallet *billing.Wallet, base string, mayWork bool) (walletview.Model, error) {
	ctx, before := r.Context(), r.URL.Query().Get("before")
	entries, older, err := s.Billing.WalletPage(ctx, sc, before, walletEntriesPage)
	if err != nil {
		return walletview.Model{}, err
	}
	names := map[string]string{} // the tenant sees no names of the platform's staff
	if identity(r).Staff != "" {
		var ids []string
		for _, e := range entries {
			ids = append(ids, e.Actor)
		}
		if names, err = s.Auth.Names(ctx, ids...); err != nil {
			return walletview.Model{}, err
		}
	}
	m := walletview.Model{Mode: string(wallet.Mode), BalanceFen: wallet.BalanceFen, HeldFen: wallet.HeldFen, FreeFen: wallet.FreeFen(),
		LimitFen: wallet.LimitFen, LowFen: wallet.LowFen, Low: wallet.Low(), Since: wallet.OpenedAt}
	for _, e := range entries {
		view := walletview.Entry{Kind: string(e.Kind), At: e.At, Fen: e.Fen, HeldFen: e.HeldFen, BalanceFen: e.BalanceFen, OrderNumber: e.OrderNumber,
			Invoice: e.InvoiceID, Reference: e.Reference, Reason: e.Reason, By: names[e.Actor]}
		if e.Month != "" {
			view.Month = e.Month.Start()
		}
		if mayWork && e.OrderID != "" {
			view.Order = "/orders/" + e.OrderID
		}
		m.Entries = append(m.Entries, view)
	}
	if before != "" {
		m.First = base
	}
	if older != "" {
		m.Older = base + "?before=" + url.QueryEscape(older)
	}
	return m, nil
}

// staffWallet is a tenant's wallet with what finance staff do with it.
func (s *Server) staffWallet(w http.ResponseWriter, r *http.Request) error {
	return s.renderStaffWallet(w, r, http.StatusOK, nil)
}

func (s *Server) renderStaffWallet(w http.ResponseWriter, r *http.Request, status int, failed map[string]string) error {
	ctx := r.Context()
	t, err := s.tenantOf(r)
	if err != nil {
		return err
	}
	sc, base := tenants.ForTenant(t.ID), staffWalletURL(t.ID)
	wallet, err := s.Billing.Wallet(ctx, sc)
	if err != nil {
		return err
	}
	m := walletview.StaffModel{Title: t.Name, Tabs: tenantTabs(ctx, t.ID, "wallet"), Base: base, Failed: failed,
		Settings: walletview.Settings{Mode: string(billing.WalletPrepaid)}}
	if wallet != nil {
		if m.Wallet, err = s.walletModel(r, sc, wallet, base, false); err != nil {
			return err
		}
		m.Wallet.Invoices = "/platform/tenants/" + url.PathEscape(t.ID) + "/invoices/"
		m.Settings.Mode = string(wallet.Mode)
		if wallet.LimitFen > 0 {
			m.Settings.Limit = typed(wallet.LimitFen)
		}
		if wallet.LowFen > 0 {
			m.Settings.Low = typed(wallet.LowFen)
		}
	}
	if failed != nil { // as it was typed
		m.Typed = walletview.Typed{Fen: r.PostFormValue("fen"), Reference: r.PostFormValue("reference"), Reason: r.PostFormValue("reason")}
		if r.PostForm.Has("mode") {
			m.Settings = walletview.Settings{Mode: r.PostFormValue("mode"), Limit: r.PostFormValue("limit"), Low: r.PostFormValue("low")}
		}
	}
	return s.render(w, r, status, walletview.StaffPage(s.chrome(r, layout.NavPrices), m))
}

// walletAct is something that finance staff do with a wallet.
type walletAct func(r *http.Request, sc tenants.Scope, actor string, now time.Time) error

// walletAction does it and goes back; a form that is not right is shown again.
func (s *Server) walletAction(act walletAct) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		t, err := s.tenantOf(r)
		if err != nil {
			return err
		}
		err = act(r, tenants.ForTenant(t.ID), identity(r).User.ID, db.Now())
		if fields, ok := fieldErrors(r, err); ok {
			return s.renderStaffWallet(w, r, http.StatusUnprocessableEntity, fields)
		}
		if err != nil {
			return err
		}
		return redirect(w, r, staffWalletURL(t.ID))
	}
}

func (s *Server) setWallet(r *http.Request, sc tenants.Scope, actor string, now time.Time) error {
	n := billing.WalletSettings{Mode: billing.WalletMode(r.PostFormValue("mode"))}
	if text := r.PostFormValue("limit"); text != "" {
		n.LimitFen = amountOf(text)
	}
	if text := r.PostFormValue("low"); text != "" {
		n.LowFen = amountOf(text)
	}
	return s.Billing.SetWallet(r.Context(), sc, n, actor, now)
}

func (s *Server) topUp(r *http.Request, sc tenants.Scope, actor string, now time.Time) error {
	return onForm("top_up", s.Billing.TopUp(r.Context(), sc, amountOf(r.PostFormValue("fen")), r.PostFormValue("reference"), actor, now))
}

func (s *Server) correctWallet(r *http.Request, sc tenants.Scope, actor string, now time.Time) error {
	before, err := strconv.ParseInt(r.PostFormValue("before"), 10, 64)
	if err != nil {
		return apperr.New(apperr.Conflict, "error.billing.changed_since")
	}
	text := strings.TrimSpace(r.PostFormValue("fen"))
	fen := amountOf(strings.TrimLeft(text, "-−+"))
	switch {
	case fen < 0:
		fen = 0 // which no correction may be
	case strings.HasPrefix(text, "-"), strings.HasPrefix(text, "−"):
		fen = -fen
	}
	return onForm("correct", s.Billing.Correct(r.Context(), sc, billing.WalletAdjustment{Fen: fen, Reason: r.PostFormValue("reason"), BeforeFen: before}, actor, now))
}

// onForm tells the fields of one form of a page from those of another.
func onForm(form string, err error) error {
	fields, ok := apperr.AsFields(err)
	if !ok {
		return err
	}
	out := make(apperr.Fields, len(fields))
	for i, f := range fields {
		named := *f
		named.Field = form + "." + f.Field
		out[i] = &named
	}
	return out
}

// fits is whether the tenant's wallet pays for n further receipts of a type.
func (s *Server) fits(ctx context.Context, sc tenants.Scope, typeID int, n int64) (billing.Fit, error) {
	list := make([]billing.Purchase, n)
	for i := range list {
		list[i] = billing.Purchase{TypeID: typeID, Points: providers.PointsPerReceipt}
	}
	return s.Billing.Fits(ctx, sc, list, db.Now())
}

// fundsNotes are what the question before a submit says of the wallet: that n
// receipts of a type are more than it pays for, or else that it runs out.
func (s *Server) fundsNotes(r *http.Request, typeID int, n int64) (short, low *ui.NoteView, err error) {
	ctx, id := r.Context(), identity(r)
	f, err := s.fits(ctx, id.Scope(), typeID, n)
	if err != nil {
		return nil, nil, err
	}
	if int64(f.N) == n {
		low, err = s.lowNote(ctx, id.Scope(), id.Role)
		return nil, low, err
	}
	short = &ui.NoteView{ID: "wallet-short", Tone: ui.Fail, Icon: "coins", Title: i18n.T(ctx, "wallet.short.title", "money", i18n.Money(f.MissingFen)),
		Text: i18n.T(ctx, "wallet.short.text", "n", n, "fit", f.N, "need", i18n.Money(f.NeedFen), "free", i18n.Money(f.FreeFen))}
	return short, nil, nil
}

// lowNote warns of a wallet that runs out; nil when there is nothing to warn of.
func (s *Server) lowNote(ctx context.Context, sc tenants.Scope, role tenants.Role) (*ui.NoteView, error) {
	wallet, err := s.Billing.Wallet(ctx, sc)
	if err != nil || wallet == nil || !wallet.Low() {
		return nil, err
	}
	n := walletview.LowNote(ctx, string(wallet.Mode), wallet.FreeFen())
	if role.Allows(tenants.CanBill) {
		n.Action = ui.Btn{Label: i18n.T(ctx, "wallet.show"), Href: walletURL, Small: true}
	}
	return &n, nil
}

// walletLine is the tenant's wallet in a line; nil without one.
func (s *Server) walletLine(ctx context.Context, sc tenants.Scope) (*billingview.Wallet, error) {
	wallet, err := s.Billing.Wallet(ctx, sc)
	if err != nil || wallet == nil {
		return nil, err
	}
	return &billingview.Wallet{Href: walletURL, FreeFen: wallet.FreeFen(), Low: wallet.Low()}, nil
}
