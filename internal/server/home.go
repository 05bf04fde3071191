package server

import (
	"context"
	"fmt"
	"net/http"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
	"huizhi/web/templates/batchview"
	"huizhi/web/templates/homeview"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

func (s *Server) homeRoutes() []route {
	return []route{{"GET /{$}", signedIn, s.home}}
}

// sampleURL is where the sample folder of invented people is, in demo mode.
func (s *Server) sampleURL() string {
	if len(s.Sample) == 0 {
		return ""
	}
	return "/sample.zip"
}

// What the home page shows of each list.
const (
	homeOrders  = 3
	homeBatches = 6
	daysOfHint  = 7 // receipts that end within them are pointed at
)

// home is the first page: what needs a person, the newest batches, the month.
// Those who see only money start there, the platform's operators at the provider.
func (s *Server) home(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	switch {
	case id.Staff.Allows(tenants.CanAccount):
		return redirect(w, r, "/platform/finance")
	case id.Staff != "":
		return redirect(w, r, "/platform/provider")
	case !id.Role.Allows(tenants.CanWork):
		return redirect(w, r, "/billing")
	}
	ctx, sc, now := r.Context(), id.Scope(), db.Now()
	m := homeview.Model{Now: now, SampleURL: s.sampleURL()}
	low, err := s.lowNote(ctx, sc, id.Role)
	if err != nil {
		return err
	}
	m.Low = low
	expiring, err := s.Orders.Expiring(ctx, sc, daysOfHint)
	if err != nil {
		return err
	}
	if expiring > 0 {
		m.Expiring = &ui.NoteView{Tone: ui.Wait, Icon: "clock-alert", Text: i18n.T(ctx, "validity.home", "n", expiring), Action: ui.Btn{Label: i18n.T(ctx, "validity.home.link"), Href: shelfURL(orders.ShelfSoon)}}
	}
	counts, err := s.Orders.StatusCounts(ctx, sc)
	if err != nil {
		return err
	}
	for _, lane := range homeLanes {
		n := counts.Of(lane.statuses...)
		if n == 0 {
			continue
		}
		g, err := s.homeGroup(ctx, sc, lane, n)
		if err != nil {
			return err
		}
		m.Groups = append(m.Groups, g)
	}
	batches, err := s.Orders.Batches(ctx, sc, "", homeBatches)
	if err != nil {
		return err
	}
	if len(batches) > 0 {
		m.Batches = batchview.Table(batchRows(ctx, batches), now)
	}
	if id.Role.Allows(tenants.CanBill) {
		usage, err := s.Billing.Usage(ctx, sc, billing.MonthOf(now), now)
		if err != nil {
			return err
		}
		m.Month = homeMonth(ctx, usage)
	}
	return s.render(w, r, http.StatusOK, homeview.Page(withFlash(w, r, s.chrome(r, layout.NavHome)), m))
}

// lane is a group of orders that need a person.
type lane struct {
	badge    string // of ui.OrderBadge
	meta     string // key of the catalogue: what we are doing about it
	link     string // key: what the link leads to
	href     string // "" leads to the batch of the first order
	statuses []orders.Status
}

var homeLanes = []lane{
	{"review", "home.review.meta", "home.review.link", "", []orders.Status{orders.StatusReview}},
	{"needs_decision", "home.decision.meta", "home.decision.link", "/orders?status=needs_decision", []orders.Status{orders.StatusNeedsDecision}},
	{"unknown", "home.unknown.meta", "home.unknown.link", "/orders?status=unknown", []orders.Status{orders.StatusUnknown}},
	{"failed", "home.failed.meta", "home.failed.link", "/orders?status=failed", failedStatuses},
}

func (s *Server) homeGroup(ctx context.Context, sc tenants.Scope, lane lane, n int64) (homeview.Group, error) {
	g := homeview.Group{Badge: ui.OrderBadge(ctx, lane.badge), Count: n, Meta: i18n.T(ctx, lane.meta), Link: i18n.T(ctx, lane.link), Href: lane.href}
	list, err := s.Orders.List(ctx, sc, orders.Filter{Statuses: lane.statuses, Exceptions: lane.badge == "review"}, "", homeOrders)
	if err == nil && len(list) == 0 { // nothing doubtful: a glance is enough
		list, err = s.Orders.List(ctx, sc, orders.Filter{Statuses: lane.statuses}, "", homeOrders)
	}
	if err != nil {
		return g, err
	}
	thumbs, err := s.thumbs(ctx, sc, list)
	if err != nil {
		return g, err
	}
	for i := range list {
		o := &list[i]
		item := homeview.Item{Href: orderURL(o.ID), Photo: thumbs[o.PhotoID], Name: o.Name, Type: o.TypeName, City: cityName(o.City), At: o.UpdatedAt, Reason: homeReason(ctx, o)}
		if o.Status == orders.StatusReview {
			item.Href = reviewURL(o)
			if g.Href == "" {
				g.Href = reviewGridURL(o.BatchID)
			}
		}
		g.Items = append(g.Items, item)
	}
	return g, nil
}

// homeReason says in a sentence why an order is on the list.
func homeReason(ctx context.Context, o *orders.Order) string {
	switch o.Status {
	case orders.StatusFailed, orders.StatusRejected:
		return failureText(ctx, o)
	case orders.StatusUnknown, orders.StatusNeedsDecision:
		return i18n.T(ctx, "home.reason."+string(o.Status))
	}
	if len(o.ExceptionKeys) == 0 {
		return i18n.T(ctx, "home.reason.clean")
	}
	return exceptionText(ctx, o.ExceptionKeys[0])
}

func homeMonth(ctx context.Context, u *billing.Usage) *homeview.Month {
	m := &homeview.Month{Title: i18n.T(ctx, "home.month", "month", i18n.Month(ctx, u.Month.Start())), Href: "/billing/" + string(u.Month), Receipts: u.Total.Receipts, Points: u.Total.Points, Fen: u.Total.Fen, Before: u.Before.Receipts}
	until := u.Until.In(i18n.Zone())
	for i, day := range u.Days {
		m.Days = append(m.Days, ui.Bar{Value: day.Receipts, Current: !u.Month.Ended(u.Until) && i+1 == until.Day(),
			Tip: fmt.Sprintf("%s %s", i18n.Day(ctx, u.Month.Start().AddDate(0, 0, i)), i18n.T(ctx, "home.receipts", "n", day.Receipts))})
	}
	return m
}
