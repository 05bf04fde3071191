package providers_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/providers"
)

// typed is a type with cities of Guangdong and required fields besides the city.
func typed(id int, name string, cities []string, fields ...string) providers.Type {
	guide := map[string]providers.FieldGuide{providers.CityField: {Label: "办证地区", Cities: []providers.Province{{Name: "广东省", Cities: cities}}}}
	for _, f := range fields {
		guide[f] = providers.FieldGuide{Label: f}
	}
	return providers.Type{ID: id, Name: name, RequiredFields: append([]string{providers.CityField}, fields...), Guide: guide}
}

func TestDiffNamesWhatAPersonMustKnow(t *testing.T) {
	t.Parallel()
	before := []providers.Type{
		typed(1, "身份证", []string{"深圳市", "广州市"}),
		typed(2, "护照", []string{"深圳市"}, "customer_id_card"),
		typed(3, "社保卡", []string{"深圳市"}),
	}
	passport := typed(2, "护照及港澳通行证", []string{"珠海市"}, "customer_phone")
	after := []providers.Type{typed(1, "身份证", []string{"广州市", "深圳市"}), passport, typed(4, "居住证", []string{"深圳市"})}

	changes := providers.Diff(before, after)
	require.Len(t, changes, 3, "the same cities in another order are no change")
	require.Equal(t, providers.TypeChange{Kind: providers.TypeChanged, Type: passport, Was: "护照",
		FieldsAdded: []string{"customer_phone"}, FieldsRemoved: []string{"customer_id_card"},
		CitiesAdded: []string{"广东省,珠海市"}, CitiesRemoved: []string{"广东省,深圳市"}}, changes[0])
	require.Equal(t, providers.TypeAdded, changes[1].Kind)
	require.Equal(t, 4, changes[1].Type.ID)
	require.Equal(t, providers.TypeRemoved, changes[2].Kind)
	require.Equal(t, 3, changes[2].Type.ID)
}

func TestDiffSeesAnotherExplanation(t *testing.T) {
	t.Parallel()
	before := typed(5, "驾驶证", []string{"深圳市"}, "customer_id_card")
	after := typed(5, "驾驶证", []string{"深圳市"}, "customer_id_card")
	after.Guide["customer_id_card"] = providers.FieldGuide{Label: "customer_id_card", Description: "请如实填写"}
	changes := providers.Diff([]providers.Type{before}, []providers.Type{after})
	require.Len(t, changes, 1)
	require.Equal(t, []string{"customer_id_card"}, changes[0].FieldsChanged)
}

func TestDiffOfTheSameIsEmpty(t *testing.T) {
	t.Parallel()
	types := []providers.Type{typed(1, "身份证", []string{"深圳市"})}
	require.Empty(t, providers.Diff(types, slices.Clone(types)))
	require.Empty(t, providers.Diff(nil, nil))
}
