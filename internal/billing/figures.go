package billing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// trendMonths is how many months the trend of an overview has.
const trendMonths = 12

// Figures are a month over all tenants. Receipts and points are those of the
// ledger, billed or not; revenue and what is open are those of the invoices that
// are not void, drafts included.
type Figures struct {
	Receipts, Points          int64
	NetFen, TotalFen, OpenFen int64
	OCRFen                    int64 // what OCR providers charged us
	// PointsFen is what the points cost us upstream; nil when nobody has said
	// what a point costs.
	PointsFen *int64
}

// MarginFen is what is left of the revenue; nil when a cost is not known.
func (f *Figures) MarginFen() *int64 {
	if f.PointsFen == nil {
		return nil
	}
	margin := f.NetFen - f.OCRFen - *f.PointsFen
	return &margin
}

// Steps counts what is left to do for a month that is to be closed.
type Steps struct {
	Missing int64 // tenants that owe something and have no draft
	Behind  int64 // drafts that lack receipts of the ledger
	// The month's invoices by what they wait for.
	Review, Finalize, Send, Pay, Overdue, Closed int64
}

// MonthBar is a month of the trend, as it was invoiced.
type MonthBar struct {
	Month            Month
	Receipts, NetFen int64
}

// TenantSum is what a tenant is invoiced for a month.
type TenantSum struct {
	TenantID, TenantName      string
	Receipts, NetFen, OpenFen int64
}

// MonthSummary is a month over all tenants, without a person.
type MonthSummary struct {
	Month  Month
	Now    Figures
	Before Figures // the month before, whole
	// Days and DaysBefore have the receipts of each day.
	Days, DaysBefore []int64
	Trend            []MonthBar  // the twelve months to this one, oldest first
	Largest          []TenantSum // by revenue, the largest first
	Steps            Steps
}

// largestShown is how many tenants an overview names.
const largestShown = 8

// Summary sums a month up over all tenants.
func (s *Service) Summary(ctx context.Context, sweep tenants.Sweep, month Month, now time.Time) (*MonthSummary, error) {
	out := &MonthSummary{Month: month, Days: make([]int64, month.Days()), DaysBefore: make([]int64, month.Add(-1).Days())}
	counts, err := s.countDays(ctx, month)
	if err != nil {
		return nil, err
	}
	before, err := s.countDays(ctx, month.Add(-1))
	if err != nil {
		return nil, err
	}
	receipts := map[string]int64{} // by tenant
	for _, c := range counts {
		out.Days[dayIndex(c.Day)] += c.Receipts
		out.Now.Receipts, out.Now.Points = out.Now.Receipts+c.Receipts, out.Now.Points+c.Points
		receipts[c.TenantID] += c.Receipts
	}
	for _, c := range before {
		out.DaysBefore[dayIndex(c.Day)] += c.Receipts
		out.Before.Receipts, out.Before.Points = out.Before.Receipts+c.Receipts, out.Before.Points+c.Points
	}
	if err := s.invoiced(ctx, out); err != nil {
		return nil, err
	}
	if err := s.addSteps(ctx, sweep, out, receipts, now); err != nil {
		return nil, err
	}
	return out, s.addCosts(ctx, out)
}

// dayCount is what one tenant was charged on one day.
type dayCount struct {
	TenantID, Day    string
	Receipts, Points int64
}

// countDays counts a month of the ledger. It goes from tenant to tenant, because
// the ledger's indexes begin with them.
func (s *Service) countDays(ctx context.Context, month Month) ([]dayCount, error) {
	var out []dayCount
	err := s.db.NewRaw(`SELECT charge.tenant_id, charge.day, COUNT(*) AS receipts, SUM(charge.points) AS points
		FROM tenants AS tenant CROSS JOIN charges AS charge WHERE charge.tenant_id = tenant.id AND charge.month = ?
		GROUP BY charge.tenant_id, charge.day`, month).Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("cannot count the ledger of %s: %w", month, err)
	}
	return out, nil
}

// invoiced adds what the invoices of the twelve months say.
func (s *Service) invoiced(ctx context.Context, out *MonthSummary) error {
	var rows []struct {
		Month                               Month
		Receipts, NetFen, TotalFen, OpenFen int64
	}
	first := out.Month.Add(1 - trendMonths)
	err := s.db.NewSelect().Model((*Invoice)(nil)).
		ColumnExpr("invoice.month, SUM(receipts) AS receipts, SUM(net_fen) AS net_fen, SUM(total_fen) AS total_fen, SUM("+openFen+") AS open_fen").
		Where("month BETWEEN ? AND ? AND state <> ?", first, out.Month, StateVoid).GroupExpr("invoice.month").Scan(ctx, &rows)
	if err != nil {
		return fmt.Errorf("cannot add up what was invoiced: %w", err)
	}
	at := map[Month]int{}
	for i := range trendMonths {
		m := first.Add(i)
		at[m] = i
		out.Trend = append(out.Trend, MonthBar{Month: m})
	}
	for _, r := range rows {
		out.Trend[at[r.Month]] = MonthBar{r.Month, r.Receipts, r.NetFen}
		switch r.Month {
		case out.Month:
			out.Now.NetFen, out.Now.TotalFen, out.Now.OpenFen = r.NetFen, r.TotalFen, r.OpenFen
		case out.Month.Add(-1):
			out.Before.NetFen, out.Before.TotalFen, out.Before.OpenFen = r.NetFen, r.TotalFen, r.OpenFen
		}
	}
	return nil
}

