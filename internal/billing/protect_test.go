package billing_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

func TestTheDatabaseRefusesToChangeTheLedger(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		var wg sync.WaitGroup
		for range 4 { // nodes that start together, and again
			wg.Go(func() { assert.NoError(t, billing.Protect(ctx, d)) })
		}
		wg.Wait()
		l := newLedger(t, d, 1000)
		l.charge(billing.NewCharge{At: shanghai(2026, 11, 20, 14, 2)})

		statements := []string{"UPDATE charges SET points = 1", "DELETE FROM charges"}
		if db.IsPostgres(d) {
			statements = append(statements, "TRUNCATE charges CASCADE")
		}
		for _, s := range statements {
			_, err := d.ExecContext(ctx, s)
			assert.ErrorContains(t, err, "charges is append-only", s)
		}
		var c billing.Charge
		require.NoError(t, d.NewSelect().Model(&c).Scan(ctx))
		assert.EqualValues(t, 500, c.Points)
	})
}
