package server

import (
	"net/http"

	"huizhi/internal/tenants"
)

func (s *Server) receiptRoutes() []route {
	work := can(tenants.CanWork)
	return []route{
		{"POST /orders/{order}/receipt/fetch", work, s.fetchReceipt},
	}
}

// fetchReceipt starts fetching the files of an order again after it was given up.
func (s *Server) fetchReceipt(w http.ResponseWriter, r *http.Request) error {
	order := r.PathValue("order")
	if err := s.Orders.RetryReceipt(r.Context(), identity(r).Scope(), order); err != nil {
		return err
	}
	return redirect(w, r, orderURL(order))
}
