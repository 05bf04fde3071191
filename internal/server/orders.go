package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/idnumber"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/orderview"
)

func (s *Server) orderRoutes() []route {
	work := can(tenants.CanWork)
	return []route{
		{"GET /orders", work, s.orderList},
		{"POST /orders/search", work, s.searchOrders},
		{"GET /orders/{order}", work, s.orderPage},
		{"GET /orders/{order}/panel", work, s.orderPanel},
		{"POST /orders/{order}/reveal", work, s.revealOrder},
		{"POST /orders/{order}/decide", work, s.decideOrder},
		{"POST /orders/{order}/cancel", work, s.cancelOrder},
		{"POST /orders/{order}/correct", work, s.correctOrder},
	}
}

const (
	ordersPerList = 50
	// A lane is short by nature; what is beyond this many is worked off first.
	laneLength = 200
)

// orderGroup is several statuses under one filter.
type orderGroup struct {
	name     string
	statuses []orders.Status
}

// orderGroups are the filters by state, in the order of an order's life.
var orderGroups = []orderGroup{
	{"todo", []orders.Status{orders.StatusDraft, orders.StatusRecognizing, orders.StatusReview}},
	{"prepared", []orders.Status{orders.StatusReady}},
	{"underway", []orders.Status{orders.StatusQueued, orders.StatusDispatching, orders.StatusAccepted, orders.StatusProcessing, orders.StatusSubmitted}},
	{"attention", []orders.Status{orders.StatusUnknown, orders.StatusNeedsDecision, orders.StatusFailed, orders.StatusRejected}},
	{"done", []orders.Status{orders.StatusCompleted}},
	{"dropped", []orders.Status{orders.StatusCancelled}},
}

// statusesOf are the statuses of a filter: a group, one status, or, for "" and
// anything else, all.
func statusesOf(filter string) []orders.Status {
	for _, g := range orderGroups {
		if g.name == filter {
			return g.statuses
		}
	}
	if st := orders.Status(filter); slices.Contains(orders.Statuses, st) {
		return []orders.Status{st}
	}
	return nil
}

// orderURL is the page of an order.
func orderURL(id string) string { return "/orders/" + url.PathEscape(id) }

// reviewURL is where a person corrects and confirms the order.
func reviewURL(o *orders.Order) string {
	return "/batches/" + url.PathEscape(o.BatchID) + "/review?order=" + url.QueryEscape(o.ID)
}

// orderList is the list by the filters in the address, or a lane.
func (s *Server) orderList(w http.ResponseWriter, r *http.Request) error {
	q := orderview.ParseQuery(r.URL.Query())
	if lane := q.Lane(r.URL.Query().Get("lane")); lane != "" {
		return s.orderLanes(w, r, lane)
	}
	statuses := statusesOf(q.Status)
	if statuses == nil {
		q.Status = ""
	}
	m := orderview.ListModel{Query: q}
	if q.Batch != "" {
		b, err := s.Orders.Batch(r.Context(), identity(r).Scope(), q.Batch)
		if err != nil {
			return err
		}
		m.BatchName = b.Name
	}
	filter := orders.Filter{BatchID: q.Batch, Statuses: statuses, TypeID: q.Type, Exceptions: q.Exceptions}
	return s.renderOrders(w, r, m, filter)
}

// searchOrders finds orders by the start of a name, an ID number or an order
// number. It is a POST, because those do not belong into addresses.
func (s *Server) searchOrders(w http.ResponseWriter, r *http.Request) error {
	text := strings.TrimSpace(r.FormValue("q"))
	return s.renderOrders(w, r, orderview.ListModel{Searched: text}, orders.Filter{Text: text})
}

