package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/billing/reconcile"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
	"huizhi/web/templates/billingview"
	"huizhi/web/templates/layout"
)

// reconcileRoutes are the pages on which the platform's finance staff compare a
// month three ways and close it. They name tenants and order numbers only.
func (s *Server) reconcileRoutes() []route {
	account := staff(tenants.CanAccount)
	return []route{
		{"GET /platform/finance/{month}/reconcile", account, s.reconcilePage},
		{"POST /platform/finance/{month}/reconcile", account, s.runReconcile},
		{"POST /platform/finance/{month}/reconcile/accept", account, s.acceptDifferences},
		{"POST /platform/finance/{month}/reconcile/reopen", account, s.reopenDifferences},
		{"GET /platform/finance/{month}/close", account, s.closePage},
		{"POST /platform/finance/{month}/close", account, s.closeMonth},
	}
}

// differencesShown is a page of the list.
const differencesShown = 50

func reconcileURL(m billing.Month) string { return financeURL(m) + "/reconcile" }

// reconcilePage shows the three sides and their differences.
func (s *Server) reconcilePage(w http.ResponseWriter, r *http.Request) error {
	m, err := s.reconcileModel(r)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("part") == "body" {
		return s.render(w, r, http.StatusOK, billingview.ReconcileBody(m))
	}
	return s.render(w, r, http.StatusOK, billingview.ReconcilePage(s.chrome(r, layout.NavFinance), m))
}

func (s *Server) reconcileModel(r *http.Request) (m billingview.ReconcileModel, err error) {
	ctx, now := r.Context(), db.Now()
	month, err := monthOf(r, now)
	if err != nil {
		return m, err
	}
	report, err := s.Reconcile.Report(ctx, month)
	if err != nil {
		return m, err
	}
	checklist, err := s.Reconcile.Checklist(ctx, month)
	if err != nil {
		return m, err
	}
	filter := reconcile.Filter{State: reconcile.State(r.FormValue("state")), Kind: reconcile.Kind(r.FormValue("kind"))}
	m = billingview.ReconcileModel{Start: month.Start(), Ended: month.Ended(now), Base: reconcileURL(month), Month: financeURL(month), Close: financeURL(month) + "/close",
		Prev: reconcileURL(month.Add(-1)), Each: providers.PointsPerReceipt, State: string(filter.State), Kind: string(filter.Kind), Filtered: filter != (reconcile.Filter{}),
		Closed: checklist.Closing != nil, Sums: sumsOf(report.Totals)}
	if month < billing.MonthOf(now) {
		m.Next = reconcileURL(month.Add(1))
	}
	m.Body = m.Base + "?" + filterQuery(filter, "part", "body")
	if run := report.Newest; run != nil {
		switch {
		case run.Active && run.State == reconcile.Queued:
			m.Active = &billingview.ReconcileActive{Stage: string(run.State)}
		case run.Active:
			m.Active = &billingview.ReconcileActive{Stage: string(run.Stage), Page: run.Pages, Total: run.TotalPages}
		default:
			m.Failed = &billingview.ReconcileFailure{Problem: string(run.Problem), Cause: run.Cause, At: *run.FinishedAt}
		}
	}
	if err := s.reconcileFilters(r, &m, month, filter); err != nil {
		return m, err
	}
	return m, s.reconcileRows(r, &m, month, filter, report.Run)
}

