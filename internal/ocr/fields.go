package ocr

import (
	"slices"
	"unicode"
)

// FieldName names a field of a document. The same thing has the same name on
// every document.
type FieldName string

// The fields of the resident identity card in their order, front and back.
const (
	Name       FieldName = "name"      // in Chinese characters, where the document has them
	Sex        FieldName = "sex"       // 男 or 女
	Ethnicity  FieldName = "ethnicity" // without 族, see Ethnicities
	BirthDate  FieldName = "birth_date"
	Address    FieldName = "address"   // of a person, a company or a property
	IDNumber   FieldName = "id_number" // citizen's: 18 characters, see package idnumber
	Authority  FieldName = "authority"
	ValidFrom  FieldName = "valid_from"
	ValidUntil FieldName = "valid_until" // also LongTerm
)

// The fields of other documents.
const (
	// Persons.
	NameLatin          FieldName = "name_latin"
	SurnameLatin       FieldName = "surname_latin"
	GivenNameLatin     FieldName = "given_name_latin"
	OtherName          FieldName = "other_name"
	NameCode           FieldName = "name_code" // Chinese commercial code on Hong Kong cards
	FormerName         FieldName = "former_name"
	Nationality        FieldName = "nationality" // country, not Ethnicity
	BirthPlace         FieldName = "birth_place"
	NativePlace        FieldName = "native_place"
	Domicile           FieldName = "domicile" // 归属地: Hong Kong, Macao or Taiwan
	ResidenceAddress   FieldName = "residence_address"
	HouseholdHead      FieldName = "household_head"
	Relation           FieldName = "relation" // to the head of the household
	HouseholdNumber    FieldName = "household_number"
	HouseholdType      FieldName = "household_type"
	Height             FieldName = "height"
	BloodType          FieldName = "blood_type"
	Religion           FieldName = "religion"
	Education          FieldName = "education"
	MaritalStatus      FieldName = "marital_status"
	MilitaryService    FieldName = "military_service"
	Employer           FieldName = "employer"
	Occupation         FieldName = "occupation"
	Department         FieldName = "department"
	Position           FieldName = "position"
	Rank               FieldName = "rank"
	Holder             FieldName = "holder" // to whom of the two a marriage certificate belongs
	SpouseName         FieldName = "spouse_name"
	SpouseSex          FieldName = "spouse_sex"
	SpouseBirthDate    FieldName = "spouse_birth_date"
	SpouseNationality  FieldName = "spouse_nationality"
	SpouseIDNumber     FieldName = "spouse_id_number"
	Mobile             FieldName = "mobile"
	Telephone          FieldName = "telephone"
	Fax                FieldName = "fax"
	Email              FieldName = "email"
	Website            FieldName = "website"
	PostalCode         FieldName = "postal_code"
	HomeDocumentNumber FieldName = "home_document_number" // of the ID card of Hong Kong, Macao or Taiwan

	// The document itself.
	DocumentNumber FieldName = "document_number"
	PermitNumber   FieldName = "permit_number" // of the travel permit, on the residence permit's back
	PassportNumber FieldName = "passport_number"
	PassportType   FieldName = "passport_type"
	CountryCode    FieldName = "country_code"
	VisaType       FieldName = "visa_type"
	Entries        FieldName = "entries"
	StayDays       FieldName = "stay_days"
	Symbols        FieldName = "symbols" // of a Hong Kong card, such as ***AZ
	FirstIssueDate FieldName = "first_issue_date"
	IssueDate      FieldName = "issue_date"
	IssuePlace     FieldName = "issue_place"
	IssueCount     FieldName = "issue_count"
	FileNumber     FieldName = "file_number"
	Record         FieldName = "record"
	Remark         FieldName = "remark"
	Barcode        FieldName = "barcode"
	QRCode         FieldName = "qr_code" // the text in it
	Duplicate      FieldName = "duplicate"
	MRZ1           FieldName = "mrz_1" // machine-readable lines of ICAO 9303
	MRZ2           FieldName = "mrz_2"
	MRZ3           FieldName = "mrz_3"

	// Flights.
	FlightNumber  FieldName = "flight_number"
	DepartureDate FieldName = "departure_date" // often without a year, hence text
	Origin        FieldName = "origin"
	Destination   FieldName = "destination"
	Seat          FieldName = "seat"
	Cabin         FieldName = "cabin"
	Gate          FieldName = "gate"
	BoardingTime  FieldName = "boarding_time"

	// Vehicles.
	VehicleClass     FieldName = "vehicle_class" // that may be driven, such as C1
	PlateNumber      FieldName = "plate_number"
	VehicleType      FieldName = "vehicle_type"
	Owner            FieldName = "owner"
	OwnerDocument    FieldName = "owner_document"
	UseCharacter     FieldName = "use_character"
	VehicleBrand     FieldName = "vehicle_brand"
	VehicleModel     FieldName = "vehicle_model"
	VIN              FieldName = "vin"
	EngineNumber     FieldName = "engine_number"
	EngineModel      FieldName = "engine_model"
	ChassisModel     FieldName = "chassis_model"
	RegistrationDate FieldName = "registration_date"
	ManufactureDate  FieldName = "manufacture_date"
	Manufacturer     FieldName = "manufacturer"
	Colour           FieldName = "colour"
	ImportStatus     FieldName = "import_status"
	FuelType         FieldName = "fuel_type"
	Displacement     FieldName = "displacement"
	Power            FieldName = "power"
	EmissionStandard FieldName = "emission_standard"
	MaximumSpeed     FieldName = "maximum_speed"
	Seats            FieldName = "seats"
	GrossMass        FieldName = "gross_mass"
	CurbMass         FieldName = "curb_mass"
	RatedLoad        FieldName = "rated_load"
	TowingMass       FieldName = "towing_mass"
	Dimensions       FieldName = "dimensions"
	InspectionRecord FieldName = "inspection_record"

	// Companies, accounts, property.
	CardNumber            FieldName = "card_number" // digits only
	CardName              FieldName = "card_name"
	CardKind              FieldName = "card_kind"
	BankName              FieldName = "bank_name"
	AccountNumber         FieldName = "account_number"
	AccountKind           FieldName = "account_kind"
	ApprovalNumber        FieldName = "approval_number"
	CreditCode            FieldName = "credit_code" // unified social credit code, GB 32100
	CompanyName           FieldName = "company_name"
	CompanyType           FieldName = "company_type"
	LegalRepresentative   FieldName = "legal_representative"
	RegisteredCapital     FieldName = "registered_capital"
	Composition           FieldName = "composition"
	EstablishedDate       FieldName = "established_date"
	BusinessScope         FieldName = "business_scope"
	OrganisationCode      FieldName = "organisation_code"
	TaxNumber             FieldName = "tax_number"
	SocialInsuranceNumber FieldName = "social_insurance_number"
	StatisticsNumber      FieldName = "statistics_number"
	CoOwnership           FieldName = "co_ownership"
	UnitNumber            FieldName = "unit_number"
	RightType             FieldName = "right_type"
	RightNature           FieldName = "right_nature"
	PropertyUse           FieldName = "property_use"
	FloorArea             FieldName = "floor_area"
	LandArea              FieldName = "land_area"
)

