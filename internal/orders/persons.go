package orders

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/idnumber"
	"huizhi/internal/ocr"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
)

// addPerson compares the fields of an order with its person, if it has one.
func addPerson(ctx context.Context, tx bun.IDB, sc tenants.Scope, o *Order) error {
	if o.PersonID == nil {
		return nil
	}
	p, err := roster.LoadPerson(ctx, tx, sc, *o.PersonID)
	if apperr.KindOf(err) == apperr.NotFound {
		return nil
	}
	if err == nil {
		o.Fields = withPerson(o.Fields, p.Values)
	}
	return err
}

// RosterSays is what the roster says of the people of orders, as fields, by
// order. Orders without a person are not in it.
func (s *Service) RosterSays(ctx context.Context, sc tenants.Scope, list ...Order) (map[string]map[ocr.FieldName]string, error) {
	var ids []string
	for i := range list {
		if list[i].PersonID != nil {
			ids = append(ids, *list[i].PersonID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	people, err := roster.Load(ctx, s.DB, sc, ids...)
	if err != nil {
		return nil, err
	}
	out := make(map[string]map[ocr.FieldName]string, len(list))
	for i := range list {
		if list[i].PersonID != nil && people[*list[i].PersonID] != nil {
			out[list[i].ID] = said(people[*list[i].PersonID].Values)
		}
	}
	return out, nil
}

// withPerson returns the fields with what the roster says: it fills what is empty
// or taken from a file's name, agrees with what is the same, and stands beside
// what was read otherwise. What a person typed stays as it is.
func withPerson(fields ocr.Fields, v roster.Values) ocr.Fields {
	out := withoutPerson(fields)
	for name, value := range said(v) {
		f := out[name]
		switch {
		case f.Value == "" || f.Has(ocr.Inferred) && f.Value != value:
			out[name] = ocr.Field{Value: value, Source: ocr.FromRoster}
		case f.Value == value:
			f.Agreed = ocr.FromRoster
			f.Flags = slices.DeleteFunc(slices.Clone(f.Flags), ocr.Flag.Settled)
			out[name] = f
		case typed(f):
		default:
			f.Flags = append(slices.Clone(f.Flags), ocr.RosterDiffers)
			f.Candidates = append([]string{value}, slices.DeleteFunc(slices.Clone(f.Candidates), func(c string) bool { return c == value })...)
			out[name] = f
		}
	}
	return out
}

// said is what a roster says of a person, as fields. The number tells birth date
// and sex.
func said(v roster.Values) map[ocr.FieldName]string {
	out := map[ocr.FieldName]string{}
	for name, value := range map[ocr.FieldName]string{ocr.Name: v.Name, ocr.IDNumber: v.IDNumber, ocr.Sex: v.Sex} {
		if value != "" {
			out[name] = value
		}
	}
	if info, err := idnumber.Parse(v.IDNumber); err == nil {
		out[ocr.Sex], out[ocr.BirthDate] = ocr.SexOf(info), info.Birth.Format(time.DateOnly)
	}
	return out
}

// typed tells the value of a person; see ocr.Field.
func typed(f ocr.Field) bool { return f.Confidence == 1 && f.Source == "" && len(f.Candidates) == 0 }

// withoutPerson returns the fields without what a roster gave.
func withoutPerson(fields ocr.Fields) ocr.Fields {
	out := make(ocr.Fields, len(fields))
	for name, f := range fields {
		if f.Source == ocr.FromRoster {
			continue
		}
		if f.Agreed == ocr.FromRoster {
			f.Agreed = ""
		}
		if f.Has(ocr.RosterDiffers) {
			f.Flags = slices.DeleteFunc(slices.Clone(f.Flags), func(g ocr.Flag) bool { return g == ocr.RosterDiffers })
			f.Candidates = nil // one of them was the roster's
		}
		out[name] = f
	}
	return out
}

// PersonInUse tells that an order, even one that was cancelled, is that of a person
// of a roster.
func PersonInUse(ctx context.Context, tx bun.IDB, sc tenants.Scope, personID string) (bool, error) {
	used, err := tx.NewSelect().Model((*Order)(nil)).ApplyQueryBuilder(sc.Where).Where("person_id = ?", personID).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("cannot look for orders of the person: %w", err)
	}
	return used, nil
}
