package ocr

import "slices"

// DocType is what a picture shows: one side or page of one kind of document.
type DocType string

// The document types: those that the providers' lists name (35 codes of juhe,
// of which four only say "find out", and 19 kinds of xinhuo), each once. A page
// with both sides of a card, such as a photocopy, is an IDCardFront whose back
// fields are filled, too.
const (
	Unknown DocType = "unknown"

	IDCardFront           DocType = "id_card_front"
	IDCardBack            DocType = "id_card_back"
	IDCardFirstGeneration DocType = "id_card_first_generation"
	TemporaryIDCard       DocType = "temporary_id_card"
	HouseholdRegister     DocType = "household_register"
	ResidencePermit       DocType = "residence_permit" // 居住证, for those who live away from their register
	OfficerCard           DocType = "officer_card"
	BorderResidentCard    DocType = "border_resident_card"
	SocialSecurityCard    DocType = "social_security_card"
	MarriageCertificate   DocType = "marriage_certificate"
	DivorceCertificate    DocType = "divorce_certificate"
	HongKongIDCard        DocType = "hong_kong_id_card"

	Passport              DocType = "passport"
	Visa                  DocType = "visa"
	BoardingPass          DocType = "boarding_pass"
	PermanentResidentCard DocType = "permanent_resident_card" // of foreigners, 外国人永久居留身份证

	// Mainland residents to Hong Kong and Macao, and to Taiwan.
	HongKongMacaoPermit     DocType = "hong_kong_macao_permit" // card of 2014
	HongKongMacaoPermit2005 DocType = "hong_kong_macao_permit_2005"
	TaiwanPermit            DocType = "taiwan_permit" // card of 2017
	TaiwanPermit1992        DocType = "taiwan_permit_1992"
	// Residents of Hong Kong and Macao, and of Taiwan, to the mainland.
	HongKongMacaoResidentPermit     DocType = "hong_kong_macao_resident_permit"
	HongKongMacaoResidentPermitBack DocType = "hong_kong_macao_resident_permit_back"
	TaiwanResidentPermit            DocType = "taiwan_resident_permit" // card of 2015
	TaiwanResidentPermitBack        DocType = "taiwan_resident_permit_back"
	TaiwanResidentPermit1992        DocType = "taiwan_resident_permit_1992"
	// 港澳台居民居住证, of those who live on the mainland.
	HMTResidencePermitFront DocType = "hmt_residence_permit_front"
	HMTResidencePermitBack  DocType = "hmt_residence_permit_back"

	DrivingLicence                 DocType = "driving_licence"
	DrivingLicenceSupplement       DocType = "driving_licence_supplement"
	VehicleLicence                 DocType = "vehicle_licence"
	VehicleLicenceSupplement       DocType = "vehicle_licence_supplement"
	ElectronicVehicleLicence       DocType = "electronic_vehicle_licence"
	VehicleConformityCertificate   DocType = "vehicle_conformity_certificate"
	VehicleRegistrationCertificate DocType = "vehicle_registration_certificate"

	BankCard                     DocType = "bank_card"
	BusinessCard                 DocType = "business_card"
	BusinessLicence              DocType = "business_licence"
	AccountOpeningPermit         DocType = "account_opening_permit"
	TaxRegistration              DocType = "tax_registration"
	OrganisationCertificate      DocType = "organisation_certificate"
	PropertyOwnershipCertificate DocType = "property_ownership_certificate" // 房产证, before 2015
	RealEstateCertificate        DocType = "real_estate_certificate"        // 不动产权证书, since
)

// Key is the type's text in the catalogue of messages.
func (t DocType) Key() string { return "ocr.type." + string(t) }

// document is an entry of the catalogue: the fields in their order on paper.
type document struct {
	docType DocType
	// required fields are on every specimen; a reading without one is flagged.
	required []FieldName
	optional []FieldName
}

// FrontFields and BackFields are the fields that a side of an ID card should have.
var (
	FrontFields = []FieldName{Name, Sex, Ethnicity, BirthDate, Address, IDNumber}
	BackFields  = []FieldName{Authority, ValidFrom, ValidUntil}
)