// addSteps counts what is left to do. receipts are the tenants' in the ledger.
func (s *Service) addSteps(ctx context.Context, sweep tenants.Sweep, out *MonthSummary, receipts map[string]int64, now time.Time) error {
	var rows []Listed
	err := s.db.NewSelect().Model(&rows).ColumnExpr("invoice.tenant_id, invoice.state, invoice.number, invoice.receipts, invoice.net_fen, invoice.total_fen, invoice.paid_fen, invoice.credited_fen, tenant.name AS tenant_name").
		Join("JOIN tenants AS tenant ON tenant.id = invoice.tenant_id").
		Where("invoice.month = ? AND invoice.state <> ?", out.Month, StateVoid).Scan(ctx)
	if err != nil {
		return fmt.Errorf("cannot look at the invoices of the month: %w", err)
	}
	missing := len(receipts)
	for i := range rows {
		inv := &rows[i]
		if receipts[inv.TenantID] > 0 {
			missing--
		}
		if inv.Editable() && inv.Receipts != receipts[inv.TenantID] {
			out.Steps.Behind++
		}
		out.Steps.count(inv.State)
		out.Largest = append(out.Largest, TenantSum{inv.TenantID, inv.TenantName, inv.Receipts, inv.NetFen, inv.OpenFen()})
	}
	slices.SortFunc(out.Largest, func(a, b TenantSum) int {
		return cmp.Or(cmp.Compare(b.NetFen, a.NetFen), cmp.Compare(a.TenantID, b.TenantID))
	})
	out.Largest = out.Largest[:min(largestShown, len(out.Largest))]
	if !out.Month.Ended(now) {
		return nil
	}
	minimal, err := minimumMonths(ctx, s.db, sweep, out.Month)
	for _, m := range minimal {
		if receipts[m.TenantID] == 0 {
			missing++
		}
	}
	out.Steps.Missing = int64(missing)
	return err
}

func (s *Steps) count(state State) {
	switch state {
	case StateDraft:
		s.Review++
	case StateReviewed:
		s.Finalize++
	case StateFinalized:
		s.Send++
	case StateSent, StatePartlyPaid:
		s.Pay++
	case StateOverdue:
		s.Overdue++
	default:
		s.Closed++
	}
}

// addCosts adds what both months cost us.
func (s *Service) addCosts(ctx context.Context, out *MonthSummary) error {
	for m, f := range map[Month]*Figures{out.Month: &out.Now, out.Month.Add(-1): &out.Before} {
		err := s.db.NewRaw(`SELECT COALESCE(SUM(call.cost_fen), 0) FROM tenants AS tenant CROSS JOIN ocr_calls AS call
			WHERE call.tenant_id = tenant.id AND call.month = ?`, m).Scan(ctx, &f.OCRFen)
		if err != nil {
			return fmt.Errorf("cannot add up the OCR calls: %w", err)
		}
		cost, err := s.PointCost(ctx, m)
		if err != nil {
			return err
		}
		if cost != nil {
			fen := cost.of(f.Points)
			f.PointsFen = &fen
		}
	}
	return nil
}

// Owing lists the tenants that a run of the month has something to do for: those
// with charges or a minimum, unless their invoice is final. A month that is not
// over has none.
func (s *Service) Owing(ctx context.Context, sweep tenants.Sweep, month Month, now time.Time) ([]tenants.Scope, error) {
	if !month.Ended(now) {
		return nil, nil
	}
	var ids []string
	err := s.db.NewRaw(`SELECT tenant.id FROM tenants AS tenant
		WHERE EXISTS (SELECT 1 FROM charges AS charge WHERE charge.tenant_id = tenant.id AND charge.month = ?)
		AND NOT EXISTS (SELECT 1 FROM invoices AS invoice WHERE invoice.tenant_id = tenant.id AND invoice.month = ?
			AND invoice.state NOT IN (?)) ORDER BY tenant.id`,
		month, month, bun.List([]State{StateVoid, StateDraft, StateReviewed})).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("cannot list the tenants that owe something: %w", err)
	}
	minimal, err := minimumMonths(ctx, s.db, sweep, month)
	if err != nil {
		return nil, err
	}
	for _, m := range minimal {
		ids = append(ids, m.TenantID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	out := make([]tenants.Scope, len(ids))
	for i, id := range ids {
		out[i] = tenants.ForTenant(id)
	}
	return out, nil
}
