package juhe

import "huizhi/internal/ocr"

// names are the service's names of the fields: those of the document's examples, and for the cards without an example
// those printed on them.
var names = map[string]ocr.FieldName{
	"姓名": ocr.Name, "中文姓名": ocr.Name, "本国姓名": ocr.Name, "性别": ocr.Sex, "民族": ocr.Ethnicity, "出生": ocr.BirthDate, "出生日期": ocr.BirthDate,
	"住址": ocr.Address, "地址": ocr.Address, "公民身份号码": ocr.IDNumber, "身份证号码": ocr.IDNumber, "身份证号": ocr.IDNumber,
	"签发机关": ocr.Authority, "发证机关": ocr.Authority, "登记机关": ocr.Authority, "签发日期": ocr.IssueDate, "发证日期": ocr.IssueDate,
	"有效期至": ocr.ValidUntil, "本证有效期至": ocr.ValidUntil, "有效期起": ocr.ValidFrom, "有效期始": ocr.ValidFrom,

	"英文姓名": ocr.NameLatin, "英文姓": ocr.SurnameLatin, "英文名": ocr.GivenNameLatin, "其他姓名": ocr.OtherName, "曾用名": ocr.FormerName,
	"国籍": ocr.Nationality, "国籍代码": ocr.CountryCode, "签发国代码": ocr.CountryCode, "出生地": ocr.BirthPlace, "出生地点": ocr.BirthPlace, "籍贯": ocr.NativePlace,
	"证件号码": ocr.DocumentNumber, "证号": ocr.DocumentNumber, "编号": ocr.DocumentNumber, "护照号码": ocr.PassportNumber, "护照号": ocr.PassportNumber,
	"港澳证件号码": ocr.HomeDocumentNumber, "身份证件号码": ocr.HomeDocumentNumber, "通行证号码": ocr.PermitNumber,
	"签发地点": ocr.IssuePlace, "签发次数": ocr.IssueCount, "换证次数": ocr.IssueCount, "归属地": ocr.Domicile,
	"MRZ1": ocr.MRZ1, "MRZ2": ocr.MRZ2, "MRZ3": ocr.MRZ3, "机读码1": ocr.MRZ1, "机读码2": ocr.MRZ2, "机读码3": ocr.MRZ3,
	"护照类型": ocr.PassportType, "签证种类": ocr.VisaType, "签证类别": ocr.VisaType, "入境次数": ocr.Entries, "停留天数": ocr.StayDays, "停留期": ocr.StayDays,
	"符号标记": ocr.Symbols, "首次签发日期": ocr.FirstIssueDate, "姓名电码": ocr.NameCode, "居住地址": ocr.ResidenceAddress,

	"户主姓名": ocr.HouseholdHead, "与户主关系": ocr.Relation, "户主或与户主关系": ocr.Relation, "户号": ocr.HouseholdNumber, "户别": ocr.HouseholdType,
	"身高": ocr.Height, "血型": ocr.BloodType, "宗教信仰": ocr.Religion, "文化程度": ocr.Education, "婚姻状况": ocr.MaritalStatus, "兵役状况": ocr.MilitaryService,
	"服务处所": ocr.Employer, "职业": ocr.Occupation, "部别": ocr.Department, "职务": ocr.Position, "衔级": ocr.Rank, "军衔": ocr.Rank,

	"准驾车型": ocr.VehicleClass, "初次领证日期": ocr.FirstIssueDate, "初始领证日期": ocr.FirstIssueDate, "档案编号": ocr.FileNumber, "记录": ocr.Record,
	"号牌号码": ocr.PlateNumber, "车牌号": ocr.PlateNumber, "车辆类型": ocr.VehicleType, "所有人": ocr.Owner, "品牌型号": ocr.VehicleModel,
	"车辆识别代号": ocr.VIN, "vin": ocr.VIN, "发动机号码": ocr.EngineNumber, "注册日期": ocr.RegistrationDate, "使用性质": ocr.UseCharacter,
	"核定载人数": ocr.Seats, "总质量": ocr.GrossMass, "整备质量": ocr.CurbMass, "核定载质量": ocr.RatedLoad, "外廓尺寸": ocr.Dimensions,
	"准牵引总质量": ocr.TowingMass, "备注": ocr.Remark, "检验记录": ocr.InspectionRecord, "条码号": ocr.Barcode, "条形码": ocr.Barcode,

	"卡号": ocr.CardNumber, "银行卡号": ocr.CardNumber, "银行名称": ocr.BankName, "发卡行": ocr.BankName, "卡名": ocr.CardName, "卡名称": ocr.CardName,
	"卡类型": ocr.CardKind, "卡种": ocr.CardKind,

	"航班号": ocr.FlightNumber, "日期": ocr.DepartureDate, "出发地": ocr.Origin, "目的地": ocr.Destination, "座位号": ocr.Seat, "舱位": ocr.Cabin,
	"登机口": ocr.Gate, "登机时间": ocr.BoardingTime,

	"统一社会信用代码": ocr.CreditCode, "组织机构代码": ocr.OrganisationCode, "税务登记证号": ocr.TaxNumber, "社保登记号": ocr.SocialInsuranceNumber,
	"统计证证号": ocr.StatisticsNumber, "名称": ocr.CompanyName, "类型": ocr.CompanyType, "住所": ocr.Address, "法定代表人": ocr.LegalRepresentative,
	"组成形式": ocr.Composition, "注册资本": ocr.RegisteredCapital, "成立日期": ocr.EstablishedDate, "经营范围": ocr.BusinessScope,
	"登记日期": ocr.RegistrationDate, "二维码": ocr.QRCode, "副本": ocr.Duplicate,
}

// namesOn are names that mean something else on a document.
var namesOn = map[ocr.DocType]map[string]ocr.FieldName{
	// These have no other date of issue than the beginning of their term.
	ocr.IDCardFront:            {"签发日期": ocr.ValidFrom},
	ocr.IDCardBack:             {"签发日期": ocr.ValidFrom},
	ocr.HMTResidencePermitBack: {"签发日期": ocr.ValidFrom},
	ocr.TemporaryIDCard:        {"签发日期": ocr.ValidFrom},

	ocr.Passport:                {"护照号码": ocr.DocumentNumber, "护照号": ocr.DocumentNumber},
	ocr.DrivingLicence:          {"公民身份号码": ocr.DocumentNumber, "身份证号码": ocr.DocumentNumber, "身份证号": ocr.DocumentNumber},
	ocr.HMTResidencePermitFront: {"证件号码": ocr.IDNumber},
	ocr.HouseholdRegister:       {"证件号码": ocr.IDNumber, "公民身份证件编号": ocr.IDNumber},
	ocr.ResidencePermit:         {"证件号码": ocr.IDNumber},
}
