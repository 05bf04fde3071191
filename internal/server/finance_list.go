package server

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/billing/bulk"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
	"huizhi/web/templates/financeview"
	"huizhi/web/templates/layout"
)

const (
	invoicesPerPage = 50
	// monthsOffered is how many months the list can be narrowed to by its menu.
	monthsOffered = 15
	// exportLimit bounds what is exported at once from the list.
	exportLimit = 500
)

// openFilter is the filter for whatever is still to be paid.
const openFilter = "open"

// listQuery says what the address asks for. What it does not know is no condition.
func listQuery(q *financeview.Query, now time.Time) billing.ListQuery {
	out := billing.ListQuery{TenantID: q.Tenant, DueFrom: q.DueFrom, DueUntil: q.DueUntil, Text: q.Text, By: billing.SortBy(q.By), Ascending: q.Ascending, After: q.After}
	if m, err := billing.ParseMonth(q.Month); err == nil {
		out.Month = m
	} else {
		q.Month = ""
	}
	switch {
	case q.State == openFilter:
		out.States = billing.OpenStates
	case q.State == "":
	default:
		for _, st := range billing.States {
			if q.State == string(st) {
				out.States = []billing.State{st}
			}
		}
		if out.States == nil {
			q.State = ""
		}
	}
	return out
}

// financeInvoices lists the invoices of all tenants.
func (s *Server) financeInvoices(w http.ResponseWriter, r *http.Request) error {
	ctx, now, sweep := r.Context(), db.Now(), tenants.AllTenants(everybody)
	m := financeview.InvoiceList{Query: financeview.ParseQuery(r.URL.Query()), States: []string{openFilter}}
	q := listQuery(&m.Query, now)
	page, err := s.Billing.List(ctx, sweep, q, invoicesPerPage)
	if err != nil {
		return err
	}
	m.Count, m.TotalFen, m.OpenFen, m.Next = page.Count, page.TotalFen, page.OpenFen, page.Next
	for _, st := range billing.States {
		m.States = append(m.States, string(st))
	}
	for i := range monthsOffered {
		m.Months = append(m.Months, billing.MonthOf(now).Add(-i).Start())
	}
	for _, act := range bulk.Actions {
		if act != bulk.Draft {
			m.All = append(m.All, string(act))
		}
	}
	if m.Query.Tenant != "" {
		t, err := s.Tenants.Get(ctx, tenants.ForTenant(m.Query.Tenant))
		if err != nil {
			return err
		}
		m.TenantName = t.Name
	}
	for i := range page.Rows {
		m.Rows = append(m.Rows, invoiceRow(&page.Rows[i], now))
	}
	return s.render(w, r, http.StatusOK, financeview.InvoicesPage(s.chrome(r, layout.NavFinance), m))
}

func invoiceRow(inv *billing.Listed, now time.Time) financeview.InvoiceRow {
	row := financeview.InvoiceRow{Value: targetValue(&inv.Invoice), Tenant: inv.TenantName, Start: inv.Month.Start(), State: string(inv.State), Receipts: inv.Receipts,
		TotalFen: inv.TotalFen, OpenFen: inv.OpenFen(), DueDay: inv.DueDay, Reminders: inv.Reminders, Href: financeInvoiceURL(inv.TenantID, inv.ID)}
	if inv.Number != nil {
		row.Number = *inv.Number
	}
	if due, err := time.ParseInLocation(time.DateOnly, inv.DueDay, i18n.Zone()); err == nil && row.OpenFen > 0 {
		row.LateDays = max(0, int(now.Sub(due).Hours()/24))
	}
	return row
}

// targetValue is the invoice as the checkbox of its row says it, with the time
// of the count that the person sees.
func targetValue(inv *billing.Invoice) string {
	return inv.TenantID + "/" + inv.ID + "/" + strconv.FormatInt(inv.UpdatedAt.UnixMicro(), 10)
}

// parseTarget reads the value of a checkbox.
func parseTarget(value string) (bulk.Target, bool) {
	tenant, rest, _ := strings.Cut(value, "/")
	id, seen, _ := strings.Cut(rest, "/")
	at, err := strconv.ParseInt(seen, 10, 64)
	if tenant == "" || id == "" || err != nil {
		return bulk.Target{}, false
	}
	return bulk.Target{Scope: tenants.ForTenant(tenant), InvoiceID: id, Seen: time.UnixMicro(at).UTC()}, true
}