// renderOrders fills in what every list shows. To htmx it answers with the list
// alone.
func (s *Server) renderOrders(w http.ResponseWriter, r *http.Request, m orderview.ListModel, f orders.Filter) error {
	ctx, id := r.Context(), identity(r)
	list, err := s.Orders.List(ctx, id.Scope(), f, m.Query.Before, ordersPerList+1)
	if err != nil {
		return err
	}
	m.More = len(list) > ordersPerList
	if m.Rows, err = s.orderRows(r, list[:min(len(list), ordersPerList)]); err != nil {
		return err
	}
	types, err := s.Orders.Types(ctx)
	if err != nil {
		return err
	}
	for _, t := range types {
		m.Types = append(m.Types, orderview.Choice{ID: t.ID, Label: t.Name})
	}
	for _, g := range orderGroups {
		m.Groups = append(m.Groups, g.name)
	}
	m.Now = time.Now()
	if isHTMX(r) {
		return s.render(w, r, http.StatusOK, orderview.List(m))
	}
	return s.render(w, r, http.StatusOK, orderview.ListPage(s.chrome(r, layout.NavOrders), m))
}

// orderRows shows orders as lists do.
func (s *Server) orderRows(r *http.Request, list []orders.Order) ([]orderview.Row, error) {
	var batchIDs []string
	for _, o := range list {
		if !slices.Contains(batchIDs, o.BatchID) {
			batchIDs = append(batchIDs, o.BatchID)
		}
	}
	batches, err := s.Orders.BatchesByID(r.Context(), identity(r).Scope(), batchIDs...)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(list))
	for i, o := range list {
		ids[i] = o.ID
	}
	fen, err := s.Billing.FenOfOrders(r.Context(), identity(r).Scope(), ids...)
	if err != nil {
		return nil, err
	}
	rows := make([]orderview.Row, len(list))
	for i := range list {
		rows[i] = orderRow(&list[i], batches[list[i].BatchID], fen[list[i].ID])
	}
	return rows, nil
}

func orderRow(o *orders.Order, b *orders.Batch, fen int64) orderview.Row {
	row := orderview.Row{
		ID: o.ID, Number: o.Number, Name: o.Name, MaskedID: idnumber.Mask(o.IDNumber), Status: string(o.Status), Simulate: o.Simulate,
		TypeName: o.TypeName, City: o.City, PhotoID: o.PhotoID, BatchID: o.BatchID, UpdatedAt: o.UpdatedAt, Fen: fen,
	}
	if b != nil {
		row.BatchName = b.Name
	}
	return row
}

// orderLanes is the page of orders whose outcome is not known. An open page asks
// for it again and gets 204 as long as nothing has changed.
func (s *Server) orderLanes(w http.ResponseWriter, r *http.Request, lane string) error {
	m := orderview.LanesModel{Lane: lane, Now: time.Now()}
	var err error
	if m.Unknown, err = s.laneRows(r, orders.StatusUnknown); err != nil {
		return err
	}
	if m.Decision, err = s.laneRows(r, orders.StatusNeedsDecision); err != nil {
		return err
	}
	m.Seen = seenLanes(m)
	if r.URL.Query().Get("part") != "lanes" {
		return s.render(w, r, http.StatusOK, orderview.LanesPage(s.chrome(r, lane), m))
	}
	if r.URL.Query().Get("seen") == m.Seen {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return s.render(w, r, http.StatusOK, orderview.Lanes(m))
}

func (s *Server) laneRows(r *http.Request, st orders.Status) ([]orderview.LaneRow, error) {
	ctx, sc := r.Context(), identity(r).Scope()
	list, err := s.Orders.List(ctx, sc, orders.Filter{Statuses: []orders.Status{st}}, "", laneLength)
	if err != nil {
		return nil, err
	}
	rows, err := s.orderRows(r, list)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(list))
	for i, o := range list {
		ids[i] = o.ID
	}
	attempts, err := s.Orders.LiveAttempts(ctx, sc, ids...)
	if err != nil {
		return nil, err
	}
	var lane []orderview.LaneRow
	for _, row := range rows {
		if a := attempts[row.ID]; a != nil { // none: it was settled between the two queries
			lane = append(lane, laneRow(row, a, s.Orders.WithoutEcho))
		}
	}
	return lane, nil
}

