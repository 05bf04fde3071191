package billing

import (
	"cmp"
	"slices"
)

// LineChange is how one kind of line differs from the draft before.
type LineChange struct {
	Kind                     LineKind
	TypeName                 string
	ReceiptsBefore, Receipts int64
	FenBefore, Fen           int64
}

// Changes compares the draft with the one before, type by type, and lists what
// differs, the largest amounts first. Without an earlier draft there is nothing.
func (d *Detail) Changes() []LineChange {
	if d.Previous == nil {
		return nil
	}
	type key struct {
		kind LineKind
		name string
	}
	sums := map[key]*LineChange{}
	of := func(l Line) *LineChange {
		k := key{l.Kind, l.TypeName}
		if sums[k] == nil {
			sums[k] = &LineChange{Kind: l.Kind, TypeName: l.TypeName}
		}
		return sums[k]
	}
	for _, l := range d.Previous.Lines {
		c := of(l)
		c.ReceiptsBefore, c.FenBefore = c.ReceiptsBefore+l.Receipts, c.FenBefore+l.AmountFen
	}
	for _, l := range d.Lines {
		c := of(l)
		c.Receipts, c.Fen = c.Receipts+l.Receipts, c.Fen+l.AmountFen
	}
	var out []LineChange
	for _, c := range sums {
		if c.Receipts != c.ReceiptsBefore || c.Fen != c.FenBefore {
			out = append(out, *c)
		}
	}
	slices.SortFunc(out, func(a, b LineChange) int {
		return cmp.Or(cmp.Compare(b.Fen, a.Fen), cmp.Compare(a.TypeName, b.TypeName))
	})
	return out
}
