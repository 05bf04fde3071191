package providers

// Status is the state of an application at the provider. Text the provider may invent later is kept as it came;
// see [Status.Known].
type Status string

// The states in the order in which they follow each other; completed and failed are both final.
const (
	StatusPending    Status = "pending"    // created, waiting
	StatusProcessing Status = "processing" // being worked on
	StatusSubmitted  Status = "submitted"  // handed to the authority's system, waiting for its result
	StatusCompleted  Status = "completed"
	StatusFailed     Status = "failed"
)

// Rank orders the states in time: a move to a lower rank is a stale answer. Completed and failed share the highest
// rank; a status that is not known ranks 0.
func (s Status) Rank() int {
	switch s {
	case StatusPending:
		return 1
	case StatusProcessing:
		return 2
	case StatusSubmitted:
		return 3
	case StatusCompleted, StatusFailed:
		return 4
	}
	return 0
}

// Final reports whether the application will not change any more.
func (s Status) Final() bool { return s == StatusCompleted || s == StatusFailed }

// Known reports whether the provider's document names the status.
func (s Status) Known() bool { return s.Rank() > 0 }