// catalogue lists every document type but Unknown, in the order to offer them.
var catalogue = []document{
	{IDCardFront, FrontFields, BackFields},
	{IDCardBack, BackFields, nil},
	{IDCardFirstGeneration, []FieldName{Name, Sex, Ethnicity, BirthDate, Address, IDNumber}, []FieldName{IssueDate, ValidFrom, ValidUntil}},
	{TemporaryIDCard, FrontFields, BackFields},
	{HouseholdRegister, []FieldName{Name, Sex, BirthDate, IDNumber}, []FieldName{
		HouseholdHead, Relation, HouseholdNumber, HouseholdType, FormerName, Ethnicity, BirthPlace, NativePlace, Address,
		Height, BloodType, Religion, Education, MaritalStatus, MilitaryService, Employer, Occupation, Authority, IssueDate,
	}},
	{ResidencePermit, []FieldName{Name, IDNumber}, []FieldName{
		Sex, Ethnicity, BirthDate, Address, ResidenceAddress, DocumentNumber, Authority, IssueDate, ValidFrom, ValidUntil,
	}},
	{OfficerCard, []FieldName{Name, DocumentNumber}, []FieldName{
		Sex, Ethnicity, BirthDate, NativePlace, Department, Position, Rank, Authority, IssueDate, ValidFrom, ValidUntil,
	}},
	{BorderResidentCard, []FieldName{Name, DocumentNumber}, []FieldName{
		Sex, Ethnicity, BirthDate, IDNumber, Address, Authority, IssueDate, ValidFrom, ValidUntil,
	}},
	{SocialSecurityCard, []FieldName{Name, IDNumber}, []FieldName{CardNumber, Sex, Ethnicity, BirthDate, Authority, BankName, IssueDate, ValidUntil}},
	{MarriageCertificate, []FieldName{Name, IDNumber, SpouseName, SpouseIDNumber}, marriageFields},
	{DivorceCertificate, []FieldName{Name, IDNumber, SpouseName, SpouseIDNumber}, marriageFields},
	{HongKongIDCard, []FieldName{DocumentNumber, BirthDate}, []FieldName{Name, NameLatin, NameCode, Sex, Symbols, FirstIssueDate, IssueDate}},

	{Passport, []FieldName{DocumentNumber, BirthDate, ValidUntil}, []FieldName{
		PassportType, CountryCode, Name, NameLatin, SurnameLatin, GivenNameLatin, Sex, Nationality, BirthPlace, IssueDate, IssuePlace, Authority,
		IDNumber, MRZ1, MRZ2,
	}},
	{Visa, []FieldName{DocumentNumber, ValidUntil}, []FieldName{
		VisaType, Name, NameLatin, SurnameLatin, GivenNameLatin, Sex, BirthDate, Nationality, PassportNumber, Entries, StayDays, IssueDate,
		IssuePlace, ValidFrom, Remark, MRZ1, MRZ2,
	}},
	{BoardingPass, []FieldName{FlightNumber}, []FieldName{Name, NameLatin, DepartureDate, Origin, Destination, Seat, Cabin, Gate, BoardingTime, DocumentNumber}},
	{PermanentResidentCard, []FieldName{DocumentNumber, BirthDate, ValidUntil}, []FieldName{
		Name, NameLatin, SurnameLatin, GivenNameLatin, Sex, Nationality, IssueCount, Authority, IssueDate, ValidFrom, MRZ1, MRZ2, MRZ3,
	}},

	{HongKongMacaoPermit, travelRequired, travelOptional},
	{HongKongMacaoPermit2005, travelRequired, travelOptional},
	{TaiwanPermit, travelRequired, travelOptional},
	{TaiwanPermit1992, travelRequired, travelOptional},
	{HongKongMacaoResidentPermit, travelRequired, travelOptional},
	{HongKongMacaoResidentPermitBack, []FieldName{DocumentNumber}, travelBack},
	{TaiwanResidentPermit, travelRequired, travelOptional},
	{TaiwanResidentPermitBack, []FieldName{DocumentNumber}, travelBack},
	{TaiwanResidentPermit1992, travelRequired, travelOptional},
	{HMTResidencePermitFront, []FieldName{Name, Sex, BirthDate, Address, IDNumber}, []FieldName{Ethnicity}},
	{HMTResidencePermitBack, []FieldName{Authority, ValidFrom, ValidUntil}, []FieldName{PermitNumber, IssueCount}},

	{DrivingLicence, []FieldName{Name, DocumentNumber, VehicleClass}, []FieldName{
		Sex, Nationality, Address, BirthDate, FirstIssueDate, ValidFrom, ValidUntil, Authority, FileNumber,
	}},
	{DrivingLicenceSupplement, []FieldName{Name, DocumentNumber}, []FieldName{FileNumber, Record}},
	{VehicleLicence, []FieldName{PlateNumber, Owner, VIN}, []FieldName{
		VehicleType, Address, UseCharacter, VehicleModel, EngineNumber, RegistrationDate, IssueDate, Authority,
	}},
	{VehicleLicenceSupplement, []FieldName{PlateNumber}, []FieldName{
		FileNumber, Seats, GrossMass, CurbMass, RatedLoad, Dimensions, TowingMass, Remark, InspectionRecord, Barcode,
	}},
	{ElectronicVehicleLicence, []FieldName{PlateNumber, Owner}, []FieldName{
		VehicleType, Address, UseCharacter, VehicleModel, VIN, EngineNumber, RegistrationDate, IssueDate, ValidUntil, Authority, FileNumber, Seats,
		GrossMass, CurbMass, RatedLoad, Dimensions, TowingMass, Remark, InspectionRecord,
	}},
	{VehicleConformityCertificate, []FieldName{DocumentNumber, VIN}, []FieldName{
		IssueDate, Manufacturer, VehicleBrand, VehicleType, VehicleModel, Colour, ChassisModel, EngineModel, EngineNumber, FuelType, Displacement,
		Power, EmissionStandard, Dimensions, GrossMass, CurbMass, RatedLoad, Seats, MaximumSpeed, ManufactureDate, Remark,
	}},
	{VehicleRegistrationCertificate, []FieldName{DocumentNumber, Owner}, []FieldName{
		OwnerDocument, Authority, RegistrationDate, PlateNumber, VehicleType, VehicleBrand, VehicleModel, Colour, VIN, ImportStatus, EngineNumber,
		EngineModel, FuelType, Displacement, Power, Manufacturer, Dimensions, GrossMass, CurbMass, RatedLoad, Seats, UseCharacter,
		ManufactureDate, IssueDate, Barcode,
	}},

	{BankCard, []FieldName{CardNumber}, []FieldName{BankName, CardName, CardKind, Name, NameLatin, ValidUntil}},
	{BusinessCard, []FieldName{Name}, []FieldName{
		NameLatin, Position, Department, CompanyName, Mobile, Telephone, Fax, Email, Website, Address, PostalCode,
	}},
	{BusinessLicence, []FieldName{CreditCode, CompanyName, LegalRepresentative}, []FieldName{
		CompanyType, Address, RegisteredCapital, Composition, EstablishedDate, ValidFrom, ValidUntil, BusinessScope, Authority, RegistrationDate,
		DocumentNumber, OrganisationCode, TaxNumber, SocialInsuranceNumber, StatisticsNumber, QRCode, Duplicate,
	}},
	{AccountOpeningPermit, []FieldName{CompanyName, AccountNumber}, []FieldName{
		ApprovalNumber, DocumentNumber, LegalRepresentative, BankName, AccountKind, IssueDate, Authority,
	}},
	{TaxRegistration, []FieldName{CompanyName, TaxNumber}, []FieldName{
		LegalRepresentative, Address, CompanyType, BusinessScope, EstablishedDate, Authority, IssueDate, DocumentNumber,
	}},
	{OrganisationCertificate, []FieldName{OrganisationCode, CompanyName}, []FieldName{
		CompanyType, LegalRepresentative, Address, ValidFrom, ValidUntil, Authority, DocumentNumber, IssueDate,
	}},
	{PropertyOwnershipCertificate, []FieldName{DocumentNumber, Owner, Address}, propertyFields},
	{RealEstateCertificate, []FieldName{DocumentNumber, Owner, Address}, propertyFields},
}