// filterQuery is the query of a filter, and more.
func filterQuery(f reconcile.Filter, more ...string) string {
	q := url.Values{}
	if f.State != "" {
		q.Set("state", string(f.State))
	}
	if f.Kind != "" {
		q.Set("kind", string(f.Kind))
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return q.Encode()
}

// reconcileFilters counts what each choice would show.
func (s *Server) reconcileFilters(r *http.Request, m *billingview.ReconcileModel, month billing.Month, f reconcile.Filter) error {
	counts, err := s.Reconcile.Counts(r.Context(), month)
	if err != nil {
		return err
	}
	byState, byKind := map[reconcile.State]int64{}, map[reconcile.Kind]int64{}
	for _, c := range counts {
		byState[c.State] += c.N
		if c.State != reconcile.Gone {
			byState[""] += c.N
		}
		if c.State == f.State || f.State == "" && c.State != reconcile.Gone {
			byKind[c.Kind] += c.N
		}
		if c.Kind == f.Kind && c.State == reconcile.Open {
			m.KindOpen += c.N
		}
	}
	m.Open = byState[reconcile.Open]
	for _, state := range append([]reconcile.State{""}, reconcile.States...) {
		if byState[state] == 0 && state != "" && state != f.State {
			continue
		}
		m.States = append(m.States, billingview.ReconcileFilter{Name: string(state), N: byState[state], On: f.State == state,
			Href: m.Base + "?" + filterQuery(reconcile.Filter{State: state})})
	}
	for _, kind := range reconcile.Kinds {
		if byKind[kind] == 0 && kind != f.Kind {
			continue
		}
		next := reconcile.Filter{State: f.State, Kind: kind}
		if kind == f.Kind {
			next.Kind = ""
		}
		m.Kinds = append(m.Kinds, billingview.ReconcileFilter{Name: string(kind), N: byKind[kind], On: kind == f.Kind, Href: m.Base + "?" + filterQuery(next)})
	}
	return nil
}

// reconcileRows loads a page of the list with the names that it needs.
func (s *Server) reconcileRows(r *http.Request, m *billingview.ReconcileModel, month billing.Month, f reconcile.Filter, run *reconcile.Run) error {
	ctx := r.Context()
	list, next, err := s.Reconcile.Differences(ctx, month, f, r.URL.Query().Get("after"), differencesShown)
	if err != nil {
		return err
	}
	if next != "" {
		m.Next50 = m.Base + "?" + filterQuery(f, "after", next)
	}
	var people []string
	if run != nil {
		people = append(people, run.RequestedBy)
	}
	ids := make([]string, len(list))
	for i, d := range list {
		ids[i] = d.ID
	}
	events, err := s.Reconcile.History(ctx, ids...)
	if err != nil {
		return err
	}
	events = slices.DeleteFunc(events, func(e reconcile.Event) bool { return e.Actor == reconcile.System })
	for _, e := range events {
		people = append(people, e.Actor)
	}
	known, err := s.Auth.Names(ctx, people...)
	if err != nil {
		return err
	}
	names, houses := actorNames(known), map[string]string{}
	if run != nil {
		m.Run = &billingview.ReconcileRun{At: *run.StartedAt, By: names.of(ctx, run.RequestedBy)}
	}
	for _, d := range list {
		if d.TenantID != "" && houses[d.TenantID] == "" {
			t, err := s.Tenants.Get(ctx, tenants.ForTenant(d.TenantID))
			if err != nil {
				return err
			}
			houses[d.TenantID] = t.Name
		}
		row := billingview.Difference{ID: d.ID, Kind: string(d.Kind), State: string(d.State), Tenant: houses[d.TenantID], OrderNumber: d.OrderNumber,
			Ours: sideView(d.Ours), Theirs: sideView(d.Theirs), Since: d.FirstAt}
		for _, e := range events {
			if e.DifferenceID == d.ID {
				row.Decisions = append(row.Decisions, billingview.Decision{At: e.At, Event: string(e.Event), By: names.of(ctx, e.Actor), Reason: e.Reason})
			}
		}
		if d.InvoiceID != "" {
			row.Invoice = financeInvoiceURL(d.TenantID, d.InvoiceID)
		}
		m.Rows = append(m.Rows, row)
	}
	return nil
}

func sideView(s *reconcile.Side) *billingview.DifferenceSide {
	if s == nil {
		return nil
	}
	at := s.At
	if t, err := time.Parse(time.RFC3339, at); err == nil { // ours; the provider's text is left as it is
		at = i18n.DateTime(t)
	}
	return &billingview.DifferenceSide{Source: string(s.Source), Ref: s.Ref, State: s.State, At: at, Receipts: s.Receipts, Points: s.Points, Fen: s.Fen}
}

func sumsOf(t reconcile.Totals) billingview.ReconcileSums {
	p := t.Provider
	out := billingview.ReconcileSums{Read: t.Applications, Dated: p.Dated, Later: p.Later, Uncharged: p.Uncharged, Earlier: p.Earlier, Matched: p.Matched(),
		Rehearse: p.Rehearsals, Receipts: t.Ledger.Receipts, Points: t.Ledger.Points, Since: t.SinceRun, Invoices: t.Invoices.Count, Drafts: t.Invoices.Drafts,
		Invoiced: t.Invoices.Receipts, InvoicedFen: t.Invoices.TotalFen}
	if st := t.Stripe; st != nil {
		out.Stripe, out.StripeInvoices, out.StripeFen, out.PaidFen, out.RecordedFen = true, st.Invoices, st.TotalFen, st.PaidFen, st.RecordedFen
	}
	return out
}

// runReconcile asks for a run; the page shows how far it is.
func (s *Server) runReconcile(w http.ResponseWriter, r *http.Request) error {
	month, err := monthOf(r, db.Now())
	if err != nil {
		return err
	}
	if _, err := s.Reconcile.Request(r.Context(), []billing.Month{month}, identity(r).User.ID); err != nil {
		return err
	}
	return redirect(w, r, reconcileURL(month))
}

// acceptDifferences takes responsibility for those that were chosen, or for all of
// the kind that is shown.
func (s *Server) acceptDifferences(w http.ResponseWriter, r *http.Request) error {
	return s.decideDifferences(w, r, s.Reconcile.Accept)
}

// reopenDifferences takes it back.
func (s *Server) reopenDifferences(w http.ResponseWriter, r *http.Request) error {
	return s.decideDifferences(w, r, s.Reconcile.Reopen)
}

func (s *Server) decideDifferences(w http.ResponseWriter, r *http.Request, decide func(context.Context, billing.Month, reconcile.Decision) (int64, error)) error {
	month, err := monthOf(r, db.Now())
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return apperr.New(apperr.Invalid, "error.reconcile.nothing").Wrap(err)
	}
	d := reconcile.Decision{IDs: r.PostForm["id"], Reason: r.PostFormValue("reason"), Actor: identity(r).User.ID}
	filter := reconcile.Filter{State: reconcile.State(r.PostFormValue("state")), Kind: reconcile.Kind(r.PostFormValue("kind"))}
	if r.PostFormValue("all") != "" {
		d.IDs, d.Kind = nil, filter.Kind
	}
	_, err = decide(r.Context(), month, d)
	if fields, ok := fieldErrors(r, err); ok {
		m, err := s.reconcileModel(r)
		if err != nil {
			return err
		}
		m.Reason, m.ReasonError = d.Reason, fields["reason"]+fields[""]
		return s.render(w, r, http.StatusUnprocessableEntity, billingview.ReconcilePage(s.chrome(r, layout.NavFinance), m))
	}
	if err != nil {
		return err
	}
	return redirect(w, r, reconcileURL(month)+"?"+filterQuery(reconcile.Filter{Kind: filter.Kind}))
}

