package billing

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// FindingKind tells what is wrong with a sealed ledger.
type FindingKind string

// What Verify finds.
const (
	EntryChanged FindingKind = "entry_changed" // an entry is not what was sealed
	EntryAdded   FindingKind = "entry_added"   // an entry came after its day was sealed
	EntryRemoved FindingKind = "entry_removed" // a sealed entry is gone
	SealBroken   FindingKind = "seal_broken"   // a seal itself was changed, or one before it is gone
	HeadBroken   FindingKind = "head_broken"   // the last seal is gone, or the end of the chain was changed
)

// Finding is one thing that does not fit the seals.
type Finding struct {
	Kind  FindingKind `json:"kind"`
	Day   string      `json:"day"`
	Entry string      `json:"entry"` // "charge", "free" or "ocr"
	ID    string      `json:"id"`    // of the entry
}

// Verify compares the tenant's ledger with its seals and names every entry that
// was changed, added or removed since. Nothing found means that the ledger is
// what it was when its days were sealed.
func (s *Service) Verify(ctx context.Context, sc tenants.Scope) ([]Finding, error) {
	return s.verifyDays(ctx, sc, "", "9999-12-31")
}

// verifyDays is Verify for the days after one and up to another.
func (s *Service) verifyDays(ctx context.Context, sc tenants.Scope, after, until string) ([]Finding, error) {
	h, err := headOf(ctx, s.db, sc) // first: seals that are made from here on are left out
	if err != nil {
		return nil, err
	}
	through := min(until, h.SealedThrough)
	var days []string
	err = s.db.NewSelect().Model((*Seal)(nil)).Column("day").ApplyQueryBuilder(sc.Where).Where("day > ? AND day <= ?", after, through).Order("day").Scan(ctx, &days)
	if err != nil {
		return nil, fmt.Errorf("cannot list the seals: %w", err)
	}
	var out []Finding
	before := new(Seal)
	err = s.db.NewSelect().Model(before).Column("hash").ApplyQueryBuilder(sc.Where).Where("day <= ?", after).Order("day DESC").Limit(1).Scan(ctx)
	if err != nil && !db.IsNoRows(err) {
		return nil, fmt.Errorf("cannot load the seal before %s: %w", after, err)
	}
	previous := before.Hash
	for _, day := range days {
		seal := new(Seal)
		if err := s.db.NewSelect().Model(seal).ApplyQueryBuilder(sc.Where).Where("day = ?", day).Scan(ctx); err != nil {
			return nil, fmt.Errorf("cannot load the seal of %s: %w", day, err)
		}
		if seal.Previous != previous || seal.chained() != seal.Hash {
			out = append(out, Finding{Kind: SealBroken, Day: day})
		}
		previous = seal.Hash
		found, err := seal.compare(ctx, s.db, sc)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	if h.SealedThrough <= until && previous != h.Hash {
		out = append(out, Finding{Kind: HeadBroken, Day: h.SealedThrough})
	}
	found, err := unmarkedDays(ctx, s.db, sc, days, after, through)
	return append(out, found...), err
}

// compare finds the entries of the day that do not fit its marks.
func (s *Seal) compare(ctx context.Context, tx bun.IDB, sc tenants.Scope) ([]Finding, error) {
	sealed := s.marked()
	var out []Finding
	err := eachMark(ctx, tx, sc, s.Day, func(m mark, _ int64) {
		key := m.kind + " " + m.id
		was, known := sealed[key]
		delete(sealed, key)
		switch {
		case !known:
			out = append(out, Finding{EntryAdded, s.Day, m.kind, m.id})
		case was.digest != m.digest:
			out = append(out, Finding{EntryChanged, s.Day, m.kind, m.id})
		}
	})
	for _, m := range sealed {
		out = append(out, Finding{EntryRemoved, s.Day, m.kind, m.id})
	}
	slices.SortFunc(out, func(a, b Finding) int { return cmp.Compare(a.ID, b.ID) })
	return out, err
}

// unmarkedDays finds entries on days that were closed without any.
func unmarkedDays(ctx context.Context, tx bun.IDB, sc tenants.Scope, sealed []string, after, through string) ([]Finding, error) {
	days, err := unsealedDays(ctx, tx, sc, after, through)
	if err != nil {
		return nil, err
	}
	var out []Finding
	for _, day := range days {
		if slices.Contains(sealed, day) {
			continue
		}
		err := eachMark(ctx, tx, sc, day, func(m mark, _ int64) { out = append(out, Finding{EntryAdded, day, m.kind, m.id}) })
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
