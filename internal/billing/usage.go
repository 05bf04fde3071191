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

// Sum is a number of receipts, the points they cost and their price in fen,
// before tax that is not included.
type Sum struct{ Receipts, Points, Fen int64 }

func (s *Sum) add(g group) {
	s.Receipts += g.Receipts
	s.Points += g.Receipts * g.Points
	s.Fen += g.Receipts * g.unitFen
}

// Usage is what a tenant used in a month.
type Usage struct {
	Month Month
	Until time.Time // the moment it was counted, or the end of the month
	Total Sum
	// Before is the month before up to the same day and time, so that a running
	// month is compared fairly; the whole of it when the month is over.
	Before Sum
	// Days has a Sum for every day of the month, and DaysBefore for every day of
	// the month before.
	Days, DaysBefore []Sum
	Kinds            []Kind
}

// Kind is the month's receipts of one type and city at one price, dearest first.
type Kind struct {
	TypeID   int
	TypeName string
	City     string
	UnitFen  int64
	Sum
}

// Usage counts the month from the ledger.
func (s *Service) Usage(ctx context.Context, sc tenants.Scope, month Month, now time.Time) (*Usage, error) {
	r, err := newRater(ctx, s.db, sc)
	if err != nil {
		return nil, err
	}
	u := &Usage{Month: month, Until: now, Days: make([]Sum, month.Days()), DaysBefore: make([]Sum, month.Add(-1).Days())}
	if month.Ended(now) {
		u.Until = month.End()
	}
	rated, err := r.of(ctx, month)
	if err != nil {
		return nil, err
	}
	groups, err := rated.groups(ctx, s.db, "charge.day, charge.type_name, charge.city", nil)
	if err != nil {
		return nil, err
	}
	kinds := map[Kind]*Sum{}
	for _, g := range groups {
		u.Total.add(g)
		u.Days[dayIndex(g.Day)].add(g)
		k := Kind{TypeID: g.TypeID, TypeName: g.TypeName, City: g.City, UnitFen: g.unitFen}
		if kinds[k] == nil {
			kinds[k] = new(Sum)
		}
		kinds[k].add(g)
	}
	for k, sum := range kinds {
		k.Sum = *sum
		u.Kinds = append(u.Kinds, k)
	}
	slices.SortFunc(u.Kinds, func(a, b Kind) int {
		return cmp.Or(cmp.Compare(b.Fen, a.Fen), cmp.Compare(a.TypeID, b.TypeID), cmp.Compare(a.City, b.City), cmp.Compare(a.TypeName, b.TypeName), cmp.Compare(a.UnitFen, b.UnitFen))
	})
	return u, s.compare(ctx, sc, u, r, now)
}

// UsageAndOverview is both, for a page that shows both: the month of the usage is
// not counted a second time.
func (s *Service) UsageAndOverview(ctx context.Context, sc tenants.Scope, month Month, now time.Time) (*Usage, []MonthTotal, error) {
	u, err := s.Usage(ctx, sc, month, now)
	if err != nil {
		return nil, nil, err
	}
	overview, err := s.overview(ctx, sc, now, map[Month]Sum{month: u.Total})
	return u, overview, err
}

// compare fills in the month before.
func (s *Service) compare(ctx context.Context, sc tenants.Scope, u *Usage, r *rater, now time.Time) error {
	before := u.Month.Add(-1)
	rated, err := r.of(ctx, before)
	if err != nil {
		return err
	}
	days, err := rated.groups(ctx, s.db, "charge.day", nil)
	if err != nil {
		return err
	}
	cut := before.End()
	if !u.Month.Ended(now) {
		cut = sameTime(before, u.Month, now)
	}
	cutDay := dayOf(cut)
	for _, g := range days {
		u.DaysBefore[dayIndex(g.Day)].add(g)
		if g.Day < cutDay {
			u.Before.add(g)
		}
	}
	// The day that is compared in part.
	part, err := rated.groups(ctx, s.db, "", func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("charge.day = ? AND charge.at < ?", cutDay, cut.UTC())
	})
	for _, g := range part {
		u.Before.add(g)
	}
	return err
}

// sameTime is the moment in the month before that lies as far into it as now in
// its month; the end of it when it is too short.
func sameTime(before, month Month, now time.Time) time.Time {
	t := before.Start().Add(now.Sub(month.Start()))
	if t.After(before.End()) {
		return before.End()
	}
	return t
}

// MonthTotal is a month of the overview. Invoice is nil when there is none yet.
type MonthTotal struct {
	Month   Month
	Sum     Sum
	Invoice *Invoice
}

// Overview sums up the twelve months to now, newest first, without the months
// in which nothing happened.
func (s *Service) Overview(ctx context.Context, sc tenants.Scope, now time.Time) ([]MonthTotal, error) {
	return s.overview(ctx, sc, now, map[Month]Sum{})
}

// overview takes the months that have been counted already.
func (s *Service) overview(ctx context.Context, sc tenants.Scope, now time.Time, counted map[Month]Sum) ([]MonthTotal, error) {
	r, err := newRater(ctx, s.db, sc)
	if err != nil {
		return nil, err
	}
	invoices, err := s.Invoices(ctx, sc)
	if err != nil {
		return nil, err
	}
	invoiceOf := map[Month]*Invoice{}
	for i := range invoices {
		if invoices[i].State != StateVoid {
			invoiceOf[invoices[i].Month] = &invoices[i]
		}
	}
	this := MonthOf(now)
	first, err := firstMonth(ctx, s.db, sc)
	if err != nil {
		return nil, err
	}
	var out []MonthTotal
	for i := range 12 {
		t := MonthTotal{Month: this.Add(-i), Invoice: invoiceOf[this.Add(-i)]}
		// A month that is over has been counted by its invoice.
		if t.Month != this && t.Invoice != nil {
			t.Sum = Sum{t.Invoice.Receipts, t.Invoice.Points, t.Invoice.AmountFen()}
		} else if sum, known := counted[t.Month]; known {
			t.Sum = sum
		} else if first != "" && t.Month >= first {
			t.Sum, err = r.sum(ctx, t.Month)
		}
		if err != nil {
			return nil, err
		}
		if t.Sum.Receipts > 0 || t.Invoice != nil {
			out = append(out, t)
		}
	}
	return out, nil
}

// firstMonth is the month of the tenant's first charge, "" when there is none.
func firstMonth(ctx context.Context, tx bun.IDB, sc tenants.Scope) (month Month, err error) {
	err = tx.NewSelect().Model((*Charge)(nil)).ColumnExpr("COALESCE(MIN(charge.month), '')").ApplyQueryBuilder(sc.Where).Scan(ctx, &month)
	if err != nil {
		return "", fmt.Errorf("cannot find the first charge: %w", err)
	}
	return month, nil
}

// sum adds the month up.
func (r *rater) sum(ctx context.Context, month Month) (sum Sum, err error) {
	rated, err := r.of(ctx, month)
	if err != nil {
		return sum, err
	}
	groups, err := rated.groups(ctx, r.tx, "", nil)
	for _, g := range groups {
		sum.add(g)
	}
	return sum, err
}

// dayIndex is the place of "2026-11-20" among the days of its month, from 0.
func dayIndex(day string) int { return int(day[8]-'0')*10 + int(day[9]-'0') - 1 }
