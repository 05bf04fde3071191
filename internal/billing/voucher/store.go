package voucher

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
)

// changed is a layout that staff changed. It is the platform's, not a tenant's.
type changed struct {
	bun.BaseModel `bun:"table:voucher_layouts,alias:layout"`
	ID            string `bun:",pk"`
	Layout        Layout `bun:"type:jsonb"`
	UpdatedBy     string
	UpdatedAt     time.Time
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*changed)(nil)}

// Service keeps the layouts and books.
type Service struct {
	DB      *db.DB
	Billing *billing.Service
}

// Layouts lists the layouts as they are now.
func (s *Service) Layouts(ctx context.Context) ([]Layout, error) {
	var rows []changed
	if err := s.DB.NewSelect().Model(&rows).Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the voucher layouts: %w", err)
	}
	out := builtin()
	for _, r := range rows {
		for i := range out {
			if out[i].ID == r.ID {
				out[i] = r.Layout
			}
		}
	}
	return out, nil
}

// Layout is one of them; NotFound when there is none with the id.
func (s *Service) Layout(ctx context.Context, id string) (*Layout, error) {
	all, err := s.Layouts(ctx)
	if err != nil {
		return nil, err
	}
	l, found := find(all, id)
	if !found {
		return nil, apperr.New(apperr.NotFound, "error.voucher.none")
	}
	return &l, nil
}

// Check trims a layout that somebody typed and says what is wrong with it.
func (l *Layout) Check() error {
	l.Word = strings.TrimSpace(l.Word)
	l.Accounts, l.Texts = maps.Clone(l.Accounts), maps.Clone(l.Texts)
	for side, a := range l.Accounts {
		l.Accounts[side] = Account{strings.TrimSpace(a.Code), strings.TrimSpace(a.Name)}
	}
	for kind, text := range l.Texts {
		l.Texts[kind] = strings.TrimSpace(text)
	}
	return l.check()
}

// Save keeps a changed layout. Its id is one that is built in.
func (s *Service) Save(ctx context.Context, l Layout, actor string, now time.Time) error {
	if err := l.Check(); err != nil {
		return err
	}
	was, found := find(builtin(), l.ID)
	if !found {
		return apperr.New(apperr.NotFound, "error.voucher.none")
	}
	l.Name = was.Name
	row := &changed{ID: l.ID, Layout: l, UpdatedBy: actor, UpdatedAt: now}
	_, err := s.DB.NewInsert().Model(row).On("CONFLICT (id) DO UPDATE").
		Set("layout = EXCLUDED.layout, updated_by = EXCLUDED.updated_by, updated_at = EXCLUDED.updated_at").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot keep the voucher layout: %w", err)
	}
	return nil
}

// Reset goes back to what is built in.
func (s *Service) Reset(ctx context.Context, id string) error {
	if _, err := s.DB.NewDelete().Model((*changed)(nil)).Where("id = ?", id).Exec(ctx); err != nil {
		return fmt.Errorf("cannot reset the voucher layout: %w", err)
	}
	return nil
}

// Month books a month. Debits are credits in every voucher, or it is an error.
func (s *Service) Month(ctx context.Context, books billing.Books, l *Layout, month billing.Month) ([]Voucher, error) {
	moves, err := s.Billing.Movements(ctx, books, month, month)
	if err != nil {
		return nil, err
	}
	topUps, err := s.Billing.TopUps(ctx, books, billing.Span{From: month, Until: month})
	if err != nil {
		return nil, err
	}
	moves = append(moves, topUps...)
	slices.SortStableFunc(moves, func(a, b billing.Movement) int { return strings.Compare(a.Day, b.Day) })
	names, err := s.Billing.TenantNames(ctx, books)
	if err != nil {
		return nil, err
	}
	return BookAll(l, moves, names)
}

// Changed tells that staff have changed the layout.
func (s *Service) Changed(ctx context.Context, id string) (bool, error) {
	found, err := s.DB.NewSelect().Model((*changed)(nil)).Where("id = ?", id).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("cannot look for the voucher layout: %w", err)
	}
	return found, nil
}

// Invented are the movements of an invented invoice of 1,060.00 with 6 % tax, for
// the preview of a month in which nothing happened. Its tenant's id is "".
func Invented(month billing.Month) []billing.Movement {
	number := "INV" + string(month[:4]) + "-000001"
	last := billing.DayOf(month.End().Add(-time.Hour))
	return []billing.Movement{
		{Day: last, Kind: billing.MovedInvoice, Number: number, Invoice: number, Month: month, Fen: 106000, TaxFen: 6000},
		{Day: last, Kind: billing.MovedPayment, Number: number, Invoice: number, Month: month, Reference: "20261130-0001", Fen: -106000},
	}
}
