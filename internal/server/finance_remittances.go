package server

import (
	"net/http"
	"strconv"
	"strings"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
	"huizhi/web/templates/financeview"
	"huizhi/web/templates/layout"
)

// remittancesRead bounds the bank transfers that are matched at once.
const remittancesRead = 500

func (s *Server) remittances(w http.ResponseWriter, r *http.Request) error {
	return s.render(w, r, http.StatusOK, financeview.RemittancesPage(s.chrome(r, layout.NavFinance), financeview.Remittances{}))
}

// matchRemittances suggests invoices for what was pasted. Nothing is written.
func (s *Server) matchRemittances(w http.ResponseWriter, r *http.Request) error {
	text := r.PostFormValue("text")
	list, unread := billing.ParseRemittances(text, remittancesRead)
	matches, err := s.Billing.MatchRemittances(r.Context(), tenants.AllTenants(everybody), list)
	if err != nil {
		return err
	}
	m := financeview.Remittances{Text: text, Unread: unread, Today: today()}
	for i := range matches {
		m.List = append(m.List, remittanceModel(i+1, &matches[i]))
	}
	return s.render(w, r, http.StatusOK, financeview.RemittancesPage(s.chrome(r, layout.NavFinance), m))
}

// today is the day in Asia/Shanghai.
func today() string { return db.Now().In(i18n.Zone()).Format("2006-01-02") }

func remittanceModel(place int, match *billing.Match) financeview.Remittance {
	m := financeview.Remittance{Place: place, Fen: match.Fen, Day: match.Day, Payer: match.Payer, Reference: match.Reference, Note: match.Note, Recorded: match.Recorded}
	if m.Day == "" {
		m.Day = today()
	}
	for i := range match.Suggestions {
		sug := &match.Suggestions[i]
		c := financeview.Candidate{Value: sug.TenantID + "/" + sug.ID, Tenant: sug.TenantName, Number: *sug.Number, State: string(sug.State), OpenFen: sug.OpenFen(),
			DueDay: sug.DueDay, Href: financeInvoiceURL(sug.TenantID, sug.ID)}
		for _, reason := range sug.Reasons {
			c.Reasons = append(c.Reasons, string(reason))
		}
		m.Invoices = append(m.Invoices, c)
	}
	if len(match.Suggestions) > 0 && match.Suggestions[0].Sure() {
		m.Chosen = m.Invoices[0].Value
	}
	return m
}

// recordRemittance records the payment on the invoice that the person chose. To
// htmx it answers with the transfer as it is now.
func (s *Server) recordRemittance(w http.ResponseWriter, r *http.Request) error {
	ctx, now := r.Context(), db.Now()
	tenant, id, ok := strings.Cut(r.PostFormValue("invoice"), "/")
	if !ok || tenant == "" {
		return apperr.New(apperr.Invalid, "error.finance.nothing_chosen")
	}
	fen, err := strconv.ParseInt(r.PostFormValue("fen"), 10, 64)
	if err != nil {
		return apperr.Field("fen", "error.payment.positive")
	}
	pay := billing.NewPayment{Fen: fen, Reference: r.PostFormValue("reference"), Day: r.PostFormValue("day")}
	_, err = s.Billing.RecordPayment(ctx, tenants.ForTenant(tenant), id, pay, identity(r).User.ID, now)
	fields, invalid := fieldErrors(r, err)
	if err != nil && !invalid {
		return err
	}
	if err == nil && !isHTMX(r) {
		return redirect(w, r, financeInvoiceURL(tenant, id))
	}
	place, err := strconv.Atoi(r.PostFormValue("place"))
	if err != nil {
		return apperr.New(apperr.Invalid, "error.finance.nothing_chosen")
	}
	matches, err := s.Billing.MatchRemittances(ctx, tenants.AllTenants(everybody), []billing.Remittance{
		{Fen: fen, Day: pay.Day, Payer: r.PostFormValue("payer"), Reference: strings.TrimSpace(pay.Reference), Note: r.PostFormValue("note")}})
	if err != nil {
		return err
	}
	m := remittanceModel(place, &matches[0])
	if invalid {
		m.Failed, m.Chosen, m.Recorded = fields, r.PostFormValue("invoice"), nil
		if isHTMX(r) {
			return s.render(w, r, http.StatusUnprocessableEntity, financeview.RemittanceCard(m, today()))
		}
		return s.render(w, r, http.StatusUnprocessableEntity, financeview.RemittancesPage(s.chrome(r, layout.NavFinance), financeview.Remittances{List: []financeview.Remittance{m}, Today: today()}))
	}
	return s.render(w, r, http.StatusOK, financeview.RemittanceCard(m, today()))
}
