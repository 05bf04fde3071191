package billing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// group is a number of charges that are alike in the columns that were asked for.
type group struct {
	TenantID string
	Stretch  int // index in the query
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
func (r *rating) groups(ctx context.Context, tx bun.IDB, columns string, narrow func(*bun.SelectQuery) *bun.SelectQuery) ([]group, error) {
	groups, err := groupAll(ctx, tx, []*rating{r}, columns, narrow)
	if err != nil {
		return nil, err
	}
	return groups[0], nil
}

// stretch is a span without its price: the charges of one stretch, of however
// many tenants, are found by one condition.
type stretch struct {
	month             Month
	fromDay, untilDay string
	after, through    string
}

// groupAll counts the charges of many ratings, which have no err.
func groupAll(ctx context.Context, tx bun.IDB, list []*rating, columns string, narrow func(*bun.SelectQuery) *bun.SelectQuery) ([][]group, error) {
	type owner struct {
		stretch int
		tenant  string
	}
	type spanOf struct{ rating, span int }
	var stretches []stretch
	numbers := map[stretch]int{}
	tenantsOf := map[stretch][]string{}
	spans := map[owner]spanOf{}
	for i, r := range list {
		for j, s := range r.spans {
			at := stretch{r.month, s.fromDay, s.untilDay, s.after, s.through}
			if _, known := numbers[at]; !known {
				numbers[at] = len(stretches)
				stretches = append(stretches, at)
			}
			tenant := r.sc.TenantID()
			tenantsOf[at] = append(tenantsOf[at], tenant)
			spans[owner{numbers[at], tenant}] = spanOf{i, j}
		}
	}
	keys := "charge.tenant_id, " + groupKeys(columns)
	var parts []*bun.SelectQuery
	for i, at := range stretches {
		s := span{fromDay: at.fromDay, untilDay: at.untilDay, after: at.after, through: at.through}
		q := tx.NewSelect().Model((*Charge)(nil)).ColumnExpr("? AS stretch, "+keys+", COUNT(*) AS receipts", i).
			Where("charge.tenant_id IN (?)", bun.List(tenantsOf[at])).Apply(s.where(at.month)).GroupExpr(keys)
		if narrow != nil {
			q.Apply(narrow)
		}
		parts = append(parts, q)
	}
	out := make([][]group, len(list))
	for query := range unions(parts) {
		var rows []group
		if err := query.Scan(ctx, &rows); err != nil {
			return nil, fmt.Errorf("cannot count the charges: %w", err)
		}
		for _, g := range rows {
			at := spans[owner{g.Stretch, g.TenantID}]
			g.span, g.unitFen = at.span, list[at.rating].spans[at.span].unitFen(g.TypeID, g.Points)
			out[at.rating] = append(out[at.rating], g)
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

// countLines counts the month by the book: a line for each type at one price,
// and one for what lacks of the minimum.
func countLines(ctx context.Context, tx bun.IDB, sc tenants.Scope, b *book, month Month) ([]Line, error) {
	r, err := rate(ctx, tx, sc, b, month)
	if err != nil {
		return nil, err
	}
	lines, err := countAll(ctx, tx, []*rating{r})
	if err != nil {
		return nil, err
	}
	return lines[0], nil
}

// countAll counts the lines of many months; those with an err have none.
func countAll(ctx context.Context, tx bun.IDB, list []*rating) ([][]Line, error) {
	groups, err := groupAll(ctx, tx, list, "charge.type_name", nil)
	if err != nil {
		return nil, err
	}
	newest, err := newestCharges(ctx, tx, list)
	if err != nil {
		return nil, err
	}
	out := make([][]Line, len(list))
	for i, r := range list {
		if r.err == nil {
			out[i] = r.lines(groups[i], newest[dueMonth{r.sc.TenantID(), r.month}])
		}
	}
	return out, nil
}

// lines makes the lines of the groups; newest is the id of the month's newest
// charge.
func (r *rating) lines(groups []group, newest string) (lines []Line) {
	slices.SortFunc(groups, func(x, y group) int {
		return cmp.Or(cmp.Compare(x.span, y.span), cmp.Compare(x.TypeID, y.TypeID), cmp.Compare(x.TypeName, y.TypeName), cmp.Compare(x.Points, y.Points))
	})
	var amount int64
	for _, g := range groups {
		span := &r.spans[g.span]
		l := Line{Kind: LineReceipts, TypeID: g.TypeID, TypeName: g.TypeName, FromDay: span.fromDay, UntilDay: span.untilDay,
			AfterID: span.after, ThroughID: cmp.Or(span.through, newest), UnitPoints: g.Points, UnitFen: g.unitFen,
			Receipts: g.Receipts, AmountFen: g.Receipts * g.unitFen, TaxBP: span.terms.TaxBP, TaxIncluded: span.terms.TaxIncluded}
		amount += l.AmountFen
		lines = append(lines, l)
	}
	if lack := r.last.MinimumFen - amount; lack > 0 {
		lines = append(lines, Line{Kind: LineMinimum, FromDay: firstDay(r.month), UntilDay: lastDay(r.month), UnitFen: lack, AmountFen: lack,
			TaxBP: r.last.TaxBP, TaxIncluded: r.last.TaxIncluded})
	}
	return lines
}

// newestCharges finds the id of the newest charge of each month.
func newestCharges(ctx context.Context, tx bun.IDB, list []*rating) (map[dueMonth]string, error) {
	byMonth := map[Month][]string{}
	for _, r := range list {
		byMonth[r.month] = append(byMonth[r.month], r.sc.TenantID())
	}
	out := map[dueMonth]string{}
	for month, ids := range byMonth {
		var rows []struct{ TenantID, ID string }
		newest := tx.NewSelect().Model((*Charge)(nil)).ColumnExpr("MAX(charge.id)").Where("charge.tenant_id = tenant.id AND charge.month = ?", month)
		err := tx.NewSelect().TableExpr("tenants AS tenant").ColumnExpr("tenant.id AS tenant_id, COALESCE((?), '') AS id", newest).
			Where("tenant.id IN (?)", bun.List(ids)).Scan(ctx, &rows)
		if err != nil {
			return nil, fmt.Errorf("cannot find the newest charges: %w", err)
		}
		for _, row := range rows {
			out[dueMonth{row.TenantID, month}] = row.ID
		}
	}
	return out, nil
}
