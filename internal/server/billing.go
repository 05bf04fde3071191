package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
	"huizhi/web/templates/billingview"
	"huizhi/web/templates/layout"
)

const (
	ledgerPageSize = 50
	linePageSize   = 20
	kindsListed    = 8
)

// billingRoutes are the pages about money. Finance staff see them and nothing
// else, so they hold order numbers and no person.
func (s *Server) billingRoutes() []route {
	return []route{
		{"GET /billing", can(tenants.CanBill), s.billingMonth},
		{"GET /billing/{month}", can(tenants.CanBill), s.billingMonth},
		{"POST /billing/{month}/draft", can(tenants.CanBill), s.draftInvoice},
		{"GET /billing/invoices", can(tenants.CanBill), s.invoices},
		{"GET /billing/invoices/{invoice}", can(tenants.CanBill), s.invoice},
		{"GET /billing/invoices/{invoice}/export.csv", can(tenants.CanBill), s.exportCSV},
		{"GET /billing/invoices/{invoice}/export.xlsx", can(tenants.CanBill), s.exportXLSX},
		{"GET /billing/invoices/{invoice}/export.pdf", can(tenants.CanBill), s.exportPDF},
		{"GET /billing/charges/{charge}", can(tenants.CanBill), s.charge},
	}
}

// quote is what n further receipts of a type would cost the tenant today.
func (s *Server) quote(ctx context.Context, sc tenants.Scope, typeID int, n int64) (billing.Sum, error) {
	fen, err := s.Billing.Quote(ctx, sc, typeID, providers.PointsPerReceipt, n, db.Now())
	return billing.Sum{Receipts: n, Points: n * providers.PointsPerReceipt, Fen: fen}, err
}

// books are whose bills pages show, under which addresses, and to whom.
type books struct {
	scope tenants.Scope
	role  tenants.Role // of the reader; finance sees no person
	base  string       // of invoices and charges
	usage string       // of months
}

// ownBooks are those of the reader's tenant.
func ownBooks(r *http.Request) books {
	id := identity(r)
	return books{scope: id.Scope(), role: id.Role, base: "/billing", usage: "/billing"}
}

// staffBooks are those of the tenant in the address, for the platform's staff.
func staffBooks(r *http.Request) books {
	base := "/platform/tenants/" + url.PathEscape(r.PathValue("tenant"))
	return books{scope: tenants.ForTenant(r.PathValue("tenant")), role: tenants.RoleFinance, base: base, usage: base + "/usage"}
}

func (b books) month(m billing.Month) string { return b.usage + "/" + string(m) }

func (b books) invoice(id string) string { return b.base + "/invoices/" + url.PathEscape(id) }

func (b books) charge(id string) string { return b.base + "/charges/" + url.PathEscape(id) }

// line is the invoice with one of its lines open, from a charge on.
func (b books) line(id string, ordinal int, from string) string {
	address := fmt.Sprintf("%s?line=%d", b.invoice(id), ordinal)
	if from != "" {
		address += "&from=" + url.QueryEscape(from)
	}
	return address
}

// monthOf reads the month of the address; without one it is the present one.
// There is nothing to see in a month that has not begun.
func monthOf(r *http.Request, now time.Time) (billing.Month, error) {
	present := billing.MonthOf(now)
	text := r.PathValue("month")
	if text == "" {
		return present, nil
	}
	m, err := billing.ParseMonth(text)
	if err != nil || m > present {
		return "", apperr.New(apperr.NotFound, "error.billing.month")
	}
	return m, nil
}

// billingMonth shows the usage of a month with a page of its ledger.
func (s *Server) billingMonth(w http.ResponseWriter, r *http.Request) error {
	now := db.Now()
	m, err := s.monthPage(r, ownBooks(r), now)
	if err != nil {
		return err
	}
	receipt, err := s.quote(r.Context(), identity(r).Scope(), 0, 1)
	if err != nil {
		return err
	}
	m.ReceiptPoints, m.ReceiptFen = receipt.Points, receipt.Fen
	if m.Price, err = s.priceWords(r.Context(), identity(r).Scope(), now); err != nil {
		return err
	}
	if m.Wallet, err = s.walletLine(r.Context(), identity(r).Scope()); err != nil {
		return err
	}
	if identity(r).Role.Allows(tenants.CanWork) {
		m.Batches = "/batches"
	}
	return s.render(w, r, http.StatusOK, billingview.MonthPage(s.chrome(r, layout.NavBilling), *m))
}

