package receiptapi_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/receiptapi"
)

func TestScriptsSeeBothNumbersAndTheCharge(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		o, other := s.newOwner(false), s.newOwner(false)
		s.start()
		no := o.submit(nil)
		other.submit(nil)
		o.await(no, "completed")
		var lines []receiptapi.OrderLine
		require.NoError(t, receiptapi.EachOrder(context.Background(), s.DB, o.scope, func(l receiptapi.OrderLine) error {
			lines = append(lines, l)
			return nil
		}))
		require.Len(t, lines, 1, "another tenant's orders are not listed")
		require.Equal(t, o.orderOf(no).ID, lines[0].ID)
		require.Equal(t, no, lines[0].ApplicationNo)
		require.NotEmpty(t, lines[0].UpstreamNo)
		require.Equal(t, "completed", lines[0].Status)
		require.EqualValues(t, 500, lines[0].ChargedPoints)
		require.EqualValues(t, 1, lines[0].Attempts)
	})
}
