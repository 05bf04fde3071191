package server

import (
	"time"

	"huizhi/internal/receiptapi"
	"huizhi/web/templates/orderview"
)

// programOf is what the program that handed an order in was told, or nil.
func programOf(d receiptapi.Delivery) *orderview.Program {
	a := d.Application
	if a == nil {
		return nil
	}
	p := &orderview.Program{ApplicationNo: a.ApplicationNo, Callback: a.CallbackURL != "", Ended: a.CompletedAt != nil, Done: a.CallbackDone}
	for _, try := range d.Tries {
		p.Tries = append(p.Tries, orderview.CallbackTry{At: try.At, Took: time.Duration(try.TookMS) * time.Millisecond,
			HTTPStatus: try.HTTPStatus, ProblemKey: try.ProblemKey})
	}
	return p
}
