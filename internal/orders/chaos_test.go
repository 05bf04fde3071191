package orders_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
	"huizhi/internal/providers"
	"huizhi/internal/providers/simulator"
)

// faultKinds are the ways of going wrong, by what goes wrong.
var faultKinds = map[simulator.Op][]simulator.Fault{
	simulator.OpSubmit: append(answers(simulator.OpSubmit, false), answers(simulator.OpSubmit, true)...),
	simulator.OpQuery:  answers(simulator.OpQuery, false), simulator.OpBatchQuery: answers(simulator.OpBatchQuery, false),
	simulator.OpApplications: answers(simulator.OpApplications, false), simulator.OpTypes: answers(simulator.OpTypes, false),
	simulator.OpCallback: {{Kind: simulator.Lost}, {Kind: simulator.Duplicate}, {Kind: simulator.Early},
		{Kind: simulator.Late, Delay: 300 * time.Millisecond}, {Kind: simulator.Forged}},
	simulator.OpWork: {{Kind: simulator.Fail, Message: "照片不合格"}, {Kind: simulator.Stuck, Status: "processing"}, {Kind: simulator.Backward}},
}

// answers are the faults of a call. After: it was processed, and only its answer
// went wrong.
func answers(op simulator.Op, after bool) []simulator.Fault {
	var list []simulator.Fault
	for _, kind := range []simulator.Kind{simulator.Reset, simulator.Cut, simulator.Truncated, simulator.Malformed, simulator.Empty, simulator.HTML,
		simulator.ServerError, simulator.StringNumbers, simulator.NullList, simulator.MissingData, simulator.ObjectForArray, simulator.ExtraFields} {
		list = append(list, simulator.Fault{Op: op, Kind: kind, After: after})
	}
	for _, code := range []int{2001, 2002} {
		list = append(list, simulator.Fault{Op: op, Kind: simulator.Code, Code: code, After: after})
	}
	if after {
		return list
	}
	for _, code := range []int{1001, 1013} {
		list = append(list, simulator.Fault{Op: op, Kind: simulator.Code, Code: code})
	}
	return append(list, simulator.Fault{Op: op, Kind: simulator.Throttle}, simulator.Fault{Op: op, Kind: simulator.Delay, Delay: 60 * time.Millisecond})
}

// verdict is a row of the table: how many orders met the fault, and what must be
// zero.
type verdict struct {
	name                                       string
	orders, lost, duplicate, wrongCharge, open int
}

// plenty pays for the orders of every fault.
const plenty = 1_000_000_00

// Every fault of every call, one after the other. In the ordinary tests each
// fault meets three orders on one of the databases; `make chaos` runs thousands
// on both and prints the table.
func TestFaultMatrix(t *testing.T) {
	total := 0
	if text := os.Getenv("HUIZHI_CHAOS_ORDERS"); text != "" {
		var err error
		total, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	cells := 0
	for _, list := range faultKinds {
		cells += 2 * len(list) // on both databases
	}
	each := max((total+cells-1)/cells, 3)
	var mu sync.Mutex
	var table []verdict
	t.Cleanup(func() { t.Log("\n" + printed(table)) })
	for op, list := range faultKinds {
		t.Run(string(op), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d, simulator.Config{}, prepaid, func(c *orders.Config) {
					c.AccountWait, c.ProbeEvery = 60*time.Millisecond, 20*time.Millisecond
				})
				w.topUp(plenty)
				w.start()
				for i, fault := range list {
					if total == 0 && (i%2 == 0) == db.IsPostgres(d) {
						continue
					}
					fault.Op = op
					v := w.suffer(fault, uint64(i), each)
					v.name = fmt.Sprintf("%s %s", d.Dialect().Name(), v.name)
					mu.Lock()
					table = append(table, v)
					mu.Unlock()
					require.Zero(t, v.lost+v.duplicate+v.wrongCharge+v.open, "%+v", v)
					w.checkMoney(plenty)
				}
			})
		})
	}
}

// suffer takes n orders to their ends while one fault hits two calls in five.
// The calls that only a lost answer makes necessary are made necessary.
func (w *world) suffer(fault simulator.Fault, seed uint64, n int) verdict {
	w.t.Helper()
	fault.Rate = 0.4
	faults := simulator.Faults{Seed: seed, List: []simulator.Fault{fault}}
	if fault.Op != simulator.OpSubmit {
		faults.List = append(faults.List, simulator.Fault{Op: simulator.OpSubmit, Kind: simulator.Reset, After: true, Rate: 0.3})
	}
	b := w.batch(n, orders.NewBatch{})
	w.sim.SetFaults(faults)
	w.submit(b)
	if fault.Op == simulator.OpTypes {
		for range 5 {
			_ = w.svc.SyncCatalogue(context.Background()) // may fail: that is the fault
		}
	}
	v := verdict{name: strings.TrimSpace(fmt.Sprintf("%s %s %s", fault.Op, fault.Kind, whenOf(fault))), orders: n}
	deadline := time.Now().Add(90 * time.Second)
	for v.open = n; v.open > 0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		v.open = w.unsettled(b, fault.Status)
	}
	w.sim.SetFaults(simulator.Faults{})
	w.judge(b, &v)
	return v
}

