package ocr_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/ocr"
)

func TestRequiredFieldsOfADocumentMustBeThere(t *testing.T) {
	t.Parallel()
	checked := ocr.CheckDocument(ocr.Passport, ocr.Fields{ocr.NameLatin: {Value: "LI LEI"}, ocr.Sex: {}}, today)
	require.Len(t, checked, 5)
	for _, name := range ocr.Passport.Required() {
		require.Equal(t, ocr.Flags{ocr.Missing}, checked[name].Flags, name)
	}
	require.Empty(t, checked[ocr.Sex].Flags, "not on every passport")
}

func TestIDCardsGetEveryCheck(t *testing.T) {
	t.Parallel()
	fields := card().Edit(ocr.ValidUntil, "2021-03-01").Edit(ocr.Name, "LI")
	require.Equal(t, ocr.Check(fields, today), ocr.CheckDocument(ocr.IDCardFront, fields, today))
}

func TestWhatHoldsEverywhereIsCheckedOnEveryDocument(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		doc   ocr.DocType
		field ocr.FieldName
		value string
		want  ocr.Flags
	}{
		"foreign name":               {ocr.Passport, ocr.Name, "ANNA K", nil},
		"expired passport":           {ocr.Passport, ocr.ValidUntil, "2026-11-20", ocr.Flags{ocr.Expired}},
		"passport for 7 years":       {ocr.Passport, ocr.ValidUntil, "2033-11-20", nil},
		"issued tomorrow":            {ocr.Passport, ocr.IssueDate, "2026-11-22", ocr.Flags{ocr.DateFormat}},
		"no such day":                {ocr.DrivingLicence, ocr.FirstIssueDate, "2020-02-30", ocr.Flags{ocr.DateFormat}},
		"licence without end":        {ocr.DrivingLicence, ocr.ValidUntil, ocr.LongTerm, nil},
		"bank card's month and year": {ocr.BankCard, ocr.ValidUntil, "12/28", nil},
		"wrong ID number":            {ocr.HouseholdRegister, ocr.IDNumber, "110101199001011234", ocr.Flags{ocr.ChecksumFailed}},
		"bank card":                  {ocr.BankCard, ocr.CardNumber, "6222 0212 3456 7890 128", nil},
		"bank card, misread":         {ocr.BankCard, ocr.CardNumber, "6222021234567890129", ocr.Flags{ocr.ChecksumFailed}},
		"bank card, cut":             {ocr.BankCard, ocr.CardNumber, "62220212", ocr.Flags{ocr.ChecksumFailed}},
		"social security card":       {ocr.SocialSecurityCard, ocr.CardNumber, "A12345678", nil},
		"credit code of the sample":  {ocr.BusinessLicence, ocr.CreditCode, "91110105MA01AMC6Q", ocr.Flags{ocr.ChecksumFailed}},
		"credit code":                {ocr.BusinessLicence, ocr.CreditCode, "91350100M000100Y43", nil},
		"credit code, misread":       {ocr.BusinessLicence, ocr.CreditCode, "91350100M000100Y48", ocr.Flags{ocr.ChecksumFailed}},
		"number of an old licence":   {ocr.BusinessLicence, ocr.CreditCode, "110105012345678", nil},
		"VIN of the sample":          {ocr.VehicleLicence, ocr.VIN, "WBAFR7103BC727722", nil},
		"VIN":                        {ocr.VehicleLicence, ocr.VIN, "1M8GDM9AXKP042788", nil},
		"VIN, misread":               {ocr.VehicleLicence, ocr.VIN, "1M8GDM9A1KP042788", ocr.Flags{ocr.ChecksumFailed}},
		"VIN with a letter O":        {ocr.VehicleLicence, ocr.VIN, "1M8GDM9AXKPO42788", ocr.Flags{ocr.ChecksumFailed}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fields := ocr.Fields{}.Edit(test.field, test.value)
			require.Equal(t, test.want, ocr.CheckDocument(test.doc, fields, today)[test.field].Flags)
		})
	}
}

func TestBirthDateAndSexAreComparedWithTheNumberOnEveryDocument(t *testing.T) {
	t.Parallel()
	checked := ocr.CheckDocument(ocr.HMTResidencePermitFront, card().Edit(ocr.Sex, "男/M").Edit(ocr.BirthDate, "1949.12.30"), today)
	require.Equal(t, ocr.Flags{ocr.SexMismatch}, checked[ocr.Sex].Flags)
	require.Equal(t, ocr.Flags{ocr.BirthMismatch}, checked[ocr.BirthDate].Flags)
}
