package billing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// span is a run of a month's charges that are priced alike: those of some days
// with ids in (after, through], "" for no bound. The spans of a month hold each
// of its charges once. Ids are ordered by time, so that a place among the
// month's receipts is a bound that the database finds by an index.
type span struct {
	fromDay, untilDay string
	after, through    string
	terms             *Terms
	tier              Tier
	free              bool
}

func (s *span) unitFen(typeID int, points int64) int64 {
	if s.free {
		return 0
	}
	return s.tier.UnitFen(typeID, points)
}

func (s *span) holds(day, id string) bool {
	return s.fromDay <= day && day <= s.untilDay && id > s.after && (s.through == "" || id <= s.through)
}

// where narrows a query of charges to the span.
func (s *span) where(month Month) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		q.Where("charge.month = ?", month)
		if s.fromDay > firstDay(month) || s.untilDay < lastDay(month) {
			q.Where("charge.day BETWEEN ? AND ?", s.fromDay, s.untilDay)
		}
		if s.after != "" {
			q.Where("charge.id > ?", s.after)
		}
		if s.through != "" {
			q.Where("charge.id <= ?", s.through)
		}
		return q
	}
}

func firstDay(m Month) string { return string(m) + "-01" }

func lastDay(m Month) string { return dayOf(m.End().Add(-time.Second)) }

// rating is how one tenant's month is priced.
type rating struct {
	month Month
	spans []span
	last  *Terms // what holds on the last day; its minimum is the month's
}

// unitFen is what the charge costs.
func (r *rating) unitFen(c *Charge) (int64, error) {
	for i := range r.spans {
		if r.spans[i].holds(c.Day, c.ID) {
			return r.spans[i].unitFen(c.TypeID, c.Points), nil
		}
	}
	return 0, fmt.Errorf("charge %s is in no span of %s", c.ID, r.month)
}

// grossFen is what the charge costs with its tax.
func (r *rating) grossFen(c *Charge) (int64, error) {
	fen, err := r.unitFen(c)
	for i := range r.spans {
		if r.spans[i].holds(c.Day, c.ID) {
			return r.spans[i].terms.gross(fen), err
		}
	}
	return fen, err
}

// rate finds how the month is priced by the book. Prices that begin within the
// month count their receipts, tiers and free ones from there on.
func rate(ctx context.Context, tx bun.IDB, sc tenants.Scope, b *book, month Month) (*rating, error) {
	r := &rating{month: month}
	var runs []span
	for day := month.Start(); day.Before(month.End()); day = day.AddDate(0, 0, 1) {
		text := dayOf(day)
		terms, err := b.on(text)
		if err != nil {
			return nil, err
		}
		if n := len(runs); n > 0 && runs[n-1].terms == terms {
			runs[n-1].untilDay = text
		} else {
			runs = append(runs, span{fromDay: text, untilDay: text, terms: terms})
		}
		r.last = terms
	}
	for _, run := range runs {
		if run.terms.simple() {
			run.tier = run.terms.Tiers[0]
			r.spans = append(r.spans, run)
			continue
		}
		spans, err := cutSpans(ctx, tx, sc, month, run)
		if err != nil {
			return nil, err
		}
		r.spans = append(r.spans, spans...)
	}
	return r, nil
}

// cutSpans cuts a run of days with one price at the places where receipts begin
// to cost something else.
func cutSpans(ctx context.Context, tx bun.IDB, sc tenants.Scope, month Month, run span) ([]span, error) {
	total, err := tx.NewSelect().Model((*Charge)(nil)).ApplyQueryBuilder(sc.Where).Apply(run.where(month)).Count(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot count the receipts of a price: %w", err)
	}
	var out []span
	after := ""
	cuts := run.terms.cuts(int64(total))
	for i, place := range cuts {
		s := run
		s.after, s.free, s.tier = after, place < run.terms.Free, run.terms.tierAt(int64(total))
		if run.terms.Graduated {
			s.tier = run.terms.tierAt(place + 1)
		}
		if i+1 < len(cuts) {
			if s.through, err = idAt(ctx, tx, sc, month, run, cuts[i+1]); err != nil {
				return nil, err
			}
			after = s.through
		}
		out = append(out, s)
	}
	return out, nil
}