// monthPage is the usage of the month of the address in the books.
func (s *Server) monthPage(r *http.Request, b books, now time.Time) (*billingview.MonthModel, error) {
	ctx := r.Context()
	month, err := monthOf(r, now)
	if err != nil {
		return nil, err
	}
	usage, overview, err := s.Billing.UsageAndOverview(ctx, b.scope, month, now)
	if err != nil {
		return nil, err
	}
	filter := filterOf(r)
	q := r.URL.Query()
	page, err := s.Billing.Ledger(ctx, b.scope, month, filter, billing.Cursor{Before: q.Get("before"), After: q.Get("after")}, ledgerPageSize)
	if err != nil {
		return nil, err
	}
	placed, err := s.Billing.Place(ctx, b.scope, month, page.Entries)
	if err != nil {
		return nil, err
	}
	m := monthModel(b, usage, overview, filter, q.Get("kinds") == "all", now)
	m.Ledger = ledgerModel(b, usage, filter, page, placed)
	return &m, nil
}

// filterOf reads the conditions of the ledger. A type that is no number is no
// condition.
func filterOf(r *http.Request) billing.Filter {
	q := r.URL.Query()
	typeID, _ := strconv.Atoi(q.Get("type"))
	return billing.Filter{Day: q.Get("day"), TypeID: typeID, City: q.Get("city")}
}

// ledgerURL is the month's page with the ledger narrowed, at a place.
func (b books) ledger(month billing.Month, f billing.Filter, at billing.Cursor) string {
	q := url.Values{}
	for name, value := range map[string]string{"day": f.Day, "city": f.City, "before": at.Before, "after": at.After} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.TypeID != 0 {
		q.Set("type", strconv.Itoa(f.TypeID))
	}
	address := b.month(month)
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	return address + "#" + billingview.LedgerID
}

func sumModel(s billing.Sum) billingview.Sum {
	return billingview.Sum{Receipts: s.Receipts, Points: s.Points, Fen: s.Fen}
}

// each is the points of a receipt when all cost the same, else 0.
func each(s billing.Sum) int64 {
	if s.Receipts == 0 || s.Points%s.Receipts != 0 {
		return 0
	}
	return s.Points / s.Receipts
}

func monthModel(b books, u *billing.Usage, overview []billing.MonthTotal, f billing.Filter, allKinds bool, now time.Time) billingview.MonthModel {
	present := billing.MonthOf(now)
	m := billingview.MonthModel{
		Start: u.Month.Start(), Before: u.Month.Add(-1).Start(), Until: u.Until, Ended: u.Month.Ended(now),
		Prev: b.month(u.Month.Add(-1)), Total: sumModel(u.Total), Same: sumModel(u.Before), Each: each(u.Total),
		DaysSoFar: u.Month.Days(), KindsURL: b.month(u.Month) + "?kinds=all",
	}
	if u.Month < present {
		m.Next = b.month(u.Month.Add(1))
	}
	if !m.Ended {
		m.DaysSoFar = now.In(i18n.Zone()).Day()
	}
	for i, d := range u.Days {
		start := m.Start.AddDate(0, 0, i)
		day := start.Format(time.DateOnly)
		m.Days = append(m.Days, billingview.Day{Start: start, Receipts: d.Receipts, Fen: d.Fen,
			Href: b.ledger(u.Month, billing.Filter{Day: day}, billing.Cursor{}), Current: f.Day == day})
	}
	for _, d := range u.DaysBefore {
		m.DaysBefore = append(m.DaysBefore, d.Receipts)
	}
	addKinds(b, &m, u, f, allKinds)
	shown := false
	for _, t := range overview {
		m.Overview = append(m.Overview, monthRow(b, t, present))
		m.Months = append(m.Months, billingview.MonthLink{Start: t.Month.Start(), Href: b.month(t.Month), Current: t.Month == u.Month})
		shown = shown || t.Month == u.Month
		if t.Month == u.Month && t.Invoice != nil {
			m.Invoice = b.invoice(t.Invoice.ID)
		}
	}
	if !shown {
		m.Months = append(m.Months, billingview.MonthLink{Start: m.Start, Href: b.month(u.Month), Current: true})
	}
	if m.Invoice == "" && u.Total.Receipts > 0 {
		m.Draft = b.month(u.Month) + "/draft"
	}
	return m
}

// addKinds lists the dearest kinds and adds up the others, unless all are asked for.
func addKinds(b books, m *billingview.MonthModel, u *billing.Usage, f billing.Filter, all bool) {
	listed := u.Kinds
	if !all && len(listed) > kindsListed+1 {
		listed = listed[:kindsListed]
	}
	for _, k := range listed {
		at := billing.Filter{TypeID: k.TypeID, City: k.City}
		m.Kinds = append(m.Kinds, billingview.Kind{TypeName: k.TypeName, City: k.City, UnitFen: k.UnitFen, Receipts: k.Receipts, Fen: k.Fen,
			Href: b.ledger(u.Month, at, billing.Cursor{}), Current: f.TypeID == k.TypeID && f.City == k.City})
	}
	for _, k := range u.Kinds[len(listed):] {
		m.Rest++
		m.RestSum.Receipts += k.Receipts
		m.RestSum.Fen += k.Fen
	}
}

