package server

import (
	"net/http"
	"net/url"

	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

func (s *Server) orderRoutes() []route {
	work := can(tenants.CanWork)
	return []route{
		{"POST /orders/{order}/decide", work, s.decideOrder},
		{"POST /orders/{order}/cancel", work, s.cancelOrder},
		{"POST /orders/{order}/correct", work, s.correctOrder},
	}
}

// orderURL is the page of an order.
func orderURL(id string) string { return "/orders/" + url.PathEscape(id) }

// decideOrder takes a person's decision about an order that scans could not settle.
func (s *Server) decideOrder(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	order := r.PathValue("order")
	if err := s.Orders.Decide(r.Context(), id.Scope(), order, orders.Decision(r.FormValue("decision")), id.User.ID); err != nil {
		return err
	}
	return redirect(w, r, orderURL(order))
}

func (s *Server) cancelOrder(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	order := r.PathValue("order")
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

// reviewURL is where a person corrects and confirms the order.
func reviewURL(o *orders.Order) string {
	return "/batches/" + url.PathEscape(o.BatchID) + "/review?order=" + url.QueryEscape(o.ID)
}
