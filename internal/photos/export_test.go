package photos

import (
	"context"
	"fmt"

	"github.com/riverqueue/river"
)

// Work does one job, as the queue would.
func (s *Service) Work(ctx context.Context, args river.JobArgs) error {
	switch args := args.(type) {
	case processPicture:
		return s.process(ctx, args)
	case readRemotely:
		return s.processRemote(ctx, args)
	case FindMarkers:
		return s.findMarkers(ctx, args)
	case expandZip:
		return s.expand(ctx, args)
	default:
		return fmt.Errorf("unknown job %T", args)
	}
}
