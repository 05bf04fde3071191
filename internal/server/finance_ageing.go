package server

import (
	"io"
	"net/http"
	"time"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
	"huizhi/web/templates/financeview"
	"huizhi/web/templates/layout"
)

// ageing shows who owes how much for how long.
func (s *Server) ageing(w http.ResponseWriter, r *http.Request) error {
	now := db.Now()
	a, err := s.Billing.Ageing(r.Context(), tenants.AllTenants(everybody), now)
	if err != nil {
		return err
	}
	m := financeview.Ageing{Day: a.Day, Sum: agedModel(&a.Sum, now), CSV: financeview.AgeingURL + ".csv"}
	for i := range a.Rows {
		m.Rows = append(m.Rows, agedModel(&a.Rows[i], now))
	}
	return s.render(w, r, http.StatusOK, financeview.AgeingPage(s.chrome(r, layout.NavFinance), m))
}

// agedModel links every amount to the invoices that it is made of.
func agedModel(a *billing.Aged, now time.Time) financeview.Aged {
	all := financeview.Query{State: openFilter, Tenant: a.TenantID}
	out := financeview.Aged{Tenant: a.TenantName, Invoices: a.Invoices, TotalFen: a.TotalFen, TotalURL: all.URL(), Href: usageURL(a.TenantID, "")}
	for i, fen := range a.Fen {
		q := all
		q.DueFrom, q.DueUntil = billing.BucketDays(i, now)
		out.Cells = append(out.Cells, financeview.AgedCell{Fen: fen, Href: q.URL()})
	}
	return out
}

func (s *Server) exportAgeing(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, err := s.Billing.Ageing(ctx, tenants.AllTenants(everybody), db.Now())
	if err != nil {
		return err
	}
	return sendFile(w, r, exportTypes[billing.CSV], "ageing-"+a.Day+".csv", i18n.T(ctx, "finance.ageing.file")+"_"+a.Day+".csv",
		func(out io.Writer) error { return billing.ExportAgeing(ctx, a, out) })
}
