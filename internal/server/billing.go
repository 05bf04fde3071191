package server

import (
	"context"
	"fmt"
	"io"
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
	}
}

// quote is what n further receipts of a type would cost the tenant today.
func (s *Server) quote(ctx context.Context, sc tenants.Scope, typeID int, n int64) (billing.Sum, error) {
	fen, err := s.Billing.Quote(ctx, sc, typeID, providers.PointsPerReceipt, n, db.Now())
	return billing.Sum{Receipts: n, Points: n * providers.PointsPerReceipt, Fen: fen}, err
}

func monthURL(m billing.Month) string { return "/billing/" + string(m) }

func invoiceURL(id string) string { return "/billing/invoices/" + id }

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
	ctx, now, id := r.Context(), db.Now(), identity(r)
	month, err := monthOf(r, now)
	if err != nil {
		return err
	}
	usage, err := s.Billing.Usage(ctx, id.Scope(), month, now)
	if err != nil {
		return err
	}
	overview, err := s.Billing.Overview(ctx, id.Scope(), now)
	if err != nil {
		return err
	}
	filter := filterOf(r)
	q := r.URL.Query()
	page, err := s.Billing.Ledger(ctx, id.Scope(), month, filter, billing.Cursor{Before: q.Get("before"), After: q.Get("after")}, ledgerPageSize)
	if err != nil {
		return err
	}
	m := monthModel(usage, overview, filter, q.Get("kinds") == "all", now)
	m.Ledger = ledgerModel(usage, filter, page, id.Role)
	receipt, err := s.quote(ctx, id.Scope(), 0, 1)
	if err != nil {
		return err
	}
	m.ReceiptPoints, m.ReceiptFen = receipt.Points, receipt.Fen
	if m.Price, err = s.priceWords(ctx, id.Scope(), now); err != nil {
		return err
	}
	if m.Wallet, err = s.walletLine(ctx, id.Scope()); err != nil {
		return err
	}
	if id.Role.Allows(tenants.CanWork) {
		m.Batches = "/batches"
	}
	return s.render(w, r, http.StatusOK, billingview.MonthPage(s.chrome(r, layout.NavBilling), m))
}

// filterOf reads the conditions of the ledger. A type that is no number is no
// condition.
func filterOf(r *http.Request) billing.Filter {
	q := r.URL.Query()
	typeID, _ := strconv.Atoi(q.Get("type"))
	return billing.Filter{Day: q.Get("day"), TypeID: typeID, City: q.Get("city")}
}