// Names of crops that show no single field.
const (
	Portrait  FieldName = "portrait"
	WholeCard FieldName = "whole_card" // cut out of the picture and set upright
)

// Key is the field's label in the catalogue of messages.
func (n FieldName) Key() string { return "ocr.field." + string(n) }

// Kind is the form of a field's values.
type Kind int

// The kinds of values.
const (
	Text Kind = iota
	Date      // YYYY-MM-DD; ValidUntil also LongTerm
	Code      // capital letters and digits of half width, without spaces
	SexKind
)

// Kind returns the form that the field's values have after Normalize.
func (n FieldName) Kind() Kind {
	switch n {
	case BirthDate, SpouseBirthDate, ValidFrom, ValidUntil, IssueDate, FirstIssueDate, RegistrationDate, ManufactureDate, EstablishedDate:
		return Date
	case IDNumber, SpouseIDNumber, DocumentNumber, PermitNumber, PassportNumber, HomeDocumentNumber, CardNumber, AccountNumber, CreditCode,
		OrganisationCode, TaxNumber, FileNumber, VIN, EngineNumber, PlateNumber, FlightNumber, MRZ1, MRZ2, MRZ3:
		return Code
	case Sex, SpouseSex:
		return SexKind
	}
	return Text
}

// LongTerm is the ValidUntil of cards that do not expire.
const LongTerm = "长期"

// Fields are the values of a document, by name. A field that should be on the
// side at hand but was not read is present with an empty value.
type Fields map[FieldName]Field

// FromRoster stands for the roster of a school or company where an engine would
// be named.
const FromRoster = "roster"

// Field is one value with the doubts about it.
type Field struct {
	Value string `json:"value"`
	// Confidence is the probability that the engine gives its least certain
	// character, above 0 and up to 1; 0 if the engine tells none. A value typed
	// by a person has 1.
	Confidence float64 `json:"confidence"`
	Flags      Flags   `json:"flags"`
	// Uncertain are the places, in characters from 0, of which the engine was not sure.
	Uncertain []int `json:"uncertain,omitempty"`
	// Candidates are other values worth offering, the likeliest first.
	Candidates []string `json:"candidates,omitempty"`
	// Agreed names another engine that read the same value, by Reader.Name, or FromRoster.
	Agreed string `json:"agreed,omitempty"`
	// Source is FromRoster for a value that no document gave.
	Source string `json:"source,omitempty"`
}

// Has reports whether the field carries a flag.
func (f Field) Has(flag Flag) bool {
	for _, g := range f.Flags {
		if g == flag {
			return true
		}
	}
	return false
}

// Doubtful returns the places of the characters of the value, counted from 0,
// that are to be compared with the picture: those of which the engine was not
// sure, rare or foreign ones in a name, and those that no ID number has.
func (f Field) Doubtful(name FieldName) []int {
	var at []int
	value := []rune(f.Value)
	for i, r := range value {
		odd := slices.Contains(f.Uncertain, i)
		switch name {
		case Name:
			odd = odd || f.Has(RareCharacter) && string(r) != middleDot && !commonInNames(r) || f.Has(NameFormat) && string(r) != middleDot && !unicode.Is(unicode.Han, r)
		case IDNumber:
			odd = odd || (r < '0' || r > '9') && !(r == 'X' && i == len(value)-1)
		}
		if odd {
			at = append(at, i)
		}
	}
	return at
}
