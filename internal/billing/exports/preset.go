package exports

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
)

// Preset is a request that somebody keeps under a name, for themselves. Its months
// move on: LastMonth is always the one before the present.
type Preset struct {
	bun.BaseModel `bun:"table:export_presets,alias:preset"`
	Owner         string `bun:",pk"`
	ID            string `bun:",pk"`
	UserID        string
	Name          string
	Request       PresetRequest `bun:"type:jsonb"`
	CreatedAt     time.Time
}

// Range is a run of months that moves with the time.
type Range string

// The ranges. Fixed has the request's own months.
const (
	Fixed     Range = "fixed"
	LastMonth Range = "last_month"
	ThisYear  Range = "this_year"
	LastYear  Range = "last_year"
)

// Ranges lists them, the usual one first.
var Ranges = []Range{LastMonth, ThisYear, LastYear}

// PresetRequest is what a preset asks for.
type PresetRequest struct {
	Request
	Range Range `json:"range"`
}

// Span is what the range means now; the zero span for Fixed.
func (r Range) Span(now time.Time) billing.Span {
	present := billing.MonthOf(now)
	year := present.Start().Year()
	switch r {
	case LastMonth:
		return billing.Span{From: present.Add(-1), Until: present.Add(-1)}
	case ThisYear:
		return billing.Span{From: billing.YearOf(year).From, Until: present}
	case LastYear:
		return billing.YearOf(year - 1)
	default:
		return billing.Span{}
	}
}

// At is the request with its months as they are now.
func (p *Preset) At(now time.Time) Request {
	r := p.Request.Request
	if span := p.Request.Range.Span(now); span.From != "" {
		r.From, r.Until = span.From, span.Until
	}
	return r
}

// rangeOf finds the range that a span is now, or Fixed.
func rangeOf(span billing.Span, now time.Time) Range {
	for _, r := range Ranges {
		if r.Span(now) == span {
			return r
		}
	}
	return Fixed
}

const (
	maxPresets = 20
	maxName    = 40 // characters
)

// SavePreset keeps a request under a name, in the place of the one that had it.
// Months that are the last one, this year or the last year now will be later too.
func (s *Service) SavePreset(ctx context.Context, p Party, name string, r Request, now time.Time) (*Preset, error) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > maxName {
		return nil, apperr.Field("name", "error.exports.name", "max", maxName)
	}
	if err := p.check(r, now); err != nil {
		return nil, err
	}
	have, err := s.Presets(ctx, p)
	if err != nil {
		return nil, err
	}
	if len(have) >= maxPresets {
		return nil, apperr.Field("name", "error.exports.presets", "max", maxPresets)
	}
	preset := &Preset{Owner: p.Books.Owner(), ID: db.NewID(), UserID: p.UserID, Name: name, Request: PresetRequest{r, rangeOf(r.Span(), now)}, CreatedAt: now}
	_, err = s.DB.NewInsert().Model(preset).On("CONFLICT (owner, user_id, name) DO UPDATE").Set("request = EXCLUDED.request").Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot keep the preset: %w", err)
	}
	return preset, nil
}

// Presets lists the party's own.
func (s *Service) Presets(ctx context.Context, p Party) ([]Preset, error) {
	var out []Preset
	err := s.DB.NewSelect().Model(&out).Where("owner = ? AND user_id = ?", p.Books.Owner(), p.UserID).Order("name").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the presets: %w", err)
	}
	return out, nil
}

// Preset loads one of the party's own; NotFound when there is none with the id.
func (s *Service) Preset(ctx context.Context, p Party, id string) (*Preset, error) {
	preset := new(Preset)
	err := s.DB.NewSelect().Model(preset).Where("owner = ? AND user_id = ? AND id = ?", p.Books.Owner(), p.UserID, id).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.exports.no_preset")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the preset: %w", err)
	}
	return preset, nil
}

// DeletePreset takes one of the party's own away; NotFound when there is none.
func (s *Service) DeletePreset(ctx context.Context, p Party, id string) error {
	if _, err := s.Preset(ctx, p, id); err != nil {
		return err
	}
	_, err := s.DB.NewDelete().Model((*Preset)(nil)).Where("owner = ? AND user_id = ? AND id = ?", p.Books.Owner(), p.UserID, id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot delete the preset: %w", err)
	}
	return nil
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*Preset)(nil)}
