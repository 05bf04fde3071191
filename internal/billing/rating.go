package billing

import (
	"context"
	"fmt"
	"iter"
	"slices"
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
	sc    tenants.Scope
	month Month
	book  *book
	spans []span
	last  *Terms // what holds on the last day; its minimum is the month's
	err   error  // why the month has no price; nothing else is set then
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

// rate finds how one month is priced by the book.
func rate(ctx context.Context, tx bun.IDB, sc tenants.Scope, b *book, month Month) (*rating, error) {
	r := &rating{sc: sc, month: month, book: b}
	if err := rateAll(ctx, tx, []*rating{r}); err != nil {
		return nil, err
	}
	return r, r.err
}

// rateAll finds how months are priced, each by its book, but for those with an
// err. Prices that begin within a month count their receipts, tiers and free ones
// from there on.
func rateAll(ctx context.Context, tx bun.IDB, list []*rating) error {
	var runs []*run
	for _, r := range list {
		if r.err == nil {
			runs = append(runs, r.runs()...)
		}
	}
	if err := countRuns(ctx, tx, runs); err != nil {
		return err
	}
	if err := findCuts(ctx, tx, runs); err != nil {
		return err
	}
	for _, run := range runs {
		run.rating.spans = append(run.rating.spans, run.cut()...)
	}
	return nil
}

// run is a number of days of a month with one price.
type run struct {
	span
	rating *rating
	total  int64    // its receipts, if the price depends on their number
	cuts   []int64  // the numbers of receipts after which they cost something else, from 0
	ids    []string // the receipts at the cuts, "" for the first
}

// runs finds the prices of the month in the book.
func (r *rating) runs() (runs []*run) {
	for day := r.month.Start(); day.Before(r.month.End()); day = day.AddDate(0, 0, 1) {
		text := dayOf(day)
		terms, err := r.book.on(text)
		if err != nil {
			r.err = err
			return nil
		}
		if n := len(runs); n > 0 && runs[n-1].terms == terms {
			runs[n-1].untilDay = text
		} else {
			runs = append(runs, &run{span: span{fromDay: text, untilDay: text, terms: terms}, rating: r})
		}
		r.last = terms
	}
	return runs
}

// charges selects the run's charges.
func (r *run) charges(tx bun.IDB) *bun.SelectQuery {
	return tx.NewSelect().Model((*Charge)(nil)).ApplyQueryBuilder(r.rating.sc.Where).Apply(r.where(r.rating.month))
}

// countRuns finds out where the runs are to be cut.
func countRuns(ctx context.Context, tx bun.IDB, runs []*run) error {
	var parts []*bun.SelectQuery
	for i, run := range runs {
		if run.terms.simple() {
			run.cuts = []int64{0}
			continue
		}
		parts = append(parts, run.charges(tx).ColumnExpr("? AS run, COUNT(*) AS total", i))
	}
	for query := range unions(parts) {
		var rows []struct {
			Run   int
			Total int64
		}
		if err := query.Scan(ctx, &rows); err != nil {
			return fmt.Errorf("cannot count the receipts of a price: %w", err)
		}
		for _, row := range rows {
			run := runs[row.Run]
			run.total, run.cuts = row.Total, run.terms.cuts(row.Total)
		}
	}
	return nil
}

// findCuts finds the receipts at which the runs are cut.
func findCuts(ctx context.Context, tx bun.IDB, runs []*run) error {
	var parts []*bun.SelectQuery
	for i, run := range runs {
		run.ids = make([]string, len(run.cuts))
		for j, n := range run.cuts[1:] {
			nth := run.charges(tx).Column("id").Order("charge.id").Offset(n - 1).Limit(1)
			parts = append(parts, tx.NewSelect().ColumnExpr("? AS run, ? AS cut, (?) AS id", i, j+1, nth))
		}
	}
	for query := range unions(parts) {
		var rows []struct {
			Run, Cut int
			ID       string
		}
		if err := query.Scan(ctx, &rows); err != nil {
			return fmt.Errorf("cannot find where a price ends: %w", err)
		}
		for _, row := range rows {
			runs[row.Run].ids[row.Cut] = row.ID
		}
	}
	return nil
}

// cut makes the spans of the run.
func (r *run) cut() []span {
	var out []span
	for i, place := range r.cuts {
		s := r.span
		s.after, s.free, s.tier = r.ids[i], place < r.terms.Free, r.terms.tierAt(r.total)
		if r.terms.Graduated {
			s.tier = r.terms.tierAt(place + 1)
		}
		if i+1 < len(r.cuts) {
			s.through = r.ids[i+1]
		}
		out = append(out, s)
	}
	return out
}

// unions asks queries with the same columns together, as many at a time as a
// database plans in one statement.
func unions(parts []*bun.SelectQuery) iter.Seq[*bun.SelectQuery] {
	return func(yield func(*bun.SelectQuery) bool) {
		for together := range slices.Chunk(parts, 100) {
			for _, part := range together[1:] {
				together[0].UnionAll(part)
			}
			if !yield(together[0]) {
				return
			}
		}
	}
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