// chosenTargets are the invoices whose boxes are checked.
func chosenTargets(r *http.Request) ([]bulk.Target, error) {
	if err := r.ParseForm(); err != nil {
		return nil, apperr.New(apperr.Invalid, "error.finance.nothing_chosen").Wrap(err)
	}
	var out []bulk.Target
	for _, value := range r.PostForm["id"] {
		t, ok := parseTarget(value)
		if !ok {
			return nil, apperr.New(apperr.Invalid, "error.finance.nothing_chosen")
		}
		out = append(out, t)
	}
	if len(out) == 0 {
		return nil, apperr.New(apperr.Invalid, "error.finance.nothing_chosen")
	}
	return out, nil
}

// startBulk does something to the chosen invoices, or to all that the address
// asks for.
func (s *Server) startBulk(w http.ResponseWriter, r *http.Request) error {
	action := bulk.Action(r.FormValue("do"))
	if action == bulk.Draft {
		return apperr.New(apperr.Invalid, "error.finance.action") // it is a month that is drafted
	}
	if r.PostFormValue("all") != "" {
		targets, err := s.allTargets(r, action)
		if err != nil {
			return err
		}
		return s.beginBulk(w, r, action, "", targets)
	}
	targets, err := chosenTargets(r)
	if err != nil {
		return err
	}
	if format := billing.Format(r.PostFormValue("export")); format != "" {
		return s.exportChosen(w, r, targets, format)
	}
	return s.beginBulk(w, r, action, "", targets)
}

// suits tells which states an action is for, when it is done to a whole list.
var suits = map[bulk.Action][]billing.State{
	bulk.Review: {billing.StateDraft}, bulk.Finalize: {billing.StateReviewed}, bulk.Send: {billing.StateFinalized}, bulk.Remind: billing.OpenStates,
}

// allTargets are the invoices that the address asks for and the action is for.
// A list that has grown or shrunk since the person saw it is Conflict.
func (s *Server) allTargets(r *http.Request, action bulk.Action) ([]bulk.Target, error) {
	query := financeview.ParseQuery(r.URL.Query())
	q := listQuery(&query, db.Now())
	page, err := s.Billing.List(r.Context(), tenants.AllTenants(everybody), q, bulk.Limit)
	if err != nil {
		return nil, err
	}
	if seen := r.PostFormValue("all"); seen != strconv.FormatInt(page.Count, 10) {
		return nil, apperr.New(apperr.Conflict, "error.billing.changed_since")
	}
	if page.Next != "" {
		return nil, apperr.New(apperr.Invalid, "error.finance.too_many", "max", bulk.Limit)
	}
	var out []bulk.Target
	for _, inv := range page.Rows {
		for _, st := range suits[action] {
			if inv.State == st {
				out = append(out, bulk.Target{Scope: tenants.ForTenant(inv.TenantID), InvoiceID: inv.ID, Seen: inv.UpdatedAt})
			}
		}
	}
	return out, nil
}

// exportChosen sends the chosen invoices as one file.
func (s *Server) exportChosen(w http.ResponseWriter, r *http.Request, targets []bulk.Target, format billing.Format) error {
	ctx := r.Context()
	if exportTypes[format] == "" {
		return apperr.New(apperr.Invalid, "error.finance.action")
	}
	if len(targets) > exportLimit {
		return apperr.New(apperr.Invalid, "error.finance.too_many", "max", exportLimit)
	}
	docs := make([]billing.Document, len(targets))
	for i, t := range targets {
		doc, err := s.Billing.Document(ctx, t.Scope, t.InvoiceID)
		if err != nil {
			return err
		}
		docs[i] = *doc
	}
	name := billing.ExportName(ctx, docs[0].Month, i18n.T(ctx, "finance.chosen", "n", len(docs)), string(format))
	return sendFile(w, r, exportTypes[format], "invoices."+string(format), name,
		func(out io.Writer) error { return s.Billing.ExportDocuments(ctx, docs, format, out) })
}