func whenOf(f simulator.Fault) string {
	switch {
	case f.Code != 0 && f.After:
		return fmt.Sprintf("%d, processed", f.Code)
	case f.Code != 0:
		return strconv.Itoa(f.Code)
	case f.After:
		return "after processing"
	}
	return ""
}

// unsettled counts the orders that are neither at an end nor where a person sees
// them. One that the provider keeps in the state `stuck` (none: "") for a hundred
// times its pace stays under way, where it is seen as overdue.
func (w *world) unsettled(b *orders.Batch, stuck string) (n int) {
	w.t.Helper()
	ctx := context.Background()
	held := map[string]bool{}
	for _, a := range w.sim.Applications() {
		held[a.CustomFields[providers.ReferenceField]] = a.Status == stuck && time.Since(a.SubmitTime) > 5*time.Second
	}
	list, err := w.svc.List(ctx, w.sc, orders.Filter{BatchID: b.ID}, "", 10_000)
	require.NoError(w.t, err)
	ids := make([]string, len(list))
	for i, o := range list {
		ids[i] = o.ID
	}
	live, err := w.svc.LiveAttempts(ctx, w.sc, ids...)
	require.NoError(w.t, err)
	receipts, err := w.svc.Receipts(ctx, w.sc, ids)
	require.NoError(w.t, err)
	for _, o := range list {
		switch o.Status {
		case orders.StatusFailed, orders.StatusRejected, orders.StatusReview, orders.StatusNeedsDecision:
		case orders.StatusCompleted:
			if r := receipts[o.ID]; r == nil || r.State == orders.ReceiptFetching {
				n++
			}
		default:
			if a := live[o.ID]; a == nil || a.ApplicationNo == nil || !held[a.Reference] {
				n++
			}
		}
	}
	return n
}

// judge compares what the provider did with what we believe.
func (w *world) judge(b *orders.Batch, v *verdict) {
	w.t.Helper()
	ctx := context.Background()
	upstream := map[string][]simulator.Application{}
	for _, a := range w.sim.Applications() {
		ref := a.CustomFields[providers.ReferenceField]
		upstream[ref] = append(upstream[ref], a)
	}
	var charges []billing.Charge
	require.NoError(w.t, w.db.NewSelect().Model(&charges).Scan(ctx))
	charged := map[string]int{}
	for _, c := range charges {
		charged[c.OrderID]++
	}
	list, err := w.svc.List(ctx, w.sc, orders.Filter{BatchID: b.ID}, "", 10_000)
	require.NoError(w.t, err)
	v.lost += v.orders - len(list)
	var attempts []orders.Attempt
	require.NoError(w.t, w.db.NewSelect().Model(&attempts).Where("a.tenant_id = ?", w.sc.TenantID()).Scan(ctx))
	byOrder := map[string][]simulator.Application{}
	for _, a := range attempts {
		byOrder[a.OrderID] = append(byOrder[a.OrderID], upstream[a.Reference]...)
	}
	for _, o := range list {
		made, paid := byOrder[o.ID], 0
		for _, a := range made {
			if a.Charged {
				paid++
			}
		}
		if len(made) > 1 {
			v.duplicate++
		}
		if paid != charged[o.ID] || paid > 1 || (paid == 1) != (o.Status == orders.StatusCompleted) {
			v.wrongCharge++
		}
		if len(made) > 0 && (o.Status == orders.StatusReview || o.Status == orders.StatusRejected) {
			v.lost++ // the provider works on something that we have given up
		}
	}
}

func printed(table []verdict) string {
	var out strings.Builder
	rows := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(rows, "fault\torders\tlost\tduplicate applications\twrong charges\tneither ended nor seen")
	sum := verdict{name: "all"}
	for _, v := range table {
		fmt.Fprintf(rows, "%s\t%d\t%d\t%d\t%d\t%d\n", v.name, v.orders, v.lost, v.duplicate, v.wrongCharge, v.open)
		sum.orders, sum.lost, sum.duplicate, sum.wrongCharge, sum.open = sum.orders+v.orders, sum.lost+v.lost, sum.duplicate+v.duplicate, sum.wrongCharge+v.wrongCharge, sum.open+v.open
	}
	fmt.Fprintf(rows, "%s\t%d\t%d\t%d\t%d\t%d\n", sum.name, sum.orders, sum.lost, sum.duplicate, sum.wrongCharge, sum.open)
	rows.Flush()
	return out.String()
}
