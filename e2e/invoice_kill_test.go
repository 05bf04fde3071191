package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/billing/billingtest"
	"huizhi/internal/db"
)

// printedInvoice is a line of `web invoice run --json`.
type printedInvoice struct {
	ID, Number, State string
	TotalFen          int64 `json:"total_fen"`
}

// Two machines make the month's invoices final at the same time and are both
// killed after some of them, again and again; then one run goes to its end. Every
// tenant has one invoice, the numbers have no gap, and another run changes nothing.
func TestAMonthlyRunKilledAtRandomPointsIsFinishedByRunningItAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, databaseURL string) {
		const owing = 40
		ctx, binary := context.Background(), buildWeb(t)
		env := append(os.Environ(), "HUIZHI_DATA_DIR="+t.TempDir(), "HUIZHI_DATABASE_URL="+databaseURL)
		command := func(args ...string) *exec.Cmd {
			c := exec.Command(binary, args...)
			c.Env, c.Stderr = env, testWriter{t}
			return c
		}
		require.NoError(t, command("migrate").Run())
		d, err := db.Open(ctx, databaseURL)
		require.NoError(t, err)
		t.Cleanup(func() { d.Close() })
		for i := range owing {
			billingtest.New(t, d, fmt.Sprintf("第 %d 小学", i+1), int64(10_000+i))
		}
		month := billing.MonthOf(db.Now()).Add(-1)
		run := func() *exec.Cmd { return command("invoice", "run", "--month", string(month), "--finalize", "--json") }

		// A run is killed right after it has told of so many invoices.
		random := rand.New(rand.NewPCG(42, 2))
		for range 4 {
			var both sync.WaitGroup
			for range 2 {
				told := 1 + random.IntN(6)
				both.Add(1)
				go func() {
					defer both.Done()
					c := run()
					out, err := c.StdoutPipe()
					if err == nil {
						err = c.Start()
					}
					if err != nil {
						t.Errorf("cannot start a run: %v", err)
						return
					}
					for lines := bufio.NewScanner(out); told > 0 && lines.Scan(); told-- {
					}
					_ = c.Process.Kill()
					_ = c.Wait()
				}()
			}
			both.Wait()
		}
		whole := func() (list []printedInvoice) {
			out, err := run().Output()
			require.NoError(t, err)
			for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
				var inv printedInvoice
				require.NoError(t, dec.Decode(&inv))
				list = append(list, inv)
			}
			return list
		}
		list := whole()
		require.Len(t, list, owing)
		numbers := make([]string, owing)
		for i, inv := range list {
			require.Equal(t, string(billing.StateFinalized), inv.State)
			require.EqualValues(t, 10_000+i, inv.TotalFen)
			numbers[i] = inv.Number
		}
		slices.Sort(numbers)
		for i, number := range numbers {
			require.Equal(t, fmt.Sprintf("INV%s-%06d", billing.DayOf(db.Now())[:4], i+1), number, "gapless")
		}
		require.Equal(t, list, whole(), "another run changes nothing")
		n, err := d.NewSelect().Model((*billing.Invoice)(nil)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, owing, n)
	})
}
