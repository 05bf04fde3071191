package xinhuo

import (
	"maps"
	"slices"

	"huizhi/internal/providers/simulator/cards"
	"huizhi/internal/providers/simulator/wire"
)

// serviceNumber is the only value of a request's type that the document gives.
const serviceNumber = "8"

// docType is a line of the document's table of types.
type docType struct {
	name  string
	kinds []cards.Kind
}

// types are the document's 19. Kinds that only this provider knows are called as it calls them.
var types = []docType{
	{"bank_card", []cards.Kind{cards.BankCard}},
	{"business_card", []cards.Kind{"business_card"}},
	{"hongkong_idcard", []cards.Kind{cards.HongKongIDCard}},
	{"id_card", []cards.Kind{cards.IDFront, cards.IDBack}},
	{"social_security_cards", []cards.Kind{cards.SocialSecurity}},
	{"drive_license", []cards.Kind{cards.DrivingLicense}},
	{"vehicle_license", []cards.Kind{cards.VehicleLicense}},
	{"family_register", []cards.Kind{cards.HouseholdPage}},
	{"passport", []cards.Kind{cards.Passport}},
	{"marriage_certificate", []cards.Kind{"marriage_certificate"}},
	{"divorce_certificate", []cards.Kind{"divorce_certificate"}},
	{"house_property_owner_ship", []cards.Kind{"house_property_owner_ship"}},
	{"real_estate", []cards.Kind{"real_estate"}},
	{"business_license", []cards.Kind{cards.BusinessLicense}},
	{"opening_license", []cards.Kind{"opening_license"}},
	{"tax_certificate", []cards.Kind{"tax_certificate"}},
	{"organization_certificate", []cards.Kind{"organization_certificate"}},
	{"vehicle_certificate", []cards.Kind{"vehicle_certificate"}},
	{"vehicle_registration", []cards.Kind{"vehicle_registration"}},
}

// typeOf returns the name of the type that a kind of card belongs to, "" if it is none of the 19.
func typeOf(kind cards.Kind) string {
	for _, t := range types {
		if slices.Contains(t.kinds, kind) {
			return t.name
		}
	}
	return ""
}

// TypeNames returns the names of the types.
func TypeNames() []string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.name
	}
	return names
}

// result is the payload of a success, in the order of the document's sample.
func result(name string, file []byte, p cards.Picture, c cards.Card) wire.Object {
	width, height := p.Width, p.Height
	if c.Rotation%180 != 0 {
		width, height = height, width
	}
	return wire.Object{
		{Name: "rotated_image_height", Value: height}, {Name: "image_angle", Value: c.Rotation},
		{Name: "type_description", Value: ""}, {Name: "rotated_image_width", Value: width},
		{Name: "item_list", Value: items(file, c)}, {Name: "type", Value: name},
	}
}

func items(file []byte, c cards.Card) []wire.Object {
	list := []wire.Object{}
	add := func(key, description, value string) {
		list = append(list, wire.Object{
			{Name: "value", Value: value}, {Name: "position", Value: []any{}}, {Name: "key", Value: key}, {Name: "description", Value: description},
		})
	}
	if !c.IsID() {
		for _, key := range slices.Sorted(maps.Keys(c.Fields)) {
			add(key, "", c.Fields[key])
		}
		return list
	}
	front, back := c.Fields, c.Fields // a page may show both sides
	pictures := []string{"", "", ""}
	if c.Kind == cards.IDFront {
		pictures = cards.Crop(file, cards.Number, cards.Portrait, cards.Whole)
	} else {
		front = nil
		pictures[2] = cards.Crop(file, cards.Whole)[0]
	}
	add("name", "姓名", front[cards.Name])
	add("sex", "性别", front[cards.Sex])
	add("nationality", "民族", front[cards.Ethnicity])
	add("birth", "出生日期", cards.Card{Fields: front}.Date(cards.BirthDate, "2006年1月2日"))
	add("address", "地址", front[cards.Address])
	add("id_number", "身份证号", front[cards.IDNumber])
	add("id_number_image", "身份证号码图像", pictures[0])
	add("head_portrait", "头像", pictures[1])
	add("crop_image", "切边图像", pictures[2])
	add("validate_date", "有效期限", cards.Card{Fields: back}.Validity())
	add("issue_authority", "签发机构", back[cards.Authority])
	return list
}
