package juhe

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"huizhi/internal/providers/simulator/cards"
	"huizhi/internal/providers/simulator/wire"
)

// Kinds of documents that only this provider tells apart.
const (
	FirstIDCard       cards.Kind = "first_generation_id_card"
	TemporaryIDCard   cards.Kind = "temporary_id_card"
	DrivingSupplement cards.Kind = "driving_license_supplement"
	VehicleSupplement cards.Kind = "vehicle_license_supplement"
	OfficerCard       cards.Kind = "officer_card_1998"
	HKMacaoPass2005   cards.Kind = "hk_macao_pass_2005"
	HKMacaoPass2014   cards.Kind = "hk_macao_pass_2014"
	TaiwanHome1992    cards.Kind = "taiwan_compatriot_permit_1992"
	TaiwanHome2015    cards.Kind = "taiwan_compatriot_permit_2015"
	TaiwanHome2015MRZ cards.Kind = "taiwan_compatriot_permit_2015_mrz"
	TaiwanPass1992    cards.Kind = "taiwan_pass_1992"
	TaiwanPass2017    cards.Kind = "taiwan_pass_2017"
	Visa              cards.Kind = "visa"
	HomeReturn        cards.Kind = "home_return_permit"
	HomeReturnMRZ     cards.Kind = "home_return_permit_mrz"
	HKMTResidence     cards.Kind = "hkmt_residence_permit_front"
	HKMTResidenceBack cards.Kind = "hkmt_residence_permit_back"
	ForeignerID       cards.Kind = "foreigner_permanent_residence_card"
	BoardingPass      cards.Kind = "boarding_pass"
	BorderPass        cards.Kind = "border_resident_pass"
	EVehicleLicense   cards.Kind = "electronic_vehicle_license"
)

const bankCard = 17

// types are the document's values of cardType with the kinds that they accept. 101 to 104 tell kinds apart.
var types = map[int][]cards.Kind{
	1:    {FirstIDCard},
	2:    {cards.IDFront},
	3:    {cards.IDBack},
	4:    {TemporaryIDCard},
	5:    {cards.DrivingLicense},
	6:    {cards.VehicleLicense},
	7:    {OfficerCard},
	9:    {HKMacaoPass2005},
	10:   {TaiwanHome1992},
	11:   {TaiwanPass1992},
	12:   {Visa},
	13:   {cards.Passport},
	14:   {HomeReturn},
	15:   {HomeReturnMRZ},
	16:   {cards.HouseholdPage},
	17:   {cards.BankCard},
	22:   {HKMacaoPass2014},
	25:   {TaiwanHome2015},
	26:   {TaiwanHome2015MRZ},
	28:   {DrivingSupplement},
	29:   {TaiwanPass2017},
	30:   {VehicleSupplement},
	31:   {HKMTResidence},
	32:   {HKMTResidenceBack},
	33:   {ForeignerID},
	101:  {cards.IDFront, cards.IDBack},
	102:  {cards.DrivingLicense, DrivingSupplement},
	103:  {cards.VehicleLicense, VehicleSupplement},
	104:  {cards.IDFront, cards.IDBack, cards.DrivingLicense, DrivingSupplement, cards.VehicleLicense, VehicleSupplement},
	1000: {cards.ResidencePermit},
	1001: {cards.HongKongIDCard},
	1002: {BoardingPass},
	1003: {BorderPass},
	2008: {cards.BusinessLicense},
	3038: {EVehicleLicense},
}

// CardTypes returns the values of cardType.
func CardTypes() []int { return slices.Sorted(maps.Keys(types)) }

// members are those of the document's examples, in their order.
var members = map[cards.Kind][]string{
	cards.IDFront:     {"住址", "保留", "公民身份号码", "出生", "头像", "姓名", "性别", "民族"},
	cards.IDBack:      {"保留", "签发机关", "有效期限", "签发日期", "有效期至"},
	HKMTResidence:     {"保留", "姓名", "性别", "民族", "住址", "出生", "公民身份号码", "复印件判别", "头像"},
	HKMTResidenceBack: {"保留", "签发机关", "有效期限", "签发日期", "有效期至", "通行证号码"},
	HomeReturn: {
		"保留", "证件号码", "中文姓名", "英文姓名", "性别", "出生日期", "本证有效期至", "英文姓", "英文名", "港澳证件号码", "签发日期",
		"有效期限", "签发机关", "换证次数", "其他姓名", "归属地", "头像",
	},
	TaiwanHome1992: taiwanHome,
	TaiwanHome2015: taiwanHome,
	cards.VehicleLicense: {
		"保留", "号牌号码", "车辆类型", "所有人", "住址", "品牌型号", "车辆识别代号", "发动机号码", "注册日期", "发证日期", "使用性质",
	},
	cards.BusinessLicense: {
		"统一社会信用代码", "组织机构代码", "税务登记证号", "社保登记号", "统计证证号", "名称", "类型", "住所", "法定代表人", "组成形式",
		"注册资本", "成立日期", "营业期限", "经营范围", "登记机关", "登记日期", "二维码", "副本",
	},
}

var taiwanHome = []string{
	"保留", "中文姓名", "英文姓名", "出生日期", "性别", "有效期限", "签发地点", "证件号码", "签发次数", "签发机关", "头像",
}

// result returns what was read, in the order of the document's example for its kind; registered fields that the example
// lacks follow by name.
func (a *api) result(q request, c cards.Card) wire.Object {
	values := c.Fields
	switch c.Kind {
	case cards.IDFront:
		values = map[string]string{
			"住址": c.Fields[cards.Address], "公民身份号码": c.Fields[cards.IDNumber], "出生": c.Fields[cards.BirthDate],
			"头像": cards.Crop(q.image, cards.Portrait)[0], "姓名": c.Fields[cards.Name], "性别": c.Fields[cards.Sex],
			"民族": c.Fields[cards.Ethnicity],
		}
	case cards.IDBack:
		values = map[string]string{
			"签发机关": c.Fields[cards.Authority], "有效期限": c.Validity(), "签发日期": c.Fields[cards.ValidFrom],
			"有效期至": c.Fields[cards.ValidUntil],
		}
	}
	var o wire.Object
	for _, name := range members[c.Kind] {
		o = append(o, wire.Member{Name: name, Value: values[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(members[c.Kind], name) {
			o = append(o, wire.Member{Name: name, Value: values[name]})
		}
	}
	if q.form.Get("orderid") == "1" {
		o = append(o, wire.Member{Name: "orderid", Value: a.newOrder()})
	}
	if id := q.form.Get("userid"); id != "" {
		o = append(o, wire.Member{Name: "userid", Value: id})
	}
	return o
}

var chinaTime = time.FixedZone("UTC+8", 8*60*60)

// newOrder returns an order number with the form of the example JH1531180126114835937669: four digits, the time to the
// second, and six digits that count. The time is taken to be China's.
func (a *api) newOrder() string {
	return fmt.Sprintf("JH1531%s%06d", a.Now().In(chinaTime).Format("060102150405"), a.orders.Add(1)%1_000_000)
}
