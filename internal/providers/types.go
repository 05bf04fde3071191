package providers

import (
	"maps"
	"slices"
	"strings"
)

// Type is one kind of receipt in the provider's catalogue.
type Type struct {
	ID                int
	Name, Description string
	// RequiredFields are the keys that Application.CustomFields must hold, not empty.
	RequiredFields []string
	// Guide tells how to fill the fields, by key.
	Guide     map[string]FieldGuide
	SortOrder int
}

// FieldGuide explains one custom field to the person who fills it in.
type FieldGuide struct {
	Label, Description string
	// Cities are the values allowed for a field like city, grouped by province; none means that the provider names no
	// such list.
	Cities []Province
	// Values are the values allowed for any other field; none means free text.
	Values []string `json:",omitempty"`
}

// Province groups the cities of a FieldGuide.
type Province struct {
	Name   string
	Cities []string
}

// City is the value of the field city: province and city with an ASCII comma, such as "广东省,深圳市".
func City(province, city string) string { return province + "," + city }

// Cities returns all values of the field city that the type allows, in the catalogue's order.
func (t Type) Cities() []string {
	var all []string
	for _, p := range t.Guide[CityField].Cities {
		for _, c := range p.Cities {
			all = append(all, City(p.Name, c))
		}
	}
	return all
}

// Offers reports whether a receipt of this type can be had for city, written like "广东省,深圳市". The provider itself
// accepts any city and lets the application fail later, so ask before submitting. A type without a list of cities
// offers every city that is written in that form.
func (t Type) Offers(city string) bool {
	province, name, ok := strings.Cut(city, ",")
	if !ok || province == "" || name == "" {
		return false
	}
	guide := t.Guide[CityField].Cities
	if len(guide) == 0 {
		return true
	}
	return slices.ContainsFunc(guide, func(p Province) bool {
		return p.Name == province && slices.Contains(p.Cities, name)
	})
}

// GuidedFields returns the names of all fields that the guide explains, sorted.
func (t Type) GuidedFields() []string { return slices.Sorted(maps.Keys(t.Guide)) }

// Requires reports whether the field must be given for this type.
func (t Type) Requires(field string) bool { return slices.Contains(t.RequiredFields, field) }
