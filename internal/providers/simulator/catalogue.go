package simulator

import "slices"

// receiptType is an element of the answer to /types, spelled as the document spells it.
type receiptType struct {
	ID             int       `json:"id"`
	Name           string    `json:"name"`
	Description    string    `json:"description"`
	RequiredFields []string  `json:"required_fields"`
	Guide          typeGuide `json:"parameter_guide"`
	SortOrder      int       `json:"sort_order"`
}

type typeGuide struct {
	CustomFields map[string]fieldGuide `json:"custom_fields"`
}

type fieldGuide struct {
	Label       string     `json:"label"`
	Description string     `json:"description"`
	Allowed     []province `json:"allowed_values,omitempty"`
}

type province struct {
	Province string   `json:"province"`
	Cities   []string `json:"cities"`
}

// offers reports whether the type's guide allows the value of the field city, such as "广东省,深圳市".
func (t receiptType) offers(city string) bool {
	return slices.ContainsFunc(t.Guide.CustomFields["city"].Allowed, func(p province) bool {
		return slices.ContainsFunc(p.Cities, func(c string) bool { return p.Province+","+c == city })
	})
}

const (
	cityDescription   = "请选择办证地区;提交时以省,市格式(逗号分隔)传入,例如:广东省,深圳市。"
	idCardDescription = "接相关部门要求,该回执需要如实登记办证人身份证号,请准确无误填写,否则将无法办证。"
)

// The document's two examples of /types name the same 21 cities in different orders. Type 5 keeps its own; every other
// type with "全省21市" has the order of type 1. The table's note lists only 18 of them; the examples win.
var (
	guangdong = []string{
		"深圳市", "广州市", "韶关市", "珠海市", "汕头市", "佛山市", "江门市", "湛江市", "茂名市", "肇庆市", "惠州市", "梅州市", "汕尾市",
		"河源市", "阳江市", "清远市", "东莞市", "中山市", "潮州市", "揭阳市", "云浮市",
	}
	guangdongForDrivers = []string{
		"韶关市", "珠海市", "汕头市", "佛山市", "江门市", "湛江市", "茂名市", "肇庆市", "惠州市", "梅州市", "汕尾市", "河源市", "阳江市",
		"清远市", "东莞市", "中山市", "潮州市", "揭阳市", "云浮市", "深圳市", "广州市",
	}
	shenzhen = []string{"深圳市"}
)

// catalogue returns the 15 types of the document's table.
func catalogue() []receiptType {
	types := []receiptType{
		newType(1, "第二代居民身份证数字相片", guangdong),
		newType(2, "护照及港澳通行证数字相片", shenzhen),
		newType(3, "社会保障卡数字相片", guangdong),
		newType(4, "居住证相片", shenzhen),
		newType(5, "机动车驾驶证数字相片", guangdongForDrivers),
		newType(6, "深圳市网约车驾驶员数码相片", shenzhen),
		newType(7, "婴儿社保卡数字相片", shenzhen),
		newType(8, "会计人员相片采集", shenzhen),
		newType(9, "退役军人优待证", shenzhen),
		newType(10, "深圳市敬老优待证", shenzhen),
		newType(11, "港澳台居民居住证数字相片", guangdong),
		newType(12, "深圳市暂住老人免费乘车证", shenzhen),
		newType(13, "健美操项目年度备案专用相片", shenzhen),
		newType(14, "律师资格证数字相片", shenzhen),
		newType(15, "保安管理人员/保安员证相片", guangdong),
	}
	identity, driver := &types[0], &types[4]
	city := identity.Guide.CustomFields["city"]
	// There is no city of that name; it is what the document's example says.
	city.Allowed = append(city.Allowed, province{Province: "青海省", Cities: []string{"青海市"}})
	identity.Guide.CustomFields["city"] = city

	driver.RequiredFields = append(driver.RequiredFields, "customer_id_card")
	driver.Guide.CustomFields["customer_id_card"] = fieldGuide{Label: "身份证号", Description: idCardDescription}
	return types
}

func newType(id int, name string, cities []string) receiptType {
	return receiptType{
		ID: id, Name: name, Description: name + "回执办理", RequiredFields: []string{"city"}, SortOrder: id,
		Guide: typeGuide{CustomFields: map[string]fieldGuide{"city": {
			Label: "办证地区", Description: cityDescription, Allowed: []province{{Province: "广东省", Cities: cities}},
		}}},
	}
}

// photoSize is the size in pixels of the standard photo that an authority gets for a type.
type photoSize struct{ width, height int }

func (t receiptType) photoSize() photoSize {
	switch t.ID {
	case 2:
		return photoSize{390, 567}
	case 5:
		return photoSize{260, 378}
	case 8:
		return photoSize{295, 413}
	case 9:
		return photoSize{352, 440}
	case 14:
		return photoSize{413, 626}
	}
	return photoSize{358, 441}
}
