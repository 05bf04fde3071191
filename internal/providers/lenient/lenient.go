// Package lenient reads JSON values in the forms they may plausibly take. PHP, in which several of the providers'
// services seem to be written, writes numbers from its database as strings, an empty object as [], and a filtered list as
// an object with number keys.
package lenient

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Text reads a string, and a number or boolean by its literal. Everything else, such as null, is "".
type Text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(raw []byte) error {
	*t = ""
	switch raw[0] {
	case '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		*t = Text(strings.TrimSpace(s))
	case 'n', '{', '[':
	default:
		*t = Text(raw)
	}
	return nil
}

// Number reads a whole number, also as a string or with a zero fraction. Everything else leaves it not valid.
type Number struct {
	Value int
	Valid bool // it is a number
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(raw []byte) error {
	*n = Number{}
	var t Text
	if err := t.UnmarshalJSON(raw); err != nil {
		return err
	}
	if f, err := strconv.ParseFloat(string(t), 64); err == nil && f == math.Trunc(f) && math.Abs(f) <= math.MaxInt32 {
		*n = Number{Value: int(f), Valid: true}
	}
	return nil
}

// Object reads a JSON object, also when it comes encoded as a string. Values that do not fit T are left out; anything
// that is not an object is nil.
type Object[T any] map[string]T

// UnmarshalJSON implements json.Unmarshaler.
func (o *Object[T]) UnmarshalJSON(raw []byte) error {
	*o = nil
	var entries map[string]json.RawMessage
	if json.Unmarshal(Decoded(raw), &entries) != nil || entries == nil {
		return nil
	}
	*o = make(Object[T], len(entries))
	for key, entry := range entries {
		var value T
		if json.Unmarshal(entry, &value) == nil {
			(*o)[key] = value
		}
	}
	return nil
}

// List reads an array, also as an object with number keys or encoded as a string; null and nothing are empty. It is
// not ok when any element is null or does not fit T, so that none gets lost.
func List[T any](raw json.RawMessage) (items []T, ok bool) {
	raw = Decoded(raw)
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

// Decoded returns the object or array that raw is, or that it holds as a string.
func Decoded(raw json.RawMessage) json.RawMessage {
	var inner string
	if json.Unmarshal(raw, &inner) == nil {
		if s := strings.TrimSpace(inner); strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") {
			return json.RawMessage(s)
		}
	}
	return bytes.TrimSpace(raw)
}

// IsObject reports whether raw is a JSON object.
func IsObject(raw json.RawMessage) bool { return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) }
