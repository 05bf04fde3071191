package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/platformview"
)

// accountEventsShown is how much of the account's history the page has.
const accountEventsShown = 20

var forOperator = tenants.AllTenants("the platform's staff see how the one upstream account does, over all tenants")

// providerPage is the provider's health; an open page asks for its body again.
func (s *Server) providerPage(w http.ResponseWriter, r *http.Request) error {
	m, err := s.providerModel(r)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("part") == "body" {
		return s.render(w, r, http.StatusOK, platformview.ProviderBody(m))
	}
	return s.render(w, r, http.StatusOK, platformview.ProviderPage(s.chrome(r, layout.NavProvider), m))
}

func (s *Server) providerModel(r *http.Request) (platformview.ProviderModel, error) {
	ctx := r.Context()
	h, err := s.Orders.ProviderHealth(ctx, forOperator)
	if err != nil {
		return platformview.ProviderModel{}, err
	}
	m := platformview.ProviderModel{
		Account: accountView(h.Account), Balance: shadowView(h.Balance), UnderWay: h.UnderWay, Overdue: h.Overdue,
		Unknown: h.Unknown, Decision: h.NeedsDecision, CanOperate: identity(r).Staff.Allows(tenants.CanOperate), Now: h.At,
	}
	for _, c := range h.Calls {
		m.Calls = append(m.Calls, platformview.Calls{Op: c.Op, N: c.Calls, Failed: c.Calls - c.OK - c.ByOutcome["refused"], Rate: c.SuccessRate(), P50: c.P50, P95: c.P95, P99: c.P99})
	}
	for _, t := range h.Types {
		m.Types = append(m.Types, platformview.TypeTime{Name: t.TypeName, N: t.N, P50: t.P50, P95: t.P95})
	}
	for _, b := range h.Backlog {
		m.Backlog = append(m.Backlog, platformview.Backlog{Tenant: b.Name, Queued: b.Queued, Oldest: b.Oldest})
	}
	for _, hour := range h.Hours {
		m.Hours = append(m.Hours, platformview.Hour{Start: hour.Start, Calls: hour.Calls, Failed: hour.Failed, Submits: hour.Submits, Completed: hour.Completed})
	}
	for _, r := range h.Refusals {
		m.Refusals = append(m.Refusals, platformview.Refusal{At: r.At, Code: r.Code, Key: fmt.Sprintf("provider.%d", r.Code), Message: r.Message, Order: r.OrderNumber, Tenant: r.TenantName})
	}
	if m.Engines, err = s.engineHealth(ctx, h.At); err != nil {
		return m, err
	}
	events, err := s.Orders.AccountEvents(ctx, accountEventsShown)
	if err != nil {
		return m, err
	}
	names, err := s.Auth.Names(ctx, actorsOf(events)...)
	for _, e := range events {
		m.Events = append(m.Events, platformview.AccountEvent{At: e.At, Kind: e.Kind, Reason: e.Reason, Actor: actorNames(names).of(ctx, e.Actor)})
	}
	return m, err
}

func actorsOf(events []orders.AccountEvent) []string {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.Actor
	}
	return ids
}

func accountView(a orders.AccountState) platformview.Account {
	return platformview.Account{Name: a.Account, Circuit: string(a.Circuit), StopKey: a.StopKey,
		Since: timeOr(a.StoppedAt), Probe: timeOr(a.ProbeAt), Probes: a.Probes, Failures: a.Failures}
}

func timeOr(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func shadowView(b orders.Balance) platformview.Balance {
	return platformview.Balance{Known: b.Known, Told: b.Told, ToldAt: b.ToldAt, Spent: b.Spent, Left: b.Left, Reserved: b.Reserved, Queued: b.Queued,
		PerDay: max(b.PerDay7, b.PerDay30), Days: b.DaysLeft, Endless: b.Endless, Warn: b.Warn}
}

// resumeProvider lifts a stop at once: one submit goes out first, and the others
// follow when it works.
func (s *Server) resumeProvider(w http.ResponseWriter, r *http.Request) error {
	if err := s.Orders.Resume(r.Context(), identity(r).User.ID); err != nil {
		return err
	}
	return redirect(w, r, "/platform/provider")
}

// setBalance notes what the operator saw on the provider's own pages.
func (s *Server) setBalance(w http.ResponseWriter, r *http.Request) error {
	typed := strings.TrimSpace(r.PostFormValue("points"))
	points, err := strconv.ParseInt(strings.NewReplacer(",", "", " ", "").Replace(typed), 10, 64)
	if err != nil {
		err = apperr.Field("points", "error.balance.number")
	} else {
		err = s.Orders.SetBalance(r.Context(), points, identity(r).User.ID)
	}
	if fields, ok := fieldErrors(r, err); ok {
		m, err := s.providerModel(r)
		if err != nil {
			return err
		}
		m.Balance.Typed, m.Balance.Error = typed, fields["points"]
		return s.render(w, r, http.StatusUnprocessableEntity, platformview.ProviderPage(s.chrome(r, layout.NavProvider), m))
	}
	if err != nil {
		return err
	}
	return redirect(w, r, "/platform/provider")
}
