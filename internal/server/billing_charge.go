package server

import (
	"net/http"
	"net/url"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
	"huizhi/web/templates/billingview"
	"huizhi/web/templates/layout"
)

// usageURL is the usage of a tenant for the platform's staff; of the present
// month when none is named.
func usageURL(tenant string, month billing.Month) string {
	address := "/platform/tenants/" + url.PathEscape(tenant) + "/usage"
	if month != "" {
		address += "/" + string(month)
	}
	return address
}

// charge follows one charge of the reader's tenant to its line, invoice and
// payments.
func (s *Server) charge(w http.ResponseWriter, r *http.Request) error {
	return s.renderCharge(w, r, ownBooks(r), layout.NavBilling, "")
}

// financeCharge is the same for the platform's finance staff, without the way to
// the order.
func (s *Server) financeCharge(w http.ResponseWriter, r *http.Request) error {
	tenant, err := s.Tenants.Get(r.Context(), tenants.ForTenant(r.PathValue("tenant")))
	if err != nil {
		return err
	}
	return s.renderCharge(w, r, staffBooks(r), layout.NavFinance, tenant.Name)
}

func (s *Server) renderCharge(w http.ResponseWriter, r *http.Request, b books, nav, tenantName string) error {
	t, err := s.Billing.Trace(r.Context(), b.scope, r.PathValue("charge"))
	if err != nil {
		return err
	}
	m := billingview.TraceModel{TenantName: tenantName, Entry: entryModels(b, []billing.Entry{t.Entry})[0], Month: b.month(t.Month), Start: t.Month.Start(),
		Free: t.Free, TypeFen: t.TypeFen, FenPer1000Points: t.FenPer1000Points, Tiers: t.Tiers, TaxBP: t.TaxBP, TaxIncluded: t.TaxIncluded}
	if t.Invoice != nil {
		m.Invoice, m.State, m.TotalFen, m.OpenFen = b.invoice(t.Invoice.ID), string(t.Invoice.State), t.Invoice.TotalFen, t.Invoice.OpenFen()
		if t.Invoice.Number != nil {
			m.Number = *t.Invoice.Number
		}
	}
	if t.Line != nil {
		m.Line, m.LineNumber, m.LineReceipts, m.LineFen, m.UnitFen = b.line(t.Invoice.ID, t.Line.Ordinal, ""), t.Line.Ordinal, t.Line.Receipts, t.Line.AmountFen, t.Line.UnitFen
	}
	for _, p := range t.Payments {
		m.Payments = append(m.Payments, billingview.Payment{Method: p.Method, Day: p.PaidDay, Reference: p.Reference, Fen: p.Fen})
	}
	for _, c := range t.Credits {
		m.Credits = append(m.Credits, billingview.Credit{Number: c.Number, Reason: c.Reason, Fen: c.TotalFen})
	}
	return s.render(w, r, http.StatusOK, billingview.TracePage(s.chrome(r, nav), m))
}

// financeUsage is a tenant's month for the platform's finance staff.
func (s *Server) financeUsage(w http.ResponseWriter, r *http.Request) error {
	tenant, err := s.Tenants.Get(r.Context(), tenants.ForTenant(r.PathValue("tenant")))
	if err != nil {
		return err
	}
	m, err := s.monthPage(r, staffBooks(r), db.Now())
	if err != nil {
		return err
	}
	m.TenantName, m.Draft = tenant.Name, ""
	m.Invoices = "/platform/invoices?tenant=" + url.QueryEscape(tenant.ID)
	return s.render(w, r, http.StatusOK, billingview.MonthPage(s.chrome(r, layout.NavFinance), *m))
}
