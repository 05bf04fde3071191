package orders

import "fmt"

// Status is where an order is in its life. See the table below: nothing else
// changes a status.
type Status string

// The states of an order, in the words of the product.
const (
	StatusDraft         Status = "draft"          // handed in by a program; its photo is still being fetched
	StatusRecognizing   Status = "recognizing"    // its ID card is being read
	StatusReview        Status = "review"         // waits for a person
	StatusReady         Status = "ready"          // confirmed, can be submitted
	StatusQueued        Status = "queued"         // a person pressed submit
	StatusDispatching   Status = "dispatching"    // the call to the provider is under way
	StatusUnknown       Status = "unknown"        // the answer was lost; being reconciled, never re-sent blindly
	StatusNeedsDecision Status = "needs_decision" // reconciling could not settle it: a person decides
	StatusAccepted      Status = "accepted"       // the provider gave an application number
	StatusProcessing    Status = "processing"
	StatusSubmitted     Status = "submitted" // handed on to the authority's system
	StatusCompleted     Status = "completed"
	StatusFailed        Status = "failed"   // the provider tried and could not; nothing is charged
	StatusRejected      Status = "rejected" // the provider refused the input; nothing is charged
	StatusCancelled     Status = "cancelled"
)

// Statuses lists every status in the order of life.
var Statuses = []Status{StatusDraft, StatusRecognizing, StatusReview, StatusReady, StatusQueued, StatusDispatching, StatusUnknown,
	StatusNeedsDecision, StatusAccepted, StatusProcessing, StatusSubmitted, StatusCompleted, StatusFailed, StatusRejected, StatusCancelled}

// transitions is the one table of permitted moves. Upstream states may be
// skipped (a poll sees only the latest), never walked backwards.
var transitions = map[Status][]Status{
	StatusDraft:         {StatusReady, StatusFailed, StatusCancelled}, // a program's order needs no review
	StatusRecognizing:   {StatusReview, StatusCancelled},
	StatusReview:        {StatusReady, StatusCancelled},
	StatusReady:         {StatusReview, StatusQueued, StatusCancelled},
	StatusQueued:        {StatusDispatching, StatusReady, StatusCancelled},
	StatusDispatching:   {StatusAccepted, StatusUnknown, StatusRejected, StatusQueued}, // queued: the request provably never left
	StatusUnknown:       {StatusAccepted, StatusProcessing, StatusSubmitted, StatusCompleted, StatusFailed, StatusReady, StatusNeedsDecision},
	StatusNeedsDecision: {StatusAccepted, StatusProcessing, StatusSubmitted, StatusCompleted, StatusFailed, StatusReady, StatusUnknown},
	StatusAccepted:      {StatusProcessing, StatusSubmitted, StatusCompleted, StatusFailed},
	StatusProcessing:    {StatusSubmitted, StatusCompleted, StatusFailed},
	StatusSubmitted:     {StatusCompleted, StatusFailed},
	StatusFailed:        {StatusReview, StatusReady, StatusCancelled},
	StatusRejected:      {StatusReview, StatusReady, StatusCancelled},
	StatusCompleted:     {},
	StatusCancelled:     {},
}

// CanBecome tells whether the table permits the move.
func (s Status) CanBecome(to Status) bool {
	for _, t := range transitions[s] {
		if t == to {
			return true
		}
	}
	return false
}

// Editable tells whether fields, photo and pairing may still be changed.
func (s Status) Editable() bool {
	switch s {
	case StatusDraft, StatusRecognizing, StatusReview, StatusReady, StatusFailed, StatusRejected:
		return true
	}
	return false
}

// Live tells whether an application is under way for the order.
func (s Status) Live() bool {
	switch s {
	case StatusQueued, StatusDispatching, StatusUnknown, StatusNeedsDecision, StatusAccepted, StatusProcessing, StatusSubmitted:
		return true
	}
	return false
}

// Cancellable tells whether the order can still be dropped without the provider.
func (s Status) Cancellable() bool { return s.CanBecome(StatusCancelled) }

// errTransition is a fault in the program: no caller asks for a move that the
// table forbids without having looked.
func errTransition(from, to Status) error {
	return fmt.Errorf("order cannot go from %s to %s", from, to)
}
