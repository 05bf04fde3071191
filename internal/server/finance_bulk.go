package server

import (
	"net/http"
	"time"

	"huizhi/internal/billing"
	"huizhi/internal/billing/bulk"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
	"huizhi/web/templates/financeview"
	"huizhi/web/templates/layout"
)

// beginBulk starts a run and goes to its page.
func (s *Server) beginBulk(w http.ResponseWriter, r *http.Request, action bulk.Action, month billing.Month, targets []bulk.Target) error {
	run, err := s.Bulk.Start(r.Context(), tenants.AllTenants(everybody), action, month, targets, identity(r).User.ID, db.Now())
	if err != nil {
		return err
	}
	return redirect(w, r, bulkURL(run.ID))
}

func bulkURL(id string) string { return financeview.InvoicesURL + "/runs/" + id }

// bulkRun shows how far a run has come; to htmx the part that changes.
func (s *Server) bulkRun(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p, err := s.Bulk.Progress(ctx, tenants.AllTenants(everybody), r.PathValue("run"))
	if err != nil {
		return err
	}
	m := financeview.Bulk{Action: string(p.Action), Chosen: p.Chosen(), Done: p.Done, Refused: p.Refused, Pending: p.Pending, Finished: p.FinishedAt != nil,
		Left: timeLeft(p, db.Now()), Self: bulkURL(p.ID), Back: financeview.InvoicesURL}
	if p.Month != "" {
		m.Start, m.Back = p.Month.Start(), financeURL(p.Month)
	}
	for _, o := range p.Refusals {
		args := make([]any, len(o.ReasonArgs))
		for i, a := range o.ReasonArgs {
			args[i] = a
		}
		ref := financeview.Refusal{Tenant: o.TenantName, Number: o.Number, Reason: i18n.T(ctx, o.Reason, args...)}
		if o.InvoiceID != "" {
			ref.Href = financeInvoiceURL(o.TenantID, o.InvoiceID)
		}
		m.Refusals = append(m.Refusals, ref)
	}
	if isHTMX(r) {
		return s.render(w, r, http.StatusOK, financeview.BulkPart(m))
	}
	return s.render(w, r, http.StatusOK, financeview.BulkPage(s.chrome(r, layout.NavFinance), m))
}

// timeLeft is how long the rest takes at the pace so far; 0 before there is one.
func timeLeft(p *bulk.Progress, now time.Time) time.Duration {
	worked := p.Done + p.Refused
	if worked == 0 || p.FinishedAt != nil {
		return 0
	}
	return (now.Sub(p.CreatedAt) / time.Duration(worked) * time.Duration(p.Pending)).Round(time.Second)
}
