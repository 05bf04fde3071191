package xinhuo

import (
	"slices"

	"huizhi/internal/ocr"
)

// order lists the kinds in the document's order.
var order = []struct {
	kind     string
	document ocr.DocType
}{
	{"bank_card", ocr.BankCard},
	{"business_card", ocr.BusinessCard},
	{"hongkong_idcard", ocr.HongKongIDCard},
	{"id_card", ocr.IDCardFront}, // or the back: their fields tell
	{"social_security_cards", ocr.SocialSecurityCard},
	{"drive_license", ocr.DrivingLicence},
	{"vehicle_license", ocr.VehicleLicence},
	{"family_register", ocr.HouseholdRegister},
	{"passport", ocr.Passport},
	{"marriage_certificate", ocr.MarriageCertificate},
	{"divorce_certificate", ocr.DivorceCertificate},
	{"house_property_owner_ship", ocr.PropertyOwnershipCertificate},
	{"real_estate", ocr.RealEstateCertificate},
	{"business_license", ocr.BusinessLicence},
	{"opening_license", ocr.AccountOpeningPermit},
	{"tax_certificate", ocr.TaxRegistration},
	{"organization_certificate", ocr.OrganisationCertificate},
	{"vehicle_certificate", ocr.VehicleConformityCertificate},
	{"vehicle_registration", ocr.VehicleRegistrationCertificate},
}

var kinds = func() map[string]ocr.DocType {
	m := make(map[string]ocr.DocType, len(order))
	for _, o := range order {
		m[o.kind] = o.document
	}
	return m
}()

func documents() []ocr.DocType {
	var all []ocr.DocType
	for _, o := range order {
		all = append(all, o.document)
	}
	return slices.Insert(all, slices.Index(all, ocr.IDCardFront)+1, ocr.IDCardBack)
}

// terms are keys of periods with two ends.
var terms = []string{"validate_date", "valid_period", "valid_date", "validity", "business_term", "operating_period"}

// fieldOf translates an item. Only the keys of the ID card are in the document; those of the other kinds are behind
// links. Each item comes with its description in Chinese, which is what is printed on the card: it decides wherever the
// key is not one of the ID card's.
func fieldOf(document ocr.DocType, key, description string) (ocr.FieldName, bool) {
	if document == ocr.IDCardFront {
		if name, ok := idCardKeys[key]; ok {
			return name, true
		}
	}
	for _, printed := range []string{description, key} {
		if name, ok := descriptionsOn[document][printed]; ok {
			return name, true
		}
		if name, ok := descriptions[printed]; ok {
			return name, true
		}
	}
	name, ok := keys[key]
	return name, ok
}

// idCardKeys are the document's; nationality is the ethnicity.
var idCardKeys = map[string]ocr.FieldName{
	"name": ocr.Name, "sex": ocr.Sex, "nationality": ocr.Ethnicity, "birth": ocr.BirthDate, "address": ocr.Address,
	"id_number": ocr.IDNumber, "issue_authority": ocr.Authority,
}

// keys serve items without a description that is known.
var keys = map[string]ocr.FieldName{
	"name": ocr.Name, "sex": ocr.Sex, "nationality": ocr.Nationality, "birth": ocr.BirthDate, "birthday": ocr.BirthDate, "address": ocr.Address,
	"id_number": ocr.IDNumber, "issue_authority": ocr.Authority, "issue_date": ocr.IssueDate, "card_number": ocr.CardNumber,
	"bank_name": ocr.BankName, "card_type": ocr.CardKind, "passport_number": ocr.DocumentNumber, "name_en": ocr.NameLatin,
	"plate_no": ocr.PlateNumber, "plate_number": ocr.PlateNumber, "vin": ocr.VIN, "engine_no": ocr.EngineNumber, "owner": ocr.Owner,
	"vehicle_type": ocr.VehicleType, "model": ocr.VehicleModel, "use_character": ocr.UseCharacter, "register_date": ocr.RegistrationDate,
	"mobile": ocr.Mobile, "telephone": ocr.Telephone, "email": ocr.Email, "company": ocr.CompanyName, "fax": ocr.Fax, "website": ocr.Website,
}

