package photos_test

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/db"
	"huizhi/internal/dbtest"
)

// What one upload costs besides the network: hash, blob, record, job row.
func BenchmarkStore(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			s := newShop(b, open(b))
			content := picture(b, 1)
			var n atomic.Int64
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := n.Add(1)
					_, err := s.Store(context.Background(), s.sc, s.batch, fmt.Sprintf("%d.jpg", i), bytes.NewReader(fmt.Append(bytes.Clone(content), i)))
					require.NoError(b, err)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "files/s")
		})
	}
}
