package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// reshape changes the shape of a JSON object, keeping what it says.
func reshape(body []byte, kind Kind) []byte {
	var top map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&top) != nil {
		return body // no object, so nothing that has these shapes
	}
	if kind == MissingData {
		for name, value := range top {
			switch value.(type) {
			case map[string]any, []any:
				delete(top, name)
			}
		}
		return Encode(top)
	}
	return Encode(reshaped(top, kind))
}

func reshaped(v any, kind Kind) any {
	switch v := v.(type) {
	case json.Number:
		if kind == StringNumbers {
			return v.String()
		}
	case []any:
		if kind == NullList {
			return nil
		}
		members := make(map[string]any, len(v))
		for i := range v {
			v[i] = reshaped(v[i], kind)
			members[strconv.Itoa(i)] = v[i]
		}
		if kind == ObjectForArray {
			return members
		}
	case map[string]any:
		for name := range v {
			v[name] = reshaped(v[name], kind)
		}
		if kind == ExtraFields {
			v["trace_id"], v["extra"] = "0af7651916cd43dd", map[string]any{"list": []any{}, "none": nil}
		}
	}
	return v
}