// descriptions are what is printed on the documents.
var descriptions = map[string]ocr.FieldName{
	"姓名": ocr.Name, "中文姓名": ocr.Name, "性别": ocr.Sex, "民族": ocr.Ethnicity, "出生日期": ocr.BirthDate, "出生": ocr.BirthDate,
	"地址": ocr.Address, "住址": ocr.Address, "身份证号": ocr.IDNumber, "身份证号码": ocr.IDNumber, "公民身份号码": ocr.IDNumber,
	"公民身份证件编号": ocr.IDNumber, "社会保障号码": ocr.IDNumber, "签发机构": ocr.Authority, "签发机关": ocr.Authority, "发证机关": ocr.Authority,
	"登记机关": ocr.Authority, "颁发单位": ocr.Authority, "国籍": ocr.Nationality, "英文姓名": ocr.NameLatin, "姓": ocr.SurnameLatin, "名": ocr.GivenNameLatin,
	"英文姓": ocr.SurnameLatin, "英文名": ocr.GivenNameLatin, "姓名电码": ocr.NameCode, "符号标记": ocr.Symbols, "首次签发日期": ocr.FirstIssueDate,
	"签发日期": ocr.IssueDate, "发证日期": ocr.IssueDate, "发卡日期": ocr.IssueDate, "有效期至": ocr.ValidUntil, "有效期": ocr.ValidUntil, "有效日期": ocr.ValidUntil,
	"有效起始日期": ocr.ValidFrom, "证件号码": ocr.DocumentNumber, "证号": ocr.DocumentNumber, "编号": ocr.DocumentNumber, "证书编号": ocr.DocumentNumber,

	"卡号": ocr.CardNumber, "银行卡号": ocr.CardNumber, "社保卡号": ocr.CardNumber, "银行名称": ocr.BankName, "发卡行": ocr.BankName, "开户银行": ocr.BankName,
	"卡类型": ocr.CardKind, "卡种": ocr.CardKind, "卡名": ocr.CardName, "卡名称": ocr.CardName,
	"手机": ocr.Mobile, "手机号": ocr.Mobile, "电话": ocr.Telephone, "传真": ocr.Fax, "邮箱": ocr.Email, "电子邮箱": ocr.Email, "网址": ocr.Website,
	"邮编": ocr.PostalCode, "部门": ocr.Department, "职务": ocr.Position, "职位": ocr.Position, "公司": ocr.CompanyName, "公司名称": ocr.CompanyName,

	"护照号": ocr.DocumentNumber, "护照号码": ocr.DocumentNumber, "护照类型": ocr.PassportType, "国家码": ocr.CountryCode, "出生地": ocr.BirthPlace,
	"出生地点": ocr.BirthPlace, "签发地点": ocr.IssuePlace, "机读码1": ocr.MRZ1, "机读码2": ocr.MRZ2, "MRZ1": ocr.MRZ1, "MRZ2": ocr.MRZ2,

	"户主姓名": ocr.HouseholdHead, "与户主关系": ocr.Relation, "户主或与户主关系": ocr.Relation, "户号": ocr.HouseholdNumber, "户别": ocr.HouseholdType,
	"曾用名": ocr.FormerName, "籍贯": ocr.NativePlace, "身高": ocr.Height, "血型": ocr.BloodType, "宗教信仰": ocr.Religion, "文化程度": ocr.Education,
	"婚姻状况": ocr.MaritalStatus, "兵役状况": ocr.MilitaryService, "服务处所": ocr.Employer, "职业": ocr.Occupation,
	"持证人": ocr.Holder, "登记日期": ocr.RegistrationDate, "备注": ocr.Remark, "配偶姓名": ocr.SpouseName, "配偶性别": ocr.SpouseSex,
	"配偶出生日期": ocr.SpouseBirthDate, "配偶国籍": ocr.SpouseNationality, "配偶身份证号": ocr.SpouseIDNumber, "配偶身份证件号": ocr.SpouseIDNumber,
	"身份证件号": ocr.IDNumber, "结婚证字号": ocr.DocumentNumber, "离婚证字号": ocr.DocumentNumber,

	"准驾车型": ocr.VehicleClass, "初次领证日期": ocr.FirstIssueDate, "档案编号": ocr.FileNumber, "号牌号码": ocr.PlateNumber, "车牌号码": ocr.PlateNumber,
	"车辆类型": ocr.VehicleType, "所有人": ocr.Owner, "使用性质": ocr.UseCharacter, "品牌型号": ocr.VehicleModel, "车辆型号": ocr.VehicleModel,
	"车辆品牌": ocr.VehicleBrand, "车辆识别代号": ocr.VIN, "车辆识别代号/车架号": ocr.VIN, "发动机号码": ocr.EngineNumber, "发动机号": ocr.EngineNumber,
	"发动机型号": ocr.EngineModel, "底盘型号": ocr.ChassisModel, "注册日期": ocr.RegistrationDate, "车身颜色": ocr.Colour, "燃料种类": ocr.FuelType,
	"国产/进口": ocr.ImportStatus, "排量": ocr.Displacement, "排量和功率": ocr.Displacement, "功率": ocr.Power, "排放标准": ocr.EmissionStandard, "最高设计车速": ocr.MaximumSpeed,
	"核定载人数": ocr.Seats, "额定载客": ocr.Seats, "总质量": ocr.GrossMass, "整备质量": ocr.CurbMass, "核定载质量": ocr.RatedLoad, "外廓尺寸": ocr.Dimensions,
	"制造厂名称": ocr.Manufacturer, "车辆制造企业名称": ocr.Manufacturer, "车辆出厂日期": ocr.ManufactureDate, "车辆制造日期": ocr.ManufactureDate,
	"机动车所有人": ocr.Owner, "合格证编号": ocr.DocumentNumber, "机动车登记编号": ocr.PlateNumber,

	"统一社会信用代码": ocr.CreditCode, "社会信用代码": ocr.CreditCode, "名称": ocr.CompanyName, "单位名称": ocr.CompanyName, "存款人名称": ocr.CompanyName,
	"纳税人名称": ocr.CompanyName, "机构名称": ocr.CompanyName, "类型": ocr.CompanyType, "机构类型": ocr.CompanyType, "登记注册类型": ocr.CompanyType,
	"住所": ocr.Address, "经营场所": ocr.Address, "法定代表人": ocr.LegalRepresentative, "法人": ocr.LegalRepresentative, "负责人": ocr.LegalRepresentative,
	"注册资本": ocr.RegisteredCapital, "组成形式": ocr.Composition, "成立日期": ocr.EstablishedDate, "经营范围": ocr.BusinessScope,
	"组织机构代码": ocr.OrganisationCode, "代码": ocr.OrganisationCode, "税务登记证号": ocr.TaxNumber, "税号": ocr.TaxNumber,
	"核准号": ocr.ApprovalNumber, "账号": ocr.AccountNumber, "账户性质": ocr.AccountKind,

	"权利人": ocr.Owner, "房屋所有权人": ocr.Owner, "共有情况": ocr.CoOwnership, "坐落": ocr.Address, "房屋坐落": ocr.Address, "不动产单元号": ocr.UnitNumber,
	"权利类型": ocr.RightType, "权利性质": ocr.RightNature, "房屋性质": ocr.RightNature, "用途": ocr.PropertyUse, "规划用途": ocr.PropertyUse,
	"建筑面积": ocr.FloorArea, "面积": ocr.FloorArea, "土地面积": ocr.LandArea, "登记时间": ocr.RegistrationDate, "房产证号": ocr.DocumentNumber,
	"不动产权证号": ocr.DocumentNumber,
}

// descriptionsOn mean something else on a document.
var descriptionsOn = map[ocr.DocType]map[string]ocr.FieldName{
	ocr.BankCard:        {"有效期": ocr.ValidUntil, "姓名": ocr.NameLatin},
	ocr.HongKongIDCard:  {"身份证号": ocr.DocumentNumber, "身份证号码": ocr.DocumentNumber},
	ocr.DrivingLicence:  {"身份证号": ocr.DocumentNumber, "身份证号码": ocr.DocumentNumber},
	ocr.BusinessLicence: {"注册号": ocr.CreditCode},
}