// cuts are the numbers of receipts after which the price changes, from 0 on, as
// far as a month of total receipts comes.
func (t *Terms) cuts(total int64) []int64 {
	cuts := []int64{0, t.Free}
	if t.Graduated {
		for _, tier := range t.Tiers {
			cuts = append(cuts, tier.After)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	return slices.DeleteFunc(cuts, func(c int64) bool { return c > 0 && c >= total })
}

// idAt is the id of the n-th receipt of the run.
func idAt(ctx context.Context, tx bun.IDB, sc tenants.Scope, month Month, run span, n int64) (id string, err error) {
	err = tx.NewSelect().Model((*Charge)(nil)).Column("id").ApplyQueryBuilder(sc.Where).Apply(run.where(month)).
		Order("charge.id").Offset(n-1).Limit(1).Scan(ctx, &id)
	if err != nil {
		return "", fmt.Errorf("cannot find receipt %d of a price: %w", n, err)
	}
	return id, nil
}

// group is a number of charges that are alike in the columns that were asked for.
type group struct {
	Day      string
	TypeID   int
	TypeName string
	City     string
	Points   int64
	Receipts int64
	unitFen  int64
	span     int // index in the rating
}

// groups counts the month's charges by type, points and the further columns,
// and prices them. narrow may add conditions, or be nil.
func (r *rating) groups(ctx context.Context, tx bun.IDB, sc tenants.Scope, columns string, narrow func(*bun.SelectQuery) *bun.SelectQuery) ([]group, error) {
	keys := groupKeys(columns)
	var out []group
	for i := range r.spans {
		var part []group
		q := tx.NewSelect().Model((*Charge)(nil)).ColumnExpr(keys + ", COUNT(*) AS receipts").
			ApplyQueryBuilder(sc.Where).Apply(r.spans[i].where(r.month)).GroupExpr(keys)
		if narrow != nil {
			q.Apply(narrow)
		}
		if err := q.Scan(ctx, &part); err != nil {
			return nil, fmt.Errorf("cannot count the charges of %s: %w", r.month, err)
		}
		for _, g := range part {
			g.span, g.unitFen = i, r.spans[i].unitFen(g.TypeID, g.Points)
			out = append(out, g)
		}
	}
	return out, nil
}

// groupKeys are the columns together with the type and the points, in the order
// of the index charges_usage: the database then counts as it reads, without a
// hash table or a sort.
func groupKeys(columns string) string {
	var keys []string
	for _, key := range []string{"charge.day", "charge.type_id", "charge.type_name", "charge.city", "charge.points"} {
		if key == "charge.type_id" || key == "charge.points" || strings.Contains(columns, key) {
			keys = append(keys, key)
		}
	}
	return strings.Join(keys, ", ")
}

// rater prices charges of any month of a tenant, and finds out how once a month.
type rater struct {
	tx     bun.IDB
	sc     tenants.Scope
	book   *book
	months map[Month]*rating
}

func newRater(ctx context.Context, tx bun.IDB, sc tenants.Scope) (*rater, error) {
	b, err := loadBook(ctx, tx, sc)
	return &rater{tx, sc, b, map[Month]*rating{}}, err
}

func (r *rater) of(ctx context.Context, month Month) (*rating, error) {
	if known := r.months[month]; known != nil {
		return known, nil
	}
	rated, err := rate(ctx, r.tx, r.sc, r.book, month)
	if err == nil {
		r.months[month] = rated
	}
	return rated, err
}

// entries prices charges.
func (r *rater) entries(ctx context.Context, charges []Charge) ([]Entry, error) {
	out := make([]Entry, 0, len(charges))
	for _, c := range charges {
		rated, err := r.of(ctx, c.Month)
		if err != nil {
			return nil, err
		}
		fen, err := rated.unitFen(&c)
		if err != nil {
			return nil, err
		}
		out = append(out, Entry{c, fen})
	}
	return out, nil
}

// Quote is what the next n receipts of a type would cost a tenant today, before
// tax that is not included. Failures cost nothing, so it is the most.
func (s *Service) Quote(ctx context.Context, sc tenants.Scope, typeID int, points, n int64, now time.Time) (fen int64, err error) {
	prices, _, err := nextPrices(ctx, s.db, sc, slices.Repeat([]Purchase{{TypeID: typeID, Points: points}}, int(n)), 0, now)
	for _, p := range prices {
		fen += p
	}
	return fen, err
}

// nextPrices is what the receipts of the list cost, in their order, if they are
// the tenant's next ones today behind ahead others that are under way, before tax
// that is not included, with the terms of today.
func nextPrices(ctx context.Context, tx bun.IDB, sc tenants.Scope, list []Purchase, ahead int64, now time.Time) ([]int64, *Terms, error) {
	if len(list) == 0 {
		return nil, nil, nil
	}
	b, err := loadBook(ctx, tx, sc)
	if err != nil {
		return nil, nil, err
	}
	day := dayOf(now)
	terms, err := b.on(day)
	if err != nil {
		return nil, nil, err
	}
	var place int64
	if !terms.simple() {
		if place, err = used(ctx, tx, sc, b, terms, now); err != nil {
			return nil, nil, err
		}
	}
	place += ahead
	total := place + int64(len(list))
	prices := make([]int64, len(list))
	for i, p := range list {
		prices[i] = terms.unitFen(place+1+int64(i), total, p.TypeID, p.Points)
	}
	return prices, terms, nil
}

// used counts the receipts of the month so far that these terms, which hold today,
// have priced.
func used(ctx context.Context, tx bun.IDB, sc tenants.Scope, b *book, terms *Terms, now time.Time) (int64, error) {
	month := MonthOf(now)
	run := span{fromDay: dayOf(now), untilDay: dayOf(now)}
	for at := month.Start(); dayOf(at) < run.fromDay; at = at.AddDate(0, 0, 1) {
		if t, err := b.on(dayOf(at)); err == nil && t == terms {
			run.fromDay = dayOf(at)
		}
	}
	n, err := tx.NewSelect().Model((*Charge)(nil)).ApplyQueryBuilder(sc.Where).Apply(run.where(month)).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("cannot count the receipts of the month: %w", err)
	}
	return int64(n), nil
}

// FenOfOrders is what each of the orders was charged, by its id, as the invoice
// of its month says; orders that were not are absent.
func (s *Service) FenOfOrders(ctx context.Context, sc tenants.Scope, orderIDs ...string) (map[string]int64, error) {
	out := map[string]int64{}
	if len(orderIDs) == 0 {
		return out, nil
	}
	var charges []Charge
	err := s.db.NewSelect().Model(&charges).ApplyQueryBuilder(sc.Where).Where("charge.order_id IN (?)", bun.List(orderIDs)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the charges of the orders: %w", err)
	}
	if len(charges) == 0 {
		return out, nil
	}
	r, err := newRater(ctx, s.db, sc)
	if err != nil {
		return nil, err
	}
	entries, err := r.entries(ctx, charges)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		out[e.OrderID] += e.Fen
	}
	return out, nil
}
