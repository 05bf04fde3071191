package orders

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"huizhi/internal/apperr"
	"huizhi/internal/providers"
)

// ExceptionFieldRequired says that a custom field which the receipt type asks
// for is empty; which one, Missing tells.
const ExceptionFieldRequired = "field_required"

// CustomPrefix stands before a custom field's name where it is named beside
// others: in forms and in the Field of an error, as "custom.customer_phone".
const CustomPrefix = "custom."

// maxCustom bounds a custom field's value, in bytes.
const maxCustom = 500

// FormField is a custom field of a receipt type that a person fills in. Label
// and description come from the provider's catalogue, in Chinese: a field that
// the provider adds tomorrow appears in review without a new release.
type FormField struct {
	Name, Label, Description string
	Choices                  []string // the only values allowed; none: free text
	Required                 bool
}

// FormFields lists what a person fills in beside the city, which belongs to the
// batch, and the ID number, which is read from the card: the required fields
// first, each part in the catalogue's order.
func FormFields(t providers.Type) []FormField {
	names := slices.Clone(t.RequiredFields)
	for _, name := range t.GuidedFields() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	var fields []FormField
	for _, name := range names {
		if ownField(name) {
			continue
		}
		g := t.Guide[name]
		f := FormField{Name: name, Label: g.Label, Description: g.Description, Choices: g.Values, Required: t.Requires(name)}
		if f.Label == "" {
			f.Label = name
		}
		fields = append(fields, f)
	}
	return fields
}

// FormFields is [FormFields] of a type in the newest catalogue.
func (s *Service) FormFields(ctx context.Context, typeID int) ([]FormField, error) {
	t, err := s.Type(ctx, typeID)
	if err != nil {
		return nil, err
	}
	return FormFields(t), nil
}

// ownField tells that the field's value has a place of its own in the order.
func ownField(name string) bool {
	return name == providers.CityField || name == providers.IDCardField || name == providers.ReferenceField
}

// Missing lists the required custom fields that the order cannot fill yet.
func (o *Order) Missing() []string {
	values := customFields(o, "")
	var missing []string
	for _, name := range o.RequiredFields {
		if values[name] == "" {
			missing = append(missing, name)
		}
	}
	return missing
}

// customFields are what the provider gets: the city, the ID number where the
// type asks for it, what a person or an API client gave besides, and our
// reference, unless it is "".
func customFields(o *Order, reference string) map[string]string {
	f := map[string]string{}
	for name, value := range o.Custom {
		if value != "" {
			f[name] = value
		}
	}
	f[providers.CityField] = o.City
	if o.IDNumber != "" && o.Requires(providers.IDCardField) {
		f[providers.IDCardField] = o.IDNumber
	}
	if reference != "" {
		f[providers.ReferenceField] = reference
	}
	return f
}

// Requires tells whether the order's type asks for the custom field. Only the
// driving licence (type 5) asks for the ID number; sending personal data that
// nobody asked for would be wrong.
func (o *Order) Requires(field string) bool {
	return slices.Contains(o.RequiredFields, field)
}

// mobile is the form of customer_phone, which the provider checks (code 1006)
// wherever it is given.
var mobile = regexp.MustCompile(`^1[3-9]\d{9}$`)

const phoneField = "customer_phone"

// setCustom takes the values that a person typed for custom fields and returns
// the names of those that changed. Only fields of the type's guide are taken.
func (o *Order) setCustom(t providers.Type, typed map[string]string) (touched []string, err error) {
	var bad apperr.Fields
	fields := FormFields(t)
	for name, value := range typed {
		value = strings.TrimSpace(value)
		i := slices.IndexFunc(fields, func(f FormField) bool { return f.Name == name })
		switch {
		case i < 0:
			bad.Add(CustomPrefix+name, "error.order.field_unknown")
		case len(value) > maxCustom:
			bad.Add(CustomPrefix+name, "error.order.value_long")
		case value != "" && len(fields[i].Choices) > 0 && !slices.Contains(fields[i].Choices, value):
			bad.Add(CustomPrefix+name, "error.order.field_choice", "field", fields[i].Label)
		case value != "" && name == phoneField && !mobile.MatchString(value):
			bad.Add(CustomPrefix+name, "provider.1006")
		case value != o.Custom[name]:
			if o.Custom == nil {
				o.Custom = map[string]string{}
			}
			o.Custom[name] = value
			touched = append(touched, CustomPrefix+name)
		}
	}
	return touched, bad.Err()
}

// missingErrors names each missing field by its label, for the form.
func missingErrors(o *Order, t providers.Type) (bad apperr.Fields) {
	for _, name := range o.Missing() {
		switch name {
		case providers.IDCardField:
			bad.Add("id_number", "orders.exception."+ExceptionIDRequired)
		case providers.CityField:
			bad.Add("city", "error.batch.city", "type", o.TypeName)
		default:
			label := t.Guide[name].Label
			if label == "" {
				label = name
			}
			bad.Add(CustomPrefix+name, "error.order.field_required", "field", label)
		}
	}
	return bad
}
