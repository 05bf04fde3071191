package clipimg

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"huizhi/internal/providers"
)

// The types below read the forms a value may plausibly take. PHP, which the provider's address ends in, writes
// numbers from its database as strings, an empty object as [], and a filtered list as an object with number keys.

// text reads a string, and a number or boolean by its literal. Everything else, such as null, is "".
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	*t = ""
	switch raw[0] {
	case '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		*t = text(strings.TrimSpace(s))
	case 'n', '{', '[':
	default:
		*t = text(raw)
	}
	return nil
}

// number reads a whole number, also as a string or with a zero fraction. Everything else leaves it not valid.
type number struct {
	value int
	valid bool
}

func (n *number) UnmarshalJSON(raw []byte) error {
	*n = number{}
	var t text
	if err := t.UnmarshalJSON(raw); err != nil {
		return err
	}
	if f, err := strconv.ParseFloat(string(t), 64); err == nil && f == math.Trunc(f) && math.Abs(f) <= math.MaxInt32 {
		*n = number{value: int(f), valid: true}
	}
	return nil
}

// object reads a JSON object, also when it comes encoded as a string. Values that do not fit T are left out; anything
// that is not an object is nil.
type object[T any] map[string]T

func (o *object[T]) UnmarshalJSON(raw []byte) error {
	*o = nil
	var entries map[string]json.RawMessage
	if json.Unmarshal(decoded(raw), &entries) != nil {
		return nil
	}
	*o = make(object[T], len(entries))
	for key, entry := range entries {
		var value T
		if json.Unmarshal(entry, &value) == nil {
			(*o)[key] = value
		}
	}
	return nil
}

// fields are the custom fields of an application.
type fields object[text]

func (f *fields) UnmarshalJSON(raw []byte) error { return (*object[text])(f).UnmarshalJSON(raw) }

func (f fields) strings() map[string]string {
	m := make(map[string]string, len(f))
	for key, value := range f {
		m[key] = string(value)
	}
	return m
}

// words reads a list of strings, also as an object with number keys or as one string with commas.
type words []string

func (w *words) UnmarshalJSON(raw []byte) error {
	*w = nil
	items, ok := list[text](raw)
	if !ok {
		var joined text
		if err := joined.UnmarshalJSON(raw); err != nil {
			return err
		}
		for s := range strings.SplitSeq(string(joined), ",") {
			items = append(items, text(strings.TrimSpace(s)))
		}
	}
	for _, item := range items {
		if item != "" {
			*w = append(*w, string(item))
		}
	}
	return nil
}

// allowed reads allowed_values. For the city it is [{"province": "广东省", "cities": ["深圳市"]}], also understood as
// {"广东省": ["深圳市"]}; for a field of another kind a plain list of values is the only plausible form.
type allowed struct {
	cities []providers.Province
	values []string
}

func (a *allowed) UnmarshalJSON(raw []byte) error {
	*a = allowed{}
	type entry struct {
		Province text  `json:"province"`
		Cities   words `json:"cities"`
	}
	if entries, ok := list[entry](raw); ok {
		for _, e := range entries {
			a.cities = append(a.cities, providers.Province{Name: string(e.Province), Cities: e.Cities})
		}
		return nil
	}
	if values, ok := list[text](raw); ok {
		for _, v := range values {
			if v != "" {
				a.values = append(a.values, string(v))
			}
		}
		return nil
	}
	var byName object[words]
	if err := byName.UnmarshalJSON(raw); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		a.cities = append(a.cities, providers.Province{Name: name, Cities: byName[name]})
	}
	return nil
}

// list reads an array, also as an object with number keys or encoded as a string; null and nothing are empty. It is
// not ok when any element is null or does not fit T, so that none gets lost.
func list[T any](raw json.RawMessage) (items []T, ok bool) {
	raw = decoded(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, true
	}
	var elements []json.RawMessage
	if raw[0] == '{' {
		var numbered map[int]json.RawMessage
		if json.Unmarshal(raw, &numbered) != nil {
			return nil, false
		}
		for _, i := range slices.Sorted(maps.Keys(numbered)) {
			elements = append(elements, numbered[i])
		}
	} else if json.Unmarshal(raw, &elements) != nil {
		return nil, false
	}
	for _, element := range elements {
		var item T
		if string(element) == "null" || json.Unmarshal(element, &item) != nil {
			return nil, false
		}
		items = append(items, item)
	}
	return items, true
}

// decoded returns the object or array that raw is, or that it holds as a string.
func decoded(raw json.RawMessage) json.RawMessage {
	var inner string
	if json.Unmarshal(raw, &inner) == nil {
		if s := strings.TrimSpace(inner); strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") {
			return json.RawMessage(s)
		}
	}
	return bytes.TrimSpace(raw)
}

func isObject(raw json.RawMessage) bool { return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) }
