package platformview

import (
	"context"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// CatalogueModel is the provider's catalogue: what it offers now, and what changed from version to version.
type CatalogueModel struct {
	Types    []ReceiptType
	Versions []Version // the current one first
	Now      time.Time
}

// ReceiptType is one type as it is offered now.
type ReceiptType struct {
	ID        int
	Name      string
	Fields    []Field
	Provinces []Province
}

// Field is a value that the type asks for.
type Field struct {
	Name, Label, Description string
}

// Province is a province with the cities of it that are offered.
type Province struct {
	Name   string
	Cities []string
}

// Version is the catalogue as it was for some time.
type Version struct {
	Number       int64
	Since, Until time.Time
	Types        int
	Oldest       bool // of those shown: there is nothing to compare it with
	Changes      []Change
}

// Change is what is different about one type.
type Change struct {
	Kind  string // added, removed, changed
	Type  string
	Lines []ChangeLine
}

// ChangeLine is one difference: 新增办证地区：广东省 珠海市.
type ChangeLine struct {
	Kind   string // name, fields_added, fields_removed, cities_added, cities_removed, texts, description
	Values []string
}

func (m CatalogueModel) meta(ctx context.Context) []string {
	return []string{i18n.T(ctx, "platform.catalogue.types", "n", len(m.Types)),
		i18n.T(ctx, "platform.catalogue.confirmed", "when", i18n.Relative(ctx, m.Versions[0].Until, m.Now))}
}

func (t ReceiptType) cities() int {
	n := 0
	for _, p := range t.Provinces {
		n += len(p.Cities)
	}
	return n
}

// places is the cities in a few words: 广东省 深圳市, or 2 个省，22 个地区.
func (t ReceiptType) places(ctx context.Context) string {
	switch n := t.cities(); {
	case n == 0:
		return i18n.T(ctx, "platform.catalogue.any_city")
	case n == 1:
		return t.Provinces[0].Name + " " + t.Provinces[0].Cities[0]
	case len(t.Provinces) == 1:
		return t.Provinces[0].Name + " " + i18n.T(ctx, "platform.catalogue.cities", "n", n)
	default:
		return i18n.T(ctx, "platform.catalogue.provinces", "provinces", len(t.Provinces), "n", n)
	}
}

// others are the fields besides the city, which every type has.
func (t ReceiptType) others() []Field {
	var out []Field
	for _, f := range t.Fields {
		if f.Name != "city" {
			out = append(out, f)
		}
	}
	return out
}

func (t ReceiptType) number() string { return strconv.Itoa(t.ID) }

// changeBadges are grey but for what is gone, which may hit orders that wait.
var changeBadges = map[string]ui.Badge{
	"added":   {Icon: "plus"},
	"removed": {Tone: ui.Wait, Icon: "minus"},
	"changed": {Icon: "pencil"},
}

func (c Change) badge(ctx context.Context) ui.Badge {
	b := changeBadges[c.Kind]
	b.Word = i18n.T(ctx, "platform.change."+c.Kind)
	return b
}

func (l ChangeLine) text(ctx context.Context) string {
	values := make([]string, len(l.Values))
	for i, v := range l.Values {
		values[i] = strings.ReplaceAll(v, ",", " ")
	}
	return i18n.T(ctx, "platform.change."+l.Kind, "values", strings.Join(values, i18n.T(ctx, "platform.comma")))
}

// versionMeta says how long a version held.
func versionMeta(ctx context.Context, m CatalogueModel, v Version, current bool) string {
	if current {
		return i18n.T(ctx, "platform.version.current", "when", i18n.Relative(ctx, v.Until, m.Now))
	}
	return i18n.T(ctx, "platform.version.until", "time", i18n.DateTime(v.Until))
}