// laneRow is an attempt whose outcome is not known. withoutEcho: the provider's
// list shows no reference of ours at all.
func laneRow(row orderview.Row, a *orders.Attempt, withoutEcho bool) orderview.LaneRow {
	l := orderview.LaneRow{Row: row, Reference: sentReference(a), NoEcho: withoutEcho || !a.Marked(), SentAt: a.CreatedAt, ErrorKey: a.ErrorKey,
		Scans: int(a.Scans), CleanScans: int(a.CleanScans), NeededScans: orders.CleanScansNeeded}
	if a.DispatchedAt != nil {
		l.SentAt = *a.DispatchedAt
	}
	if a.UnknownSince != nil {
		l.Waited = a.UnknownSince.Sub(l.SentAt)
	}
	if a.NextPollAt != nil {
		l.NextLook = *a.NextPollAt
	}
	return l
}

// sentReference is the reference that the provider got; "" if it got none.
func sentReference(a *orders.Attempt) string {
	if !a.Marked() {
		return ""
	}
	return a.Reference
}

// orderPanel is an order beside the list. Opened any other way it is the page.
func (s *Server) orderPanel(w http.ResponseWriter, r *http.Request) error {
	m, err := s.orderModel(r)
	if err != nil {
		return err
	}
	if r.Header.Get("HX-Request") != "true" {
		return redirect(w, r, m.Path())
	}
	return s.render(w, r, http.StatusOK, orderview.Panel(m, listBehind(r)))
}

// listBehind is the address of the list that the panel stands over.
func listBehind(r *http.Request) string {
	if u, err := url.Parse(r.Header.Get("HX-Current-URL")); err == nil && u.Path == "/orders" {
		return orderview.ParseQuery(u.Query()).URL()
	}
	return "/orders"
}

// revealOrder shows the whole ID number and notes who looked.
func (s *Server) revealOrder(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	o, err := s.Orders.Reveal(r.Context(), id.Scope(), r.PathValue("order"), id.User.ID)
	if err != nil {
		return err
	}
	m, err := s.orderModel(r)
	if err != nil {
		return err
	}
	m.Revealed = o.IDNumber
	if isHTMX(r) {
		return s.render(w, r, http.StatusOK, orderview.IDNumber(m))
	}
	return s.render(w, r, http.StatusOK, orderview.OrderPage(s.chrome(r, layout.NavOrders), m))
}

// decideOrder takes a person's decision about an order that scans could not settle.
func (s *Server) decideOrder(w http.ResponseWriter, r *http.Request) error {
	id, order := identity(r), r.PathValue("order")
	o, err := s.Orders.Get(r.Context(), id.Scope(), order)
	if err != nil {
		return err // before anything is said about the form
	}
	decision := orders.Decision(r.FormValue("decision"))
	// It may cost money twice, so a slip of the hand is not enough.
	if typed := strings.TrimSpace(r.FormValue("confirm")); decision == orders.DecideResend && (typed == "" || typed != o.Name && typed != o.Number) {
		return apperr.New(apperr.Invalid, "error.order.confirm")
	}
	if err := s.Orders.Decide(r.Context(), id.Scope(), order, decision, id.User.ID); err != nil {
		return err
	}
	return redirect(w, r, orderURL(order))
}

func (s *Server) cancelOrder(w http.ResponseWriter, r *http.Request) error {
	id, order := identity(r), r.PathValue("order")
	if err := s.Orders.Cancel(r.Context(), id.Scope(), order, id.User.ID); err != nil {
		return err
	}
	return redirect(w, r, orderURL(order))
}

// correctOrder takes a failed or rejected order back to review, where it is
// corrected and confirmed; the next submit is a new attempt.
func (s *Server) correctOrder(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	o, err := s.Orders.Reopen(r.Context(), id.Scope(), r.PathValue("order"), id.User.ID)
	if err != nil {
		return err
	}
	return redirect(w, r, reviewURL(o))
}
