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

// Sum is a number of receipts, the points they cost and their price in fen.
type Sum struct{ Receipts, Points, Fen int64 }

func (s *Sum) add(receipts, points int64, p price) {
	s.Receipts += receipts
	s.Points += receipts * points
	s.Fen += receipts * p.of(points)
}

// price is in fen per 1,000 points.
type price int64

// of is what one charge of that many points costs.
func (p price) of(points int64) int64 {
	return (&tenants.Tenant{FenPer1000Points: int64(p)}).Cost(points)
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

// group is a row of the one query behind a month's figures.
type group struct {
	Day      string
	TypeID   int
	TypeName string
	City     string
	Points   int64
	Receipts int64
}

// Usage counts the month from the ledger.
func (s *Service) Usage(ctx context.Context, sc tenants.Scope, month Month, now time.Time) (*Usage, error) {
	prices, err := pricesOf(ctx, s.db, sc)
	if err != nil {
		return nil, err
	}
	u := &Usage{Month: month, Until: now, Days: make([]Sum, month.Days()), DaysBefore: make([]Sum, month.Add(-1).Days())}
	if month.Ended(now) {
		u.Until = month.End()
	}
	groups, err := groupMonth(ctx, s.db, sc, month)
	if err != nil {
		return nil, err
	}
	p := prices(month)
	kinds := map[Kind]*Sum{}
	for _, g := range groups {
		u.Total.add(g.Receipts, g.Points, p)
		u.Days[dayIndex(g.Day)].add(g.Receipts, g.Points, p)
		k := Kind{TypeID: g.TypeID, TypeName: g.TypeName, City: g.City, UnitFen: p.of(g.Points)}
		if kinds[k] == nil {
			kinds[k] = new(Sum)
		}
		kinds[k].add(g.Receipts, g.Points, p)
	}
	for k, sum := range kinds {
		k.Sum = *sum
		u.Kinds = append(u.Kinds, k)
	}
	slices.SortFunc(u.Kinds, func(a, b Kind) int {
		return cmp.Or(cmp.Compare(b.Fen, a.Fen), cmp.Compare(a.TypeID, b.TypeID), cmp.Compare(a.City, b.City), cmp.Compare(a.TypeName, b.TypeName), cmp.Compare(a.UnitFen, b.UnitFen))
	})
	return u, s.compare(ctx, sc, u, prices(month.Add(-1)), now)
}

// compare fills in the month before.
func (s *Service) compare(ctx context.Context, sc tenants.Scope, u *Usage, p price, now time.Time) error {
	before := u.Month.Add(-1)
	days, err := countDays(ctx, s.db, sc, before)
	if err != nil {
		return err
	}
	cut := before.End()
	if !u.Month.Ended(now) {
		cut = sameTime(before, u.Month, now)
	}
	cutDay := dayOf(cut)
	for _, g := range days {
		u.DaysBefore[dayIndex(g.Day)].add(g.Receipts, g.Points, p)
		if g.Day < cutDay {
			u.Before.add(g.Receipts, g.Points, p)
		}
	}
	var part []group // the day that is compared in part
	err = s.db.NewSelect().Model((*Charge)(nil)).ColumnExpr("charge.points, COUNT(*) AS receipts").
		ApplyQueryBuilder(sc.Where).Where("charge.month = ? AND charge.day = ? AND charge.at < ?", before, cutDay, cut.UTC()).
		GroupExpr("charge.points").Scan(ctx, &part)
	if err != nil {
		return fmt.Errorf("cannot count the month before: %w", err)
	}
	for _, g := range part {
		u.Before.add(g.Receipts, g.Points, p)
	}
	return nil
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
	prices, err := pricesOf(ctx, s.db, sc)
	if err != nil {
		return nil, err
	}
	invoices, err := s.Invoices(ctx, sc)
	if err != nil {
		return nil, err
	}
	invoiceOf := map[Month]*Invoice{}
	for i := range invoices {
		invoiceOf[invoices[i].Month] = &invoices[i]
	}
	this := MonthOf(now)
	months, toCount := make([]Month, 12), []Month{}
	for i := range months {
		months[i] = this.Add(-i)
		// A month that is over has been counted by its invoice.
		if months[i] == this || invoiceOf[months[i]] == nil {
			toCount = append(toCount, months[i])
		}
	}
	sums, err := sumMonths(ctx, s.db, sc, toCount, prices)
	if err != nil {
		return nil, err
	}
	var out []MonthTotal
	for _, m := range months {
		t := MonthTotal{Month: m, Sum: sums[m], Invoice: invoiceOf[m]}
		if m != this && t.Invoice != nil {
			t.Sum = Sum{t.Invoice.Receipts, t.Invoice.Points, t.Invoice.TotalFen}
		}
		if t.Sum.Receipts > 0 || t.Invoice != nil {
			out = append(out, t)
		}
	}
	return out, nil
}

// pricesOf gives the price of any month: what its invoice says once that is
// issued, the tenant's present price until then.
func pricesOf(ctx context.Context, tx bun.IDB, sc tenants.Scope) (func(Month) price, error) {
	tenant, err := tenants.Load(ctx, tx, sc)
	if err != nil {
		return nil, err
	}
	var issued []Invoice
	err = tx.NewSelect().Model(&issued).Column("month", "fen_per_1000_points").
		ApplyQueryBuilder(sc.Where).Where("state <> ?", StateDraft).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the prices of issued months: %w", err)
	}
	return func(m Month) price {
		for _, inv := range issued {
			if inv.Month == m {
				return price(inv.FenPer1000Points)
			}
		}
		return price(tenant.FenPer1000Points)
	}, nil
}

func groupMonth(ctx context.Context, tx bun.IDB, sc tenants.Scope, month Month) ([]group, error) {
	const keys = "charge.day, charge.type_id, charge.type_name, charge.city, charge.points"
	var out []group
	err := tx.NewSelect().Model((*Charge)(nil)).ColumnExpr(keys+", COUNT(*) AS receipts").
		ApplyQueryBuilder(sc.Where).Where("charge.month = ?", month).GroupExpr(keys).Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("cannot count the month: %w", err)
	}
	return out, nil
}

func countDays(ctx context.Context, tx bun.IDB, sc tenants.Scope, month Month) ([]group, error) {
	var out []group
	err := tx.NewSelect().Model((*Charge)(nil)).ColumnExpr("charge.day, charge.points, COUNT(*) AS receipts").
		ApplyQueryBuilder(sc.Where).Where("charge.month = ?", month).GroupExpr("charge.day, charge.points").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("cannot count the days of the month: %w", err)
	}
	return out, nil
}

func sumMonths(ctx context.Context, tx bun.IDB, sc tenants.Scope, months []Month, prices func(Month) price) (map[Month]Sum, error) {
	var rows []struct {
		Month    Month
		Points   int64
		Receipts int64
	}
	out := map[Month]Sum{}
	if len(months) == 0 {
		return out, nil
	}
	err := tx.NewSelect().Model((*Charge)(nil)).ColumnExpr("charge.month, charge.points, COUNT(*) AS receipts").
		ApplyQueryBuilder(sc.Where).Where("charge.month IN (?)", bun.List(months)).GroupExpr("charge.month, charge.points").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("cannot count the months: %w", err)
	}
	for _, r := range rows {
		sum := out[r.Month]
		sum.add(r.Receipts, r.Points, prices(r.Month))
		out[r.Month] = sum
	}
	return out, nil
}

// dayIndex is the place of "2026-11-20" among the days of its month, from 0.
func dayIndex(day string) int { return int(day[8]-'0')*10 + int(day[9]-'0') - 1 }
