package providers

import "slices"

// ChangeKind says what happened to a type between two versions of a catalogue.
type ChangeKind string

// The kinds of changes.
const (
	TypeAdded   ChangeKind = "added"
	TypeRemoved ChangeKind = "removed"
	TypeChanged ChangeKind = "changed"
)

// TypeChange is what is different about one type.
type TypeChange struct {
	Kind ChangeKind
	Type Type   // as it is now, or as it was when it is gone
	Was  string // its former name, if that changed
	// Of a changed type: required fields, fields whose explanation or allowed values changed, and cities.
	FieldsAdded, FieldsRemoved, FieldsChanged []string
	CitiesAdded, CitiesRemoved                []string
}

// Diff compares two versions of a catalogue by type id. Types that changed only their place or description, and cities
// that changed only their order, are the same. The result has the order of after, then what is gone.
func Diff(before, after []Type) []TypeChange {
	var out []TypeChange
	for _, now := range after {
		i := slices.IndexFunc(before, func(t Type) bool { return t.ID == now.ID })
		if i < 0 {
			out = append(out, TypeChange{Kind: TypeAdded, Type: now})
		} else if c := change(before[i], now); c.any() {
			out = append(out, c)
		}
	}
	for _, was := range before {
		if !slices.ContainsFunc(after, func(t Type) bool { return t.ID == was.ID }) {
			out = append(out, TypeChange{Kind: TypeRemoved, Type: was})
		}
	}
	return out
}

func change(was, now Type) TypeChange {
	c := TypeChange{Kind: TypeChanged, Type: now}
	if was.Name != now.Name {
		c.Was = was.Name
	}
	c.FieldsAdded, c.FieldsRemoved = without(now.RequiredFields, was.RequiredFields), without(was.RequiredFields, now.RequiredFields)
	c.CitiesAdded, c.CitiesRemoved = without(now.Cities(), was.Cities()), without(was.Cities(), now.Cities())
	for _, name := range now.RequiredFields {
		before, after := was.Guide[name], now.Guide[name]
		if was.Requires(name) && (before.Label != after.Label || before.Description != after.Description) {
			c.FieldsChanged = append(c.FieldsChanged, name)
		}
	}
	return c
}

func (c TypeChange) any() bool {
	return c.Was != "" || len(c.FieldsAdded)+len(c.FieldsRemoved)+len(c.FieldsChanged)+len(c.CitiesAdded)+len(c.CitiesRemoved) > 0
}

// without returns those of list that are not in other, in their order.
func without(list, other []string) []string {
	var out []string
	for _, v := range list {
		if !slices.Contains(other, v) {
			out = append(out, v)
		}
	}
	return out
}
