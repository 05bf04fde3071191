package orders

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTransitions(t *testing.T) {
	t.Parallel()
	for _, from := range Statuses {
		_, known := transitions[from]
		require.True(t, known, "%s is missing from the table", from)
		require.False(t, from.CanBecome(from))
	}
	t.Run("what is done stays done", func(t *testing.T) {
		for _, to := range Statuses {
			require.False(t, StatusCompleted.CanBecome(to))
			require.False(t, StatusCancelled.CanBecome(to))
		}
	})
	t.Run("an unknown order is never queued: first it must be ready, that is proved absent", func(t *testing.T) {
		require.False(t, StatusUnknown.CanBecome(StatusQueued))
		require.False(t, StatusUnknown.CanBecome(StatusDispatching))
		require.False(t, StatusNeedsDecision.CanBecome(StatusQueued))
	})
	t.Run("what may have reached the provider cannot be cancelled", func(t *testing.T) {
		for _, s := range []Status{StatusDispatching, StatusUnknown, StatusNeedsDecision, StatusAccepted, StatusProcessing, StatusSubmitted} {
			require.False(t, s.Cancellable(), "%s", s)
			require.True(t, s.Live(), "%s", s)
			require.False(t, s.Editable(), "%s", s)
		}
	})
}
