package billing

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"huizhi/internal/apperr"
)

// Terms say what receipts cost: a price per point or per receipt type, in tiers,
// with an allowance, a minimum and a tax.
//
// Rounding: what one receipt costs is rounded half up to the fen, once, when its
// points are multiplied by the price per 1,000 points. Everything else adds such
// amounts up and rounds nothing, but for the tax, which is rounded half up once
// for each tax rate of an invoice.
type Terms struct {
	// Tiers begin at the first receipt of a month and go upwards.
	Tiers []Tier `json:"tiers"`
	// Graduated: each receipt costs what its own tier says (超额累进). Otherwise all
	// receipts cost what the tier says that the month has reached (全量阶梯).
	Graduated bool `json:"graduated,omitempty"`
	// Free is how many receipts of a month cost nothing, the first ones. They
	// count towards the tiers.
	Free int64 `json:"free,omitempty"`
	// MinimumFen is the least that a month costs, before tax that is not included.
	MinimumFen int64 `json:"minimum_fen,omitempty"`
	// TaxBP is the tax rate in basis points: 600 is 6 %.
	TaxBP int64 `json:"tax_bp,omitempty"`
	// TaxIncluded tells that the prices hold the tax; otherwise it is added.
	TaxIncluded bool `json:"tax_included,omitempty"`
}

// Tier is the price from the receipt after the given number on, in the order in
// which a month's receipts are charged, of all types together.
type Tier struct {
	After            int64 `json:"after,omitempty"`
	FenPer1000Points int64 `json:"fen_per_1000_points"`
	// Types are the prices in fen of one receipt of the types that are not priced
	// by their points, by the provider's id of the type.
	Types map[int]int64 `json:"types,omitempty"`
}

// Limits of what a price may say, so that no sum overflows: a million receipts
// of ¥10,000 each are 10^12 fen.
const (
	maxFen      = 1_000_000_00
	maxReceipts = 1_000_000_000
	maxTaxBP    = 10_000
	maxTiers    = 20
)

// UnitFen is what one receipt costs in the tier.
func (t Tier) UnitFen(typeID int, points int64) int64 {
	if fen, ok := t.Types[typeID]; ok {
		return fen
	}
	return (points*t.FenPer1000Points + 500) / 1000
}

// simple tells that a receipt costs the same wherever in the month it stands.
func (t *Terms) simple() bool { return len(t.Tiers) == 1 && t.Free == 0 }

// tierAt is the tier of a month that has reached n receipts.
func (t *Terms) tierAt(n int64) Tier {
	tier := t.Tiers[0]
	for _, next := range t.Tiers[1:] {
		if n > next.After {
			tier = next
		}
	}
	return tier
}

// unitFen is what the receipt at a place in the month (from 1) costs when the
// month has total receipts.
func (t *Terms) unitFen(place, total int64, typeID int, points int64) int64 {
	switch {
	case place <= t.Free:
		return 0
	case t.Graduated:
		return t.tierAt(place).UnitFen(typeID, points)
	default:
		return t.tierAt(total).UnitFen(typeID, points)
	}
}

// Names of the form's fields in the errors of Check.
func tierField(i int, part string) string { return fmt.Sprintf("tier.%d.%s", i, part) }
func typeField(i, typeID int) string      { return fmt.Sprintf("tier.%d.type.%d", i, typeID) }

// gross is a price with its tax, rounded half up.
func (t *Terms) gross(fen int64) int64 {
	if t.TaxIncluded {
		return fen
	}
	return fen + share(fen, t.TaxBP, 10_000)
}

// Check refuses terms that could make an invoice negative, or that nobody can
// have meant. The fields are those of the form: "tier.0.after" and
// "tier.0.price" of the first tier, "tier.0.type.7" of the type 7 in it, "free",
// "minimum" and "tax"; "tiers" for all of them.
func (t *Terms) Check() error {
	var bad apperr.Fields
	within := func(field string, v, most int64, shown any) {
		if v < 0 {
			bad.Add(field, "error.price.negative")
		} else if v > most {
			bad.Add(field, "error.price.too_much", "max", shown)
		}
	}
	fen := func(field string, v int64) { within(field, v, maxFen, yuan(maxFen)) }
	if len(t.Tiers) == 0 || len(t.Tiers) > maxTiers {
		bad.Add("tiers", "error.price.tiers", "max", maxTiers)
	}
	for i, tier := range t.Tiers {
		fen(tierField(i, "price"), tier.FenPer1000Points)
		within(tierField(i, "after"), tier.After, maxReceipts, maxReceipts)
		for _, id := range slices.Sorted(maps.Keys(tier.Types)) {
			fen(typeField(i, id), tier.Types[id])
		}
		if i == 0 && tier.After != 0 || i > 0 && tier.After <= t.Tiers[i-1].After {
			bad.Add(tierField(i, "after"), "error.price.tier_order")
		}
	}
	within("free", t.Free, maxReceipts, maxReceipts)
	fen("minimum", t.MinimumFen)
	within("tax", t.TaxBP, maxTaxBP, "100 %")
	return bad.Err()
}

// TaxLine is the part of an invoice with one tax rate.
// Net + Tax = Total, and Amount, the sum of its lines, is one of Net and Total.
type TaxLine struct {
	BP        int64 `json:"bp"`       // 600 is 6 %
	Included  bool  `json:"included"` // the prices hold the tax
	AmountFen int64 `json:"amount_fen"`
	NetFen    int64 `json:"net_fen"`
	TaxFen    int64 `json:"tax_fen"`
	TotalFen  int64 `json:"total_fen"`
}

// taxesOf adds lines up by their tax, highest rate first.
func taxesOf(lines []Line) []TaxLine {
	var out []TaxLine
	for _, l := range lines {
		i := slices.IndexFunc(out, func(t TaxLine) bool { return t.BP == l.TaxBP && t.Included == l.TaxIncluded })
		if i < 0 {
			i = len(out)
			out = append(out, TaxLine{BP: l.TaxBP, Included: l.TaxIncluded})
		}
		out[i].AmountFen += l.AmountFen
	}
	for i := range out {
		out[i].fill()
	}
	slices.SortFunc(out, func(a, b TaxLine) int { return cmp.Or(cmp.Compare(b.BP, a.BP), compareBool(a.Included, b.Included)) })
	return out
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// fill computes net, tax and total from the amount.
func (t *TaxLine) fill() {
	if t.Included {
		t.TotalFen = t.AmountFen
		t.TaxFen = share(t.AmountFen, t.BP, 10_000+t.BP)
		t.NetFen = t.TotalFen - t.TaxFen
		return
	}
	t.NetFen = t.AmountFen
	t.TaxFen = share(t.AmountFen, t.BP, 10_000)
	t.TotalFen = t.NetFen + t.TaxFen
}
