package routing

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"huizhi/internal/i18n"
	"huizhi/internal/idnumber"
	"huizhi/internal/ocr"
	"huizhi/internal/tenants"
)

// doubtful tells readings that are worth a second opinion: ID cards whose name or number a person would have to look
// at. The rest of a card is not sent anywhere.
func (r *Router) doubtful(reading *ocr.Reading) bool {
	if reading.Type != ocr.IDCardFront {
		return false
	}
	checked := ocr.Check(reading.Fields, r.Now().In(i18n.Zone()))
	return slices.ContainsFunc(decisive, func(name ocr.FieldName) bool { return checked[name].Worst() >= ocr.Warn })
}

// decisive are the fields that an order stands or falls with.
var decisive = []ocr.FieldName{ocr.Name, ocr.IDNumber}

// merged is the first reading in the light of the second. Where both agree, the first engine's doubts are settled;
// where they do not, the other value is offered and the difference is a doubt of its own. An opinion on another kind of
// document is none.
func (r *Router) merged(first, second *Result) *Result {
	if second.Type != first.Type {
		return first
	}
	result, reading := *first, *first.Reading
	result.Reading, result.Second = &reading, second.Source
	reading.Fields = merge(first.Fields, second.Fields, second.Source)
	result.Crops = maps.Clone(second.Crops)
	if result.Crops == nil {
		result.Crops = map[ocr.FieldName]string{}
	}
	maps.Copy(result.Crops, first.Crops)
	return &result
}

// merge is the first engine's fields with what another one adds.
func merge(first, second ocr.Fields, engine string) ocr.Fields {
	fields := maps.Clone(first)
	for name, other := range second {
		if other.Value == "" {
			continue
		}
		f := fields[name]
		switch {
		case f.Value == other.Value:
			f.Agreed = engine
			f.Flags = slices.DeleteFunc(slices.Clone(f.Flags), ocr.Flag.Settled)
		case f.Value == "":
			f = ocr.Field{Value: other.Value, Flags: ocr.Flags{ocr.Differs}}
		case !slices.Contains(decisive, name) && f.Worst() < ocr.Warn:
			continue // how a line of an address is broken is nobody's doubt
		default:
			if name == ocr.IDNumber && !valid(f.Value) && valid(other.Value) {
				f.Value, other.Value = other.Value, f.Value
			}
			f.Candidates = append([]string{other.Value}, slices.DeleteFunc(slices.Clone(f.Candidates), func(c string) bool {
				return c == other.Value || c == f.Value
			})...)
			f.Flags = append(slices.Clone(f.Flags), ocr.Differs)
		}
		fields[name] = f
	}
	return fields
}

func valid(number string) bool {
	_, err := idnumber.Parse(number)
	return err == nil
}

// keepCrops stores the crops of a reading and takes them out of it.
func (r *Router) keepCrops(ctx context.Context, sc tenants.Scope, result *Result) (*Result, error) {
	kept := *result.Reading
	kept.Crops = nil
	out := *result
	out.Reading, out.Crops = &kept, make(map[ocr.FieldName]string, len(result.Reading.Crops))
	for name, crop := range result.Reading.Crops {
		stored, err := r.Blobs.PutSHA256(ctx, sc.BlobKey("crops"), bytes.NewReader(crop), int64(len(crop)))
		if err != nil {
			return nil, fmt.Errorf("cannot keep a crop: %w", err)
		}
		out.Crops[name] = stored.Key
	}
	return &out, nil
}
