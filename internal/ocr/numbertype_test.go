package ocr_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/ocr"
)

func TestNumberTypeComparesTheNumberWithBirthDateAndSex(t *testing.T) {
	t.Parallel()
	type edits map[ocr.FieldName]string
	for name, test := range map[string]struct {
		edits edits
		want  ocr.NumberType
	}{
		"all agree":                {nil, ocr.NumberConsistent},
		"other birth date":         {edits{ocr.BirthDate: "1949-12-30"}, ocr.NumberNotBirth},
		"other sex":                {edits{ocr.Sex: "男"}, ocr.NumberNotSex},
		"other in both":            {edits{ocr.BirthDate: "1949-12-30", ocr.Sex: "男"}, ocr.NumberDiffers},
		"no number":                {edits{ocr.IDNumber: ""}, ocr.NumberInvalid},
		"17 characters":            {edits{ocr.IDNumber: "11010519491231002"}, ocr.NumberInvalid},
		"no birth date, no sex":    {edits{ocr.BirthDate: "", ocr.Sex: ""}, ocr.NumberConsistent},
		"no birth date, other sex": {edits{ocr.BirthDate: "", ocr.Sex: "男"}, ocr.NumberNotSex},
		"the back alone": {edits{
			ocr.Name: "", ocr.Sex: "", ocr.Ethnicity: "", ocr.BirthDate: "", ocr.Address: "", ocr.IDNumber: "",
		}, ocr.NumberNoFront},
		// the samples of the providers' documents
		"clipimg's":             {edits{ocr.IDNumber: "110101199001011234", ocr.BirthDate: "1990-01-01", ocr.Sex: "男"}, ocr.NumberInvalid},
		"pyi's, said to be 1":   {edits{ocr.IDNumber: "362532199404064129", ocr.BirthDate: "1994-04-06", ocr.Sex: ""}, ocr.NumberInvalid},
		"xinhuo's, a woman's":   {edits{ocr.IDNumber: "310102197707077777", ocr.BirthDate: "1977-07-07", ocr.Sex: "女"}, ocr.NumberNotSex},
		"xinhuo's, if of a man": {edits{ocr.IDNumber: "310102197707077777", ocr.BirthDate: "1977-07-07", ocr.Sex: "男"}, ocr.NumberConsistent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fields := card()
			for field, value := range test.edits {
				fields = fields.Edit(field, value)
			}
			require.Equal(t, test.want, ocr.NumberTypeOf(fields))
		})
	}
}

func TestAProvidersOtherResultIsADoubt(t *testing.T) {
	t.Parallel()
	fields := card()
	fields.Dispute(ocr.NumberConsistent)
	require.False(t, fields[ocr.IDNumber].Has(ocr.Disputed))

	fields.Dispute(ocr.NumberNotSex)
	require.True(t, ocr.Check(fields, today)[ocr.IDNumber].Has(ocr.Disputed), "it is the engine's, so Check keeps it")

	fields = card().Edit(ocr.IDNumber, "362532199404064129")
	fields.Dispute(ocr.NumberConsistent)
	require.False(t, fields[ocr.IDNumber].Has(ocr.Disputed), "the check digit is flagged already")

	back := ocr.Fields{ocr.Authority: {Value: "北京市公安局"}}
	back.Dispute(ocr.NumberConsistent)
	require.Len(t, back, 1)
}