// closePage shows what is left to do before the month is closed.
func (s *Server) closePage(w http.ResponseWriter, r *http.Request) error {
	m, err := s.closeModel(r)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, billingview.ClosePage(s.chrome(r, layout.NavFinance), m))
}

func (s *Server) closeModel(r *http.Request) (m billingview.CloseModel, err error) {
	ctx, now := r.Context(), db.Now()
	month, err := monthOf(r, now)
	if err != nil {
		return m, err
	}
	list, err := s.Reconcile.Checklist(ctx, month)
	if err != nil {
		return m, err
	}
	base := reconcileURL(month)
	m = billingview.CloseModel{Start: month.Start(), Base: financeURL(month) + "/close", Month: financeURL(month), Over: month.Ended(now),
		Unmet: len(list.Unmet()), Reconcile: base}
	where := map[reconcile.ConditionName]string{
		reconcile.AllFinal:    financeURL(month),
		reconcile.AllSettled:  base + "?" + filterQuery(reconcile.Filter{Kind: reconcile.Unknown}),
		reconcile.WasCompared: base,
		reconcile.NothingOpen: base + "?" + filterQuery(reconcile.Filter{State: reconcile.Open}),
	}
	for _, c := range list.Conditions {
		m.Conditions = append(m.Conditions, billingview.CloseCondition{Name: string(c.Name), Met: c.Met, N: c.N, Href: where[c.Name], Day: month.End()})
		if c.Name == reconcile.NothingOpen && list.Closing != nil {
			m.OpenSince = c.N
		}
	}
	if closing := list.Closing; closing != nil {
		names, err := s.Auth.Names(ctx, closing.ClosedBy)
		if err != nil {
			return m, err
		}
		m.Closed = &billingview.MonthClosed{At: closing.ClosedAt, By: actorNames(names).of(ctx, closing.ClosedBy), Reason: closing.Reason}
		for _, c := range closing.Unmet {
			m.Closed.Unmet = append(m.Closed.Unmet, string(c.Name))
			if c.Name == reconcile.NothingOpen {
				m.OpenSince -= c.N // those were known
			}
		}
	}
	return m, nil
}

// closeMonth closes the month; what does not hold needs a reason.
func (s *Server) closeMonth(w http.ResponseWriter, r *http.Request) error {
	month, err := monthOf(r, db.Now())
	if err != nil {
		return err
	}
	reason := r.FormValue("reason")
	_, err = s.Reconcile.Close(r.Context(), month, reason, identity(r).User.ID)
	if fields, ok := fieldErrors(r, err); ok {
		m, err := s.closeModel(r)
		if err != nil {
			return err
		}
		m.Reason, m.ReasonError = reason, fields["reason"]
		return s.render(w, r, http.StatusUnprocessableEntity, billingview.ClosePage(s.chrome(r, layout.NavFinance), m))
	}
	if err != nil {
		return err
	}
	return redirect(w, r, financeURL(month)+"/close")
}
