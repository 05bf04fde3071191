package juhe

import (
	"strconv"

	"huizhi/internal/ocr"
)

// cards are the document's codes of cardType, but for the automatic ones, in its order.
var cards = []struct {
	code     int
	document ocr.DocType
}{
	{1, ocr.IDCardFirstGeneration},
	{2, ocr.IDCardFront},
	{3, ocr.IDCardBack},
	{4, ocr.TemporaryIDCard},
	{5, ocr.DrivingLicence},
	{6, ocr.VehicleLicence},
	{7, ocr.OfficerCard},
	{9, ocr.HongKongMacaoPermit2005},
	{10, ocr.TaiwanResidentPermit1992},
	{11, ocr.TaiwanPermit1992},
	{12, ocr.Visa},
	{13, ocr.Passport},
	{14, ocr.HongKongMacaoResidentPermit},
	{15, ocr.HongKongMacaoResidentPermitBack},
	{16, ocr.HouseholdRegister},
	{17, ocr.BankCard},
	{22, ocr.HongKongMacaoPermit},
	{25, ocr.TaiwanResidentPermit},
	{26, ocr.TaiwanResidentPermitBack},
	{28, ocr.DrivingLicenceSupplement},
	{29, ocr.TaiwanPermit},
	{30, ocr.VehicleLicenceSupplement},
	{31, ocr.HMTResidencePermitFront},
	{32, ocr.HMTResidencePermitBack},
	{33, ocr.PermanentResidentCard},
	{1000, ocr.ResidencePermit},
	{1001, ocr.HongKongIDCard},
	{1002, ocr.BoardingPass},
	{1003, ocr.BorderResidentCard},
	{2008, ocr.BusinessLicence},
	{3038, ocr.ElectronicVehicleLicence},
}

// autoAny lets the service tell ID card, driving and vehicle licence apart. 101, 102 and 103 do so for the sides of one
// of them; they are of no use here, as whoever expects one of the three names the side.
const autoAny = 104

func cardType(document ocr.DocType) string {
	for _, c := range cards {
		if c.document == document {
			return strconv.Itoa(c.code)
		}
	}
	return strconv.Itoa(autoAny)
}

func documents() []ocr.DocType {
	all := make([]ocr.DocType, len(cards))
	for i, c := range cards {
		all[i] = c.document
	}
	return all
}

// marks tell what autoAny found: the answer says nothing but its keys, and each document has one that no other has,
// the more telling first.
var marks = []struct {
	field    ocr.FieldName
	document ocr.DocType
}{
	{ocr.VehicleClass, ocr.DrivingLicence},
	{ocr.VIN, ocr.VehicleLicence},
	{ocr.VehicleModel, ocr.VehicleLicence},
	{ocr.PlateNumber, ocr.VehicleLicenceSupplement},
	{ocr.Seats, ocr.VehicleLicenceSupplement},
	{ocr.InspectionRecord, ocr.VehicleLicenceSupplement},
	{ocr.Record, ocr.DrivingLicenceSupplement},
	{ocr.FileNumber, ocr.DrivingLicenceSupplement},
	{ocr.IDNumber, ocr.IDCardFront},
	{ocr.Authority, ocr.IDCardBack},
	{ocr.Name, ocr.IDCardFront},
	{ocr.Address, ocr.IDCardFront},
	{ocr.ValidUntil, ocr.IDCardBack},
}

func detected() []ocr.DocType {
	return []ocr.DocType{
		ocr.IDCardFront, ocr.IDCardBack, ocr.DrivingLicence, ocr.DrivingLicenceSupplement, ocr.VehicleLicence, ocr.VehicleLicenceSupplement,
	}
}
