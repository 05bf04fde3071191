package server

import (
	"io"
	"net/http"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/billing/bulk"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
	"huizhi/web/templates/financeview"
	"huizhi/web/templates/layout"
)

// financeMonth shows a month over all tenants; without one, the last that is over.
func (s *Server) financeMonth(w http.ResponseWriter, r *http.Request) error {
	return s.renderFinanceMonth(w, r, http.StatusOK, "")
}

func (s *Server) renderFinanceMonth(w http.ResponseWriter, r *http.Request, status int, costFailed string) error {
	ctx, now := r.Context(), db.Now()
	month := billing.MonthOf(now).Add(-1)
	if r.PathValue("month") != "" {
		var err error
		if month, err = monthOf(r, now); err != nil {
			return err
		}
	}
	sum, err := s.Billing.Summary(ctx, tenants.AllTenants(everybody), month, now)
	if err != nil {
		return err
	}
	m := financeview.Overview{Start: month.Start(), Ended: month.Ended(now), Prev: financeURL(month.Add(-1)), Run: financeURL(month) + "/run",
		Now: figuresModel(&sum.Now), Before: figuresModel(&sum.Before), Days: sum.Days, DaysBefore: sum.DaysBefore, Steps: financeview.Steps(sum.Steps),
		Export: financeURL(month) + "/export.", Invoices: financeview.InvoicesURL + "?month=" + string(month), PointCost: financeURL(month) + "/cost", CostFailed: costFailed}
	if month < billing.MonthOf(now) {
		m.Next = financeURL(month.Add(1))
	}
	for _, b := range sum.Trend {
		m.Trend = append(m.Trend, financeview.MonthBar{Start: b.Month.Start(), Receipts: b.Receipts, NetFen: b.NetFen, Href: financeURL(b.Month), Current: b.Month == month})
	}
	for _, t := range sum.Largest {
		m.Largest = append(m.Largest, financeview.TenantRow{Name: t.TenantName, Receipts: t.Receipts, NetFen: t.NetFen, OpenFen: t.OpenFen, Href: usageURL(t.TenantID, month)})
	}
	cost, err := s.Billing.PointCost(ctx, month)
	if err != nil {
		return err
	}
	if cost != nil {
		m.Cost = i18n.Amount(cost.FenPer1000Points)
	}
	if costFailed != "" {
		m.Cost = r.FormValue("cost")
	}
	return s.render(w, r, status, financeview.OverviewPage(s.chrome(r, layout.NavFinance), m))
}

func figuresModel(f *billing.Figures) financeview.Figures {
	return financeview.Figures{Receipts: f.Receipts, Points: f.Points, NetFen: f.NetFen, TotalFen: f.TotalFen, OpenFen: f.OpenFen, OCRFen: f.OCRFen,
		PointsFen: f.PointsFen, MarginFen: f.MarginFen()}
}

// setPointCost says what a point costs us from the month on.
func (s *Server) setPointCost(w http.ResponseWriter, r *http.Request) error {
	now := db.Now()
	month, err := monthOf(r, now)
	if err != nil {
		return err
	}
	err = s.Billing.SetPointCost(r.Context(), tenants.AllTenants(everybody), month, amountOf(r.FormValue("cost")), identity(r).User.ID, now)
	if fields, ok := fieldErrors(r, err); ok {
		return s.renderFinanceMonth(w, r, http.StatusUnprocessableEntity, fields["fen"])
	}
	if err != nil {
		return err
	}
	return redirect(w, r, financeURL(month))
}

// runMonth starts to make the drafts of a month.
func (s *Server) runMonth(w http.ResponseWriter, r *http.Request) error {
	ctx, now := r.Context(), db.Now()
	month, err := monthOf(r, now)
	if err != nil {
		return err
	}
	if !month.Ended(now) {
		return apperr.New(apperr.Invalid, "error.billing.not_over", "month", string(month))
	}
	owing, err := s.Billing.Owing(ctx, tenants.AllTenants(everybody), month, now)
	if err != nil {
		return err
	}
	if len(owing) == 0 {
		return redirect(w, r, financeURL(month))
	}
	targets := make([]bulk.Target, len(owing))
	for i, sc := range owing {
		targets[i].Scope = sc
	}
	return s.beginBulk(w, r, bulk.Draft, month, targets)
}

var exportTypes = map[billing.Format]string{billing.CSV: "text/csv; charset=utf-8", billing.PDF: "application/pdf", billing.ZIP: "application/zip",
	billing.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}

func (s *Server) exportMonth(format billing.Format) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx := r.Context()
		month, err := monthOf(r, db.Now())
		if err != nil {
			return err
		}
		all, err := s.Billing.EveryTenant(ctx, tenants.AllTenants(everybody))
		if err != nil {
			return err
		}
		docs, err := s.Billing.Documents(ctx, month, all)
		if err != nil {
			return err
		}
		name := billing.ExportName(ctx, month, i18n.T(ctx, "billing.export.all"), string(format))
		return sendFile(w, r, exportTypes[format], "invoices-"+string(month)+"."+string(format), name,
			func(out io.Writer) error { return s.Billing.ExportDocuments(ctx, docs, format, out) })
	}
}
