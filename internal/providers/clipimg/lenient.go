package clipimg

import (
	"maps"
	"slices"
	"strings"

	"huizhi/internal/providers"
	"huizhi/internal/providers/lenient"
)

// fields are the custom fields of an application.
type fields lenient.Object[lenient.Text]

func (f *fields) UnmarshalJSON(raw []byte) error {
	return (*lenient.Object[lenient.Text])(f).UnmarshalJSON(raw)
}

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
	items, ok := lenient.List[lenient.Text](raw)
	if !ok {
		var joined lenient.Text
		if err := joined.UnmarshalJSON(raw); err != nil {
			return err
		}
		for s := range strings.SplitSeq(string(joined), ",") {
			items = append(items, lenient.Text(strings.TrimSpace(s)))
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
		Province lenient.Text `json:"province"`
		Cities   words        `json:"cities"`
	}
	if entries, ok := lenient.List[entry](raw); ok {
		for _, e := range entries {
			a.cities = append(a.cities, providers.Province{Name: string(e.Province), Cities: e.Cities})
		}
		return nil
	}
	if values, ok := lenient.List[lenient.Text](raw); ok {
		for _, v := range values {
			if v != "" {
				a.values = append(a.values, string(v))
			}
		}
		return nil
	}
	var byName lenient.Object[words]
	if err := byName.UnmarshalJSON(raw); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		a.cities = append(a.cities, providers.Province{Name: name, Cities: byName[name]})
	}
	return nil
}