func monthRow(b books, t billing.MonthTotal, present billing.Month) billingview.Row {
	row := billingview.Row{Start: t.Month.Start(), Sum: sumModel(t.Sum), Running: t.Month == present, Href: b.month(t.Month)}
	if t.Invoice != nil {
		row.State, row.Updated, row.Href = string(t.Invoice.State), t.Invoice.UpdatedAt, b.invoice(t.Invoice.ID)
	}
	return row
}

func ledgerModel(b books, u *billing.Usage, f billing.Filter, page *billing.LedgerPage, placed *billing.Placed) billingview.LedgerModel {
	m := billingview.LedgerModel{Total: matching(u, f), Filtered: f != billing.Filter{}, City: f.City,
		All: b.ledger(u.Month, billing.Filter{}, billing.Cursor{}), Entries: entryModels(b, page.Entries)}
	if placed != nil {
		for i, e := range page.Entries {
			if ordinal, on := placed.Ordinals[e.ID]; on {
				m.Entries[i].Line, m.Entries[i].LineNumber = b.line(placed.InvoiceID, ordinal, ""), ordinal
			}
		}
	}
	if page.Newer != "" {
		m.Newer = b.ledger(u.Month, f, billing.Cursor{After: page.Newer})
	}
	if page.Older != "" {
		m.Older = b.ledger(u.Month, f, billing.Cursor{Before: page.Older})
	}
	if day, err := time.ParseInLocation(time.DateOnly, f.Day, i18n.Zone()); err == nil {
		m.Day = day
	}
	for _, k := range u.Kinds {
		if k.TypeID == f.TypeID {
			m.TypeName = k.TypeName
		}
	}
	return m
}

// matching is the number of charges that the filter lets through, as far as the
// usage tells: it has days and kinds, but no days of a kind (-1).
func matching(u *billing.Usage, f billing.Filter) (n int64) {
	switch {
	case f == billing.Filter{}:
		return u.Total.Receipts
	case f.TypeID != 0 || f.City != "":
		if f.Day != "" {
			return -1
		}
		for _, k := range u.Kinds {
			if (f.TypeID == 0 || f.TypeID == k.TypeID) && (f.City == "" || f.City == k.City) {
				n += k.Receipts
			}
		}
		return n
	default:
		day, err := time.Parse(time.DateOnly, f.Day)
		if err != nil || billing.Month(f.Day[:7]) != u.Month {
			return 0
		}
		return u.Days[day.Day()-1].Receipts
	}
}

// entryModels link to the order only for those who may see the person on it.
func entryModels(b books, entries []billing.Entry) []billingview.Entry {
	out := make([]billingview.Entry, 0, len(entries))
	for _, e := range entries {
		v := billingview.Entry{OrderNumber: e.OrderNumber, At: e.At, TypeName: e.TypeName, City: e.City, BatchName: e.BatchName, Points: e.Points, Fen: e.Fen, Trace: b.charge(e.ID)}
		if b.role.Allows(tenants.CanWork) {
			v.Order = "/orders/" + e.OrderID
		}
		out = append(out, v)
	}
	return out
}

// draftInvoice builds or rebuilds the month's draft and goes to it.
func (s *Server) draftInvoice(w http.ResponseWriter, r *http.Request) error {
	now := db.Now()
	month, err := monthOf(r, now)
	if err != nil {
		return err
	}
	inv, err := s.Billing.Draft(r.Context(), identity(r).Scope(), month, now)
	if err != nil {
		return err
	}
	return redirect(w, r, ownBooks(r).invoice(inv.ID))
}

func (s *Server) invoices(w http.ResponseWriter, r *http.Request) error {
	now := db.Now()
	list, err := s.Billing.Invoices(r.Context(), identity(r).Scope())
	if err != nil {
		return err
	}
	m := billingview.InvoicesModel{}
	for i := range list {
		sum := billing.Sum{Receipts: list[i].Receipts, Points: list[i].Points, Fen: list[i].TotalFen}
		m.Rows = append(m.Rows, monthRow(ownBooks(r), billing.MonthTotal{Month: list[i].Month, Sum: sum, Invoice: &list[i]}, billing.MonthOf(now)))
	}
	return s.render(w, r, http.StatusOK, billingview.InvoicesPage(s.chrome(r, layout.NavBilling), m))
}
