package classes_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/classes"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
)

// BenchmarkExport takes out 1,000 photos: as they are, and cut anew for 学籍.
func BenchmarkExport(b *testing.B) {
	const n = 1000
	w := newWorld(b, dbtest.SQLite(b))
	var err error
	w.photo, err = os.ReadFile("../photos/imaging/testdata/portrait.jpg")
	require.NoError(b, err)
	for i := range n {
		w.order(w.batch, w.person(fmt.Sprint("同学", i), fmt.Sprintf("11010120160101%04d", i), "", "一年级", fmt.Sprintf("%d班", i/45)), orders.StatusReady)
	}
	for _, kind := range []classes.Photos{classes.Finished, classes.Xueji} {
		b.Run(string(kind), func(b *testing.B) {
			for b.Loop() {
				e, err := w.Start(w.ctx, w.sc, classes.Request{RosterID: w.roster.ID, Filter: classes.Filter{States: classes.States}, Photos: kind, Template: "{id_number}"}, w.user)
				require.NoError(b, err)
				require.NoError(b, w.Exports.Make(w.ctx, e.Owner, e.ID, now))
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "photos/s")
		})
	}
}
