package server

import (
	"context"
	"slices"

	"huizhi/internal/orders"
	"huizhi/internal/tenants"
	"huizhi/web/templates/orderview"
)

// evidenceOf is what is on record about an attempt, in the order in which it
// happened.
func (s *Server) evidenceOf(ctx context.Context, sc tenants.Scope, attemptID string) (*orderview.Evidence, error) {
	e, err := s.Orders.Evidence(ctx, sc, attemptID)
	if err != nil {
		return nil, err
	}
	view := &orderview.Evidence{Lines: []orderview.EvidenceLine{{At: e.Attempt.CreatedAt, Kind: "intent", Unmarked: !e.Marked}}}
	for _, f := range e.Sent {
		view.Sent = append(view.Sent, orderview.Value{Label: f.Name, Value: f.Value})
	}
	for _, c := range e.Calls {
		view.Lines = append(view.Lines, orderview.EvidenceLine{At: c.At, Kind: "call", Op: c.Op, Outcome: c.Outcome, Answer: c.Answer,
			Message: c.Message, Code: c.Code, HTTPStatus: c.HTTPStatus, Items: c.Items, Took: c.Took})
	}
	for _, event := range e.Events {
		kind, ok := evidenceKinds[event.Kind]
		if ok {
			view.Lines = append(view.Lines, orderview.EvidenceLine{At: event.At, Kind: kind, Detail: event.Detail})
		}
	}
	if end := e.Attempt.FinishedAt; end != nil {
		view.Lines = append(view.Lines, orderview.EvidenceLine{At: *end, Kind: "end"})
	}
	slices.SortStableFunc(view.Lines, func(a, b orderview.EvidenceLine) int { return a.At.Compare(b.At) })
	if t := e.Attempt.ProviderTimes; t != nil {
		view.ProviderTimes = []string{t.Submit, t.Process, t.Complete}
	}
	return view, nil
}

// evidenceKinds are the events that are evidence by themselves; the others say in
// other words what a call has told.
var evidenceKinds = map[orders.EventKind]string{
	orders.EventCallback: "callback", orders.EventPhotoFetched: "fetch", orders.EventScanned: "scan",
}
