package stripe

import (
	"context"
	"fmt"
	"slices"

	"huizhi/internal/billing"
	"huizhi/internal/i18n"
)

// maxLines is how many items Stripe takes on one invoice.
const maxLines = 250

// line is one item of an invoice at Stripe. fen holds no tax unless the price does.
type line struct {
	text string
	fen  int64
}

// grouped turns an invoice's lines into Stripe's: one for each type and price,
// however many spans of the month they come from, then one for each tax that is
// added to the prices. The smallest kinds go together if there are too many; our
// own statement lists them all. The amounts add up to the invoice's total.
//
// The result depends on the invoice alone, which is final: a line keeps its place.
func grouped(ctx context.Context, d *billing.Detail) []line {
	type kind struct {
		kind     billing.LineKind
		typeName string
		unitFen  int64
	}
	var order []kind
	receipts, fen := map[kind]int64{}, map[kind]int64{}
	for _, l := range d.Lines {
		if l.AmountFen == 0 {
			continue // within the free allowance
		}
		k := kind{l.Kind, l.TypeName, l.UnitFen}
		if fen[k] == 0 {
			order = append(order, k)
		}
		receipts[k] += l.Receipts
		fen[k] += l.AmountFen
	}
	var taxes []line
	for _, t := range d.Taxes {
		if !t.Included && t.TaxFen > 0 {
			taxes = append(taxes, line{i18n.T(ctx, "stripe.tax", "rate", i18n.Percent(float64(t.BP)/10000)), t.TaxFen})
		}
	}
	var rest []kind
	if room := maxLines - len(taxes); len(order) > room {
		slices.SortStableFunc(order, func(a, b kind) int { return int(min(max(fen[b]-fen[a], -1), 1)) })
		order, rest = order[:room-1], order[room-1:]
	}
	var out []line
	for _, k := range order {
		text := i18n.T(ctx, "stripe.minimum")
		if k.kind == billing.LineReceipts {
			text = i18n.T(ctx, "stripe.line", "type", k.typeName, "n", receipts[k], "price", i18n.Money(k.unitFen))
		}
		out = append(out, line{text, fen[k]})
	}
	if len(rest) > 0 {
		var sum int64
		for _, k := range rest {
			sum += fen[k]
		}
		out = append(out, line{i18n.T(ctx, "stripe.other", "n", len(rest)), sum})
	}
	return append(out, taxes...)
}

// credit is what lowers an invoice at Stripe, or says that money went back.
type credit struct {
	source string // id of our credit note or payment
	fen    int64
	memo   string
	refund string // reference of the money that went back, "" when it lowers what is due
}

// creditsDue lists what lowers the invoice while it is open: our credit notes,
// and what came by other ways so far. Stripe knows no partial payment from elsewhere,
// and the hosted page must not ask for money that has come.
func creditsDue(ctx context.Context, d *billing.Detail) (out []credit) {
	for _, c := range d.Credits {
		if c.Refund == "" {
			out = append(out, credit{source: c.ID, fen: c.TotalFen, memo: fmt.Sprintf("%s %s", c.Number, c.Reason)})
		}
	}
	if d.OpenFen() == 0 {
		return out // the rest is paid as a whole
	}
	for _, p := range d.Payments {
		if p.Method != billing.MethodStripe {
			out = append(out, credit{source: p.ID, fen: p.Fen, memo: i18n.T(ctx, "stripe.paid."+p.Method, "day", p.PaidDay)})
		}
	}
	return out
}

// refunds lists what was given back of an invoice that is paid.
func refunds(d *billing.Detail) (out []credit) {
	for _, c := range d.Credits {
		if c.Refund != "" {
			out = append(out, credit{source: c.ID, fen: c.TotalFen, memo: fmt.Sprintf("%s %s (%s)", c.Number, c.Reason, c.Refund), refund: c.Refund})
		}
	}
	return out
}