// ledgerURL is the month's page with the ledger narrowed, at a place.
func ledgerURL(month billing.Month, f billing.Filter, at billing.Cursor) string {
	q := url.Values{}
	for name, value := range map[string]string{"day": f.Day, "city": f.City, "before": at.Before, "after": at.After} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.TypeID != 0 {
		q.Set("type", strconv.Itoa(f.TypeID))
	}
	address := monthURL(month)
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

func monthModel(u *billing.Usage, overview []billing.MonthTotal, f billing.Filter, allKinds bool, now time.Time) billingview.MonthModel {
	present := billing.MonthOf(now)
	m := billingview.MonthModel{
		Start: u.Month.Start(), Before: u.Month.Add(-1).Start(), Until: u.Until, Ended: u.Month.Ended(now),
		Prev: monthURL(u.Month.Add(-1)), Total: sumModel(u.Total), Same: sumModel(u.Before), Each: each(u.Total),
		DaysSoFar: u.Month.Days(), KindsURL: monthURL(u.Month) + "?kinds=all",
	}
	if u.Month < present {
		m.Next = monthURL(u.Month.Add(1))
	}
	if !m.Ended {
		m.DaysSoFar = now.In(i18n.Zone()).Day()
	}
	for i, d := range u.Days {
		start := m.Start.AddDate(0, 0, i)
		day := start.Format(time.DateOnly)
		m.Days = append(m.Days, billingview.Day{Start: start, Receipts: d.Receipts, Fen: d.Fen,
			Href: ledgerURL(u.Month, billing.Filter{Day: day}, billing.Cursor{}), Current: f.Day == day})
	}
	for _, d := range u.DaysBefore {
		m.DaysBefore = append(m.DaysBefore, d.Receipts)
	}
	addKinds(&m, u, f, allKinds)
	shown := false
	for _, t := range overview {
		m.Overview = append(m.Overview, monthRow(t, present))
		m.Months = append(m.Months, billingview.MonthLink{Start: t.Month.Start(), Href: monthURL(t.Month), Current: t.Month == u.Month})
		shown = shown || t.Month == u.Month
		if t.Month == u.Month && t.Invoice != nil {
			m.Invoice = invoiceURL(t.Invoice.ID)
		}
	}
	if !shown {
		m.Months = append(m.Months, billingview.MonthLink{Start: m.Start, Href: monthURL(u.Month), Current: true})
	}
	if m.Invoice == "" && u.Total.Receipts > 0 {
		m.Draft = monthURL(u.Month) + "/draft"
	}
	return m
}

// addKinds lists the dearest kinds and adds up the others, unless all are asked for.
func addKinds(m *billingview.MonthModel, u *billing.Usage, f billing.Filter, all bool) {
	listed := u.Kinds
	if !all && len(listed) > kindsListed+1 {
		listed = listed[:kindsListed]
	}
	for _, k := range listed {
		at := billing.Filter{TypeID: k.TypeID, City: k.City}
		m.Kinds = append(m.Kinds, billingview.Kind{TypeName: k.TypeName, City: k.City, UnitFen: k.UnitFen, Receipts: k.Receipts, Fen: k.Fen,
			Href: ledgerURL(u.Month, at, billing.Cursor{}), Current: f.TypeID == k.TypeID && f.City == k.City})
	}
	for _, k := range u.Kinds[len(listed):] {
		m.Rest++
		m.RestSum.Receipts += k.Receipts
		m.RestSum.Fen += k.Fen
	}
}

func monthRow(t billing.MonthTotal, present billing.Month) billingview.Row {
	row := billingview.Row{Start: t.Month.Start(), Sum: sumModel(t.Sum), Running: t.Month == present, Href: monthURL(t.Month)}
	if t.Invoice != nil {
		row.State, row.Updated, row.Href = string(t.Invoice.State), t.Invoice.UpdatedAt, invoiceURL(t.Invoice.ID)
	}
	return row
}

func ledgerModel(u *billing.Usage, f billing.Filter, page *billing.LedgerPage, role tenants.Role) billingview.LedgerModel {
	m := billingview.LedgerModel{Total: matching(u, f), Filtered: f != billing.Filter{}, City: f.City,
		All: ledgerURL(u.Month, billing.Filter{}, billing.Cursor{}), Entries: entryModels(page.Entries, role)}
	if page.Newer != "" {
		m.Newer = ledgerURL(u.Month, f, billing.Cursor{After: page.Newer})
	}
	if page.Older != "" {
		m.Older = ledgerURL(u.Month, f, billing.Cursor{Before: page.Older})
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
func entryModels(entries []billing.Entry, role tenants.Role) []billingview.Entry {
	out := make([]billingview.Entry, 0, len(entries))
	for _, e := range entries {
		v := billingview.Entry{OrderNumber: e.OrderNumber, At: e.At, TypeName: e.TypeName, City: e.City, BatchName: e.BatchName, Points: e.Points, Fen: e.Fen}
		if role.Allows(tenants.CanWork) {
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
	return redirect(w, r, invoiceURL(inv.ID))
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
		m.Rows = append(m.Rows, monthRow(billing.MonthTotal{Month: list[i].Month, Sum: sum, Invoice: &list[i]}, billing.MonthOf(now)))
	}
	return s.render(w, r, http.StatusOK, billingview.InvoicesPage(s.chrome(r, layout.NavBilling), m))
}

// invoice shows an invoice, or one of its lines alone when only that is to be
// swapped. The query says which line is open (line) and from where (from).
func (s *Server) invoice(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	inv, err := s.Billing.Invoice(ctx, id.Scope(), r.PathValue("invoice"))
	if err != nil {
		return err
	}
	open, _ := strconv.Atoi(r.URL.Query().Get("line"))
	m := invoiceModel(ctx, inv, &id.Tenant, db.Now())
	target := r.Header.Get("HX-Target")
	for i := range m.Lines {
		line := &m.Lines[i]
		if line.Ordinal == open {
			if err := s.openLine(r, inv.ID, line); err != nil {
				return err
			}
		}
		if isHTMX(r) && target == billingview.LineID(line.Ordinal) {
			return s.render(w, r, http.StatusOK, billingview.LineRows(*line))
		}
	}
	if m.Online, err = s.online(ctx, id.Scope(), inv.ID, false); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, billingview.InvoicePage(s.chrome(r, layout.NavBilling), m))
}

func lineURL(id string, ordinal int, from string) string {
	address := fmt.Sprintf("%s?line=%d", invoiceURL(id), ordinal)
	if from != "" {
		address += "&from=" + url.QueryEscape(from)
	}
	return address
}

// openLine reads a page of the line's receipts.
func (s *Server) openLine(r *http.Request, invoiceID string, line *billingview.Line) error {
	id, from := identity(r), r.URL.Query().Get("from")
	entries, next, err := s.Billing.LinePage(r.Context(), id.Scope(), invoiceID, line.Ordinal, from, linePageSize)
	if err != nil {
		return err
	}
	line.Open, line.Toggle, line.Entries = true, invoiceURL(invoiceID), entryModels(entries, id.Role)
	if next != "" {
		line.Next = lineURL(invoiceID, line.Ordinal, next)
	}
	if from != "" {
		line.First = lineURL(invoiceID, line.Ordinal, "")
	}
	return nil
}

func invoiceModel(ctx context.Context, inv *billing.Detail, tenant *tenants.Tenant, now time.Time) billingview.InvoiceModel {
	total := billing.Sum{Receipts: inv.Receipts, Points: inv.Points, Fen: inv.TotalFen}
	m := billingview.InvoiceModel{
		State: string(inv.State), TenantName: tenant.Name, Start: inv.Month.Start(), Running: !inv.Month.Ended(now),
		Created: inv.CreatedAt, Updated: inv.UpdatedAt, Total: sumModel(total), Each: each(total),
		Ledger: sumModel(inv.Ledger), LinesFen: inv.LinesFen(), Month: monthURL(inv.Month),
		CSV: invoiceURL(inv.ID) + "/export.csv", XLSX: invoiceURL(inv.ID) + "/export.xlsx",
	}
	m.PDF = invoiceURL(inv.ID) + "/export.pdf"
	if inv.Number != nil {
		m.Number, m.DueDay = *inv.Number, inv.DueDay
	}
	m.OpenFen = inv.OpenFen()
	for _, p := range inv.Payments {
		m.Payments = append(m.Payments, billingview.Payment{Method: p.Method, Day: p.PaidDay, Reference: p.Reference, Fen: p.Fen})
	}
	for _, c := range inv.Credits {
		m.Credits = append(m.Credits, billingview.Credit{Number: c.Number, Reason: c.Reason, Fen: c.TotalFen})
	}
	if inv.Editable() {
		for _, c := range inv.Changes() {
			name := billing.LineName(ctx, inv.Month, &billing.Line{Kind: c.Kind, TypeName: c.TypeName})
			m.Changes = append(m.Changes, billingview.Change{Name: name, ReceiptsBefore: c.ReceiptsBefore, Receipts: c.Receipts, FenBefore: c.FenBefore, Fen: c.Fen})
		}
		m.Draft = monthURL(inv.Month) + "/draft"
	}
	m.AmountFen = inv.AmountFen()
	for _, t := range inv.Taxes {
		m.Taxes = append(m.Taxes, billingview.Tax{BP: t.BP, NetFen: t.NetFen, TaxFen: t.TaxFen})
	}
	for _, l := range inv.Lines {
		m.Lines = append(m.Lines, billingview.Line{Ordinal: l.Ordinal, TypeName: billing.LineName(ctx, inv.Month, &l), Receipts: l.Receipts, Fen: l.AmountFen,
			UnitFen: l.UnitFen, Toggle: lineURL(inv.ID, l.Ordinal, "")})
	}
	return m
}

func (s *Server) exportCSV(w http.ResponseWriter, r *http.Request) error {
	return s.export(w, r, "csv", "text/csv; charset=utf-8", s.Billing.ExportCSV)
}

func (s *Server) exportPDF(w http.ResponseWriter, r *http.Request) error {
	return s.export(w, r, "pdf", "application/pdf", func(ctx context.Context, sc tenants.Scope, id string, out io.Writer) error {
		doc, err := s.Billing.Document(ctx, sc, id)
		if err != nil {
			return err
		}
		return s.Billing.ExportDocuments(ctx, []billing.Document{*doc}, billing.PDF, out)
	})
}

func (s *Server) exportXLSX(w http.ResponseWriter, r *http.Request) error {
	return s.export(w, r, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", s.Billing.ExportXLSX)
}

// export sends the invoice as a file.
func (s *Server) export(w http.ResponseWriter, r *http.Request, ext, contentType string,
	write func(context.Context, tenants.Scope, string, io.Writer) error) error {
	ctx, id := r.Context(), identity(r)
	inv, err := s.Billing.Invoice(ctx, id.Scope(), r.PathValue("invoice"))
	if err != nil {
		return err
	}
	return sendFile(w, r, contentType, fmt.Sprintf("invoice-%s.%s", inv.Month, ext), billing.ExportName(ctx, inv.Month, id.Tenant.Name, ext),
		func(out io.Writer) error { return write(ctx, id.Scope(), inv.ID, out) })
}
