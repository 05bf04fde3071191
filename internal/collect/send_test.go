package collect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/collect"
	"huizhi/internal/orders"
)

func TestAGoodPhotoIsTheOrderOfThePerson(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		v := s.ready(s.chen)
		x, err := s.Send(ctx, v, s.chen, good(t, 0))
		require.NoError(t, err)
		require.Equal(t, collect.Taken, x.Outcome, "%+v", x.Findings)
		st := s.standing(v, s.chen)
		require.Equal(t, collect.Checking, st.Phase)
		require.EqualValues(t, 2, st.Left)
		require.Equal(t, orders.StatusReview, st.Order.Status)
	})
}