// Fields that several documents share.
var (
	marriageFields = []FieldName{
		DocumentNumber, Holder, Sex, BirthDate, Nationality, SpouseSex, SpouseBirthDate, SpouseNationality, RegistrationDate, Authority, Remark,
	}
	travelRequired = []FieldName{DocumentNumber, BirthDate, ValidUntil}
	travelOptional = []FieldName{
		Name, NameLatin, SurnameLatin, GivenNameLatin, OtherName, Sex, BirthPlace, Domicile, HomeDocumentNumber, Authority, IssuePlace, IssueDate,
		ValidFrom, IssueCount, IDNumber, MRZ1, MRZ2, MRZ3,
	}
	travelBack = []FieldName{
		Name, NameLatin, SurnameLatin, GivenNameLatin, OtherName, Sex, BirthDate, HomeDocumentNumber, ValidUntil, IssueCount, MRZ1, MRZ2, MRZ3,
	}
	propertyFields = []FieldName{
		CoOwnership, UnitNumber, RightType, RightNature, PropertyUse, FloorArea, LandArea, ValidFrom, ValidUntil, RegistrationDate, IssueDate,
		Authority, IDNumber, Remark,
	}
)

// DocTypes lists every document type but Unknown, in the order to offer them.
func DocTypes() []DocType {
	types := make([]DocType, len(catalogue))
	for i, d := range catalogue {
		types[i] = d.docType
	}
	return types
}

// Fields lists the fields that a document of the type can have, the required
// ones first; none for Unknown.
func (t DocType) Fields() []FieldName {
	d := t.document()
	return slices.Concat(d.required, d.optional)
}

// Required lists the fields that every document of the type has.
func (t DocType) Required() []FieldName { return slices.Clone(t.document().required) }

// Known reports whether the type is in the catalogue. Unknown is not.
func (t DocType) Known() bool { return t.document().docType != "" }

// IDCard reports whether it is a side of the resident identity card in use, the
// only document that orders are made from.
func (t DocType) IDCard() bool { return t == IDCardFront || t == IDCardBack }

func (t DocType) document() document {
	for _, d := range catalogue {
		if d.docType == t {
			return d
		}
	}
	return document{}
}
